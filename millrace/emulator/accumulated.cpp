// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/accumulated.h"

#include <algorithm>

#include "millrace/emulator/blocks.h"

namespace millrace::emulator {
namespace {

/// Takes a block of numbers through a conversion.
[[gnu::always_inline]] inline void convert_block(const Conversion<int64_t>& to, int64_t* block) {
  if (to.gained > 0)
    for_each(block, [factor = int64_t{1} << to.gained](int64_t v) { return v * factor; });
  if (to.dropped > 0)
    round_block(to.dropped, to.rounding, block);
  limit_block(to, block);
}

/// sum = to(sum + to(weight * x)) for a block.
template <class X>
MR_MULTIVERSION void accumulate_block(const Accumulator::Fast& to, int64_t weight, const X* x,
                                      int64_t* sum) {
  int64_t term[BlockSize];
  for (size_t n = 0; n < BlockSize; ++n)
    term[n] = weight * x[n];
  convert_block(to.term, term);
  for (size_t n = 0; n < BlockSize; ++n)
    sum[n] += term[n];
  convert_block(to.partial, sum);
}

/// The same where steps need more than 64 bits.
template <class X>
void accumulate_slowly(const Accumulator& to, int64_t weight, const X* x, int64_t* sum) {
  for (size_t n = 0; n < BlockSize; ++n) {
    const Int128 term = requantize(Int128{weight} * x[n], to.term.frac_bits, to.to);
    sum[n] = static_cast<int64_t>(requantize(sum[n] + term, to.to.type.frac_bits, to.to));
  }
}

template <class X, class Y>
void compute_accumulated_sums(const Sums<int64_t>& sums, const Accumulator& accumulator, const X* x,
                              Y* y) {
  for (const size_t position : sums.positions)
    for (size_t f = 0; f < sums.bias.size(); ++f, y += BlockSize) {
      int64_t sum[BlockSize];
      std::fill_n(sum, BlockSize, sums.bias[f]);
      for (size_t t = sums.first_tap[f]; t < sums.first_tap[f + 1]; ++t) {
        const X* element = x + (position + sums.taps[t].offset) * BlockSize;
        if (accumulator.fast)
          accumulate_block(*accumulator.fast, sums.taps[t].weight, element, sum);
        else
          accumulate_slowly(accumulator, sums.taps[t].weight, element, sum);
      }
      for (size_t n = 0; n < BlockSize; ++n)
        y[n] = static_cast<Y>(sum[n]);
    }
}

/// Windows of elements, and what adding one to the accumulator means.
struct Means {
  Windows windows;
  std::vector<int64_t> counts;  // one for each position
  Quantizer to;
  int frac_bits = 0;   // of accumulator plus element
  int sum_gained = 0;  // what brings either to these
  int element_gained = 0;
};

template <class X, class Y>
void compute_accumulated_means(const Means& means, const X* x, Y* y) {
  const Windows& windows = means.windows;
  for (size_t p = 0; p < windows.positions.size(); ++p)
    for (size_t i = 0; i < windows.channels * BlockSize; ++i, ++y) {
      const X* origin = x + windows.positions[p] * BlockSize + i;
      Int128 sum = 0;
      for (const size_t offset : windows.offsets)
        sum = requantize(sum * (Int128{1} << means.sum_gained) +
                             origin[offset * BlockSize] * (Int128{1} << means.element_gained),
                         means.frac_bits, means.to);
      *y = static_cast<Y>(sum / means.counts[p]);
    }
}

}  // namespace

Accumulator make_accumulator(const FixedType& term, const Quantizer& to) {
  Accumulator accumulator{to, term, std::nullopt};
  if (term.width > 62 || to.type.width > 62)
    return accumulator;
  const FixedType sum{.is_signed = true,
                      .width = to.type.width + 2,  // of two numbers, unsigned ones too
                      .frac_bits = to.type.frac_bits};
  const auto convert_term = make_conversion<int64_t>(term, to);
  const auto convert_sum = make_conversion<int64_t>(sum, to);
  if (convert_term && convert_sum)
    accumulator.fast = Accumulator::Fast{*convert_term, *convert_sum};
  return accumulator;
}

Step accumulated_sums_step(Sums<int64_t> sums, const Accumulator& accumulator, const Buffer& x,
                           const Buffer& y) {
  return with_storage(x.storage, [&]<class X>(X) {
    return with_storage(y.storage, [&]<class Y>(Y) -> Step {
      return [sums = std::move(sums), accumulator, x, y](Workspace& workspace) {
        compute_accumulated_sums(sums, accumulator, workspace.at<X>(x), workspace.at<Y>(y));
      };
    });
  });
}

Step accumulated_means_step(const Windows& windows, std::vector<int64_t> counts,
                            const FixedType& element, const Quantizer& to, const Buffer& x,
                            const Buffer& y) {
  const int frac_bits = std::max(element.frac_bits, to.type.frac_bits);
  const Means means{windows,
                    std::move(counts),
                    to,
                    frac_bits,
                    frac_bits - to.type.frac_bits,
                    frac_bits - element.frac_bits};
  return with_storage(x.storage, [&]<class X>(X) {
    return with_storage(y.storage, [&]<class Y>(Y) -> Step {
      return [means, x, y](Workspace& workspace) {
        compute_accumulated_means(means, workspace.at<X>(x), workspace.at<Y>(y));
      };
    });
  });
}

}  // namespace millrace::emulator
