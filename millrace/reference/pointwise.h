// SPDX-License-Identifier: Apache-2.0
// The golden models of the operations that work element by element or along the channels. For
// evaluate.cpp; each is what the operation's header says, in the plainest code.
#pragma once

#include "millrace/graph/graph.h"

namespace millrace::reference {

/// The value and the type of one operand.
struct Argument {
  const IntTensor& value;
  const FixedType& type;
};

IntTensor binary(graph::BinaryFunction function, const Argument& a, const Argument& b,
                 const graph::TensorType& result);
IntTensor prelu(const Argument& x, const Argument& alpha, const graph::TensorType& result);
IntTensor exact(graph::ExactFunction function, const IntTensor& x, const graph::TensorType& result);
IntTensor requantize(const graph::Requantize& op, const Argument& x,
                     const graph::TensorType& result);
IntTensor reduce(graph::ReduceFunction function, const IntTensor& x,
                 const graph::TensorType& result);
IntTensor top_k(const IntTensor& x, const graph::TensorType& result);

}  // namespace millrace::reference
