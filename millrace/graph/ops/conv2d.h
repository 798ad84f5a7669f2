// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"
#include "millrace/graph/window.h"

namespace millrace::graph {

/// Two-dimensional convolution (cross-correlation) with bias.
///
///     %y = conv2d %x, %w, %b {kernel = [3, 3], stride = [1, 1], padding = [0, 0, 0, 0]}
///        : tensor<26x26x4 x fixed<17,5>>
///
/// `dilation = [DH, DW]` spreads the kernel's taps, `groups = G` cuts channels and filters into G
/// groups of their own: C groups are a depthwise convolution. Both are 1 where they are left out.
/// `accumulate = fixed<16,6>, rounding = TRN, overflow = WRAP` is an accumulator as dense may have.
///
/// Shapes       x: H x W x C; w: KH x KW x C/G x F; b: F; y: OH x OW x F. padding is
///              [top, left, bottom, right] and pads with zeros.
/// Semantics    y[r,c,f] = b[f] + sum over i,j,k of
///              w[i,j,k,f] * x[r*SH+i*DH-top, c*SW+j*DW-left, g*C/G+k], g = f / (F/G) rounded down
///              with `accumulate` as for dense: the bias first, then i, j and k counting up, the
///              last fastest
/// Constraints  C1  three operands: x of rank 3, w of rank 4, b of rank 1
///              C2  w's third extent is C/G, b's extent is F, w's first two are the kernel's
///              C3  strides and dilations are at least 1, paddings at least 0 and less than the
///                  extent of the dilated kernel
///              C4  the dilated kernel fits the padded map at least once
///              C5  where all operands are fixed, every sum fits 64 bits
///              C6  groups is at least 1 and divides C and F
///              C7  with `accumulate` instead of C5: every product of two types fits
///                  MaxAccumulatedWidth bits
/// Result type  exact: frac(y) = max(frac(x) + frac(w), frac(b)), and the narrowest width that
///              holds every sum for the weights given (their type's range where not constant);
///              real as soon as one operand is real; else the accumulator's type where there is
///              one
struct Conv2D {
  static constexpr std::string_view Mnemonic = "conv2d";
  Window window;  ///< the kernel's extents repeat those of w
  int64_t groups = 1;
  std::optional<Quantizer> accumulate = std::nullopt;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("kernel", self.window.kernel_h, self.window.kernel_w);
    visitor("stride", self.window.stride_h, self.window.stride_w);
    visitor("padding", self.window.pad_top, self.window.pad_left, self.window.pad_bottom,
            self.window.pad_right);
    visitor.optional("dilation", 1, self.window.dilation_h, self.window.dilation_w);
    visitor.optional("groups", 1, self.groups);
    visitor("accumulate", self.accumulate);
  }
  friend bool operator==(const Conv2D&, const Conv2D&) = default;
};

}  // namespace millrace::graph
