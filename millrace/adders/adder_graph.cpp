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

/// The adders that read one of the inputs [begin, end), directly or not, in order.
std::vector<size_t> adders_reached(const AdderGraph& graph, size_t begin, size_t end) {
  const auto num_inputs = static_cast<size_t>(graph.num_inputs);
  std::vector<bool> is_reached(num_inputs + graph.adders.size(), false);
  for (size_t input = begin; input < end; ++input)
    is_reached[input] = true;
  std::vector<size_t> reached;
  for (size_t index = 0; index < graph.adders.size(); ++index) {
    const Adder& adder = graph.adders[index];
    if (is_reached[static_cast<size_t>(adder.a)] || is_reached[static_cast<size_t>(adder.b)]) {
      is_reached[num_inputs + index] = true;
      reached.push_back(index);
    }
  }
  return reached;
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

int depth(const AdderGraph& graph) {
  std::vector<int> depths(static_cast<size_t>(graph.num_inputs), 0);
  for (const Adder& adder : graph.adders)
    depths.push_back(
        std::max(depths[static_cast<size_t>(adder.a)], depths[static_cast<size_t>(adder.b)]) + 1);
  int deepest = 0;
  for (const RowSum& row : graph.rows)
    if (row.value != RowSum::Zero)
      deepest = std::max(deepest, depths[static_cast<size_t>(row.value)] + (row.negate ? 1 : 0));
  return deepest;
}

Cost cost(const AdderGraph& graph, std::span<const Range> inputs) {
  const std::vector<Range> ranges = value_ranges(graph, inputs);
  Cost total{.adders = static_cast<int64_t>(graph.adders.size()), .depth = depth(graph)};
  for (const Adder& adder : graph.adders)
    total.bits += chain_bits(adder, ranges[static_cast<size_t>(adder.a)],
                             ranges[static_cast<size_t>(adder.b)]);
  for (const RowSum& row : graph.rows) {
    if (row.value == RowSum::Zero || !row.negate)
      continue;
    ++total.adders;
    total.bits += width(ranges[static_cast<size_t>(row.value)]);
  }
  return total;
}

std::vector<Range> value_ranges(const AdderGraph& graph, std::span<const Range> inputs) {
  check(inputs.size() == static_cast<size_t>(graph.num_inputs), "one range for each input");
  const size_t num_inputs = inputs.size();
  std::vector<Range> ranges(inputs.begin(), inputs.end());
  ranges.resize(num_inputs + graph.adders.size());
  std::vector<Int128> coefficients(ranges.size(), 0);  // of one input in each value
  // Wide matrices make graphs of which an input reaches little: a few inputs are done at a time,
  // over the adders that they reach.
  constexpr size_t InputsAtATime = 64;
  for (size_t begin = 0; begin < num_inputs; begin += InputsAtATime) {
    const size_t end = std::min(begin + InputsAtATime, num_inputs);
    const std::vector<size_t> reached = adders_reached(graph, begin, end);
    for (size_t input = begin; input < end; ++input) {
      coefficients[input] = 1;
      for (const size_t index : reached) {
        const Adder& adder = graph.adders[index];
        const Int128 a = shifted(coefficients[static_cast<size_t>(adder.a)], adder.shift_a);
        const Int128 b = shifted(coefficients[static_cast<size_t>(adder.b)], adder.shift_b);
        const Int128 sum = adder.subtract ? a - b : a + b;
        coefficients[num_inputs + index] = sum;
        Range& range = ranges[num_inputs + index];
        range.lo += sum * (sum < 0 ? inputs[input].hi : inputs[input].lo);
        range.hi += sum * (sum < 0 ? inputs[input].lo : inputs[input].hi);
      }
      coefficients[input] = 0;
    }
    for (const size_t index : reached)
      coefficients[num_inputs + index] = 0;
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
