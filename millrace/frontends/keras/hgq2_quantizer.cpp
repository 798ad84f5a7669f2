// SPDX-License-Identifier: Apache-2.0
// Source   hgq2 0.2.0, quantizer/config.py, quantizer/quantizer.py,
//          quantizer/internal/fixed_point_quantizer.py; quantizers 1.2.2,
//          fixed_point/_fixed_point_ops.py
#include "millrace/frontends/keras/hgq2_quantizer.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

constexpr int MaxWidth = 62, MaxIntegers = FixedType::MaxFracBits / 2;

/// The names of its arrays, in the order in which they are stored.
std::vector<std::string> parameter_names(const TrainedQuantizer& quantizer) {
  if (quantizer.is_identity)
    return {};
  if (quantizer.has_bits)
    return quantizer.wraps ? std::vector<std::string>{"b", "k", "i", "speed"}
                           : std::vector<std::string>{"b", "i", "k"};
  return quantizer.wraps ? std::vector<std::string>{"f", "k", "i", "speed"}
                         : std::vector<std::string>{"i", "f", "k"};
}

/// A mode's name as ap_fixed has it: capitals, without the mark of training's noise.
Json plain_mode(const Json& json) {
  if (!json.is_string())
    return json;
  auto name = json.get<std::string>();
  for (char& c : name)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name.starts_with("S_") ? name.substr(2) : name;
}

/// log2 of a scaler that is a power of two.
Result<int> scale_exponent(Config& config) {
  MR_TRY(const double scaler, config.number("scaler", 1));
  int exponent = 0;
  constexpr int MaxExponent = 100;
  if (std::frexp(scaler, &exponent) != 0.5 || std::abs(exponent) > MaxExponent)
    return config.bad("scaler", "a power of two");
  return exponent - 1;
}

Result<std::optional<std::pair<float, float>>> read_affine(Config& config) {
  const Json* json = config.get("affine");
  if (!json)
    return std::nullopt;
  const auto numbers = array_in(*json);
  if (!numbers || numbers->shape != Shape{2})
    return config.bad("affine", "a factor and an offset");
  return std::pair{static_cast<float>(numbers->data[0]), static_cast<float>(numbers->data[1])};
}

Result<TrainedQuantizer> read_trained(LayerCall& call, std::string_view role, const Json& json) {
  const std::string where = call.where() + ": " + std::string(role);
  const auto class_name = json.is_object() ? json.find("class_name") : json.end();
  if (!json.is_object() || !json.contains("config") || class_name == json.end() ||
      !class_name->is_string())
    return call.config.bad(role, "a QuantizerConfig");
  const auto name = class_name->get<std::string>();
  const bool is_hard_sigmoid = name == "HardSigmoidConfig";
  const bool is_hard = is_hard_sigmoid || name == "HardTanhConfig";
  if (name != "QuantizerConfig" && !is_hard)
    return error(messages::UnknownQuantizer, call.where(), printable(name), role);
  // The short forms do not store their modes.
  Json options = json["config"];
  if (options.is_object()) {
    for (const char* const key : {"round_mode", "overflow_mode"})
      if (options.contains(key))
        options[key] = plain_mode(options[key]);
    if (is_hard)
      options["overflow_mode"] = "SAT";
    if (is_hard_sigmoid)
      options["affine"] = {0.25, 0.5};
  }
  Config config(options, where);
  TrainedQuantizer quantizer;
  MR_TRY(const std::string kind, config.text("q_type"));
  MR_TRY(quantizer.affine, read_affine(config));
  MR_TRY(quantizer.scale_exponent, scale_exponent(config));
  config.ignore({"place", "qnoise_factor"});
  quantizer.is_identity = kind == "dummy";
  if (quantizer.is_identity) {
    MR_TRY_STATUS(config.check_all_read());
    return quantizer;
  }
  if (kind != "kbi" && kind != "kif")
    return error(messages::UnknownQuantizer, call.where(), printable(kind), role);
  quantizer.has_bits = kind == "kbi";
  for (const std::string_view key : {"round_mode", "overflow_mode"})
    if (!config.has(key))
      return error(messages::MissingOption, where, key);
  MR_TRY(quantizer.rounding, read_rounding(config, "round_mode"));
  MR_TRY(quantizer.overflow, read_overflow(config, "overflow_mode"));
  // HGQ2 reflects numbers by where they are before they are rounded, ap_fixed does not.
  if (quantizer.overflow == Overflow::WrapSignMagnitude)
    return config.bad("overflow_mode", "WRAP, SAT or SAT_SYM");
  quantizer.wraps = quantizer.overflow == Overflow::Wrap;
  MR_TRY(const bool is_weight, config.boolean("is_weight", false));
  MR_TRY(const bool is_trainable, config.boolean("trainable", true));
  quantizer.only_rounds = is_weight && is_trainable && quantizer.wraps &&
                          (!quantizer.has_bits || quantizer.rounding == Rounding::HalfUp);
  MR_TRY_STATUS(config.refuse("bw_mapper"));
  // Where training starts, what keeps it in bounds, and which axes share a type, which the arrays'
  // shapes say as well.
  config.ignore({"k0", "b0", "i0", "f0", "bc", "ic", "fc", "br", "ir", "fr", "i_decay_speed",
                 "homogeneous_axis", "heterogeneous_axis", "seed"});
  MR_TRY_STATUS(config.check_all_read());
  return quantizer;
}

