// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/adder_graph.h"

#include <algorithm>

#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

Int128 shifted(Int128 value, int shift) {
  return value * (Int128{1} << shift);
}

/// Bits of the narrowest integer type that holds the range: a sign bit only where it is needed.
int width(const Range& range) {
  const auto bits = [](Int128 magnitude) {
    int count = 0;
    for (; magnitude > 0; magnitude >>= 1)
      ++count;
    return count;
  };
  const int negative = range.lo < 0 ? bits(-range.lo - 1) : 0;
  const int positive = range.hi > 0 ? bits(range.hi) : 0;
  return std::max(negative, positive) + (range.lo < 0 ? 1 : 0);
}

}  // namespace

int chain_bits(const Adder& adder, const Range& a, const Range& b) {
  const int top = std::max(width(a) + adder.shift_a, width(b) + adder.shift_b);
  const bool is_signed = a.lo < 0 || b.lo < 0;
  const int unsigned_top = (a.lo < 0 ? 0 : width(a) + adder.shift_a);
  const int unsigned_top_b = (b.lo < 0 ? 0 : width(b) + adder.shift_b);
  // An unsigned operand beside a signed one needs a sign bit as well.
  const int aligned = is_signed ? std::max({top, unsigned_top + 1, unsigned_top_b + 1}) : top;
  const int bottom = adder.subtract ? adder.shift_b : std::max(adder.shift_a, adder.shift_b);
  return std::max(1, aligned - bottom);
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
  for (const Adder& adder : graph.adders) {
    const Range& a = ranges[static_cast<size_t>(adder.a)];
    const Range& b = ranges[static_cast<size_t>(adder.b)];
    const Int128 scale_a = Int128{1} << adder.shift_a;
    const Int128 scale_b = Int128{1} << adder.shift_b;
    if (adder.subtract)
      ranges.push_back({a.lo * scale_a - b.hi * scale_b, a.hi * scale_a - b.lo * scale_b});
    else
      ranges.push_back({a.lo * scale_a + b.lo * scale_b, a.hi * scale_a + b.hi * scale_b});
  }
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
