// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/build_rtl.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "millrace/dataflow/circuit_json.h"
#include "millrace/dataflow/messages.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/messages.h"
#include "millrace/support/files.h"

namespace millrace::cli {

namespace fs = std::filesystem;

namespace {

/// The streams that plan.json lists under `key`, as the circuit's ports name them.
Result<std::vector<cosim::Port>> read_ports(const nlohmann::ordered_json& plan,
                                            const std::string& key, const std::string& prefix) {
  const nlohmann::ordered_json list = plan.value(key, nlohmann::ordered_json::array());
  if (!list.is_array() || list.empty())
    return error(dataflow::messages::PlanInvalid, "plan.json", key);
  std::vector<cosim::Port> ports;
  for (const nlohmann::ordered_json& item : list) {
    MR_TRY(dataflow::StreamType stream, dataflow::stream_from_json(item));
    if (!item.contains("name") || !item["name"].is_string())
      return error(dataflow::messages::PlanInvalid, "plan.json", "name");
    std::string name = prefix;
    if (list.size() > 1)
      name.append("_").append(item["name"].get<std::string>());
    ports.push_back({std::move(name), std::move(stream)});
  }
  return ports;
}

}  // namespace

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
  MR_TRY(rtl.inputs, read_ports(json, "inputs", "in"));
  MR_TRY(rtl.outputs, read_ports(json, "outputs", "out"));

  MR_TRY(const std::string file_list, read_file(rtl.folder / report::FileList));
  std::istringstream lines(file_list);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty())
      rtl.sources.push_back(rtl.folder / line);
  }
  return rtl;
}

}  // namespace millrace::cli
