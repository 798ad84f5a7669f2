// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/importer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/frontends/onnx/rules.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

/// The axes of a map in the graph's order; of every other tensor in ONNX's.
std::vector<size_t> port_axes(const Shape& shape) {
  if (shape.size() == 4 && shape[0] == 1)
    return {0, 2, 3, 1};
  if (shape.size() == 3 && shape[0] == 1)
    return {0, 2, 1};
  std::vector<size_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), size_t{0});
  return axes;
}

/// The graph's shape of a port whose axes lie in this order: a map, or a vector where only one
/// extent is not 1.
Shape port_shape(const Shape& shape, const std::vector<size_t>& axes) {
  Shape extents;
  for (size_t axis : axes)
    extents.push_back(shape[axis]);
  if (shape.size() == 4 && shape[0] == 1)
    return {extents[1], extents[2], extents[3]};
  if (shape.size() == 3 && shape[0] == 1)
    return extents;
  std::erase(extents, 1);
  if (extents.size() <= 1)
    return {extents.empty() ? 1 : extents[0]};
  while (extents.size() > 3) {
    extents[1] *= extents[0];
    extents.erase(extents.begin());
  }
  extents.insert(extents.begin(), 3 - extents.size(), 1);
  return extents;
}

}  // namespace

Result<ImportedModel> Importer::run() {
  builder_ = graph::Builder(model_.name.empty() ? "model" : model_.name);
  for (const Node& node : model_.nodes) {
    for (const std::string& input : node.inputs)
      users_[input].push_back(&node);
  }
  for (const Port& output : model_.outputs)
    users_[output.name].push_back(nullptr);
  MR_TRY_STATUS(check_operators());
  MR_TRY_STATUS(import_constants());
  for (const Port& input : model_.inputs)
    MR_TRY_STATUS(import_input(input));
  MR_TRY_STATUS(import_activations());
  for (const Port& output : model_.outputs)
    MR_TRY_STATUS(import_output(output));
  MR_TRY(graph::Graph graph, std::move(builder_).finish());
  return ImportedModel{std::move(graph), std::move(inputs_), std::move(outputs_)};
}

bool Importer::is_used(const Node& node, size_t output) const {
  if (output >= node.outputs.size() || node.outputs[output].empty())
    return false;
  return users_.contains(node.outputs[output]);
}

/// Before anything else, so that the first thing a user hears of is what cannot be helped.
Status Importer::check_operators() const {
  for (const Node& node : model_.nodes) {
    const Rule* rule = find_rule(node);
    if (!rule) {
      const std::string name = node.domain.empty() ? node.op : node.domain + "." + node.op;
      return error(messages::UnsupportedOperator, node.where, printable(name));
    }
    if (node.inputs.size() < rule->min_inputs || node.inputs.size() > rule->max_inputs)
      return error(messages::InputCount, node.where, node.inputs.size(), rule->min_inputs,
                   rule->max_inputs);
    for (size_t i = 0; i < rule->min_inputs; ++i) {
      if (node.inputs[i].empty())
        return error(messages::InputCount, node.where, i, rule->min_inputs, rule->max_inputs);
    }
    if (!rule->has_outputs) {
      for (size_t i = 1; i < node.outputs.size(); ++i) {
        if (is_used(node, i))
          return error(messages::ExtraOutput, node.where);
      }
      if (node.outputs.empty() || node.outputs.front().empty())
        return error(messages::ExtraOutput, node.where);
    }
    MR_TRY_STATUS(check_attributes(node, rule->attributes));
  }
  return {};
}

Status Importer::import_constants() {
  for (auto& [name, tensor] : model_.initializers) {
    auto value = std::make_shared<const FloatTensor>(std::move(tensor.numbers));
    const std::string where = fmt::format("{}: tensor '{}'", file_, printable(name));
    ConstantValue constant{name, name, where, std::move(value)};
    constant.integer = tensor.integer;
    define(name, std::move(constant));
  }
  for (const Node& node : model_.nodes) {
    const auto is_constant = [&](const std::string& input) {
      return input.empty() || values_.contains(input);
    };
    if (std::ranges::all_of(node.inputs, is_constant))
      MR_TRY_STATUS(fold(node));
  }
  return {};
}

/// A node all of whose operands are constants.
Status Importer::fold(const Node& node) {
  const Rule& rule = *find_rule(node);
  if (!rule.on_constants)
    return error(messages::NotComputed, node.where, "input");
  done_.insert(&node);
  return (this->*rule.on_constants)(node);
}

/// The node that alone reads a tensor; null where there are several, or it is an output.
const Node* Importer::only_user(const std::string& tensor) const {
  const auto found = users_.find(tensor);
  return found == users_.end() || found->second.size() != 1 ? nullptr : found->second.front();
}

/// The quantiser that alone reads an input of the model.
const Node* Importer::find_input_quantizer(const Port& port) const {
  const std::string* tensor = &port.name;
  while (const Node* user = only_user(*tensor)) {
    if (is_quant_domain(user->domain))
      return (user->op == "Quant" || user->op == "IntQuant") && user->inputs.front() == *tensor
                 ? user
                 : nullptr;
    if (user->op != "Identity")
      return nullptr;
    tensor = &user->outputs.front();
  }
  return nullptr;
}

