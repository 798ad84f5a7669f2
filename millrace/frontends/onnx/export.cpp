// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/export.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/model_writer.h"

namespace millrace::frontends {
namespace onnx {
namespace {

using graph::Graph;
using graph::Op;
using graph::ValueId;

/// A tensor's shape in ONNX: batch of 1, channels first.
Shape onnx_shape(const Shape& shape) {
  return shape.size() == 3 ? Shape{1, shape[2], shape[0], shape[1]} : Shape{1, shape[0]};
}

FloatTensor unchanged(const FloatTensor& in) {
  return in;
}

/// The inverse of rows_to_hwc().
FloatTensor rows_to_chw(const FloatTensor& in, const Shape& chw) {
  if (chw.empty())
    return in;
  FloatTensor rows{{chw[1], chw[2], chw[0], in.shape.size() == 1 ? 1 : in.shape[1]}, in.data};
  rows = transpose(rows, std::array<int64_t, 4>{2, 0, 1, 3});
  rows.shape = in.shape;
  return rows;
}

void write_window(NodeWriter& node, const graph::Window& window) {
  node.attribute("kernel_shape", std::vector{window.kernel_h, window.kernel_w})
      .attribute("pads",
                 std::vector{window.pad_top, window.pad_left, window.pad_bottom, window.pad_right})
      .attribute("strides", std::vector{window.stride_h, window.stride_w});
  if (window.is_dilated())
    node.attribute("dilations", std::vector{window.dilation_h, window.dilation_w});
}

class Exporter {
public:
  explicit Exporter(const Graph& graph)
      : graph_(graph),
        writer_(graph.name()),
        tensors_(graph.ops().size()),
        flattened_(graph.ops().size()) {}

  Result<std::string> run();

private:
  using Arrange = std::function<FloatTensor(const FloatTensor&)>;

  static std::string place(const Op& op) { return "%" + op.name; }
  bool is_constant(ValueId value) const;
  Status write(ValueId value);
  Status write_op(ValueId value, const graph::Input& input);
  Status write_op(ValueId value, const graph::Requantize& requantize);
  Status write_op(ValueId value, const graph::Conv2D& conv);
  Status write_op(ValueId value, const graph::Dense& dense);
  Status write_op(ValueId value, const graph::Affine& affine);
  Status write_op(ValueId value, const graph::MaxPool& pool);
  Status write_op(ValueId value, const graph::Flatten& flatten);
  Status write_op(ValueId value, const graph::Relu&) { return write_plain(value, "Relu"); }
  Status write_op(ValueId value, const graph::Unary& unary) {
    return unary == graph::Unary{graph::UnaryFunction::Sigmoid} ? write_plain(value, "Sigmoid")
                                                                : unsupported(value);
  }
  Status write_op(ValueId, const graph::Constant&) { return {}; }  // written where it is used
  template <class Other>
  Status write_op(ValueId value, const Other&) {
    return unsupported(value);
  }
  Status write_plain(ValueId value, std::string_view op);
  Status unsupported(ValueId value) const;

  /// The tensor of a constant operand with its quantisers; `layout` names what `arrange` does.
  Result<std::string> constant_operand(ValueId value, const std::string& layout,
                                       const Arrange& arrange);
  Result<FloatTensor> numbers(const Op& op) const;
  /// True for the zeros that the importer gives a layer without a bias.
  bool is_implied_bias(const Op& layer) const;
  Result<std::vector<std::string>> layer_operands(const Op& op, const std::string& layout,
                                                  const Arrange& arrange);

