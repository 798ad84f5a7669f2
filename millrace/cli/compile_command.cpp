// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "millrace/cli/clock.h"
#include "millrace/cli/commands.h"
#include "millrace/cli/images.h"
#include "millrace/cli/model.h"
#include "millrace/cli/overrides.h"
#include "millrace/cli/train_command.h"
#include "millrace/cli/wishes.h"
#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/circuit_json.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/dataflow/utilisation.h"
#include "millrace/dataflow/wish.h"
#include "millrace/graph/text.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/network.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"
#include "millrace/verilog/emit.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using report::with_thousands;

/// Everything that is decided before a file is written.
struct Compiled {
  graph::Graph model;
  dataflow::Circuit circuit;
  dataflow::Schedule schedule;
  synth::Part part;
  bool logits = false;
};

Result<Compiled> compile(const CompileOptions& options, Console& console) {
  MR_TRY(const double clock_ns, parse_clock(options.clock));
  MR_TRY(const dataflow::Wish wish, parse_wish(options, clock_ns));
  MR_TRY(synth::Part part, synth::find_part(options.part));
  MR_TRY(graph::Graph model, load_exact_model(options.model, options.types, options.logits));
  MR_TRY(const std::vector<dataflow::BeatShape> shapes,
         parse_lanes(options.lanes, model, !wish.is_empty()));
  dataflow::PlanOptions wanted{
      .clock_ns = clock_ns,
      .delay_family = part.family,
      .three_input_adders = uses_three_input_adders(options.adders, part.family),
      .dsp = parse_block_use(options.dsp),
      .bram = parse_block_use(options.bram),
      .effort = options.effort,
      .limit = {.lut = part.holds.lut,
                .ff = part.holds.ff,
                .dsp = part.holds.dsp,
                .bram18 = part.holds.bram18,
                .holder = part.name},
      .progress = console.progress()};
  if (part.holds.bram18 > 0)
    wanted.luts_per_bram = part.holds.lut / part.holds.bram18;
  if (part.holds.dsp > 0)
    wanted.luts_per_dsp = part.holds.lut / part.holds.dsp;
  if (!options.overrides.empty()) {
    MR_TRY(wanted.layers, read_overrides(options.overrides, model));
  }
  MR_TRY(dataflow::Circuit circuit, dataflow::plan_for(model, wish, std::move(wanted), shapes));
  dataflow::Schedule schedule = dataflow::schedule(circuit);
  return Compiled{std::move(model), std::move(circuit), std::move(schedule), std::move(part),
                  options.logits};
}

/// What keeps a stage from working in more of the cycles.
std::optional<std::string> limit_of(const Compiled& compiled, size_t stage) {
  return dataflow::limit_of_utilisation(compiled.model, compiled.circuit, compiled.schedule, stage);
}

/// What plan.json says.
Json describe_plan(const Compiled& compiled) {
  Json plan = dataflow::to_json(compiled.circuit, compiled.schedule);
  plan["part"] = compiled.part.name;
  plan["logits"] = compiled.logits;
  plan["preprocessing"] = Preprocessing;
  for (const graph::ValueId input : compiled.model.inputs()) {
    const graph::Op& op = compiled.model.op(input);
    if (const auto step = op.as<graph::Input>()->step)
      plan["input_steps"][op.name] = *step;
  }
  for (size_t i = 0; i < compiled.circuit.stages.size(); ++i)
    if (const auto limit = limit_of(compiled, i))
      plan["stages"][i]["limit"] = *limit;
  plan["layers"] = Json::parse(to_json(report::describe(compiled.model)))["layers"];
  return plan;
}

/// Writes the circuit and the part of the hardware library that it uses.
Status write_rtl(const Compiled& compiled, const fs::path& folder) {
  MR_TRY(const fs::path library, find_data_dir("rtl"));
  fs::create_directory(folder);
  std::string file_list;
  for (const std::string& name : verilog::library_files()) {
    MR_TRY(const std::string text, read_file(library / name));
    MR_TRY_STATUS(write_file(folder / name, text));
    file_list += name + '\n';
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(library)) {
    if (entry.path().extension() != ".svh")
      continue;
    MR_TRY(const std::string text, read_file(entry.path()));
    MR_TRY_STATUS(write_file(folder / entry.path().filename(), text));
  }
  for (const verilog::SourceFile& file : verilog::emit(compiled.circuit, compiled.schedule)) {
    MR_TRY_STATUS(write_file(folder / file.name, file.text));
    file_list += file.name + '\n';
  }
  return write_file(folder / report::FileList, file_list);
}

