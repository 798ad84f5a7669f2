// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/cli/images.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/model.h"
#include "millrace/data/load.h"
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

/// The outputs for all test images, and how long they took.
struct Scores {
  std::vector<double> scores;  ///< images x outputs
  double images_per_second = 0;
};

Result<Scores> run_on(const graph::Graph& model, const data::ImageSet& images,
                      const std::string& where, Console& console) {
  MR_TRY(const std::vector<int64_t> raw,
         quantise_images(images, images.count(),
                         *model.op(model.inputs().front()).as<graph::Input>()));
  const emulator::Emulator emulator(model);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<int64_t> outputs = emulator.run(raw, console.progress());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (was_interrupted())
    return error(messages::Interrupted, where);
  Scores scores{{}, static_cast<double>(images.count()) / std::max(seconds, 1e-9)};
  scores.scores.reserve(outputs.size());
  const FixedType& type = model.type(model.outputs().front()).fixed();
  for (const int64_t code : outputs)
    scores.scores.push_back(type.to_double(code));
  return scores;
}

/// One score, which tells signal from background.
Status emulate_two_classes(const graph::Graph& model, const std::string& where,
                           EmulationRecord& record, Console& console) {
  MR_TRY(const data::DataSet images, load_images(record.source));
  record.source.signal = images.signal;
  record.source.background = images.background;
  record.images = images.test.count();
  MR_TRY(const Scores run, run_on(model, images.test, where, console));
  record.images_per_second = run.images_per_second;
  record.accuracy = data::accuracy(run.scores, images.test.labels, threshold_of(model));
  record.auc = data::auc(run.scores, images.test.labels).value_or(0);
  for (const data::RocPoint& point : data::roc_curve(run.scores, images.test.labels))
    record.roc.push_back({point.false_positive_rate, point.true_positive_rate});
  return {};
}

/// A score for each class, or the class itself.
Status emulate_many_classes(const graph::Graph& model, const std::string& where, bool names_class,
                            EmulationRecord& record, Console& console) {
  const int64_t outputs = num_elements(model.type(model.outputs().front()).shape);
  const report::DataRecord& source = record.source;
  if (source.data == "glyphs" || !source.signal.empty() || !source.background.empty())
    return error(messages::ClassesDiffer, where, outputs, 2);
  MR_TRY(const data::DataSet images, data::load_all_classes(source.data));
  record.classes = std::ssize(images.classes);
  if (!names_class && outputs != record.classes)
    return error(messages::ClassesDiffer, where, outputs, record.classes);
  record.images = images.test.count();
  MR_TRY(const Scores run, run_on(model, images.test, where, console));
  record.images_per_second = run.images_per_second;
  if (names_class) {
    int64_t right = 0;
    for (size_t i = 0; i < run.scores.size(); ++i)
      right += run.scores[i] == images.test.labels[i];
    record.accuracy =
        static_cast<double>(right) / static_cast<double>(std::max<int64_t>(1, record.images));
  } else {
    record.accuracy =
        data::top1_accuracy(run.scores, images.test.labels, static_cast<size_t>(record.classes));
  }
  return {};
}

Result<EmulationRecord> emulate(const EmulateOptions& options, Console& console) {
  MR_TRY(const graph::Graph model, load_exact_model(options.model, options.types));
  const std::string where = options.model.string();
  MR_TRY_STATUS(only_input(model, where));
  const graph::Op& output = model.op(model.outputs().front());
  EmulationRecord record;
  MR_TRY(record.source, image_source(options.images, options.model));
  const bool names_class = output.as<graph::TopK>() != nullptr;
  const bool has_one_score = num_elements(output.type.shape) == 1 && !names_class;
  MR_TRY_STATUS(has_one_score ? emulate_two_classes(model, where, record, console)
                              : emulate_many_classes(model, where, names_class, record, console));
  return record;
}

std::string to_text(const EmulationRecord& record) {
  const std::string images = report::with_thousands(record.images);
  const std::string speed =
      report::with_thousands(static_cast<int64_t>(record.images_per_second)) + " images a second";
  const std::string accuracy = report::percent(record.accuracy);
  if (record.classes != 2)
    return fmt::format("{} test images of {} ({} classes)\naccuracy {}, {}\n", images,
                       record.source.data, record.classes, accuracy, speed);
  return fmt::format("{} test images of {} ({} against {})\nAUC {:.4f}, accuracy {}, {}\n", images,
                     record.source.data, record.source.signal, record.source.background, record.auc,
                     accuracy, speed);
}

}  // namespace

Result<Answer> run(const EmulateOptions& options, Console& console) {
  MR_TRY(const EmulationRecord record, emulate(options, console));
  if (fs::is_directory(options.model))
    MR_TRY_STATUS(report::write_record(options.model, record));
  return Answer{to_text(record), to_json(record)};
}

}  // namespace millrace::cli
