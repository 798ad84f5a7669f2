// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/tensor_decoder.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/external_data.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

using ::onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw_data is little endian");

/// IEEE 754 binary16.
struct Half {
  uint16_t bits = 0;
  explicit operator double() const {
    constexpr int MantissaBits = 10, Bias = 15, MaxExponent = 31;
    const int exponent = bits >> MantissaBits & MaxExponent;
    const int mantissa = bits & ((1 << MantissaBits) - 1);
    double number = 0;
    if (exponent == MaxExponent)
      number = mantissa ? std::numeric_limits<double>::quiet_NaN()
                        : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
      number = std::ldexp(mantissa, 1 - Bias - MantissaBits);
    else
      number = std::ldexp(mantissa + (1 << MantissaBits), exponent - Bias - MantissaBits);
    return bits >> 15 ? -number : number;
  }
};

/// The upper half of a float32.
struct BrainFloat {
  uint16_t bits = 0;
  explicit operator double() const {
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
  }
};

template <class T>
constexpr bool is_half = std::is_same_v<T, Half> || std::is_same_v<T, BrainFloat>;

/// A tensor with the bytes of another file, if that is where its numbers are.
struct Source {
  const TensorProto& tensor;
  const std::optional<std::filesystem::path>& folder;
  const std::string& where;
  int64_t count;
};

/// The tensor's numbers of type T: from another file, from raw_data, or from the list that holds
/// that type.
template <class T, class List>
Result<std::vector<double>> decode(const Source& source, const List& list) {
  const TensorProto& tensor = source.tensor;
  const auto count = static_cast<size_t>(source.count);
  const bool is_external =
      tensor.data_location() == TensorProto::EXTERNAL || tensor.external_data_size() > 0;
  std::string external;
  if (is_external) {
    MR_TRY(external, read_external_data(tensor, count * sizeof(T), source.folder, source.where));
  }
  const bool is_raw = is_external || tensor.has_raw_data();
  const std::string& raw = is_external ? external : tensor.raw_data();
  const size_t held = is_raw ? raw.size() / sizeof(T) : static_cast<size_t>(list.size());
  if (held != count || (is_raw && raw.size() % sizeof(T) != 0))
    return error(messages::TensorSize, source.where,
                 to_string(Shape(tensor.dims().begin(), tensor.dims().end())), count, held);

  std::vector<double> numbers(held);
  for (size_t i = 0; i < held; ++i) {
    T number;
    if (is_raw)
      std::memcpy(&number, raw.data() + i * sizeof(T), sizeof(T));
    else if constexpr (is_half<T>)
      number.bits = static_cast<uint16_t>(list.Get(static_cast<int>(i)));
    else
      number = static_cast<T>(list.Get(static_cast<int>(i)));
    if constexpr (std::is_floating_point_v<T> || is_half<T>) {
      const auto real = static_cast<double>(number);
      if (!std::isfinite(real))
        return error(messages::NotFinite, source.where, std::isnan(real) ? "NaN" : "infinite");
    } else {
      constexpr int DoubleBits = 53;
      if (std::cmp_greater(number, int64_t{1} << DoubleBits) ||
          std::cmp_less(number, -(int64_t{1} << DoubleBits)))
        return error(messages::LargeInteger, source.where, number);
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

Result<std::vector<double>> decode_any(const Source& source) {
  const TensorProto& tensor = source.tensor;
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return decode<float>(source, tensor.float_data());
    case TensorProto::DOUBLE:
      return decode<double>(source, tensor.double_data());
    case TensorProto::FLOAT16:
      return decode<Half>(source, tensor.int32_data());
    case TensorProto::BFLOAT16:
      return decode<BrainFloat>(source, tensor.int32_data());
    case TensorProto::INT8:
      return decode<int8_t>(source, tensor.int32_data());
    case TensorProto::UINT8:
    case TensorProto::BOOL:
      return decode<uint8_t>(source, tensor.int32_data());
    case TensorProto::INT16:
      return decode<int16_t>(source, tensor.int32_data());
    case TensorProto::UINT16:
      return decode<uint16_t>(source, tensor.int32_data());
    case TensorProto::INT32:
      return decode<int32_t>(source, tensor.int32_data());
    case TensorProto::INT64:
      return decode<int64_t>(source, tensor.int64_data());
    case TensorProto::UINT32:
      return decode<uint32_t>(source, tensor.uint64_data());
    case TensorProto::UINT64:
      return decode<uint64_t>(source, tensor.uint64_data());
    default:
      return error(messages::TensorKind, source.where, type_name(tensor.data_type()));
  }
}

}  // namespace

std::optional<FixedType> integer_type(int data_type) {
  switch (data_type) {
    case TensorProto::BOOL:
      return FixedType{false, 1, 0};
    case TensorProto::INT8:
      return FixedType{true, 8, 0};
    case TensorProto::UINT8:
      return FixedType{false, 8, 0};
    case TensorProto::INT16:
      return FixedType{true, 16, 0};
    case TensorProto::UINT16:
      return FixedType{false, 16, 0};
    case TensorProto::INT32:
      return FixedType{true, 32, 0};
    case TensorProto::UINT32:
      return FixedType{false, 32, 0};
    case TensorProto::INT64:
      return FixedType{true, 64, 0};
    case TensorProto::UINT64:
      return FixedType{false, 64, 0};
    default:
      return std::nullopt;
  }
}

Result<ModelTensor> decode_tensor(const TensorProto& tensor, const std::string& where,
                                  const std::optional<std::filesystem::path>& folder) {
  ModelTensor result;
  result.numbers.shape.assign(tensor.dims().begin(), tensor.dims().end());
  const auto count = bounded_elements(result.numbers.shape);
  if (!count)
    return error(messages::TooLarge, where, "the tensor", fmt::format("{} elements", MaxElements));
  MR_TRY(result.numbers.data, decode_any({tensor, folder, where, *count}));
  result.integer = integer_type(tensor.data_type());
  return result;
}

}  // namespace millrace::frontends::onnx
