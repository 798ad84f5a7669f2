// SPDX-License-Identifier: Apache-2.0
// What neither ONNX nor QONNX has an operator for: functions of the domain `millrace`, whose bodies
// of ONNX's operators are written into the model, so that whoever reads ONNX can execute it.
#pragma once

#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/support/diagnostics.h"

namespace millrace::frontends::onnx {

/// The domain of Millrace's own functions.
inline constexpr std::string_view OwnDomain = "millrace";

/// How a function Requantize_ROUNDING_OVERFLOW rounds and what it does with numbers out of range.
struct RequantizeModes {
  Rounding rounding;
  Overflow overflow;

  /// "Requantize_RND_WRAP"
  std::string name() const;
  /// The modes of a function of this name; none where it is another one.
  static std::optional<RequantizeModes> of(std::string_view name);
};

/// The definition of one of Millrace's functions with the operators of this set:
///
/// Requantize_R_O(x, step, unit, bit_width, is_signed)
///                unit * overflow(round(x / step)) into the integers of that width and sign, in
///                float64; the operands behind x broadcast to it
/// Table(x, unit, first, values)   values[x / unit - first]
/// Silu(x), Rsqrt(x)               x / (1 + exp(-x)), 1 / sqrt(x)
///
/// None for other names, and for overflow by WRAP_SM.
std::optional<::onnx::FunctionProto> own_function(std::string_view name, int opset);

/// Checks the functions that a model defines.
/// Errors   one of Millrace's with another body, one in place of an operator of ONNX.
Status verify_functions(const ::onnx::ModelProto& model, const std::string& file);

}  // namespace millrace::frontends::onnx
