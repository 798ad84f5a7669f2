// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "millrace/fixed/fixed_type.h"
#include "millrace/support/shape.h"

namespace millrace::dataflow {

/// How a feature map travels: in row-major order as beats of `lanes` horizontally adjacent pixels
/// with all their channels, of one row or of `rows` whole ones. Vectors are maps of one pixel.
/// Every row, or group of rows, starts a new beat; lanes behind the row's end and rows behind the
/// map's end carry anything.
///
/// Layout   channel c of row r and lane l stands in bits
///          [((r * lanes + l) * channels + c) * width, + width) of the beat.
struct StreamType {
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 1;
  FixedType element;
  int64_t lanes = 1;  ///< 1..width
  int64_t rows = 1;   ///< of the map in one beat, 1..height; more than 1 only with lanes == width

  int64_t beats_per_row() const { return (width + lanes - 1) / lanes; }
  int64_t beats_per_frame() const { return (height + rows - 1) / rows * beats_per_row(); }
  int64_t beat_bits() const { return rows * lanes * channels * element.width; }
  int64_t num_elements() const { return height * width * channels; }

  friend bool operator==(const StreamType&, const StreamType&) = default;
};

}  // namespace millrace::dataflow
