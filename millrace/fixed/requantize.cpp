// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/requantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/support/check.h"

namespace millrace {

namespace {

template <class Mode>
struct ModeName {
  Mode mode;
  std::string_view name;
};
constexpr std::array RoundingNames{
    ModeName{Rounding::Floor, std::string_view("TRN")},
    ModeName{Rounding::TowardsZero, std::string_view("TRN_ZERO")},
    ModeName{Rounding::HalfUp, std::string_view("RND")},
    ModeName{Rounding::HalfTowardsZero, std::string_view("RND_ZERO")},
    ModeName{Rounding::HalfDown, std::string_view("RND_MIN_INF")},
    ModeName{Rounding::HalfAwayFromZero, std::string_view("RND_INF")},
    ModeName{Rounding::HalfEven, std::string_view("RND_CONV")},
};
constexpr std::array OverflowNames{
    ModeName{Overflow::Wrap, std::string_view("WRAP")},
    ModeName{Overflow::Saturate, std::string_view("SAT")},
    ModeName{Overflow::SaturateZero, std::string_view("SAT_ZERO")},
    ModeName{Overflow::SaturateSymmetric, std::string_view("SAT_SYM")},
    ModeName{Overflow::WrapSignMagnitude, std::string_view("WRAP_SM")},
};

template <class Names, class Mode>
std::string_view name_of(const Names& names, Mode mode) {
  for (const auto& row : names)
    if (row.mode == mode)
      return row.name;
  check(false, "a mode without a name");
  return {};
}

template <class Mode, class Names>
std::optional<Mode> mode_of(const Names& names, std::string_view name) {
  if (name.starts_with("AP_"))
    name.remove_prefix(3);
  for (const auto& row : names)
    if (row.name == name)
      return row.mode;
  return std::nullopt;
}

/// True when the quotient is to be one more than its floor. `half` is the highest dropped bit,
/// `rest` tells whether any lower dropped bit is set.
bool rounds_up(Rounding rounding, bool is_negative, bool is_odd, bool half, bool rest) {
  switch (rounding) {
    case Rounding::Floor:
      return false;
    case Rounding::TowardsZero:
      return is_negative && (half || rest);
    case Rounding::HalfUp:
      return half;
    case Rounding::HalfTowardsZero:
      return half && (is_negative || rest);
    case Rounding::HalfDown:
      return half && rest;
    case Rounding::HalfAwayFromZero:
      return half && (!is_negative || rest);
    case Rounding::HalfEven:
      return half && (is_odd || rest);
  }
  check(false, "unknown rounding mode");
  return false;
}

/// raw / 2^dropped, rounded.
Int128 divide(Int128 raw, int dropped, Rounding rounding) {
  // |raw| < 2^100, so that from 102 on all dropped bits but the last 100 repeat the sign.
  dropped = std::min(dropped, 120);
  const Int128 floor = raw >> dropped;
  const Int128 remainder = raw - (floor << dropped);
  const bool half = ((remainder >> (dropped - 1)) & 1) != 0;
  const bool rest = (remainder & ((Int128{1} << (dropped - 1)) - 1)) != 0;
  return floor + (rounds_up(rounding, raw < 0, (floor & 1) != 0, half, rest) ? 1 : 0);
}

/// raw * 2^gained; where that is too large for an Int128, a number that overflows every type in
/// the same way: of the same sign, outside every range, with the same lowest 65 bits.
Int128 multiply(Int128 raw, int gained) {
  constexpr int KeptBits = FixedType::MaxWidth + 1;
  constexpr Int128 Outside = Int128{1} << KeptBits;
  gained = std::min(gained, KeptBits);
  const Int128 largest_exact = Int128{1} << (126 - gained);
  if (-largest_exact < raw && raw < largest_exact)
    return raw * (Int128{1} << gained);
  const auto low = static_cast<Int128>((static_cast<UInt128>(raw) << gained) &
                                       static_cast<UInt128>(Outside - 1));
  return raw < 0 ? low - 2 * Outside : low + Outside;
}

/// `value`, or, where it is large, a number that multiply()'s description allows instead of it.
Int128 bounded(Int128 value) {
  constexpr Int128 Outside = Int128{1} << (FixedType::MaxWidth + 1);
  if (-2 * Outside < value && value < 2 * Outside)
    return value;
  const Int128 low = value & (Outside - 1);
  return value < 0 ? low - 2 * Outside : low + Outside;
}

/// The number that the lowest `type.width` bits of `value` are in `type`.
Int128 wrap(Int128 value, const FixedType& type) {
  const Int128 span = Int128{1} << type.width;
  const Int128 low = value & (span - 1);
  return low > type.max_raw() ? low - span : low;
}

Int128 apply_overflow(Int128 value, const FixedType& type, Overflow overflow) {
  const Int128 lo = type.min_raw();
  const Int128 hi = type.max_raw();
  const bool fits = lo <= value && value <= hi;
  switch (overflow) {
    case Overflow::Wrap:
      return wrap(value, type);
    case Overflow::Saturate:
      return std::clamp(value, lo, hi);
    case Overflow::SaturateZero:
      return fits ? value : Int128{0};
    case Overflow::SaturateSymmetric:
      return std::clamp(value, type.is_signed ? -hi : lo, hi);
    case Overflow::WrapSignMagnitude: {
      if (!type.is_signed)
        return std::clamp(value, lo, hi);
      // The sign becomes the lowest deleted bit; where that changes it, all bits are inverted.
      const Int128 wrapped = wrap(value, type);
      const bool new_sign = ((value >> type.width) & 1) != 0;
      return fits || new_sign == (wrapped < 0) ? wrapped : ~wrapped;
    }
  }
  check(false, "unknown overflow mode");
  return 0;
}

/// integer * 2^-frac_bits
struct Scaled {
  int64_t integer;
  int frac_bits;
};

/// Every double is an integer of 53 bits times a power of two.
Scaled exact(double value) {
  check(std::isfinite(value), "a number that is not finite cannot be quantised");
  constexpr int MantissaBits = std::numeric_limits<double>::digits;
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return {static_cast<int64_t>(std::ldexp(mantissa, MantissaBits)), MantissaBits - exponent};
}

}  // namespace

std::string_view to_string(Rounding rounding) {
  return name_of(RoundingNames, rounding);
}

std::string_view to_string(Overflow overflow) {
  return name_of(OverflowNames, overflow);
}

std::optional<Rounding> parse_rounding(std::string_view name) {
  return mode_of<Rounding>(RoundingNames, name);
}

std::optional<Overflow> parse_overflow(std::string_view name) {
  return mode_of<Overflow>(OverflowNames, name);
}

Int128 requantize(Int128 raw, int from_frac_bits, const Quantizer& to) {
  const int dropped = from_frac_bits - to.type.frac_bits;
  const Int128 rounded = dropped > 0 ? divide(raw, dropped, to.rounding) : multiply(raw, -dropped);
  return apply_overflow(rounded, to.type, to.overflow);
}

Int128 requantize_quotient(Int128 numerator, int64_t denominator, int from_frac_bits,
                           const Quantizer& to) {
  check(denominator >= 1 && denominator < int64_t{1} << 62, "a denominator out of range");
  // floor + remainder / denominator, with 0 <= remainder < denominator.
  Int128 floor = numerator / denominator;
  Int128 remainder = numerator % denominator;
  if (remainder < 0) {
    remainder += denominator;
    --floor;
  }
  const int dropped = from_frac_bits - to.type.frac_bits;
  // Long division, some binary digits at a time.
  constexpr int MaxDigits = 60;
  for (int gained = -dropped; gained > 0; gained -= MaxDigits) {
    const int digits = std::min(gained, MaxDigits);
    remainder *= Int128{1} << digits;
    floor = bounded(floor) * (Int128{1} << digits) + remainder / denominator;
    remainder %= denominator;
  }
  bool half = 2 * remainder >= denominator;
  bool rest = remainder != 0 && 2 * remainder != denominator;
  if (dropped > 0) {
    const Int128 whole = floor;
    const int shift = std::min(dropped, 120);  // as in divide()
    floor = whole >> shift;
    half = ((whole >> (shift - 1)) & 1) != 0;
    rest = remainder != 0 || (whole & ((Int128{1} << (shift - 1)) - 1)) != 0;
  }
  const bool up = rounds_up(to.rounding, floor < 0, (floor & 1) != 0, half, rest);
  return apply_overflow(floor + (up ? 1 : 0), to.type, to.overflow);
}

Int128 requantize(double value, const Quantizer& to) {
  const Scaled x = exact(value);
  return requantize(Int128{x.integer}, x.frac_bits, to);
}

Int128 requantize_steps(Int128 raw, int from_frac_bits, double step, const Quantizer& to) {
  check(step > 0, "a step that is not more than 0");
  if (step == 1)
    return requantize(raw, from_frac_bits, to);
  const Scaled divisor = exact(step);
  return requantize_quotient(raw, divisor.integer, from_frac_bits - divisor.frac_bits, to);
}

Int128 requantize_steps(double value, double step, const Quantizer& to) {
  const Scaled x = exact(value);
  return requantize_steps(Int128{x.integer}, x.frac_bits, step, to);
}

}  // namespace millrace
