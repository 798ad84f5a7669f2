// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/broadcast.h"

namespace millrace::graph {

std::optional<Broadcast> broadcast(const Shape& x, const Shape& b) {
  const auto count = static_cast<size_t>(num_elements(b));
  if (b == x || b == Shape{x.back()} || b == Shape{1})
    return Broadcast{.divisor = 1, .modulus = count};
  Shape places = x;
  places.back() = 1;
  if (b == places)
    return Broadcast{.divisor = static_cast<size_t>(x.back()), .modulus = count};
  return std::nullopt;
}

}  // namespace millrace::graph
