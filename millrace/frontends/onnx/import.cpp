// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/import.h"

#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/model.h"
#include "millrace/support/files.h"

namespace millrace::frontends {

Result<graph::Graph> import_onnx_bytes(std::string_view bytes, const std::string& file) {
  MR_TRY(onnx::Model model, onnx::read_model(bytes, file));
  return onnx::Importer(std::move(model), file).run();
}

Result<graph::Graph> import_onnx(const std::filesystem::path& path) {
  MR_TRY(const std::string bytes, read_file(path));
  return import_onnx_bytes(bytes, path.string());
}

}  // namespace millrace::frontends
