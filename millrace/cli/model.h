// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/graph/graph.h"

namespace millrace::cli {

/// Reads a model as its author wrote it: the exact graph of a build directory, a graph text (.mr),
/// an ONNX file, or a Keras model (.h5, .hdf5, .keras, .json with its weights beside it).
/// `weights` is the file of the weights of a .json file; empty: beside it.
/// Errors   those of the readers.
Result<graph::Graph> import_model(const std::filesystem::path& path,
                                  const std::filesystem::path& weights = {});

/// The same, lowered to the exact graph.
Result<graph::Graph> load_exact_model(const std::filesystem::path& path, bool logits = false,
                                      const std::filesystem::path& weights = {});

/// The type of the only input.
/// Errors   the model has several inputs or outputs.
Result<graph::TensorType> only_input(const graph::Graph& graph, const std::string& where);

}  // namespace millrace::cli
