// SPDX-License-Identifier: Apache-2.0
// Options of single layers, from a YAML file.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "millrace/dataflow/plan.h"
#include "millrace/graph/graph.h"

namespace millrace::cli {

/// Reads what a file says about layers of the model:
///
///     layers:
///       conv1: {effort: 4, adders: two-input}
///       dense1: {phases: 2}
///
/// Errors   a missing file; not YAML of this form; a layer or key that is not known, with the
///          nearest one that is; a value of another kind. Each names the file and line.
Result<std::map<std::string, dataflow::LayerOptions>> read_overrides(
    const std::filesystem::path& file, const graph::Graph& model);

/// The same for text; `where` names it.
Result<std::map<std::string, dataflow::LayerOptions>> parse_overrides(const std::string& text,
                                                                      const std::string& where,
                                                                      const graph::Graph& model);

}  // namespace millrace::cli
