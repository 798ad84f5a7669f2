// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/report.h"

#include <nlohmann/json.hpp>

#include "millrace/support/files.h"

namespace millrace::report {
namespace {

using Json = nlohmann::ordered_json;

template <class Record>
void add(Json& summary, const char* key, const std::optional<Record>& record) {
  if (record)
    summary[key] = Json::parse(to_json(*record));
}

}  // namespace

std::string render_summary(const Build& build, const std::optional<Published>& published) {
  Json summary = Json::object();
  summary["network"] = Json::parse(to_json(build.network));
  summary["plan"] = Json::parse(to_json(build.plan));
  add(summary, "train", build.training);
  add(summary, "emulate", build.emulation);
  add(summary, "simulate", build.simulation);
  add(summary, "synth", build.synthesis);
  add(summary, "published", published);
  return summary.dump(2) + '\n';
}

Status write_report(const std::filesystem::path& directory) {
  MR_TRY(const Build build, read_build(directory));
  MR_TRY(const std::optional<Published> published, find_published(build.network));
  MR_TRY(const std::string page, render_page(build, published));
  MR_TRY_STATUS(write_file(directory / SummaryFile, render_summary(build, published)));
  return write_file(directory / PageFile, page);
}

}  // namespace millrace::report