bool Importer::is_channels_last(const Port& port) const {
  const std::string* tensor = &port.name;
  while (const Node* user = only_user(*tensor)) {
    if (user->domain == ChannelsLastDomain)
      return true;
    if (user->op == "Transpose") {
      const auto perm = user->attributes.find("perm");
      const std::vector<int64_t> map = {0, 3, 1, 2}, sequence = {0, 2, 1};
      const auto* axes = perm == user->attributes.end()
                             ? nullptr
                             : std::get_if<std::vector<int64_t>>(&perm->second);
      return axes && (*axes == map || *axes == sequence);
    }
    if (user->op == "MatMul")
      return user->inputs.front() == *tensor;
    const bool is_elementwise = user->op == "Identity" || user->op == "Cast" ||
                                user->op == "Relu" || is_quant_domain(user->domain) ||
                                user->op == "Mul" || user->op == "Sub" || user->op == "Add" ||
                                user->op == "Div";
    if (!is_elementwise || user->outputs.empty())
      return false;
    tensor = &user->outputs.front();
  }
  return false;
}

Status Importer::import_input(const Port& port) {
  const std::string where = fmt::format("{}: input '{}'", file_, printable(port.name));
  if (!port.is_float) {
    // Whole numbers are exact, but arithmetic on them wraps: only a conversion may read them.
    const auto users = users_.find(port.name);
    const auto converts = [](const Node* user) {
      return user && (user->op == "Cast" || user->op == "DequantizeLinear");
    };
    if (!port.integer || (users != users_.end() && !std::ranges::all_of(users->second, converts)))
      return error(messages::InputKind, where);
  }
  if (!port.has_shape)
    return error(messages::DynamicShape, where, "the shape");
  const size_t rank = port.extents.size();
  constexpr size_t MaxRank = 4;
  if (rank > MaxRank)
    return error(messages::InputRank, where, rank);
  Shape shape;
  for (size_t i = 0; i < rank; ++i) {
    if (!port.extents[i] && (i > 0 || rank == 1))
      return error(messages::DynamicShape, where, fmt::format("extent {}", i));
    shape.push_back(port.extents[i].value_or(1));
  }
  if (!bounded_elements(shape))
    return error(messages::TooLarge, where, "the input", fmt::format("{} elements", MaxElements));

  std::vector<size_t> axes = port_axes(shape);
  if (is_channels_last(port))
    std::ranges::sort(axes);
  graph::TensorType type{port_shape(shape, axes), port.integer};
  if (const Node* node = port.integer ? nullptr : find_input_quantizer(port)) {
    MR_TRY(const QuantParameters parameters, quant_parameters(*node, shape));
    // Others stay operations, so that whoever feeds the circuit can read how they round.
    if (const auto to = parameters.plain(); to && to->rounding == Rounding::HalfEven) {
      type.element = to->type;
      input_quantizers_.insert(node);
    }
  }
  MR_TRY(const graph::ValueId id, builder_.add(port.name, graph::Input{type}, {}, where));
  define(port.name, Activation{id, shape, Layout::of_axes(shape, axes)});
  inputs_.push_back({port.name, std::move(shape), std::move(axes)});
  return {};
}

Status Importer::import_activations() {
  for (const Node& node : model_.nodes) {
    if (done_.contains(&node))
      continue;
    // Shapes of computed values are constants that are known only now.
    const auto is_constant = [&](const std::string& input) {
      const auto found = values_.find(input);
      return input.empty() ||
             (found != values_.end() && std::holds_alternative<ConstantValue>(found->second));
    };
    if (!node.inputs.empty() && std::ranges::all_of(node.inputs, is_constant)) {
      MR_TRY_STATUS(fold(node));
      continue;
    }
    const Rule& rule = *find_rule(node);
    if (!rule.on_activations)
      return error(messages::UnsupportedOperator, node.where, node.op + " of a computed value");
    MR_TRY_STATUS((this->*rule.on_activations)(node));
  }
  return {};
}

Status Importer::import_output(const Port& port) {
  const std::string where = fmt::format("{}: output '{}'", file_, printable(port.name));
  const auto found = values_.find(port.name);
  check(found != values_.end(), "an output that nothing defines");
  const auto* value = std::get_if<Activation>(&found->second);
  if (!value)
    return error(messages::ConstantOutput, where, printable(port.name));
  const Shape& shape = value->shape;
  if (port.has_shape) {
    const auto agrees = [](const std::optional<int64_t>& declared, int64_t extent) {
      return declared.value_or(extent) == extent;
    };
    if (!std::ranges::equal(port.extents, shape, agrees)) {
      std::vector<std::string> declared;
      declared.reserve(port.extents.size());
      for (const auto& extent : port.extents)
        declared.push_back(extent ? fmt::format("{}", *extent) : "?");
      return error(messages::OutputShape, where, fmt::format("{}", fmt::join(declared, "x")),
                   to_string(shape));
    }
  }
  Node place;
  place.name = port.name;
  place.where = where;
  std::vector<size_t> axes = port_axes(shape);
  const auto merged = value->layout.reshaped(shape);
  const bool is_usual = merged == Layout::of_axes(shape, axes).reshaped(shape);
  if (!is_usual && value->layout.is_plain())
    std::ranges::sort(axes);  // a channels-last model
  std::vector<size_t> order;
  const auto runs = value->layout.runs(shape);
  for (size_t axis : axes)
    for (size_t i = runs[axis].begin; i < runs[axis].end; ++i)
      order.push_back(i);
  MR_TRY(const Activation placed, reordered(place, *value, std::move(order)));
  MR_TRY(const graph::ValueId id, shaped(place, placed.id, port_shape(shape, axes)));
  builder_.output(id);
  outputs_.push_back({port.name, shape, std::move(axes)});
  return {};
}

}  // namespace millrace::frontends::onnx
