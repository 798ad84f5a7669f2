// SPDX-License-Identifier: Apache-2.0
// Activations by name, and the layers that are activations.
#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

using graph::UnaryFunction;

/// Activations of Keras that one operation computes.
struct NamedFunction {
  std::string_view name;
  UnaryFunction function;
};
constexpr std::array Functions = {
    NamedFunction{"sigmoid", UnaryFunction::Sigmoid},
    NamedFunction{"tanh", UnaryFunction::Tanh},
    NamedFunction{"exponential", UnaryFunction::Exp},
    NamedFunction{"elu", UnaryFunction::Elu},
    NamedFunction{"celu", UnaryFunction::Elu},
    NamedFunction{"selu", UnaryFunction::Selu},
    NamedFunction{"gelu", UnaryFunction::Gelu},
    NamedFunction{"silu", UnaryFunction::Silu},
    NamedFunction{"swish", UnaryFunction::Silu},
    NamedFunction{"softplus", UnaryFunction::Softplus},
    NamedFunction{"softsign", UnaryFunction::Softsign},
    NamedFunction{"mish", UnaryFunction::Mish},
    NamedFunction{"hard_silu", UnaryFunction::HardSwish},
    NamedFunction{"hard_swish", UnaryFunction::HardSwish},
    NamedFunction{"hard_tanh", UnaryFunction::HardTanh},
};

constexpr double LeakySlope = 0.2;  // of the activation "leaky_relu"

Result<Value> leaky(LayerCall& call, std::string_view suffix, const Value& x, double slope) {
  if (slope == 0)
    return call.map(suffix, graph::Relu{}, x);
  return call.with_number<graph::Prelu>(suffix, x, static_cast<float>(slope));
}

Result<Value> hard_sigmoid(LayerCall& call, std::string_view suffix, const Value& x) {
  constexpr double Keras3Slope = 1.0 / 6;
  if (call.dialect == Dialect::Unknown)
    return error(messages::HardSigmoid, call.where());
  graph::Unary op{UnaryFunction::HardSigmoid};
  if (call.dialect == Dialect::Keras3)
    op.alpha = Keras3Slope;
  return call.map(suffix, op, x);
}

/// x > 0 ? 1 : 0, or -1: what QKeras' rounded hard functions come to.
Result<Value> binary_function(LayerCall& call, std::string_view suffix, const Value& x,
                              bool is_01) {
  const std::string prefix(suffix);
  MR_TRY(const Value negative, call.map(prefix + ".negative", graph::Negate{}, x));
  MR_TRY(const Value sign, call.map(prefix + ".sign", graph::Binarize{}, negative));
  MR_TRY(const Value turned,
         call.with_number<graph::Mul>(is_01 ? prefix + ".half" : prefix, sign, is_01 ? -0.5 : -1));
  return is_01 ? call.with_number<graph::Add>(prefix, turned, 0.5) : Result<Value>(turned);
}

/// The functions that QKeras has names for, some of them Keras' names.
Result<std::optional<Value>> qkeras_function(LayerCall& call, std::string_view suffix,
                                             const Value& x, std::string_view name) {
  graph::Unary hard{UnaryFunction::HardSigmoid};
  constexpr double SmoothSlope = 0.1875;
  if (name == "hard_sigmoid" || name == "smooth_sigmoid") {
    hard.alpha = name == "hard_sigmoid" ? 0.5 : SmoothSlope;
    return call.map(suffix, hard, x);
  }
  if (name == "hard_tanh")
    return call.map(suffix, graph::Unary{UnaryFunction::HardTanh}, x);
  if (name == "smooth_tanh") {
    MR_TRY(const Value scaled,
           call.with_number<graph::Mul>(std::string(suffix) + ".scaled", x, 2 * SmoothSlope));
    return call.map(suffix, graph::Unary{UnaryFunction::HardTanh}, scaled);
  }
  if (name == "binary_sigmoid" || name == "binary_tanh")
    return binary_function(call, suffix, x, name == "binary_sigmoid");
  return std::nullopt;
}

Result<Value> named_function(LayerCall& call, std::string_view suffix, const Value& x,
                             std::string_view name) {
  if (name == "linear")
    return x;
  if (call.is_quantized()) {
    MR_TRY(const auto value, qkeras_function(call, suffix, x, name));
    if (value)
      return *value;
  }
  if (name == "relu")
    return call.map(suffix, graph::Relu{}, x);
  if (name == "relu6") {
    constexpr double Bound = 6;
    MR_TRY(const Value y, call.map(std::string(suffix) + ".relu", graph::Relu{}, x));
    return call.with_number<graph::Minimum>(suffix, y, Bound);
  }
  if (name == "leaky_relu")
    return leaky(call, suffix, x, LeakySlope);
  if (name == "softmax")
    return call.map(suffix, graph::Softmax{}, x);
  if (name == "hard_sigmoid")
    return hard_sigmoid(call, suffix, x);
  const auto found = std::ranges::find(Functions, name, &NamedFunction::name);
  if (found == Functions.end())
    return error(messages::Activation, call.where(), printable(name));
  return call.map(suffix, graph::Unary{found->function}, x);
}

/// The layers Activation and QActivation; without a suffix, as the layer is the activation.
Result<Value> activation_layer(LayerCall& call) {
  if (!call.config.has("activation"))
    return error(messages::MissingOption, call.where(), "activation");
  return activate(call, call.x());
}

