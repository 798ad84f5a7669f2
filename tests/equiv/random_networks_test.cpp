// SPDX-License-Identifier: Apache-2.0
// Differential test of the whole compiler: on random networks, reference = emulator = Verilated
// circuit bit for bit, under every pattern of arrival, and schedule = simulation cycle for cycle.
#include <gtest/gtest.h>
#include <random>
#include <span>

#include "tests/support/circuit_files.h"
#include "tests/support/random_graph.h"

#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace {
namespace {

constexpr int NetworksPerTest = 5;
constexpr int Frames = 4;

/// Lanes, rows, clock, adders and DSP blocks by chance, for a graph's first input.
dataflow::PlanOptions random_options(std::mt19937_64& random, const Shape& input) {
  const auto height = static_cast<uint64_t>(input.size() == 3 ? input[0] : 1);
  const auto width = static_cast<uint64_t>(input.size() == 3 ? input[1] : 1);
  dataflow::PlanOptions options{.lanes = static_cast<int64_t>(1 + random() % width),
                                .clock_ns = random() % 2 == 0 ? 5.0 : 20.0,
                                .three_input_adders = random() % 4 == 0};
  if (random() % 4 == 0) {
    options.lanes = static_cast<int64_t>(width);
    options.rows = static_cast<int64_t>(1 + random() % height);
  }
  if (random() % 4 == 0)
    options.dsp = dataflow::BlockUse::Prefer;
  if (random() % 2 == 0)
    options.bram = dataflow::BlockUse::Prefer;
  return options;
}

/// Wishes, for some layers, that each of their beats takes several cycles; where that cannot be,
/// one.
void fold_some(const graph::Graph& graph, dataflow::PlanOptions& options, std::mt19937_64& random) {
  for (const graph::Op& op : graph.ops()) {
    if (!(op.as<graph::Conv2D>() || op.as<graph::Dense>()) || random() % 2 == 0)
      continue;
    dataflow::PlanOptions tried = options;
    tried.effort = 0;
    tried.layers[op.name].phases = static_cast<int>(2 + random() % 4);
    if (dataflow::plan(graph, tried).has_value())
      options.layers = tried.layers;
  }
}

/// Reference = emulator = circuit, under every pattern of arrival; schedule = simulation.
void check_network(const graph::Graph& graph, const dataflow::PlanOptions& options,
                   std::mt19937_64& random, uint64_t seed, cosim::Simulator simulator) {
  std::string phases;
  for (const auto& [name, layer] : options.layers)
    phases += ", " + name + " in " + std::to_string(*layer.phases) + " phases";
  SCOPED_TRACE("seed " + std::to_string(seed) + ", lanes " + std::to_string(options.rows) + "x" +
               std::to_string(options.lanes) + ", clock " + std::to_string(options.clock_ns) +
               " ns" + (options.three_input_adders ? ", three-input adders" : "") +
               (options.dsp == dataflow::BlockUse::Prefer ? ", DSP blocks" : "") +
               (options.bram == dataflow::BlockUse::Prefer ? ", block RAM" : "") + phases + "\n" +
               graph::print(graph));

  cosim::Frames frames;
  cosim::Frames expected;
  std::vector<std::vector<int64_t>> batches(graph.inputs().size());
  for (int i = 0; i < Frames; ++i) {
    std::vector<IntTensor> frame;
    for (const graph::ValueId input : graph.inputs())
      frame.push_back(testing::random_tensor(random, graph.type(input)));
    for (size_t input = 0; input < frame.size(); ++input)
      batches[input].insert(batches[input].end(), frame[input].data.begin(),
                            frame[input].data.end());
    expected.push_back(reference::evaluate(graph, frame));
    frames.push_back(std::move(frame));
  }
  const std::vector<std::span<const int64_t>> inputs(batches.begin(), batches.end());
  const auto emulated = emulator::Emulator(graph).run_all(inputs);
  for (size_t i = 0; i < expected.size(); ++i)
    for (size_t output = 0; output < expected[i].size(); ++output) {
      const std::vector<int64_t>& data = expected[i][output].data;
      const auto begin = emulated[output].begin() + static_cast<ptrdiff_t>(i * data.size());
      ASSERT_EQ(data, std::vector<int64_t>(begin, begin + std::ssize(data)));
    }

  const auto circuit = dataflow::plan(graph, options);
  ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const dataflow::Schedule schedule = dataflow::schedule(*circuit);

  const testing::ScratchDirectory scratch("random_network_" + std::to_string(seed));
  const cosim::Design design = testing::write_circuit(*circuit, schedule, scratch.path());
  const auto simulation = cosim::Simulation::build(design, simulator, scratch.path() / "sim");
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();

  for (const auto arrival :
       {cosim::Arrival::BackToBack, cosim::Arrival::RandomGaps, cosim::Arrival::Alone}) {
    SCOPED_TRACE("arrival " + std::to_string(static_cast<int>(arrival)));
    const auto measured = simulation->run(frames, arrival, seed);
    ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
    for (size_t i = 0; i < expected.size(); ++i)
      for (size_t output = 0; output < expected[i].size(); ++output)
        ASSERT_EQ(measured->outputs[i][output].data, expected[i][output].data)
            << "frame " << i << ", output " << output;
    if (arrival == cosim::Arrival::RandomGaps)
      continue;
    ASSERT_TRUE(measured->latency_cycles().has_value());
    EXPECT_EQ(*measured->latency_cycles(), schedule.latency_cycles);
    if (arrival == cosim::Arrival::BackToBack) {
      ASSERT_TRUE(measured->interval_cycles().has_value());
      EXPECT_EQ(*measured->interval_cycles(), schedule.interval_cycles);
    }
  }
}

void check_chain(uint64_t seed, cosim::Simulator simulator) {
  std::mt19937_64 random(seed);
  const graph::Graph graph = testing::random_network(random);
  auto options = random_options(random, graph.type(graph.inputs()[0]).shape);
  fold_some(graph, options, random);
  check_network(graph, options, random, seed, simulator);
}

void check_branching(uint64_t seed, cosim::Simulator simulator) {
  std::mt19937_64 random(seed);
  graph::Graph graph = testing::random_branching_network(random);
  // Operations on constants alone are no stages: such networks are refused, and drawn again.
  for (auto circuit = dataflow::plan(graph, {.effort = 0});
       !circuit && circuit.error().code == "dataflow.unsupported_operation";
       circuit = dataflow::plan(graph, {.effort = 0}))
    graph = testing::random_branching_network(random);
  auto options = random_options(random, graph.type(graph.inputs()[0]).shape);
  fold_some(graph, options, random);
  check_network(graph, options, random, seed, simulator);
}

class RandomNetworks : public ::testing::TestWithParam<int> {
protected:
  /// The seeds of one test.
  static std::vector<uint64_t> seeds() {
    std::vector<uint64_t> seeds;
    for (int i = 0; i < NetworksPerTest; ++i)
      seeds.push_back(static_cast<uint64_t>(GetParam() * NetworksPerTest + i));
    return seeds;
  }
};

TEST_P(RandomNetworks, ChainsAgreeBitForBitAndCycleForCycle) {
  for (const uint64_t seed : seeds())
    check_chain(seed, cosim::Simulator::Verilator);
}

TEST_P(RandomNetworks, BranchingOnesAgreeBitForBitAndCycleForCycle) {
  for (const uint64_t seed : seeds())
    check_branching(seed, cosim::Simulator::Verilator);
}

INSTANTIATE_TEST_SUITE_P(Ci, RandomNetworks, ::testing::Range(0, 20));
INSTANTIATE_TEST_SUITE_P(Nightly, RandomNetworks, ::testing::Range(20, 120));

/// A second simulator, which knows undefined values.
class RandomNetworksInIcarus : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetworksInIcarus, AgreeBitForBitAndCycleForCycle) {
  for (int i = 0; i < NetworksPerTest; ++i)
    check_branching(static_cast<uint64_t>(10'000 + GetParam() * NetworksPerTest + i),
                    cosim::Simulator::Icarus);
}

INSTANTIATE_TEST_SUITE_P(Ci, RandomNetworksInIcarus, ::testing::Range(0, 2));
INSTANTIATE_TEST_SUITE_P(Nightly, RandomNetworksInIcarus, ::testing::Range(2, 10));

}  // namespace
}  // namespace millrace
