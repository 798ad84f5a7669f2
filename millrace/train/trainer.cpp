// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/trainer.h"

#include <optional>
#include <system_error>
#include <vector>

#include "millrace/support/check.h"
#include "millrace/support/subprocess.h"
#include "millrace/train/messages.h"
#include "millrace/train/protocol.h"
#include "millrace/train/quantizer_spec.h"

namespace millrace::train {
namespace {

namespace fs = std::filesystem;

/// The last words of a program that failed, on one line.
std::string last_line(const std::string& output) {
  const size_t end = output.find_last_not_of(" \n");
  if (end == std::string::npos)
    return "it said nothing";
  const size_t begin = output.rfind('\n', end);
  return output.substr(begin + 1, end - begin);  // npos + 1 is 0: the only line
}

fs::path executable_folder() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).parent_path();
}

}  // namespace

std::optional<fs::path> find_trainer(const fs::path& folder) {
  std::error_code failed;
  if (const fs::path beside = folder / "millrace-train"; fs::is_regular_file(beside, failed))
    return beside;
  return find_program("millrace-train");
}

Result<TrainResult> run_trainer(const TrainRequest& request, const ProgressFunction& progress,
                                const fs::path& trainer) {
  // What needs no trainer to be seen is refused before one is looked for.
  MR_TRY_STATUS(parse_quantizer(request.quantizer));
  const std::optional<fs::path> program =
      trainer.empty() ? find_trainer(executable_folder()) : trainer;
  std::error_code failed;
  if (!program || !fs::is_regular_file(*program, failed))
    return error(messages::NoTrainer, program ? program->string() : "");

  std::optional<Event> outcome;
  ProcessOptions options;
  options.on_line = [&](std::string_view line) {
    std::optional<Event> event = parse_event(line);
    if (!event)
      return true;
    if (const auto* epoch = std::get_if<ProgressEvent>(&*event)) {
      const std::string what = epoch->phase == "float" ? "float" : request.quantizer;
      return report_progress(progress, "training (" + what + ")",
                             static_cast<double>(epoch->epoch) / std::max(epoch->epochs, 1));
    }
    outcome = std::move(event);
    return true;
  };
  // One thread: more are slower on such small networks, and only one is reproducible. The
  // libraries read these variables before main(), so that they must be set from outside.
  MR_TRY(const ProcessResult process, run_process("env",
                                                  {"OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
                                                   program->string(), format_request(request)},
                                                  options));
  if (!outcome)
    return error(messages::TrainerFailed, program->string(), process.exit_code,
                 last_line(process.output));
  if (auto* diagnostic = std::get_if<Diagnostic>(&*outcome))
    return tl::unexpected(std::move(*diagnostic));
  if (const auto* internal = std::get_if<InternalErrorEvent>(&*outcome))
    throw InternalError(internal->what);
  return std::get<TrainResult>(std::move(*outcome));
}

}  // namespace millrace::train
