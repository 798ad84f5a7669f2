// SPDX-License-Identifier: Apache-2.0
// Sums, products and normalisations with constants, one behind the other: y = scale * x + offset.
#include "millrace/frontends/onnx/affine_chain.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

template <class Function>
FloatTensor combined(const FloatTensor& a, const FloatTensor& b, Function function) {
  const Shape shape = broadcast_shape(a.shape, b.shape).value();
  FloatTensor result = expand(a, shape);
  const FloatTensor other = expand(b, shape);
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] = function(result.data[i], other.data[i]);
  return result;
}

FloatTensor rounded(const FloatTensor& in) {
  FloatTensor out = in;
  for (double& number : out.data)
    number = static_cast<float>(number);
  return out;
}

bool is_finite(const FloatTensor& tensor) {
  return std::ranges::all_of(tensor.data, [](double x) { return std::isfinite(x); });
}

bool is_arithmetic(const Node& node) {
  return node.domain.empty() &&
         (node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div");
}

}  // namespace

/// Takes in a node whose operand `position` is the chain's value and whose other operand is a
/// constant.
Status Importer::extend(Chain& chain, const Node& node, size_t position) {
  chain.last = &node;
  ++chain.length;
  if (node.op == "BatchNormalization")
    return normalise(chain, node);
  MR_TRY(const ConstantValue* constant, real_constant(node, 1 - position, "operand"));
  const FloatTensor& number = *constant->value;
  auto& [scale, offset] = chain.function;
  const auto add = [](double a, double b) { return a + b; };
  const auto subtract = [](double a, double b) { return a - b; };
  const auto multiply = [](double a, double b) { return a * b; };
  const auto divide = [](double a, double b) { return a / b; };
  if (node.op == "Add") {
    offset = combined(offset, number, add);
  } else if (node.op == "Sub" && position == 0) {
    offset = combined(offset, number, subtract);
  } else if (node.op == "Sub") {
    for (double& factor : scale.data)
      factor = 0 - factor;
    offset = combined(number, offset, subtract);
  } else if (node.op == "Mul") {
    scale = combined(scale, number, multiply);
    offset = combined(offset, number, multiply);
  } else {
    scale = combined(scale, number, divide);
    offset = combined(offset, number, divide);
  }
  if (!is_finite(scale) || !is_finite(offset))
    return error(messages::NotFiniteResult, node.where);
  return {};
}

Status Importer::normalise(Chain& chain, const Node& node) {
  std::array<const ConstantValue*, 4> parameters = {};
  constexpr std::array<std::string_view, 4> Roles = {"scale", "bias", "mean", "variance"};
  const int64_t channels = chain.x.shape[1];
  for (size_t i = 0; i < 4; ++i) {
    MR_TRY(parameters[i], constant(node, i + 1, Roles[i]));
    if (parameters[i]->shape() != Shape{channels})
      return error(messages::BiasShape, node.where, to_string(parameters[i]->shape()), channels);
  }
  const auto& [gamma, beta, mean, variance] = parameters;
  MR_TRY(const double epsilon, float_attribute(node, "epsilon", 1e-5F));
  MR_TRY(const int64_t training, int_attribute(node, "training_mode", 0));
  MR_TRY(const int64_t spatial, int_attribute(node, "spatial", 1));
  if (training != 0)
    return bad_attribute(node, "training_mode", training, "0: export the model for inference");
  if (spatial != 1)
    return bad_attribute(node, "spatial", spatial, "1");
  for (const size_t i : {size_t{0}, size_t{1}}) {
    if (!parameters[i]->quantizers.empty())
      return error(messages::NormalizationQuantised, node.where, Roles[i]);
  }
  for (const size_t i : {size_t{2}, size_t{3}}) {
    if (!parameters[i]->quantizers.empty())
      return error(messages::NotConstant, node.where, fmt::format("{} (without Quant)", Roles[i]));
  }
  Shape shape(chain.x.shape.size() - 1, 1);
  shape[0] = channels;
  FloatTensor scale{shape, gamma->value->data};
  FloatTensor offset{shape, beta->value->data};
  for (size_t i = 0; i < scale.data.size(); ++i) {
    const double factor = gamma->value->data[i] / std::sqrt(variance->value->data[i] + epsilon);
    scale.data[i] = factor;
    offset.data[i] = beta->value->data[i] - mean->value->data[i] * factor;
    if (!std::isfinite(static_cast<float>(factor)) ||
        !std::isfinite(static_cast<float>(offset.data[i])))
      return error(messages::Normalization, node.where, i, variance->value->data[i]);
  }
  auto& function = chain.function;
  const auto multiply = [](double a, double b) { return a * b; };
  const auto add = [](double a, double b) { return a + b; };
  function.scale = combined(function.scale, scale, multiply);
  function.offset = combined(combined(function.offset, scale, multiply), offset, add);
  return {};
}

