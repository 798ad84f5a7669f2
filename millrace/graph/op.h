// SPDX-License-Identifier: Apache-2.0
// The table of operations: every operation is one alternative of OpKind, defined in ops/.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/graph/ops/affine.h"
#include "millrace/graph/ops/avg_pool.h"
#include "millrace/graph/ops/binary.h"
#include "millrace/graph/ops/concat.h"
#include "millrace/graph/ops/constant.h"
#include "millrace/graph/ops/conv2d.h"
#include "millrace/graph/ops/conv_transpose2d.h"
#include "millrace/graph/ops/dense.h"
#include "millrace/graph/ops/exact.h"
#include "millrace/graph/ops/flatten.h"
#include "millrace/graph/ops/input.h"
#include "millrace/graph/ops/max_pool.h"
#include "millrace/graph/ops/pad.h"
#include "millrace/graph/ops/prelu.h"
#include "millrace/graph/ops/reduce.h"
#include "millrace/graph/ops/relu.h"
#include "millrace/graph/ops/requantize.h"
#include "millrace/graph/ops/reshape.h"
#include "millrace/graph/ops/slice.h"
#include "millrace/graph/ops/softmax.h"
#include "millrace/graph/ops/table.h"
#include "millrace/graph/ops/top_k.h"
#include "millrace/graph/ops/transpose.h"
#include "millrace/graph/ops/unary.h"
#include "millrace/graph/ops/upsample.h"

namespace millrace::graph {

using OpKind = std::variant<Input, Constant, Requantize, Conv2D, Dense, Affine, Relu, MaxPool,
                            Flatten, Table, AvgPool, Concat, ConvTranspose2D, Pad, Reshape, Slice,
                            Transpose, Upsample, Add, Sub, Mul, Maximum, Minimum, Prelu, Abs,
                            Negate, Sign, Binarize, Square, Unary, Reduce, TopK, Softmax>;

/// Names the value that an operation defines: its index in Graph::ops().
using ValueId = int;

/// One operation and the one value that it defines.
struct Op {
  std::string name;   ///< unique in the graph: [A-Za-z_][A-Za-z0-9_.]*
  std::string where;  ///< where the user wrote it; empty for derived operations
  OpKind kind;
  std::vector<ValueId> operands;  ///< values defined earlier
  TensorType type;                ///< of the value it defines, as inferred

  template <class Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&kind);
  }
  /// "conv2d", "dense", ...
  std::string_view mnemonic() const {
    return std::visit([](const auto& op) { return op.Mnemonic; }, kind);
  }
};

/// Overload set for std::visit over OpKind.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

}  // namespace millrace::graph
