// SPDX-License-Identifier: Apache-2.0
#include "millrace/reference/evaluate.h"

#include <algorithm>
#include <optional>
#include <type_traits>

#include "millrace/reference/moves.h"
#include "millrace/reference/pointwise.h"
#include "millrace/support/check.h"

namespace millrace::reference {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

/// `value` with more fraction bits: value * 2^shift.
Int128 with_frac_bits(Int128 value, int shift) {
  check(shift >= 0, "a sum has fewer fraction bits than its terms");
  if (value == 0)
    return 0;
  check(shift < 64, "a sum leaves its type");
  return value * (Int128{1} << shift);
}

const Quantizer* accumulator(const std::optional<Quantizer>& accumulate) {
  return accumulate ? &*accumulate : nullptr;
}

/// A sum of products and a bias: exact, or step by step through an accumulator.
class Sum {
public:
  /// `accumulate` is null for an exact sum.
  Sum(const Quantizer* accumulate, int product_frac_bits, Int128 bias, int bias_frac_bits)
      : accumulate_(accumulate),
        product_frac_bits_(product_frac_bits),
        bias_frac_bits_(bias_frac_bits),
        bias_(accumulate ? requantize(bias, bias_frac_bits, *accumulate) : bias) {}

  void add(Int128 product) {
    if (accumulate_) {
      const int frac_bits = accumulate_->type.frac_bits;
      bias_ = requantize(bias_ + requantize(product, product_frac_bits_, *accumulate_), frac_bits,
                         *accumulate_);
    } else {
      products_ += product;
    }
  }