/// True where `node` alone reads the chain's value and can be taken in: at operand `position`.
bool Importer::continues(const Chain& chain, const Node& node, size_t& position) {
  const std::string& tensor = chain.last->outputs.front();
  const auto is_plain = [&](size_t index) {
    const auto found = values_.find(node.inputs[index]);
    const auto* value =
        found == values_.end() ? nullptr : std::get_if<ConstantValue>(&found->second);
    return value && value->is_plain() ? value : nullptr;
  };
  position = node.inputs[0] == tensor ? 0 : 1;
  if (node.op == "BatchNormalization" && node.domain.empty())
    return position == 0 && chain.x.shape.size() >= 2 && is_plain(1) && is_plain(2) &&
           is_plain(3) && is_plain(4);
  if (!is_arithmetic(node) || (node.op == "Div" && position == 1))
    return false;
  const ConstantValue* other = is_plain(1 - position);
  if (!other || broadcast_shape(other->shape(), chain.x.shape) != chain.x.shape)
    return false;
  // Scale and offset may become as large as the shapes of all constants together.
  Shape all = other->shape();
  for (const FloatTensor* part : {&chain.function.scale, &chain.function.offset})
    all = broadcast_shape(all, part->shape).value();
  return bounded_elements(all).value_or(MaxElements) <= MaxFolded;
}

Status Importer::affine_chain(const Node& node) {
  const size_t position = std::holds_alternative<Activation>(operand(node, 0)) ? 0 : 1;
  MR_TRY(const Activation* x, computed(node, position, "operand"));
  Chain chain{.x = *x, .last = &node};
  MR_TRY(const ConstantValue* constant, real_constant(node, 1 - position, "operand"));
  const auto shape = broadcast_shape(constant->shape(), x->shape);
  if (!shape || bounded_elements(*shape).value_or(0) == 0)
    return error(messages::LayerShapes, node.where, "first operand",
                 to_string(position == 0 ? x->shape : constant->shape()), "second one",
                 to_string(position == 0 ? constant->shape() : x->shape));
  MR_TRY(chain.x, broadcast_up(node, chain.x, *shape));
  MR_TRY_STATUS(extend(chain, node, position));
  return finish(chain, node);
}

Status Importer::batch_normalization(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  if (x->shape.size() < 2)
    return error(messages::Rank, node.where, "input", to_string(x->shape), "1xC or 1xCxHxW");
  constexpr int64_t InferenceByDefault = 7;
  if (model_.opset < InferenceByDefault)
    return error(messages::OldOperator, node.where, InferenceByDefault);
  MR_TRY(const bool is_plain, plain_normalization(node, *x));
  if (is_plain)
    return {};
  Chain chain{.x = *x, .last = &node};
  MR_TRY_STATUS(extend(chain, node, 0));
  return finish(chain, node);
}

/// Adds what a chain that begins with `node` computes, and what follows it.
Status Importer::finish(Chain& chain, const Node& node) {
  size_t position = 0;
  for (const Node* next = only_user(chain.last->outputs.front());
       next && continues(chain, *next, position); next = only_user(chain.last->outputs.front())) {
    done_.insert(next);
    MR_TRY_STATUS(extend(chain, *next, position));
  }
  const std::string& output = chain.last->outputs.front();
  const auto& [scale, offset] = chain.function;
  const auto constant = [&](std::string_view suffix, const FloatTensor& numbers) {
    const std::string name = node.name + std::string(suffix);
    return ConstantValue{name, output + " " + name, node.where,
                         std::make_shared<const FloatTensor>(numbers)};
  };
  using graph::BinaryFunction;
  if (chain.length == 1 && is_arithmetic(node)) {
    // One operation, and no rounding but that of a quotient.
    const bool is_sum = node.op == "Add" || node.op == "Sub";
    const size_t other = std::holds_alternative<ConstantValue>(operand(node, 0)) ? 0 : 1;
    const Operand x = chain.x;
    Operand number = operand(node, other);
    if (node.op == "Div")
      number = constant(".reciprocal", rounded(scale));
    const BinaryFunction function = node.op == "Sub" ? BinaryFunction::Sub
                                    : is_sum         ? BinaryFunction::Add
                                                     : BinaryFunction::Mul;
    MR_TRY(Activation y, other == 0 ? binary(node, "", function, std::move(number), x)
                                    : binary(node, "", function, x, std::move(number)));
    define(output, std::move(y));
    return {};
  }
  const FloatTensor scales = rounded(scale), offsets = rounded(offset);
  if (!is_finite(scales) || !is_finite(offsets))
    return error(messages::NotFiniteResult, chain.last->where);
  MR_TRY(Activation y, affine(node, chain.x, scales, offsets));
  define(output, std::move(y));
  return {};
}

