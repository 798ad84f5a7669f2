// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/quantizer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// The parameters of a quantiser in the order of its constructor.
/// Source   QKeras 0.9.0, quantizers.py; quantized_linear of its development version.
struct Signature {
  std::string_view name;
  std::vector<std::string_view> parameters;
};

const std::vector<Signature>& signatures() {
  static const std::vector<Signature> rows = {
      {"quantized_bits",
       {"bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding",
        "scale_axis", "qnoise_factor", "var_name", "use_ste", "use_variables", "elements_per_scale",
        "min_po2_exponent", "max_po2_exponent", "post_training_scale"}},
      {"quantized_linear",
       {"bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding",
        "scale_axis", "qnoise_factor", "var_name", "use_variables"}},
      {"bernoulli", {"alpha", "temperature", "use_real_sigmoid"}},
      {"ternary", {"alpha", "threshold", "use_stochastic_rounding", "number_of_unrolls"}},
      {"stochastic_ternary",
       {"alpha", "threshold", "temperature", "use_real_sigmoid", "number_of_unrolls"}},
      {"binary",
       {"use_01", "alpha", "use_stochastic_rounding", "scale_axis", "elements_per_scale",
        "min_po2_exponent", "max_po2_exponent"}},
      {"stochastic_binary", {"alpha", "temperature", "use_real_sigmoid"}},
      {"quantized_relu",
       {"bits", "integer", "use_sigmoid", "negative_slope", "use_stochastic_rounding",
        "relu_upper_bound", "is_quantized_clip", "qnoise_factor", "var_name", "use_ste",
        "use_variables"}},
      {"quantized_ulaw", {"bits", "integer", "symmetric", "u"}},
      {"quantized_tanh", {"bits", "use_stochastic_rounding", "symmetric", "use_real_tanh"}},
      {"quantized_sigmoid", {"bits", "symmetric", "use_real_sigmoid", "use_stochastic_rounding"}},
      {"quantized_po2",
       {"bits", "max_value", "use_stochastic_rounding", "quadratic_approximation", "log2_rounding",
        "qnoise_factor", "var_name", "use_ste", "use_variables"}},
      {"quantized_relu_po2",
       {"bits", "max_value", "negative_slope", "use_stochastic_rounding", "quadratic_approximation",
        "log2_rounding", "qnoise_factor", "var_name", "use_ste", "use_variables"}},
      {"quantized_hswish",
       {"bits", "integer", "symmetric", "alpha", "use_stochastic_rounding", "scale_axis",
        "qnoise_factor", "var_name", "use_ste", "use_variables", "relu_shift", "relu_upper_bound",
        "keep_negative"}},
  };
  return rows;
}

const Signature* find_signature(std::string_view name) {
  const auto found = std::ranges::find(signatures(), name, &Signature::name);
  return found == signatures().end() ? nullptr : &*found;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

/// A value of Python: None, a truth value, a number or a quoted text.
std::optional<Json> parse_value(std::string_view text) {
  if (text == "None")
    return Json();
  if (text == "True" || text == "False")
    return Json(text == "True");
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
      text.back() == text.front())
    return Json(std::string(text.substr(1, text.size() - 2)));
  if (text.starts_with('+'))
    text.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || code != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(number))
    return std::nullopt;
  return Json(number);
}

/// The arguments of "NAME(A, KEY=B)".
std::optional<Json> parse_arguments(std::string_view list, const Signature& signature) {
  Json arguments = Json::object();
  if (trimmed(list).empty())
    return arguments;
  for (size_t position = 0, begin = 0; begin <= list.size(); ++position) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view item = trimmed(list.substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = item.find('=');
    std::string_view key;
    if (equals != std::string_view::npos)
      key = trimmed(item.substr(0, equals));
    else if (position < signature.parameters.size())
      key = signature.parameters[position];
    auto value =
        parse_value(equals == std::string_view::npos ? item : trimmed(item.substr(equals + 1)));
    if (key.empty() || !value || arguments.contains(key))
      return std::nullopt;
    arguments[std::string(key)] = *std::move(value);
  }
  return arguments;
}

/// What a quantiser must not ask for, whatever its kind.
Status check_arguments(const QuantizerSpec& spec, const Signature& signature) {
  Config config = spec.config();
  config.ignore(signature.parameters);
  MR_TRY_STATUS(config.check_all_read());
  MR_TRY(const double noise, config.number("qnoise_factor", 1));
  if (noise != 1)
    return error(messages::Noise, config.where(), noise);
  for (const std::string_view key :
       {"scale_axis", "elements_per_scale", "min_po2_exponent", "max_po2_exponent"})
    if (config.has(key))
      return config.bad(key, "none");
  return {};
}

}  // namespace

