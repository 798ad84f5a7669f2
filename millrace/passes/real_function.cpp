// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/real_function.h"

#include <boost/multiprecision/cpp_bin_float.hpp>

#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

using boost::multiprecision::cpp_bin_float;
using boost::multiprecision::digit_base_2;
using boost::multiprecision::et_off;
using graph::UnaryFunction;
using Real = boost::multiprecision::number<cpp_bin_float<256, digit_base_2>, et_off>;

// A result as a sum. `base` is exact; `rest` has the right sign, however small it is, and is 0 only
// where base is the result. So exp(-1000) is more than 0, and tanh(1000) less than 1.
struct Sum {
  Real base;
  Real rest;
};

Real power_of_two(int exponent) {
  return ldexp(Real(1), exponent);
}

// exp(x), where x beyond 2^20 counts as 2^20: beyond every type on either side.
Real bounded_exp(const Real& x) {
  static const Real limit = power_of_two(20);
  return exp(x > limit ? limit : x < -limit ? Real(-limit) : x);
}

// 1 / (1 + exp(x)) for x > 0.
Real tail_of_sigmoid(const Real& x) {
  return 1 / (1 + bounded_exp(x));
}

// 1 - erf(x) for x > 0. Beyond 12 it is less than 2^-200 and, times x, only its sign matters:
// exp(-x^2) is larger, but not by much.
Real tail_of_erf(const Real& x) {
  if (x > 12)
    return bounded_exp(-x * x);
  // erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum over n of 2^n * x^(2n + 1) / (1 * 3 * ... * (2n + 1)):
  // no term is negative, so that no digits are lost.
  static const Real factor = 2 / sqrt(4 * atan(Real(1)));
  static const Real smallest = power_of_two(-260);
  const Real square = x * x;
  Real term = x;
  Real sum = x;
  for (int n = 1; term > smallest * sum || n < square; ++n) {
    term *= 2 * square / (2 * n + 1);
    sum += term;
  }
  return 1 - factor * exp(-square) * sum;
}

// ln(1 + exp(-x)) for x >= 0.
Real tail_of_softplus(const Real& x) {
  const Real power = bounded_exp(-x);
  return power < power_of_two(-200) ? power : log(1 + power);
}

Real clamp(const Real& x, const Real& lo, const Real& hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

Real infinity() {
  return std::numeric_limits<Real>::infinity();
}

// x times a function that goes from 0 through 1/2 to 1 as sigmoid does, given its tail at |x|.
Sum gated(const Real& x, const Real& tail) {
  return x < 0 ? Sum{0, x * tail} : Sum{x, -x * tail};
}

// An odd function that goes from -1 to 1, given 1 minus it at |x|.
Sum odd(const Real& x, const Real& tail) {
  return x < 0 ? Sum{-1, tail} : Sum{1, -tail};
}

Sum mish(const Real& x) {
  // With e = exp(x), tanh(ln(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2).
  const Real power = bounded_exp(x);
  const Real product = power * (power + 2);
  return x < 0 ? Sum{0, x * product / (product + 2)} : Sum{x, -2 * x / (product + 2)};
}

Sum exponential_unit(const Real& x, const Real& alpha, const Real& beta) {
  if (x >= 0)
    return {beta * x, 0};
  const Real scale = alpha * beta;
  return {-scale, scale * bounded_exp(x)};
}

// The functions of 0 that are rational there and transcendental elsewhere.
std::optional<Sum> value_at_zero(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::Sigmoid:
      return Sum{Real(0.5), 0};
    case UnaryFunction::Exp:
      return Sum{1, 0};
    case UnaryFunction::Tanh:
    case UnaryFunction::Erf:
    case UnaryFunction::Gelu:
    case UnaryFunction::GeluTanh:
    case UnaryFunction::Silu:
    case UnaryFunction::Mish:
      return Sum{0, 0};
    case UnaryFunction::Log:
      return Sum{-infinity(), 0};
    case UnaryFunction::Rsqrt:
    case UnaryFunction::Reciprocal:
      return Sum{infinity(), 0};
    default:
      return std::nullopt;
  }
}

