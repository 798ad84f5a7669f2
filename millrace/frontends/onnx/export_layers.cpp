// SPDX-License-Identifier: Apache-2.0
// Writing operators with weights.
#include <algorithm>
#include <array>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/exporter.h"

namespace millrace::frontends::onnx {
namespace {

FloatTensor unchanged(const FloatTensor& in) {
  return in;
}

/// The rows of a matrix whose rows are a map's elements, from HWC to CHW.
FloatTensor rows_to_chw(const FloatTensor& in, const Shape& chw) {
  if (chw.empty())
    return in;
  FloatTensor rows{{chw[1], chw[2], chw[0], in.shape.size() == 1 ? 1 : in.shape[1]}, in.data};
  rows = transpose(rows, std::array<int64_t, 4>{2, 0, 1, 3});
  rows.shape = in.shape;
  return rows;
}

}  // namespace

Status Exporter::write_op(const Op& op, const graph::Conv2D& conv) {
  MR_TRY(const auto operands, layer_operands(op, "oihw", [](const FloatTensor& in) {
           return transpose(in, std::array<int64_t, 4>{3, 2, 0, 1});
         }));
  NodeWriter node = writer_.node("Conv", op.name, operands, op.name);
  node.window(conv.window);
  if (conv.groups != 1)
    node.attribute("group", conv.groups);
  return {};
}

// What is cut off below 0 at the bottom and on the right is ONNX's output padding. Its weights are
// C x F x KH x KW.
Status Exporter::write_op(const Op& op, const graph::ConvTranspose2D& conv) {
  MR_TRY(const auto operands, layer_operands(op, "iohw", [](const FloatTensor& in) {
           return transpose(in, std::array<int64_t, 4>{2, 3, 0, 1});
         }));
  const auto added = [](int64_t padding) { return std::max<int64_t>(0, -padding); };
  const auto cut = [](int64_t padding) { return std::max<int64_t>(0, padding); };
  writer_.node("ConvTranspose", op.name, operands, op.name)
      .attribute("kernel_shape", std::vector{conv.kernel_h, conv.kernel_w})
      .attribute("pads", std::vector{conv.pad_top, conv.pad_left, cut(conv.pad_bottom),
                                     cut(conv.pad_right)})
      .attribute("strides", std::vector{conv.stride_h, conv.stride_w})
      .attribute("output_padding", std::vector{added(conv.pad_bottom), added(conv.pad_right)});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Dense&) {
  const Shape& chw = flattened_[static_cast<size_t>(op.operands[0])];
  MR_TRY(const auto operands,
         layer_operands(op, "rows" + to_string(chw),
                        [&](const FloatTensor& in) { return rows_to_chw(in, chw); }));
  writer_.node("Gemm", op.name, operands, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Affine&) {
  const Shape chw = flattened_[static_cast<size_t>(op.operands[0])];
  flattened_[index_of(op)] = chw;
  std::vector<std::string> operands = {apart(op, tensor(op))};
  for (size_t i = 1; i <= 2; ++i) {
    const Arrange arrange = [&](const FloatTensor& in) { return rows_to_chw(in, chw); };
    MR_TRY(operands.emplace_back(),
           constant_operand(op.operands[i], "affine" + to_string(chw), arrange));
  }
  const int64_t channels = op.type.shape.back();
  const auto filled = [&](double number) {
    return FloatTensor{{channels}, std::vector<double>(static_cast<size_t>(channels), number)};
  };
  operands.push_back(helper(op, ".mean"));
  writer_.initializer(operands.back(), filled(0));
  operands.push_back(helper(op, ".variance"));
  writer_.initializer(operands.back(), filled(1));
  writer_.node("BatchNormalization", op.name, operands, op.name).attribute("epsilon", 0.0);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Prelu&) {
  const bool is_map = op.type.shape.size() == 3;
  MR_TRY(const std::string slope,
         constant_operand(op.operands[1], is_map ? "slope" : "vector", [&](const FloatTensor& in) {
           FloatTensor out = in;
           if (is_map)
             out.shape = {in.shape[0], 1, 1};
           return out;
         }));
  writer_.node("PRelu", op.name, {ordered(op), slope}, op.name);
  return {};
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
  std::vector<std::string> operands = {tensor(op)};
  MR_TRY(std::string weights, constant_operand(op.operands[1], layout, arrange));
  operands.push_back(std::move(weights));
  if (!is_implied_bias(op)) {
    MR_TRY(std::string bias, constant_operand(op.operands[2], "vector", unchanged));
    operands.push_back(std::move(bias));
  }
  return operands;
}

}  // namespace millrace::frontends::onnx