  /// The sum in the fraction bits of the result's type.
  int64_t result(const FixedType& type) const {
    const Int128 sum = accumulate_
                           ? bias_
                           : with_frac_bits(products_, type.frac_bits - product_frac_bits_) +
                                 with_frac_bits(bias_, type.frac_bits - bias_frac_bits_);
    check(type.min_raw() <= sum && sum <= type.max_raw(), "a sum leaves its type");
    return static_cast<int64_t>(sum);
  }

private:
  const Quantizer* accumulate_;
  int product_frac_bits_, bias_frac_bits_;
  Int128 bias_;  // with an accumulator the whole sum, in the accumulator's type
  Int128 products_ = 0;
};

int64_t at(const IntTensor& map, int64_t row, int64_t column, int64_t channel) {
  return map.data[static_cast<size_t>((row * map.shape[1] + column) * map.shape[2] + channel)];
}

bool is_inside(const IntTensor& map, int64_t row, int64_t column) {
  return 0 <= row && row < map.shape[0] && 0 <= column && column < map.shape[1];
}

IntTensor conv2d(const Conv2D& conv, const Argument& x, const Argument& w, const Argument& b,
                 const TensorType& result) {
  const Window& window = conv.window;
  const int64_t filters = result.shape[2];
  const int64_t channels = x.value.shape[2] / conv.groups;  // of one group
  IntTensor y{result.shape, {}};
  for (int64_t row = 0; row < result.shape[0]; ++row)
    for (int64_t column = 0; column < result.shape[1]; ++column)
      for (int64_t filter = 0; filter < filters; ++filter) {
        const int64_t first_channel = filter / (filters / conv.groups) * channels;
        Sum sum(accumulator(conv.accumulate), x.type.frac_bits + w.type.frac_bits,
                b.value.data[static_cast<size_t>(filter)], b.type.frac_bits);
        for (int64_t i = 0; i < window.kernel_h; ++i)
          for (int64_t j = 0; j < window.kernel_w; ++j) {
            const int64_t x_row = row * window.stride_h + i * window.dilation_h - window.pad_top;
            const int64_t x_column =
                column * window.stride_w + j * window.dilation_w - window.pad_left;
            if (!is_inside(x.value, x_row, x_column))
              continue;  // padded with zeros
            for (int64_t channel = 0; channel < channels; ++channel) {
              const int64_t tap = ((i * window.kernel_w + j) * channels + channel) * filters;
              sum.add(Int128{w.value.data[static_cast<size_t>(tap + filter)]} *
                      at(x.value, x_row, x_column, first_channel + channel));
            }
          }
        y.data.push_back(sum.result(result.fixed()));
      }
  return y;
}

IntTensor dense(const Dense& dense, const Argument& x, const Argument& w, const Argument& b,
                const TensorType& result) {
  const auto num_outputs = static_cast<size_t>(result.shape[0]);
  IntTensor y{result.shape, {}};
  for (size_t m = 0; m < num_outputs; ++m) {
    Sum sum(accumulator(dense.accumulate), x.type.frac_bits + w.type.frac_bits, b.value.data[m],
            b.type.frac_bits);
    for (size_t n = 0; n < x.value.data.size(); ++n)
      sum.add(Int128{w.value.data[n * num_outputs + m]} * x.value.data[n]);
    y.data.push_back(sum.result(result.fixed()));
  }
  return y;
}

IntTensor affine(const Argument& x, const Argument& scale, const Argument& offset,
                 const TensorType& result) {
  const size_t channels = scale.value.data.size();
  IntTensor y{result.shape, {}};
  for (size_t i = 0; i < x.value.data.size(); ++i) {
    const size_t channel = i % channels;
    Sum sum(nullptr, x.type.frac_bits + scale.type.frac_bits, offset.value.data[channel],
            offset.type.frac_bits);
    sum.add(Int128{scale.value.data[channel]} * x.value.data[i]);
    y.data.push_back(sum.result(result.fixed()));
  }
  return y;
}

IntTensor max_pool(const Window& window, const IntTensor& x, const TensorType& result) {
  IntTensor y{result.shape, {}};
  for (int64_t row = 0; row < result.shape[0]; ++row)
    for (int64_t column = 0; column < result.shape[1]; ++column)
      for (int64_t channel = 0; channel < result.shape[2]; ++channel) {
        std::optional<int64_t> largest;
        for (int64_t i = 0; i < window.kernel_h; ++i)
          for (int64_t j = 0; j < window.kernel_w; ++j) {
            const int64_t x_row = row * window.stride_h + i * window.dilation_h - window.pad_top;
            const int64_t x_column =
                column * window.stride_w + j * window.dilation_w - window.pad_left;
            if (is_inside(x, x_row, x_column))
              largest = std::max(largest.value_or(at(x, x_row, x_column, channel)),
                                 at(x, x_row, x_column, channel));
          }
        check(largest.has_value(), "a pooling window holds padding only");
        y.data.push_back(*largest);
      }
  return y;
}

/// The position with position * stride + tap = target, if there is one on an axis of that size.
std::optional<int64_t> source(int64_t target, int64_t tap, int64_t stride, int64_t size) {
  const int64_t distance = target - tap;
  if (distance < 0 || distance % stride != 0 || distance / stride >= size)
    return std::nullopt;
  return distance / stride;
}

IntTensor conv_transpose2d(const ConvTranspose2D& conv, const Argument& x, const Argument& w,
                           const Argument& b, const TensorType& result) {
  const int64_t channels = x.value.shape[2];
  const int64_t filters = result.shape[2];
  IntTensor y{result.shape, {}};
  for (int64_t row = 0; row < result.shape[0]; ++row)
    for (int64_t column = 0; column < result.shape[1]; ++column)
      for (int64_t filter = 0; filter < filters; ++filter) {
        Sum sum(nullptr, x.type.frac_bits + w.type.frac_bits,
                b.value.data[static_cast<size_t>(filter)], b.type.frac_bits);
        for (int64_t u = 0; u < conv.kernel_h; ++u)
          for (int64_t v = 0; v < conv.kernel_w; ++v) {
            const auto i = source(row + conv.pad_top, u, conv.stride_h, x.value.shape[0]);
            const auto j = source(column + conv.pad_left, v, conv.stride_w, x.value.shape[1]);
            if (!i || !j)
              continue;
            for (int64_t channel = 0; channel < channels; ++channel) {
              const int64_t tap = ((u * conv.kernel_w + v) * channels + channel) * filters;
              sum.add(Int128{w.value.data[static_cast<size_t>(tap + filter)]} *
                      at(x.value, *i, *j, channel));
            }
          }
        y.data.push_back(sum.result(result.fixed()));
      }
  return y;
}

IntTensor avg_pool(const AvgPool& pool, const Argument& x, const TensorType& result) {
  check(pool.to.has_value(), "a mean without a quantiser has no exact value");
  const Window& window = pool.window;
  const auto add = [&](Int128 sum, Int128 term) {
    if (!pool.accumulate)
      return sum + term;
    // Both with the fraction bits of whichever has more.
    const int gained = x.type.frac_bits - pool.to->type.frac_bits;
    const Int128 exact =
        with_frac_bits(sum, std::max(gained, 0)) + with_frac_bits(term, std::max(-gained, 0));
    return requantize(exact, std::max(x.type.frac_bits, pool.to->type.frac_bits), *pool.to);
  };
  IntTensor y{result.shape, {}};
  for (int64_t row = 0; row < result.shape[0]; ++row)
    for (int64_t column = 0; column < result.shape[1]; ++column)
      for (int64_t channel = 0; channel < result.shape[2]; ++channel) {
        Int128 sum = 0;  // in the fraction bits of x, or of the accumulator
        int64_t count = 0;
        for (int64_t i = 0; i < window.kernel_h; ++i)
          for (int64_t j = 0; j < window.kernel_w; ++j) {
            const int64_t x_row = row * window.stride_h + i * window.dilation_h - window.pad_top;
            const int64_t x_column =
                column * window.stride_w + j * window.dilation_w - window.pad_left;
            if (is_inside(x.value, x_row, x_column)) {
              sum = add(sum, at(x.value, x_row, x_column, channel));
              ++count;
            } else if (pool.include_padding) {
              ++count;
            }
          }
        y.data.push_back(static_cast<int64_t>(
            pool.accumulate ? sum / count
                            : requantize_quotient(sum, count, x.type.frac_bits, *pool.to)));
      }
  return y;
}

/// Vectors are maps of one pixel here.
IntTensor concat(const std::vector<Argument>& parts, const TensorType& result) {
  const int64_t pixels = num_elements(result.shape) / result.shape.back();
  IntTensor y{result.shape, {}};
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    for (const Argument& part : parts) {
      const int64_t channels = part.value.shape.back();
      for (int64_t channel = 0; channel < channels; ++channel)
        y.data.push_back(static_cast<int64_t>(
            with_frac_bits(part.value.data[static_cast<size_t>(pixel * channels + channel)],
                           result.fixed().frac_bits - part.type.frac_bits)));
    }
  return y;
}

/// Applies a function to each element.
template <class Function>
IntTensor map(const IntTensor& x, const TensorType& result, Function function) {
  IntTensor y{result.shape, {}};
  for (const int64_t element : x.data)
    y.data.push_back(function(element));
  return y;
}

IntTensor evaluate_op(const Op& op, const std::vector<Argument>& arguments) {
  return std::visit(
      Overloaded{
          [&](const Constant& constant) { return IntTensor{op.type.shape, constant.raw()}; },
          [&](const Requantize& kind) { return requantize(kind, arguments[0], op.type); },
          [&](const Conv2D& conv) {
            return conv2d(conv, arguments[0], arguments[1], arguments[2], op.type);
          },
          [&](const Dense& kind) {
            return dense(kind, arguments[0], arguments[1], arguments[2], op.type);
          },
          [&](const Affine&) { return affine(arguments[0], arguments[1], arguments[2], op.type); },
          [&](const Relu&) {
            return map(arguments[0].value, op.type,
                       [](int64_t raw) { return std::max(raw, int64_t{0}); });
          },
          [&](const MaxPool& pool) { return max_pool(pool.window, arguments[0].value, op.type); },
          [&](const Flatten&) { return IntTensor{op.type.shape, arguments[0].value.data}; },
          [&](const Table& table) {
            const auto first = static_cast<int64_t>(arguments[0].type.min_raw());
            return map(arguments[0].value, op.type, [&](int64_t raw) {
              return table.value.at(static_cast<size_t>(raw - first));
            });
          },
          [&](const AvgPool& pool) { return avg_pool(pool, arguments[0], op.type); },
          [&](const Concat&) { return concat(arguments, op.type); },
          [&](const ConvTranspose2D& conv) {
            return conv_transpose2d(conv, arguments[0], arguments[1], arguments[2], op.type);
          },
          [&](const Pad& kind) { return pad(kind, arguments[0].value, op.type.shape); },
          [&](const Reshape&) { return IntTensor{op.type.shape, arguments[0].value.data}; },
          [&](const Slice& kind) { return slice(kind, arguments[0].value); },
          [&](const Transpose& kind) { return transpose(kind, arguments[0].value, op.type.shape); },
          [&](const Upsample& kind) { return upsample(kind, arguments[0].value, op.type.shape); },
          [&]<BinaryFunction F>(const Binary<F>&) {
            return binary(F, arguments[0], arguments[1], op.type);
          },
          [&](const Prelu&) { return prelu(arguments[0], arguments[1], op.type); },
          [&]<ExactFunction F>(const Exact<F>&) { return exact(F, arguments[0].value, op.type); },
          [&](const Reduce& kind) { return reduce(kind.function, arguments[0].value, op.type); },
          [&](const TopK&) { return top_k(arguments[0].value, op.type); },
          [&](const auto& other) -> IntTensor {
            static_assert(std::is_same_v<decltype(other), const Input&> ||
                          std::is_same_v<decltype(other), const Unary&> ||
                          std::is_same_v<decltype(other), const Softmax&>);
            check(false, "this operation has no exact value");
            return {};
          }},
      op.kind);
}

void check_input(const IntTensor& value, const TensorType& type) {
  check(value.shape == type.shape && std::ssize(value.data) == num_elements(type.shape),
        "an input has another shape than the graph's");
  for (const int64_t raw : value.data)
    check(type.fixed().min_raw() <= raw && raw <= type.fixed().max_raw(),
          "a raw integer of an input lies outside its type");
}

}  // namespace

std::vector<IntTensor> evaluate_all(const Graph& graph, const std::vector<IntTensor>& inputs) {
  check(graph.is_exact(), "only an exact graph can be evaluated");
  check(inputs.size() == graph.inputs().size(), "the graph has another number of inputs");
  std::vector<IntTensor> values;
  values.reserve(graph.ops().size());  // references into it stay valid
  auto next_input = inputs.begin();
  for (const Op& op : graph.ops()) {
    if (op.as<Input>()) {
      check_input(*next_input, op.type);
      values.push_back(*next_input++);
      continue;
    }
    std::vector<Argument> arguments;
    for (const ValueId operand : op.operands)
      arguments.push_back({values.at(static_cast<size_t>(operand)), graph.type(operand).fixed()});
    values.push_back(evaluate_op(op, arguments));
  }
  return values;
}

std::vector<IntTensor> evaluate(const Graph& graph, const std::vector<IntTensor>& inputs) {
  const std::vector<IntTensor> values = evaluate_all(graph, inputs);
  std::vector<IntTensor> results;
  for (const ValueId output : graph.outputs())
    results.push_back(values.at(static_cast<size_t>(output)));
  return results;
}

}  // namespace millrace::reference
