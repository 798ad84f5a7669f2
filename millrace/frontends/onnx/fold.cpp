// SPDX-License-Identifier: Apache-2.0
// Operators on constants, computed here: mostly the arithmetic on shapes that exporters leave in
// their models.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/shape_arguments.h"
#include "millrace/frontends/onnx/tensor_decoder.h"

namespace millrace::frontends::onnx {
namespace {

constexpr FixedType Boolean{false, 1, 0};

struct Folded {
  FloatTensor numbers;
  std::optional<FixedType> integer;
};

tl::unexpected<Diagnostic> too_large(const Node& node) {
  return error(messages::TooLarge, node.where, "the result", fmt::format("{} elements", MaxFolded));
}

bool is_bounded(const Shape& shape) {
  const auto count = bounded_elements(shape);
  return count && *count <= MaxFolded;
}

using Function = double (*)(double, double);

Function binary_function(const Node& node, bool is_integer) {
  if (node.op == "Add")
    return [](double a, double b) { return a + b; };
  if (node.op == "Sub")
    return [](double a, double b) { return a - b; };
  if (node.op == "Mul")
    return [](double a, double b) { return a * b; };
  if (node.op == "Div" && is_integer)
    return [](double a, double b) { return std::trunc(a / b); };
  if (node.op == "Div")
    return [](double a, double b) { return a / b; };
  if (node.op == "Pow")
    return [](double a, double b) { return std::pow(a, b); };
  if (node.op == "Equal")
    return [](double a, double b) { return a == b ? 1.0 : 0.0; };
  if (node.op == "Max")
    return [](double a, double b) { return std::max(a, b); };
  if (node.op == "Min")
    return [](double a, double b) { return std::min(a, b); };
  return nullptr;
}

double unary(const std::string& op, double x) {
  if (op == "Abs")
    return std::abs(x);
  if (op == "Neg")
    return 0 - x;
  if (op == "Ceil")
    return std::ceil(x);
  if (op == "Floor")
    return std::floor(x);
  if (op == "Exp")
    return std::exp(x);
  if (op == "Log")
    return std::log(x);
  if (op == "Sqrt")
    return std::sqrt(x);
  return 1 / x;  // Reciprocal
}

Result<FloatTensor> combine(const Node& node, const FloatTensor& a, const FloatTensor& b,
                            Function function) {
  const auto shape = broadcast_shape(a.shape, b.shape);
  if (!shape)
    return error(messages::LayerShapes, node.where, "first operand", to_string(a.shape),
                 "second one", to_string(b.shape));
  if (!is_bounded(*shape))
    return too_large(node);
  FloatTensor result = expand(a, *shape);
  const FloatTensor other = expand(b, *shape);
  for (size_t i = 0; i < result.data.size(); ++i)
    result.data[i] = function(result.data[i], other.data[i]);
  return result;
}

/// The blocks of `x` at the given indices of an axis.
Result<FloatTensor> gather(const Node& node, const FloatTensor& x, const FloatTensor& indices,
                           size_t axis) {
  const auto extents = flattened_extents(x.shape, static_cast<int64_t>(axis));
  const int64_t extent = x.shape[axis], inner = extent == 0 ? 0 : extents[1] / extent;
  FloatTensor result;
  result.shape.assign(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  result.shape.insert(result.shape.end(), indices.shape.begin(), indices.shape.end());
  result.shape.insert(result.shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                      x.shape.end());
  if (!is_bounded(result.shape))
    return too_large(node);
  for (int64_t block = 0; block < extents[0]; ++block)
    for (double number : indices.data) {
      const double index = number < 0 ? number + static_cast<double>(extent) : number;
      if (index != std::floor(index) || index < 0 || index >= static_cast<double>(extent))
        return error(messages::GatherIndex, node.where, number, extent);
      const auto first = x.data.begin() + (block * extent + static_cast<int64_t>(index)) * inner;
      result.data.insert(result.data.end(), first, first + inner);
    }
  return result;
}

FloatTensor indices(const Range& range) {
  FloatTensor result{{range.count}, {}};
  for (int64_t i = 0; i < range.count; ++i)
    result.data.push_back(static_cast<double>(range.begin + i * range.step));
  return result;
}

Result<Folded> fold_cast(const Node& node, const Folded& x) {
  using ::onnx::TensorProto;
  MR_TRY(const int64_t to, int_attribute(node, "to", 0));
  Folded result{x.numbers, std::nullopt};
  if (to == TensorProto::BOOL) {
    for (double& number : result.numbers.data)
      number = number != 0 ? 1 : 0;
    result.integer = Boolean;
    return result;
  }
  if (to == TensorProto::DOUBLE)
    return result;
  if (to == TensorProto::FLOAT) {
    for (double& number : result.numbers.data)
      number = static_cast<float>(number);
    return result;
  }
  result.integer = to > 0 && to < 100 ? integer_type(static_cast<int>(to)) : std::nullopt;
  for (double& number : result.numbers.data) {
    number = std::trunc(number);
    const bool holds = result.integer && std::abs(number) < 0x1p53 &&
                       static_cast<Int128>(number) >= result.integer->min_raw() &&
                       static_cast<Int128>(number) <= result.integer->max_raw();
    if (!holds)
      return error(messages::CastChanges, node.where, to);
  }
  return result;
}

Result<Folded> fold_concat(const Node& node, const std::vector<Folded>& parts, size_t axis) {
  Folded result = parts[0];
  Shape& shape = result.numbers.shape;
  for (size_t i = 1; i < parts.size(); ++i) {
    Shape other = parts[i].numbers.shape;
    if (other.size() == shape.size())
      other[axis] = parts[0].numbers.shape[axis];
    if (other != parts[0].numbers.shape)
      return error(messages::LayerShapes, node.where, "first operand",
                   to_string(parts[0].numbers.shape), "other one",
                   to_string(parts[i].numbers.shape));
    shape[axis] += parts[i].numbers.shape[axis];
  }
  if (!is_bounded(shape))
    return too_large(node);
  const int64_t blocks = flattened_extents(shape, static_cast<int64_t>(axis))[0];
  result.numbers.data.clear();
  if (blocks == 0)
    return result;
  for (int64_t block = 0; block < blocks; ++block)
    for (const Folded& part : parts) {
      const auto length = static_cast<int64_t>(part.numbers.data.size()) / blocks;
      const auto first = part.numbers.data.begin() + block * length;
      result.numbers.data.insert(result.numbers.data.end(), first, first + length);
    }
  return result;
}

}  // namespace

Status Importer::fold_constants(const Node& node) {
  std::vector<Folded> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!has_input(node, i)) {
      operands.emplace_back();
      continue;
    }
    MR_TRY(const ConstantValue* x, constant(node, i, "operand"));
    operands.push_back({settled(*x), x->quantizers.empty() ? x->integer : std::nullopt});
  }
  Folded result{{}, operands[0].integer};
  const FloatTensor& x = operands[0].numbers;
  const auto axis = [&](int64_t fallback) -> Result<size_t> {
    MR_TRY(const int64_t number, int_attribute(node, "axis", fallback));
    return axis_of(node, "axis", number, x.shape.size());
  };
  if (const Function function = binary_function(node, operands[0].integer.has_value())) {
    result.numbers = x;
    for (size_t i = 1; i < operands.size(); ++i) {
      MR_TRY(result.numbers, combine(node, result.numbers, operands[i].numbers, function));
    }
    if (node.op == "Equal")
      result.integer = Boolean;
  } else if (node.op == "Cast") {
    MR_TRY(result, fold_cast(node, operands[0]));
  } else if (node.op == "Clip") {
    result.numbers = x;
    for (size_t i = 1; i < operands.size(); ++i) {
      if (!has_input(node, i))
        continue;
      MR_TRY(result.numbers,
             combine(node, result.numbers, operands[i].numbers,
                     i == 1 ? Function([](double a, double b) { return std::max(a, b); })
                            : Function([](double a, double b) { return std::min(a, b); })));
    }
    if (!node.attributes.empty())
      return error(messages::UnsupportedOperator, node.where, "Clip of a constant by attributes");
  } else if (node.op == "Concat") {
    MR_TRY(const size_t place, axis(0));
    MR_TRY(result, fold_concat(node, operands, place));
  } else if (node.op == "ConstantOfShape") {
    MR_TRY(const auto shape, integers(node, 0, "shape"));
    if (!is_bounded(shape))
      return too_large(node);
    ModelTensor value{{{1}, {0}}, std::nullopt};
    if (const auto found = node.attributes.find("value"); found != node.attributes.end())
      if (const auto* tensor = std::get_if<ModelTensor>(&found->second))
        value = *tensor;
    if (value.numbers.data.size() != 1)
      return error(messages::BadAttribute, node.where, "value", to_string(value.numbers.shape),
                   "one number");
    result = {expand({{}, value.numbers.data}, shape), value.integer};
  } else if (node.op == "Expand") {
    MR_TRY(const auto target, integers(node, 1, "shape"));
    const auto shape = broadcast_shape(x.shape, target);
    if (!shape || !is_bounded(*shape))
      return too_large(node);
    result.numbers = expand(x, *shape);
  } else if (node.op == "Gather") {
    MR_TRY(const size_t place, axis(0));
    MR_TRY(result.numbers, gather(node, x, operands[1].numbers, place));
  } else if (node.op == "ReduceProd") {
    if (x.shape.size() != 1)
      return error(messages::Rank, node.where, "operand", to_string(x.shape), "a vector");
    MR_TRY(const int64_t keep, int_attribute(node, "keepdims", 1));
    result.numbers = {keep != 0 ? Shape{1} : Shape{},
                      {std::accumulate(x.data.begin(), x.data.end(), 1.0, std::multiplies{})}};
  } else if (node.op == "Slice") {
    MR_TRY(const auto starts, integers(node, "starts", 1));
    MR_TRY(const auto ends, integers(node, "ends", 2));
    MR_TRY(const auto given, integers(node, "axes", 3));
    if (!starts || !ends)
      return error(messages::MissingAttribute, node.where, starts ? "ends" : "starts");
    std::vector<int64_t> numbers(starts->size()), steps(starts->size(), 1);
    std::iota(numbers.begin(), numbers.end(), 0);
    MR_TRY(const auto axes, axes_of(node, "axes", given.value_or(numbers), x.shape.size()));
    if (has_input(node, 4)) {
      MR_TRY(steps, integers(node, 4, "steps"));
    }
    if (ends->size() != axes.size() || steps.size() != axes.size() ||
        starts->size() != axes.size() || std::ranges::find(steps, 0) != steps.end())
      return bad_attribute(node, "ends", *ends, "as many numbers as starts, axes and steps");
    result.numbers = x;
    for (size_t i = 0; i < axes.size(); ++i) {
      const Range range = slice_range(x.shape[axes[i]], (*starts)[i], (*ends)[i], steps[i]);
      MR_TRY(result.numbers, gather(node, result.numbers, indices(range), axes[i]));
    }
  } else if (node.op == "Where") {
    const auto select = [](const FloatTensor& condition, const FloatTensor& numbers, bool wanted) {
      FloatTensor kept = numbers;
      for (size_t i = 0; i < kept.data.size(); ++i)
        if ((condition.data[i] != 0) != wanted)
          kept.data[i] = 0;
      return kept;
    };
    const auto some = broadcast_shape(operands[1].numbers.shape, operands[2].numbers.shape);
    const auto shape = some ? broadcast_shape(*some, x.shape) : std::nullopt;
    if (!shape || !is_bounded(*shape))
      return too_large(node);
    const FloatTensor condition = expand(x, *shape);
    result.integer = operands[1].integer;
    MR_TRY(result.numbers,
           combine(node, select(condition, expand(operands[1].numbers, *shape), true),
                   select(condition, expand(operands[2].numbers, *shape), false),
                   [](double a, double b) { return a + b; }));
  } else {
    result.numbers = x;
    for (double& number : result.numbers.data)
      number = unary(node.op, number);
  }
  // Frameworks compute in float32; a float64 model loses nothing that it had.
  const auto is_float = [](const Folded& operand) {
    return std::ranges::all_of(operand.numbers.data,
                               [](double number) { return number == static_cast<float>(number); });
  };
  const bool are_floats = !result.integer && std::ranges::all_of(operands, is_float);
  for (double& number : result.numbers.data) {
    if (are_floats)
      number = static_cast<float>(number);
    if (!std::isfinite(number) || (result.integer && std::abs(number) > 0x1p53))
      return error(messages::NotFiniteResult, node.where);
  }
  const std::string& name = node.outputs.front();
  ConstantValue value{name, name, node.where,
                      std::make_shared<const FloatTensor>(std::move(result.numbers))};
  value.integer = result.integer;
  define(name, std::move(value));
  return {};
}

}  // namespace millrace::frontends::onnx
