// SPDX-License-Identifier: Apache-2.0
// Sums and means whose accumulator has a type of its own: the accumulate attribute of dense, conv2d
// and avg_pool.
#pragma once

#include <optional>
#include <vector>

#include "millrace/emulator/conversion.h"
#include "millrace/emulator/kernels.h"
#include "millrace/emulator/plan.h"

namespace millrace::emulator {

/// What each term and each partial sum goes through. Fast where every step fits int64_t.
struct Accumulator {
  struct Fast {
    Conversion<int64_t> term;     ///< from a term to the accumulator
    Conversion<int64_t> partial;  ///< from the sum of accumulator and term to the accumulator
  };
  Quantizer to;
  FixedType term;
  std::optional<Fast> fast;
};

/// An accumulator of terms of a type, which are converted before they are added.
Accumulator make_accumulator(const FixedType& term, const Quantizer& to);

/// The sums of a layer. `sums` has raw weights, and biases in the accumulator's type.
Step accumulated_sums_step(Sums<int64_t> sums, const Accumulator& accumulator, const Buffer& x,
                           const Buffer& y);

/// The means of windows: elements are added as they are, and only the sum is converted.
Step accumulated_means_step(const Windows& windows, std::vector<int64_t> counts,
                            const FixedType& element, const Quantizer& to, const Buffer& x,
                            const Buffer& y);

}  // namespace millrace::emulator
