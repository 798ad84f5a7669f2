// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/tensor_type.h"

#include <cstdlib>

#include "millrace/graph/messages.h"
#include "millrace/support/check.h"

namespace millrace::graph {

const FixedType& TensorType::fixed() const {
  check(is_fixed(), "a tensor of real numbers is used as a fixed-point one");
  return *element;
}

std::string TensorType::to_string() const {
  return "tensor<" + millrace::to_string(shape) + " x " +
         (element ? element->to_string() : "real") + ">";
}

Status TensorType::verify(const std::string& where) const {
  if (shape.empty() || shape.size() > MaxRank)  // tensor_c2
    return error(messages::TensorC2, where, to_string());
  int64_t elements = 1;
  for (int64_t extent : shape) {
    if (extent < 1 || extent > MaxElements / elements)  // tensor_c2
      return error(messages::TensorC2, where, to_string());
    elements *= extent;
  }
  if (element) {
    const int max_width = element->is_signed ? FixedType::MaxWidth : FixedType::MaxWidth - 1;
    if (element->width < 1 || element->width > max_width ||  // tensor_c1
        element->frac_bits < -FixedType::MaxFracBits || element->frac_bits > FixedType::MaxFracBits)
      return error(messages::TensorC1, where, to_string());
  }
  return {};
}

}  // namespace millrace::graph
