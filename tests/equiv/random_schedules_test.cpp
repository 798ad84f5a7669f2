// SPDX-License-Identifier: Apache-2.0
// What the planner says about the beats of every stream, against the timing contracts under random
// gaps, without a simulator: thousands of frames in seconds.
#include <gtest/gtest.h>
#include <random>

#include "tests/support/random_graph.h"

#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"

namespace millrace {
namespace {

using dataflow::Circuit;
using dataflow::Cycles;

/// The cycles of an input's beats: none, few or many idle cycles in between, by turns.
Cycles random_arrival(const dataflow::StreamType& type, int64_t interval, int frames,
                      std::mt19937_64& random) {
  Cycles cycles;
  int64_t cycle = 0;
  int64_t most = 0;
  for (int frame = 0; frame < frames; ++frame) {
    const int64_t begin = cycle;
    for (int64_t beat = 0; beat < type.beats_per_frame(); ++beat) {
      if (random() % 8 == 0)
        most = static_cast<int64_t>(random() % 4) * static_cast<int64_t>(random() % 8);
      cycle += static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1));
      cycles.push_back(cycle++);
    }
    cycle = std::max(cycle, begin + interval);
  }
  return cycles;
}

void check_gaps(const Circuit& circuit, std::mt19937_64& random) {
  constexpr int Frames = 6;
  std::vector<Cycles> times;
  std::vector<int64_t> gaps;
  for (const dataflow::Port& port : circuit.inputs) {
    times.push_back(random_arrival(port.type, circuit.interval_cycles, Frames, random));
    gaps.push_back(1);
  }
  for (const dataflow::Stage& stage : circuit.stages) {
    std::vector<const Cycles*> in;
    std::vector<int64_t> in_gaps;
    for (const dataflow::StreamId id : stage.inputs) {
      in.push_back(&times[static_cast<size_t>(id)]);
      in_gaps.push_back(gaps[static_cast<size_t>(id)]);
    }
    const Cycles out = stage_times(stage, in);
    const int64_t gap = least_gap(stage, in_gaps);
    for (size_t i = 1; i < out.size(); ++i)
      ASSERT_GE(out[i] - out[i - 1], gap) << kind_name(stage.kind) << " of " << stage.name;
    if (const auto* accumulate = std::get_if<dataflow::AccumulateStage>(&stage.kind)) {
      const Cycles& arrivals = *in.front();
      for (size_t i = 1; i < arrivals.size(); ++i)
        ASSERT_GE(arrivals[i] - arrivals[i - 1], accumulate->phases) << stage.name;
    }
    times.push_back(out);
    gaps.push_back(gap);
  }
}

class RandomSchedules : public ::testing::TestWithParam<int> {};

TEST_P(RandomSchedules, BeatsKeepTheirLeastDistanceWhateverGapsTheInputHas) {
  for (int i = 0; i < 10; ++i) {
    const auto seed = static_cast<uint64_t>(GetParam() * 10 + i);
    std::mt19937_64 random(seed);
    const graph::Graph graph = GetParam() % 2 == 0 ? testing::random_branching_network(random)
                                                   : testing::random_network(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + graph::print(graph));
    const Shape& shape = graph.type(graph.inputs()[0]).shape;
    const auto width = static_cast<uint64_t>(shape.size() == 3 ? shape[1] : 1);
    const auto circuit =
        dataflow::plan(graph, {.lanes = static_cast<int64_t>(1 + random() % width), .effort = 0});
    if (!circuit) {  // operations on constants alone: see RandomNetworks
      ASSERT_EQ(circuit.error().code, "dataflow.unsupported_operation");
      continue;
    }
    for (int pattern = 0; pattern < 5; ++pattern)
      check_gaps(*circuit, random);
  }
}

INSTANTIATE_TEST_SUITE_P(Ci, RandomSchedules, ::testing::Range(0, 100));
INSTANTIATE_TEST_SUITE_P(Nightly, RandomSchedules, ::testing::Range(100, 1000));

}  // namespace
}  // namespace millrace
