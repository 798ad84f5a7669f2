// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/kernels.h"

#include <algorithm>
#include <type_traits>

#include "millrace/emulator/blocks.h"
#include "millrace/emulator/moves.h"

namespace millrace::emulator {

template <class X, class Y>
MR_MULTIVERSION void compute_sums(const Sums<Y>& sums, const X* x, Y* y) {
  // Unsigned, so that wrapping around on the way is defined.
  using U = std::make_unsigned_t<Y>;
  const size_t num_sums = sums.bias.size();
  for (const size_t position : sums.positions)
    for (size_t f = 0; f < num_sums; ++f) {
      U sum[BlockSize];
      for (size_t n = 0; n < BlockSize; ++n)
        sum[n] = static_cast<U>(sums.bias[f]);
      for (size_t t = sums.first_tap[f]; t < sums.first_tap[f + 1]; ++t) {
        const X* element = x + (position + sums.taps[t].offset) * BlockSize;
        const U weight = static_cast<U>(sums.taps[t].weight);
        for (size_t n = 0; n < BlockSize; ++n)
          sum[n] += weight * static_cast<U>(element[n]);
      }
      for (size_t n = 0; n < BlockSize; ++n)
        y[n] = static_cast<Y>(sum[n]);
      y += BlockSize;
    }
}

template <class T>
MR_MULTIVERSION void compute_maxima(const Windows& windows, const T* x, T* y) {
  for (const size_t position : windows.positions)
    for (size_t channel = 0; channel < windows.channels; ++channel) {
      const T* origin = x + (position + channel) * BlockSize;
      T largest[BlockSize];
      std::copy_n(origin + windows.offsets[0] * BlockSize, BlockSize, largest);
      for (const size_t offset : windows.offsets) {
        const T* element = origin + offset * BlockSize;
        for (size_t n = 0; n < BlockSize; ++n)
          largest[n] = largest[n] < element[n] ? element[n] : largest[n];
      }
      y = std::copy_n(largest, BlockSize, y);
    }
}

template <class T>
void gather(std::span<const size_t> sources, const T* x, T* y) {
  for (const size_t source : sources)
    y = source == Nowhere ? std::fill_n(y, BlockSize, T{0})
                          : std::copy_n(x + source * BlockSize, BlockSize, y);
}

template <class X, class Y>
void interleave(size_t pixels, size_t channels, size_t step, int shift, const X* x, Y* y) {
  using U = std::make_unsigned_t<Y>;
  for (size_t pixel = 0; pixel < pixels; ++pixel)
    for (size_t i = 0; i < channels * BlockSize; ++i)
      y[pixel * step * BlockSize + i] =
          static_cast<Y>(static_cast<U>(x[pixel * channels * BlockSize + i]) << shift);
}

template <class T>
void add_border(const Border& border, T fill, const T* x, T* y) {
  const size_t pixel = border.channels * BlockSize;
  const size_t row = (border.left + border.width + border.right) * pixel;
  y = std::fill_n(y, border.top * row, fill);
  for (size_t r = 0; r < border.height; ++r) {
    y = std::fill_n(y, border.left * pixel, fill);
    y = std::copy_n(x, border.width * pixel, y);
    y = std::fill_n(y, border.right * pixel, fill);
    x += border.width * pixel;
  }
  std::fill_n(y, border.bottom * row, fill);
}

template <class T>
MR_MULTIVERSION void compute_relu(const T* x, T* y, size_t num_elements) {
  for (size_t i = 0; i < num_elements * BlockSize; ++i)
    y[i] = std::max(x[i], T{0});
}

template <class X, class Y>
void look_up(std::span<const Y> table, int64_t first, const X* x, Y* y, size_t num_elements) {
  for (size_t i = 0; i < num_elements * BlockSize; ++i)
    y[i] = table[static_cast<size_t>(x[i] - first)];
}

template <class W, class X, class Y>
MR_MULTIVERSION void convert(const Conversion<W>& to, const X* x, Y* y, size_t num_elements) {
  const W factor = W{1} << to.gained;
  for (size_t i = 0; i < num_elements; ++i, x += BlockSize, y += BlockSize) {
    W block[BlockSize];
    for (size_t n = 0; n < BlockSize; ++n)
      block[n] = static_cast<W>(x[n]) * factor;
    if (to.dropped > 0)
      round_block(to.dropped, to.rounding, block);
    limit_block(to, block);
    for (size_t n = 0; n < BlockSize; ++n)
      y[n] = static_cast<Y>(block[n]);
  }
}

template <class X, class Y>
void convert_slowly(int from_frac_bits, const Quantizer& to, const X* x, Y* y,
                    size_t num_elements) {
  for (size_t i = 0; i < num_elements * BlockSize; ++i)
    y[i] = static_cast<Y>(requantize(Int128{x[i]}, from_frac_bits, to));
}

Division make_division(const FixedType& from, const Quantizer& to, size_t num_terms,
                       std::vector<int64_t> counts) {
  Division division{from.frac_bits, to, std::move(counts), std::nullopt};
  const int dropped = std::max(from.frac_bits - to.type.frac_bits, 0);
  const int gained = std::max(to.type.frac_bits - from.frac_bits, 0);
  // One bit less than 64, so that doubling a remainder does not overflow.
  constexpr Int128 Limit = Int128{1} << 61;
  const Int128 largest = std::max(-from.min_raw(), from.max_raw()) * Int128(num_terms);
  const Int128 most = *std::max_element(division.counts.begin(), division.counts.end());
  if (dropped > 61 || gained > 61 || largest > (Limit >> gained) || most > (Limit >> dropped))
    return division;
  const FixedType quotient{true, 63, to.type.frac_bits};
  if (const auto limit = make_conversion<int64_t>(quotient, to))
    division.narrow = Division::Narrow{gained, dropped, *limit};
  return division;
}

namespace {

/// Divides by `divisor`, at most 2^61, as the mode says.
[[gnu::always_inline]] inline void divide_block(int64_t divisor, Rounding rounding, int64_t* x) {
  const auto divide = [=](auto rounds_up) {
    for_each(x, [=](int64_t v) {
      int64_t floor = v / divisor;
      int64_t remainder = v % divisor;
      if (remainder < 0) {
        remainder += divisor;
        --floor;
      }
      const bool half = 2 * remainder >= divisor;
      const bool rest = remainder != 0 && 2 * remainder != divisor;
      return floor + (rounds_up(v < 0, (floor & 1) != 0, half, rest) ? 1 : 0);
    });
  };
  switch (rounding) {
    case Rounding::Floor:
      return divide([](bool, bool, bool, bool) { return false; });
    case Rounding::TowardsZero:
      return divide(
          [](bool negative, bool, bool half, bool rest) { return negative && (half || rest); });
    case Rounding::HalfUp:
      return divide([](bool, bool, bool half, bool) { return half; });
    case Rounding::HalfTowardsZero:
      return divide(
          [](bool negative, bool, bool half, bool rest) { return half && (negative || rest); });
    case Rounding::HalfDown:
      return divide([](bool, bool, bool half, bool rest) { return half && rest; });
    case Rounding::HalfAwayFromZero:
      return divide(
          [](bool negative, bool, bool half, bool rest) { return half && (!negative || rest); });
    case Rounding::HalfEven:
      return divide([](bool, bool odd, bool half, bool rest) { return half && (odd || rest); });
  }
}

/// Sums of the elements of one window and channel, in integers of type Sum.
template <class Sum, class X>
[[gnu::always_inline]] inline void sum_block(const Windows& windows, const X* origin, Sum* sum) {
  std::fill_n(sum, BlockSize, Sum{0});
  for (const size_t offset : windows.offsets)
    for (size_t n = 0; n < BlockSize; ++n)
      sum[n] += origin[offset * BlockSize + n];
}

}  // namespace

template <class X, class Y>
void compute_means(const Windows& windows, const Division& division, const X* x, Y* y) {
  for (size_t p = 0; p < windows.positions.size(); ++p)
    for (size_t channel = 0; channel < windows.channels; ++channel, y += BlockSize) {
      const X* origin = x + (windows.positions[p] + channel) * BlockSize;
      const int64_t count = division.counts[p];
      if (const auto& narrow = division.narrow) {
        int64_t sum[BlockSize];
        sum_block(windows, origin, sum);
        for_each(sum, [&](int64_t v) { return v * (int64_t{1} << narrow->gained); });
        divide_block(count << narrow->dropped, division.to.rounding, sum);
        limit_block(narrow->limit, sum);
        for (size_t n = 0; n < BlockSize; ++n)
          y[n] = static_cast<Y>(sum[n]);
      } else {
        Int128 sum[BlockSize];
        sum_block(windows, origin, sum);
        for (size_t n = 0; n < BlockSize; ++n)
          y[n] = static_cast<Y>(
              requantize_quotient(sum[n], count, division.from_frac_bits, division.to));
      }
    }
}

#define MR_INSTANTIATE_1(T)                                       \
  template void compute_maxima<T>(const Windows&, const T*, T*);  \
  template void add_border<T>(const Border&, T, const T*, T*);    \
  template void gather<T>(std::span<const size_t>, const T*, T*); \
  template void compute_relu<T>(const T*, T*, size_t);
#define MR_INSTANTIATE_2(X, Y)                                                            \
  template void compute_sums<X, Y>(const Sums<Y>&, const X*, Y*);                         \
  template void compute_means<X, Y>(const Windows&, const Division&, const X*, Y*);       \
  template void interleave<X, Y>(size_t, size_t, size_t, int, const X*, Y*);              \
  template void look_up<X, Y>(std::span<const Y>, int64_t, const X*, Y*, size_t);         \
  template void convert<int64_t, X, Y>(const Conversion<int64_t>&, const X*, Y*, size_t); \
  template void convert_slowly<X, Y>(int, const Quantizer&, const X*, Y*, size_t);

MR_INSTANTIATE_1(int32_t)
MR_INSTANTIATE_1(int64_t)
MR_INSTANTIATE_2(int32_t, int32_t)
MR_INSTANTIATE_2(int32_t, int64_t)
MR_INSTANTIATE_2(int64_t, int32_t)
MR_INSTANTIATE_2(int64_t, int64_t)
template void convert<int32_t, int32_t, int32_t>(const Conversion<int32_t>&, const int32_t*,
                                                 int32_t*, size_t);

}  // namespace millrace::emulator
