// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/simulate.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

#include "millrace/cosim/icarus.h"
#include "millrace/cosim/messages.h"
#include "millrace/cosim/stimulus.h"
#include "millrace/cosim/tool.h"
#include "millrace/cosim/verilator.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/support/messages.h"
#include "millrace/support/subprocess.h"

namespace millrace::cosim {

namespace fs = std::filesystem;

namespace {

/// The value that all the items share; none when there are no items or they differ.
std::optional<int64_t> common_value(const std::vector<int64_t>& items) {
  for (const int64_t item : items)
    if (item != items.front())
      return std::nullopt;
  return items.empty() ? std::nullopt : std::optional(items.front());
}

/// A name that no other run in this folder has, in this process or another.
std::string fresh_run_name() {
  static std::atomic<int> counter = 0;
  return fmt::format("run-{}-{}", ::getpid(), counter++);
}

/// Reads "progress 12", which both harnesses print.
std::optional<int64_t> progress_frame(std::string_view line) {
  constexpr std::string_view Key = "progress ";
  int64_t frame = 0;
  if (!line.starts_with(Key) ||
      std::from_chars(line.data() + Key.size(), line.data() + line.size(), frame).ec != std::errc{})
    return std::nullopt;
  return frame;
}

}  // namespace

Design netlist_design(const Design& design, const fs::path& netlist, const fs::path& cell_models) {
  Design mapped = design;
  mapped.sources = {cell_models, netlist};
  mapped.include_dirs.clear();
  mapped.is_netlist = true;
  return mapped;
}

std::string_view to_string(Simulator simulator) {
  return simulator == Simulator::Verilator ? "verilator" : "icarus";
}

Frames frames_of_one_input(std::vector<IntTensor> tensors) {
  Frames frames;
  frames.reserve(tensors.size());
  for (IntTensor& tensor : tensors)
    frames.push_back({std::move(tensor)});
  return frames;
}

int64_t Measurement::latency_cycles(size_t frame) const {
  return std::ranges::max(last_out[frame]) - first_in[frame];
}

std::optional<int64_t> Measurement::latency_cycles() const {
  std::vector<int64_t> latencies;
  latencies.reserve(first_in.size());
  for (size_t frame = 0; frame < first_in.size(); ++frame)
    latencies.push_back(latency_cycles(frame));
  return common_value(latencies);
}

std::optional<int64_t> Measurement::interval_cycles() const {
  std::vector<int64_t> intervals;
  for (size_t frame = 1; frame < first_in.size(); ++frame) {
    intervals.push_back(first_in[frame] - first_in[frame - 1]);
    for (size_t output = 0; output < last_out[frame].size(); ++output)
      intervals.push_back(last_out[frame][output] - last_out[frame - 1][output]);
  }
  return common_value(intervals);
}

Result<Simulation> Simulation::build(const Design& design, Simulator simulator,
                                     const fs::path& work_dir) {
  check(!design.inputs.empty() && !design.outputs.empty(), "a design has inputs and outputs");
  for (const fs::path& source : design.sources)
    if (std::error_code code; !fs::exists(source, code))
      return error(support::messages::FileMissing, source.string());
  Simulation simulation;
  simulation.design_ = design;
  simulation.simulator_ = simulator;
  simulation.work_dir_ = fs::absolute(work_dir) / to_string(simulator);
  // What an earlier circuit left in the folder must not be taken for this one's.
  std::error_code code;
  fs::remove_all(simulation.work_dir_, code);
  MR_TRY_STATUS(make_directory(simulation.work_dir_));
  MR_TRY(simulation.program_, simulator == Simulator::Verilator
                                  ? build_with_verilator(design, simulation.work_dir_)
                                  : build_with_icarus(design, simulation.work_dir_));
  return simulation;
}

Result<Measurement> Simulation::run(const Frames& frames, Arrival arrival, uint64_t seed,
                                    const ProgressFunction& progress) const {
  const fs::path run_dir = work_dir_ / fresh_run_name();
  const fs::path stimulus = run_dir / "stimulus.txt";
  const fs::path record = run_dir / "record.txt";
  const fs::path log = run_dir / "run.log";
  MR_TRY_STATUS(make_directory(run_dir));
  MR_TRY_STATUS(write_file(stimulus, make_stimulus(design_, frames, arrival, seed)));

  std::string program = program_.string();
  std::vector<std::string> arguments{stimulus.string(), record.string()};
  if (simulator_ == Simulator::Icarus) {
    arguments = {"-n", program, "+stimulus=" + stimulus.string(), "+record=" + record.string()};
    program = "vvp";
  }
  ProcessOptions options;
  options.on_line = [&](std::string_view line) {
    const auto frame = progress_frame(line);
    return !frame ||
           report_progress(progress, "simulate",
                           static_cast<double>(*frame - 1) / static_cast<double>(frames.size()));
  };
  MR_TRY(const ProcessResult result, run_process(program, arguments, options));
  add_to_log(log, fmt::format("{} {}", program, fmt::join(arguments, " ")), result.output);
  if (result.exit_code != 0 || result.output.find("ERROR") != std::string::npos)
    return error(messages::RunFailed, log.string(), to_string(simulator_),
                 first_error_line(result.output));
  MR_TRY(const std::string text, read_file(record));
  auto measurement = read_record(design_, frames.size(), text);
  if (!measurement) {
    measurement.error().where = run_dir.string();
    return measurement;
  }
  std::error_code code;
  fs::remove_all(run_dir, code);
  report_progress(progress, "simulate", 1.0);
  return measurement;
}

}  // namespace millrace::cosim
