// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/train_command.h"

#include <fmt/format.h>
#include <zlib.h>

#include "millrace/cli/commands.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"
#include "millrace/support/files.h"
#include "millrace/train/trainer.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;
using report::TrainingRecord;

std::vector<report::WeightsRecord> to_records(const std::vector<train::WeightDigits>& layers) {
  std::vector<report::WeightsRecord> records;
  for (const train::WeightDigits& layer : layers)
    records.push_back({layer.name, layer.count, layer.zeros, layer.signed_digits});
  return records;
}

/// The adders of a model, as far as its weights tell; nothing for "float".
std::string weights_text(const std::vector<report::WeightsRecord>& layers) {
  if (layers.empty())
    return {};
  report::Table table{
      .columns = {{"weights"}, {"number", true}, {"zeros", true}, {"signed digits", true}}};
  for (const report::WeightsRecord& layer : layers)
    table.rows.push_back({layer.name, report::with_thousands(layer.count),
                          report::with_thousands(layer.zeros),
                          report::with_thousands(layer.signed_digits)});
  return table.to_text() + "\n";
}

std::string to_text(const TrainingRecord& record, const fs::path& output) {
  report::Table table{
      .columns = {{"test images"}, {"float", true}, {record.quantizer, true}},
      .rows = {{"AUC", fmt::format("{:.4f}", record.float_auc), fmt::format("{:.4f}", record.auc)},
               {"accuracy", fmt::format("{:.4f}", record.float_accuracy),
                fmt::format("{:.4f}", record.accuracy)}}};
  return fmt::format(
      "{} parameters, trained on {} images of {} ({} against {}), {} test images, "
      "in {:.1f} s\n\n{}\n{}Model: {}\n",
      report::with_thousands(record.parameters), report::with_thousands(record.train_images),
      record.images.data, record.images.signal, record.images.background,
      report::with_thousands(record.test_images), record.seconds, table.to_text(),
      weights_text(record.weights), output.string());
}

}  // namespace

fs::path training_record_path(const fs::path& model) {
  return fs::path(model).replace_extension(".train.json");
}

Result<std::string> checksum_of(const fs::path& model) {
  MR_TRY(const std::string content, read_file(model));
  const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
  return fmt::format("{:08x}", crc32_z(0, bytes, content.size()));
}

Result<TrainingRecord> train_model(const TrainOptions& options, Console& console) {
  const train::TrainRequest request{.network = options.network,
                                    .data = options.images.data,
                                    .signal = options.images.signal,
                                    .background = options.images.background,
                                    .glyph_seed = options.images.data_seed,
                                    .quantizer = options.quantizer,
                                    .seed = options.seed,
                                    .epochs = options.epochs,
                                    .sparsity = options.sparsity,
                                    .output = options.output};
  MR_TRY(const train::TrainResult result, train::run_trainer(request, console.progress()));
  MR_TRY(std::string checksum, checksum_of(options.output));
  TrainingRecord record{
      .auc = result.auc,
      .accuracy = result.accuracy,
      .float_auc = result.float_auc,
      .float_accuracy = result.float_accuracy,
      .parameters = result.parameters,
      .seed = result.seed,
      .seconds = result.seconds,
      .quantizer = result.quantizer,
      .epochs = result.epochs,
      .sparsity = result.sparsity,
      .weights = to_records(result.weights),
      .train_images = result.train_images,
      .test_images = result.test_images,
      .images = {options.images.data, result.signal, result.background, options.images.data_seed},
      .model_crc32 = std::move(checksum)};
  MR_TRY_STATUS(write_file(training_record_path(options.output), to_json(record)));
  return record;
}

Result<Answer> run(const TrainOptions& options, Console& console) {
  MR_TRY(const TrainingRecord record, train_model(options, console));
  return Answer{to_text(record, options.output), to_json(record)};
}

}  // namespace millrace::cli
