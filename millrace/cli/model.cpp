// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/model.h"

#include "millrace/cli/messages.h"
#include "millrace/cli/samples.h"
#include "millrace/cli/type_rules_file.h"
#include "millrace/fixed/quantizer_text.h"
#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/quantize/calibrate.h"
#include "millrace/report/build_directory.h"
#include "millrace/support/ceil_divide.h"
#include "millrace/support/files.h"

namespace millrace::cli {

namespace fs = std::filesystem;

namespace {

/// The samples that are looked at for ranges, at most.
constexpr int64_t MaxCalibrationSamples = 256;

Result<graph::Graph> calibrated(const graph::Graph& model, const TypeOptions& types) {
  if (types.width < 2 || types.width > quantize::MaxCalibratedWidth)
    return error(messages::BadWidth, "--width", types.width);
  if (types.error_budget && !(*types.error_budget > 0))
    return error(messages::BadErrorBudget, "--error-budget", *types.error_budget);
  MR_TRY(const graph::TensorType input, only_input(model, types.calibrate.string()));
  MR_TRY(const Samples samples, read_samples(types.calibrate, input.shape, {}));
  std::vector<quantize::Sample> taken;
  const int64_t step = ceil_divide(samples.count, MaxCalibrationSamples);
  for (int64_t i = 0; i < samples.count; i += step)
    taken.push_back({samples.sample(i)});
  MR_TRY(quantize::Calibration calibration,
         quantize::calibrate(model, taken,
                             {.width = types.width, .error_budget = types.error_budget}));
  return std::move(calibration.graph);
}

/// Rules from a file, or one type for everything.
Result<quantize::TypeRules> type_rules(const std::string& text) {
  const fs::path file = text;
  if (file.extension() == ".yml" || file.extension() == ".yaml")
    return read_type_rules(file);
  MR_TRY(const Quantizer quantizer, parse_quantizer(text, "--quantize"));
  return quantize::uniform_rules(quantizer, "--quantize " + text);
}

}  // namespace

Result<graph::Graph> import_model(const fs::path& path) {
  if (std::error_code ignored; fs::is_directory(path, ignored))
    return report::read_model(path);
  if (path.extension() == ".mr") {
    MR_TRY(const std::string text, read_file(path));
    return graph::parse(text, path.string());
  }
  for (const char* const extension : {".h5", ".hdf5", ".keras", ".json"})
    if (path.extension() == extension)
      return frontends::import_keras(path);
  return frontends::import_onnx(path);
}

Result<graph::Graph> import_typed_model(const fs::path& path, const TypeOptions& types) {
  MR_TRY(graph::Graph imported, import_model(path));
  if (!types.calibrate.empty())
    return calibrated(imported, types);
  if (types.quantize.empty())
    return imported;
  MR_TRY(const quantize::TypeRules rules, type_rules(types.quantize));
  return quantize::quantize_by_rules(imported, rules);
}

Result<graph::Graph> load_exact_model(const fs::path& path, const TypeOptions& types, bool logits) {
  MR_TRY(const graph::Graph imported, import_typed_model(path, types));
  return passes::lower(imported, {.logits = logits});
}

Result<graph::TensorType> only_input(const graph::Graph& graph, const std::string& where) {
  const size_t inputs = graph.inputs().size(), outputs = graph.outputs().size();
  if (inputs != 1 || outputs != 1)
    return error(messages::OneInputOneOutput, where, inputs, outputs);
  return graph.type(graph.inputs().front());
}

}  // namespace millrace::cli