/// Rounds to a whole number in float32, as the quantisers do it.
float round_number(float x, Rounding rounding) {
  constexpr float Half = 0.5F;
  switch (rounding) {
    case Rounding::Floor:
      return std::floor(x);
    case Rounding::TowardsZero:
      return std::trunc(x);
    case Rounding::HalfUp:
      return std::floor(x + Half);
    case Rounding::HalfTowardsZero:
      return std::copysign(std::ceil(std::abs(x) - Half), x);
    case Rounding::HalfDown:
      return std::ceil(x - Half);
    case Rounding::HalfAwayFromZero:
      return std::copysign(std::floor(std::abs(x) + Half), x);
    case Rounding::HalfEven:
      break;
  }
  return std::nearbyint(x);
}

}  // namespace

double TrainedParameters::apply(float number, size_t index) const {
  if (!quantizer || quantizer->is_identity)
    return number;
  const auto bits = static_cast<int>(fixed.bits[index]);
  const int frac_bits = bits - static_cast<int>(fixed.integers[index]);
  if (bits <= 0 && !quantizer->only_rounds)
    return 0;
  const float scaled = std::ldexp(number, frac_bits);
  if (!std::isfinite(scaled))
    return number;
  const double rounded =
      std::ldexp(static_cast<double>(round_number(scaled, fixed.rounding)), -frac_bits);
  if (quantizer->only_rounds)
    return rounded;
  const Quantizer to{
      {fixed.keep_negative[index] == 1, bits, frac_bits}, fixed.rounding, fixed.overflow};
  return to.type.to_double(requantize(rounded, to));
}

Status TrainedLayer::add(const std::string& owner, std::string_view role) {
  return add(owner, role, call_.config.get(role));
}

Status TrainedLayer::add(const std::string& owner, std::string_view role, const Json* json) {
  auto& parameters = parameters_[owner];
  if (json) {
    MR_TRY(parameters.quantizer, read_trained(call_, role, *json));
  }
  return {};
}

Status TrainedLayer::add_output() {
  Config& config = call_.config;
  MR_TRY(has_ebops_, config.boolean("enable_ebops", false));
  MR_TRY(has_iq_, config.boolean("enable_iq", true));
  MR_TRY(const bool has_oq, config.boolean("enable_oq", false));
  config.ignore({"ebops_factor", "beta0", "parallelization_factor"});
  MR_TRY_STATUS(add("oq", "oq_conf"));
  if (has_oq != has("oq"))
    return config.bad("enable_oq", "whether oq_conf is there");
  return {};
}

Status TrainedLayer::add_input_and_output() {
  MR_TRY_STATUS(add_output());
  MR_TRY_STATUS(add("iq", "iq_conf"));
  if (has_iq_ != has("iq"))
    return call_.config.bad("enable_iq", "whether iq_conf is there");
  return {};
}

void TrainedLayer::add_weight(const std::string& owner, std::string_view name, Shape shape) {
  texts_.emplace_back(name);
  const std::string_view stored = texts_.back();
  texts_.push_back(owner);
  specs_.push_back(
      {.name = stored, .shape = std::move(shape), .owner = texts_.back(), .other_name = {}});
}

void TrainedLayer::add_training_weights(const std::string& owner) {
  for (const char* const name : {"beta", "ebops"}) {
    add_weight(owner, owner + "." + name, {});
    specs_.back().is_unused = true;
  }
}

