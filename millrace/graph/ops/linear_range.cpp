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

// The products of one sum: rows of w, all of them where no list is given.
struct Products {
  int64_t count = 0;
  const std::vector<int64_t>* rows = nullptr;

  int64_t row(int64_t k) const { return rows ? (*rows)[static_cast<size_t>(k)] : k; }
};

// The range of one sum without its bias. Partial sums only widen, because each product's range
// includes 0: stopping at the first one out of bounds loses nothing.
std::optional<Range> products_range(const Range& x, const Operand& w, const Products& products,
                                    int64_t num_sums, int64_t sum) {
  Range total;
  if (!w.constant) {
    const Range one = product(x, range_of(w.type->fixed()));
    const Int128 bound = Range::Bound / products.count;
    if (one.lo < -bound || one.hi > bound)
      return std::nullopt;
    return Range{one.lo * products.count, one.hi * products.count};
  }
  for (int64_t k = 0; k < products.count; ++k) {
    const Range one = product(x, constant_or_type_range(w, products.row(k) * num_sums + sum));
    total.lo += one.lo;
    total.hi += one.hi;
    if (!total.is_bounded())
      return std::nullopt;
  }
  return total;
}

std::optional<FixedType> sum_type(const Operand& x, const Operand& w, const Operand& b,
                                  std::span<const Products> alternatives, int64_t num_sums) {
  const int product_frac = x.type->fixed().frac_bits + w.type->fixed().frac_bits;
  const int bias_frac = b.type->fixed().frac_bits;
  const int frac = std::max(product_frac, bias_frac);

  // Sums that do not differ in anything constant have one range.
  const int64_t num_distinct = w.constant || b.constant ? num_sums : 1;
  std::optional<Range> total;
  for (int64_t sum = 0; sum < num_distinct; ++sum) {
    const auto bias = shifted_left(constant_or_type_range(b, sum), frac - bias_frac);
    for (const Products& products : alternatives) {
      const auto range = products_range(range_of(x.type->fixed()), w, products, num_sums, sum);
      const auto aligned = range ? shifted_left(*range, frac - product_frac) : std::nullopt;
      if (!aligned || !bias)
        return std::nullopt;
      const Range with_bias = {aligned->lo + bias->lo, aligned->hi + bias->hi};
      if (total)
        total->include(with_bias);
      else
        total = with_bias;
    }
  }
  check(total.has_value(), "a linear operation has no sums");
  return narrowest_tensor_element(*total, frac);
}

std::vector<Products> listed_products(std::span<const std::vector<int64_t>> rows) {
  std::vector<Products> products;
  for (const std::vector<int64_t>& list : rows)
    products.push_back({std::ssize(list), &list});
  return products;
}

Result<TensorType> result_type(Shape shape, Operands operands,
                               std::span<const Products> alternatives, int64_t num_sums,
                               const Message& too_wide, const std::string& where) {
  TensorType result{std::move(shape), std::nullopt};
  for (const Operand& operand : operands)
    if (!operand.type->is_fixed())
      return result;
  result.element = sum_type(operands[0], operands[1], operands[2], alternatives, num_sums);
  if (!result.element)
    return error(too_wide, where);
  return result;
}

}  // namespace

std::optional<FixedType> linear_sum_type(const Operand& x, const Operand& w, const Operand& b,
                                         int64_t num_products, int64_t num_sums) {
  const Products all{num_products};
  return sum_type(x, w, b, {&all, 1}, num_sums);
}

std::optional<FixedType> linear_sum_type(const Operand& x, const Operand& w, const Operand& b,
                                         std::span<const std::vector<int64_t>> rows,
                                         int64_t num_sums) {
  return sum_type(x, w, b, listed_products(rows), num_sums);
}

Result<TensorType> linear_result_type(Shape shape, Operands operands, int64_t num_products,
                                      int64_t num_sums, const Message& too_wide,
                                      const std::string& where) {
  const Products all{num_products};
  return result_type(std::move(shape), operands, {&all, 1}, num_sums, too_wide, where);
}

Result<TensorType> linear_result_type(Shape shape, Operands operands,
                                      std::span<const std::vector<int64_t>> rows, int64_t num_sums,
                                      const Message& too_wide, const std::string& where) {
  return result_type(std::move(shape), operands, listed_products(rows), num_sums, too_wide, where);
}

Result<TensorType> accumulated_type(Shape shape, Operands operands, const Quantizer& accumulate,
                                    const Message& too_wide, const std::string& where) {
  for (const Operand& operand : operands)
    if (!operand.type->is_fixed())
      return TensorType{std::move(shape), std::nullopt};
  if (operands[0].type->fixed().width + operands[1].type->fixed().width > MaxAccumulatedWidth)
    return error(too_wide, where, MaxAccumulatedWidth);
  return TensorType{std::move(shape), accumulate.type};
}

}  // namespace millrace::graph
