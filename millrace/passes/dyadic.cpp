// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/dyadic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

constexpr Int128 Bound = Int128{1} << 100;

// raw * 2^shift, if it stays below the bound.
std::optional<Int128> shifted_left(Int128 raw, int shift) {
  if (raw == 0)
    return raw;
  if (shift > 100 || raw >= (Bound >> shift) || raw <= -(Bound >> shift))
    return std::nullopt;
  return raw * (Int128{1} << shift);
}

// Drops the fraction bits (also negative ones) that are 0 in every element.
void strip_trailing_zeros(Dyadic& values) {
  Int128 used_bits = 0;
  for (Int128 raw : values.raw)
    used_bits |= raw;
  if (used_bits == 0) {
    values.frac_bits = 0;
    return;
  }
  int zeros = 0;
  while (((used_bits >> zeros) & 1) == 0)
    ++zeros;
  for (Int128& raw : values.raw)
    raw >>= zeros;  // exact: those bits are 0
  values.frac_bits -= zeros;
}

struct DyadicNumber {
  int64_t raw = 0;
  int frac_bits = 0;
};

// Splits a finite double into an odd integer and a power of two.
DyadicNumber exact_number(double value) {
  constexpr int MantissaBits = 53;
  int exponent = 0;
  auto mantissa = static_cast<int64_t>(std::ldexp(std::frexp(value, &exponent), MantissaBits));
  exponent -= MantissaBits;
  while (mantissa != 0 && mantissa % 2 == 0) {
    mantissa /= 2;
    ++exponent;
  }
  return {mantissa, -exponent};
}

// The exponent of the lowest bit that is set in a double other than 0.
int lowest_bit(double number) {
  constexpr int FractionBits = 52, MinExponent = -1074;
  const auto bits = std::bit_cast<uint64_t>(number);
  const auto exponent = static_cast<int>(bits >> FractionBits & 0x7ff);
  const uint64_t fraction = bits & ((uint64_t{1} << FractionBits) - 1);
  const bool is_normal = exponent != 0;
  const uint64_t mantissa = is_normal ? fraction | uint64_t{1} << FractionBits : fraction;
  return MinExponent + (is_normal ? exponent - 1 : 0) + std::countr_zero(mantissa);
}

std::optional<Dyadic> exact_reals(const std::vector<double>& reals) {
  std::vector<DyadicNumber> numbers;
  numbers.reserve(reals.size());
  std::optional<int> frac_bits;
  for (double real : reals) {
    numbers.push_back(exact_number(real));
    if (real != 0)
      frac_bits = std::max(frac_bits.value_or(numbers.back().frac_bits), numbers.back().frac_bits);
  }
  Dyadic values{{}, frac_bits.value_or(0)};
  for (const DyadicNumber& number : numbers) {
    const auto raw = shifted_left(number.raw, number.raw ? values.frac_bits - number.frac_bits : 0);
    if (!raw)
      return std::nullopt;
    values.raw.push_back(*raw);
  }
  return values;
}

}  // namespace

std::optional<Dyadic> exact_values(const graph::Constant& constant) {
  if (!constant.type.is_fixed())
    return exact_reals(constant.real());
  Dyadic values{{constant.raw().begin(), constant.raw().end()}, constant.type.fixed().frac_bits};
  strip_trailing_zeros(values);
  return values;
}

std::optional<FixedType> exact_type(std::span<const double> numbers, int max_width) {
  double lo = 0, hi = 0;
  std::optional<int> exponent;  // of the highest power of two that divides all of them
  for (const double number : numbers) {
    if (number == 0)
      continue;
    const int lowest = lowest_bit(number);
    if (exponent && lowest >= *exponent && lo <= number && number <= hi)
      continue;
    lo = std::min(lo, number);
    hi = std::max(hi, number);
    exponent = std::min(exponent.value_or(lowest), lowest);
    if (std::ilogb(std::max(hi, -lo)) - *exponent > max_width)
      return std::nullopt;
  }
  if (!exponent)
    return narrowest_type(0, 0, 0);
  const auto type = narrowest_type(static_cast<Int128>(std::ldexp(lo, -*exponent)),
                                   static_cast<Int128>(std::ldexp(hi, -*exponent)), -*exponent);
  return type && type->width <= max_width ? type : std::nullopt;
}

std::optional<graph::Constant> narrowest_constant(Shape shape, Dyadic values) {
  strip_trailing_zeros(values);
  const auto [lo, hi] = std::minmax_element(values.raw.begin(), values.raw.end());
  check(lo != values.raw.end(), "a constant without elements");
  const auto element = narrowest_type(*lo, *hi, values.frac_bits);
  if (!element)
    return std::nullopt;
  graph::Constant constant{{std::move(shape), element}, {}};
  if (!constant.type.verify({}))
    return std::nullopt;
  std::vector<int64_t> raw(values.raw.size());
  std::transform(values.raw.begin(), values.raw.end(), raw.begin(),
                 [](Int128 value) { return static_cast<int64_t>(value); });
  constant.value = std::move(raw);
  return constant;
}

std::optional<Dyadic> scale_and_shift(const Dyadic& x, const Dyadic& scale, const Dyadic& offset) {
  constexpr Int128 FactorBound = Int128{1} << 63;
  const auto is_factor = [](Int128 raw) { return raw >= -FactorBound && raw <= FactorBound; };
  const size_t channels = scale.raw.size();
  check(offset.raw.size() == channels && x.raw.size() % channels == 0, "channels do not match");
  const int product_frac = x.frac_bits + scale.frac_bits;
  Dyadic result{{}, std::max(product_frac, offset.frac_bits)};
  for (size_t i = 0; i < x.raw.size(); ++i) {
    const Int128 factor = scale.raw[i % channels];
    if (!is_factor(x.raw[i]) || !is_factor(factor))
      return std::nullopt;
    const auto product = shifted_left(x.raw[i] * factor, result.frac_bits - product_frac);
    const auto shift = shifted_left(offset.raw[i % channels], result.frac_bits - offset.frac_bits);
    if (!product || !shift)
      return std::nullopt;
    result.raw.push_back(*product + *shift);
  }
  strip_trailing_zeros(result);
  return result;
}

}  // namespace millrace::passes
