// SPDX-License-Identifier: Apache-2.0
// What the operators that change shapes say, for constants and computed values alike.
#pragma once

#include <optional>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// The extents that a Reshape gives: 0 copies an extent, -1 takes what is left. None where the
/// number of elements would change.
std::optional<Shape> reshaped_extents(const Shape& from, const std::vector<int64_t>& target,
                                      bool zero_is_zero);

/// [product before `axis`, product from there].
Shape flattened_extents(const Shape& from, int64_t axis);

/// Without the given axes, all of extent 1; without all extents of 1 where none are given. None
/// where an axis has another extent.
std::optional<Shape> squeezed_extents(const Shape& from,
                                      const std::optional<std::vector<size_t>>& axes);

/// With extents of 1 so that they are the result's axes given, which are sorted and in range.
Shape unsqueezed_extents(const Shape& from, const std::vector<size_t>& axes);

/// The part [begin, begin + count * step) of an axis of this extent.
struct Range {
  int64_t begin = 0, count = 0, step = 1;
};

/// The part that ONNX's Slice takes with these numbers, which may be negative (from the end) or
/// beyond the axis. `step` is not 0.
Range slice_range(int64_t extent, int64_t start, int64_t end, int64_t step);

}  // namespace millrace::frontends::onnx
