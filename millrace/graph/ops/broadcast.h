// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "millrace/support/shape.h"

namespace millrace::graph {

/// Which element of a second operand meets which element of the first.
struct Broadcast {
  size_t divisor = 1;
  size_t modulus = 1;

  /// The element of the second operand that meets element i of the first.
  constexpr size_t index(size_t i) const { return i / divisor % modulus; }
};

/// How an operand of shape b is repeated to fit one of shape x, if it can be: b is x; or [C], x's
/// last extent: one element a channel; or [1]: one element; or x with a last extent of 1: one
/// element for all channels of a place.
std::optional<Broadcast> broadcast(const Shape& x, const Shape& b);

}  // namespace millrace::graph
