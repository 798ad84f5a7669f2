// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/report/report.h"
#include "millrace/support/files.h"

namespace millrace::cli {

Result<Answer> run(const ReportOptions& options, Console&) {
  MR_TRY_STATUS(report::write_report(options.build));
  MR_TRY(std::string summary, read_file(options.build / report::SummaryFile));
  return Answer{fmt::format("Report: {}\n", (options.build / report::PageFile).string()),
                std::move(summary)};
}

}  // namespace millrace::cli
