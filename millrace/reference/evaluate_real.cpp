// SPDX-License-Identifier: Apache-2.0
#include "millrace/reference/evaluate_real.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "millrace/graph/ops/broadcast.h"
#include "millrace/support/check.h"

namespace millrace::reference {
namespace {

using namespace graph;
using Values = std::vector<double>;

// Calls tap(output position, input position) for each element of each window inside the map.
template <class Tap>
void for_each_tap(const Window& window, const Shape& x, const Shape& y, Tap tap) {
  for (int64_t r = 0; r < y[0]; ++r)
    for (int64_t c = 0; c < y[1]; ++c)
      for (int64_t i = 0; i < window.kernel_h; ++i)
        for (int64_t j = 0; j < window.kernel_w; ++j) {
          const int64_t row = r * window.stride_h + i * window.dilation_h - window.pad_top;
          const int64_t column = c * window.stride_w + j * window.dilation_w - window.pad_left;
          if (row >= 0 && row < x[0] && column >= 0 && column < x[1])
            tap(r * y[1] + c, row * x[1] + column, i * window.kernel_w + j);
        }
}

double real_function(const Unary& unary, double x) {
  const double alpha = unary.alpha_or_default(), beta = unary.beta_or_default();
  switch (unary.function) {
    case UnaryFunction::Sigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryFunction::Tanh:
      return std::tanh(x);
    case UnaryFunction::Exp:
      return std::exp(x);
    case UnaryFunction::Log:
      return std::log(x);
    case UnaryFunction::Gelu:
      return x / 2 * (1 + std::erf(x * std::numbers::sqrt2 / 2));
    case UnaryFunction::GeluTanh:
      return x / 2 *
             (1 + std::tanh(std::sqrt(2 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x)));
    case UnaryFunction::Silu:
      return x / (1 + std::exp(-x));
    case UnaryFunction::Softplus:  // without overflow
      return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    case UnaryFunction::Softsign:
      return x / (1 + std::abs(x));
    case UnaryFunction::Elu:
      return x >= 0 ? x : alpha * std::expm1(x);
    case UnaryFunction::Selu:
      return beta * (x >= 0 ? x : alpha * std::expm1(x));
    case UnaryFunction::Erf:
      return std::erf(x);
    case UnaryFunction::Sqrt:
      return std::sqrt(x);
    case UnaryFunction::Rsqrt:
      return 1 / std::sqrt(x);
    case UnaryFunction::Reciprocal:
      return 1 / x;
    case UnaryFunction::HardSigmoid:
      return std::max(0.0, std::min(1.0, alpha * x + beta));
    case UnaryFunction::HardTanh:
      return std::max(alpha, std::min(beta, x));
    case UnaryFunction::HardSwish:
      return x * std::max(0.0, std::min(1.0, x / 6 + 0.5));
    case UnaryFunction::Mish:
      return x * std::tanh(std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))));
  }
  check(false, "every function is listed");
  return x;
}

struct Evaluator {
  const Graph& graph;
  const std::vector<Values>& inputs;
  std::vector<Values> values;
  size_t next_input = 0;

  const Values& operand(const Op& op, size_t index) const {
    return values[static_cast<size_t>(op.operands[index])];
  }
  const Shape& shape(const Op& op, size_t index) const {
    return graph.type(op.operands[index]).shape;
  }
  Values evaluate(const Op& op) {
    return std::visit([&](const auto& kind) { return apply(kind, op); }, op.kind);
  }

