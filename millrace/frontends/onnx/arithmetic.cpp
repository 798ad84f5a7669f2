// SPDX-License-Identifier: Apache-2.0
// Functions of two values, with ONNX's broadcasting.
#include <algorithm>
#include <cmath>

#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

using graph::BinaryFunction;

const Shape& shape_of(const Operand& operand) {
  if (const auto* constant = std::get_if<ConstantValue>(&operand))
    return constant->shape();
  return std::get<Activation>(operand).shape;
}

graph::OpKind binary_kind(BinaryFunction function) {
  switch (function) {
    case BinaryFunction::Add:
      return graph::Add{};
    case BinaryFunction::Sub:
      return graph::Sub{};
    case BinaryFunction::Mul:
      return graph::Mul{};
    case BinaryFunction::Maximum:
      return graph::Maximum{};
    case BinaryFunction::Minimum:
      return graph::Minimum{};
  }
  check(false, "every function is listed");
  return graph::Add{};
}

/// Extents of 1 in front, up to a rank.
Shape padded(const Shape& shape, size_t rank) {
  Shape result = shape;
  result.insert(result.begin(), rank - shape.size(), 1);
  return result;
}

BinaryFunction function_of(const std::string& op) {
  if (op == "Max")
    return BinaryFunction::Maximum;
  if (op == "Min")
    return BinaryFunction::Minimum;
  if (op == "Mul")
    return BinaryFunction::Mul;
  return op == "Sub" ? BinaryFunction::Sub : BinaryFunction::Add;
}

}  // namespace

/// Repeats x along axes of extent 1 by the nearest neighbour: its elements become rows of one.
Result<Activation> Importer::broadcast_up(const Node& node, const Activation& x,
                                          const Shape& shape) {
  const Shape from = padded(x.shape, shape.size());
  if (from == shape)
    return Activation{x.id, shape, x.layout};
  const auto runs = x.layout.runs(from);
  Shape factors;
  std::vector<size_t> place(x.layout.factors().size()), added;
  int64_t repeats = 1;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    for (size_t i = runs[axis].begin; i < runs[axis].end; ++i) {
      place[i] = factors.size();
      factors.push_back(x.layout.factors()[i]);
    }
    if (from[axis] == shape[axis])
      continue;
    added.push_back(factors.size());
    factors.push_back(shape[axis]);
    repeats *= shape[axis];
  }
  std::vector<size_t> order;
  for (size_t factor : x.layout.order())
    order.push_back(place[factor]);
  order.insert(order.end(), added.begin(), added.end());
  MR_TRY(graph::ValueId id, shaped(node, x.id, {num_elements(x.shape), 1, 1}));
  MR_TRY(id, emit(node, ".repeated", graph::Upsample{1, repeats}, {id}));
  return Activation{id, shape, Layout(std::move(factors), std::move(order))};
}

Result<graph::ValueId> Importer::matched(const Node& node, Activation& x, const Operand& b) {
  const Shape b_shape = padded(shape_of(b), x.shape.size());
  std::vector<size_t> present;
  for (size_t axis = 0; axis < x.shape.size(); ++axis)
    if (b_shape[axis] == x.shape[axis])
      present.push_back(axis);
  // b's elements in x's order.
  const auto* computed = std::get_if<Activation>(&b);
  Activation other;
  if (computed) {
    Layout wanted = x.layout.restricted(x.shape, present);
    if (wanted != computed->layout) {
      const auto both = computed->layout.refined(wanted);
      const auto refined = wanted.refined(computed->layout);
      if (!both || !refined) {
        const Layout plain = Layout::plain(x.shape);
        std::vector<size_t> order = x.layout.order();
        std::ranges::sort(order);
        MR_TRY(x, reordered(node, x, std::move(order)));
        x.layout = plain;
        wanted = x.layout.restricted(x.shape, present);
        order = computed->layout.order();
        std::ranges::sort(order);
        MR_TRY(other, reordered(node, *computed, std::move(order)));
      } else {
        other = *computed;
        other.layout = *both;
        MR_TRY(other, reordered(node, other, refined->order()));
      }
    } else {
      other = *computed;
    }
  }
  // Which places of x's order b has elements for.
  const auto pattern_of = [&] {
    const auto runs = x.layout.runs(x.shape);
    std::vector<bool> has(x.layout.factors().size(), false), pattern;
    for (size_t axis : present)
      for (size_t i = runs[axis].begin; i < runs[axis].end; ++i)
        has[i] = true;
    for (size_t factor : x.layout.order())
      pattern.push_back(has[factor]);
    return pattern;
  };
  std::vector<bool> pattern = pattern_of();
  const auto is_rows_or_channels = [&] {
    return std::ranges::is_sorted(pattern) || std::ranges::is_sorted(pattern, std::greater{});
  };
  if (!is_rows_or_channels()) {
    MR_TRY(x, with_last(node, x, present, false));
    pattern = pattern_of();
  }
  int64_t elements = 1;
  for (size_t axis : present)
    elements *= x.shape[axis];
  const int64_t all = num_elements(x.shape);
  const Shape& laid = builder_.type(x.id).shape;
  Shape shape;
  if (elements == all) {
    shape = laid;
  } else if (elements == 1) {
    shape = {1};
  } else if (pattern.back()) {  // one for each channel
    shape = {elements};
    if (laid.back() != elements) {
      MR_TRY(x.id, shaped(node, x.id, {1, all / elements, elements}));
    }
  } else {  // one for each place
    if (laid.back() != all / elements || laid.size() != 3) {
      MR_TRY(x.id, shaped(node, x.id, {1, elements, all / elements}));
    }
    shape = builder_.type(x.id).shape;
    shape.back() = 1;
  }
  if (computed)
    return shaped(node, other.id, shape);
  const Layout layout = x.layout.restricted(x.shape, present);
  return materialise(std::get<ConstantValue>(b),
                     fmt::format("{}>{}", layout.to_string(), to_string(shape)),
                     [&](const FloatTensor& in) {
                       FloatTensor out = layout.arrange({{elements}, in.data});
                       out.shape = shape;
                       return out;
                     });
}

