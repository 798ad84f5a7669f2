// SPDX-License-Identifier: Apache-2.0
#include "millrace/reference/moves.h"

namespace millrace::reference {
namespace {

int64_t at(const IntTensor& map, int64_t row, int64_t column, int64_t channel) {
  return map.data[static_cast<size_t>((row * map.shape[1] + column) * map.shape[2] + channel)];
}

/// A map whose elements are element(row, column, channel).
template <class Element>
IntTensor make_map(const Shape& shape, Element element) {
  IntTensor map{shape, {}};
  for (int64_t row = 0; row < shape[0]; ++row)
    for (int64_t column = 0; column < shape[1]; ++column)
      for (int64_t channel = 0; channel < shape[2]; ++channel)
        map.data.push_back(element(row, column, channel));
  return map;
}

}  // namespace

IntTensor pad(const graph::Pad& pad, const IntTensor& x, const Shape& shape) {
  return make_map(shape, [&](int64_t row, int64_t column, int64_t channel) -> int64_t {
    const int64_t x_row = row - pad.top;
    const int64_t x_column = column - pad.left;
    const bool is_inside =
        0 <= x_row && x_row < x.shape[0] && 0 <= x_column && x_column < x.shape[1];
    return is_inside ? at(x, x_row, x_column, channel) : 0;
  });
}

IntTensor slice(const graph::Slice& slice, const IntTensor& x) {
  if (slice.size.size() == 1) {
    const auto first = x.data.begin() + slice.begin[0];
    return {slice.size, {first, first + slice.size[0]}};
  }
  return make_map(slice.size, [&](int64_t row, int64_t column, int64_t channel) {
    return at(x, slice.begin[0] + row, slice.begin[1] + column, slice.begin[2] + channel);
  });
}

IntTensor transpose(const graph::Transpose& transpose, const IntTensor& x, const Shape& shape) {
  return make_map(shape, [&](int64_t row, int64_t column, int64_t channel) {
    const int64_t index[] = {row, column, channel};
    int64_t x_index[3] = {};
    for (size_t axis = 0; axis < 3; ++axis)
      x_index[transpose.permutation[axis]] = index[axis];
    return at(x, x_index[0], x_index[1], x_index[2]);
  });
}

IntTensor upsample(const graph::Upsample& upsample, const IntTensor& x, const Shape& shape) {
  return make_map(shape, [&](int64_t row, int64_t column, int64_t channel) {
    return at(x, row / upsample.factor_h, column / upsample.factor_w, channel);
  });
}

}  // namespace millrace::reference
