// SPDX-License-Identifier: Apache-2.0
// What is known of single elements and channels beyond the tensor's type.
#pragma once

#include "millrace/graph/op.h"

namespace millrace::graph {

/// The raw integers, of the tensor's type, that an element can be: from lo to hi, the lowest
/// zero_bits of them always 0.
struct ElementRange {
  int64_t lo = 0;
  int64_t hi = 0;
  int zero_bits = 0;

  friend bool operator==(const ElementRange&, const ElementRange&) = default;
};

/// Element `element` of the value that the operation defines, in row-major order: that of a
/// `requantize` with types of its own, or of a constant; the range of the tensor's type else.
/// Range    0 <= element < number of elements. An element that is always 0 has as many zero bits
///          as its tensor's type has bits.
ElementRange element_range(const Op& op, int64_t element);

/// The same for all elements of a channel, that is, an index of the last extent.
ElementRange channel_range(const Op& op, int64_t channel);

}  // namespace millrace::graph
