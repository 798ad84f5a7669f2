// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/shape.h"

#include <fmt/format.h>

#include "millrace/support/check.h"

namespace millrace {

int64_t num_elements(const Shape& shape) {
  int64_t product = 1;
  for (int64_t extent : shape) {
    check(extent >= 0, "a tensor's extent is negative");
    check(extent == 0 || product <= (int64_t{1} << 62) / extent, "a tensor is too large");
    product *= extent;
  }
  return product;
}

std::string to_string(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace millrace
