// SPDX-License-Identifier: Apache-2.0
// What the inner loops do to the numbers of a block: rounding and limits in SIMD registers.
#pragma once

#include <algorithm>
#include <limits>

#include "millrace/emulator/conversion.h"
#include "millrace/emulator/kernels.h"

// Compiles a function for several instruction sets, of which the best is chosen at run time.
// clang does not do so for templates.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MR_MULTIVERSION __attribute__((target_clones("avx2", "default")))
#else
#define MR_MULTIVERSION
#endif

namespace millrace::emulator {

/// Replaces each q[n] by what `function` makes of it.
template <class W, class Function>
[[gnu::always_inline]] inline void for_each(W* q, Function function) {
  for (size_t n = 0; n < BlockSize; ++n)
    q[n] = function(q[n]);
}

/// Divides by 2^dropped, dropped >= 1, as the mode says.
template <class W>
[[gnu::always_inline]] inline void round_block(int dropped, Rounding rounding, W* x) {
  const int above = dropped - 1;
  const W below_half = (W{1} << above) - 1;
  // 1 or 0 in W: the sign, the highest dropped bit, the other dropped bits, the lowest kept bit.
  const auto negative = [](W v) { return W{v < 0}; };
  const auto half = [=](W v) { return static_cast<W>((v >> above) & 1); };
  const auto rest = [=](W v) { return W{(v & below_half) != 0}; };
  const auto odd = [=](W v) { return static_cast<W>((v >> dropped) & 1); };
  switch (rounding) {
    case Rounding::Floor:
      return for_each(x, [=](W v) { return v >> dropped; });
    case Rounding::TowardsZero:
      return for_each(x, [=](W v) { return (v >> dropped) + (negative(v) & (half(v) | rest(v))); });
    case Rounding::HalfUp:
      return for_each(x, [=](W v) { return (v >> dropped) + half(v); });
    case Rounding::HalfTowardsZero:
      return for_each(x, [=](W v) { return (v >> dropped) + (half(v) & (negative(v) | rest(v))); });
    case Rounding::HalfDown:
      return for_each(x, [=](W v) { return (v >> dropped) + (half(v) & rest(v)); });
    case Rounding::HalfAwayFromZero:
      return for_each(
          x, [=](W v) { return (v >> dropped) + (half(v) & ((negative(v) ^ 1) | rest(v))); });
    case Rounding::HalfEven:
      return for_each(x, [=](W v) { return (v >> dropped) + (half(v) & (odd(v) | rest(v))); });
  }
}

template <class W>
[[gnu::always_inline]] inline void limit_block(const Conversion<W>& to, W* x) {
  using Limit = typename Conversion<W>::Limit;
  const W lo = to.lo;
  const W hi = to.hi;
  const int width = to.width;
  const W low_bits = to.limit == Limit::Wrap || to.limit == Limit::WrapSignMagnitude
                         ? std::numeric_limits<W>::max() >> (std::numeric_limits<W>::digits - width)
                         : W{0};
  const W sign_bit = to.is_signed ? low_bits ^ (low_bits >> 1) : W{0};
  const auto wrapped = [=](W v) { return ((v & low_bits) ^ sign_bit) - sign_bit; };
  switch (to.limit) {
    case Limit::None:
      return;
    case Limit::Clamp:
      return for_each(x, [=](W v) { return std::clamp(v, lo, hi); });
    case Limit::Zero:
      return for_each(x, [=](W v) { return lo <= v && v <= hi ? v : W{0}; });
    case Limit::Wrap:
      return for_each(x, wrapped);
    case Limit::WrapSignMagnitude:
      // All bits are inverted where the lowest deleted bit differs from the sign bit kept.
      return for_each(x, [=](W v) {
        const auto flip = static_cast<W>(((v >> width) ^ (v >> (width - 1))) & 1);
        return wrapped(v) ^ -flip;
      });
  }
}

}  // namespace millrace::emulator
