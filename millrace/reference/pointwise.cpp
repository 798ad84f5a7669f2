// SPDX-License-Identifier: Apache-2.0
#include "millrace/reference/pointwise.h"

#include <algorithm>
#include <numeric>

#include "millrace/graph/ops/broadcast.h"
#include "millrace/support/check.h"

namespace millrace::reference {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

/// raw * 2^shift. Type inference keeps all numbers of a value, so aligned, below 2^100.
Int128 aligned(Int128 raw, int shift) {
  check(shift >= 0, "a result has fewer fraction bits than what it follows from");
  if (raw == 0)
    return 0;
  check(shift <= 100, "a result leaves its type");
  return raw * (Int128{1} << shift);
}

/// A finished result.
int64_t checked(Int128 raw, const FixedType& type) {
  check(type.min_raw() <= raw && raw <= type.max_raw(), "a result leaves its type");
  return static_cast<int64_t>(raw);
}

Int128 apply(BinaryFunction function, Int128 a, Int128 b) {
  switch (function) {
    case BinaryFunction::Add:
      return a + b;
    case BinaryFunction::Sub:
      return a - b;
    case BinaryFunction::Mul:
      return a * b;
    case BinaryFunction::Maximum:
      return std::max(a, b);
    case BinaryFunction::Minimum:
      return std::min(a, b);
  }
  check(false, "unknown function of two numbers");
  return 0;
}

Int128 apply(ExactFunction function, Int128 x) {
  switch (function) {
    case ExactFunction::Abs:
      return x < 0 ? -x : x;
    case ExactFunction::Negate:
      return -x;
    case ExactFunction::Sign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case ExactFunction::Binarize:
      return x >= 0 ? 1 : -1;
    case ExactFunction::Square:
      return x * x;
  }
  check(false, "unknown function of one number");
  return 0;
}

/// How an operand is repeated, which type inference has checked.
Broadcast repeated(const IntTensor& x, const IntTensor& b) {
  const auto found = broadcast(x.shape, b.shape);
  check(found.has_value(), "an operand does not fit the other");
  return *found;
}

}  // namespace

IntTensor binary(BinaryFunction function, const Argument& a, const Argument& b,
                 const TensorType& result) {
  const Broadcast repeat = repeated(a.value, b.value);
  const bool is_product = function == BinaryFunction::Mul;
  const int frac_bits = result.fixed().frac_bits;
  const int a_shift = is_product ? 0 : frac_bits - a.type.frac_bits;
  const int b_shift = is_product ? 0 : frac_bits - b.type.frac_bits;
  IntTensor y{result.shape, {}};
  for (size_t i = 0; i < a.value.data.size(); ++i) {
    const int64_t other = b.value.data[repeat.index(i)];
    y.data.push_back(
        checked(apply(function, aligned(a.value.data[i], a_shift), aligned(other, b_shift)),
                result.fixed()));
  }
  return y;
}

IntTensor prelu(const Argument& x, const Argument& alpha, const TensorType& result) {
  const Broadcast repeat = repeated(x.value, alpha.value);
  const int x_shift = result.fixed().frac_bits - x.type.frac_bits;
  const int product_shift = x_shift - alpha.type.frac_bits;
  IntTensor y{result.shape, {}};
  for (size_t i = 0; i < x.value.data.size(); ++i) {
    const int64_t raw = x.value.data[i];
    const Int128 scaled =
        raw >= 0 ? aligned(raw, x_shift)
                 : aligned(Int128{raw} * alpha.value.data[repeat.index(i)], product_shift);
    y.data.push_back(checked(scaled, result.fixed()));
  }
  return y;
}

IntTensor exact(ExactFunction function, const IntTensor& x, const TensorType& result) {
  IntTensor y{result.shape, {}};
  for (const int64_t raw : x.data)
    y.data.push_back(checked(apply(function, raw), result.fixed()));
  return y;
}

IntTensor requantize(const Requantize& op, const Argument& x, const TensorType& result) {
  IntTensor y{result.shape, {}};
  for (size_t i = 0; i < x.value.data.size(); ++i) {
    const Quantizer to = op.at(i);
    const Int128 raw = requantize_steps(Int128{x.value.data[i]}, x.type.frac_bits, op.step(i), to);
    const int shift = result.fixed().frac_bits - to.type.frac_bits;
    y.data.push_back(checked(aligned(raw, shift), result.fixed()));
  }
  return y;
}

IntTensor reduce(ReduceFunction function, const IntTensor& x, const TensorType& result) {
  IntTensor y{result.shape, {}};
  for (auto place = x.data.begin(); place != x.data.end(); place += x.shape.back()) {
    const auto end = place + x.shape.back();
    const Int128 reduced = function == ReduceFunction::Max ? Int128{*std::max_element(place, end)}
                                                           : std::accumulate(place, end, Int128{0});
    y.data.push_back(checked(reduced, result.fixed()));
  }
  return y;
}

IntTensor top_k(const IntTensor& x, const TensorType& result) {
  IntTensor y{result.shape, {}};
  std::vector<int64_t> channels(static_cast<size_t>(x.shape.back()));
  for (auto place = x.data.begin(); place != x.data.end(); place += x.shape.back()) {
    std::iota(channels.begin(), channels.end(), int64_t{0});
    std::ranges::sort(channels, [&](int64_t a, int64_t b) {
      return place[a] > place[b] || (place[a] == place[b] && a < b);
    });
    y.data.insert(y.data.end(), channels.begin(), channels.begin() + result.shape.back());
  }
  return y;
}

}  // namespace millrace::reference
