// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/moves.h"

namespace millrace::emulator {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

/// Calls source(row, column, channel) for each element of the result.
template <class Source>
std::vector<size_t> for_each_element(const Shape& y, Source source) {
  std::vector<size_t> elements;
  elements.reserve(static_cast<size_t>(num_elements(y)));
  for (int64_t row = 0; row < y[0]; ++row)
    for (int64_t column = 0; column < y[1]; ++column)
      for (int64_t channel = 0; channel < y[2]; ++channel)
        elements.push_back(source(row, column, channel));
  return elements;
}

/// The number of an element, Nowhere outside of the map.
size_t element_of(const Shape& x, int64_t row, int64_t column, int64_t channel) {
  const bool is_inside = 0 <= row && row < x[0] && 0 <= column && column < x[1];
  return is_inside ? static_cast<size_t>((row * x[1] + column) * x[2] + channel) : Nowhere;
}

/// How many taps of the window's position lie on an axis of that size.
int64_t count_inside(int64_t position, int64_t kernel, int64_t dilation, int64_t size) {
  int64_t count = 0;
  for (int64_t tap = 0; tap < kernel; ++tap) {
    const int64_t place = position + tap * dilation;
    count += 0 <= place && place < size ? 1 : 0;
  }
  return count;
}

}  // namespace

std::vector<size_t> sources(const Pad& pad, const Shape& x, const Shape& y) {
  return for_each_element(y, [&](int64_t row, int64_t column, int64_t channel) {
    return element_of(x, row - pad.top, column - pad.left, channel);
  });
}

std::vector<size_t> sources(const Slice& slice, const Shape& x, const Shape& y) {
  if (y.size() == 1)
    return for_each_element({1, 1, y[0]}, [&](int64_t, int64_t, int64_t element) {
      return static_cast<size_t>(slice.begin[0] + element);
    });
  return for_each_element(y, [&](int64_t row, int64_t column, int64_t channel) {
    return element_of(x, slice.begin[0] + row, slice.begin[1] + column, slice.begin[2] + channel);
  });
}

std::vector<size_t> sources(const Transpose& transpose, const Shape& x, const Shape& y) {
  // Elements of x from one index to the next, along the axes in the result's order.
  const int64_t steps[] = {x[1] * x[2], x[2], 1};
  const int64_t row_step = steps[transpose.permutation[0]];
  const int64_t column_step = steps[transpose.permutation[1]];
  const int64_t channel_step = steps[transpose.permutation[2]];
  return for_each_element(y, [&](int64_t row, int64_t column, int64_t channel) {
    return static_cast<size_t>(row * row_step + column * column_step + channel * channel_step);
  });
}

std::vector<size_t> sources(const Upsample& upsample, const Shape& x, const Shape& y) {
  return for_each_element(y, [&](int64_t row, int64_t column, int64_t channel) {
    return element_of(x, row / upsample.factor_h, column / upsample.factor_w, channel);
  });
}

Shape stretched_shape(const ConvTranspose2D& conv, const Shape& x, const Shape& y) {
  return {y[0] + conv.kernel_h - 1, y[1] + conv.kernel_w - 1, x[2]};
}

std::vector<size_t> sources(const ConvTranspose2D& conv, const Shape& x, const Shape& stretched) {
  // Row 0 lies under the last row of the kernel at the result's row 0.
  const int64_t first_row = conv.pad_top - (conv.kernel_h - 1);
  const int64_t first_column = conv.pad_left - (conv.kernel_w - 1);
  return for_each_element(stretched, [&](int64_t row, int64_t column, int64_t channel) {
    row += first_row;
    column += first_column;
    if (row % conv.stride_h != 0 || column % conv.stride_w != 0)
      return Nowhere;
    return element_of(x, row / conv.stride_h, column / conv.stride_w, channel);
  });
}

std::vector<int64_t> tap_counts(const AvgPool& pool, const Shape& x, const Shape& y) {
  const Window& window = pool.window;
  std::vector<int64_t> counts;
  for (int64_t row = 0; row < y[0]; ++row)
    for (int64_t column = 0; column < y[1]; ++column) {
      const int64_t rows = count_inside(row * window.stride_h - window.pad_top, window.kernel_h,
                                        window.dilation_h, x[0]);
      const int64_t columns = count_inside(column * window.stride_w - window.pad_left,
                                           window.kernel_w, window.dilation_w, x[1]);
      counts.push_back(pool.include_padding ? window.kernel_h * window.kernel_w : rows * columns);
    }
  return counts;
}

}  // namespace millrace::emulator
