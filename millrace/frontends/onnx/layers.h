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

/// How a constant takes in a factor: as a shift of everything, or into its numbers.
struct Factor {
  int shift = 0;
  double multiplier = 1;
};

/// Errors   onnx.gemm_factor where the constant has quantisers and the factor is no power of two.
Result<Factor> read_factor(const Node& node, std::string_view name, double factor,
                           const ConstantValue& constant);

/// A layer's weights, and a factor for each output that is not in them.
struct Weights {
  ConstantValue constant;
  FloatTensor output_scale = {};  ///< no elements: 1
};

/// Weights with a factor for each element, where those of one output (an index of axis `axis`)
/// are all the same; else weights that have taken them in.
Weights separate_scale(const ConstantValue& weights, size_t axis);

/// True for a shape of that rank with at least one element.
bool has_elements(const Shape& shape, size_t rank);

}  // namespace millrace::frontends::onnx
