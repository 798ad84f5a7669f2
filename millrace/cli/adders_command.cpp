// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "millrace/adders/certificate.h"
#include "millrace/adders/multiply_matrix.h"
#include "millrace/cli/adders_module.h"
#include "millrace/cli/clock.h"
#include "millrace/cli/commands.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/wishes.h"
#include "millrace/data/npy.h"
#include "millrace/dataflow/adder_datapath.h"
#include "millrace/dataflow/delay_model.h"
#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/identifier.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/parts.h"

namespace millrace::cli {
namespace {

using adders::AdderGraph;
using adders::Matrix;
using adders::Range;
using dataflow::Datapath;
using Json = nlohmann::ordered_json;
using report::with_thousands;

/// What is to be multiplied, and for which clock.
struct Task {
  Matrix matrix;
  std::vector<Range> inputs;
  synth::Part part;
  double clock_ns = 0;  ///< 0: no registers
};

/// What was found.
struct Design {
  AdderGraph graph;
  adders::Cost cost;
  int minimum_depth = 0;
  double cpu_seconds = 0, wall_seconds = 0;  ///< of the search and the proof
  Datapath datapath;
};

/// The range that "LO,HI" stands for; the library refuses a reversed one.
Result<Range> parse_range(const std::string& text) {
  int64_t lo = 0, hi = 0;
  const char* const end = text.data() + text.size();
  const auto [comma, status] = std::from_chars(text.data(), end, lo);
  if (status != std::errc{} || comma == end || *comma != ',')
    return error(messages::BadRange, "--input-range", text);
  const auto [rest, status_of_hi] = std::from_chars(comma + 1, end, hi);
  if (status_of_hi != std::errc{} || rest != end)
    return error(messages::BadRange, "--input-range", text);
  return Range{lo, hi};
}

Result<std::vector<Range>> input_ranges(const AddersOptions& options, int columns) {
  if (options.input_ranges.empty()) {
    MR_TRY(const Range range, parse_range(options.input_range));
    return std::vector<Range>(static_cast<size_t>(columns), range);
  }
  MR_TRY(const data::IntegerTable table, data::read_npy(options.input_ranges));
  if (table.columns != 2)
    return error(messages::RangesShape, options.input_ranges.string(), table.rows, table.columns);
  std::vector<Range> ranges;
  for (int row = 0; row < table.rows; ++row)
    ranges.push_back({table.at(row, 0), table.at(row, 1)});
  return ranges;
}

Result<Task> read_task(const AddersOptions& options) {
  MR_TRY(synth::Part part, synth::find_part(options.part));
  double clock_ns = 0;
  if (!options.clock.empty()) {
    MR_TRY(clock_ns, parse_clock(options.clock));
    MR_TRY_STATUS(dataflow::check_clock(clock_ns, "--clock"));
  }
  MR_TRY(data::IntegerTable table, data::read_npy(options.matrix));
  MR_TRY(std::vector<Range> ranges, input_ranges(options, table.columns));
  return Task{.matrix = {table.rows, table.columns, std::move(table.entries)},
              .inputs = std::move(ranges),
              .part = std::move(part),
              .clock_ns = clock_ns};
}

/// Gives the graph its place in the clock cycles, where there is a clock.
Result<Datapath> build_datapath(const AddersOptions& options, const AdderGraph& graph,
                                const Task& task) {
  Datapath datapath = dataflow::adder_datapath(graph, task.inputs);
  if (task.clock_ns > 0) {
    MR_TRY(const dataflow::DelayModel delays, dataflow::load_delay_model(task.part.family));
    if (uses_three_input_adders(options.adders, task.part.family)) {
      MR_TRY_STATUS(dataflow::check_three_input_adders(task.part.family, "--adders"));
      datapath = fuse_adders(datapath, {.delays = delays, .clock_ns = task.clock_ns});
    }
    MR_TRY_STATUS(datapath.pipeline(delays, task.clock_ns, 0, 0, "--clock"));
  }
  return datapath;
}

Result<Design> design(const AddersOptions& options, const Task& task, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t cpu_begin = std::clock();
  MR_TRY(AdderGraph graph, multiply_matrix(task.matrix, task.inputs,
                                           {.max_depth = options.max_depth,
                                            .extra_depth = options.extra_depth,
                                            .effort = options.effort,
                                            .seed = options.seed,
                                            .progress = console.progress()}));
  // Proven here once more, whatever the search promises: what is not proven is not emitted.
  const adders::Certificate certificate = certify(graph, task.matrix, task.inputs);
  check(certificate.holds(), "an adder graph has no certificate: " + certificate.failure);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  MR_TRY(Datapath datapath, build_datapath(options, graph, task));
  return Design{.graph = graph,
                .cost = cost(graph, task.inputs),
                .minimum_depth = minimum_depth(task.matrix, task.inputs),
                .cpu_seconds = cpu_seconds,
                .wall_seconds = wall.count(),
                .datapath = std::move(datapath)};
}

/// The command line that gives this module again, without the folders of this machine.
std::string command_line(const AddersOptions& options) {
  std::string text = "millrace adders " + options.matrix.filename().string();
  const auto add = [&](const char* option, const auto& value) {
    text += fmt::format(" {} {}", option, value);
  };
  if (options.input_ranges.empty())
    add("--input-range", options.input_range);
  else
    add("--input-ranges", options.input_ranges.filename().string());
  if (options.max_depth)
    add("--max-depth", *options.max_depth);
  if (options.extra_depth)
    add("--extra-depth", *options.extra_depth);
  add("--effort", options.effort);
  add("--seed", options.seed);
  if (!options.clock.empty()) {
    add("--clock", options.clock);
    add("--part", options.part);
  }
  if (options.adders != AddersOptions{}.adders)
    add("--adders", options.adders);
  add("--verilog", options.verilog.filename().string());
  return text;
}

std::string module_name(const AddersOptions& options) {
  return dataflow::module_identifier(options.verilog.stem().string());
}

Status write_module(const AddersOptions& options, const Task& task, const Design& found) {
  if (options.verilog.empty())
    return {};
  // The search may have ended before it saw that it should stop.
  if (was_interrupted())
    return error(messages::Interrupted, "");
  return write_file(options.verilog, to_verilog({.name = module_name(options),
                                                 .command = command_line(options),
                                                 .rows = task.matrix.rows,
                                                 .columns = task.matrix.columns,
                                                 .adders = found.cost.adders},
                                                found.datapath));
}

int64_t count_nonzero(const Matrix& matrix) {
  return std::ssize(matrix.entries) -
         std::count(matrix.entries.begin(), matrix.entries.end(), int64_t{0});
}

Json names(const std::vector<FixedType>& types) {
  Json list = Json::array();
  for (const FixedType& type : types)
    list.push_back(type.to_string());
  return list;
}

Json widths(const std::vector<FixedType>& types) {
  Json list = Json::array();
  for (const FixedType& type : types)
    list.push_back(type.width);
  return list;
}

Json to_json(const AddersOptions& options, const Task& task, const Design& found) {
  const dataflow::PipelineCost pipeline = found.datapath.pipeline_cost();
  Json json = {{"rows", task.matrix.rows},
               {"columns", task.matrix.columns},
               {"nonzero_entries", count_nonzero(task.matrix)},
               {"adders", found.cost.adders},
               {"cost_bits", found.cost.bits},
               {"three_input_adders", count_three_input_adders(found.datapath)},
               {"depth", found.cost.depth},
               {"minimum_depth", found.minimum_depth},
               {"latency_cycles", pipeline.latency_cycles},
               {"flip_flops", pipeline.flip_flops},
               {"flip_flops_asap", pipeline.early_flip_flops},
               {"certified", true},  // or there is no design
               {"seconds", found.cpu_seconds},
               {"wall_seconds", found.wall_seconds},
               {"effort", options.effort},
               {"seed", options.seed},
               {"input_types", names(input_types(found.datapath))},
               {"output_types", names(output_types(found.datapath))},
               {"output_bits", widths(output_types(found.datapath))}};
  if (task.clock_ns > 0) {
    json["clock_ns"] = task.clock_ns;
    json["part"] = task.part.name;
  }
  if (!options.verilog.empty()) {
    json["verilog"] = options.verilog.string();
    json["module"] = module_name(options);
  }
  return json;
}

/// "15 to 17 bits, 262 together".
std::string describe_widths(const std::vector<FixedType>& types) {
  const auto narrower = [](const FixedType& a, const FixedType& b) { return a.width < b.width; };
  const auto [least, most] = std::minmax_element(types.begin(), types.end(), narrower);
  int64_t sum = 0;
  for (const FixedType& type : types)
    sum += type.width;
  const std::string range = least->width == most->width
                                ? fmt::format("{}", most->width)
                                : fmt::format("{} to {}", least->width, most->width);
  return fmt::format("{} bits each, {} together", range, with_thousands(sum));
}

std::string to_text(const AddersOptions& options, const Task& task, const Design& found) {
  const dataflow::PipelineCost pipeline = found.datapath.pipeline_cost();
  report::Table table{.columns = {{"adder graph"}, {"", true}, {"unit"}}};
  const auto row = [&](const char* name, int64_t value, const std::string& unit) {
    table.rows.push_back({name, with_thousands(value), unit});
  };
  row("inputs", task.matrix.columns, describe_widths(input_types(found.datapath)));
  row("outputs", task.matrix.rows, describe_widths(output_types(found.datapath)));
  row("non-zero entries", count_nonzero(task.matrix), "");
  row("adders", found.cost.adders, "");
  row("cost", found.cost.bits, "bits of carry chains");
  if (options.adders != AddersOptions{}.adders)
    row("three-input adders", count_three_input_adders(found.datapath),
        "each in place of two adders");
  row("depth", found.cost.depth, fmt::format("adders; the minimum is {}", found.minimum_depth));
  if (task.clock_ns > 0) {
    row("latency", pipeline.latency_cycles,
        fmt::format("cycles of {:g} ns on {}", task.clock_ns, task.part.name));
    row("flip-flops", pipeline.flip_flops,
        fmt::format("as soon as possible: {}", with_thousands(pipeline.early_flip_flops)));
  }
  std::string text = fmt::format(
      "{}\nCertified: exact for all inputs, no value leaves its range. Searched for {:.2f} s of "
      "CPU time.\n",
      table.to_text(), found.cpu_seconds);
  if (!options.verilog.empty())
    text += fmt::format("Module {}: {}\n", module_name(options), options.verilog.string());
  return text;
}

}  // namespace

Result<Answer> run(const AddersOptions& options, Console& console) {
  MR_TRY(const Task task, read_task(options));
  MR_TRY(const Design found, design(options, task, console));
  MR_TRY_STATUS(write_module(options, task, found));
  return Answer{to_text(options, task, found), to_json(options, task, found).dump(2) + '\n'};
}

}  // namespace millrace::cli
