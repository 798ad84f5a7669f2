// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace millrace::graph {

/// A sliding window over the height and width of a feature map, padding included.
struct Window {
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;

  static constexpr int64_t Limit = int64_t{1} << 28;  ///< no number of a window exceeds it

  /// True when kernel and strides are at least 1, and paddings at least 0 and less than the kernel.
  bool is_valid() const {
    return in_range(kernel_h, stride_h, pad_top, pad_bottom) &&
           in_range(kernel_w, stride_w, pad_left, pad_right);
  }
  bool is_padded() const { return pad_top || pad_left || pad_bottom || pad_right; }
  /// Window positions over a map of that height or width; 0 or less when the kernel does not fit.
  int64_t out_height(int64_t height) const {
    return positions(height + pad_top + pad_bottom, kernel_h, stride_h);
  }
  int64_t out_width(int64_t width) const {
    return positions(width + pad_left + pad_right, kernel_w, stride_w);
  }

  friend bool operator==(const Window&, const Window&) = default;

private:
  static bool in_range(int64_t kernel, int64_t stride, int64_t before, int64_t behind) {
    return kernel >= 1 && kernel <= Limit && stride >= 1 && stride <= Limit && before >= 0 &&
           before < kernel && behind >= 0 && behind < kernel;
  }
  static int64_t positions(int64_t padded, int64_t kernel, int64_t stride) {
    return padded < kernel ? 0 : (padded - kernel) / stride + 1;
  }
};

}  // namespace millrace::graph
