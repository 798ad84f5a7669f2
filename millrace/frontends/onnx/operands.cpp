// SPDX-License-Identifier: Apache-2.0
// Operands of nodes, and the operations that are added for them.
#include <algorithm>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/graph/ops/requantize.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {

Activation Map::with(graph::ValueId result, int64_t new_channels, int64_t new_height,
                     int64_t new_width) const {
  if (is_1d) {
    const Shape shape = {1, new_channels, new_width};
    return {result, shape, Layout::of_axes(shape, std::array<size_t, 3>{0, 2, 1})};
  }
  const Shape shape = {1, new_channels, new_height, new_width};
  return {result, shape, Layout::of_axes(shape, std::array<size_t, 4>{0, 2, 3, 1})};
}

bool Importer::has_input(const Node& node, size_t index) const {
  return index < node.inputs.size() && !node.inputs[index].empty();
}

Operand Importer::operand(const Node& node, size_t index) const {
  const auto found = values_.find(node.inputs.at(index));
  check(found != values_.end(), "a node came before its operand");
  const auto settled = settled_.find(node.inputs[index]);
  return settled == settled_.end() ? found->second : Operand(settled->second);
}

Result<const ConstantValue*> Importer::scaled_constant(const Node& node, size_t index,
                                                       std::string_view role) {
  const auto found = values_.find(node.inputs.at(index));
  const auto* value = found == values_.end() ? nullptr : std::get_if<ConstantValue>(&found->second);
  if (!value)
    return error(messages::NotConstant, node.where, role);
  return value;
}

Result<const ConstantValue*> Importer::constant(const Node& node, size_t index,
                                                std::string_view role) {
  MR_TRY(const ConstantValue* value, scaled_constant(node, index, role));
  if (!value->scale)
    return value;
  return &settled_.at(node.inputs[index]);
}

Result<const ConstantValue*> Importer::real_constant(const Node& node, size_t index,
                                                     std::string_view role) {
  MR_TRY(const ConstantValue* value, constant(node, index, role));
  if (!value->quantizers.empty())
    return error(messages::NotConstant, node.where, fmt::format("{} (without Quant)", role));
  return value;
}

Result<std::vector<int64_t>> Importer::integers(const Node& node, size_t index,
                                                std::string_view role) {
  MR_TRY(const ConstantValue* value, real_constant(node, index, role));
  constexpr double Limit = 0x1p53;
  std::vector<int64_t> numbers;
  for (double number : value->value->data) {
    if (value->shape().size() > 1 || number != std::floor(number) || std::abs(number) > Limit)
      return error(messages::NotIntegers, node.where, role);
    numbers.push_back(static_cast<int64_t>(number));
  }
  return numbers;
}

Result<std::optional<std::vector<int64_t>>> Importer::integers(const Node& node,
                                                               std::string_view attribute,
                                                               size_t index) {
  if (node.attributes.contains(attribute)) {
    MR_TRY(auto numbers, ints_attribute(node, attribute, {}));
    return std::optional(std::move(numbers));
  }
  if (!has_input(node, index))
    return std::optional<std::vector<int64_t>>();
  MR_TRY(auto numbers, integers(node, index, attribute));
  return std::optional(std::move(numbers));
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
  if (const auto* constant = std::get_if<ConstantValue>(&value); constant && constant->scale) {
    ConstantValue plain = *constant;
    plain.value = std::make_shared<const FloatTensor>(settled(*constant));
    plain.quantizers.clear();
    plain.scale = nullptr;
    plain.tensor = tensor + " (settled)";
    settled_.emplace(tensor, std::move(plain));
  }
  check(values_.emplace(tensor, std::move(value)).second, "a tensor was defined twice");
}

Result<graph::ValueId> Importer::emit(const Node& node, std::string_view suffix, graph::OpKind kind,
                                      std::vector<graph::ValueId> operands) {
  return builder_.add(node.name + std::string(suffix), std::move(kind), std::move(operands),
                      node.where);
}

Result<graph::ValueId> Importer::real_value(const Node& node, std::string_view suffix,
                                            FloatTensor value) {
  return builder_.add(
      node.name + std::string(suffix),
      graph::Constant{{std::move(value.shape), std::nullopt}, std::move(value.data)}, {},
      node.where);
}

Status Importer::add(const Node& node, graph::OpKind kind, std::vector<graph::ValueId> operands,
                     Shape shape, Layout layout) {
  MR_TRY(const graph::ValueId id, emit(node, "", std::move(kind), std::move(operands)));
  define(node.outputs.front(), Activation{id, std::move(shape), std::move(layout)});
  return {};
}

Status Importer::add_elementwise(const Node& node, graph::OpKind kind, const Activation& x) {
  return add(node, std::move(kind), {x.id}, x.shape, x.layout);
}

Result<graph::ValueId> Importer::materialise(const ConstantValue& constant,
                                             const std::string& layout, const Arrangement& arrange,
                                             int shift, double multiplier) {
  check(!constant.scale, "a constant with factors has none of its own");
  const std::string key = fmt::format("{}|{}|{}|{}", constant.tensor, layout, shift, multiplier);
  if (const auto found = materialised_.find(key); found != materialised_.end())
    return found->second;
  const ConstantValue placed = arranged(constant, constant.tensor, arrange);
  FloatTensor value = *placed.value;
  for (double& number : value.data)
    number = std::ldexp(number * multiplier, shift);
  const auto last = static_cast<size_t>(value.shape.empty() ? 1 : value.shape.back());
  MR_TRY(graph::ValueId id, builder_.add(constant.name,
                                         graph::Constant{{std::move(value.shape), std::nullopt},
                                                         std::move(value.data)},
                                         {}, constant.where));
  for (const QuantStep& step : placed.quantizers) {
    graph::Requantize requantize{step.to, step.types};
    requantize.to.type.frac_bits -= shift;
    auto& types = requantize.types;
    for (FixedType& type : types)
      type.frac_bits -= shift;
    if (!types.empty()) {
      bool is_per_channel = true;
      for (size_t i = last; i < types.size(); ++i)
        is_per_channel = is_per_channel && types[i] == types[i % last];
      if (is_per_channel)
        types.resize(last);
      const auto common = graph::common_type(types);
      if (!common)
        return error(messages::QuantSpread, step.where);
      requantize.to.type = *common;
    }
    MR_TRY(id, builder_.add(step.name, requantize, {id}, step.where));
  }
  materialised_.emplace(key, id);
  return id;
}

Result<Activation> Importer::lifted(const Node& node, const Operand& operand) {
  if (const auto* x = std::get_if<Activation>(&operand))
    return *x;
  const auto& constant = std::get<ConstantValue>(operand);
  const Shape& shape = constant.shape();
  if (bounded_elements(shape).value_or(0) == 0)
    return error(messages::Rank, node.where, "operand", to_string(shape), "at least one element");
  MR_TRY(const graph::ValueId id, materialise(constant, "lifted", [](const FloatTensor& in) {
           return FloatTensor{{static_cast<int64_t>(in.data.size())}, in.data};
         }));
  return Activation{id, shape, Layout::plain(shape)};
}

}  // namespace millrace::frontends::onnx
