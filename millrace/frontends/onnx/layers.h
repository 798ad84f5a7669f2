// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/onnx/importer.h"

namespace millrace::frontends::onnx {

/// Where a layer's bias comes from, and which tensor is the layer's result.
struct Importer::Bias {
  const ConstantValue* value = nullptr;  ///< null: none
  int inner = 0;                         ///< extents behind the channels: 2 for maps, 0 for vectors
  double factor = 1;                     ///< Gemm's beta
  std::string output;                    ///< the layer's, or that of the Add behind it
};

}  // namespace millrace::frontends::onnx