/// One operation where scale and offset depend on the channels of the graph, else two.
Result<Activation> Importer::affine(const Node& node, const Activation& x, const FloatTensor& scale,
                                    const FloatTensor& offset) {
  const Shape shape = broadcast_shape(scale.shape, offset.shape).value();
  std::vector<size_t> axes;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1)
      axes.push_back(x.shape.size() - shape.size() + i);
  Activation y = x;
  int64_t channels = builder_.type(y.id).shape.back();
  FloatTensor scales = expand(scale, shape), offsets = expand(offset, shape);
  constexpr int64_t MaxCopies = 65536;
  if (axes.empty() && channels > MaxCopies) {
    const auto number = [&](std::string_view suffix, double value) {
      const std::string name = node.name + std::string(suffix);
      return ConstantValue{name, node.outputs.front() + " " + name, node.where,
                           std::make_shared<const FloatTensor>(FloatTensor{{}, {value}})};
    };
    MR_TRY(y, binary(node, ".scaled", graph::BinaryFunction::Mul, std::move(y),
                     number(".scale", scales.data.front())));
    return binary(node, "", graph::BinaryFunction::Add, std::move(y),
                  number(".offset", offsets.data.front()));
  }
  if (axes.empty()) {
    scales.data.resize(static_cast<size_t>(channels), scales.data.front());
    offsets.data.resize(static_cast<size_t>(channels), offsets.data.front());
    scales.shape = offsets.shape = {channels};
  } else {
    MR_TRY(y, with_last(node, y, axes, false));
    channels = num_elements(shape);
    const Layout layout = y.layout.restricted(y.shape, axes);
    scales = layout.arrange({{channels}, scales.data});
    offsets = layout.arrange({{channels}, offsets.data});
  }
  MR_TRY(const graph::ValueId a, real_value(node, ".scale", std::move(scales)));
  MR_TRY(const graph::ValueId b, real_value(node, ".offset", std::move(offsets)));
  MR_TRY(y.id, emit(node, "", graph::Affine{}, {y.id, a, b}));
  return y;
}

/// A normalisation that does not change its scale and bias keeps them, quantisers and all. False
/// where it does change them.
Result<bool> Importer::plain_normalization(const Node& node, const Activation& x) {
  MR_TRY(const ConstantValue* gamma, constant(node, 1, "scale"));
  MR_TRY(const ConstantValue* beta, constant(node, 2, "bias"));
  MR_TRY(const ConstantValue* mean, real_constant(node, 3, "mean"));
  MR_TRY(const ConstantValue* variance, real_constant(node, 4, "variance"));
  MR_TRY(const double epsilon, float_attribute(node, "epsilon", 1e-5F));
  MR_TRY(const int64_t training, int_attribute(node, "training_mode", 0));
  MR_TRY(const int64_t spatial, int_attribute(node, "spatial", 1));
  const Shape shape = {x.shape[1]};
  for (const ConstantValue* parameter : {gamma, beta, mean, variance})
    if (parameter->shape() != shape)
      return false;  // extend() says so
  const bool is_plain =
      training == 0 && spatial == 1 &&
      std::ranges::all_of(mean->value->data, [](double m) { return m == 0; }) &&
      std::ranges::all_of(variance->value->data, [&](double v) { return v + epsilon == 1; });
  if (!is_plain)
    return false;
  MR_TRY(Activation y, with_last(node, x, {1}, false));
  const Layout layout = y.layout.restricted(y.shape, std::array<size_t, 1>{1});
  const auto arrange = [&](const FloatTensor& in) { return layout.arrange(in); };
  MR_TRY(const graph::ValueId scale, materialise(*gamma, "affine" + layout.to_string(), arrange));
  MR_TRY(const graph::ValueId offset, materialise(*beta, "affine" + layout.to_string(), arrange));
  MR_TRY(y.id, emit(node, "", graph::Affine{}, {y.id, scale, offset}));
  define(node.outputs.front(), std::move(y));
  return true;
}

}  // namespace millrace::frontends::onnx