  const Graph& graph_;
  ModelWriter writer_;
  std::vector<std::string> tensors_;  ///< of each activation
  std::vector<Shape> flattened_;      ///< C x H x W where a vector is a map in ONNX's CHW order
  std::map<std::string, std::string> constants_;
};

bool Exporter::is_constant(ValueId value) const {
  const Op& op = graph_.op(value);
  return op.as<graph::Constant>() ||
         (op.as<graph::Requantize>() && is_constant(op.operands.front()));
}

Status Exporter::unsupported(ValueId value) const {
  const Op& op = graph_.op(value);
  return error(messages::ExportOperation, place(op), op.mnemonic());
}

Result<std::string> Exporter::run() {
  const auto inputs = graph_.inputs();
  if (inputs.size() != 1 || graph_.outputs().size() != 1)
    return error(messages::ExportPorts, graph_.name(), inputs.size(), graph_.outputs().size());
  for (const Op& op : graph_.ops())
    writer_.reserve(op.name);
  for (ValueId value = 0; value < static_cast<ValueId>(graph_.ops().size()); ++value)
    MR_TRY_STATUS(write(value));

  const ValueId output = graph_.outputs().front();
  const Op& op = graph_.op(output);
  if (is_constant(output))
    return error(messages::ConstantOutput, place(op), op.name);
  if (const Shape& chw = flattened_[static_cast<size_t>(output)]; !chw.empty())
    return error(messages::FlattenedOutput, place(op), chw[0], chw[1], chw[2]);
  writer_.output(tensors_[static_cast<size_t>(output)], onnx_shape(op.type.shape));
  return writer_.finish();
}

Status Exporter::write(ValueId value) {
  if (is_constant(value))
    return {};
  const Op& op = graph_.op(value);
  if (!op.operands.empty() && is_constant(op.operands.front()))
    return error(messages::ExportOperation, place(op),
                 fmt::format("{} of a constant", op.mnemonic()));
  tensors_[static_cast<size_t>(value)] = op.name;
  if (op.operands.size() == 1 || op.as<graph::Affine>())
    flattened_[static_cast<size_t>(value)] = flattened_[static_cast<size_t>(op.operands.front())];
  return std::visit([&](const auto& kind) { return write_op(value, kind); }, op.kind);
}

Status Exporter::write_op(ValueId value, const graph::Input&) {
  const Op& op = graph_.op(value);
  writer_.input(op.name, onnx_shape(op.type.shape));
  if (!op.type.is_fixed())
    return {};
  std::string& tensor = tensors_[static_cast<size_t>(value)];
  tensor = writer_.unique_name(op.name + ".quant");
  return writer_.quant(tensor, op.name, {.type = op.type.fixed()}, tensor, place(op));
}

Status Exporter::write_op(ValueId value, const graph::Requantize& requantize) {
  const Op& op = graph_.op(value);
  if (!requantize.types.empty())
    return error(messages::ExportQuantizer, place(op), "a type for each channel");
  return writer_.quant(op.name, tensors_[static_cast<size_t>(op.operands.front())], requantize.to,
                       op.name, place(op));
}

Status Exporter::write_plain(ValueId value, std::string_view name) {
  const Op& op = graph_.op(value);
  writer_.node(name, op.name, {tensors_[static_cast<size_t>(op.operands.front())]}, op.name);
  return {};
}

Status Exporter::write_op(ValueId value, const graph::Flatten&) {
  const Op& op = graph_.op(value);
  const Shape& hwc = graph_.type(op.operands.front()).shape;
  if (hwc.size() == 3 && hwc[2] > 1 && hwc[0] * hwc[1] > 1)
    flattened_[static_cast<size_t>(value)] = {hwc[2], hwc[0], hwc[1]};
  writer_.node("Flatten", op.name, {tensors_[static_cast<size_t>(op.operands.front())]}, op.name)
      .attribute("axis", int64_t{1});
  return {};
}

Status Exporter::write_op(ValueId value, const graph::MaxPool& pool) {
  const Op& op = graph_.op(value);
  NodeWriter node = writer_.node("MaxPool", op.name,
                                 {tensors_[static_cast<size_t>(op.operands.front())]}, op.name);
  write_window(node, pool.window);
  return {};
}

Status Exporter::write_op(ValueId value, const graph::Conv2D& conv) {
  const Op& op = graph_.op(value);
  MR_TRY(const auto operands, layer_operands(op, "oihw", [](const FloatTensor& in) {
           return transpose(in, std::array<int64_t, 4>{3, 2, 0, 1});
         }));
  NodeWriter node = writer_.node("Conv", op.name, operands, op.name);
  write_window(node, conv.window);
  if (conv.groups != 1)
    node.attribute("group", conv.groups);
  return {};
}

Status Exporter::write_op(ValueId value, const graph::Dense&) {
  const Op& op = graph_.op(value);
  const Shape& chw = flattened_[static_cast<size_t>(op.operands[0])];
  MR_TRY(const auto operands,
         layer_operands(op, "rows" + to_string(chw),
                        [&](const FloatTensor& in) { return rows_to_chw(in, chw); }));
  writer_.node("Gemm", op.name, operands, op.name);
  return {};
}

Status Exporter::write_op(ValueId value, const graph::Affine&) {
  const Op& op = graph_.op(value);
  const Shape& chw = flattened_[static_cast<size_t>(value)];
  std::vector<std::string> operands = {tensors_[static_cast<size_t>(op.operands[0])]};
  for (size_t i = 1; i <= 2; ++i) {
    const Arrange arrange = [&](const FloatTensor& in) { return rows_to_chw(in, chw); };
    MR_TRY(std::string tensor,
           constant_operand(op.operands[i], "affine" + to_string(chw), arrange));
    operands.push_back(std::move(tensor));
  }
  const int64_t channels = op.type.shape.back();
  const auto filled = [&](double number) {
    return FloatTensor{{channels}, std::vector<double>(static_cast<size_t>(channels), number)};
  };
  operands.push_back(writer_.unique_name(op.name + ".mean"));
  writer_.initializer(operands.back(), filled(0));
  operands.push_back(writer_.unique_name(op.name + ".variance"));
  writer_.initializer(operands.back(), filled(1));
  writer_.node("BatchNormalization", op.name, operands, op.name).attribute("epsilon", 0.0);
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
  std::string tensor = is_first ? op.name : writer_.unique_name(op.name);
  if (const auto* requantize = op.as<graph::Requantize>()) {
    if (!requantize->types.empty())
      return error(messages::ExportQuantizer, place(op), "a type for each channel");
    MR_TRY(const std::string input, constant_operand(op.operands.front(), layout, arrange));
    MR_TRY_STATUS(writer_.quant(tensor, input, requantize->to, tensor, place(op)));
  } else {
    MR_TRY(const FloatTensor plain, numbers(op));
    if (op.type.is_fixed()) {
      const std::string real = writer_.unique_name(tensor + ".real");
      writer_.initializer(real, arrange(plain));
      MR_TRY_STATUS(writer_.quant(tensor, real, {.type = op.type.fixed()}, tensor, place(op)));
    } else {
      writer_.initializer(tensor, arrange(plain));
    }
  }
  constants_.emplace(key, tensor);
  return tensor;
}

bool Exporter::is_implied_bias(const Op& layer) const {
  const Op& bias = graph_.op(layer.operands[2]);
  const auto* constant = bias.as<graph::Constant>();
  if (!constant || bias.name != layer.name + ".bias")
    return false;
  const auto is_zero = [](auto number) { return number == 0; };
  if (!constant->type.is_fixed())
    return std::ranges::all_of(constant->real(), is_zero);
  const int frac_bits = graph_.type(layer.operands[0]).fixed().frac_bits +
                        graph_.type(layer.operands[1]).fixed().frac_bits;
  return std::ranges::all_of(constant->raw(), is_zero) &&
         constant->type.fixed() ==
             FixedType{.is_signed = false, .width = 1, .frac_bits = frac_bits};
}

Result<std::vector<std::string>> Exporter::layer_operands(const Op& op, const std::string& layout,
                                                          const Arrange& arrange) {
  std::vector<std::string> operands = {tensors_[static_cast<size_t>(op.operands[0])]};
  MR_TRY(std::string weights, constant_operand(op.operands[1], layout, arrange));
  operands.push_back(std::move(weights));
  if (!is_implied_bias(op)) {
    MR_TRY(std::string bias, constant_operand(op.operands[2], "vector", unchanged));
    operands.push_back(std::move(bias));
  }
  return operands;
}

}  // namespace
}  // namespace onnx

Result<std::string> export_onnx(const graph::Graph& graph) {
  return onnx::Exporter(graph).run();
}

}  // namespace millrace::frontends