Result<Activation> Importer::binary(const Node& node, std::string_view suffix,
                                    BinaryFunction function, Operand a, Operand b) {
  const auto shape = broadcast_shape(shape_of(a), shape_of(b));
  if (!shape || !bounded_elements(*shape) || *bounded_elements(*shape) == 0)
    return error(messages::LayerShapes, node.where, "first operand", to_string(shape_of(a)),
                 "second one", to_string(shape_of(b)));
  const auto is_full = [&](const Operand& operand) {
    return std::holds_alternative<Activation>(operand) &&
           num_elements(shape_of(operand)) == num_elements(*shape);
  };
  // The first operand of the graph's operation is computed and has every element.
  const bool is_swapped = !is_full(a) && (is_full(b) || std::holds_alternative<ConstantValue>(a));
  if (is_swapped) {
    std::swap(a, b);
    if (function == BinaryFunction::Sub) {  // b - a = -a + b
      auto& negative = std::get<Activation>(a);
      MR_TRY(negative.id, emit(node, ".negative", graph::Negate{}, {negative.id}));
      function = BinaryFunction::Add;
    }
  }
  MR_TRY(Activation x, broadcast_up(node, std::get<Activation>(a), *shape));
  MR_TRY(const graph::ValueId other, matched(node, x, b));
  MR_TRY(x.id, emit(node, suffix, binary_kind(function), {x.id, other}));
  return x;
}

/// Add, Sub, Mul, Div, and Max, Min, Sum, Mean of any number of operands.
Status Importer::arithmetic(const Node& node) {
  const bool is_affine =
      node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div";
  if (is_affine) {
    const Operand a = operand(node, 0), b = operand(node, 1);
    const auto* first = std::get_if<ConstantValue>(&a);
    const auto* second = std::get_if<ConstantValue>(&b);
    const auto* constant = first ? first : second;
    if (constant && constant->is_plain() && !(node.op == "Div" && first))
      return affine_chain(node);
  }
  Operand sum = operand(node, 0);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!has_input(node, i))
      return error(messages::InputCount, node.where, i, node.inputs.size(), node.inputs.size());
    Operand next = operand(node, i);
    const bool is_last = i + 1 == node.inputs.size() && node.op != "Mean";
    const std::string suffix = is_last ? "" : fmt::format(".{}", i);
    if (node.op == "Div") {
      // Of a quotient the divisor is computed, or has quantisers.
      MR_TRY(Activation divisor, lifted(node, next));
      MR_TRY(divisor.id, emit(node, ".reciprocal", graph::Unary{graph::UnaryFunction::Reciprocal},
                              {divisor.id}));
      next = divisor;
    }
    const bool are_constants =
        std::holds_alternative<ConstantValue>(sum) && std::holds_alternative<ConstantValue>(next);
    if (are_constants) {
      MR_TRY(sum, lifted(node, sum));
    }
    MR_TRY(sum, binary(node, suffix, function_of(node.op == "Div" ? "Mul" : node.op),
                       std::move(sum), std::move(next)));
  }
  if (node.op == "Mean" && node.inputs.size() > 1) {
    const auto share = static_cast<float>(1.0 / static_cast<double>(node.inputs.size()));
    const ConstantValue factor{node.name + ".share", node.outputs.front() + " share", node.where,
                               std::make_shared<const FloatTensor>(FloatTensor{{}, {share}})};
    MR_TRY(sum, binary(node, "", BinaryFunction::Mul, std::move(sum), factor));
  }
  define(node.outputs.front(), std::move(sum));
  return {};
}

}  // namespace millrace::frontends::onnx
