// SPDX-License-Identifier: Apache-2.0
// QKeras' quantisers as they stand in a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "millrace/fixed/requantize.h"
#include "millrace/frontends/keras/config.h"

namespace millrace::frontends::keras {

/// A quantiser with all of its arguments by name, those that the file leaves out by default.
struct QuantizerSpec {
  std::string name;   ///< "quantized_bits"
  std::string role;   ///< of which option of the layer it is the value: "kernel_quantizer"
  std::string where;  ///< of the layer
  Json arguments;
  /// Written by a QKeras that has post_training_scale, which rounds once more behind auto_po2.
  bool is_recent = false;

  /// Its arguments as options. Errors name the layer and the quantiser.
  Config config() const { return {arguments, where + ": " + role + " " + name}; }
};

/// Reads "quantized_bits(6,0,alpha=1)" or {"class_name": "quantized_bits", "config": {...}}.
/// None for null, and for a name that is none of QKeras' quantisers where it may be a function.
///
/// Errors   another form; unknown quantisers and arguments; scales over parts of a tensor; a
///          qnoise_factor other than 1.
Result<std::optional<QuantizerSpec>> read_quantizer(const Json* json, std::string_view role,
                                                    const std::string& where,
                                                    bool may_be_function = false);

/// The scale behind a quantiser: the argument alpha.
struct Alpha {
  enum class Kind { Number, Auto, AutoPo2 };
  Kind kind = Kind::Number;
  FloatTensor numbers{{}, {1}};  ///< of Number: one, or an array

  bool is_auto() const { return kind != Kind::Number; }
  bool is_one() const { return !is_auto() && numbers.data.size() == 1 && numbers.data[0] == 1; }
};

/// Reads alpha; absent, it is 1, and of a kernel ("trainable") auto_po2, as QKeras' layers set it.
Result<Alpha> read_alpha(Config& config, bool is_trainable);

/// The type of `bits` bits, of which `integer` (and a sign) stand left of the point.
/// Errors   not a number format.
Result<FixedType> fixed_type(const Config& config, bool is_signed, int64_t bits, int64_t integer);

/// The type and modes of quantized_bits and quantized_linear, without their scale: rounds half to
/// even.
struct LinearQuantizer {
  int64_t bits = 8, integer = 0;
  bool keep_negative = true, is_symmetric = false;

  /// One bit with a sign: -1 and 1.
  bool is_sign() const { return bits == 1 && keep_negative; }
  Result<Quantizer> quantizer(const Config& config) const;
};
Result<LinearQuantizer> read_linear(Config& config);

}  // namespace millrace::frontends::keras
