// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/build_directory.h"

#include "millrace/graph/text.h"
#include "millrace/report/messages.h"
#include "millrace/report/network.h"
#include "millrace/support/files.h"

namespace millrace::report {

namespace fs = std::filesystem;

namespace {

template <class Record>
fs::path record_path(const fs::path& directory) {
  return directory / (std::string(Record::Name) + ".json");
}

}  // namespace

Result<graph::Graph> read_model(const fs::path& directory) {
  for (const char* file : {PlanFile, ModelFile}) {
    if (std::error_code ignored; !fs::is_regular_file(directory / file, ignored))
      return error(messages::NotABuild, directory.string(), file);
  }
  const fs::path path = directory / ModelFile;
  MR_TRY(const std::string text, read_file(path));
  return graph::parse(text, path.string());
}

template <class Record>
Result<std::optional<Record>> read_record(const fs::path& directory) {
  const fs::path path = record_path<Record>(directory);
  if (std::error_code ignored; !fs::exists(path, ignored))
    return std::nullopt;
  MR_TRY(const std::string json, read_file(path));
  return parse_json<Record>(json, path.string());
}

template <class Record>
Status write_record(const fs::path& directory, const Record& record) {
  return write_file(record_path<Record>(directory), to_json(record));
}

Result<Build> read_build(const fs::path& directory) {
  MR_TRY(const graph::Graph graph, read_model(directory));
  Build build{.network = describe(graph)};
  MR_TRY(auto plan, read_record<PlanRecord>(directory));
  if (!plan)
    return error(messages::NotABuild, directory.string(), PlanFile);
  build.plan = *std::move(plan);
  MR_TRY(build.training, read_record<TrainingRecord>(directory));
  MR_TRY(build.emulation, read_record<EmulationRecord>(directory));
  MR_TRY(build.simulation, read_record<SimulationRecord>(directory));
  MR_TRY(build.synthesis, read_record<SynthesisRecord>(directory));
  return build;
}

#define MR_INSTANTIATE(Record)                                                 \
  template Result<std::optional<Record>> read_record<Record>(const fs::path&); \
  template Status write_record<Record>(const fs::path&, const Record&);
MR_INSTANTIATE(TrainingRecord)
MR_INSTANTIATE(PlanRecord)
MR_INSTANTIATE(EmulationRecord)
MR_INSTANTIATE(SimulationRecord)
MR_INSTANTIATE(SynthesisRecord)
#undef MR_INSTANTIATE

}  // namespace millrace::report
