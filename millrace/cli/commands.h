// SPDX-License-Identifier: Apache-2.0
// The commands. Each does its work and gives what is to be printed; none prints an answer itself.
#pragma once

#include <string>

#include "millrace/cli/console.h"
#include "millrace/cli/options.h"
#include "millrace/support/diagnostics.h"

namespace millrace::cli {

/// What a command found, in both forms.
struct Answer {
  std::string text;  ///< for a terminal; ends a line
  std::string json;  ///< one object; ends a line
};

Result<Answer> run(const TrainOptions& options, Console& console);
Result<Answer> run(const InspectOptions& options, Console& console);
Result<Answer> run(const CompileOptions& options, Console& console);
Result<Answer> run(const EmulateOptions& options, Console& console);
Result<Answer> run(const RunOptions& options, Console& console);
Result<Answer> run(const ConvertOptions& options, Console& console);
Result<Answer> run(const SimulateOptions& options, Console& console);
Result<Answer> run(const SynthOptions& options, Console& console);
Result<Answer> run(const ReportOptions& options, Console& console);
Result<Answer> run(const ReproduceOptions& options, Console& console);
Result<Answer> run(const AddersOptions& options, Console& console);

}  // namespace millrace::cli
