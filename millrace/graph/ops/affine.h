// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A scale and an offset for each channel: batch normalisation at inference.
///
///     %y = affine %x, %scale, %offset : tensor<26x26x4 x fixed<40,12>>
///
/// Shapes       x, y: any with last extent C; scale, offset: C
/// Semantics    y[..,c] = scale[c] * x[..,c] + offset[c]
/// Constraints  C1  three operands; scale and offset of rank 1 and x's last extent
///              C2  where all operands are fixed, every result fits 64 bits
/// Result type  exact, as for conv2d
struct Affine {
  static constexpr std::string_view Mnemonic = "affine";

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self&, Visitor&) {}
  friend bool operator==(const Affine&, const Affine&) = default;
};

}  // namespace millrace::graph
