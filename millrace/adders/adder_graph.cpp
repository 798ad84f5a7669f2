// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/adder_graph.h"

#include <algorithm>
#include <bit>

#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

Int128 shifted(Int128 value, int shift) {
  return value * (Int128{1} << shift);
}

int magnitude_bits(Int128 magnitude) {
  const auto high = static_cast<uint64_t>(magnitude >> 64);
  return high != 0 ? 64 + static_cast<int>(std::bit_width(high))
                   : static_cast<int>(std::bit_width(static_cast<uint64_t>(magnitude)));
}

}  // namespace

int width(const Range& range) {
  const int negative = range.lo < 0 ? magnitude_bits(-range.lo - 1) : 0;
  const int positive = range.hi > 0 ? magnitude_bits(range.hi) : 0;
  return std::max(negative, positive) + (range.lo < 0 ? 1 : 0);
}

int chain_bits(const Adder& adder, const Range& a, const Range& b) {
  // Beside a signed operand an unsigned one needs a sign bit, too.
  const bool is_signed = a.lo < 0 || b.lo < 0;
  const int top_a = adder.shift_a + width(a) + (is_signed && a.lo >= 0 ? 1 : 0);
  const int top_b = adder.shift_b + width(b) + (is_signed && b.lo >= 0 ? 1 : 0);
  const int bottom = adder.subtract ? adder.shift_b : std::max(adder.shift_a, adder.shift_b);
  return std::max(1, std::max(top_a, top_b) - bottom);
}

Range sum_range(const Adder& adder, const Range& a, const Range& b) {
  const Int128 lo = shifted(a.lo, adder.shift_a);
  const Int128 hi = shifted(a.hi, adder.shift_a);
  const Int128 b_lo = shifted(b.lo, adder.shift_b);
  const Int128 b_hi = shifted(b.hi, adder.shift_b);
  return adder.subtract ? Range{lo - b_hi, hi - b_lo} : Range{lo + b_lo, hi + b_hi};
}

Cost cost(const AdderGraph& graph, std::span<const Range> inputs) {
  const std::vector<Range> ranges = value_ranges(graph, inputs);
  std::vector<int> depths(static_cast<size_t>(graph.num_inputs), 0);
  Cost total;
  for (const Adder& adder : graph.adders) {
    const auto a = static_cast<size_t>(adder.a);
    const auto b = static_cast<size_t>(adder.b);
    total.bits += chain_bits(adder, ranges[a], ranges[b]);
    depths.push_back(std::max(depths[a], depths[b]) + 1);
  }
  total.adders = static_cast<int64_t>(graph.adders.size());
  for (const RowSum& row : graph.rows) {
    if (row.value == RowSum::Zero)
      continue;
    const auto value = static_cast<size_t>(row.value);
    total.adders += row.negate ? 1 : 0;
    total.bits += row.negate ? width(ranges[value]) : 0;
    total.depth = std::max(total.depth, depths[value] + (row.negate ? 1 : 0));
  }
  return total;
}

std::vector<Range> value_ranges(const AdderGraph& graph, std::span<const Range> inputs) {
  std::vector<Range> ranges(inputs.begin(), inputs.end());
  for (const Adder& adder : graph.adders)
    ranges.push_back(sum_range(adder, ranges[static_cast<size_t>(adder.a)],
                               ranges[static_cast<size_t>(adder.b)]));
  return ranges;
}

std::vector<Int128> evaluate(const AdderGraph& graph, std::span<const Int128> inputs) {
  check(inputs.size() == static_cast<size_t>(graph.num_inputs), "one value for each input");
  std::vector<Int128> values(inputs.begin(), inputs.end());
  for (const Adder& adder : graph.adders) {
    const Int128 a = shifted(values[static_cast<size_t>(adder.a)], adder.shift_a);
    const Int128 b = shifted(values[static_cast<size_t>(adder.b)], adder.shift_b);
    values.push_back(adder.subtract ? a - b : a + b);
  }
  std::vector<Int128> results;
  for (const RowSum& row : graph.rows) {
    const Int128 value =
        row.value == RowSum::Zero ? 0 : shifted(values[static_cast<size_t>(row.value)], row.shift);
    results.push_back(row.negate ? -value : value);
  }
  return results;
}

}  // namespace millrace::adders
