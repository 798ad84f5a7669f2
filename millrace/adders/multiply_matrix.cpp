// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/multiply_matrix.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "millrace/adders/signed_digits.h"
#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

/// A value that waits to be added into its row: sign * (value << shift).
struct Summand {
  int depth = 0;
  int shift = 0;
  int value = 0;
  bool negative = false;

  // The queue's order: shallow first, then low shifts first, so that partners overlap little.
  friend bool operator>(const Summand& x, const Summand& y) {
    return std::tuple(x.depth, x.shift, x.value, x.negative) >
           std::tuple(y.depth, y.shift, y.value, y.negative);
  }
};

using Queue = std::priority_queue<Summand, std::vector<Summand>, std::greater<>>;

Summand pop(Queue& queue) {
  Summand top = queue.top();
  queue.pop();
  return top;
}

/// Appends the adder that joins two summands; two negative ones give a negative sum.
Summand join(const Summand& x, const Summand& y, AdderGraph& graph) {
  const bool swap = x.negative && !y.negative;  // the minuend is positive
  const Summand& a = swap ? y : x;
  const Summand& b = swap ? x : y;
  const int shift = std::min(a.shift, b.shift);
  graph.adders.push_back({.a = a.value,
                          .b = b.value,
                          .shift_a = a.shift - shift,
                          .shift_b = b.shift - shift,
                          .subtract = a.negative != b.negative});
  return {.depth = std::max(a.depth, b.depth) + 1,
          .shift = shift,
          .value = graph.num_inputs + static_cast<int>(graph.adders.size()) - 1,
          .negative = a.negative && b.negative};
}
}  // namespace

int minimum_depth(const Matrix&, std::span<const Range>) {
  return 0;
}

Result<AdderGraph> multiply_matrix(const Matrix& matrix, std::span<const Range> inputs,
                                   const SearchOptions&) {
  check(static_cast<size_t>(matrix.columns) == inputs.size(), "one range for each column");
  AdderGraph graph{.num_inputs = matrix.columns, .adders = {}, .rows = {}};
  for (int row = 0; row < matrix.rows; ++row) {
    Queue queue;
    for (int column = 0; column < matrix.columns; ++column) {
      const Range& range = inputs[static_cast<size_t>(column)];
      if (range.lo == 0 && range.hi == 0)
        continue;
      for (const SignedDigit& digit : canonical_signed_digits(matrix.at(row, column)))
        queue.push({0, digit.shift, column, digit.negative});
    }
    while (queue.size() > 1) {
      const Summand first = pop(queue);
      const Summand second = pop(queue);
      queue.push(join(first, second, graph));
    }
    if (queue.empty())
      graph.rows.push_back({});
    else
      graph.rows.push_back({queue.top().value, queue.top().shift, queue.top().negative});
  }
  return graph;
}

}  // namespace millrace::adders