Status TrainedLayer::read() {
  for (const auto& [owner, parameters] : parameters_) {
    if (!parameters.quantizer)
      continue;
    const std::string inner = owner.empty() ? "quantizer" : owner + "/quantizer";
    for (const std::string& name : parameter_names(*parameters.quantizer)) {
      add_weight(inner, fmt::format("{}.{}", owner, name), {});
      specs_.back().has_any_shape = true;
      specs_.back().is_unused = name == "speed";
    }
  }
  if (specs_.empty())
    return {};
  MR_TRY(weights_, call_.read_weights(specs_));
  for (auto& [owner, parameters] : parameters_)
    if (parameters.quantizer && !parameters.quantizer->is_identity)
      MR_TRY_STATUS(convert(owner, parameters));
  return {};
}

/// Trained numbers are rounded to whole ones, half to even.
Status TrainedLayer::convert(const std::string& owner, TrainedParameters& parameters) {
  const auto array = [&](const char* name) -> const FloatTensor& {
    return weights_.find(fmt::format("{}.{}", owner, name))->second;
  };
  const TrainedQuantizer& quantizer = *parameters.quantizer;
  const FloatTensor &keep = array("k"), &integers = array("i");
  const FloatTensor& third = array(quantizer.has_bits ? "b" : "f");
  if (keep.shape != integers.shape || third.shape != integers.shape)
    return error(messages::Shapes, call_.where(), to_string(keep.shape), to_string(third.shape));
  FixedParameters& fixed = parameters.fixed;
  fixed.shape = keep.shape.empty() ? Shape{1} : keep.shape;
  fixed.rounding = quantizer.rounding;
  fixed.overflow = quantizer.overflow;
  for (size_t i = 0; i < keep.data.size(); ++i) {
    const double sign = keep.data[i], left = std::nearbyint(integers.data[i]);
    const double stored = std::nearbyint(third.data[i]);
    const double bits = sign + stored + (quantizer.has_bits ? 0 : left);
    if ((sign != 0 && sign != 1) || bits > MaxWidth || std::abs(left) > MaxIntegers ||
        std::abs(stored) > MaxIntegers)
      return error(messages::QuantizerType, call_.where(), bits, sign + left);
    // What only rounds needs its fraction bits even where it has no others.
    fixed.keep_negative.push_back(sign);
    fixed.bits.push_back(quantizer.only_rounds ? bits : std::max(bits, 0.0));
    fixed.integers.push_back(sign + left + quantizer.scale_exponent);
  }
  return {};
}

Result<FloatTensor> TrainedLayer::quantized(const std::string& owner, FloatTensor weights) {
  const TrainedParameters& parameters = parameters_[owner];
  if (!parameters.quantizer)
    return call_.config.bad(owner + "_conf", "a QuantizerConfig");
  const TrainedQuantizer& quantizer = *parameters.quantizer;
  if (!quantizer.is_identity) {
    const Shape& shape = parameters.fixed.shape;
    const bool has_rank = shape.size() <= weights.shape.size();
    for (size_t i = 0; has_rank && i < shape.size(); ++i) {
      const int64_t extent = weights.shape[weights.shape.size() - shape.size() + i];
      if (shape[i] != 1 && shape[i] != extent)
        return error(messages::Shapes, call_.where(), to_string(shape), to_string(weights.shape));
    }
    if (!has_rank && num_elements(shape) != 1)
      return error(messages::Shapes, call_.where(), to_string(shape), to_string(weights.shape));
    const Repetition repetition(has_rank ? shape : Shape{1}, weights.shape);
    for (size_t i = 0; i < weights.data.size(); ++i)
      weights.data[i] = parameters.apply(static_cast<float>(weights.data[i]),
                                         repetition(static_cast<int64_t>(i)));
  }
  if (const auto& affine = quantizer.affine)
    for (double& number : weights.data)
      number = static_cast<float>(number) * affine->first + affine->second;
  return weights;
}

Result<Value> TrainedLayer::quantized(const std::string& owner, const std::string& suffix,
                                      const Value& x) {
  const TrainedParameters& parameters = parameters_[owner];
  if (!parameters.quantizer)
    return x;
  const TrainedQuantizer& quantizer = *parameters.quantizer;
  if (quantizer.only_rounds)
    return call_.config.bad(owner + "_conf",
                            "a quantiser with is_weight = false, or that "
                            "saturates: one of weights that wraps has no range");
  Value y = x;
  if (!quantizer.is_identity) {
    MR_TRY(y, quantize_fixed(call_, suffix, x, parameters.fixed));
  }
  if (quantizer.affine) {
    const std::string prefix = suffix.empty() ? "" : suffix + ".";
    MR_TRY(y, call_.with_number<graph::Mul>(prefix + "scaled", y, quantizer.affine->first));
    MR_TRY(y, call_.with_number<graph::Add>(prefix + "shifted", y, quantizer.affine->second));
  }
  return y;
}

