// SPDX-License-Identifier: Apache-2.0
// Reads models of Keras 2 and 3, QKeras and HGQ: docs/reference/keras.md lists what is read, what
// it means and what is refused.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/graph/graph.h"

namespace millrace::frontends {

/// Reads a Keras model as a graph with real weights and explicit quantisers.
///
/// The file is an HDF5 file with the attribute `model_config` (.h5, .hdf5), an archive (.keras), or
/// a configuration (.json) whose weights are in an HDF5 file: the one given, or STEM_weights.h5,
/// STEM.weights.h5 or STEM.h5 beside it.
///
/// Shapes   the batch dimension is dropped; a sequence N x C becomes a map 1 x N x C.
/// Errors   one diagnostic for whatever is not supported, with "FILE: layer 'NAME' (CLASS)".
Result<graph::Graph> import_keras(const std::filesystem::path& model,
                                  const std::optional<std::filesystem::path>& weights = {});

/// The same from the bytes of a .keras or .h5 file, told apart by how they begin; `file` names them
/// in diagnostics.
Result<graph::Graph> import_keras_bytes(std::string_view bytes, const std::string& file);

}  // namespace millrace::frontends
