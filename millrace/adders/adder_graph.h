// SPDX-License-Identifier: Apache-2.0
// A network of shifts and adders that multiplies a vector by a constant matrix.
#pragma once

#include <span>
#include <vector>

#include "millrace/adders/matrix.h"

namespace millrace::adders {

/// (a << shift_a) + (b << shift_b), or minus. Values are numbered: first the inputs, then the
/// adders in order.
struct Adder {
  int a = 0, b = 0;
  int shift_a = 0, shift_b = 0;  ///< at least one of them is 0
  bool subtract = false;

  friend bool operator==(const Adder&, const Adder&) = default;
};

/// One row of the product: value << shift, negated where asked.
struct RowSum {
  static constexpr int Zero = -1;
  int value = Zero;
  int shift = 0;
  bool negate = false;

  friend bool operator==(const RowSum&, const RowSum&) = default;
};

/// The network of adders that computes matrix * inputs.
struct AdderGraph {
  int num_inputs = 0;
  std::vector<Adder> adders;  ///< each reads inputs and earlier adders only
  std::vector<RowSum> rows;

  friend bool operator==(const AdderGraph&, const AdderGraph&) = default;
};

/// What a graph costs. A row that must be negated counts as one more adder.
struct Cost {
  int64_t adders = 0;
  int64_t bits = 0;  ///< the adders' carry chains together, see chain_bits()
  int depth = 0;     ///< see depth()
};

/// Adders on the longest way from an input to a row, the negation of a row being one more.
int depth(const AdderGraph& graph);

Cost cost(const AdderGraph& graph, std::span<const Range> inputs);

/// Bits of an adder's carry chain: from the lowest position at which both operands have bits, or
/// the lowest of a subtrahend, to the top of the wider operand. Lower bits of the sum are wires.
int chain_bits(const Adder& adder, const Range& a, const Range& b);

/// Bits of the narrowest integer type that holds the range; a sign bit only where it is needed.
int width(const Range& range);

/// The range of the sum of two operands that are independent of each other.
Range sum_range(const Adder& adder, const Range& a, const Range& b);

/// The exact ranges of all values of a graph, inputs first, when the inputs are independent: what
/// cancels between two operands widens nothing.
///
/// Complexity   inputs * adders.
std::vector<Range> value_ranges(const AdderGraph& graph, std::span<const Range> inputs);

/// matrix * inputs as the graph computes it: one result a row.
std::vector<Int128> evaluate(const AdderGraph& graph, std::span<const Int128> inputs);

}  // namespace millrace::adders
