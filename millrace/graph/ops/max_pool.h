// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "millrace/graph/ops/operands.h"
#include "millrace/graph/window.h"

namespace millrace::graph {

/// The largest value of each window and channel; padding never wins.
///
///     %y = max_pool %x {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]}
///        : tensor<13x13x4 x ufixed<9,4>>
///
/// `dilation = [DH, DW]` spreads the kernel's taps; it is [1, 1] where it is left out.
///
/// Shapes       x: H x W x C; y: OH x OW x C. padding is [top, left, bottom, right].
/// Constraints  C1  one operand of rank 3
///              C2  kernel, strides and dilations are at least 1, paddings at least 0 and less than
///                  the extent of the dilated kernel
///              C3  the dilated kernel fits the padded map at least once
///              C4  every window has a tap inside the map
/// Result type  x's element type
struct MaxPool {
  static constexpr std::string_view Mnemonic = "max_pool";
  Window window;

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("kernel", self.window.kernel_h, self.window.kernel_w);
    visitor("stride", self.window.stride_h, self.window.stride_w);
    visitor("padding", self.window.pad_top, self.window.pad_left, self.window.pad_bottom,
            self.window.pad_right);
    visitor.optional("dilation", 1, self.window.dilation_h, self.window.dilation_w);
  }
  friend bool operator==(const MaxPool&, const MaxPool&) = default;
};

}  // namespace millrace::graph
