// SPDX-License-Identifier: Apache-2.0
// The exact type of sums of products, which conv2d, dense and affine share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// The narrowest type of the sums y[f] = b[f] + sum over k of w[k,f] * x[k], where each x[k] takes
/// every value of its type on its own, and w and b are the constants given or, where they are not
/// constant, take every value of their types.
///
/// Every type's range includes 0, hence so does every product's: a tap that lies on padding gives
/// no sum outside the range of the other positions.
///
/// Shapes   w: num_products x num_sums; b: num_sums.
/// Range    no value when a sum does not fit int64_t, or frac bits exceed FixedType::MaxFracBits.
/// Complexity  linear in the number of weights; constant where they are not constant.
std::optional<FixedType> linear_sum_type(const Operand& x, const Operand& w, const Operand& b,
                                         int64_t num_products, int64_t num_sums);

/// The same where only some products meet in a sum: each sum adds the rows of w that one of the
/// lists names.
std::optional<FixedType> linear_sum_type(const Operand& x, const Operand& w, const Operand& b,
                                         std::span<const std::vector<int64_t>> rows,
                                         int64_t num_sums);

/// The same for whichever operands the operation has, as the tensor type of its result: real as
/// soon as one operand is real.
/// Errors   `too_wide`, a message without arguments, when the sums do not fit.
Result<TensorType> linear_result_type(Shape shape, Operands operands, int64_t num_products,
                                      int64_t num_sums, const Message& too_wide,
                                      const std::string& where);
Result<TensorType> linear_result_type(Shape shape, Operands operands,
                                      std::span<const std::vector<int64_t>> rows, int64_t num_sums,
                                      const Message& too_wide, const std::string& where);

/// The most bits of a product that goes into an accumulator of a type of its own.
inline constexpr int MaxAccumulatedWidth = 96;

/// The same for a layer with an accumulator: the accumulator's type where all operands are fixed.
/// Errors   `too_wide`, a message with MaxAccumulatedWidth as argument, when a product has more
///          bits than that.
Result<TensorType> accumulated_type(Shape shape, Operands operands, const Quantizer& accumulate,
                                    const Message& too_wide, const std::string& where);

}  // namespace millrace::graph
