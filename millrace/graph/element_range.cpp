// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/element_range.h"

#include <algorithm>
#include <bit>

namespace millrace::graph {

ElementRange element_range(const Op& op, int64_t element) {
  const FixedType& tensor = op.type.fixed();
  if (const auto* const constant = op.as<Constant>()) {
    const int64_t raw = constant->raw().at(static_cast<size_t>(element));
    const int zeros = std::countr_zero(static_cast<uint64_t>(raw));
    return {raw, raw, std::min(zeros, tensor.width)};
  }
  const auto* const requantize = op.as<Requantize>();
  const FixedType type = requantize ? requantize->at(static_cast<size_t>(element)).type : tensor;
  const int zeros = tensor.frac_bits - type.frac_bits;
  const Int128 unit = Int128{1} << zeros;
  const bool is_symmetric =
      requantize && requantize->to.overflow == Overflow::SaturateSymmetric && type.is_signed;
  const Int128 lo = is_symmetric ? -type.max_raw() : type.min_raw();
  return {static_cast<int64_t>(lo * unit), static_cast<int64_t>(type.max_raw() * unit), zeros};
}

ElementRange channel_range(const Op& op, int64_t channel) {
  const int64_t channels = op.type.shape.back();
  ElementRange range = element_range(op, channel);
  const auto* const requantize = op.as<Requantize>();
  const bool may_differ =
      op.as<Constant>() || (requantize && std::ssize(requantize->types) > channels);
  if (may_differ)
    for (int64_t i = channel + channels; i < num_elements(op.type.shape); i += channels) {
      const ElementRange other = element_range(op, i);
      range = {std::min(range.lo, other.lo), std::max(range.hi, other.hi),
               std::min(range.zero_bits, other.zero_bits)};
    }
  return range;
}

}  // namespace millrace::graph
