// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/conversion.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "millrace/support/check.h"

namespace millrace::emulator {

namespace {

template <class W>
constexpr bool fits(Int128 lo, Int128 hi) {
  return std::numeric_limits<W>::min() <= lo && hi <= std::numeric_limits<W>::max();
}

}  // namespace

template <class W>
std::optional<Conversion<W>> make_conversion(const FixedType& from, const Quantizer& to) {
  constexpr int Bits = std::numeric_limits<W>::digits + 1;
  using Limit = typename Conversion<W>::Limit;
  const FixedType& type = to.type;
  const int dropped = from.frac_bits - type.frac_bits;
  if (dropped >= Bits || dropped <= -Bits + 1 || !fits<W>(type.min_raw(), type.max_raw()))
    return std::nullopt;

  // The range after the shift; rounding may add one step at its end.
  const Int128 factor = Int128{1} << std::max(-dropped, 0);
  const Int128 lo = (from.min_raw() * factor) >> std::max(dropped, 0);
  const Int128 hi = ((from.max_raw() * factor) >> std::max(dropped, 0)) + (dropped > 0 ? 1 : 0);
  if (!fits<W>(from.min_raw(), from.max_raw()) || !fits<W>(lo, hi))
    return std::nullopt;

  const bool symmetric = to.overflow == Overflow::SaturateSymmetric && type.is_signed;
  const Int128 target_lo = symmetric ? -type.max_raw() : type.min_raw();
  Limit limit = Limit::Clamp;
  if (target_lo <= lo && hi <= type.max_raw())
    limit = Limit::None;
  else if (to.overflow == Overflow::Wrap)
    limit = Limit::Wrap;
  else if (to.overflow == Overflow::WrapSignMagnitude && type.is_signed)
    limit = Limit::WrapSignMagnitude;
  else if (to.overflow == Overflow::SaturateZero)
    limit = Limit::Zero;
  const bool wraps = limit == Limit::Wrap || limit == Limit::WrapSignMagnitude;
  check(!wraps || type.width < Bits, "a range that fits wraps");
  return Conversion<W>{.gained = std::max(-dropped, 0),
                       .dropped = std::max(dropped, 0),
                       .rounding = to.rounding,
                       .limit = limit,
                       .lo = static_cast<W>(target_lo),
                       .hi = static_cast<W>(type.max_raw()),
                       .width = type.width,
                       .is_signed = type.is_signed};
}

template std::optional<Conversion<int32_t>> make_conversion<int32_t>(const FixedType&,
                                                                     const Quantizer&);
template std::optional<Conversion<int64_t>> make_conversion<int64_t>(const FixedType&,
                                                                     const Quantizer&);

}  // namespace millrace::emulator
