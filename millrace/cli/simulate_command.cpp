// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>
#include <random>

#include "millrace/cli/build_rtl.h"
#include "millrace/cli/commands.h"
#include "millrace/cli/images.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/model.h"
#include "millrace/cosim/simulate.h"
#include "millrace/reference/evaluate.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"
#include "millrace/support/temporary_directory.h"

namespace millrace::cli {
namespace {

namespace fs = std::filesystem;
using report::SimulationRecord;
using report::SimulationRunRecord;

constexpr const char* RandomFrames = "random";

/// What goes in and what must come out.
struct Frames {
  report::DataRecord source;
  cosim::Frames inputs, expected;

  int64_t count() const { return static_cast<int64_t>(inputs.size()); }
};

IntTensor random_tensor(const graph::TensorType& type, std::mt19937_64& random) {
  IntTensor tensor{type.shape, std::vector<int64_t>(static_cast<size_t>(num_elements(type.shape)))};
  const FixedType& element = type.fixed();
  const uint64_t mask = element.width == 64 ? ~uint64_t{0} : (uint64_t{1} << element.width) - 1;
  for (int64_t& raw : tensor.data)
    raw = static_cast<int64_t>(static_cast<Int128>(random() & mask) + element.min_raw());
  return tensor;
}

/// A tensor for each input.
std::vector<IntTensor> random_frame(const graph::Graph& model, std::mt19937_64& random) {
  std::vector<IntTensor> frame;
  for (const graph::ValueId input : model.inputs())
    frame.push_back(random_tensor(model.type(input), random));
  return frame;
}

Result<Frames> make_frames(const SimulateOptions& options, const graph::Graph& model) {
  Frames frames;
  if (options.images.data == RandomFrames) {
    frames.source.data = RandomFrames;
    frames.source.seed = options.seed;
    std::mt19937_64 random(options.seed);
    for (int64_t i = 0; i < std::max<int64_t>(options.frames, 1); ++i)
      frames.inputs.push_back(random_frame(model, random));
    return frames;
  }
  MR_TRY(const graph::Input input, only_input(model, options.build.string()));
  MR_TRY(frames.source, image_source(options.images, options.build));
  MR_TRY(const data::DataSet images, load_images(frames.source));
  frames.source.signal = images.signal;
  frames.source.background = images.background;
  const int64_t available = images.test.count();
  if (options.frames > available)
    return error(messages::TooFewImages, "--frames", options.frames, available);
  const int64_t count = options.frames == 0 ? available : options.frames;
  MR_TRY(const std::vector<int64_t> raw, quantise_images(images.test, count, input));
  const auto size = raw.size() / static_cast<size_t>(count);
  for (auto at = raw.begin(); at != raw.end(); at += static_cast<int64_t>(size))
    frames.inputs.push_back({{input.type.shape, {at, at + static_cast<int64_t>(size)}}});
  return frames;
}

/// Evaluates the reference on every frame.
Status expect_outputs(const graph::Graph& model, Frames& frames, const ProgressFunction& progress) {
  for (size_t i = 0; i < frames.inputs.size(); ++i) {
    const double done = static_cast<double>(i) / static_cast<double>(frames.inputs.size());
    if (!report_progress(progress, "reference", done))
      return error(messages::Interrupted, "reference");
    frames.expected.push_back(reference::evaluate(model, frames.inputs[i]));
  }
  return {};
}

/// How many output elements differ, and in which frame first.
struct Difference {
  int64_t elements = 0;
  size_t first_frame = 0;
};

Difference compare(const cosim::Frames& expected, const cosim::Frames& found) {
  Difference difference;
  for (size_t frame = 0; frame < expected.size(); ++frame)
    for (size_t output = 0; output < expected[frame].size(); ++output) {
      const std::vector<int64_t>& values = expected[frame][output].data;
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] == found[frame][output].data[i])
          continue;
        if (difference.elements++ == 0)
          difference.first_frame = frame;
      }
    }
  return difference;
}

cosim::Arrival parse_arrival(const std::string& name) {
  if (name == "random-gaps")
    return cosim::Arrival::RandomGaps;
  return name == "alone" ? cosim::Arrival::Alone : cosim::Arrival::BackToBack;
}

