// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/shape_arguments.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {

std::optional<Shape> reshaped_extents(const Shape& from, const std::vector<int64_t>& target,
                                      bool zero_is_zero) {
  Shape shape;
  std::optional<size_t> free;
  for (size_t i = 0; i < target.size(); ++i) {
    int64_t extent = target[i];
    if (extent == 0 && !zero_is_zero) {
      if (i >= from.size())
        return std::nullopt;
      extent = from[i];
    }
    if (extent == -1) {
      if (free)
        return std::nullopt;
      free = i;
      extent = 1;
    }
    shape.push_back(extent);
  }
  const auto wanted = bounded_elements(from);
  const auto given = bounded_elements(shape);
  if (!wanted || !given || (free && (*given == 0 || *wanted % *given != 0)))
    return std::nullopt;
  if (free)
    shape[*free] = *wanted / *given;
  return bounded_elements(shape) == wanted ? std::optional(shape) : std::nullopt;
}

Shape flattened_extents(const Shape& from, int64_t axis) {
  const auto middle = from.begin() + axis;
  return {std::accumulate(from.begin(), middle, int64_t{1}, std::multiplies{}),
          std::accumulate(middle, from.end(), int64_t{1}, std::multiplies{})};
}

std::optional<Shape> squeezed_extents(const Shape& from,
                                      const std::optional<std::vector<size_t>>& axes) {
  Shape shape;
  for (size_t i = 0; i < from.size(); ++i) {
    const bool is_listed = axes && std::ranges::find(*axes, i) != axes->end();
    if (is_listed && from[i] != 1)
      return std::nullopt;
    if (axes ? !is_listed : from[i] != 1)
      shape.push_back(from[i]);
  }
  return shape;
}

Shape unsqueezed_extents(const Shape& from, const std::vector<size_t>& axes) {
  Shape shape = from;
  for (size_t axis : axes)
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  return shape;
}

Range slice_range(int64_t extent, int64_t start, int64_t end, int64_t step) {
  const auto place = [&](int64_t index, int64_t low, int64_t high) {
    if (index < 0)
      index = index < -extent ? low : index + extent;
    return std::clamp(index, low, high);
  };
  if (step > 0) {
    const int64_t first = place(start, 0, extent);
    const int64_t behind = place(end, 0, extent);
    const int64_t span = std::max<int64_t>(behind - first, 0);
    return {first, span / step + (span % step != 0 ? 1 : 0), step};
  }
  const int64_t first = place(start, -1, extent - 1);
  const int64_t behind = end < -extent ? -1 : place(end, -1, extent - 1);
  const int64_t span = std::max<int64_t>(first - behind, 0);
  // A step below -extent takes one element at most.
  const int64_t length = step < -extent ? std::max<int64_t>(extent, 1) : -step;
  return {first, (span + length - 1) / length, -length};
}

}  // namespace millrace::frontends::onnx
