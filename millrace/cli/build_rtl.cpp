// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/build_rtl.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "millrace/dataflow/schedule.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/messages.h"
#include "millrace/support/files.h"

namespace millrace::cli {

namespace fs = std::filesystem;

Result<BuildRtl> read_build_rtl(const fs::path& build) {
  BuildRtl rtl;
  rtl.folder = fs::absolute(build / report::RtlFolder);
  MR_TRY(auto plan, report::read_record<report::PlanRecord>(build));
  if (!plan)
    return error(report::messages::NotABuild, build.string(), report::PlanFile);
  rtl.plan = *std::move(plan);
  rtl.top = rtl.plan.name;

  MR_TRY(const std::string text, read_file(build / report::PlanFile));
  const auto json = nlohmann::ordered_json::parse(text);  // read_record() has read it before
  const nlohmann::ordered_json none;
  MR_TRY(const auto input, dataflow::stream_from_json(json.value("input", none)));
  MR_TRY(const auto output, dataflow::stream_from_json(json.value("output", none)));
  rtl.inputs = {{"in", input}};
  rtl.outputs = {{"out", output}};

  MR_TRY(const std::string file_list, read_file(rtl.folder / report::FileList));
  std::istringstream lines(file_list);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty())
      rtl.sources.push_back(rtl.folder / line);
  }
  return rtl;
}

}  // namespace millrace::cli
