// SPDX-License-Identifier: Apache-2.0
// ONNX's own tests of single operators: models with the tensors that they read and give.
#pragma once

#include <filesystem>
#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <vector>

#include "millrace/frontends/onnx/import.h"
#include "millrace/support/shape.h"

namespace millrace::onnx_backend {

/// One test as ONNX's data has it. Inputs that a node leaves out have no tensor.
struct BackendCase {
  std::string name;
  ::onnx::ModelProto model;
  std::vector<::onnx::TensorProto> inputs, outputs;

  const std::string& op() const { return model.graph().node(0).op_type(); }
};

/// The test in a folder; none where its model has several nodes, or something other than tensors.
std::optional<BackendCase> read_case(const std::filesystem::path& folder);

/// What became of a test.
struct Outcome {
  bool is_read = false;             ///< at least one variant of the model was imported
  bool is_computed = false;         ///< and not only with constants for all operands
  bool is_exact = false;            ///< and one was lowered to an exact graph too
  std::string refusal;              ///< the code of the diagnostic where none was
  std::vector<std::string> faults;  ///< results that disagree
};

/// Imports the model in several variants, each of which must be refused or agree with the expected
/// tensors: with all operands as inputs, with all but the first as constants, and with all of them
/// as constants whose result is added to an input.
///
/// In double it agrees to 1e-5 of the largest magnitude; the exact graph, with quantisers at
/// inputs, constants and outputs, gives what the same graph gives in double, to one step of the
/// output.
Outcome run_case(const BackendCase& test);

}  // namespace millrace::onnx_backend
