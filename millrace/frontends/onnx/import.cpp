// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/import.h"

#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/model.h"
#include "millrace/support/files.h"

namespace millrace::frontends {

Result<ImportedModel> import_onnx_model_bytes(std::string_view bytes, const std::string& file) {
  MR_TRY(onnx::Model model, onnx::read_model(bytes, file));
  return onnx::Importer(std::move(model), file).run();
}

Result<graph::Graph> import_onnx_bytes(std::string_view bytes, const std::string& file) {
  MR_TRY(ImportedModel model, import_onnx_model_bytes(bytes, file));
  return std::move(model.graph);
}

Result<ImportedModel> import_onnx_model(const std::filesystem::path& path) {
  MR_TRY(const std::string bytes, read_file(path));
  MR_TRY(onnx::Model model, onnx::read_model(bytes, path.string(), path.parent_path()));
  return onnx::Importer(std::move(model), path.string()).run();
}

Result<graph::Graph> import_onnx(const std::filesystem::path& path) {
  MR_TRY(ImportedModel model, import_onnx_model(path));
  return std::move(model.graph);
}

}  // namespace millrace::frontends
