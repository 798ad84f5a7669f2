// SPDX-License-Identifier: Apache-2.0
// Writing operators without weights.
#include <algorithm>
#include <array>
#include <cmath>

#include "millrace/frontends/onnx/exporter.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {

using graph::ExactFunction;
using graph::UnaryFunction;

Status Exporter::write_plain(const Op& op, std::string_view name) {
  flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
  writer_.node(name, op.name, {tensor(op)}, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Softmax&) {
  writer_.node("Softmax", op.name, {ordered(op)}, op.name).attribute("axis", int64_t{1});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Unary& unary) {
  constexpr std::array Plain = {std::pair{UnaryFunction::Sigmoid, "Sigmoid"},
                                std::pair{UnaryFunction::Tanh, "Tanh"},
                                std::pair{UnaryFunction::Exp, "Exp"},
                                std::pair{UnaryFunction::Log, "Log"},
                                std::pair{UnaryFunction::Softplus, "Softplus"},
                                std::pair{UnaryFunction::Softsign, "Softsign"},
                                std::pair{UnaryFunction::Erf, "Erf"},
                                std::pair{UnaryFunction::Sqrt, "Sqrt"},
                                std::pair{UnaryFunction::Reciprocal, "Reciprocal"},
                                std::pair{UnaryFunction::HardSwish, "HardSwish"},
                                std::pair{UnaryFunction::Mish, "Mish"}};
  for (const auto& [function, name] : Plain)
    if (unary.function == function)
      return write_plain(op, name);
  const double alpha = unary.alpha_or_default(), beta = unary.beta_or_default();
  const auto node = [&](std::string_view name) {
    flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
    return writer_.node(name, op.name, {tensor(op)}, op.name);
  };
  const auto is_single = [](double x) { return static_cast<double>(static_cast<float>(x)) == x; };
  switch (unary.function) {
    case UnaryFunction::Gelu:
      node("Gelu");
      return {};
    case UnaryFunction::GeluTanh:
      node("Gelu").attribute("approximate", std::string_view("tanh"));
      return {};
    default:
      break;
  }
  // Attributes are float32; the defaults are those that ONNX has too.
  if ((unary.alpha && !is_single(alpha)) || (unary.beta && !is_single(beta)))
    return unsupported(
        op, fmt::format("{} with parameters that float32 rounds", to_string(unary.function)));
  switch (unary.function) {
    case UnaryFunction::Elu:
      node("Elu").attribute("alpha", alpha);
      return {};
    case UnaryFunction::Selu:
      node("Selu").attribute("alpha", alpha).attribute("gamma", beta);
      return {};
    case UnaryFunction::HardSigmoid: {
      NodeWriter written = node("HardSigmoid");
      if (unary.alpha)
        written.attribute("alpha", alpha);
      if (unary.beta)
        written.attribute("beta", beta);
      return {};
    }
    case UnaryFunction::HardTanh: {
      flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
      const std::string low = helper(op, ".min"), high = helper(op, ".max");
      writer_.initializer(low, {{}, {alpha}});
      writer_.initializer(high, {{}, {beta}});
      writer_.node("Clip", op.name, {tensor(op), low, high}, op.name);
      return {};
    }
    case UnaryFunction::Silu:
    case UnaryFunction::Rsqrt:
      flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
      writer_.own_node(unary.function == UnaryFunction::Silu ? "Silu" : "Rsqrt", op.name,
                       {tensor(op)});
      return {};
    default:
      return unsupported(op, to_string(unary.function));
  }
}

Status Exporter::write_exact(const Op& op, ExactFunction function) {
  switch (function) {
    case ExactFunction::Abs:
      return write_plain(op, "Abs");
    case ExactFunction::Negate:
      return write_plain(op, "Neg");
    case ExactFunction::Sign:
      return write_plain(op, "Sign");
    case ExactFunction::Binarize: {
      flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
      const std::string scale = helper(op, ".scale");
      writer_.initializer(scale, {{}, {1}});
      writer_.node("BipolarQuant", op.name, {tensor(op), scale}, op.name, QuantDomain);
      return {};
    }
    case ExactFunction::Square: {
      flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
      const std::string exponent = helper(op, ".exponent");
      writer_.initializer(exponent, {{}, {2}});
      writer_.node("Pow", op.name, {tensor(op), exponent}, op.name);
      return {};
    }
  }
  return unsupported(op, op.mnemonic());
}

/// An operand of two in a shape that ONNX broadcasts to the result's.
Result<std::string> Exporter::binary_operand(const Op& op, size_t operand) {
  const bool is_map = op.type.shape.size() == 3;
  const graph::ValueId value = op.operands[operand];
  const Shape& shape = graph_.type(value).shape;
  const bool is_vector = shape.size() == 1;
  if (is_constant(value)) {
    const std::string layout = !is_map ? "row" : is_vector ? "channels" : "map";
    return constant_operand(value, layout, [&](const FloatTensor& in) {
      if (in.shape.size() == 3)
        return map_to_chw(in);
      return FloatTensor{is_map ? Shape{in.shape[0], 1, 1} : Shape{1, in.shape[0]}, in.data};
    });
  }
  std::string name = apart(op, ordered(op, operand));
  if (is_map && is_vector)
    name = reshaped(name, {1, shape[0], 1, 1}, helper(op, ".channels"));
  return name;
}

Status Exporter::write_binary(const Op& op, graph::BinaryFunction function) {
  constexpr std::array Names = {std::pair{graph::BinaryFunction::Add, "Add"},
                                std::pair{graph::BinaryFunction::Sub, "Sub"},
                                std::pair{graph::BinaryFunction::Mul, "Mul"},
                                std::pair{graph::BinaryFunction::Maximum, "Max"},
                                std::pair{graph::BinaryFunction::Minimum, "Min"}};
  const Op& x = graph_.op(op.operands[0]);
  if (x.as<graph::Requantize>() && !is_constant(op.operands[0]) && is_dequantised(x))
    return write_quant(op.name, ordered(x), x, as_written,
                       dequantised_.insert(op.operands[0]).second ? x.name : helper(x, ""));
  MR_TRY(const std::string first, binary_operand(op, 0));
  MR_TRY(const std::string second, binary_operand(op, 1));
  for (const auto& [known, name] : Names)
    if (known == function)
      writer_.node(name, op.name, {first, second}, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Table& table) {
  flattened_[index_of(op)] = flattened_[static_cast<size_t>(op.operands[0])];
  const FixedType& in = graph_.type(op.operands[0]).fixed();
  FloatTensor values{{std::ssize(table.value)}, {}};
  for (const int64_t raw : table.value) {
    values.data.push_back(table.element.to_double(raw));
    if (millrace::requantize(values.data.back(), {.type = table.element}) != raw)
      return error(messages::ExportNumber, place(op), raw, table.element.to_string());
  }
  const std::string unit = helper(op, ".unit"), first = helper(op, ".first"),
                    list = helper(op, ".values");
  writer_.initializer(unit, {{}, {std::ldexp(1.0, -in.frac_bits)}});
  writer_.initializer(first, {{}, {static_cast<double>(in.min_raw())}});
  writer_.initializer(list, values);
  writer_.own_node("Table", op.name, {tensor(op), unit, first, list})
      .attribute("bit_width", int64_t{table.element.width})
      .attribute("frac_bits", int64_t{table.element.frac_bits})
      .attribute("signed", int64_t{table.element.is_signed});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::MaxPool& pool) {
  writer_.node("MaxPool", op.name, {tensor(op)}, op.name).window(pool.window);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::AvgPool& pool) {
  const std::string mean = pool.to ? helper(op, ".mean") : op.name;
  writer_.node("AveragePool", mean, {tensor(op)}, mean)
      .window(pool.window)
      .attribute("count_include_pad", int64_t{pool.include_padding});
  if (!pool.to)
    return {};
  return writer_.quant(op.name, mean, *pool.to, op.name, place(op));
}

Status Exporter::write_op(const Op& op, const graph::Flatten&) {
  const Shape& hwc = graph_.type(op.operands.front()).shape;
  if (hwc.size() == 3 && hwc[2] > 1 && hwc[0] * hwc[1] > 1)
    flattened_[index_of(op)] = {hwc[2], hwc[0], hwc[1]};
  writer_.node("Flatten", op.name, {ordered(op)}, op.name).attribute("axis", int64_t{1});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Reshape& reshape) {
  std::string name = ordered(op);
  if (graph_.type(op.operands[0]).shape.size() == 3)
    name = transposed(name, {0, 2, 3, 1}, helper(op, ".last"));
  Shape shape = reshape.shape;
  shape.insert(shape.begin(), 1);
  if (reshape.shape.size() != 3) {
    reshaped(name, shape, op.name);
    return {};
  }
  name = reshaped(name, shape, helper(op, ".reshaped"));
  transposed(name, {0, 3, 1, 2}, op.name);
  return {};
}

// y's axis d of H, W, C is x's axis permutation[d]; ONNX has C, H, W behind the batch.
Status Exporter::write_op(const Op& op, const graph::Transpose& transpose) {
  const auto axis = [&](size_t d) {
    return transpose.permutation[d] == 2 ? 1 : transpose.permutation[d] + 2;
  };
  transposed(tensor(op), {0, axis(2), axis(0), axis(1)}, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Concat&) {
  std::vector<std::string> operands;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    const graph::ValueId value = op.operands[i];
    if (is_constant(value)) {
      MR_TRY(operands.emplace_back(), constant_operand(value, "side", [](const FloatTensor& in) {
               return in.shape.size() == 3 ? map_to_chw(in)
                                           : FloatTensor{{1, in.shape[0]}, in.data};
             }));
    } else {
      operands.push_back(ordered(op, i));
    }
  }
  writer_.node("Concat", op.name, operands, op.name).attribute("axis", int64_t{1});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Pad& pad) {
  const std::string pads = helper(op, ".pads");
  writer_.integers(pads, {0, 0, pad.top, pad.left, 0, 0, pad.bottom, pad.right});
  writer_.node("Pad", op.name, {tensor(op), pads}, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Slice& slice) {
  std::vector<int64_t> starts = slice.begin, ends, axes = {1};
  for (size_t i = 0; i < starts.size(); ++i)
    ends.push_back(slice.begin[i] + slice.size[i]);
  if (starts.size() == 3)
    axes = {2, 3, 1};
  const std::string from = helper(op, ".starts"), to = helper(op, ".ends"),
                    along = helper(op, ".axes");
  writer_.integers(from, starts);
  writer_.integers(to, ends);
  writer_.integers(along, axes);
  writer_.node("Slice", op.name, {ordered(op), from, to, along}, op.name);
  return {};
}

Status Exporter::write_op(const Op& op, const graph::Upsample& upsample) {
  const std::string scales = helper(op, ".scales");
  writer_.initializer(scales, {{4},
                               {1, 1, static_cast<double>(upsample.factor_h),
                                static_cast<double>(upsample.factor_w)}});
  writer_.node("Resize", op.name, {tensor(op), "", scales}, op.name)
      .attribute("mode", std::string_view("nearest"))
      .attribute("coordinate_transformation_mode", std::string_view("asymmetric"))
      .attribute("nearest_mode", std::string_view("floor"));
  return {};
}

// The axes are an input of ReduceSum from version 13 on, of ReduceMax from version 18 on.
Status Exporter::write_op(const Op& op, const graph::Reduce& reduce) {
  const bool is_sum = reduce.function == graph::ReduceFunction::Sum;
  const bool has_input = is_sum || writer_.opset() >= 18;
  std::vector<std::string> operands = {ordered(op)};
  if (has_input) {
    operands.push_back(helper(op, ".axes"));
    writer_.integers(operands.back(), {1});
  }
  NodeWriter node = writer_.node(is_sum ? "ReduceSum" : "ReduceMax", op.name, operands, op.name);
  node.attribute("keepdims", int64_t{1});
  if (!has_input)
    node.attribute("axes", std::vector<int64_t>{1});
  return {};
}

Status Exporter::write_op(const Op& op, const graph::TopK& top_k) {
  const std::string x = ordered(op);
  if (top_k.k == 1) {
    writer_.node("ArgMax", op.name, {x}, op.name)
        .attribute("axis", int64_t{1})
        .attribute("keepdims", int64_t{1});
    return {};
  }
  const std::string count = helper(op, ".k");
  writer_.integers(count, {top_k.k});
  writer_.node("TopK", op.name, {x, count}, helper(op, ".values"))
      .attribute("axis", int64_t{1})
      .output(op.name);
  return {};
}

}  // namespace millrace::frontends::onnx
