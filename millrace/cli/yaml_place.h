// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <yaml-cpp/yaml.h>

namespace millrace::cli {

/// "file:line"; an empty file has no line and is wrong in its first.
inline std::string place_in(const std::string& file, const YAML::Mark& mark) {
  return fmt::format("{}:{}", file, std::max(mark.line, 0) + 1);
}

}  // namespace millrace::cli
