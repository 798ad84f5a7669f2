// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/constant.h"

#include <cmath>

#include "millrace/graph/messages.h"

namespace millrace::graph {

Result<TensorType> Constant::infer(Operands operands, const std::string& where) const {
  if (!operands.empty())  // constant_c3
    return error(messages::ConstantC3, where, operands.size());
  MR_TRY_STATUS(type.verify(where));
  const bool has_raw = value.is_raw();
  const size_t size = has_raw ? raw().size() : real().size();
  if (has_raw != type.is_fixed() ||
      size != static_cast<size_t>(num_elements(type.shape)))  // constant_c1
    return error(messages::ConstantC1, where, size, type.to_string());
  if (has_raw) {
    const Int128 least = type.fixed().min_raw(), largest = type.fixed().max_raw();
    for (int64_t element : raw())
      if (element < least || element > largest)  // constant_c2
        return error(messages::ConstantC2, where, element, type.fixed().to_string());
  } else {
    for (double element : real())
      if (!std::isfinite(element))  // constant_c2
        return error(messages::ConstantC2, where, element, "the finite real numbers");
  }
  return type;
}

}  // namespace millrace::graph
