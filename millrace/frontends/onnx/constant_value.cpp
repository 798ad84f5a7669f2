// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/constant_value.h"

#include <algorithm>
#include <array>

#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
std::optional<double> ConstantValue::uniform() const {
  const auto& data = value->data;
  if (data.empty() || !std::ranges::all_of(data, [&](double x) { return x == data.front(); }))
    return std::nullopt;
  return data.front();
}

FloatTensor transpose(const FloatTensor& in, std::span<const int64_t> order) {
  const size_t rank = in.shape.size();
  check(order.size() == rank, "a transposition of another rank");
  std::vector<int64_t> in_strides(rank, 1);
  for (size_t i = rank; i-- > 1;)
    in_strides[i - 1] = in_strides[i] * in.shape[i];

  FloatTensor out;
  std::vector<int64_t> strides(rank);
  for (size_t i = 0; i < rank; ++i) {
    out.shape.push_back(in.shape[static_cast<size_t>(order[i])]);
    strides[i] = in_strides[static_cast<size_t>(order[i])];
  }
  out.data.reserve(in.data.size());
  std::vector<int64_t> index(rank, 0);
  int64_t offset = 0;
  while (out.data.size() < in.data.size()) {
    out.data.push_back(in.data[static_cast<size_t>(offset)]);
    for (size_t i = rank; i-- > 0;) {
      offset += strides[i];
      if (++index[i] < out.shape[i])
        break;
      offset -= strides[i] * out.shape[i];
      index[i] = 0;
    }
  }
  return out;
}

FloatTensor rows_to_hwc(const FloatTensor& in, const Shape& chw) {
  if (chw.empty())
    return in;
  check(in.shape.front() == num_elements(chw), "rows of another map");
  FloatTensor rows = in;
  const int64_t row_length = in.shape.size() == 1 ? 1 : in.shape[1];
  rows.shape = {chw[0], chw[1], chw[2], row_length};
  rows = transpose(rows, std::array<int64_t, 4>{1, 2, 0, 3});
  rows.shape = in.shape;
  return rows;
}

std::optional<FloatTensor> broadcast_channels(const FloatTensor& in, int64_t channels, int inner) {
  const int rank = static_cast<int>(in.shape.size());
  if (rank > inner + 2)
    return std::nullopt;
  bool has_channels = false;
  for (int i = 0; i < rank; ++i) {
    const int64_t extent = in.shape[static_cast<size_t>(i)];
    const bool is_channels = i == rank - 1 - inner && extent == channels;
    if (extent != 1 && !is_channels)
      return std::nullopt;
    has_channels = has_channels || is_channels;
  }
  FloatTensor out{{channels}, in.data};
  if (!has_channels)
    out.data.assign(static_cast<size_t>(channels), in.data.front());
  return out;
}

}  // namespace millrace::frontends::onnx