/// Keeps the model with what was made of it: the file, named as its kind wants it, and what `train`
/// left beside it if that is about this very file.
Status copy_source(const fs::path& model, const fs::path& build) {
  if (std::error_code ignored; model.extension() == ".mr" || fs::is_directory(model, ignored))
    return {};
  MR_TRY(const std::string content, read_file(model));
  fs::path name = report::SourceModelFile;
  if (model.has_extension())
    name.replace_extension(model.extension());
  MR_TRY_STATUS(write_file(build / name, content));
  const fs::path path = training_record_path(model);
  if (std::error_code ignored; !fs::is_regular_file(path, ignored))
    return {};
  MR_TRY(const std::string json, read_file(path));
  MR_TRY(const auto record, report::parse_json<report::TrainingRecord>(json, path.string()));
  MR_TRY(const std::string checksum, checksum_of(model));
  if (record.model_crc32 != checksum)
    return {};
  return report::write_record(build, record);
}

Status write_build(const Compiled& compiled, const CompileOptions& options) {
  MR_TRY(StagedDirectory staged, StagedDirectory::create(options.output, report::PlanFile));
  const fs::path& build = staged.path();
  MR_TRY_STATUS(write_file(build / report::ModelFile, graph::print(compiled.model)));
  MR_TRY_STATUS(write_file(build / report::PlanFile, describe_plan(compiled).dump(2) + '\n'));
  MR_TRY_STATUS(write_rtl(compiled, build / report::RtlFolder));
  MR_TRY_STATUS(copy_source(options.model, build));
  return staged.commit();
}

/// "4", or "4x28" for several rows.
std::string lanes_of(const dataflow::StreamType& stream) {
  return stream.rows > 1 ? fmt::format("{}x{}", stream.rows, stream.lanes)
                         : fmt::format("{}", stream.lanes);
}

report::Table stage_table(const Compiled& compiled) {
  report::Table table{.columns = {{"stage"},
                                  {"kind"},
                                  {"result"},
                                  {"lanes", true},
                                  {"latency", true},
                                  {"beats leave, cycles", true},
                                  {"in use", true},
                                  {"LUT, about", true},
                                  {"FF, about", true},
                                  {"DSP", true},
                                  {"BRAM18", true}}};
  for (size_t i = 0; i < compiled.circuit.stages.size(); ++i) {
    const dataflow::Stage& stage = compiled.circuit.stages[i];
    const dataflow::StageTimes& times = compiled.schedule.stages[i];
    const dataflow::StreamType& stream = stage.output;
    const dataflow::AreaEstimate area = dataflow::estimate_area(compiled.circuit, stage);
    table.rows.push_back({stage.name, times.kind,
                          fmt::format("{}x{}x{} {}", stream.height, stream.width, stream.channels,
                                      stream.element.to_string()),
                          lanes_of(stream), fmt::format("{}", stage.latency_cycles),
                          fmt::format("{} to {}", times.first_out, times.last_out),
                          report::percent(times.utilisation), with_thousands(area.lut),
                          with_thousands(area.ff), with_thousands(area.dsp),
                          with_thousands(area.bram18)});
  }
  return table;
}

std::string to_text(const Compiled& compiled, const CompileOptions& options, double seconds) {
  std::string limits;
  for (size_t i = 0; i < compiled.circuit.stages.size(); ++i)
    if (const auto limit = limit_of(compiled, i))
      limits += fmt::format("{} ({}): {}\n", compiled.circuit.stages[i].name,
                            compiled.schedule.stages[i].kind, *limit);
  if (!limits.empty())
    limits = fmt::format("\nWhat keeps layers from working in more than {} of the cycles:\n{}\n",
                         report::percent(dataflow::WellUsed), limits);
  const double latency_ns =
      static_cast<double>(compiled.schedule.latency_cycles) * compiled.circuit.clock_ns;
  const dataflow::AreaEstimate area = dataflow::estimate_area(compiled.circuit);
  return fmt::format(
      "{}\n{}{} lanes, latency {} cycles ({} at {:g} ns), a frame every {} cycles; about {} LUT, "
      "{} FF, {} DSP, {} BRAM18; compiled in {:.2f} s\nBuild: {}\n",
      stage_table(compiled).to_text(), limits, lanes_of(compiled.circuit.inputs[0].type),
      with_thousands(compiled.schedule.latency_cycles), report::duration(latency_ns),
      compiled.circuit.clock_ns, with_thousands(compiled.schedule.interval_cycles),
      with_thousands(area.lut), with_thousands(area.ff), with_thousands(area.dsp),
      with_thousands(area.bram18), seconds, options.output.string());
}

}  // namespace

Result<Answer> run(const CompileOptions& options, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  MR_TRY(const Compiled compiled, compile(options, console));
  MR_TRY_STATUS(write_build(compiled, options));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  Json json = describe_plan(compiled);
  json["seconds"] = seconds;
  json["build"] = options.output.string();
  return Answer{to_text(compiled, options, seconds), json.dump(2) + '\n'};
}

}  // namespace millrace::cli
