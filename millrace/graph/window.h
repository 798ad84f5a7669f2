// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "millrace/support/ceil_divide.h"

namespace millrace::graph {

/// A sliding window over the height and width of a feature map, padding included. Neighbouring taps
/// of the kernel lie `dilation` pixels apart.
struct Window {
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int64_t dilation_h = 1, dilation_w = 1;

  static constexpr int64_t Limit = int64_t{1} << 28;  ///< no number of a window exceeds it

  /// Pixels from the first tap to the last one, both included.
  int64_t extent_h() const { return (kernel_h - 1) * dilation_h + 1; }
  int64_t extent_w() const { return (kernel_w - 1) * dilation_w + 1; }
  /// True when kernel, strides and dilations are at least 1, and paddings at least 0 and less than
  /// the extent.
  bool is_valid() const {
    return in_range(kernel_h, stride_h, dilation_h, pad_top, pad_bottom) &&
           in_range(kernel_w, stride_w, dilation_w, pad_left, pad_right);
  }
  bool is_padded() const { return pad_top || pad_left || pad_bottom || pad_right; }
  bool is_dilated() const { return dilation_h > 1 || dilation_w > 1; }
  /// Pads a map of that height and width so that there is a position for each stride begun: half
  /// before and half behind, and the odd pixel behind or before ("same", SAME_UPPER, SAME_LOWER).
  void pad_same(int64_t height, int64_t width, bool odd_before = false) {
    const auto split = [&](int64_t size, int64_t extent, int64_t stride, int64_t& before,
                           int64_t& behind) {
      const int64_t all =
          std::max<int64_t>((ceil_divide(size, stride) - 1) * stride + extent - size, 0);
      before = (all + (odd_before ? 1 : 0)) / 2;
      behind = all - before;
    };
    split(height, extent_h(), stride_h, pad_top, pad_bottom);
    split(width, extent_w(), stride_w, pad_left, pad_right);
  }
  /// Window positions over a map of that height or width; 0 or less when the kernel does not fit.
  int64_t out_height(int64_t height) const {
    return positions(height + pad_top + pad_bottom, extent_h(), stride_h);
  }
  int64_t out_width(int64_t width) const {
    return positions(width + pad_left + pad_right, extent_w(), stride_w);
  }
  /// True when every position of a valid window has a tap inside the map: without dilation always,
  /// with dilation only where the taps do not step over the map from padding to padding.
  bool reaches_map(int64_t height, int64_t width) const {
    return reaches(height, out_height(height), pad_top, stride_h, dilation_h) &&
           reaches(width, out_width(width), pad_left, stride_w, dilation_w);
  }

  friend bool operator==(const Window&, const Window&) = default;

private:
  static bool in_range(int64_t kernel, int64_t stride, int64_t dilation, int64_t before,
                       int64_t behind) {
    if (kernel < 1 || kernel > Limit || stride < 1 || stride > Limit || dilation < 1 ||
        dilation > Limit)
      return false;
    const int64_t extent = (kernel - 1) * dilation + 1;
    return extent <= Limit && before >= 0 && before < extent && behind >= 0 && behind < extent;
  }
  static int64_t positions(int64_t padded, int64_t extent, int64_t stride) {
    return padded < extent ? 0 : (padded - extent) / stride + 1;
  }
  static bool reaches(int64_t size, int64_t positions, int64_t before, int64_t stride,
                      int64_t dilation) {
    if (size >= dilation)
      return true;
    // Only positions that start in front of the map can step over it.
    for (int64_t i = 0; i < positions && i * stride < before; ++i)
      if (const int64_t gap = before - i * stride; (dilation - gap % dilation) % dilation >= size)
        return false;
    return true;
  }
};

}  // namespace millrace::graph
