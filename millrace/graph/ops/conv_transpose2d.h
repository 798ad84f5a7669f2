// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Two-dimensional transposed convolution with bias: every pixel of x puts the kernel, times its
/// value, into a map whose pixels lie a stride apart.
///
///     %y = conv_transpose2d %x, %w, %b {kernel = [3, 3], stride = [2, 2], padding = [1, 1, 0, 0]}
///        : tensor<26x26x4 x fixed<17,5>>
///
/// Shapes       x: H x W x C; w: KH x KW x C x F; b: F; y: OH x OW x F with
///              OH = (H-1)*SH + KH - top - bottom, OW = (W-1)*SW + KW - left - right. padding is
///              [top, left, bottom, right] and is cut off; below 0, at the bottom and on the right,
///              it adds pixels that hold the bias only ("output padding").
/// Semantics    y[r,c,f] = b[f] + sum of w[u,v,k,f] * x[i,j,k] over all u,v,i,j,k with
///              i*SH + u - top = r and j*SW + v - left = c
/// Constraints  C1  three operands: x of rank 3, w of rank 4, b of rank 1
///              C2  w's third extent is C, b's extent is F, w's first two are the kernel's
///              C3  kernel and strides are from 1 to Window::Limit; top and left from 0, bottom and
///                  right from 1 - stride, all less than the kernel
///              C4  something is left of the map
///              C5  where all operands are fixed, every sum fits 64 bits
/// Result type  exact, as for conv2d; the taps that meet in one pixel are those a stride apart
struct ConvTranspose2D {
  static constexpr std::string_view Mnemonic = "conv_transpose2d";
  int64_t kernel_h = 1, kernel_w = 1;  ///< repeat the extents of w
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("kernel", self.kernel_h, self.kernel_w);
    visitor("stride", self.stride_h, self.stride_w);
    visitor("padding", self.pad_top, self.pad_left, self.pad_bottom, self.pad_right);
  }
  friend bool operator==(const ConvTranspose2D&, const ConvTranspose2D&) = default;
};

}  // namespace millrace::graph
