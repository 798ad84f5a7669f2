// SPDX-License-Identifier: Apache-2.0
// HGQ2's layers whose functions are tables over quantised numbers.
// Source   hgq2 0.2.0, layers/activation.py, layers/softmax.py; Keras 3, activations/activations.py
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "millrace/frontends/keras/hgq2_quantizer.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}
double elu(double x) {
  return x > 0 ? x : std::expm1(x);
}
double selu(double x) {
  constexpr double Alpha = 1.6732632423543772848, Scale = 1.0507009873554804934;
  return Scale * (x > 0 ? x : Alpha * std::expm1(x));
}
double gelu(double x) {
  return x / 2 * std::erfc(-x / std::numbers::sqrt2);
}
double silu(double x) {
  return x * sigmoid(x);
}
double mish(double x) {
  return x * std::tanh(softplus(x));
}
double softsign(double x) {
  return x / (1 + std::abs(x));
}
double hard_sigmoid(double x) {
  constexpr double Bound = 6, Shift = 3;
  return std::clamp(x + Shift, 0.0, Bound) / Bound;
}
double hard_silu(double x) {
  return x * static_cast<float>(hard_sigmoid(x));
}
double hard_tanh(double x) {
  return std::clamp(x, -1.0, 1.0);
}
double leaky_relu(double x) {
  constexpr float Slope = 0.2F;
  return x > 0 ? x : Slope * x;
}

/// Keras' activations of one number; results are rounded to float32.
struct NamedFunction {
  std::string_view name;
  double (*function)(double);
};
constexpr std::array Functions = {
    NamedFunction{"sigmoid", &sigmoid},
    NamedFunction{"tanh", [](double x) { return std::tanh(x); }},
    NamedFunction{"exponential", [](double x) { return std::exp(x); }},
    NamedFunction{"softplus", &softplus},
    NamedFunction{"softsign", &softsign},
    NamedFunction{"elu", &elu},
    NamedFunction{"celu", &elu},
    NamedFunction{"selu", &selu},
    NamedFunction{"gelu", &gelu},
    NamedFunction{"silu", &silu},
    NamedFunction{"swish", &silu},
    NamedFunction{"mish", &mish},
    NamedFunction{"hard_sigmoid", &hard_sigmoid},
    NamedFunction{"hard_silu", &hard_silu},
    NamedFunction{"hard_swish", &hard_silu},
    NamedFunction{"hard_tanh", &hard_tanh},
    NamedFunction{"leaky_relu", &leaky_relu},
    NamedFunction{"linear", [](double x) { return x; }},
    NamedFunction{"relu", [](double x) { return std::max(x, 0.0); }},
    NamedFunction{"relu6", [](double x) { return std::clamp(x, 0.0, 6.0); }},
};

bool has_codes(const LayerCall& call, const Value& x) {
  const graph::TensorType& type = call.type(x);
  return type.is_fixed() && type.fixed().width <= graph::Table::MaxInputWidth;
}

/// iq, maybe x * scale + bias, the function, oq. What is no table over codes is a real function,
/// which the quantiser behind it makes one when the graph is lowered.
Result<Value> unary_function(LayerCall& call) {
  Config& config = call.config;
  const bool is_affine = call.class_name() == "hgq>QAffinedUnaryFunctionLUT";
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  config.ignore({"allow_heterogeneous_table", "allow_heterogeneous_input"});
  MR_TRY(const std::string name, config.text("activation"));
  const auto found = std::ranges::find(Functions, name, &NamedFunction::name);
  if (found == Functions.end())
    return error(messages::Activation, call.where(), printable(name));
  if (is_affine) {
    layer.add_weight("scale", {1});
    layer.add_weight("bias", {1});
  }
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(const Value x, layer.quantized("iq", "iq", call.x()));
  const bool is_plain = name == "linear" || name == "relu" || name == "relu6";
  const bool is_tabulated = layer.has("oq") && has_codes(call, x);
  if (is_affine && !is_tabulated)
    return config.bad("enable_oq", fmt::format("true, with inputs of at most {} bits",
                                               graph::Table::MaxInputWidth));
  if (!is_tabulated || (is_plain && !is_affine)) {
    MR_TRY(const Value y, activate(call, x));
    return layer.quantized("oq", "oq", y);
  }
  float scale = 1, bias = 0;
  if (is_affine) {
    scale = static_cast<float>(layer.weight("scale").data[0]);
    bias = static_cast<float>(layer.weight("bias").data[0]);
  }
  return tabulate(call, layer, "oq", "", x, [&](float number) {
    const float product = number * scale;
    return static_cast<float>(found->function(is_affine ? product + bias : number));
  });
}

