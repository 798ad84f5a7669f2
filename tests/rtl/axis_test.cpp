// SPDX-License-Identifier: Apache-2.0
// The generated AXI4-Stream wrapper under random back-pressure and random gaps: nothing is lost,
// repeated or reordered, tlast marks each frame's last beat, and nothing but the sink slows it.
#include <bit>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>

#include "tests/rtl/small_networks.h"
#include "tests/support/circuit_files.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/plan.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using testing::Examples;
using testing::SmallNetwork;

constexpr FixedType Pixel{.is_signed = false, .width = 4, .frac_bits = 4};
constexpr int TesterLatency = 2;
constexpr int WrapperLatency = 1;

/// What the tester does while a frame comes in.
struct Switches {
  bool stall = false;  ///< the sink
  bool pause = false;  ///< the source
};

/// What left the wrapper.
struct Received {
  cosim::Frames outputs;
  bool was_held_back = false;  ///< the source, at any time
  cosim::Measurement measurement;
};

/// A network's AXI4-Stream wrapper within axis_tester.sv.
class AxisBench {
public:
  /// `pause_cycles` more from frame to frame than the circuit needs.
  AxisBench(graph::Graph graph, int64_t lanes, int64_t max_frames, int64_t pause_cycles = 0)
      : graph_(std::move(graph)),
        scratch_(::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    auto circuit = dataflow::plan(graph_, {.lanes = lanes, .clock_ns = 5});
    check(circuit.has_value(), circuit ? "" : circuit.error().to_string());
    circuit_ = *std::move(circuit);
    schedule_ = dataflow::schedule(circuit_);
    schedule_.interval_cycles += pause_cycles;
    design_ = testing::write_circuit(circuit_, schedule_, scratch_.path());
    design_.sources.push_back(fs::path(MILLRACE_SOURCE_DIR) / "tests/rtl/axis_tester.sv");
    design_.include_dirs.push_back(scratch_.path());
    design_.top = "axis_tester";
    design_.inputs = {
        {"in", {circuit_.inputs[0].type.beats_per_frame(), 1, 1, {false, in_bits() + 2, 0}, 1}}};
    design_.outputs = {
        {"out",
         {circuit_.outputs[0].type.beats_per_frame(), 1, 1, {false, tdata_bits() + 2, 0}, 1}}};
    design_.interval_cycles = 0;  // the tester has a queue: the wrapper has to keep the interval
    const auto queue = std::bit_ceil(
        static_cast<uint64_t>(max_frames * circuit_.inputs[0].type.beats_per_frame() + 1));
    const Status written = write_file(
        scratch_.path() / "axis_sizes.svh",
        fmt::format("`define AXIS_IN_BITS {}\n`define AXIS_OUT_BITS {}\n"
                    "`define AXIS_IN_BEATS {}\n`define AXIS_QUEUE_DEPTH {}\n"
                    "`define AXIS_INTERVAL {}\n",
                    in_bits(), circuit_.outputs[0].type.beat_bits(),
                    circuit_.inputs[0].type.beats_per_frame(), queue, schedule_.interval_cycles));
    check(written.has_value(), "a test's file cannot be written");
  }

  const graph::Graph& graph() const { return graph_; }
  const dataflow::Schedule& schedule() const { return schedule_; }

  Status build(cosim::Simulator simulator) {
    MR_TRY(simulation_, cosim::Simulation::build(design_, simulator, scratch_.path()));
    return {};
  }

  /// Sends frames, each with its switches.
  Result<Received> run(const cosim::Frames& frames, const std::vector<Switches>& switches,
                       uint64_t seed) const {
    std::mt19937_64 random(seed);
    cosim::Frames beats;
    for (size_t i = 0; i < frames.size(); ++i)
      beats.push_back({to_tester(frames[i][0], switches[i], random)});
    Received received;
    MR_TRY(received.measurement, simulation_->run(beats, cosim::Arrival::BackToBack, seed));
    for (const std::vector<IntTensor>& frame : received.measurement.outputs)
      received.outputs.push_back({from_tester(frame[0], received.was_held_back)});
    return received;
  }

private:
  int in_bits() const { return static_cast<int>(circuit_.inputs[0].type.beat_bits()); }
  int tdata_bits() const {
    return static_cast<int>((circuit_.outputs[0].type.beat_bits() + 7) / 8 * 8);
  }

