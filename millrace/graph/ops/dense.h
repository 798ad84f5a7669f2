// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A fully connected layer.
///
///     %y = dense %x, %w, %b : tensor<8 x fixed<22,10>>
///     %y = dense %x, %w, %b {accumulate = fixed<16,6>, rounding = TRN, overflow = WRAP}
///        : tensor<8 x fixed<16,6>>
///
/// `accumulate` is the quantiser of an accumulator that each step goes through, as in hls4ml's
/// circuits. Where it loses nothing, or only wraps, lowering makes the layer exact
/// (passes/relax_accumulators.cpp); others are evaluated, but not compiled.
///
/// Shapes       x: N; w: N x M; b: M; y: M
/// Semantics    y[m] = b[m] + sum over n of w[n,m] * x[n]
///              with `accumulate`, A for short: y[m] = A(b[m]), then for n = 0, 1, ... in this
///              order y[m] = A(y[m] + A(w[n,m] * x[n]))
/// Constraints  C1  three operands: x of rank 1, w of rank 2, b of rank 1
///              C2  w's first extent is N, b's extent is w's second
///              C3  where all operands are fixed, every sum fits 64 bits
///              C4  with `accumulate` instead: every product of two types fits MaxAccumulatedWidth
///                  bits
/// Result type  exact, as for conv2d; the accumulator's type where there is one and all operands
///              are fixed
struct Dense {
  static constexpr std::string_view Mnemonic = "dense";
  std::optional<Quantizer> accumulate = std::nullopt;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("accumulate", self.accumulate);
  }
  friend bool operator==(const Dense&, const Dense&) = default;
};

}  // namespace millrace::graph
