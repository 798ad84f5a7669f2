// SPDX-License-Identifier: Apache-2.0
// The AXI4-Stream wrapper of a circuit with two inputs and two outputs: two_streams.sv, which
// asserts that its interval is kept and that no input runs ahead by more than a frame.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/cosim/simulate.h"
#include "millrace/support/files.h"
#include "millrace/verilog/emit.h"
#include "millrace/verilog/emit_axis.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using dataflow::StreamType;

const StreamType A{2, 2, 1, {false, 8, 0}, 1};
const StreamType B{3, 2, 1, {false, 4, 0}, 2, 2};
const StreamType Sum{1, 1, 1, {false, 16, 0}, 1};
constexpr int64_t Interval = 9;
constexpr int NumFrames = 10'000;

/// The wrapper within axis_streams_tester.sv.
cosim::Design write_design(const fs::path& folder, bool is_disturbed) {
  const fs::path root(MILLRACE_SOURCE_DIR);
  const verilog::Module wrapper = verilog::emit_axis({.module = "two_streams",
                                                      .inputs = {{"a", A}, {"b", B}},
                                                      .outputs = {{"echo", A}, {"sum", Sum}},
                                                      .latency_cycles = 5,
                                                      .interval_cycles = Interval});
  const fs::path wrapper_file = folder / (wrapper.name + ".sv");
  EXPECT_TRUE(write_file(wrapper_file, verilog::print(wrapper)));
  EXPECT_TRUE(write_file(folder / "axis_streams_sizes.svh",
                         fmt::format("`define AXIS_DISTURBED {:d}\n", is_disturbed)));
  // An output beat has tlast above tdata.
  return {.sources = {root / "rtl/mr_axis_gate.sv", root / "rtl/mr_axis_in.sv",
                      root / "rtl/mr_axis_out.sv", root / "millrace/cosim/testdata/two_streams.sv",
                      wrapper_file, root / "tests/rtl/axis_source.sv",
                      root / "tests/rtl/axis_streams_tester.sv"},
          .include_dirs = {root / "rtl", folder},
          .top = "axis_streams_tester",
          .inputs = {{"in_a", A}, {"in_b", B}},
          .outputs = {{"out_echo", {4, 1, 1, {false, 9, 0}, 1}},
                      {"out_sum", {1, 1, 1, {false, 17, 0}, 1}}}};
}

cosim::Frames random_frames(int count) {
  std::mt19937_64 random(1);
  cosim::Frames frames;
  for (int i = 0; i < count; ++i) {
    IntTensor a{{2, 2, 1}, {}}, b{{3, 2, 1}, {}};
    for (int j = 0; j < 4; ++j)
      a.data.push_back(static_cast<int64_t>(random() % 256));
    for (int j = 0; j < 6; ++j)
      b.data.push_back(static_cast<int64_t>(random() % 16));
    frames.push_back({std::move(a), std::move(b)});
  }
  return frames;
}

void expect_results(const cosim::Frames& frames, const cosim::Measurement& measured) {
  for (size_t i = 0; i < frames.size(); ++i) {
    std::vector<int64_t> echo = frames[i][0].data;
    echo.back() |= int64_t{1} << 8;  // tlast
    int64_t sum = int64_t{1} << 16;
    for (const IntTensor& tensor : frames[i])
      sum = std::accumulate(tensor.data.begin(), tensor.data.end(), sum);
    ASSERT_EQ(measured.outputs[i][0].data, echo) << "frame " << i;
    ASSERT_EQ(measured.outputs[i][1].data, std::vector<int64_t>{sum}) << "frame " << i;
  }
}

TEST(AxisStreams, TenThousandFramesSurviveBackPressureOnAllSides) {
  const testing::ScratchDirectory scratch("axis_streams_disturbed");
  const auto simulation = cosim::Simulation::build(write_design(scratch.path(), true),
                                                   cosim::Simulator::Verilator, scratch.path());
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const cosim::Frames frames = random_frames(NumFrames);
  const auto measured = simulation->run(frames, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  expect_results(frames, *measured);
}

TEST(AxisStreams, NothingButTheIntervalSlowsAWillingSourceAndSink) {
  const testing::ScratchDirectory scratch("axis_streams_free");
  const auto simulation = cosim::Simulation::build(write_design(scratch.path(), false),
                                                   cosim::Simulator::Verilator, scratch.path());
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const cosim::Frames frames = random_frames(100);
  const auto measured = simulation->run(frames, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  expect_results(frames, *measured);
  for (size_t i = 1; i < frames.size(); ++i)
    for (size_t output = 0; output < 2; ++output)
      ASSERT_EQ(measured->last_out[i][output] - measured->last_out[i - 1][output], Interval);
}

}  // namespace
}  // namespace millrace
