// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/pointwise_kernels.h"

#include <algorithm>
#include <type_traits>

#include "millrace/emulator/kernels.h"

namespace millrace::emulator {

using graph::BinaryFunction;
using graph::ExactFunction;

namespace {

// y = function(a, b) for the images of a block.
template <class W, class A, class B, class Y, class Function>
[[gnu::always_inline]] inline void for_pairs(const A* a, const B* b, Y* y, Function function) {
  for (size_t n = 0; n < BlockSize; ++n)
    y[n] = static_cast<Y>(function(static_cast<W>(a[n]), static_cast<W>(b[n])));
}

template <class W, class X, class Y, class Function>
[[gnu::always_inline]] inline void for_all(const X* x, Y* y, size_t count, Function function) {
  for (size_t i = 0; i < count; ++i)
    y[i] = static_cast<Y>(function(static_cast<W>(x[i])));
}

}  // namespace

template <class W, class A, class B, class Y>
void compute_binary(BinaryFunction function, const Pairing<W>& pairing, const A* a, const B* b,
                    Y* y, size_t num_elements) {
  const W f = pairing.a_factor;
  const W g = pairing.b_factor;
  for (size_t i = 0; i < num_elements; ++i, a += BlockSize, y += BlockSize) {
    const B* const other = b + pairing.repeat.index(i) * BlockSize;
    switch (function) {
      case BinaryFunction::Add:
        for_pairs<W>(a, other, y, [=](W p, W q) { return p * f + q * g; });
        break;
      case BinaryFunction::Sub:
        for_pairs<W>(a, other, y, [=](W p, W q) { return p * f - q * g; });
        break;
      case BinaryFunction::Mul:
        for_pairs<W>(a, other, y, [=](W p, W q) { return p * q; });
        break;
      case BinaryFunction::Maximum:
        for_pairs<W>(a, other, y, [=](W p, W q) { return p * f < q * g ? q * g : p * f; });
        break;
      case BinaryFunction::Minimum:
        for_pairs<W>(a, other, y, [=](W p, W q) { return q * g < p * f ? q * g : p * f; });
        break;
    }
  }
}

template <class W, class A, class B, class Y>
void compute_prelu(const Pairing<W>& pairing, const A* x, const B* alpha, Y* y,
                   size_t num_elements) {
  const W f = pairing.a_factor;
  const W g = pairing.b_factor;
  for (size_t i = 0; i < num_elements; ++i, x += BlockSize, y += BlockSize)
    for_pairs<W>(x, alpha + pairing.repeat.index(i) * BlockSize, y,
                 [=](W p, W q) { return p >= 0 ? p * f : p * (q * g); });
}

template <class X, class Y>
void compute_exact(ExactFunction function, const X* x, Y* y, size_t num_elements) {
  using W = std::conditional_t<(sizeof(X) > sizeof(Y)), X, Y>;
  const size_t count = num_elements * BlockSize;
  switch (function) {
    case ExactFunction::Abs:
      return for_all<W>(x, y, count, [](W v) { return v < 0 ? -v : v; });
    case ExactFunction::Negate:
      return for_all<W>(x, y, count, [](W v) { return -v; });
    case ExactFunction::Sign:
      return for_all<W>(x, y, count, [](W v) { return (v > 0) - (v < 0); });
    case ExactFunction::Binarize:
      return for_all<W>(x, y, count, [](W v) { return v >= 0 ? 1 : -1; });
    case ExactFunction::Square:
      return for_all<W>(x, y, count, [](W v) { return v * v; });
  }
}

template <class X, class Y>
void compute_top_k(size_t channels, size_t k, const X* x, Y* y, size_t num_places) {
  for (size_t place = 0; place < num_places; ++place, x += channels * BlockSize, y += k * BlockSize)
    for (size_t n = 0; n < BlockSize; ++n) {
      const auto at = [&](size_t channel) { return x[channel * BlockSize + n]; };
      // Each time the first of the largest that stand behind the one before.
      size_t last = channels;
      for (size_t rank = 0; rank < k; ++rank) {
        size_t best = channels;
        for (size_t channel = 0; channel < channels; ++channel) {
          const bool is_behind = last == channels || at(channel) < at(last) ||
                                 (at(channel) == at(last) && channel > last);
          if (is_behind && (best == channels || at(channel) > at(best)))
            best = channel;
        }
        y[rank * BlockSize + n] = static_cast<Y>(best);
        last = best;
      }
    }
}

#define MR_INSTANTIATE_4(W, A, B, Y)                                                              \
  template void compute_binary<W, A, B, Y>(BinaryFunction, const Pairing<W>&, const A*, const B*, \
                                           Y*, size_t);                                           \
  template void compute_prelu<W, A, B, Y>(const Pairing<W>&, const A*, const B*, Y*, size_t);
#define MR_INSTANTIATE_3(W, A, B)    \
  MR_INSTANTIATE_4(W, A, B, int32_t) \
  MR_INSTANTIATE_4(W, A, B, int64_t)
#define MR_INSTANTIATE_2(W, A)    \
  MR_INSTANTIATE_3(W, A, int32_t) \
  MR_INSTANTIATE_3(W, A, int64_t)
#define MR_INSTANTIATE_PAIR(X, Y)                                         \
  template void compute_exact<X, Y>(ExactFunction, const X*, Y*, size_t); \
  template void compute_top_k<X, Y>(size_t, size_t, const X*, Y*, size_t);

MR_INSTANTIATE_4(int32_t, int32_t, int32_t, int32_t)
MR_INSTANTIATE_2(int64_t, int32_t)
MR_INSTANTIATE_2(int64_t, int64_t)
MR_INSTANTIATE_2(Int128, int32_t)
MR_INSTANTIATE_2(Int128, int64_t)
MR_INSTANTIATE_PAIR(int32_t, int32_t)
MR_INSTANTIATE_PAIR(int32_t, int64_t)
MR_INSTANTIATE_PAIR(int64_t, int32_t)
MR_INSTANTIATE_PAIR(int64_t, int64_t)

}  // namespace millrace::emulator
