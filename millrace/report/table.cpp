// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/table.h"

#include <algorithm>
#include <string_view>

#include "millrace/support/check.h"

namespace millrace::report {
namespace {

// Code points: bytes that do not continue a UTF-8 sequence.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::to_text() const {
  std::vector<std::string> headings;
  std::vector<size_t> widths;
  for (const Column& column : columns) {
    headings.push_back(column.heading);
    widths.push_back(width_of(column.heading));
  }
  for (const std::vector<std::string>& row : rows) {
    check(row.size() == columns.size(), "a table's row is as long as its heading");
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  const auto append_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - width_of(cells[i]), ' ');
      line += i == 0 ? "" : "  ";
      line += columns[i].is_number ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  append_row(headings);
  size_t total = 0;
  for (size_t width : widths)
    total += width + 2;
  for (size_t i = 2; i < total; ++i)
    out += "\u2500";
  out += '\n';
  for (const std::vector<std::string>& row : rows)
    append_row(row);
  return out;
}

}  // namespace millrace::report
