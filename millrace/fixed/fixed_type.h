// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/support/diagnostics.h"

namespace millrace {

/// Exact integers for intermediate results: sums and products of raw values never overflow it.
__extension__ typedef __int128 Int128;
/// Its bits.
__extension__ typedef unsigned __int128 UInt128;

/// Decimal digits of an Int128.
std::string to_string(Int128 value);

/// A fixed-point number format. Raw integer r stands for the number r * 2^-frac_bits.
///
/// `frac_bits` may be negative or exceed the width. The text form is AMD's: fixed<W,I> (signed) or
/// ufixed<W,I> with W bits of which I = W - frac_bits are integer bits, the sign included.
struct FixedType {
  static constexpr int MaxWidth = 64;
  static constexpr int MaxFracBits = 1024;  ///< bound on |frac_bits|, so that sums of it fit an int

  bool is_signed = true;
  int width = 1;  ///< 1..MaxWidth
  int frac_bits = 0;

  constexpr int int_bits() const { return width - frac_bits; }
  constexpr Int128 min_raw() const { return is_signed ? -(Int128{1} << (width - 1)) : Int128{0}; }
  constexpr Int128 max_raw() const { return (Int128{1} << (is_signed ? width - 1 : width)) - 1; }
  /// The number that raw integer `raw` stands for; rounded to double when wider than 53 bits.
  double to_double(Int128 raw) const;
  /// "fixed<9,5>" or "ufixed<8,0>".
  std::string to_string() const;

  friend constexpr bool operator==(const FixedType&, const FixedType&) = default;
};

/// Reads "fixed<W,I>" or "ufixed<W,I>"; also "ap_fixed<W,I>", "ap_ufixed<W,I>".
/// Errors   not of that form; a width outside 1..64; integer bits out of range.
Result<FixedType> parse_fixed_type(std::string_view text, const std::string& where = {});

/// The narrowest type with `frac_bits` whose raw range includes [lo, hi]; unsigned if lo >= 0.
/// At least 1 bit wide. No value when it needs more than MaxWidth bits.
std::optional<FixedType> narrowest_type(Int128 lo, Int128 hi, int frac_bits);

/// The quantizer `quantized_bits(bits, integer)` of QKeras: signed, the sign bit counted in `bits`
/// but not in `integer`, so bits - integer - 1 fraction bits.
constexpr FixedType quantized_bits(int bits, int integer) {
  return {.is_signed = true, .width = bits, .frac_bits = bits - integer - 1};
}
/// The quantizer `quantized_relu(bits, integer)` of QKeras: unsigned, bits - integer fraction bits.
constexpr FixedType quantized_relu(int bits, int integer) {
  return {.is_signed = false, .width = bits, .frac_bits = bits - integer};
}

}  // namespace millrace
