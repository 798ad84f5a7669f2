// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/rational.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::passes {

Rational rational(Int128 raw, int frac_bits) {
  const Integer integer(raw);
  return frac_bits >= 0 ? Rational(integer, Integer(1) << frac_bits)
                        : Rational(integer << -frac_bits);
}

Rational rational(double number) {
  constexpr int MantissaBits = std::numeric_limits<double>::digits;
  int exponent = 0;
  const auto mantissa = std::ldexp(std::frexp(number, &exponent), MantissaBits);
  return rational(static_cast<Int128>(mantissa), MantissaBits - exponent);
}

std::vector<Rational> rationals(const graph::Constant& constant) {
  std::vector<Rational> numbers;
  if (!constant.type.is_fixed()) {
    for (const double number : constant.real())
      numbers.push_back(rational(number));
    return numbers;
  }
  for (const int64_t raw : constant.raw())
    numbers.push_back(rational(raw, constant.type.fixed().frac_bits));
  return numbers;
}

Integer floor(const Rational& number) {
  Integer quotient, remainder;
  divide_qr(numerator(number), denominator(number), quotient, remainder);
  return remainder < 0 ? Integer(quotient - 1) : quotient;
}

Integer ceil(const Rational& number) {
  return -floor(-number);
}

std::optional<Dyadic> dyadic(const std::vector<Rational>& numbers) {
  int frac_bits = 0;
  for (const Rational& number : numbers) {
    const auto bits = static_cast<int>(msb(denominator(number)));
    if (denominator(number) != Integer(1) << bits)
      return std::nullopt;
    frac_bits = std::max(frac_bits, bits);
  }
  Dyadic result{{}, frac_bits};
  for (const Rational& number : numbers) {
    const Integer raw = numerator(Rational(number * (Integer(1) << frac_bits)));
    if (raw != 0 && msb(Integer(abs(raw))) >= 100)
      return std::nullopt;
    result.raw.push_back(static_cast<Int128>(raw));
  }
  return result;
}

std::optional<graph::Constant> exact_vector(const std::vector<Rational>& numbers) {
  auto exact = dyadic(numbers);
  return exact ? narrowest_constant({std::ssize(numbers)}, *std::move(exact)) : std::nullopt;
}

}  // namespace millrace::passes
