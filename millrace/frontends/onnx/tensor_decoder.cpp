// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/tensor_decoder.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {
namespace {

using ::onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw_data is little endian");

/// The tensor's numbers of type T, from raw_data or from the list that holds that type.
template <class T, class List>
Result<std::vector<double>> decode(const TensorProto& tensor, const List& list, const Shape& shape,
                                   int64_t count, const std::string& where) {
  const bool is_raw = tensor.has_raw_data();
  const std::string& raw = tensor.raw_data();
  const size_t held = is_raw ? raw.size() / sizeof(T) : static_cast<size_t>(list.size());
  if (held != static_cast<size_t>(count) || (is_raw && raw.size() % sizeof(T) != 0))
    return error(messages::TensorSize, where, to_string(shape), count, held);

  std::vector<double> numbers(held);
  for (size_t i = 0; i < held; ++i) {
    T number;
    if (is_raw)
      std::memcpy(&number, raw.data() + i * sizeof(T), sizeof(T));
    else
      number = static_cast<T>(list.Get(static_cast<int>(i)));
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(number))
        return error(messages::NotFinite, where, std::isnan(number) ? "NaN" : "infinite");
    } else {
      constexpr int DoubleBits = 53;
      if (std::cmp_greater(number, int64_t{1} << DoubleBits) ||
          std::cmp_less(number, -(int64_t{1} << DoubleBits)))
        return error(messages::LargeInteger, where, number);
    }
    numbers[i] = static_cast<double>(number);
  }
  return numbers;
}

std::string type_name(int type) {
  return TensorProto::DataType_IsValid(type)
             ? TensorProto::DataType_Name(static_cast<TensorProto::DataType>(type))
             : std::to_string(type);
}

Result<std::vector<double>> decode_any(const TensorProto& tensor, const Shape& shape, int64_t count,
                                       const std::string& where) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return decode<float>(tensor, tensor.float_data(), shape, count, where);
    case TensorProto::DOUBLE:
      return decode<double>(tensor, tensor.double_data(), shape, count, where);
    case TensorProto::INT8:
      return decode<int8_t>(tensor, tensor.int32_data(), shape, count, where);
    case TensorProto::UINT8:
      return decode<uint8_t>(tensor, tensor.int32_data(), shape, count, where);
    case TensorProto::INT16:
      return decode<int16_t>(tensor, tensor.int32_data(), shape, count, where);
    case TensorProto::UINT16:
      return decode<uint16_t>(tensor, tensor.int32_data(), shape, count, where);
    case TensorProto::INT32:
      return decode<int32_t>(tensor, tensor.int32_data(), shape, count, where);
    case TensorProto::INT64:
      return decode<int64_t>(tensor, tensor.int64_data(), shape, count, where);
    case TensorProto::UINT32:
      return decode<uint32_t>(tensor, tensor.uint64_data(), shape, count, where);
    case TensorProto::UINT64:
      return decode<uint64_t>(tensor, tensor.uint64_data(), shape, count, where);
    default:
      return error(messages::TensorKind, where, type_name(tensor.data_type()));
  }
}

}  // namespace

Result<FloatTensor> decode_tensor(const TensorProto& tensor, const std::string& where) {
  if (tensor.data_location() == TensorProto::EXTERNAL || tensor.external_data_size() > 0)
    return error(messages::ExternalData, where);
  FloatTensor result;
  result.shape.assign(tensor.dims().begin(), tensor.dims().end());
  const auto count = bounded_elements(result.shape);
  if (!count)
    return error(messages::TooLarge, where, "the tensor", fmt::format("{} elements", MaxElements));
  MR_TRY(result.data, decode_any(tensor, result.shape, *count, where));
  return result;
}

}  // namespace millrace::frontends::onnx
