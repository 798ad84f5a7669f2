// SPDX-License-Identifier: Apache-2.0
// Real functions of fixed-point numbers, rounded once: the entries of tables.
#pragma once

#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/unary.h"

namespace millrace::passes {

/// The most fraction bits, before and behind a function, for which every rounding is proven.
inline constexpr int MaxTableFracBits = 40;

/// The function of raw * 2^-frac_bits, over `step`, as a raw integer of `to.type`. It does not
/// depend on the machine's mathematics library, and is rounded once; graph::Unary says what becomes
/// of what is not a number.
///
/// Range    frac_bits and to.type.frac_bits at most MaxTableFracBits; |raw| < 2^100.
int64_t quantized_function(const graph::Unary& function, Int128 raw, int frac_bits,
                           const Quantizer& to, double step = 1);

/// The same for every raw integer of `from`, in order.
/// Range    from.width at most graph::Table::MaxInputWidth.
std::vector<int64_t> function_table(const graph::Unary& function, const FixedType& from,
                                    const Quantizer& to, double step = 1);

}  // namespace millrace::passes
