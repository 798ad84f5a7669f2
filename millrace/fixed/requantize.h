// SPDX-License-Identifier: Apache-2.0
// Exact conversion to a fixed-point type: round first, then overflow. The golden model of
// rtl/mr_requantize.sv.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "millrace/fixed/fixed_type.h"

namespace millrace {

/// The seven quantisation modes of AMD's ap_fixed (UG1399), by what happens to the dropped bits.
enum class Rounding {
  Floor,             ///< AP_TRN: towards minus infinity
  TowardsZero,       ///< AP_TRN_ZERO
  HalfUp,            ///< AP_RND: to nearest, ties towards plus infinity
  HalfTowardsZero,   ///< AP_RND_ZERO
  HalfDown,          ///< AP_RND_MIN_INF: to nearest, ties towards minus infinity
  HalfAwayFromZero,  ///< AP_RND_INF
  HalfEven,          ///< AP_RND_CONV
};

/// The five overflow modes of AMD's ap_fixed (UG1399), all applied to the rounded number.
enum class Overflow {
  Wrap,               ///< AP_WRAP: keeps the low bits
  Saturate,           ///< AP_SAT: clamps to the type's range
  SaturateZero,       ///< AP_SAT_ZERO: gives 0
  SaturateSymmetric,  ///< AP_SAT_SYM: clamps to [-max, max]; unsigned: as Saturate
  /// AP_WRAP_SM without saturated bits: keeps the low bits and inverts them all where the sign bit
  /// among them differs from the lowest deleted bit, so that results go up and down like a triangle
  /// wave (..., 6, 7, 7, 6, ..., -8, -8, -7, ...). Unsigned: as Saturate, as AMD's headers
  /// compute it where they do not refuse it.
  WrapSignMagnitude,
};

inline constexpr std::array AllRoundings = {
    Rounding::Floor,    Rounding::TowardsZero,      Rounding::HalfUp,  Rounding::HalfTowardsZero,
    Rounding::HalfDown, Rounding::HalfAwayFromZero, Rounding::HalfEven};
inline constexpr std::array AllOverflows = {Overflow::Wrap, Overflow::Saturate,
                                            Overflow::SaturateZero, Overflow::SaturateSymmetric,
                                            Overflow::WrapSignMagnitude};

/// AMD's name of a mode, which is also its text form: "TRN", "RND_CONV", ..., "SAT_SYM", "WRAP_SM".
std::string_view to_string(Rounding rounding);
std::string_view to_string(Overflow overflow);
/// The mode of that name ("RND_CONV" or "AP_RND_CONV"), if there is one.
std::optional<Rounding> parse_rounding(std::string_view name);
std::optional<Overflow> parse_overflow(std::string_view name);

/// A fixed-point type with the way to get there.
struct Quantizer {
  FixedType type;
  Rounding rounding = Rounding::HalfEven;
  Overflow overflow = Overflow::Saturate;

  friend bool operator==(const Quantizer&, const Quantizer&) = default;
};

/// Converts the number raw * 2^-from_frac_bits to `to.type`: rounds first, then overflows.
///
/// Range    |raw| < 2^100. The result lies in [to.type.min_raw(), to.type.max_raw()].
/// Errors   none.
/// Source   ap_fixed quantisation and overflow modes, AMD UG1399.
Int128 requantize(Int128 raw, int from_frac_bits, const Quantizer& to);

/// Converts the number numerator / denominator * 2^-from_frac_bits to `to.type`: rounds once, then
/// overflows. A quotient with a remainder is never taken for a tie.
///
/// Range    |numerator| < 2^100, 1 <= denominator < 2^62.
/// Errors   InternalError for a denominator out of range.
Int128 requantize_quotient(Int128 numerator, int64_t denominator, int from_frac_bits,
                           const Quantizer& to);

/// Converts raw * 2^-from_frac_bits / step to `to.type`: the number of steps, rounded once.
///
/// Range    |raw| < 2^100; step finite and more than 0.
Int128 requantize_steps(Int128 raw, int from_frac_bits, double step, const Quantizer& to);
/// The same of a finite double.
Int128 requantize_steps(double value, double step, const Quantizer& to);

/// Converts a finite double to `to.type` as if it had unlimited precision: no double rounding.
/// NaN and infinities are InternalErrors: importers refuse them before.
Int128 requantize(double value, const Quantizer& to);

}  // namespace millrace
