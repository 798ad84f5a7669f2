// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "millrace/graph/tensor_type.h"

namespace millrace::graph {

struct Constant;

/// What an operation sees of one operand when its result type is inferred.
struct Operand {
  const TensorType* type = nullptr;     ///< never null
  const Constant* constant = nullptr;   ///< the value, where a `constant` defines the operand
};
using Operands = std::span<const Operand>;

}  // namespace millrace::graph
