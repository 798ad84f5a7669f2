// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/cli/images.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/model.h"
#include "millrace/data/metrics.h"
#include "millrace/emulator/emulator.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/numbers.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;
using report::EmulationRecord;

/// From which score on an image counts as signal: a sigmoid is there as a table, or left off.
double threshold_of(const graph::Graph& model) {
  return model.op(model.outputs().front()).as<graph::Table>() ? 0.5 : 0.0;
}

Result<EmulationRecord> emulate(const EmulateOptions& options, Console& console) {
  MR_TRY(const graph::Graph model, load_exact_model(options.model, false, options.weights));
  const std::string where = options.model.string();
  MR_TRY(const graph::TensorType input, only_input(model, where));
  const graph::TensorType& output = model.type(model.outputs().front());
  if (num_elements(output.shape) != 1)
    return error(messages::NotAClassifier, where, num_elements(output.shape));
  EmulationRecord record;
  MR_TRY(record.source, image_source(options.images, options.model));
  MR_TRY(const data::DataSet images, load_images(record.source));
  record.source.signal = images.signal;
  record.source.background = images.background;
  record.images = images.test.count();
  MR_TRY(const std::vector<int64_t> raw, quantise_images(images.test, record.images, input));

  const emulator::Emulator emulator(model);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<int64_t> outputs = emulator.run(raw, console.progress());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (was_interrupted())
    return error(messages::Interrupted, where);

  std::vector<double> scores;
  scores.reserve(outputs.size());
  for (int64_t code : outputs)
    scores.push_back(output.fixed().to_double(code));
  record.accuracy = data::accuracy(scores, images.test.labels, threshold_of(model));
  record.auc = data::auc(scores, images.test.labels).value_or(0);
  record.images_per_second = static_cast<double>(record.images) / std::max(seconds, 1e-9);
  for (const data::RocPoint& point : data::roc_curve(scores, images.test.labels))
    record.roc.push_back({point.false_positive_rate, point.true_positive_rate});
  return record;
}

std::string to_text(const EmulationRecord& record) {
  return fmt::format(
      "{} test images of {} ({} against {})\n"
      "AUC {:.4f}, accuracy {}, {} images a second\n",
      report::with_thousands(record.images), record.source.data, record.source.signal,
      record.source.background, record.auc, report::percent(record.accuracy),
      report::with_thousands(static_cast<int64_t>(record.images_per_second)));
}

}  // namespace

Result<Answer> run(const EmulateOptions& options, Console& console) {
  MR_TRY(const EmulationRecord record, emulate(options, console));
  if (fs::is_directory(options.model))
    MR_TRY_STATUS(report::write_record(options.model, record));
  return Answer{to_text(record), to_json(record)};
}

}  // namespace millrace::cli
