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
#include "millrace/quantize/hls4ml.h"
#include "millrace/report/build_directory.h"
#include "millrace/support/ceil_divide.h"
#include "millrace/support/files.h"

namespace millrace::cli {

namespace fs = std::filesystem;

namespace {

/// The samples that are looked at for ranges, at most.
constexpr int64_t MaxCalibrationSamples = 256;

/// Types by the ranges that samples cause.
Result<graph::Graph> calibrated(const frontends::ImportedModel& model, const TypeOptions& types) {
  if (types.width < 2 || types.width > quantize::MaxCalibratedWidth)
    return error(messages::BadWidth, "--width", types.width);
  if (types.error_budget && !(*types.error_budget > 0))
    return error(messages::BadErrorBudget, "--error-budget", *types.error_budget);
  MR_TRY_STATUS(only_input(model.graph, types.calibrate.string()));
  MR_TRY(const Samples samples, read_samples(types.calibrate, model, 0, {}));
  std::vector<quantize::Sample> taken;
  const int64_t step = ceil_divide(samples.count, MaxCalibrationSamples);
  for (int64_t i = 0; i < samples.count; i += step)
    taken.push_back({samples.sample(i)});
  MR_TRY(quantize::Calibration calibration,
         quantize::calibrate(model.graph, taken,
                             {.width = types.width, .error_budget = types.error_budget}));
  return std::move(calibration.graph);
}

/// What hls4ml's own configurations begin with.
constexpr const char* Hls4mlDefault = "fixed<16,6>";

bool is_keras(const fs::path& path) {
  const fs::path extension = path.extension();
  return extension == ".h5" || extension == ".hdf5" || extension == ".keras" ||
         extension == ".json";
}

bool is_as_hls4ml(const TypeOptions& types) {
  return types.accumulators == "hls4ml";
}

/// Rules from a file, or one type for everything; and the inputs' own.
Result<quantize::TypeRules> type_rules(const graph::Graph& graph, const TypeOptions& types) {
  quantize::TypeRules rules;
  rules.model.by_default = quantize::Precision::Entry(std::nullopt);
  rules.model.place = "--input-type";
  const fs::path file = types.quantize;
  if (file.extension() == ".yml" || file.extension() == ".yaml") {
    MR_TRY(rules, read_type_rules(file));
  } else if (!types.quantize.empty()) {
    MR_TRY(const Quantizer quantizer, parse_quantizer(types.quantize, "--quantize"));
    rules = quantize::uniform_rules(quantizer, "--quantize " + types.quantize);
  } else if (is_as_hls4ml(types)) {
    MR_TRY(const Quantizer quantizer, parse_quantizer(Hls4mlDefault));
    rules = quantize::uniform_rules(quantizer, std::string("hls4ml's default ") + Hls4mlDefault);
  }
  if (!types.input_type.empty()) {
    MR_TRY(const Quantizer quantizer, parse_quantizer(types.input_type, "--input-type"));
    quantize::set_inputs(rules, graph, quantizer, "--input-type " + types.input_type);
  }
  return rules;
}

Result<frontends::ImportedModel> without_ports(Result<graph::Graph> graph) {
  MR_TRY(graph::Graph whole, std::move(graph));
  return frontends::ImportedModel{std::move(whole), {}, {}};
}

}  // namespace

Result<frontends::ImportedModel> import_model(const fs::path& path, const TypeOptions& types) {
  const fs::path extension = path.extension();
  if (!types.weights.empty() && extension != ".json")
    return error(messages::NoUseForWeights, "--weights", path.filename().string());
  if (std::error_code ignored; fs::is_directory(path, ignored))
    return without_ports(report::read_model(path));
  if (extension == ".mr") {
    MR_TRY(const std::string text, read_file(path));
    return without_ports(graph::parse(text, path.string()));
  }
  if (is_keras(path))
    return without_ports(frontends::import_keras(
        path, types.weights.empty() ? std::nullopt : std::optional(types.weights)));
  return frontends::import_onnx_model(path);
}

Result<frontends::ImportedModel> import_typed_model(const fs::path& path,
                                                    const TypeOptions& types) {
  MR_TRY(frontends::ImportedModel model, import_model(path, types));
  if (!types.calibrate.empty()) {
    MR_TRY(model.graph, calibrated(model, types));
  } else if (!types.quantize.empty() || !types.input_type.empty() || is_as_hls4ml(types)) {
    MR_TRY(const quantize::TypeRules rules, type_rules(model.graph, types));
    if (is_as_hls4ml(types)) {
      MR_TRY(model.graph, quantize::quantize_as_hls4ml(model.graph, rules, is_keras(path)));
    } else {
      MR_TRY(model.graph, quantize::quantize_by_rules(model.graph, rules));
    }
  }
  return model;
}

Result<graph::Graph> load_exact_model(const fs::path& path, const TypeOptions& types, bool logits) {
  MR_TRY(const frontends::ImportedModel imported, import_typed_model(path, types));
  return passes::lower(imported.graph, {.logits = logits});
}

Result<graph::Input> only_input(const graph::Graph& graph, const std::string& where) {
  const size_t inputs = graph.inputs().size(), outputs = graph.outputs().size();
  if (inputs != 1 || outputs != 1)
    return error(messages::OneInputOneOutput, where, inputs, outputs);
  return *graph.op(graph.inputs().front()).as<graph::Input>();
}

}  // namespace millrace::cli
