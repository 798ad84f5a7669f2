// SPDX-License-Identifier: Apache-2.0
// Differential test of the whole compiler: on random networks, reference = emulator = Verilated
// circuit bit for bit, under every pattern of arrival, and schedule = simulation cycle for cycle.
#include <gtest/gtest.h>
#include <random>

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

class RandomNetworks : public ::testing::TestWithParam<int> {};

void check_network(uint64_t seed) {
  std::mt19937_64 random(seed);
  const graph::Graph graph = testing::random_network(random);
  const graph::TensorType& input = graph.type(graph.inputs()[0]);
  const auto width = static_cast<uint64_t>(input.shape[1]);
  const dataflow::PlanOptions options{.lanes = static_cast<int64_t>(1 + random() % width),
                                      .clock_ns = random() % 2 == 0 ? 5.0 : 20.0,
                                      .three_input_adders = random() % 4 == 0};
  SCOPED_TRACE("seed " + std::to_string(seed) + ", lanes " + std::to_string(options.lanes) +
               ", clock " + std::to_string(options.clock_ns) + " ns" +
               (options.three_input_adders ? ", three-input adders" : "") + "\n" +
               graph::print(graph));

  cosim::Frames frames;
  cosim::Frames expected;
  std::vector<int64_t> batch;
  for (int i = 0; i < Frames; ++i) {
    frames.push_back({testing::random_tensor(random, input)});
    expected.push_back(reference::evaluate(graph, frames.back()));
    batch.insert(batch.end(), frames.back()[0].data.begin(), frames.back()[0].data.end());
  }
  const std::vector<int64_t> emulated = emulator::Emulator(graph).run(batch);
  const size_t out_size = expected[0][0].data.size();
  for (size_t i = 0; i < expected.size(); ++i)
    ASSERT_EQ(expected[i][0].data,
              std::vector<int64_t>(emulated.begin() + static_cast<ptrdiff_t>(i * out_size),
                                   emulated.begin() + static_cast<ptrdiff_t>((i + 1) * out_size)));

  const auto circuit = dataflow::plan(graph, options);
  ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const dataflow::Schedule schedule = dataflow::schedule(*circuit);

  const testing::ScratchDirectory scratch("random_network_" + std::to_string(seed));
  const cosim::Design design = testing::write_circuit(*circuit, schedule, scratch.path());
  const auto simulation =
      cosim::Simulation::build(design, cosim::Simulator::Verilator, scratch.path() / "verilator");
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();

  for (const auto arrival :
       {cosim::Arrival::BackToBack, cosim::Arrival::RandomGaps, cosim::Arrival::Alone}) {
    SCOPED_TRACE("arrival " + std::to_string(static_cast<int>(arrival)));
    const auto measured = simulation->run(frames, arrival, seed);
    ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_EQ(measured->outputs[i][0].data, expected[i][0].data) << "frame " << i;
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

TEST_P(RandomNetworks, AgreeBitForBitAndCycleForCycle) {
  for (int i = 0; i < NetworksPerTest; ++i)
    check_network(static_cast<uint64_t>(GetParam() * NetworksPerTest + i));
}

INSTANTIATE_TEST_SUITE_P(Ci, RandomNetworks, ::testing::Range(0, 44));
INSTANTIATE_TEST_SUITE_P(Nightly, RandomNetworks, ::testing::Range(44, 244));

}  // namespace
}  // namespace millrace