Result<std::optional<QuantizerSpec>> read_quantizer(const Json* json, std::string_view role,
                                                    const std::string& where,
                                                    bool may_be_function) {
  if (!json || json->is_null())
    return std::nullopt;
  QuantizerSpec spec{.name = {}, .role = std::string(role), .where = where, .arguments = {}};
  if (json->is_string()) {
    const auto text = json->get<std::string>();
    const size_t open = text.find('(');
    spec.name = trimmed(std::string_view(text).substr(0, open));
    const Signature* signature = find_signature(spec.name);
    if (!signature && may_be_function && open == std::string::npos)
      return std::nullopt;
    if (!signature)
      return error(messages::UnknownQuantizer, where, printable(spec.name), role);
    spec.arguments = Json::object();
    if (open != std::string::npos) {
      const std::string_view rest = trimmed(std::string_view(text).substr(open));
      auto arguments = rest.ends_with(')')
                           ? parse_arguments(rest.substr(1, rest.size() - 2), *signature)
                           : std::nullopt;
      if (!arguments)
        return error(messages::QuantizerForm, where, printable(text), role);
      spec.arguments = *std::move(arguments);
    }
    MR_TRY_STATUS(check_arguments(spec, *signature));
    return spec;
  }
  const auto name = json->is_object() ? json->find("class_name") : json->end();
  if (!json->is_object() || name == json->end() || !name->is_string())
    return error(messages::QuantizerForm, where, printable(json->is_object() ? "{...}" : "..."),
                 role);
  spec.name = name->get<std::string>();
  if (const size_t package = spec.name.find('>'); package != std::string::npos)
    spec.name = spec.name.substr(package + 1);
  const Signature* signature = find_signature(spec.name);
  if (!signature)
    return error(messages::UnknownQuantizer, where, printable(spec.name), role);
  const auto config = json->find("config");
  spec.arguments = config == json->end() ? Json::object() : *config;
  if (!spec.arguments.is_object())
    return error(messages::QuantizerForm, where, printable(spec.name), role);
  spec.is_recent = spec.arguments.contains("post_training_scale");
  // Before this argument existed, both were symmetric.
  if ((spec.name == "quantized_tanh" || spec.name == "quantized_sigmoid") &&
      !spec.arguments.contains("symmetric"))
    spec.arguments["symmetric"] = true;
  MR_TRY_STATUS(check_arguments(spec, *signature));
  return spec;
}

Result<Alpha> read_alpha(Config& config, bool is_trainable) {
  const Json* json = config.get("alpha");
  if (!json)
    return is_trainable ? Alpha{.kind = Alpha::Kind::AutoPo2, .numbers = {}} : Alpha{};
  if (*json == "auto")
    return Alpha{.kind = Alpha::Kind::Auto, .numbers = {}};
  if (*json == "auto_po2")
    return Alpha{.kind = Alpha::Kind::AutoPo2, .numbers = {}};
  auto numbers = array_in(*json);
  if (!numbers || numbers->data.empty())
    return config.bad("alpha", "a number, numbers, 'auto' or 'auto_po2'");
  return Alpha{.kind = Alpha::Kind::Number, .numbers = *std::move(numbers)};
}

Result<FixedType> fixed_type(const Config& config, bool is_signed, int64_t bits, int64_t integer) {
  const int64_t max_width = FixedType::MaxWidth - (is_signed ? 0 : 1);
  if (bits < 1 || bits > max_width || std::abs(integer) > FixedType::MaxFracBits / 2)
    return error(messages::QuantizerType, config.where(), bits, integer);
  return FixedType{.is_signed = is_signed,
                   .width = static_cast<int>(bits),
                   .frac_bits = static_cast<int>(bits - integer - (is_signed ? 1 : 0))};
}

Result<Quantizer> LinearQuantizer::quantizer(const Config& config) const {
  MR_TRY(const FixedType type, fixed_type(config, keep_negative, bits, integer));
  const bool is_narrow = is_symmetric && keep_negative;
  return Quantizer{type, Rounding::HalfEven,
                   is_narrow ? Overflow::SaturateSymmetric : Overflow::Saturate};
}

Result<LinearQuantizer> read_linear(Config& config) {
  LinearQuantizer linear;
  const bool is_linear = config.where().ends_with(" quantized_linear");
  MR_TRY(linear.bits, config.integer("bits", 8));
  MR_TRY(linear.integer, config.integer("integer", 0));
  MR_TRY(linear.is_symmetric, config.boolean("symmetric", is_linear));
  MR_TRY(linear.keep_negative, config.boolean("keep_negative", true));
  MR_TRY_STATUS(linear.quantizer(config));
  return linear;
}

}  // namespace millrace::frontends::keras
