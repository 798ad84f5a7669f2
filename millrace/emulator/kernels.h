// SPDX-License-Identifier: Apache-2.0
// The inner loops. A block holds the same value for BlockSize images: element after element, and
// within each element image after image, so that every loop over images runs in SIMD registers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "millrace/emulator/conversion.h"

namespace millrace::emulator {

/// Images in a block: four AVX2 registers of 32-bit integers.
inline constexpr size_t BlockSize = 32;

/// One product of a sum: which element, counted from the sum's position, times which weight.
template <class Y>
struct Tap {
  size_t offset;
  Y weight;
};

/// All sums of a convolution, a dense layer or an affine operation.
///
///     y[p * F + f] = bias[f] + sum over taps t of f of t.weight * x[positions[p] + t.offset]
///
/// The arithmetic is modulo 2^32 or 2^64 by the type Y: exact whenever the result fits Y, whatever
/// happens in between. Taps with weight 0 are left out.
template <class Y>
struct Sums {
  std::vector<size_t> positions;
  std::vector<Y> bias;            ///< one for each f of F
  std::vector<size_t> first_tap;  ///< F + 1 numbers: the taps of f are [first[f], first[f + 1])
  std::vector<Tap<Y>> taps;
};

template <class X, class Y>
void compute_sums(const Sums<Y>& sums, const X* x, Y* y);

/// The largest of several elements: y[p * C + c] = max over o of x[positions[p] + o + c].
struct Windows {
  std::vector<size_t> positions;
  std::vector<size_t> offsets;
  size_t channels = 1;
};

template <class T>
void compute_maxima(const Windows& windows, const T* x, T* y);

/// What divides the sum of a window, rounds the quotient and limits it.
struct Division {
  /// The same where every step fits int64_t: (sum << gained) / (count << dropped), then `limit`.
  struct Narrow {
    int gained = 0;
    int dropped = 0;
    Conversion<int64_t> limit;
  };

  int from_frac_bits = 0;
  Quantizer to;
  std::vector<int64_t> counts;  ///< one for each position
  std::optional<Narrow> narrow;
};

/// The division of sums of `num_terms` elements of type `from`.
Division make_division(const FixedType& from, const Quantizer& to, size_t num_terms,
                       std::vector<int64_t> counts);

/// The mean of several elements: the sum over o of x[positions[p] + o + c], divided.
template <class X, class Y>
void compute_means(const Windows& windows, const Division& division, const X* x, Y* y);

/// Copies x[sources[i]] to y[i], or zeros where an element comes from Nowhere.
template <class T>
void gather(std::span<const size_t> sources, const T* x, T* y);

/// Copies `channels` elements of each pixel into pixels of `step` elements, times 2^shift.
template <class X, class Y>
void interleave(size_t pixels, size_t channels, size_t step, int shift, const X* x, Y* y);

/// A map with a border around it.
struct Border {
  size_t height = 0, width = 0, channels = 0;  ///< of the map inside
  size_t top = 0, left = 0, bottom = 0, right = 0;
};

/// Copies a map into a larger one whose border holds `fill`.
template <class T>
void add_border(const Border& border, T fill, const T* x, T* y);

/// y[i] = max(x[i], 0); in place where x == y.
template <class T>
void compute_relu(const T* x, T* y, size_t num_elements);

/// y[i] = table[x[i] - first].
template <class X, class Y>
void look_up(std::span<const Y> table, int64_t first, const X* x, Y* y, size_t num_elements);

/// Converts each element, computing in W.
template <class W, class X, class Y>
void convert(const Conversion<W>& conversion, const X* x, Y* y, size_t num_elements);

/// Converts each element by millrace::requantize(), for what fits no Conversion.
template <class X, class Y>
void convert_slowly(int from_frac_bits, const Quantizer& to, const X* x, Y* y, size_t num_elements);

}  // namespace millrace::emulator
