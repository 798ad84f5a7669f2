// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/cli/messages.h"
#include "millrace/report/comparison.h"
#include "millrace/report/report.h"
#include "millrace/support/files.h"
#include "millrace/support/temporary_directory.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* Network = "letters";

/// Where everything is, for the end of the answer.
std::string places(const fs::path& build) {
  return fmt::format(
      "Report         {}\nModel          {} (the exact network: {})\n"
      "SystemVerilog  {}\n",
      (build / report::PageFile).string(), (build / report::SourceModelFile).string(),
      report::ModelFile, (build / report::RtlFolder).string());
}

}  // namespace

Result<Answer> run(const ReproduceOptions& options, Console& console) {
  if (options.train.network != Network)
    return error(messages::UnknownNetwork, "network", options.train.network);
  const fs::path& build = options.compile.output;

  // The model lies beside the build until the build directory exists and can hold it.
  MR_TRY(const TemporaryDirectory work, TemporaryDirectory::create("millrace-reproduce"));
  TrainOptions train = options.train;
  train.output = work.path() / "letters.onnx";
  CompileOptions compile = options.compile;
  compile.model = train.output;

  console.heading("1/6 train");
  MR_TRY_STATUS(run(train, console));
  console.heading("2/6 compile");
  MR_TRY_STATUS(run(compile, console));
  console.heading("3/6 emulate");
  MR_TRY_STATUS(run(EmulateOptions{.model = build}, console));
  console.heading("4/6 co-simulate");
  MR_TRY_STATUS(run(
      SimulateOptions{
          .build = build, .frames = options.frames, .arrivals = {"back-to-back", "random-gaps"}},
      console));
  console.heading("5/6 synthesise");
  MR_TRY_STATUS(run(SynthOptions{.build = build}, console));
  console.heading("6/6 report");
  MR_TRY(Answer summary, run(ReportOptions{.build = build}, console));
  console.finish();

  MR_TRY(const report::Build results, report::read_build(build));
  MR_TRY(const auto published, report::find_published(results.network));
  const std::string note = report::comparison_note(results, published);
  return Answer{fmt::format("\n{}\n{}\n\n{}", report::compare(results, published).to_text(), note,
                            places(build)),
                std::move(summary.json)};
}

}  // namespace millrace::cli
