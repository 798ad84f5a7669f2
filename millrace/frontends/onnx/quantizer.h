// SPDX-License-Identifier: Apache-2.0
// QONNX's Quant operator: its parameters and what it does to constants.
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {

/// The domain of QONNX's operators on tensors with the channels last.
inline constexpr std::string_view ChannelsLastDomain = "qonnx.custom_op.channels_last";

/// True for the domains that Quant goes by: QONNX's own, FINN's and Brevitas's older ones.
bool is_quant_domain(std::string_view domain);

/// QONNX's name of a rounding mode; none where QONNX has no such mode.
///
/// Its HALF_UP rounds the magnitude, so ties go away from zero: not ap_fixed's RND.
/// Source   QONNX, IntQuant version 1, "Rounding modes".
std::optional<std::string_view> rounding_name(Rounding rounding);
/// The attribute rounding_mode, or `fallback`. Errors   onnx.quant_rounding
Result<Rounding> read_rounding(const Node& node, std::string_view fallback);
/// An attribute that is 0 or 1.
Result<bool> read_flag(const Node& node, std::string_view name, bool fallback);

/// The fraction bits of a type with this step; none where it is no power of two in range.
std::optional<int> frac_bits_of(double scale);

/// A constant that a node implies, named after it.
ConstantValue named(const Node& node, std::string_view suffix, FloatTensor numbers);

/// A Quant node's parameters, each with the shape in which it broadcasts to the quantised tensor.
struct QuantParameters {
  FloatTensor scale, zero_point, bit_width;
  bool is_signed = true;
  bool is_narrow = false;
  Rounding rounding = Rounding::HalfEven;

  bool has_zero_point() const;
  bool is_per_tensor() const;  ///< one scale, zero point and width for all elements
  bool is_power_of_two() const;
  bool is_bipolar() const { return is_signed && bit_width.data.front() == 1; }
  /// The shape that scale, zero point and width have together.
  Shape shape() const;
  /// The types of the elements of a tensor of that shape: width and scale of each; integers where
  /// the scales are no powers of two.
  std::vector<FixedType> types(const Shape& shape) const;
  Overflow overflow() const {
    return is_narrow && is_signed ? Overflow::SaturateSymmetric : Overflow::Saturate;
  }
  /// The quantiser, where one fixed-point type with its overflow mode is all there is to it.
  std::optional<Quantizer> plain() const;
};

/// A quantiser for each element of a tensor.
struct ElementQuantizers {
  Shape shape;                   ///< in which types and steps broadcast to the quantised tensor
  std::vector<FixedType> types;  ///< of each element of that shape
  std::vector<double> steps;     ///< likewise, as graph::Requantize has them; empty: 1
  Rounding rounding = Rounding::HalfEven;
  Overflow overflow = Overflow::Saturate;
};

/// Checks the parameters of a node that quantises a tensor of this shape.
///
/// Semantics    (round(clamp(x / scale + zero, min, max)) - zero) * scale. The bounds are integers
///              and rounding is monotonic, so rounding first and clamping then gives the same. With
///              one bit, signed: x / scale + zero >= 0 ? 1 : -1 in place of rounding and clamping.
/// Source       QONNX, IntQuant.
/// Errors       shapes that do not broadcast, scales that are not positive, zero points that are
///              not whole, widths outside 1..64, one bit for some elements only, other roundings.
Status verify(const Node& node, const QuantParameters& parameters, const Shape& shape);

/// A constant behind such a node: with a quantiser where the scales are powers of two, else whole
/// numbers with a factor for each element.
ConstantValue quantised(const Node& node, const ConstantValue& x,
                        const QuantParameters& parameters);

}  // namespace millrace::frontends::onnx
