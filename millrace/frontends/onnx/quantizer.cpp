// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/quantizer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

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

Result<Rounding> read_rounding(const Node& node) {
  MR_TRY(std::string name, string_attribute(node, "rounding_mode", "ROUND"));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto found = std::ranges::find(RoundingNames, name, &RoundingName::name);
  if (found == RoundingNames.end())
    return error(messages::QuantRounding, node.where, printable(name));
  return found->rounding;
}

/// True when `in` broadcasts to `shape` without changing it.
bool broadcasts_to(const Shape& in, const Shape& shape) {
  if (in.size() > shape.size())
    return false;
  return std::ranges::equal(in, std::span(shape).last(in.size()),
                            [](int64_t a, int64_t b) { return a == 1 || a == b; });
}

/// The number that all elements of an operand share.
Result<double> read_uniform(const Node& node, const ConstantValue& operand, std::string_view role,
                            const Shape& shape) {
  if (!broadcasts_to(operand.shape(), shape))
    return error(messages::LayerShapes, node.where, role, to_string(operand.shape()), "input",
                 to_string(shape));
  const auto number = operand.uniform();
  if (!number)
    return error(messages::QuantPerChannel, node.where, role);
  return *number;
}

Result<int> read_frac_bits(const Node& node, double scale) {
  int exponent = 0;
  const bool is_power = scale > 0 && std::frexp(scale, &exponent) == 0.5;
  const int frac_bits = 1 - exponent;
  if (!is_power || std::abs(frac_bits) > FixedType::MaxFracBits)
    return error(messages::QuantScale, node.where, scale, -FixedType::MaxFracBits,
                 FixedType::MaxFracBits);
  return frac_bits;
}

Result<bool> read_flag(const Node& node, std::string_view name, bool fallback) {
  MR_TRY(const int64_t value, int_attribute(node, name, fallback ? 1 : 0));
  if (value != 0 && value != 1)
    return bad_attribute(node, name, value, "0 or 1");
  return value == 1;
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

Result<Quantizer> read_quantizer(const Node& node, const QuantOperands& operands,
                                 const Shape& shape) {
  MR_TRY(const double scale, read_uniform(node, operands.scale, "scale", shape));
  MR_TRY(const double zero, read_uniform(node, operands.zero_point, "zero point", shape));
  MR_TRY(const double width, read_uniform(node, operands.bit_width, "bit width", shape));
  MR_TRY(const bool is_signed, read_flag(node, "signed", true));
  MR_TRY(const bool is_narrow, read_flag(node, "narrow", false));

  Quantizer to;
  MR_TRY(to.rounding, read_rounding(node));
  MR_TRY(to.type.frac_bits, read_frac_bits(node, scale));
  if (zero != 0)
    return error(messages::QuantZeroPoint, node.where, zero);
  if (!(width >= 1 && width <= FixedType::MaxWidth) || width != std::floor(width))
    return error(messages::QuantWidth, node.where, width, FixedType::MaxWidth);
  to.type.width = static_cast<int>(width);
  to.type.is_signed = is_signed;
  if (is_signed && to.type.width == 1)
    return error(messages::QuantBipolar, node.where);
  if (is_narrow && !is_signed)
    return error(messages::QuantNarrow, node.where);
  to.overflow = is_narrow ? Overflow::SaturateSymmetric : Overflow::Saturate;
  return to;
}

}  // namespace millrace::frontends::onnx
