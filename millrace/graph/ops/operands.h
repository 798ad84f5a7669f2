// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "millrace/graph/tensor_type.h"

namespace millrace::graph {

struct Constant;

/// What an operation sees of one operand when its result type is inferred.
struct Operand {
  const TensorType* type = nullptr;    ///< never null
  const Constant* constant = nullptr;  ///< the value, where a `constant` defines the operand
};
using Operands = std::span<const Operand>;

/// The operands' types for a diagnostic: "tensor<...>, tensor<...>".
std::string to_string(Operands operands);

}  // namespace millrace::graph
