// SPDX-License-Identifier: Apache-2.0
// Names that a user may have misspelt, and names from files.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// Levenshtein's distance: insertions, deletions and replacements that lead from `a` to `b`.
size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `known` that is nearest to `name`, the first of several; empty if there is none.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

/// A text from a file as it may appear in a diagnostic: short, without control characters.
std::string printable(std::string_view text);

}  // namespace millrace
