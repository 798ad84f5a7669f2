// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/model.h"

#include "millrace/cli/messages.h"
#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/report/build_directory.h"
#include "millrace/support/files.h"

namespace millrace::cli {

namespace fs = std::filesystem;

Result<graph::Graph> import_model(const fs::path& path, const fs::path& weights) {
  if (std::error_code ignored; fs::is_directory(path, ignored))
    return report::read_model(path);
  if (path.extension() == ".mr") {
    MR_TRY(const std::string text, read_file(path));
    return graph::parse(text, path.string());
  }
  for (const char* const extension : {".h5", ".hdf5", ".keras", ".json"})
    if (path.extension() == extension)
      return frontends::import_keras(path, weights.empty() ? std::nullopt : std::optional(weights));
  return frontends::import_onnx(path);
}

Result<graph::Graph> load_exact_model(const fs::path& path, bool logits, const fs::path& weights) {
  MR_TRY(const graph::Graph imported, import_model(path, weights));
  return passes::lower(imported, {.logits = logits});
}

Result<graph::TensorType> only_input(const graph::Graph& graph, const std::string& where) {
  const size_t inputs = graph.inputs().size(), outputs = graph.outputs().size();
  if (inputs != 1 || outputs != 1)
    return error(messages::OneInputOneOutput, where, inputs, outputs);
  return graph.type(graph.inputs().front());
}

}  // namespace millrace::cli
