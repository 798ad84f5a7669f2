// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/range.h"

#include "millrace/graph/ops/constant.h"

namespace millrace::graph {

Range range_of(const FixedType& type) {
  return {type.min_raw(), type.max_raw()};
}

Range range_of(const Operand& operand) {
  if (!operand.constant)
    return range_of(operand.type->fixed());
  const auto& raw = operand.constant->raw();
  const auto [lo, hi] = std::minmax_element(raw.begin(), raw.end());
  return {*lo, *hi};
}

Range product(const Range& a, const Range& b) {
  const auto [lo, hi] = std::minmax({a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi});
  return {lo, hi};
}

std::optional<Range> shifted_left(const Range& range, int shift) {
  if (range.lo == 0 && range.hi == 0)
    return range;
  if (shift > 100 || range.lo < -(Range::Bound >> shift) || range.hi > (Range::Bound >> shift))
    return std::nullopt;
  return Range{range.lo * (Int128{1} << shift), range.hi * (Int128{1} << shift)};
}

std::optional<FixedType> narrowest_tensor_element(const Range& range, int frac_bits) {
  if (frac_bits < -FixedType::MaxFracBits || frac_bits > FixedType::MaxFracBits)
    return std::nullopt;
  auto type = narrowest_type(range.lo, range.hi, frac_bits);
  if (type && !type->is_signed && type->width == FixedType::MaxWidth)
    return std::nullopt;  // raw integers are held in int64_t
  return type;
}

}  // namespace millrace::graph
