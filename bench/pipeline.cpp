// SPDX-License-Identifier: Apache-2.0
// Flip-flops of pipelines with every node in its earliest cycle and at best, and the time that it
// takes to place them; see docs/decisions/0009-registers-by-minimum-cut.md.
#include <ctime>
#include <fmt/format.h>
#include <random>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/dataflow/adder_datapath.h"
#include "millrace/dataflow/plan.h"
#include "millrace/graph/text.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"

namespace millrace::bench {
namespace {

using dataflow::Datapath;
using dataflow::DelayModel;
using dataflow::PipelineCost;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void print_row(const std::string& name, double clock_ns, size_t nodes, const PipelineCost& cost,
               double seconds) {
  fmt::print(
      "{:<24} {:>4.1f} {:>8} {:>8} {:>9} {:>9} {:>7.1f} {:>8.1f}\n", name, clock_ns, nodes,
      cost.latency_cycles, cost.early_flip_flops, cost.flip_flops,
      100.0 * static_cast<double>(cost.flip_flops) / static_cast<double>(cost.early_flip_flops),
      1000 * seconds);
}

void pipeline(Datapath& path, const DelayModel& delays, double clock_ns) {
  check(path.pipeline(delays, clock_ns, 0, 0, "").has_value(), "the clock is too fast");
}

/// Pipelines again what is pipelined already, for the time.
double pipeline_seconds(Datapath path, const DelayModel& delays, double clock_ns) {
  const double start = cpu_seconds();
  pipeline(path, delays, clock_ns);
  return cpu_seconds() - start;
}

/// All datapaths of the letter network together.
void measure_letters(const DelayModel& delays, int64_t lanes, double clock_ns) {
  const std::string path = MILLRACE_SOURCE_DIR "/tests/text/letters.mr";
  const graph::Graph graph = graph::parse(read_file(path).value(), path).value();
  const dataflow::Circuit circuit =
      dataflow::plan(graph, {.lanes = lanes, .clock_ns = clock_ns}).value();
  PipelineCost sum;
  size_t nodes = 0;
  double seconds = 0;
  for (const dataflow::Stage& stage : circuit.stages) {
    const auto* map = std::get_if<dataflow::MapStage>(&stage.kind);
    const auto* accumulate = std::get_if<dataflow::AccumulateStage>(&stage.kind);
    const Datapath* datapath = map ? &map->datapath : accumulate ? &accumulate->products : nullptr;
    if (datapath == nullptr)
      continue;
    const PipelineCost cost = datapath->pipeline_cost();
    sum.flip_flops += cost.flip_flops;
    sum.early_flip_flops += cost.early_flip_flops;
    sum.latency_cycles += cost.latency_cycles;
    nodes += datapath->nodes().size();
    seconds += pipeline_seconds(*datapath, delays, clock_ns);
  }
  print_row(fmt::format("letters, {} lanes", lanes), clock_ns, nodes, sum, seconds);
}

/// A product with a matrix of uniformly random bytes, with any depth or the least one.
void measure_product(const DelayModel& delays, int inputs, int outputs, bool least_depth) {
  std::mt19937_64 random(1);
  adders::Matrix matrix{.rows = outputs, .columns = inputs, .entries = {}};
  for (int i = 0; i < inputs * outputs; ++i)
    matrix.entries.push_back(static_cast<int64_t>(random() % 256) - 128);
  const std::vector<adders::Range> ranges(static_cast<size_t>(inputs), {-128, 127});
  adders::SearchOptions options;
  options.effort = 0;
  if (least_depth)
    options.extra_depth = 0;
  const adders::AdderGraph graph = adders::multiply_matrix(matrix, ranges, options).value();
  for (const double clock_ns : {5.0, 3.3}) {
    Datapath path = dataflow::adder_datapath(graph, ranges);
    pipeline(path, delays, clock_ns);
    print_row(fmt::format("{}x{}{}", inputs, outputs, least_depth ? ", least depth" : ""), clock_ns,
              path.nodes().size(), path.pipeline_cost(), pipeline_seconds(path, delays, clock_ns));
  }
}

void run() {
  const DelayModel delays = dataflow::load_delay_model("xcu").value();
  fmt::print("{:<24} {:>4} {:>8} {:>8} {:>9} {:>9} {:>7} {:>8}\n", "inputs x outputs", "ns",
             "nodes", "latency", "FF early", "FF", "%", "CPU ms");
  for (const double clock_ns : {5.0, 3.3})
    for (const int64_t lanes : {1, 4, 28})
      measure_letters(delays, lanes, clock_ns);
  for (const bool least_depth : {false, true}) {
    measure_product(delays, 72, 16, least_depth);
    measure_product(delays, 16, 72, least_depth);
    measure_product(delays, 64, 64, least_depth);
    measure_product(delays, 90, 104, least_depth);
  }
}

}  // namespace
}  // namespace millrace::bench

int main() {
  millrace::bench::run();
}