  IntTensor to_tester(const IntTensor& frame, Switches switches, std::mt19937_64& random) const {
    IntTensor result{{circuit_.inputs[0].type.beats_per_frame(), 1, 1}, {}};
    for (const cosim::Beat& beat : cosim::pack_frame(frame, circuit_.inputs[0].type, random)) {
      const uint64_t controls = (switches.stall ? 2u : 0u) | (switches.pause ? 1u : 0u);
      result.data.push_back(static_cast<int64_t>(beat.get(0, in_bits()) | controls << in_bits()));
    }
    return result;
  }

  IntTensor from_tester(const IntTensor& frame, bool& was_held_back) const {
    std::vector<cosim::Beat> beats;
    const int beat_bits = static_cast<int>(circuit_.outputs[0].type.beat_bits());
    for (size_t i = 0; i < frame.data.size(); ++i) {
      const auto word = static_cast<uint64_t>(frame.data[i]);
      const uint64_t tdata = word & ((uint64_t{1} << tdata_bits()) - 1);
      EXPECT_EQ(tdata >> beat_bits, 0u) << "tdata is padded with zeros";
      EXPECT_EQ(word >> tdata_bits() & 1, i + 1 == frame.data.size()) << "tlast in beat " << i;
      was_held_back = was_held_back || word >> tdata_bits() >> 1 != 0;
      beats.emplace_back(beat_bits).set(0, beat_bits, tdata);
    }
    IntTensor result = cosim::unpack_frame(beats.data(), circuit_.outputs[0].type);
    result.shape = graph_.type(graph_.outputs()[0]).shape;
    return result;
  }

  graph::Graph graph_;
  testing::ScratchDirectory scratch_;
  dataflow::Circuit circuit_;
  dataflow::Schedule schedule_;
  cosim::Design design_;
  std::optional<cosim::Simulation> simulation_;
};

/// Three runs: undisturbed, with a sink that stalls, and with everything at random.
void check_wrapper(AxisBench& bench, int64_t num_frames) {
  const Status built = bench.build(cosim::Simulator::Verilator);
  ASSERT_TRUE(built.has_value()) << built.error().to_string();
  const Examples examples = testing::random_examples(bench.graph(), num_frames, 1);
  const auto count = static_cast<size_t>(num_frames);

  const auto free = bench.run(examples.inputs, std::vector<Switches>(count), 1);
  ASSERT_TRUE(free.has_value()) << free.error().to_string();
  EXPECT_EQ(free->outputs, examples.outputs);
  EXPECT_FALSE(free->was_held_back);
  EXPECT_EQ(free->measurement.interval_cycles(), bench.schedule().interval_cycles);
  EXPECT_EQ(free->measurement.latency_cycles(),
            bench.schedule().latency_cycles + WrapperLatency + TesterLatency);

  const auto stalled = bench.run(examples.inputs, std::vector<Switches>(count, {.stall = true}), 2);
  ASSERT_TRUE(stalled.has_value()) << stalled.error().to_string();
  EXPECT_EQ(stalled->outputs, examples.outputs);
  EXPECT_TRUE(stalled->was_held_back) << "the sink never stalled long enough to fill the wrapper";

  std::mt19937_64 random(3);
  std::vector<Switches> switches;
  for (size_t i = 0; i < count; ++i)
    switches.push_back({.stall = random() % 2 == 0, .pause = random() % 2 == 0});
  const auto disturbed = bench.run(examples.inputs, switches, 3);
  ASSERT_TRUE(disturbed.has_value()) << disturbed.error().to_string();
  EXPECT_EQ(disturbed->outputs, examples.outputs);
  EXPECT_TRUE(disturbed->was_held_back);
}

