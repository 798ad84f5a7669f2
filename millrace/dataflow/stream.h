// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "millrace/fixed/fixed_type.h"
#include "millrace/support/ceil_divide.h"
#include "millrace/support/shape.h"

namespace millrace::dataflow {

/// The raw integers that an element takes; 0 always counts among them.
struct ElementRange {
  Int128 lo = 0, hi = 0;

  /// The narrowest integer type that holds the range; one of width 0 where it holds only 0.
  FixedType type() const {
    if (lo == 0 && hi == 0)
      return {.is_signed = false, .width = 0, .frac_bits = 0};
    return narrowest_type(lo, hi, 0).value();
  }
  int width() const { return type().width; }
  void include(Int128 other_lo, Int128 other_hi) {
    lo = std::min(lo, other_lo);
    hi = std::max(hi, other_hi);
  }

  friend bool operator==(const ElementRange&, const ElementRange&) = default;
};

/// How a feature map travels: in row-major order as beats of `rows` x `lanes` adjacent pixels with
/// all their channels. Vectors are maps of one pixel. Every row starts a new beat, and beats of
/// several rows are as wide as the map; pixels behind the map's edges carry anything.
///
/// Layout   pixel r * lanes + l of the beat is that of row r, lane l; the channels of a pixel
///          follow one another, each as wide as its range needs, the first one lowest.
struct StreamType {
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  FixedType element;
  int64_t lanes = 1;                      ///< 1..width
  int64_t rows = 1;                       ///< 1..height; above 1 only where lanes == width
  std::vector<ElementRange> ranges = {};  ///< of each channel; empty: all values of `element`

  int64_t beats_per_row() const { return ceil_divide(width, lanes); }
  int64_t beats_per_frame() const { return ceil_divide(height, rows) * beats_per_row(); }
  int64_t num_elements() const { return height * width * channels; }

  ElementRange range(int64_t channel) const {
    return ranges.empty() ? ElementRange{element.min_raw(), element.max_raw()}
                          : ranges[static_cast<size_t>(channel)];
  }
  int64_t pixel_bits() const {
    if (ranges.empty())
      return channels * element.width;
    int64_t bits = 0;
    for (const ElementRange& range : ranges)
      bits += range.width();
    return bits;
  }
  int64_t pixels_per_beat() const { return rows * lanes; }
  int64_t beat_bits() const { return pixels_per_beat() * pixel_bits(); }

  friend bool operator==(const StreamType&, const StreamType&) = default;
};

}  // namespace millrace::dataflow