/// max_value where x >= max_value, x where x > threshold (Keras' own text says >=), else
/// negative_slope * (x - threshold).
Result<Value> relu_layer(LayerCall& call) {
  Config& config = call.config;
  MR_TRY(const double slope, config.number("negative_slope", 0));
  MR_TRY(const double threshold, config.number("threshold", 0));
  Value y = call.x();
  const bool is_bounded = config.has("max_value");
  const std::string_view suffix = is_bounded ? "relu" : "";
  if (threshold == 0) {
    MR_TRY(y, leaky(call, suffix, y, slope));
  } else {
    if (slope != 0 || threshold < 0)
      return config.bad("threshold", "0, or positive where negative_slope is 0");
    const auto from = static_cast<float>(threshold);
    MR_TRY(const Value above, call.with_number<graph::Sub>("above", y, from));
    MR_TRY(const Value gate, binary_function(call, "gate", above, true));
    MR_TRY(y, call.add(suffix, graph::Mul{}, {y.id, gate.id}, y.shape));
  }
  if (!is_bounded)
    return y;
  MR_TRY(const double bound, config.number("max_value"));
  if (bound < threshold)
    return config.bad("max_value", "at least the threshold");
  return call.with_number<graph::Minimum>("", y, static_cast<float>(bound));
}

Result<Value> leaky_relu_layer(LayerCall& call) {
  constexpr double DefaultSlope = 0.3;
  const char* const key = call.config.has("negative_slope") ? "negative_slope" : "alpha";
  MR_TRY(const double slope, call.config.number(key, DefaultSlope));
  return leaky(call, "", call.x(), slope);
}

Result<Value> elu_layer(LayerCall& call) {
  MR_TRY(const double alpha, call.config.number("alpha", 1));
  graph::Unary op{UnaryFunction::Elu};
  op.alpha = static_cast<float>(alpha);
  return call.map("", op, call.x());
}

Result<Value> softmax_layer(LayerCall& call) {
  const Value& x = call.x();
  MR_TRY(const auto axis, call.config.integers("axis", 1, std::vector<int64_t>{-1}));
  if (axis[0] != -1 && axis[0] != static_cast<int64_t>(x.shape.size()))
    return call.config.bad("axis", "the last");
  return call.map("", graph::Softmax{}, x);
}

/// A slope for each channel, or for each element: max(x, 0) + slope * min(x, 0).
Result<Value> prelu_layer(LayerCall& call) {
  const Value& x = call.x();
  Shape shape = x.shape;
  if (const Json* axes = call.config.get("shared_axes")) {
    MR_TRY(const auto shared,
           call.config.integers("shared_axes", axes->is_array() ? axes->size() : 1));
    for (const int64_t axis : shared) {
      if (axis < 1 || axis > static_cast<int64_t>(shape.size()))
        return call.config.bad("shared_axes", "axes of the input, from 1");
      shape[static_cast<size_t>(axis) - 1] = 1;
    }
  }
  MR_TRY(LayerWeights weights, call.read_weights({{"alpha", shape}}));
  FloatTensor alpha = std::move(weights.find("alpha")->second);
  const bool is_by_channel =
      std::all_of(shape.begin(), shape.end() - 1, [](int64_t extent) { return extent == 1; });
  if (is_by_channel)
    alpha.shape = {shape.back()};
  else if (shape == x.shape)
    alpha.shape = graph_shape(shape);
  else
    return call.config.bad("shared_axes", "none, or all but the channels");
  MR_TRY(const graph::ValueId slope, call.constant("alpha", std::move(alpha)));
  if (is_by_channel)
    return call.add("", graph::Prelu{}, {x.id, slope}, x.shape);
  MR_TRY(const Value above, call.map("above", graph::Relu{}, x));
  MR_TRY(const Value below, call.with_number<graph::Minimum>("below", x, 0));
  MR_TRY(const Value scaled, call.add("scaled", graph::Mul{}, {below.id, slope}, x.shape));
  return call.add("", graph::Add{}, {above.id, scaled.id}, x.shape);
}

}  // namespace

Result<Value> activate(LayerCall& call, const Value& x, std::string_view option) {
  const Json* json = call.config.get(option);
  if (!json)
    return x;
  // How Keras writes QKeras' functions, which it has no names for.
  if (call.is_quantized() && json->is_object() && json->value("class_name", Json()) == "function" &&
      json->contains("config") && (*json)["config"].is_string()) {
    const auto name = (*json)["config"].get<std::string>();
    const bool is_activation = call.class_name() == "QActivation";
    MR_TRY(const auto value, qkeras_function(call, is_activation ? "" : name, x, name));
    if (value)
      return *value;
  }
  if (call.is_quantized() || json->is_object()) {
    MR_TRY(const auto quantizer, read_quantizer(json, option, call.where(), true));
    if (quantizer)
      return quantize(call, x, *quantizer);
  }
  MR_TRY(const std::string name, call.config.text(option));
  const bool is_layer = call.class_name() == "Activation" || call.class_name() == "QActivation";
  return named_function(call, is_layer ? "" : name, x, name);
}

std::span<const LayerRule> activation_layers() {
  static constexpr LayerRule Rules[] = {
      {"Activation", &activation_layer},
      {"QActivation", &activation_layer},
      {"ReLU", &relu_layer},
      {"LeakyReLU", &leaky_relu_layer},
      {"ELU", &elu_layer},
      {"PReLU", &prelu_layer},
      {"Softmax", &softmax_layer},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
