// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/quantizer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

struct RoundingName {
  std::string_view name;
  Rounding rounding;
};
/// The first name of a mode is the one that is written.
constexpr std::array RoundingNames = {
    RoundingName{"ROUND", Rounding::HalfEven},
    RoundingName{"HALF_EVEN", Rounding::HalfEven},
    RoundingName{"FLOOR", Rounding::Floor},
    RoundingName{"ROUND_TO_ZERO", Rounding::TowardsZero},
    RoundingName{"DOWN", Rounding::TowardsZero},
    RoundingName{"HALF_UP", Rounding::HalfAwayFromZero},
    RoundingName{"HALF_DOWN", Rounding::HalfTowardsZero},
};

bool is_uniform(const FloatTensor& tensor) {
  return std::ranges::all_of(tensor.data, [&](double x) { return x == tensor.data.front(); });
}

FixedType integer_type(double width, bool is_signed) {
  return {is_signed, static_cast<int>(width), 0};
}

}  // namespace

bool is_quant_domain(std::string_view domain) {
  constexpr std::array<std::string_view, 6> Domains = {"qonnx.custom_op.general",
                                                       "finn.custom_op.general",
                                                       "onnx.brevitas",
                                                       "qonnx",
                                                       "finn",
                                                       "brevitas"};
  return std::ranges::find(Domains, domain) != Domains.end();
}

std::optional<std::string_view> rounding_name(Rounding rounding) {
  const auto found = std::ranges::find(RoundingNames, rounding, &RoundingName::rounding);
  return found == RoundingNames.end() ? std::nullopt : std::optional(found->name);
}

Result<Rounding> read_rounding(const Node& node, std::string_view fallback) {
  MR_TRY(std::string name, string_attribute(node, "rounding_mode", std::string(fallback)));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto found = std::ranges::find(RoundingNames, name, &RoundingName::name);
  if (found == RoundingNames.end())
    return error(messages::QuantRounding, node.where, printable(name));
  return found->rounding;
}

Result<bool> read_flag(const Node& node, std::string_view name, bool fallback) {
  MR_TRY(const int64_t value, int_attribute(node, name, fallback ? 1 : 0));
  if (value != 0 && value != 1)
    return bad_attribute(node, name, value, "0 or 1");
  return value == 1;
}

ConstantValue named(const Node& node, std::string_view suffix, FloatTensor numbers) {
  const std::string name = node.name + std::string(suffix);
  return {name, node.outputs.front() + " " + name, node.where,
          std::make_shared<const FloatTensor>(std::move(numbers))};
}

std::optional<int> frac_bits_of(double scale) {
  int exponent = 0;
  const bool is_power = scale > 0 && std::frexp(scale, &exponent) == 0.5;
  const int frac_bits = 1 - exponent;
  if (!is_power || std::abs(frac_bits) > FixedType::MaxFracBits)
    return std::nullopt;
  return frac_bits;
}

bool QuantParameters::has_zero_point() const {
  return std::ranges::any_of(zero_point.data, [](double zero) { return zero != 0; });
}

bool QuantParameters::is_per_tensor() const {
  return is_uniform(scale) && is_uniform(zero_point) && is_uniform(bit_width);
}

bool QuantParameters::is_power_of_two() const {
  return std::ranges::all_of(scale.data, [](double s) { return frac_bits_of(s).has_value(); });
}

Shape QuantParameters::shape() const {
  const auto both = broadcast_shape(scale.shape, zero_point.shape);
  return broadcast_shape(both.value(), bit_width.shape).value();
}

std::vector<FixedType> QuantParameters::types(const Shape& shape) const {
  const FloatTensor scales = expand(scale, shape), widths = expand(bit_width, shape);
  std::vector<FixedType> result;
  const bool has_frac_bits = is_power_of_two();
  for (size_t i = 0; i < scales.data.size(); ++i)
    result.push_back({is_signed, static_cast<int>(widths.data[i]),
                      has_frac_bits ? *frac_bits_of(scales.data[i]) : 0});
  return result;
}

std::optional<Quantizer> QuantParameters::plain() const {
  if (!is_per_tensor() || has_zero_point() || is_bipolar() || (is_narrow && !is_signed) ||
      !is_power_of_two())
    return std::nullopt;
  const FixedType type{is_signed, static_cast<int>(bit_width.data.front()),
                       frac_bits_of(scale.data.front()).value()};
  return Quantizer{type, rounding, overflow()};
}

