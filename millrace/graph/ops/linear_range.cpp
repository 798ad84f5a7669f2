// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/linear_range.h"

#include <algorithm>
#include <utility>

#include "millrace/graph/ops/constant.h"
#include "millrace/graph/ops/range.h"
#include "millrace/support/check.h"

namespace millrace::graph {
namespace {

Range constant_or_type_range(const Operand& operand, int64_t index) {
  if (!operand.constant)
    return range_of(operand.type->fixed());
  const Int128 raw = operand.constant->raw().at(static_cast<size_t>(index));
  return {raw, raw};
}

// The range of one sum without its bias. Partial sums only widen, because each product's range
// includes 0: stopping at the first one out of bounds loses nothing.
std::optional<Range> products_range(const Range& x, const Operand& w, int64_t num_products,
                                    int64_t num_sums, int64_t sum) {
  Range total;
  if (!w.constant) {
    const Range one = product(x, range_of(w.type->fixed()));
    if (one.lo < -(Range::Bound / num_products) || one.hi > Range::Bound / num_products)
      return std::nullopt;
    return Range{one.lo * num_products, one.hi * num_products};
  }
  for (int64_t k = 0; k < num_products; ++k) {
    const Range one = product(x, constant_or_type_range(w, k * num_sums + sum));
    total.lo += one.lo;
    total.hi += one.hi;
    if (!total.is_bounded())
      return std::nullopt;
  }
  return total;
}

}  // namespace

std::optional<FixedType> linear_sum_type(const Operand& x, const Operand& w, const Operand& b,
                                         int64_t num_products, int64_t num_sums) {
  const int product_frac = x.type->fixed().frac_bits + w.type->fixed().frac_bits;
  const int bias_frac = b.type->fixed().frac_bits;
  const int frac = std::max(product_frac, bias_frac);

  // Sums that do not differ in anything constant have one range.
  const int64_t num_distinct = w.constant || b.constant ? num_sums : 1;
  std::optional<Range> total;
  for (int64_t sum = 0; sum < num_distinct; ++sum) {
    const auto products = products_range(range_of(x.type->fixed()), w, num_products, num_sums, sum);
    const auto aligned = products ? shifted_left(*products, frac - product_frac) : std::nullopt;
    const auto bias = shifted_left(constant_or_type_range(b, sum), frac - bias_frac);
    if (!aligned || !bias)
      return std::nullopt;
    const Range range = {aligned->lo + bias->lo, aligned->hi + bias->hi};
    if (total)
      total->include(range);
    else
      total = range;
  }
  check(total.has_value(), "a linear operation has no sums");
  return narrowest_tensor_element(*total, frac);
}

Result<TensorType> linear_result_type(Shape shape, Operands operands, int64_t num_products,
                                      int64_t num_sums, const Message& too_wide,
                                      const std::string& where) {
  TensorType result{std::move(shape), std::nullopt};
  for (const Operand& operand : operands)
    if (!operand.type->is_fixed())
      return result;
  result.element = linear_sum_type(operands[0], operands[1], operands[2], num_products, num_sums);
  if (!result.element)
    return error(too_wide, where);
  return result;
}

}  // namespace millrace::graph
