// SPDX-License-Identifier: Apache-2.0
// Functions of one value, element by element.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/tensor_decoder.h"

namespace millrace::frontends::onnx {
namespace {

using graph::UnaryFunction;

struct NamedFunction {
  std::string_view op;
  UnaryFunction function;
  std::string_view alpha = {}, beta = {};  ///< attributes, where it has any
  float default_alpha = 0, default_beta = 0;
};

constexpr std::array NamedFunctions = {
    NamedFunction{"Sigmoid", UnaryFunction::Sigmoid},
    NamedFunction{"Tanh", UnaryFunction::Tanh},
    NamedFunction{"Exp", UnaryFunction::Exp},
    NamedFunction{"Log", UnaryFunction::Log},
    NamedFunction{"Softplus", UnaryFunction::Softplus},
    NamedFunction{"Softsign", UnaryFunction::Softsign},
    NamedFunction{"Erf", UnaryFunction::Erf},
    NamedFunction{"Sqrt", UnaryFunction::Sqrt},
    NamedFunction{"Reciprocal", UnaryFunction::Reciprocal},
    NamedFunction{"HardSwish", UnaryFunction::HardSwish},
    NamedFunction{"Mish", UnaryFunction::Mish},
    NamedFunction{"Silu", UnaryFunction::Silu},
    NamedFunction{"Rsqrt", UnaryFunction::Rsqrt},
    NamedFunction{"Gelu", UnaryFunction::Gelu},
    NamedFunction{"Elu", UnaryFunction::Elu, "alpha", "", 1.0F},
    NamedFunction{"Selu", UnaryFunction::Selu, "alpha", "gamma", 1.67326319217681884765625F,
                  1.05070102214813232421875F},
    NamedFunction{"HardSigmoid", UnaryFunction::HardSigmoid, "alpha", "beta", 0.2F, 0.5F},
};

/// A bound of Clip that takes part: float32's largest numbers stand for none.
bool is_bound(double number) {
  return std::abs(number) < std::numeric_limits<float>::max();
}

}  // namespace

Status Importer::identity(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  define(node.outputs.front(), *x);
  return {};
}

Status Importer::dropout(const Node& node) {
  constexpr int64_t InferenceByDefault = 7;
  if (model_.opset < InferenceByDefault)
    return error(messages::OldOperator, node.where, InferenceByDefault);
  if (has_input(node, 2)) {
    MR_TRY(const ConstantValue* training, real_constant(node, 2, "training mode"));
    if (training->uniform() != 0) {
      MR_TRY(const ConstantValue* ratio, real_constant(node, 1, "ratio"));
      if (ratio->uniform() != 0)
        return error(messages::Training, node.where);
    }
  }
  return std::holds_alternative<ConstantValue>(values_.find(node.inputs[0])->second)
             ? constant_identity(node)
             : identity(node);
}

/// Real numbers stay what they are; whole numbers may become whole numbers of a type that holds
/// them.
Status Importer::cast(const Node& node) {
  using ::onnx::TensorProto;
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  MR_TRY(const int64_t to, int_attribute(node, "to", 0));
  if (to == TensorProto::FLOAT || to == TensorProto::DOUBLE)
    return identity(node);
  const auto integer = to >= 0 && to < std::numeric_limits<int>::max()
                           ? integer_type(static_cast<int>(to))
                           : std::nullopt;
  const auto& type = builder_.type(x->id).element;
  const auto holds = [&](Int128 raw) {
    return raw * (Int128{1} << -type->frac_bits) >= integer->min_raw() &&
           raw * (Int128{1} << -type->frac_bits) <= integer->max_raw();
  };
  constexpr int MaxShift = 62;
  if (!integer || !type || type->frac_bits > 0 || type->frac_bits < -MaxShift ||
      !holds(type->min_raw()) || !holds(type->max_raw()))
    return error(messages::CastChanges, node.where,
                 TensorProto::DataType_IsValid(static_cast<int>(to))
                     ? TensorProto::DataType_Name(static_cast<TensorProto::DataType>(to))
                     : std::to_string(to));
  return identity(node);
}

Status Importer::relu(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  return add_elementwise(node, graph::Relu{}, *x);
}

Status Importer::exact_function(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  if (node.op == "Abs")
    return add_elementwise(node, graph::Abs{}, *x);
  if (node.op == "Neg")
    return add_elementwise(node, graph::Negate{}, *x);
  return add_elementwise(node, graph::Sign{}, *x);
}

Status Importer::real_function(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  const auto* found = std::ranges::find(NamedFunctions, node.op, &NamedFunction::op);
  graph::Unary unary{found->function};
  // The graph's own defaults are what ONNX means, where the float32 of an attribute is as near as
  // it gets.
  const auto parameter = [&](std::string_view name, float fallback,
                             std::optional<double>& target) -> Status {
    if (name.empty())
      return {};
    MR_TRY(const double value, float_attribute(node, name, fallback));
    if (value != fallback)
      target = value;
    return {};
  };
  constexpr int64_t LongDefaults = 6;  // before that Selu's had four digits
  if (node.op == "Selu" && model_.opset < LongDefaults)
    return error(messages::OldOperator, node.where, LongDefaults);
  MR_TRY_STATUS(parameter(found->alpha, found->default_alpha, unary.alpha));
  MR_TRY_STATUS(parameter(found->beta, found->default_beta, unary.beta));
  if (node.op == "Gelu") {
    MR_TRY(const std::string approximate, string_attribute(node, "approximate", "none"));
    if (approximate != "none" && approximate != "tanh")
      return error(messages::BadAttribute, node.where, "approximate", printable(approximate),
                   "none or tanh");
    if (approximate == "tanh")
      unary.function = UnaryFunction::GeluTanh;
  }
  return add_elementwise(node, unary, *x);
}

Status Importer::clip(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  Activation x = *operand;
  std::array<std::optional<double>, 2> bounds;
  constexpr std::array<std::string_view, 2> Names = {"min", "max"};
  for (size_t i = 0; i < 2; ++i) {
    if (node.attributes.contains(Names[i])) {
      MR_TRY(bounds[i], float_attribute(node, Names[i], 0));
    } else if (has_input(node, i + 1)) {
      MR_TRY(const ConstantValue* bound, constant(node, i + 1, Names[i]));
      const FloatTensor number = settled(*bound);
      if (number.data.size() != 1)
        return error(messages::Rank, node.where, Names[i], to_string(number.shape), "one number");
      bounds[i] = number.data.front();
    }
    if (bounds[i] && std::isnan(*bounds[i]))
      return error(messages::NotFinite, node.where, "NaN");
    if (bounds[i] && !is_bound(*bounds[i]))
      bounds[i].reset();
  }
  const auto [least, largest] = bounds;
  if (least) {
    if (*least == 0) {
      MR_TRY(x.id, emit(node, largest ? ".relu" : "", graph::Relu{}, {x.id}));
    } else {
      MR_TRY(const graph::ValueId bound, real_value(node, ".min", {{1}, {*least}}));
      MR_TRY(x.id, emit(node, largest ? ".floor" : "", graph::Maximum{}, {x.id, bound}));
    }
  }
  if (largest) {
    MR_TRY(const graph::ValueId bound, real_value(node, ".max", {{1}, {*largest}}));
    MR_TRY(x.id, emit(node, "", graph::Minimum{}, {x.id, bound}));
  }
  define(node.outputs.front(), std::move(x));
  return {};
}

Status Importer::leaky_relu(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const double alpha, float_attribute(node, "alpha", 0.01F));
  MR_TRY(const graph::ValueId slope, real_value(node, ".alpha", {{1}, {alpha}}));
  return add(node, graph::Prelu{}, {x.id, slope}, x.shape, x.layout);
}