Status verify(const Node& node, const QuantParameters& parameters, const Shape& shape) {
  const auto broadcasts = [&](const FloatTensor& operand, std::string_view role) -> Status {
    if (broadcast_shape(operand.shape, shape) != shape || operand.shape.size() > shape.size())
      return error(messages::LayerShapes, node.where, role, to_string(operand.shape), "input",
                   to_string(shape));
    if (operand.data.empty())
      return error(messages::QuantEmpty, node.where, role);
    return {};
  };
  MR_TRY_STATUS(broadcasts(parameters.scale, "scale"));
  MR_TRY_STATUS(broadcasts(parameters.zero_point, "zero point"));
  MR_TRY_STATUS(broadcasts(parameters.bit_width, "bit width"));
  if (bounded_elements(parameters.shape()).value_or(MaxElements) > MaxFolded)
    return error(messages::TooLarge, node.where, "the set of its types",
                 fmt::format("{} elements", MaxFolded));
  for (double scale : parameters.scale.data)
    if (!(scale > 0) || !std::isnormal(scale))
      return error(messages::QuantScale, node.where, scale);
  constexpr double MaxZeroPoint = 2147483648.0;  // of ONNX's widest zero points, int32
  for (double zero : parameters.zero_point.data)
    if (zero != std::floor(zero) || std::abs(zero) > MaxZeroPoint)
      return error(messages::QuantZeroPoint, node.where, zero);
  for (double width : parameters.bit_width.data)
    if (!(width >= 1 && width <= FixedType::MaxWidth) || width != std::floor(width))
      return error(messages::QuantWidth, node.where, width, FixedType::MaxWidth);
  const auto is_one = [](double width) { return width == 1; };
  if (parameters.is_signed && std::ranges::any_of(parameters.bit_width.data, is_one) &&
      !std::ranges::all_of(parameters.bit_width.data, is_one))
    return error(messages::QuantBipolar, node.where);
  return {};
}

ConstantValue quantised(const Node& node, const ConstantValue& x,
                        const QuantParameters& parameters) {
  ConstantValue result = x;
  if (x.value->data.empty())
    return result;
  if (const auto to = parameters.plain()) {
    result.quantizers.push_back({node.name, node.where, *to});
    return result;
  }
  const bool is_typed = !parameters.has_zero_point() && !parameters.is_bipolar() &&
                        !(parameters.is_narrow && !parameters.is_signed);
  if (is_typed && parameters.is_power_of_two()) {
    std::vector<FixedType> types = parameters.types(x.shape());
    const Quantizer to{types.front(), parameters.rounding, parameters.overflow()};
    result.quantizers.push_back({node.name, node.where, to, std::move(types)});
    return result;
  }
  // Whole numbers, and a factor. The quotient is float32's, as frameworks divide.
  const FloatTensor scale = expand(parameters.scale, x.shape());
  const FloatTensor zero = expand(parameters.zero_point, x.shape());
  const FloatTensor width = expand(parameters.bit_width, x.shape());
  FloatTensor numbers = settled(x);
  for (size_t i = 0; i < numbers.data.size(); ++i) {
    double& number = numbers.data[i];
    // A quotient beyond float32 saturates as the largest number does.
    constexpr double Largest = std::numeric_limits<float>::max();
    number =
        static_cast<float>(std::clamp(number / scale.data[i], -Largest, Largest)) + zero.data[i];
    if (parameters.is_bipolar()) {
      number = number >= 0 ? 1 : -1;
    } else {
      const FixedType type = integer_type(width.data[i], parameters.is_signed);
      const Quantizer to{type, parameters.rounding, parameters.overflow()};
      number = static_cast<double>(requantize(number, to));
      if (parameters.is_narrow && !parameters.is_signed)
        number = std::min(number, static_cast<double>(type.max_raw() - 1));
    }
    number -= zero.data[i];
  }
  result.quantizers.clear();
  result.value = std::make_shared<const FloatTensor>(std::move(numbers));
  result.scale = std::make_shared<const FloatTensor>(scale);
  return result;
}

}  // namespace millrace::frontends::onnx
