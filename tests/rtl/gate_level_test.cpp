// SPDX-License-Identifier: Apache-2.0
// Generated circuits after synthesis: the netlist of primitives that Yosys makes against the golden
// model, bit for bit and cycle for cycle.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "tests/rtl/small_networks.h"
#include "tests/support/circuit_files.h"

#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/plan.h"
#include "millrace/reference/evaluate.h"
#include "millrace/support/files.h"
#include "millrace/support/subprocess.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using testing::SmallNetwork;

constexpr int64_t Frames = 24;

/// Every requantisation of the examples reaches both ends of its type's range, and between.
void expect_saturation(const graph::Graph& graph,
                       const std::vector<std::vector<IntTensor>>& inputs) {
  std::map<std::string, std::set<Int128>> values;
  for (const std::vector<IntTensor>& input : inputs) {
    const std::vector<IntTensor> all = reference::evaluate_all(graph, input);
    for (size_t i = 0; i < all.size(); ++i)
      if (std::holds_alternative<graph::Requantize>(graph.ops()[i].kind))
        values[graph.ops()[i].name].insert(all[i].data.begin(), all[i].data.end());
  }
  for (const graph::Op& op : graph.ops()) {
    if (!std::holds_alternative<graph::Requantize>(op.kind))
      continue;
    EXPECT_TRUE(values[op.name].contains(op.type.fixed().min_raw())) << op.name;
    EXPECT_TRUE(values[op.name].contains(op.type.fixed().max_raw())) << op.name;
    EXPECT_GT(values[op.name].size(), 5) << op.name;
  }
}

/// Compiles and synthesises a network, and simulates the netlist. The netlist must hold `cells`.
void check_netlist(const graph::Graph& graph, const dataflow::PlanOptions& options,
                   const std::vector<std::string>& cells) {
  for (const char* program : {"yosys", "verilator"})
    if (!find_program(program))
      GTEST_SKIP() << program << " is not installed";
  const testing::ScratchDirectory scratch("gate_level_" + graph.name());
  const auto circuit = dataflow::plan(graph, options);
  ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const dataflow::Schedule schedule = dataflow::schedule(*circuit);
  const cosim::Design design = testing::write_circuit(*circuit, schedule, scratch.path());

  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const fs::path netlist = scratch.path() / "netlist.v";
  const auto area = synth::synthesize({.sources = design.sources,
                                       .include_dirs = design.include_dirs,
                                       .top = design.top,
                                       .part = *part,
                                       .netlist = netlist,
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  EXPECT_EQ(area->dsp, 0);
  const auto text = read_file(netlist);
  ASSERT_TRUE(text.has_value()) << text.error().to_string();
  for (const std::string& cell : cells)
    EXPECT_NE(text->find(cell), std::string::npos) << "the network should need a " << cell;

  const auto models = synth::find_cell_models();
  ASSERT_TRUE(models.has_value()) << models.error().to_string();
  const auto simulation =
      cosim::Simulation::build(cosim::netlist_design(design, netlist, *models),
                               cosim::Simulator::Verilator, scratch.path() / "gates");
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const testing::Examples examples = testing::random_examples(graph, Frames, 1);
  expect_saturation(graph, examples.inputs);
  for (const auto arrival : {cosim::Arrival::BackToBack, cosim::Arrival::RandomGaps}) {
    SCOPED_TRACE("arrival " + std::to_string(static_cast<int>(arrival)));
    const auto measured = simulation->run(examples.inputs, arrival, 1);
    ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
    for (size_t i = 0; i < examples.outputs.size(); ++i)
      ASSERT_EQ(measured->outputs[i][0].data, examples.outputs[i][0].data) << "frame " << i;
    if (arrival != cosim::Arrival::BackToBack)
      continue;
    EXPECT_EQ(measured->latency_cycles(), schedule.latency_cycles);
    EXPECT_EQ(measured->interval_cycles(), schedule.interval_cycles);
  }
}

// Line buffers, window registers that wait in gaps, a change of lanes, an accumulator.
TEST(GateLevel, ConvolutionPoolAndDenseAreBitExact) {
  check_netlist(SmallNetwork("classifier", {8, 8, 1}, {false, 4, 4}, 1)
                    .conv({.kernel_h = 3, .kernel_w = 3}, 2)
                    .relu()
                    .requantize({false, 4, 4})
                    .max_pool({.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2})
                    .flatten()
                    .dense(2)
                    .requantize({true, 5, 4})
                    .finish(),
                {.lanes = 2, .clock_ns = 5}, {"RAM", "CARRY4", "FDRE", "LUT6"});
}

// A fast clock: a register behind every adder, and chains that hold back the other operands.
TEST(GateLevel, DelayChainsInShiftRegistersAreBitExact) {
  check_netlist(SmallNetwork("pipeline", {5, 6, 2}, {true, 5, 2}, 2)
                    .conv({.kernel_h = 3, .kernel_w = 2, .pad_top = 1, .pad_bottom = 1}, 3)
                    .requantize({true, 6, 2})
                    .finish(),
                {.lanes = 1, .clock_ns = 2}, {"SRL16E", "RAM", "CARRY4", "FDRE"});
}

// Sums of three go straight into flip-flops, and two-input adders stand in front of them.
TEST(GateLevel, ThreeInputAddersAreBitExact) {
  check_netlist(SmallNetwork("three_input_adders", {5, 6, 2}, {true, 5, 2}, 2)
                    .conv({.kernel_h = 2, .kernel_w = 3}, 3)
                    .requantize({true, 6, 2})
                    .finish(),
                {.lanes = 2, .clock_ns = 3.3, .three_input_adders = true},
                {"LUT6_2", "CARRY8", "CARRY4", "FDRE"});
}

}  // namespace
}  // namespace millrace
