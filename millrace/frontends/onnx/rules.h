// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/onnx/importer.h"

namespace millrace::frontends::onnx {

/// What is known about an operator.
struct Importer::Rule {
  std::string_view op;
  size_t min_inputs, max_inputs;
  Handler on_constants;    ///< where all operands are constants; null when that is not supported
  Handler on_activations;  ///< likewise
  std::vector<std::string_view> attributes;
  bool has_outputs = false;  ///< the handler looks after outputs behind the first one
};

}  // namespace millrace::frontends::onnx