/// One slope for each channel is the graph's operation; any other is relu(x) - slope * relu(-x).
Status Importer::prelu(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  Activation x = *operand;
  MR_TRY(const ConstantValue* slope, constant(node, 1, "slope"));
  constexpr int64_t Broadcasts = 7;  // before that a vector was one of channels
  if (model_.opset < Broadcasts && slope->value->data.size() != 1)
    return error(messages::OldOperator, node.where, Broadcasts);
  if (broadcast_shape(slope->shape(), x.shape) != x.shape)
    return error(messages::LayerShapes, node.where, "slope", to_string(slope->shape()), "input",
                 to_string(x.shape));
  Activation laid = x;
  MR_TRY(const graph::ValueId alpha, matched(node, laid, *slope));
  const Shape& shape = builder_.type(alpha).shape;
  if (shape.size() == 1 && (shape[0] == 1 || shape[0] == builder_.type(laid.id).shape.back()))
    return add(node, graph::Prelu{}, {laid.id, alpha}, laid.shape, laid.layout);
  MR_TRY(const graph::ValueId positive, emit(node, ".positive", graph::Relu{}, {laid.id}));
  MR_TRY(graph::ValueId negative, emit(node, ".negated", graph::Negate{}, {laid.id}));
  MR_TRY(negative, emit(node, ".negative", graph::Relu{}, {negative}));
  MR_TRY(negative, emit(node, ".scaled", graph::Mul{}, {negative, alpha}));
  return add(node, graph::Sub{}, {positive, negative}, laid.shape, laid.layout);
}

/// The powers that have functions of their own.
Status Importer::power(const Node& node) {
  MR_TRY(const Activation* operand, computed(node, 0, "base"));
  const Activation x = *operand;
  MR_TRY(const ConstantValue* exponent, real_constant(node, 1, "exponent"));
  if (broadcast_shape(exponent->shape(), x.shape) != x.shape)
    return error(messages::LayerShapes, node.where, "exponent", to_string(exponent->shape()),
                 "base", to_string(x.shape));
  const auto power = exponent->uniform();
  if (power == 1)
    return identity(node);
  if (power == 2)
    return add_elementwise(node, graph::Square{}, x);
  if (power == 0.5)
    return add_elementwise(node, graph::Unary{UnaryFunction::Sqrt}, x);
  if (power == -0.5)
    return add_elementwise(node, graph::Unary{UnaryFunction::Rsqrt}, x);
  if (power == -1)
    return add_elementwise(node, graph::Unary{UnaryFunction::Reciprocal}, x);
  if (power == 3) {
    MR_TRY(const graph::ValueId square, emit(node, ".square", graph::Square{}, {x.id}));
    return add(node, graph::Mul{}, {square, x.id}, x.shape, x.layout);
  }
  return error(messages::Exponent, node.where,
               power ? fmt::format("{}", *power) : "not one number");
}

}  // namespace millrace::frontends::onnx
