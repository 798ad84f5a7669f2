// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"
#include "millrace/graph/window.h"

namespace millrace::graph {

/// The mean of each window and channel.
///
///     %y = avg_pool %x {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0],
///        include_padding = 0, rounding = RND_CONV, overflow = SAT} : tensor<13x13x4 x ufixed<9,4>>
///     %y = avg_pool %x {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0],
///        include_padding = 0} : tensor<13x13x4 x real>
///
/// A mean is a quotient, which no fixed-point type holds exactly. It is a real number, or has its
/// own quantiser: a `requantize` behind the former makes it the latter. A global mean has a window
/// as large as the map. `dilation = [DH, DW]` spreads the kernel's taps; [1, 1] where left out.
/// `accumulate = 1` keeps the sum in the quantiser's type, as hls4ml's circuits do; lowering makes
/// it exact where nothing is lost (passes/relax_accumulators.cpp), others are not compiled.
///
/// Shapes       x: H x W x C; y: OH x OW x C. padding is [top, left, bottom, right].
/// Semantics    y[r,c,k] = overflow(round(sum / count)), millrace::requantize_quotient(), with the
///              sum of the window's taps inside the map; count is their number, or with
///              include_padding = 1 that of all taps
///              with accumulate = 1, A the quantiser: s = 0, then s = A(s + x) for the taps row by
///              row; y[r,c,k] = s / count rounded towards zero to a raw integer
/// Constraints  C1  one operand of rank 3
///              C2  kernel, strides and dilations are at least 1, paddings at least 0 and less than
///                  the extent of the dilated kernel; the kernel has at most MaxTaps taps
///              C3  the dilated kernel fits the padded map at least once
///              C4  every window has a tap inside the map
///              C5  only a fixed operand's mean has a quantiser
///              C6  what accumulates has a quantiser, at most 32 fraction bits off those of x
/// Result type  the quantiser's, or real
struct AvgPool {
  static constexpr std::string_view Mnemonic = "avg_pool";
  static constexpr int64_t MaxTaps = int64_t{1} << 28;
  Window window;
  bool include_padding = false;
  /// The type is printed behind the colon, the modes as attributes.
  std::optional<Quantizer> to = std::nullopt;
  bool accumulate = false;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("kernel", self.window.kernel_h, self.window.kernel_w);
    visitor("stride", self.window.stride_h, self.window.stride_w);
    visitor("padding", self.window.pad_top, self.window.pad_left, self.window.pad_bottom,
            self.window.pad_right);
    visitor.optional("dilation", 1, self.window.dilation_h, self.window.dilation_w);
    visitor("include_padding", self.include_padding);
    visitor.optional("accumulate", self.accumulate);
    if (self.to) {
      visitor("rounding", self.to->rounding);
      visitor("overflow", self.to->overflow);
    }
  }
  friend bool operator==(const AvgPool&, const AvgPool&) = default;
};

}  // namespace millrace::graph
