// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/export.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/exporter.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/own_functions.h"
#include "millrace/graph/accumulator.h"

namespace millrace::frontends {
namespace onnx {
namespace {

using graph::Graph;

bool is_binary(const graph::Op& op) {
  return op.as<graph::Add>() || op.as<graph::Sub>() || op.as<graph::Mul>() ||
         op.as<graph::Maximum>() || op.as<graph::Minimum>();
}

/// The least version of ONNX's operators that has what the graph needs; 13 without a reason.
int needed_opset(const Graph& graph) {
  int opset = 13;
  for (const graph::Op& op : graph.ops()) {
    if (const auto* unary = op.as<graph::Unary>()) {
      using graph::UnaryFunction;
      const UnaryFunction function = unary->function;
      const bool is_gelu = function == UnaryFunction::Gelu || function == UnaryFunction::GeluTanh;
      opset = std::max(opset, is_gelu                                ? 20
                              : function == UnaryFunction::Mish      ? 18
                              : function == UnaryFunction::HardSwish ? 14
                                                                     : 13);
    }
    if (const auto* pool = op.as<graph::AvgPool>(); pool && pool->window.is_dilated())
      opset = std::max(opset, 19);
  }
  return opset;
}

}  // namespace

Shape onnx_shape(const Shape& shape) {
  return shape.size() == 3 ? Shape{1, shape[2], shape[0], shape[1]} : Shape{1, shape[0]};
}

FloatTensor map_to_chw(const FloatTensor& in) {
  FloatTensor map{{1, in.shape[0], in.shape[1], in.shape[2]}, in.data};
  return transpose(map, std::array<int64_t, 4>{0, 3, 1, 2});
}

Exporter::Exporter(const Graph& graph)
    : graph_(graph),
      writer_(graph.name(), needed_opset(graph)),
      users_(graph.users()),
      tensors_(graph.ops().size()),
      flattened_(graph.ops().size()) {}

bool Exporter::is_constant(ValueId value) const {
  const Op& op = graph_.op(value);
  return op.as<graph::Constant>() ||
         (op.as<graph::Requantize>() && is_constant(op.operands.front()));
}

Status Exporter::unsupported(const Op& op, std::string_view what) {
  return error(messages::ExportOperation, place(op), what);
}

Result<std::string> Exporter::run() {
  for (const Op& op : graph_.ops()) {
    if (graph::accumulator_of(op))
      return error(messages::ExportOperation, place(op),
                   "sums in an accumulator (--accumulators hls4ml)");
    writer_.reserve(op.name);
  }
  for (ValueId value = 0; value < static_cast<ValueId>(graph_.ops().size()); ++value)
    MR_TRY_STATUS(write(value));
  for (const ValueId output : graph_.outputs())
    MR_TRY_STATUS(write_output(output));
  return writer_.finish();
}

Status Exporter::write_output(ValueId value) {
  const Op& op = graph_.op(value);
  if (is_constant(value))
    return error(messages::ConstantOutput, place(op), op.name);
  std::string name = tensors_[static_cast<size_t>(value)];
  if (const Shape& chw = flattened_[static_cast<size_t>(value)]; !chw.empty()) {
    Op user = op;
    user.operands = {value};
    name = ordered(user);
  }
  writer_.output(name, onnx_shape(op.type.shape), op.as<graph::TopK>() != nullptr);
  return {};
}

Status Exporter::write(ValueId value) {
  if (is_constant(value))
    return {};
  const Op& op = graph_.op(value);
  if (op.type.shape.size() != 1 && op.type.shape.size() != 3)
    return unsupported(op, fmt::format("{} of rank {}", op.mnemonic(), op.type.shape.size()));
  if (!op.operands.empty() && is_constant(op.operands.front()) && !is_binary(op))
    return unsupported(op, fmt::format("{} of a constant", op.mnemonic()));
  tensors_[static_cast<size_t>(value)] = op.name;
  return std::visit([&](const auto& kind) { return write_op(op, kind); }, op.kind);
}

const std::string& Exporter::tensor(const Op& op, size_t operand) const {
  return tensors_[static_cast<size_t>(op.operands.at(operand))];
}

std::string Exporter::ordered(const Op& op, size_t operand) {
  const ValueId value = op.operands.at(operand);
  const Shape& chw = flattened_[static_cast<size_t>(value)];
  if (chw.empty())
    return tensor(op, operand);
  const auto found = ordered_.find(value);
  if (found != ordered_.end())
    return found->second;
  const Op& source = graph_.op(value);
  std::string name =
      reshaped(tensor(op, operand), {1, chw[0], chw[1], chw[2]}, helper(source, ".map"));
  name = transposed(name, {0, 2, 3, 1}, helper(source, ".last"));
  name = reshaped(name, onnx_shape(source.type.shape), helper(source, ".ordered"));
  return ordered_[value] = name;
}

std::string Exporter::apart(const Op& op, const std::string& input) {
  const ValueId value = op.operands[is_constant(op.operands[0]) ? 1 : 0];
  const Op& source = graph_.op(value);
  if (users_[static_cast<size_t>(value)].size() != 1 || graph_.is_output(value))
    return input;
  const auto has_constant = [&](const Op& sum) {
    return is_binary(sum) &&
           std::ranges::any_of(sum.operands, [&](ValueId v) { return is_constant(v); });
  };
  const bool is_layer = source.as<graph::Dense>() || source.as<graph::Conv2D>() ||
                        source.as<graph::ConvTranspose2D>();
  const bool is_chain = has_constant(source) && (has_constant(op) || op.as<graph::Affine>());
  const bool is_bias =
      is_layer && is_implied_bias(source) && op.as<graph::Add>() && has_constant(op);
  if (!is_chain && !is_bias)
    return input;
  const std::string name = helper(op, ".apart");
  writer_.node("Identity", name, {input}, name);
  return name;
}

std::string Exporter::reshaped(const std::string& input, const Shape& shape,
                               const std::string& name) {
  const std::string target = writer_.unique_name(name + ".shape");
  writer_.integers(target, shape);
  writer_.node("Reshape", name, {input, target}, name);
  return name;
}

std::string Exporter::transposed(const std::string& input, const std::vector<int64_t>& axes,
                                 const std::string& name) {
  writer_.node("Transpose", name, {input}, name).attribute("perm", axes);
  return name;
}

Status Exporter::write_op(const Op& op, const graph::Input& input) {
  if (input.step)
    return unsupported(op, "an input in steps");
  writer_.input(op.name, onnx_shape(op.type.shape));
  if (!op.type.is_fixed())
    return {};
  std::string& name = tensors_[index_of(op)];
  name = helper(op, ".quant");
  return writer_.quant(name, op.name, {.type = op.type.fixed()}, name, place(op));
}

Status Exporter::write_op(const Op& op, const graph::Requantize& to) {
  if (is_dequantised(op))
    return {};
  const bool is_uniform = to.types.empty() && to.steps.size() <= 1;
  if (is_uniform)
    flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
  return write_quant(op.name, is_uniform ? tensor(op) : ordered(op), op, as_written);
}

/// Whether QONNX's Quant has the modes and types of a quantiser, its steps aside.
bool Exporter::is_quant(const Op& requantize) {
  const auto& to = std::get<graph::Requantize>(requantize.kind);
  const auto is_plain = [&](const FixedType& type) {
    return ModelWriter::check_quantizer({type, to.to.rounding, to.to.overflow}, {}).has_value();
  };
  return to.types.empty() ? is_plain(to.to.type)
                          : std::ranges::all_of(to.types, [&](const FixedType& type) {
                              return type.is_signed == to.types.front().is_signed && is_plain(type);
                            });
}

/// Whether all that reads a quantiser with steps multiplies by them: Quant does both.
bool Exporter::is_dequantised(const Op& requantize) const {
  const auto& steps = requantize.as<graph::Requantize>()->steps;
  const auto value = static_cast<ValueId>(index_of(requantize));
  const auto& users = users_[index_of(requantize)];
  return !steps.empty() && is_quant(requantize) && !graph_.is_output(value) && !users.empty() &&
         std::ranges::all_of(users, [&](ValueId user) {
           const Op& op = graph_.op(user);
           const auto* factor =
               op.as<graph::Mul>() ? graph_.op(op.operands[1]).as<graph::Constant>() : nullptr;
           return factor && !factor->type.is_fixed() && factor->real() == steps;
         });
}

FloatTensor Exporter::as_written(const FloatTensor& in) {
  return in.shape.size() == 3 ? map_to_chw(in) : FloatTensor{{1, in.shape[0]}, in.data};
}

Status Exporter::write_quant(const std::string& output, const std::string& input,
                             const Op& requantize, const Arrange& arrange,
                             const std::string& name) {
  const auto& to = std::get<graph::Requantize>(requantize.kind);
  const Shape& shape = requantize.type.shape;
  // One number for all, one for each channel of a map, or one for each element.
  const size_t listed = std::max({to.types.size(), to.steps.size(), size_t{1}});
  const bool is_of_channels = shape.size() == 3 && listed == static_cast<size_t>(shape[2]) &&
                              !is_constant(requantize.operands.front());
  const auto written = [&](const auto& number) {
    FloatTensor numbers;
    numbers.shape = listed == 1 ? Shape{} : is_of_channels ? Shape{1, shape[2], 1, 1} : shape;
    const int64_t count = num_elements(numbers.shape);
    for (int64_t i = 0; i < count; ++i)
      numbers.data.push_back(number(static_cast<size_t>(i)));
    return listed == 1 || is_of_channels ? numbers : arrange(numbers);
  };
  const FloatTensor unit =
      written([&](size_t i) { return std::ldexp(1.0, -to.at(i).type.frac_bits); });
  const FloatTensor step =
      written([&](size_t i) { return std::ldexp(to.step(i), -to.at(i).type.frac_bits); });
  const FloatTensor width =
      written([&](size_t i) { return static_cast<double>(to.at(i).type.width); });
  if (is_quant(requantize) && (to.steps.empty() || is_dequantised(requantize)))
    return writer_.quant(name.empty() ? output : name, input, to.at(0), step, width, output);

  if (to.to.overflow == Overflow::WrapSignMagnitude)
    return error(messages::ExportQuantizer, place(requantize), "overflow by WRAP_SM");
  const FloatTensor sign = written([&](size_t i) { return to.at(i).type.is_signed ? 1.0 : 0.0; });
  std::vector<std::string> operands = {input};
  const auto operand = [&](std::string_view suffix, const FloatTensor& numbers) {
    operands.push_back(writer_.unique_name(output + std::string(suffix)));
    writer_.initializer(operands.back(), numbers);
  };
  operand(".step", step);
  operand(".unit", unit);
  operand(".bit_width", width);
  operand(".sign", sign);
  writer_.own_node(RequantizeModes{to.to.rounding, to.to.overflow}.name(), output, operands);
  return {};
}

Result<FloatTensor> Exporter::numbers(const Op& op) const {
  const auto& constant = std::get<graph::Constant>(op.kind);
  if (!constant.type.is_fixed())
    return FloatTensor{constant.type.shape, constant.real()};
  const FixedType& type = constant.type.fixed();
  FloatTensor result{constant.type.shape, {}};
  result.data.reserve(constant.raw().size());
  for (int64_t raw : constant.raw()) {
    const double number = type.to_double(raw);
    if (millrace::requantize(number, {.type = type}) != raw)
      return error(messages::ExportNumber, place(op), raw, type.to_string());
    result.data.push_back(number);
  }
  return result;
}

Result<std::string> Exporter::constant_operand(ValueId value, const std::string& layout,
                                               const Arrange& arrange) {
  const Op& op = graph_.op(value);
  if (!is_constant(value))
    return error(messages::ExportOperation, place(op), "weights that are not constant");
  const std::string key = fmt::format("{}|{}", value, layout);
  if (const auto found = constants_.find(key); found != constants_.end())
    return found->second;
  // The first layout keeps the operation's name, which is reserved for it.
  const bool is_first = constants_.emplace(op.name + "|", op.name).second;
  std::string name = is_first ? op.name : writer_.unique_name(op.name);
  if (op.as<graph::Requantize>()) {
    MR_TRY(const std::string input, constant_operand(op.operands.front(), layout, arrange));
    MR_TRY_STATUS(write_quant(name, input, op, arrange));
  } else {
    MR_TRY(const FloatTensor plain, numbers(op));
    if (op.type.is_fixed()) {
      const std::string real = writer_.unique_name(name + ".real");
      writer_.initializer(real, arrange(plain));
      MR_TRY_STATUS(writer_.quant(name, real, {.type = op.type.fixed()}, name, place(op)));
    } else {
      writer_.initializer(name, arrange(plain));
    }
  }
  constants_.emplace(key, name);
  return name;
}

}  // namespace onnx

Result<std::string> export_onnx(const graph::Graph& graph) {
  return onnx::Exporter(graph).run();
}

}  // namespace millrace::frontends