Sum evaluate(const graph::Unary& unary, const Real& x) {
  const Real size = abs(x);
  const Real alpha = unary.alpha_or_default();
  const Real beta = unary.beta_or_default();
  if (x == 0)
    if (const auto value = value_at_zero(unary.function))
      return *value;
  switch (unary.function) {
    case UnaryFunction::Sigmoid:
      return x < 0 ? Sum{0, tail_of_sigmoid(size)} : Sum{1, -tail_of_sigmoid(size)};
    case UnaryFunction::Tanh:
      return odd(x, 2 * tail_of_sigmoid(2 * size));
    case UnaryFunction::Exp:
      return {0, bounded_exp(x)};
    case UnaryFunction::Log:
      return {x < 0 ? Real(0) : log(x), 0};
    case UnaryFunction::Gelu: {
      static const Real root = sqrt(Real(0.5));
      return gated(x, tail_of_erf(size * root) / 2);
    }
    case UnaryFunction::GeluTanh: {
      static const Real root = sqrt(8 / (4 * atan(Real(1))));  // 2 * sqrt(2 / pi)
      static const Real cubic = Real(44715) / 1000000;
      return gated(x, tail_of_sigmoid(root * (size + cubic * size * size * size)));
    }
    case UnaryFunction::Silu:
      return gated(x, tail_of_sigmoid(size));
    case UnaryFunction::Softplus:
      return {x > 0 ? x : Real(0), tail_of_softplus(size)};
    case UnaryFunction::Softsign:
      return odd(x, 1 / (1 + size));
    case UnaryFunction::Elu:
      return exponential_unit(x, alpha, 1);
    case UnaryFunction::Selu:
      return exponential_unit(x, alpha, beta);
    case UnaryFunction::Erf:
      return odd(x, tail_of_erf(size));
    case UnaryFunction::Sqrt:
      return {x < 0 ? Real(0) : sqrt(x), 0};
    case UnaryFunction::Rsqrt:
      return {0, x < 0 ? Real(0) : 1 / sqrt(x)};
    case UnaryFunction::Reciprocal:
      return {0, 1 / x};
    case UnaryFunction::HardSigmoid:
      return {clamp(alpha * x + beta, 0, 1), 0};
    case UnaryFunction::HardTanh:
      return {clamp(x, alpha, beta), 0};
    case UnaryFunction::HardSwish:
      return {x < -3 ? Real(0) : x > 3 ? x : x * (x + 3) / 6, 0};
    case UnaryFunction::Mish:
      return mish(x);
  }
  check(false, "unknown function of one number");
  return {};
}

// What an infinite result becomes.
int64_t saturated(bool is_negative, const Quantizer& to) {
  Quantizer clamping = to;
  if (to.overflow == Overflow::Wrap || to.overflow == Overflow::WrapSignMagnitude)
    clamping.overflow = Overflow::Saturate;
  const Int128 beyond = Int128{1} << 90;
  return static_cast<int64_t>(
      requantize(is_negative ? -beyond : beyond, to.type.frac_bits, clamping));
}

// Rounds base + rest once.
//
// The sum is known to 2^-153, in half steps of the type. A result that is not a whole number of
// half steps is at least 2^-124 away from the next one, except next to a base that is one: the
// functions are rational with small denominators, square roots of such numbers, or transcendental
// with a power series at 0 whose first term that leaves the half steps is that large (with 40
// fraction bits for instance 2^-126 for sigmoid's cubic term, which is 2^-85 half steps).
int64_t rounded(const Sum& sum, const Quantizer& to) {
  static const Real tiny = power_of_two(-125);
  static const Real limit = power_of_two(97);
  const int frac_bits = to.type.frac_bits + 1;
  const Real base = ldexp(sum.base, frac_bits);
  const Real rest = ldexp(sum.rest, frac_bits);
  const Real total = base + rest;
  if (abs(total) >= limit)
    return saturated(total < 0, to);
  const Real nearest = floor(total + Real(0.5));
  // The half step at or below, and whether there is something above it.
  Real lower = floor(total);
  bool is_between = true;
  if (abs(total - nearest) < tiny) {
    is_between = base == nearest && rest != 0;
    lower = is_between && rest < 0 ? Real(nearest - 1) : nearest;
  }
  const auto raw = static_cast<Int128>(lower.convert_to<boost::multiprecision::int128_t>());
  // A last bit set stands for what is between.
  return static_cast<int64_t>(requantize(raw * 2 + (is_between ? 1 : 0), frac_bits + 1, to));
}

}  // namespace

int64_t quantized_function(const graph::Unary& function, Int128 raw, int frac_bits,
                           const Quantizer& to, double step) {
  check(frac_bits <= MaxTableFracBits && to.type.frac_bits <= MaxTableFracBits,
        "a table with too many fraction bits");
  Sum sum = evaluate(function, ldexp(Real(boost::multiprecision::int128_t(raw)), -frac_bits));
  if (step != 1) {
    sum.base /= Real(step);
    sum.rest /= Real(step);
  }
  return rounded(sum, to);
}

std::vector<int64_t> function_table(const graph::Unary& function, const FixedType& from,
                                    const Quantizer& to, double step) {
  std::vector<int64_t> table;
  table.reserve(size_t{1} << from.width);
  for (auto raw = static_cast<int64_t>(from.min_raw()); raw <= from.max_raw(); ++raw)
    table.push_back(quantized_function(function, raw, from.frac_bits, to, step));
  return table;
}

}  // namespace millrace::passes
