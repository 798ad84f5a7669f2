// SPDX-License-Identifier: Apache-2.0
// QONNX's Quant operator, in both directions.
#pragma once

#include <optional>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {

/// True for the domains that Quant goes by: QONNX's own, FINN's and Brevitas's older ones.
bool is_quant_domain(std::string_view domain);

/// QONNX's name of a rounding mode; none where QONNX has no such mode.
///
/// Its HALF_UP rounds the magnitude, so ties go away from zero: not ap_fixed's RND.
/// Source   QONNX, IntQuant version 1, "Rounding modes".
std::optional<std::string_view> rounding_name(Rounding rounding);

/// The constant operands of a Quant node.
struct QuantOperands {
  const ConstantValue& scale;
  const ConstantValue& zero_point;
  const ConstantValue& bit_width;
};

/// Reads a Quant node. `shape` is that of the quantised tensor, the batch included.
///
/// Semantics    round(clamp(x / scale, min, max)) * scale. The bounds are integers and rounding is
///              monotonic, so rounding first and clamping then gives the same.
/// Errors       scales other than one power of two, zero points, widths outside 1..64, 1-bit signed
///              and narrow unsigned types, roundings that ap_fixed does not have.
Result<Quantizer> read_quantizer(const Node& node, const QuantOperands& operands,
                                 const Shape& shape);

}  // namespace millrace::frontends::onnx
