// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/importer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {

/// What is known about an operator.
struct Importer::Rule {
  std::string_view op;
  size_t min_inputs, max_inputs;
  Handler on_constants;    ///< where all operands are constants; null when that is not supported
  Handler on_activations;  ///< likewise
  std::vector<std::string_view> attributes;
};

const Importer::Rule* Importer::find_rule(const Node& node) {
  using I = Importer;
  static const std::vector<Rule> operator_rules = {
      {"Add", 2, 2, nullptr, &I::add_constant, {}},
      {"BatchNormalization",
       5,
       5,
       nullptr,
       &I::batch_normalization,
       {"epsilon", "momentum", "spatial", "training_mode"}},
      {"Constant",
       0,
       0,
       &I::constant_node,
       nullptr,
       {"value", "value_float", "value_floats", "value_int", "value_ints"}},
      {"Conv",
       2,
       3,
       nullptr,
       &I::conv,
       {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      {"Flatten", 1, 1, nullptr, &I::flatten, {"axis"}},
      {"Gemm", 2, 3, nullptr, &I::gemm, {"alpha", "beta", "transA", "transB"}},
      {"Identity", 1, 1, &I::constant_identity, &I::identity, {}},
      {"MatMul", 2, 2, nullptr, &I::mat_mul, {}},
      {"MaxPool",
       1,
       1,
       nullptr,
       &I::max_pool,
       {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"}},
      {"Relu", 1, 1, nullptr, &I::relu, {}},
      {"Reshape", 2, 2, &I::constant_reshape, &I::reshape, {"allowzero"}},
      {"Sigmoid", 1, 1, nullptr, &I::sigmoid, {}},
      {"Transpose", 1, 1, &I::constant_transpose, nullptr, {"perm"}},
  };
  static const std::vector<std::string_view> quant_attributes = {"narrow", "rounding_mode",
                                                                 "signed"};
  static const std::vector<Rule> quant_rules = {
      {"Quant", 4, 4, &I::constant_quant, &I::quant, quant_attributes},
      {"IntQuant", 4, 4, &I::constant_quant, &I::quant, quant_attributes},
  };
  const bool is_quant = is_quant_domain(node.domain);
  if (!is_quant && !node.domain.empty())
    return nullptr;
  const auto& rules = is_quant ? quant_rules : operator_rules;
  const auto found = std::ranges::find(rules, node.op, &Rule::op);
  return found == rules.end() ? nullptr : &*found;
}

Result<graph::Graph> Importer::run() {
  builder_ = graph::Builder(model_.name.empty() ? "model" : model_.name);
  for (const Node& node : model_.nodes) {
    for (const std::string& input : node.inputs)
      users_[input].push_back(&node);
  }
  users_[model_.output.name].push_back(nullptr);
  MR_TRY_STATUS(check_operators());
  MR_TRY_STATUS(import_constants());
  MR_TRY_STATUS(import_input());
  MR_TRY_STATUS(import_activations());
  MR_TRY_STATUS(import_output());
  return std::move(builder_).finish();
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
    const auto is_used = [](const std::string& output) { return !output.empty(); };
    if (std::ranges::count_if(node.outputs, is_used) != 1 || node.outputs.front().empty())
      return error(messages::ExtraOutput, node.where);
    MR_TRY_STATUS(check_attributes(node, rule->attributes));
  }
  return {};
}

Status Importer::import_constants() {
  for (auto& [name, tensor] : model_.initializers) {
    auto value = std::make_shared<const FloatTensor>(std::move(tensor));
    const std::string where = fmt::format("{}: tensor '{}'", file_, printable(name));
    define(name, ConstantValue{name, name, where, std::move(value), {}});
  }
  for (const Node& node : model_.nodes) {
    const auto is_constant = [&](const std::string& input) {
      return input.empty() || values_.contains(input);
    };
    if (!std::ranges::all_of(node.inputs, is_constant))
      continue;
    const Rule& rule = *find_rule(node);
    if (!rule.on_constants)
      return error(messages::NotComputed, node.where, "input");
    MR_TRY_STATUS((this->*rule.on_constants)(node));
    done_.insert(&node);
  }
  return {};
}

/// The quantiser that alone reads the model's input.
const Node* Importer::find_input_quantizer() const {
  const std::string* tensor = &model_.input.name;
  while (true) {
    const auto found = users_.find(*tensor);
    if (found == users_.end() || found->second.size() != 1 || !found->second.front())
      return nullptr;
    const Node& user = *found->second.front();
    if (is_quant_domain(user.domain))
      return user.inputs.front() == *tensor ? &user : nullptr;
    if (user.op != "Identity")
      return nullptr;
    tensor = &user.outputs.front();
  }
}

Status Importer::import_input() {
  const Port& port = model_.input;
  const std::string where = fmt::format("{}: input '{}'", file_, printable(port.name));
  if (!port.is_float)
    return error(messages::InputKind, where);
  if (!port.has_shape)
    return error(messages::DynamicShape, where, "the shape");
  const size_t rank = port.extents.size();
  if (rank != 2 && rank != 4)
    return error(messages::InputRank, where, rank);
  if (port.extents[0].value_or(1) != 1)
    return error(messages::Batch, where, *port.extents[0]);
  Shape shape;
  for (size_t i = 1; i < rank; ++i) {
    if (!port.extents[i])
      return error(messages::DynamicShape, where, fmt::format("extent {}", i));
    shape.push_back(*port.extents[i]);
  }
  if (!bounded_elements(shape))
    return error(messages::TooLarge, where, "the input", fmt::format("{} elements", MaxElements));

  graph::TensorType type{shape, std::nullopt};
  if (rank == 4)
    type.shape = {shape[1], shape[2], shape[0]};
  input_quantizer_ = find_input_quantizer();
  if (input_quantizer_) {
    const Node& node = *input_quantizer_;
    Shape full = shape;
    full.insert(full.begin(), 1);
    MR_TRY(const Quantizer to, quantizer(node, full));
    if (to.rounding != Rounding::HalfEven)
      return error(messages::QuantInputRounding, node.where, to_string(to.rounding));
    type.element = to.type;
  }
  MR_TRY(const graph::ValueId id, builder_.add(port.name, graph::Input{type}, {}, where));
  define(port.name, Activation{id, std::move(shape), {}});
  return {};
}

Status Importer::import_activations() {
  for (const Node& node : model_.nodes) {
    if (done_.contains(&node))
      continue;
    const Rule& rule = *find_rule(node);
    if (!rule.on_activations)
      return error(messages::UnsupportedOperator, node.where, node.op + " of a computed value");
    MR_TRY_STATUS((this->*rule.on_activations)(node));
  }
  return {};
}

Status Importer::import_output() {
  const Port& port = model_.output;
  const std::string where = fmt::format("{}: output '{}'", file_, printable(port.name));
  const auto* value = std::get_if<Activation>(&values_.find(port.name)->second);
  if (!value)
    return error(messages::ConstantOutput, where, printable(port.name));
  if (const Shape& chw = value->flattened; !chw.empty())
    return error(messages::FlattenedOutput, where, chw[0], chw[1], chw[2]);

  if (port.has_shape) {
    Shape computed = value->shape;
    computed.insert(computed.begin(), 1);
    const auto agrees = [](const std::optional<int64_t>& declared, int64_t extent) {
      return declared.value_or(extent) == extent;
    };
    if (!std::ranges::equal(port.extents, computed, agrees)) {
      std::vector<std::string> declared;
      declared.reserve(port.extents.size());
      for (const auto& extent : port.extents)
        declared.push_back(extent ? fmt::format("{}", *extent) : "?");
      return error(messages::OutputShape, where, fmt::format("{}", fmt::join(declared, "x")),
                   to_string(computed));
    }
  }
  builder_.output(value->id);
  return {};
}

bool Importer::has_input(const Node& node, size_t index) const {
  return index < node.inputs.size() && !node.inputs[index].empty();
}

Result<const ConstantValue*> Importer::constant(const Node& node, size_t index,
                                                std::string_view role) {
  const auto found = values_.find(node.inputs.at(index));
  const auto* value = found == values_.end() ? nullptr : std::get_if<ConstantValue>(&found->second);
  if (!value)
    return error(messages::NotConstant, node.where, role);
  return value;
}

Result<const ConstantValue*> Importer::real_constant(const Node& node, size_t index,
                                                     std::string_view role) {
  MR_TRY(const ConstantValue* value, constant(node, index, role));
  if (!value->quantizers.empty())
    return error(messages::NotConstant, node.where, fmt::format("{} (without Quant)", role));
  return value;
}

Result<const Activation*> Importer::computed(const Node& node, size_t index,
                                             std::string_view role) {
  const auto found = values_.find(node.inputs.at(index));
  check(found != values_.end(), "a node came before its operand");
  const auto* value = std::get_if<Activation>(&found->second);
  if (!value)
    return error(messages::NotComputed, node.where, role);
  return value;
}

void Importer::define(const std::string& tensor, Value value) {
  check(values_.emplace(tensor, std::move(value)).second, "a tensor was defined twice");
}

Status Importer::add(const Node& node, graph::OpKind kind, std::vector<graph::ValueId> operands,
                     Shape shape, Shape flattened, const std::string& output) {
  MR_TRY(const graph::ValueId id,
         builder_.add(node.name, std::move(kind), std::move(operands), node.where));
  define(output, Activation{id, std::move(shape), std::move(flattened)});
  return {};
}

Result<graph::ValueId> Importer::materialise(
    const ConstantValue& constant, const std::string& layout,
    const std::function<FloatTensor(const FloatTensor&)>& arrange, int shift) {
  const std::string key = fmt::format("{}|{}|{}", constant.tensor, layout, shift);
  if (const auto found = materialised_.find(key); found != materialised_.end())
    return found->second;
  FloatTensor value = arrange(*constant.value);
  for (double& number : value.data)
    number = std::ldexp(number, shift);
  MR_TRY(graph::ValueId id, builder_.add(constant.name,
                                         graph::Constant{{std::move(value.shape), std::nullopt},
                                                         std::move(value.data)},
                                         {}, constant.where));
  for (const QuantStep& step : constant.quantizers) {
    graph::Requantize requantize{step.to};
    requantize.to.type.frac_bits -= shift;
    MR_TRY(id, builder_.add(step.name, requantize, {id}, step.where));
  }
  materialised_.emplace(key, id);
  return id;
}

}  // namespace millrace::frontends::onnx
