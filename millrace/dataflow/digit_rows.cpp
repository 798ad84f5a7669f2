// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/digit_rows.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "millrace/fixed/fixed_type.h"

namespace millrace::dataflow {
namespace {

using Bits = std::vector<bool>;

bool is_constant(const Bits& bits) {
  return std::find(bits.begin(), bits.end(), !bits.front()) == bits.end();
}

/// Digits at these positions that add up to `value`; empty where there are none. The smallest
/// digits of the lowest positions go first.
std::vector<int> find_digits(int64_t value, std::span<const int> shifts) {
  if (shifts.empty())
    return {};
  const int shift = shifts.front();
  for (const int digit : {0, 1, -1, 2, -2}) {
    const int64_t rest = value - int64_t{digit} * (int64_t{1} << shift);
    if (shifts.size() == 1) {
      if (rest == 0)
        return {digit};
      continue;
    }
    if (rest % (int64_t{1} << shifts[1]) != 0)
      continue;
    std::vector<int> digits = find_digits(rest, shifts.subspan(1));
    if (!digits.empty()) {
      digits.insert(digits.begin(), digit);
      return digits;
    }
  }
  return {};
}

/// Digits, for each weight, at the first choice of `count` positions that has them.
struct Found {
  std::vector<int> shifts;
  std::vector<std::vector<int>> digits;  // of each weight
};

std::optional<Found> find_rows(std::span<const int64_t> weights, int count, int width) {
  // The lowest position is 0, as some weight is odd.
  std::vector<bool> is_chosen(static_cast<size_t>(width - 1), false);
  std::fill_n(is_chosen.begin(), count - 1, true);
  do {
    Found found{.shifts = {0}, .digits = {}};
    for (int i = 1; i < width; ++i)
      if (is_chosen[static_cast<size_t>(i - 1)])
        found.shifts.push_back(i);
    for (const int64_t weight : weights) {
      found.digits.push_back(find_digits(weight, found.shifts));
      if (found.digits.back().empty())
        break;
    }
    if (!found.digits.back().empty())
      return found;
  } while (std::prev_permutation(is_chosen.begin(), is_chosen.end()));
  return std::nullopt;
}

/// A row of these digits, of whose codes those are chosen that take the fewest lines.
DigitRow encode(int shift, std::span<const int> digits) {
  std::optional<DigitRow> best;
  for (int choice = 0; choice < 8; ++choice) {
    DigitRow row{.shift = shift, .bits = {}};
    for (const int digit : digits) {
      const int zero = (choice & 1) != 0 ? 7 : 0;
      const int one = (choice & 2) != 0 ? 2 : 1;
      const int minus_one = (choice & 4) != 0 ? 5 : 6;
      const std::array codes{4, minus_one, zero, one, 3};
      const int code = codes[static_cast<size_t>(digit) + 2];
      for (size_t i = 0; i < 3; ++i)
        row.bits[i].push_back(((code >> i) & 1) != 0);
    }
    if (!best || row.num_lines() < best->num_lines())
      best = std::move(row);
  }
  return *best;
}

/// The row of Booth's digits at bits 2 * index - 1 to 2 * index + 1 of the weights.
DigitRow booth_row(std::span<const int64_t> weights, int index) {
  DigitRow row{.shift = 2 * index, .bits = {}};
  for (const int64_t weight : weights)
    for (int i = 0; i < 3; ++i) {
      const int place = std::min(2 * index + i - 1, 63);
      row.bits[static_cast<size_t>(i)].push_back(place >= 0 && ((weight >> place) & 1) != 0);
    }
  return row;
}

}  // namespace

int DigitRow::num_lines() const {
  std::set<Bits> lines;
  for (const Bits& line : bits)
    if (!is_constant(line))
      lines.insert(line);
  return static_cast<int>(lines.size());
}

std::vector<DigitRow> digit_rows(std::span<const int64_t> weights) {
  uint64_t any = 0;
  for (const int64_t weight : weights)
    any |= static_cast<uint64_t>(weight);
  if (any == 0)
    return {};
  const int zeros = std::countr_zero(any);
  std::vector<int64_t> odd;  // and even ones, but not all of them
  odd.reserve(weights.size());
  for (const int64_t weight : weights)
    odd.push_back(weight >> zeros);
  const auto [lo, hi] = std::minmax_element(odd.begin(), odd.end());
  const FixedType type = narrowest_type(std::min<int64_t>(*lo, -1), *hi, 0).value();
  const int count = (type.width + 1) / 2;

  std::vector<DigitRow> rows;
  std::vector<int64_t> distinct = odd;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (int fewer = 1; fewer < count && type.width <= MaxSearchedBits; ++fewer) {
    const auto found = find_rows(distinct, fewer, type.width);
    if (!found)
      continue;
    for (size_t row = 0; row < found->shifts.size(); ++row) {
      std::vector<int> digits;
      for (const int64_t weight : odd) {
        const auto place = std::lower_bound(distinct.begin(), distinct.end(), weight);
        digits.push_back(found->digits[static_cast<size_t>(place - distinct.begin())][row]);
      }
      rows.push_back(encode(found->shifts[row], digits));
    }
    break;
  }
  if (rows.empty())
    for (int index = 0; index < count; ++index)
      rows.push_back(booth_row(odd, index));
  std::erase_if(rows, [](const DigitRow& row) {
    for (size_t i = 0; i < row.bits[0].size(); ++i)
      if (row.digit(i) != 0)
        return false;
    return true;
  });
  for (DigitRow& row : rows)
    row.shift += zeros;
  return rows;
}

}  // namespace millrace::dataflow
