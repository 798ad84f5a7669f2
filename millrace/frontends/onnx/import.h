// SPDX-License-Identifier: Apache-2.0
// Reads ONNX and QONNX models: docs/reference/onnx.md lists what is read and what is refused.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::frontends {

/// How an input or output of a model lies in the graph.
struct PortLayout {
  std::string name;          ///< as the model names it
  Shape shape;               ///< as the model has it, the batch included
  std::vector<size_t> axes;  ///< of `shape`, in the graph's order, outermost first
};

/// A graph with the ports of the model that it came from, in the order of its inputs and outputs.
struct ImportedModel {
  graph::Graph graph;
  std::vector<PortLayout> inputs, outputs;
};

/// Reads an ONNX file as a graph with real weights and explicit quantisers.
///
/// Feature maps turn from CHW into HWC, weights from OIHW into HWIO, and the CHW order of a
/// flattened map is folded into the weights behind it. The batch dimension, 1 or free, is dropped.
/// A float input that only a quantiser reads becomes a fixed-point `input` of its type.
///
/// Errors   one diagnostic for whatever is not supported, with "FILE: node 'NAME' (OPERATOR)".
Result<graph::Graph> import_onnx(const std::filesystem::path& path);
/// The same with the layouts of the ports.
Result<ImportedModel> import_onnx_model(const std::filesystem::path& path);

/// The same from the bytes of a file, which must hold all tensors; `file` names them in
/// diagnostics.
Result<graph::Graph> import_onnx_bytes(std::string_view bytes, const std::string& file);
Result<ImportedModel> import_onnx_model_bytes(std::string_view bytes, const std::string& file);

}  // namespace millrace::frontends
