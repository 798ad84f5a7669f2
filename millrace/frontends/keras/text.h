// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace millrace::frontends::keras {

/// A text from the file as it may appear in a diagnostic: short, printable ASCII.
inline std::string printable(std::string_view text) {
  constexpr size_t MaxLength = 80;
  std::string shown(text.substr(0, MaxLength));
  for (char& c : shown)
    if (c < ' ' || c > '~')
      c = '?';
  return text.size() > MaxLength ? shown + "..." : shown;
}

}  // namespace millrace::frontends::keras
