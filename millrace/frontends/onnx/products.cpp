// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul: products of a computed value and a constant matrix.
#include <algorithm>
#include <array>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/layers.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {

/// The sums over one axis of x, which take its place.
struct Importer::Product {
  Activation x;
  size_t axis = 0;
  Weights weights = {};        ///< a matrix
  bool is_transposed = false;  ///< of outputs x inputs, not inputs x outputs
  double alpha = 1;

  int64_t inputs() const { return weights.constant.shape()[is_transposed ? 1 : 0]; }
  int64_t outputs() const { return weights.constant.shape()[is_transposed ? 0 : 1]; }
};

/// A vector goes through a dense layer, which takes its elements in whatever order they lie; of
/// several vectors each is a pixel of a map that a convolution of one tap goes over.
Result<Activation> Importer::product(const Node& node, const Product& product, const Bias& bias) {
  const auto& [operand, axis, weights, is_transposed, alpha] = product;
  if (operand.shape[axis] != product.inputs())
    return error(messages::LayerShapes, node.where, "weight", to_string(weights.constant.shape()),
                 "input", to_string(operand.shape));
  MR_TRY(const Factor factor, read_factor(node, "alpha", alpha, weights.constant));
  const int64_t inputs = product.inputs(), outputs = product.outputs();
  const bool is_vector = num_elements(operand.shape) == inputs;
  Activation x = operand;
  if (is_vector) {
    MR_TRY(x.id, flattened(node, x));
  } else {
    MR_TRY(x, with_last(node, x, {axis}, false));
  }
  const Layout rows = x.layout.restricted(x.shape, std::array<size_t, 1>{axis});
  MR_TRY(const graph::ValueId w,
         materialise(
             weights.constant,
             fmt::format("{}{}{}", is_transposed ? "mn" : "nm", is_vector ? "" : "1x1",
                         rows.to_string()),
             [&](const FloatTensor& in) {
               FloatTensor out =
                   rows.arrange(is_transposed ? transpose(in, std::array<int64_t, 2>{1, 0}) : in);
               if (!is_vector)
                 out.shape = {1, 1, inputs, outputs};
               return out;
             },
             factor.shift, factor.multiplier));
  graph::OpKind kind = graph::Dense{};
  if (!is_vector)
    kind = graph::Conv2D{graph::Window{}, 1};
  MR_TRY(const graph::ValueId y,
         layer(node, std::move(kind), x.id, w, bias, outputs, weights.output_scale));
  Activation result{y, x.shape, x.layout.with_last(x.shape, axis, outputs)};
  result.shape[axis] = outputs;
  return result;
}

Status Importer::mat_mul(const Node& node) {
  const bool is_left = std::holds_alternative<ConstantValue>(operand(node, 0));
  MR_TRY(const Activation* x, computed(node, is_left ? 1 : 0, "operand"));
  const size_t index = is_left ? 0 : 1;
  MR_TRY(const ConstantValue* given, scaled_constant(node, index, "second operand"));
  const size_t rank = x->shape.size();
  if (rank == 0)
    return error(messages::Rank, node.where, "operand", to_string(x->shape), "a vector");
  // Extents of 1 in front of the matrix are extents of the result; a vector is a matrix whose other
  // extent the result does not have.
  Shape matrix = given->shape();
  const bool is_vector = matrix.size() == 1;
  size_t leading = 0;
  for (; matrix.size() > 2 && matrix.front() == 1; ++leading)
    matrix.erase(matrix.begin());
  if (is_vector)
    matrix.insert(is_left ? matrix.begin() : matrix.end(), 1);
  if (!has_elements(matrix, 2))
    return error(messages::Rank, node.where, "weight", to_string(given->shape()), "a matrix");
  const ConstantValue shaped = arranged(
      *given, given->tensor, [&](const FloatTensor& in) { return FloatTensor{matrix, in.data}; });
  Product factors{.x = *x, .axis = is_left && rank > 1 ? rank - 2 : rank - 1};
  factors.is_transposed = is_left;
  factors.weights = separate_scale(shaped, is_left ? 0 : 1);
  const bool is_last = factors.axis == rank - 1;
  MR_TRY(const Bias bias, is_last && !is_vector ? find_bias(node, 2, 0, factors.outputs())
                                                : Result<Bias>(Bias{.output = node.outputs[0]}));
  MR_TRY(Activation y, product(node, factors, bias));
  if (is_vector)
    y.shape.erase(y.shape.begin() + static_cast<std::ptrdiff_t>(factors.axis));
  if (leading + 2 > y.shape.size() && leading > 0)
    y.shape.insert(y.shape.begin(), leading + 2 - y.shape.size(), 1);
  define(bias.output, std::move(y));
  return {};
}