TEST(Axis, OneResultBeatAFrameSurvivesBackPressure) {
  AxisBench bench(SmallNetwork("dut", {5, 6, 1}, Pixel, 1)
                      .conv({.kernel_h = 2, .kernel_w = 3}, 2)
                      .relu()
                      .requantize({false, 5, 3})
                      .flatten()
                      .dense(3)
                      .requantize({true, 6, 2})
                      .finish(),
                  2, 1000);
  check_wrapper(bench, 1000);
}

TEST(Axis, ManyResultBeatsAFrameSurviveBackPressure) {
  AxisBench bench(SmallNetwork("dut", {5, 5, 2}, Pixel, 2)
                      .conv({.kernel_h = 3,
                             .kernel_w = 3,
                             .pad_top = 1,
                             .pad_left = 1,
                             .pad_bottom = 1,
                             .pad_right = 1},
                            2)
                      .requantize({true, 5, 2})
                      .finish(),
                  2, 1000);
  check_wrapper(bench, 1000);
}

TEST(Axis, FramesOfOneBeatSurviveBackPressure) {
  AxisBench bench(SmallNetwork("dut", {4}, Pixel, 3).dense(2).requantize({true, 8, 3}).finish(), 1,
                  4000);
  check_wrapper(bench, 4000);
}

// A result tells its frame: one that is lost, repeated or out of order shows.
TEST(Axis, TenThousandFramesSurviveBackPressureOnBothSides) {
  AxisBench bench(SmallNetwork("dut", {3, 1, 2}, {false, 8, 0}, 5)
                      .conv({.kernel_h = 2, .kernel_w = 1}, 2)
                      .finish(),
                  1, 10'000);
  check_wrapper(bench, 10'000);
}

// The source is ready before the interval has passed; the tester asserts that it is kept.
TEST(Axis, FramesBeginTheIntervalApart) {
  AxisBench bench(SmallNetwork("dut", {4, 3, 1}, Pixel, 4)
                      .conv({.kernel_h = 2, .kernel_w = 2}, 2)
                      .requantize({true, 7, 2})
                      .finish(),
                  1, 300, 7);
  const Status built = bench.build(cosim::Simulator::Verilator);
  ASSERT_TRUE(built.has_value()) << built.error().to_string();
  const Examples examples = testing::random_examples(bench.graph(), 300, 6);
  const auto free = bench.run(examples.inputs, std::vector<Switches>(300), 1);
  ASSERT_TRUE(free.has_value()) << free.error().to_string();
  EXPECT_EQ(free->outputs, examples.outputs);
  const cosim::Measurement& measured = free->measurement;
  for (size_t frame = 1; frame < 300; ++frame)
    ASSERT_EQ(measured.last_out[frame][0] - measured.last_out[frame - 1][0],
              bench.schedule().interval_cycles);
  const auto disturbed =
      bench.run(examples.inputs, std::vector<Switches>(300, {.stall = true, .pause = true}), 2);
  ASSERT_TRUE(disturbed.has_value()) << disturbed.error().to_string();
  EXPECT_EQ(disturbed->outputs, examples.outputs);
}

TEST(Axis, WorksInIcarusToo) {
  AxisBench bench(SmallNetwork("dut", {4, 3, 1}, Pixel, 4)
                      .conv({.kernel_h = 2, .kernel_w = 2}, 2)
                      .requantize({true, 7, 2})
                      .finish(),
                  1, 50);
  const Status built = bench.build(cosim::Simulator::Icarus);
  ASSERT_TRUE(built.has_value()) << built.error().to_string();
  const Examples examples = testing::random_examples(bench.graph(), 50, 4);
  const auto received =
      bench.run(examples.inputs, std::vector<Switches>(50, {.stall = true, .pause = true}), 4);
  ASSERT_TRUE(received.has_value()) << received.error().to_string();
  EXPECT_EQ(received->outputs, examples.outputs);
}

}  // namespace
}  // namespace millrace