  Values apply(const Input&, const Op&) { return inputs.at(next_input++); }
  Values apply(const Constant& constant, const Op& op) {
    if (!op.type.is_fixed())
      return constant.real();
    Values result;
    for (int64_t raw : constant.raw())
      result.push_back(op.type.fixed().to_double(raw));
    return result;
  }
  Values apply(const Requantize& requantize_op, const Op& op) {
    Values result;
    for (double x : operand(op, 0)) {
      const Quantizer to = requantize_op.at(result.size());
      const double step = requantize_op.step(result.size());
      result.push_back(to.type.to_double(requantize_steps(x, step, to)));
    }
    return result;
  }
  Values apply(const Conv2D& conv, const Op& op) {
    const Values &x = operand(op, 0), &w = operand(op, 1), &b = operand(op, 2);
    const auto groups = static_cast<size_t>(conv.groups);
    const auto all_channels = static_cast<size_t>(shape(op, 0)[2]);
    const size_t channels = all_channels / groups;
    const size_t filters = b.size();
    Values y(static_cast<size_t>(num_elements(op.type.shape)));
    for (size_t i = 0; i < y.size(); ++i)
      y[i] = b[i % filters];
    for_each_tap(conv.window, shape(op, 0), op.type.shape, [&](size_t out, size_t in, size_t tap) {
      for (size_t k = 0; k < channels; ++k)
        for (size_t f = 0; f < filters; ++f)
          y[out * filters + f] += x[in * all_channels + f / (filters / groups) * channels + k] *
                                  w[(tap * channels + k) * filters + f];
    });
    return y;
  }
  Values apply(const Dense&, const Op& op) {
    const Values &x = operand(op, 0), &w = operand(op, 1);
    Values y = operand(op, 2);
    const size_t sums = y.size();
    for (size_t n = 0; n < x.size(); ++n)
      for (size_t m = 0; m < sums; ++m)
        y[m] += x[n] * w[n * sums + m];
    return y;
  }
  Values apply(const Affine&, const Op& op) {
    const Values &scale = operand(op, 1), &offset = operand(op, 2);
    Values y = operand(op, 0);
    for (size_t i = 0; i < y.size(); ++i)
      y[i] = scale[i % scale.size()] * y[i] + offset[i % scale.size()];
    return y;
  }
  Values apply(const Relu&, const Op& op) {
    Values y = operand(op, 0);
    for (double& element : y)
      element = std::max(element, 0.0);
    return y;
  }
  Values apply(const MaxPool& pool, const Op& op) {
    const Values& x = operand(op, 0);
    const auto channels = static_cast<size_t>(shape(op, 0)[2]);
    Values y(static_cast<size_t>(num_elements(op.type.shape)),
             -std::numeric_limits<double>::infinity());
    for_each_tap(pool.window, shape(op, 0), op.type.shape, [&](size_t out, size_t in, size_t) {
      for (size_t k = 0; k < channels; ++k)
        y[out * channels + k] = std::max(y[out * channels + k], x[in * channels + k]);
    });
    return y;
  }
  Values apply(const AvgPool& pool, const Op& op) {
    const Values& x = operand(op, 0);
    const auto channels = static_cast<size_t>(shape(op, 0)[2]);
    Values y(static_cast<size_t>(num_elements(op.type.shape)));
    std::vector<double> counts(y.size() / channels);
    for_each_tap(pool.window, shape(op, 0), op.type.shape, [&](size_t out, size_t in, size_t) {
      ++counts[out];
      for (size_t k = 0; k < channels; ++k)
        y[out * channels + k] += x[in * channels + k];
    });
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] /= pool.include_padding
                  ? static_cast<double>(pool.window.kernel_h * pool.window.kernel_w)
                  : counts[i / channels];
      if (pool.to)
        y[i] = pool.to->type.to_double(requantize(y[i], *pool.to));
    }
    return y;
  }
  Values apply(const Concat&, const Op& op) {
    const size_t pixels = static_cast<size_t>(num_elements(op.type.shape) / op.type.shape.back());
    Values y;
    for (size_t pixel = 0; pixel < pixels; ++pixel)
      for (size_t i = 0; i < op.operands.size(); ++i) {
        const size_t channels = operand(op, i).size() / pixels;
        const auto first = operand(op, i).begin() + static_cast<std::ptrdiff_t>(pixel * channels);
        y.insert(y.end(), first, first + static_cast<std::ptrdiff_t>(channels));
      }
    return y;
  }
  Values apply(const ConvTranspose2D& conv, const Op& op) {
    const Values &x = operand(op, 0), &w = operand(op, 1), &b = operand(op, 2);
    const Shape& map = shape(op, 0);
    const Shape& out = op.type.shape;
    Values y(static_cast<size_t>(num_elements(out)));
    for (size_t i = 0; i < y.size(); ++i)
      y[i] = b[i % b.size()];
    // Every input element puts its kernel into the output.
    for (size_t n = 0; n < x.size(); ++n)
      for (size_t m = 0; m < w.size(); ++m) {
        const auto element = static_cast<int64_t>(n), weight = static_cast<int64_t>(m);
        if (element % map[2] != weight / out[2] % map[2])
          continue;
        const int64_t tap = weight / out[2] / map[2];
        const int64_t row =
            element / map[2] / map[1] * conv.stride_h + tap / conv.kernel_w - conv.pad_top;
        const int64_t column =
            element / map[2] % map[1] * conv.stride_w + tap % conv.kernel_w - conv.pad_left;
        if (row >= 0 && row < out[0] && column >= 0 && column < out[1])
          y[static_cast<size_t>((row * out[1] + column) * out[2] + weight % out[2])] += x[n] * w[m];
      }
    return y;
  }
  // Each element of the result has its place in x: place(row, column, channel), or -1 for a zero.
  template <class Place>
  Values moved(const Op& op, Place place) {
    Values y;
    const Shape& out = op.type.shape;
    for (int64_t i = 0; i < num_elements(out); ++i) {
      const int64_t from = place(i / out[2] / out[1], i / out[2] % out[1], i % out[2]);
      y.push_back(from < 0 ? 0 : operand(op, 0).at(static_cast<size_t>(from)));
    }
    return y;
  }
  Values apply(const Pad& pad, const Op& op) {
    const Shape& x = shape(op, 0);
    return moved(op, [&](int64_t r, int64_t c, int64_t k) {
      r -= pad.top, c -= pad.left;
      return r < 0 || r >= x[0] || c < 0 || c >= x[1] ? -1 : (r * x[1] + c) * x[2] + k;
    });
  }
  Values apply(const Reshape&, const Op& op) { return operand(op, 0); }
  Values apply(const Slice& slice, const Op& op) {
    const Shape& x = shape(op, 0);
    const Values& all = operand(op, 0);
    if (x.size() == 1)
      return {all.begin() + slice.begin[0], all.begin() + slice.begin[0] + slice.size[0]};
    return moved(op, [&](int64_t r, int64_t c, int64_t k) {
      return ((r + slice.begin[0]) * x[1] + c + slice.begin[1]) * x[2] + k + slice.begin[2];
    });
  }
  Values apply(const Transpose& transpose, const Op& op) {
    const Shape& x = shape(op, 0);
    const int64_t steps[] = {x[1] * x[2], x[2], 1};
    const auto step = [&](size_t axis) { return steps[transpose.permutation[axis]]; };
    return moved(op, [&](int64_t r, int64_t c, int64_t k) {
      return r * step(0) + c * step(1) + k * step(2);
    });
  }
  Values apply(const Upsample& upsample, const Op& op) {
    const Shape& x = shape(op, 0);
    return moved(op, [&](int64_t r, int64_t c, int64_t k) {
      return (r / upsample.factor_h * x[1] + c / upsample.factor_w) * x[2] + k;
    });
  }
  Values apply(const Flatten&, const Op& op) { return operand(op, 0); }
  Values apply(const Unary& unary, const Op& op) {
    Values y = operand(op, 0);
    for (double& element : y)
      element = real_function(unary, element);
    return y;
  }
  template <BinaryFunction F>
  Values apply(const Binary<F>&, const Op& op) {
    const Values& b = operand(op, 1);
    const auto repeat = broadcast(shape(op, 0), shape(op, 1));
    Values y = operand(op, 0);
    for (size_t i = 0; i < y.size(); ++i) {
      const double other = b[repeat.value().index(i)];
      y[i] = F == BinaryFunction::Add       ? y[i] + other
             : F == BinaryFunction::Sub     ? y[i] - other
             : F == BinaryFunction::Mul     ? y[i] * other
             : F == BinaryFunction::Maximum ? std::max(y[i], other)
                                            : std::min(y[i], other);
    }
    return y;
  }
  Values apply(const Prelu&, const Op& op) {
    const Values& alpha = operand(op, 1);
    Values y = operand(op, 0);
    for (size_t i = 0; i < y.size(); ++i)
      y[i] *= y[i] < 0 ? alpha[i % alpha.size()] : 1;
    return y;
  }
  template <ExactFunction F>
  Values apply(const Exact<F>&, const Op& op) {
    Values y = operand(op, 0);
    for (double& x : y)
      x = F == ExactFunction::Abs        ? std::abs(x)
          : F == ExactFunction::Negate   ? 0 - x
          : F == ExactFunction::Sign     ? (x > 0) - (x < 0)
          : F == ExactFunction::Binarize ? (x >= 0 ? 1 : -1)
                                         : x * x;
    return y;
  }
  Values apply(const Reduce& reduce, const Op& op) {
    const Values& x = operand(op, 0);
    Values y;
    for (auto place = x.begin(); place != x.end(); place += shape(op, 0).back()) {
      const auto end = place + shape(op, 0).back();
      y.push_back(reduce.function == ReduceFunction::Max ? *std::max_element(place, end)
                                                         : std::accumulate(place, end, 0.0));
    }
    return y;
  }
  Values apply(const TopK& top_k, const Op& op) {
    const Values& x = operand(op, 0);
    const auto channels = shape(op, 0).back();
    std::vector<int64_t> order(static_cast<size_t>(channels));
    Values y;
    for (auto place = x.begin(); place != x.end(); place += channels) {
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return place[a] > place[b] || (place[a] == place[b] && a < b);
      });
      y.insert(y.end(), order.begin(), order.begin() + top_k.k);
    }
    return y;
  }
  Values apply(const Softmax&, const Op& op) {
    Values y = operand(op, 0);
    const auto channels = shape(op, 0).back();
    for (auto place = y.begin(); place != y.end(); place += channels) {
      const double largest = *std::max_element(place, place + channels);
      double sum = 0;
      for (auto element = place; element != place + channels; ++element)
        sum += * element = std::exp(*element - largest);
      for (auto element = place; element != place + channels; ++element)
        *element /= sum;
    }
    return y;
  }
  Values apply(const Table& table, const Op& op) {
    const FixedType& from = graph.type(op.operands[0]).fixed();
    Values y = operand(op, 0);
    for (double& element : y) {
      const auto raw = static_cast<Int128>(std::ldexp(element, from.frac_bits));
      element = table.element.to_double(table.value.at(static_cast<size_t>(raw - from.min_raw())));
    }
    return y;
  }
};

}  // namespace

std::vector<Values> evaluate_real_all(const Graph& graph, const std::vector<Values>& inputs) {
  check(inputs.size() == graph.inputs().size(), "an input is missing");
  Evaluator evaluator{graph, inputs, {}};
  for (const Op& op : graph.ops()) {
    evaluator.values.push_back(evaluator.evaluate(op));
    check(evaluator.values.back().size() == static_cast<size_t>(num_elements(op.type.shape)),
          "a value of the wrong size");
  }
  return evaluator.values;
}

std::vector<Values> evaluate_real(const Graph& graph, const std::vector<Values>& inputs) {
  const std::vector<Values> values = evaluate_real_all(graph, inputs);
  std::vector<Values> outputs;
  for (ValueId output : graph.outputs())
    outputs.push_back(values[static_cast<size_t>(output)]);
  return outputs;
}

}  // namespace millrace::reference
