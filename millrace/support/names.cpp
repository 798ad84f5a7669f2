// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/names.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace millrace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  const auto nearest =
      std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
        return edit_distance(name, a) < edit_distance(name, b);
      });
  return nearest == known.end() ? "" : *nearest;
}

std::string printable(std::string_view text) {
  constexpr size_t MaxLength = 80;
  std::string shown(text.substr(0, MaxLength));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      c = '?';
  return text.size() > MaxLength ? shown + "..." : shown;
}

}  // namespace millrace