/// Compares each frame's latency, and the time from frame to frame, with the schedule.
Status check_schedule(const cosim::Measurement& measured, cosim::Arrival arrival,
                      SimulationRecord& record, SimulationRunRecord& run) {
  if (arrival == cosim::Arrival::RandomGaps)
    return {};
  for (size_t frame = 0; frame < measured.outputs.size(); ++frame) {
    run.latency_cycles = measured.latency_cycles(frame);
    if (run.latency_cycles != record.scheduled_latency_cycles)
      return error(messages::ScheduleDiffers, run.arrival, "latency", frame, run.latency_cycles,
                   record.scheduled_latency_cycles);
    if (arrival == cosim::Arrival::Alone || frame == 0)
      continue;
    for (size_t output = 0; output < measured.last_out[frame].size(); ++output) {
      run.interval_cycles = measured.last_out[frame][output] - measured.last_out[frame - 1][output];
      if (run.interval_cycles != record.scheduled_interval_cycles)
        return error(messages::ScheduleDiffers, run.arrival, "interval", frame, run.interval_cycles,
                     record.scheduled_interval_cycles);
    }
  }
  record.latency_cycles = run.latency_cycles;
  if (run.interval_cycles > 0)
    record.interval_cycles = run.interval_cycles;
  return {};
}

Result<SimulationRecord> simulate(const SimulateOptions& options, Console& console) {
  MR_TRY(const BuildRtl rtl, read_build_rtl(options.build));
  MR_TRY(const graph::Graph model, report::read_model(options.build));
  MR_TRY(Frames frames, make_frames(options, model));
  MR_TRY_STATUS(expect_outputs(model, frames, console.progress()));

  report_progress(console.progress(), "build the simulation", 0);
  MR_TRY(TemporaryDirectory work, TemporaryDirectory::create("millrace-cosim"));
  const cosim::Simulator simulator =
      options.simulator == "icarus" ? cosim::Simulator::Icarus : cosim::Simulator::Verilator;
  const auto simulation = cosim::Simulation::build({.sources = rtl.sources,
                                                    .include_dirs = {rtl.folder},
                                                    .top = rtl.top,
                                                    .inputs = rtl.inputs,
                                                    .outputs = rtl.outputs,
                                                    .interval_cycles = rtl.plan.interval_cycles},
                                                   simulator, work.path());
  if (!simulation) {
    work.keep_for(simulation.error());
    return tl::unexpected(simulation.error());
  }

  SimulationRecord record{.scheduled_latency_cycles = rtl.plan.latency_cycles,
                          .scheduled_interval_cycles = rtl.plan.interval_cycles,
                          .simulator = options.simulator,
                          .source = frames.source};
  for (const std::string& name : options.arrivals) {
    const auto begin = std::chrono::steady_clock::now();
    const cosim::Arrival arrival = parse_arrival(name);
    const auto measured = simulation->run(frames.inputs, arrival, options.seed,
                                          console.progress("simulate, " + name));
    if (!measured) {
      work.keep_for(measured.error());
      return tl::unexpected(measured.error());
    }
    SimulationRunRecord run{.arrival = name, .frames = frames.count()};
    const Difference difference = compare(frames.expected, measured->outputs);
    if (difference.elements > 0)
      return error(messages::OutputsDiffer, name, difference.elements, difference.first_frame);
    MR_TRY_STATUS(check_schedule(*measured, arrival, record, run));
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    record.frames += run.frames;
    record.runs.push_back(std::move(run));
  }
  return record;
}

std::string to_text(const SimulationRecord& record) {
  report::Table table{.columns = {{"frames arrive"},
                                  {"frames", true},
                                  {"outputs that differ", true},
                                  {"latency", true},
                                  {"interval", true}}};
  const auto cycles = [](int64_t count) {
    return count > 0 ? report::with_thousands(count) : std::string("\u2013");
  };
  for (const SimulationRunRecord& run : record.runs) {
    table.rows.push_back({run.arrival, report::with_thousands(run.frames),
                          report::with_thousands(run.mismatches), cycles(run.latency_cycles),
                          cycles(run.interval_cycles)});
  }
  table.rows.push_back({"schedule", "", "", cycles(record.scheduled_latency_cycles),
                        cycles(record.scheduled_interval_cycles)});
  return fmt::format("{}\nEvery output bit is the reference's; simulated with {}.\n",
                     table.to_text(), record.simulator);
}

}  // namespace

Result<Answer> run(const SimulateOptions& options, Console& console) {
  MR_TRY(const SimulationRecord record, simulate(options, console));
  MR_TRY_STATUS(report::write_record(options.build, record));
  return Answer{to_text(record), to_json(record)};
}

}  // namespace millrace::cli
