// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "millrace/fixed/requantize.h"

namespace millrace::emulator {

/// millrace::requantize() from one type to another, where every step fits W (int32_t, int64_t).
template <class W>
struct Conversion {
  enum class Limit { None, Clamp, Zero, Wrap, WrapSignMagnitude };

  int gained = 0;   ///< fraction bits gained; 0 where some are dropped
  int dropped = 0;  ///< fraction bits dropped, less than the bits of W
  Rounding rounding = Rounding::Floor;
  Limit limit = Limit::None;
  W lo = 0, hi = 0;  ///< the range that Clamp and Zero keep
  int width = 0;     ///< of the result; less than the bits of W where the limit wraps
  bool is_signed = false;
};

/// The conversion in W, if the source's range and every step from it fit W.
template <class W>
std::optional<Conversion<W>> make_conversion(const FixedType& from, const Quantizer& to);

}  // namespace millrace::emulator
