// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace millrace::report {

/// A table of text, for a terminal and for a page alike.
struct Table {
  /// A column's heading; numbers stand at the right.
  struct Column {
    std::string heading = {};
    bool is_number = false;
  };
  std::vector<Column> columns = {};
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as `columns`

  /// Aligned text with a rule below the headings; widths count characters of UTF-8.
  std::string to_text() const;
};

}  // namespace millrace::report