Status Importer::gemm(const Node& node) {
  const bool is_left = std::holds_alternative<ConstantValue>(operand(node, 0));
  MR_TRY(const Activation* x, computed(node, is_left ? 1 : 0, "operand"));
  MR_TRY(const ConstantValue* matrix,
         scaled_constant(node, is_left ? 0 : 1, is_left ? "first operand" : "second operand"));
  MR_TRY(const int64_t trans_a, int_attribute(node, "transA", 0));
  MR_TRY(const int64_t trans_b, int_attribute(node, "transB", 0));
  MR_TRY(const double alpha, float_attribute(node, "alpha", 1));
  MR_TRY(const double beta, float_attribute(node, "beta", 1));
  if (x->shape.size() != 2)
    return error(messages::Rank, node.where, "input", to_string(x->shape), "a matrix");
  if (!has_elements(matrix->shape(), 2))
    return error(messages::Rank, node.where, "weight", to_string(matrix->shape()), "a matrix");
  const bool x_is_transposed = (is_left ? trans_b : trans_a) != 0;
  const bool matrix_is_transposed = (is_left ? trans_a : trans_b) != 0;
  Product factors{.x = *x, .alpha = alpha};
  // A is rows x inputs, B inputs x columns.
  factors.axis = is_left == x_is_transposed ? 1 : 0;
  factors.is_transposed = is_left != matrix_is_transposed;
  factors.weights = separate_scale(*matrix, factors.is_transposed ? 0 : 1);

  Bias bias{.output = node.outputs.front()};
  std::optional<Operand> sum;
  if (!has_input(node, 2)) {
    if (!is_left && !x_is_transposed) {
      MR_TRY(bias, find_bias(node, 2, 0, factors.outputs()));
    }
  } else if (beta != 0) {
    Operand c = operand(node, 2);
    auto* constant = std::get_if<ConstantValue>(&c);
    const bool is_bias = !is_left && constant && !constant->value->data.empty() &&
                         broadcast_channels(*constant->value, factors.outputs(), 0).has_value();
    if (is_bias) {
      MR_TRY(bias.value, this->constant(node, 2, "bias"));
      bias.factor = beta;  // an Add behind the node is not scaled
    } else {
      if (beta != 1) {
        MR_TRY(Activation scaled, lifted(node, c));
        const ConstantValue factor{node.name + ".beta", node.outputs.front() + " beta", node.where,
                                   std::make_shared<const FloatTensor>(FloatTensor{{}, {beta}})};
        MR_TRY(c, binary(node, ".scaled", graph::BinaryFunction::Mul, std::move(scaled), factor));
      }
      sum = std::move(c);
    }
  }
  MR_TRY(Activation y, product(node, factors, bias));
  // A's rows before B's columns.
  if (x_is_transposed) {
    y.layout = y.layout.transposed(y.shape, std::array<int64_t, 2>{1, 0});
    std::swap(y.shape[0], y.shape[1]);
  }
  if (sum) {
    const Shape shape = y.shape;
    MR_TRY(y, binary(node, ".sum", graph::BinaryFunction::Add, std::move(y), *std::move(sum)));
    if (y.shape != shape)
      return error(messages::BiasShape, node.where, to_string(y.shape), factors.outputs());
  }
  define(bias.output, std::move(y));
  return {};
}

}  // namespace millrace::frontends::onnx
