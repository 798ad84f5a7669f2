// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/constant_value.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

/// Walks over the elements of a tensor with the given strides, in row-major order.
template <class Visit>
void for_each_offset(const Shape& shape, const std::vector<int64_t>& strides, Visit visit) {
  const int64_t count = num_elements(shape);
  std::vector<int64_t> index(shape.size(), 0);
  int64_t offset = 0;
  for (int64_t n = 0; n < count; ++n) {
    visit(static_cast<size_t>(offset));
    for (size_t i = shape.size(); i-- > 0;) {
      offset += strides[i];
      if (++index[i] < shape[i])
        break;
      offset -= strides[i] * shape[i];
      index[i] = 0;
    }
  }
}

std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

}  // namespace

std::optional<double> ConstantValue::uniform() const {
  const auto& data = value->data;
  if (data.empty() || !is_plain() ||
      !std::ranges::all_of(data, [&](double x) { return x == data.front(); }))
    return std::nullopt;
  return data.front();
}

ConstantValue arranged(const ConstantValue& constant, const std::string& tensor,
                       const Arrangement& arrange) {
  ConstantValue result = constant;
  result.tensor = tensor;
  result.value = std::make_shared<const FloatTensor>(arrange(*constant.value));
  if (constant.scale)
    result.scale = std::make_shared<const FloatTensor>(arrange(*constant.scale));
  for (QuantStep& step : result.quantizers) {
    if (step.types.empty())
      continue;
    FloatTensor places{constant.shape(), std::vector<double>(step.types.size())};
    std::iota(places.data.begin(), places.data.end(), 0.0);
    std::vector<FixedType> types;
    for (double place : arrange(places).data)
      types.push_back(step.types[static_cast<size_t>(place)]);
    step.types = std::move(types);
  }
  return result;
}

FloatTensor settled(const ConstantValue& constant) {
  FloatTensor result = *constant.value;
  for (const QuantStep& step : constant.quantizers)
    for (size_t i = 0; i < result.data.size(); ++i) {
      const Quantizer to{step.type(i), step.to.rounding, step.to.overflow};
      result.data[i] = to.type.to_double(requantize(result.data[i], to));
    }
  if (constant.scale)
    for (size_t i = 0; i < result.data.size(); ++i)
      result.data[i] = static_cast<float>(result.data[i] * constant.scale->data[i]);
  return result;
}

FloatTensor transpose(const FloatTensor& in, std::span<const int64_t> order) {
  const size_t rank = in.shape.size();
  check(order.size() == rank, "a transposition of another rank");
  const std::vector<int64_t> in_strides = strides_of(in.shape);
  FloatTensor out;
  std::vector<int64_t> strides;
  for (int64_t axis : order) {
    out.shape.push_back(in.shape[static_cast<size_t>(axis)]);
    strides.push_back(in_strides[static_cast<size_t>(axis)]);
  }
  out.data.reserve(in.data.size());
  for_each_offset(out.shape, strides, [&](size_t offset) { out.data.push_back(in.data[offset]); });
  return out;
}

std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      return std::nullopt;
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

FloatTensor expand(const FloatTensor& in, const Shape& shape) {
  check(broadcast_shape(in.shape, shape) == shape, "a tensor of another shape");
  std::vector<int64_t> strides(shape.size(), 0);
  const std::vector<int64_t> in_strides = strides_of(in.shape);
  const size_t missing = shape.size() - in.shape.size();
  for (size_t i = 0; i < in.shape.size(); ++i)
    strides[missing + i] = in.shape[i] == 1 ? 0 : in_strides[i];
  FloatTensor out{shape, {}};
  for_each_offset(shape, strides, [&](size_t offset) { out.data.push_back(in.data[offset]); });
  return out;
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
