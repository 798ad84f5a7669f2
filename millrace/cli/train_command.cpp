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

std::string to_text(const TrainingRecord& record, const fs::path& output) {
  report::Table table{
      .columns = {{"test images"}, {"float", true}, {record.quantizer, true}},
      .rows = {{"AUC", fmt::format("{:.4f}", record.float_auc), fmt::format("{:.4f}", record.auc)},
               {"accuracy", fmt::format("{:.4f}", record.float_accuracy),
                fmt::format("{:.4f}", record.accuracy)}}};
  return fmt::format(
      "{} parameters, trained on {} images of {} ({} against {}), {} test images, "
      "in {:.1f} s\n\n{}\nModel: {}\n",
      report::with_thousands(record.parameters), report::with_thousands(record.train_images),
      record.images.data, record.images.signal, record.images.background,
      report::with_thousands(record.test_images), record.seconds, table.to_text(), output.string());
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