/// The largest of the last extent, which becomes 1.
Result<Value> maximum(LayerCall& call, const Value& x) {
  const int64_t channels = x.channels(), rows = num_elements(x.shape) / channels;
  MR_TRY(const Value columns,
         call.add("columns", graph::Reshape{{rows, channels, 1}}, {x.id}, {rows, channels, 1}));
  const graph::Window window{.kernel_w = channels, .stride_w = channels};
  MR_TRY(const Value largest,
         call.add("largest", graph::MaxPool{window}, {columns.id}, {rows, 1, 1}));
  Shape shape = x.shape;
  shape.back() = 1;
  const Shape to = graph_shape(shape);
  if (to.size() == 1)
    return call.add("maximum", graph::Flatten{}, {largest.id}, std::move(shape));
  return call.add("maximum", graph::Reshape{to}, {largest.id}, std::move(shape));
}

/// e = exp of (largest x - x) or of x, by a table; y = e * (1 / sum e, by a table).
Result<Value> softmax(LayerCall& call) {
  Config& config = call.config;
  const auto rank = static_cast<int64_t>(call.x().shape.size());
  MR_TRY(const auto axes, config.integers("axes", 1));
  if (axes[0] != rank && axes[0] != -1)
    return config.bad("axes", "the last");
  MR_TRY(const bool is_stable, config.boolean("stable", true));
  MR_TRY(const double input_scaler, config.number("input_scaler", 1));
  config.ignore({"allow_heterogeneous_table"});
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  MR_TRY_STATUS(layer.add("exp_table/iq", "exp_iq_conf"));
  MR_TRY_STATUS(layer.add("exp_table/oq", "exp_oq_conf"));
  MR_TRY_STATUS(layer.add("inv_table/iq", "inv_iq_conf"));
  MR_TRY_STATUS(layer.add("inv_table/oq", "inv_oq_conf"));
  if (is_stable != layer.has("exp_table/iq"))
    return config.bad("exp_iq_conf", "a quantiser where the softmax is stable");
  if (layer.has_ebops()) {
    layer.add_training_weights();
    layer.add_training_weights("inv_table");
    if (is_stable)
      layer.add_training_weights("exp_table");
  }
  MR_TRY_STATUS(layer.read());
  MR_TRY(Value x, layer.quantized("iq", "iq", call.x()));
  if (is_stable) {
    MR_TRY(const Value largest, maximum(call, x));
    MR_TRY(const Value below, call.add("below", graph::Sub{}, {x.id, largest.id}, x.shape));
    MR_TRY(const Value distance, call.map("distance", graph::Negate{}, below));
    MR_TRY(x, layer.quantized("exp_table/iq", "exp_iq", distance));
  }
  const std::string expected =
      fmt::format("a quantiser of at most {} bits", graph::Table::MaxInputWidth);
  if (!has_codes(call, x))
    return config.bad(is_stable ? "exp_iq_conf" : "iq_conf", expected);
  const auto factor = static_cast<float>(is_stable ? -input_scaler : input_scaler);
  MR_TRY(const Value exponential,
         tabulate(call, layer, "exp_table/oq", "exp", x, [&](float number) {
           return static_cast<float>(std::exp(static_cast<double>(number * factor)));
         }));
  std::vector<bool> summed(x.shape.size(), false);
  summed.back() = true;
  MR_TRY(const Value sum, sum_axes(call, "sum", exponential, summed));
  MR_TRY(const Value divisor, layer.quantized("inv_table/iq", "inv_iq", sum));
  if (!has_codes(call, divisor))
    return config.bad("inv_iq_conf", expected);
  constexpr float Epsilon = 1e-7F;
  MR_TRY(const Value inverse, tabulate(call, layer, "inv_table/oq", "inv", divisor,
                                       [](float number) { return 1 / (number + Epsilon); }));
  MR_TRY(const Value y,
         call.add("", graph::Mul{}, {exponential.id, inverse.id}, exponential.shape));
  return layer.quantized("oq", "oq", y);
}

}  // namespace

std::span<const LayerRule> hgq2_table_layers() {
  static constexpr LayerRule Rules[] = {{"hgq>QUnaryFunctionLUT", &unary_function},
                                        {"hgq>QAffinedUnaryFunctionLUT", &unary_function},
                                        {"hgq>QSoftmax", &softmax}};
  return Rules;
}

}  // namespace millrace::frontends::keras
