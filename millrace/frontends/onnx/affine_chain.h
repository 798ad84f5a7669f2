// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/onnx/importer.h"

namespace millrace::frontends::onnx {

/// y = scale * x + offset; both broadcast to x.
struct AffineFunction {
  FloatTensor scale{{}, {1}}, offset{{}, {0}};
};

/// Nodes of which each alone reads the one before it, as one function of what the first one reads.
struct Importer::Chain {
  Activation x;
  const Node* last = nullptr;
  size_t length = 0;
  AffineFunction function = {};
};

}  // namespace millrace::frontends::onnx
