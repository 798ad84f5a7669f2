// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "millrace/cli/commands.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/model.h"
#include "millrace/frontends/onnx/export.h"
#include "millrace/graph/text.h"
#include "millrace/support/files.h"

namespace millrace::cli {

Result<Answer> run(const ConvertOptions& options, Console&) {
  const auto extension = options.output.extension();
  const bool is_text = extension == ".mr";
  if (!is_text && extension != ".onnx")
    return error(messages::ConvertOutput, options.output.string());
  MR_TRY(const frontends::ImportedModel model, import_typed_model(options.model, options.types));
  MR_TRY(const std::string bytes, is_text ? Result<std::string>(graph::print(model.graph))
                                          : frontends::export_onnx(model.graph));
  MR_TRY_STATUS(write_file(options.output, bytes));
  const std::string output = options.output.string();
  const nlohmann::ordered_json json = {{"output", output}, {"bytes", bytes.size()}};
  return Answer{fmt::format("{}: {}, {} bytes\n", output, is_text ? "text" : "QONNX", bytes.size()),
                json.dump(2) + '\n'};
}

}  // namespace millrace::cli