namespace {

/// The results for all codes of `from`.
std::vector<float> results(const FixedType& from, const std::function<float(float)>& function) {
  std::vector<float> values;
  for (Int128 raw = from.min_raw(); raw <= from.max_raw(); ++raw)
    values.push_back(function(static_cast<float>(from.to_double(raw))));
  return values;
}

/// Numbers rounded to odd at `frac_bits`: whatever rounds them to at least two bits less gives what
/// it would give of the numbers themselves.
graph::Table odd_table(const std::vector<float>& values, int frac_bits) {
  graph::Table table{.element = {}, .value = {}};
  int64_t least = 0, most = 0;
  for (const float value : values) {
    const double scaled = std::ldexp(static_cast<double>(value), frac_bits);
    auto raw = static_cast<int64_t>(std::floor(scaled));
    if (static_cast<double>(raw) != scaled)
      raw |= 1;
    table.value.push_back(raw);
    least = std::min(least, raw);
    most = std::max(most, raw);
  }
  int width = 2;
  while (most >= int64_t{1} << (width - 1) || least < -(int64_t{1} << (width - 1)))
    ++width;
  table.element = {.is_signed = true, .width = width, .frac_bits = frac_bits};
  return table;
}

}  // namespace

Result<Value> tabulate(LayerCall& call, TrainedLayer& layer, const std::string& owner,
                       const std::string& suffix, const Value& x,
                       const std::function<float(float)>& function) {
  const TrainedParameters& parameters = layer.parameters(owner);
  if (!parameters.quantizer || parameters.quantizer->is_identity)
    return call.config.bad(owner + "_conf", "a quantiser of the table");
  const FixedParameters& fixed = parameters.fixed;
  const FixedType& from = call.type(x).fixed();
  std::vector<float> values = results(from, function);
  int frac_bits = -MaxIntegers, integers = -MaxIntegers;
  for (size_t i = 0; i < fixed.bits.size(); ++i) {
    if (fixed.bits[i] == 0)
      continue;
    frac_bits = std::max(frac_bits, static_cast<int>(fixed.bits[i] - fixed.integers[i]));
    integers = std::max(integers, static_cast<int>(fixed.integers[i]));
  }
  if (frac_bits == -MaxIntegers)  // no element has any bits
    frac_bits = integers = 0;
  constexpr int OddBits = 2;
  frac_bits += OddBits;
  // Beyond this, saturation gives the same; wrapping needs the number itself.
  const bool wraps = fixed.overflow == Overflow::Wrap;
  const auto bound = static_cast<float>(std::ldexp(1, std::clamp(integers, -100, 100) + 2));
  for (float& value : values) {
    if (std::isnan(value) || (wraps && (std::isinf(value) || std::ilogb(value) > MaxIntegers)))
      return call.config.bad("activation", "one with finite results where the quantiser wraps");
    if (!wraps)
      value = std::clamp(value, -bound, bound);
  }
  const float most =
      std::abs(*std::ranges::max_element(values, {}, [](float value) { return std::abs(value); }));
  if (most != 0 && std::ilogb(most) + frac_bits >= MaxWidth - 1)
    return error(messages::QuantizerType, call.where(), std::ilogb(most) + frac_bits + 2,
                 std::ilogb(most) + 2);
  if (fixed.bits.size() > 1) {
    MR_TRY(const Value y, call.map(suffix, odd_table(values, frac_bits), x));
    return layer.quantized(owner, suffix.empty() ? owner : suffix + ".quantized", y);
  }
  // One type: the table holds the quantised numbers.
  FixedType type{.is_signed = false};
  if (fixed.bits[0] > 0)
    type = {fixed.keep_negative[0] == 1, static_cast<int>(fixed.bits[0]),
            static_cast<int>(fixed.bits[0] - fixed.integers[0])};
  graph::Table table{.element = type, .value = {}};
  for (const float value : values)
    table.value.push_back(
        static_cast<int64_t>(std::ldexp(parameters.apply(value, 0), type.frac_bits)));
  MR_TRY(Value y, call.map(suffix, std::move(table), x));
  if (const auto& affine = parameters.quantizer->affine) {
    const std::string prefix = suffix.empty() ? "" : suffix + ".";
    MR_TRY(y, call.with_number<graph::Mul>(prefix + "scaled", y, affine->first));
    MR_TRY(y, call.with_number<graph::Add>(prefix + "shifted", y, affine->second));
  }
  return y;
}

}  // namespace millrace::frontends::keras
