// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/cli/options.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/graph/graph.h"

namespace millrace::cli {

/// Reads a model as its author wrote it: the exact graph of a build directory, a graph text (.mr),
/// an ONNX file, or a Keras model (.h5, .hdf5, .keras, .json with its weights beside it).
/// Errors   those of the readers.
Result<frontends::ImportedModel> import_model(const std::filesystem::path& path,
                                              const TypeOptions& types);

/// The same with types for its real numbers, where the options say how they get them. The ports are
/// empty but for ONNX files.
/// Errors   also cli.bad_width, cli.bad_error_budget; those of read_type_rules(), read_samples(),
///          quantize_by_rules(), quantize_as_hls4ml() and calibrate().
Result<frontends::ImportedModel> import_typed_model(const std::filesystem::path& path,
                                                    const TypeOptions& types);

/// The same, lowered to the exact graph.
Result<graph::Graph> load_exact_model(const std::filesystem::path& path, const TypeOptions& types,
                                      bool logits = false);

/// The only input.
/// Errors   the model has several inputs or outputs.
Result<graph::Input> only_input(const graph::Graph& graph, const std::string& where);

}  // namespace millrace::cli
