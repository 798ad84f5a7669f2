// SPDX-License-Identifier: Apache-2.0
// Small hand-written circuits (testdata/) under both simulators.
#include "millrace/cosim/simulate.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "millrace/cosim/messages.h"
#include "millrace/support/files.h"
#include "millrace/support/messages.h"
#include "millrace/support/subprocess.h"

namespace millrace::cosim {
namespace {

namespace fs = std::filesystem;
using dataflow::StreamType;

const StreamType Bytes{3, 2, 1, {false, 8, 0}, 1};

/// The module `top` of testdata/.
Design test_design(const std::string& top, const StreamType& input, const StreamType& output) {
  Design design;
  design.sources = {fs::path(MILLRACE_SOURCE_DIR) / "millrace/cosim/testdata" / (top + ".sv")};
  design.top = top;
  design.inputs = {{"in", input}};
  design.outputs = {{"out", output}};
  return design;
}

IntTensor random_tensor(const StreamType& type, std::mt19937_64& generator) {
  IntTensor tensor{{type.height, type.width, type.channels}, {}};
  const auto span = static_cast<uint64_t>(type.element.max_raw() - type.element.min_raw()) + 1;
  for (int64_t j = 0; j < type.num_elements(); ++j)
    tensor.data.push_back(static_cast<int64_t>(generator() % span) +
                          static_cast<int64_t>(type.element.min_raw()));
  return tensor;
}

/// Frames for these inputs.
Frames random_frames(const std::vector<StreamType>& types, int count) {
  std::mt19937_64 generator(count);
  Frames frames(count);
  for (std::vector<IntTensor>& frame : frames)
    for (const StreamType& type : types)
      frame.push_back(random_tensor(type, generator));
  return frames;
}

class SimulationTest : public testing::TestWithParam<Simulator> {
protected:
  void SetUp() override {
    const char* program = GetParam() == Simulator::Verilator ? "verilator" : "iverilog";
    if (!find_program(program))
      GTEST_SKIP() << program << " is not installed";
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = info->name();
    std::replace(name.begin(), name.end(), '/', '-');
    work_dir_ = fs::path(testing::TempDir()) / "millrace-cosim" / name;
    fs::remove_all(work_dir_);
  }

  Result<Measurement> simulate(const Design& design, const Frames& frames, Arrival arrival,
                               uint64_t seed = 1) {
    MR_TRY(const Simulation simulation, Simulation::build(design, GetParam(), work_dir_));
    return simulation.run(frames, arrival, seed);
  }

  fs::path work_dir_;
};

INSTANTIATE_TEST_SUITE_P(Both, SimulationTest,
                         testing::Values(Simulator::Verilator, Simulator::Icarus),
                         [](const auto& instance) {
                           return std::string(to_string(instance.param));
                         });

TEST_P(SimulationTest, ThreeRegistersAreThreeCycles) {
  const Design design = test_design("delay_three", Bytes, Bytes);
  const auto simulation = Simulation::build(design, GetParam(), work_dir_);
  ASSERT_TRUE(simulation) << simulation.error().to_string();
  const auto frames = random_frames({Bytes}, 20);
  for (const Arrival arrival : {Arrival::BackToBack, Arrival::RandomGaps, Arrival::Alone}) {
    const auto measurement = simulation->run(frames, arrival, 3);
    ASSERT_TRUE(measurement) << measurement.error().to_string();
    EXPECT_EQ(measurement->outputs, frames);
    if (arrival == Arrival::RandomGaps) {
      EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
      continue;
    }
    // The last of a frame's 6 beats goes in 5 cycles after the first.
    EXPECT_EQ(measurement->latency_cycles(), 5 + 3);
    EXPECT_EQ(measurement->interval_cycles(), arrival == Arrival::Alone ? 5 + 3 + 1 : 6);
  }
  for (const auto& entry : fs::recursive_directory_iterator(work_dir_))
    EXPECT_NE(entry.path().filename(), "stimulus.txt") << "a good run leaves nothing behind";
}

TEST_P(SimulationTest, SignedInputsSumToOneBeatAFrame) {
  const StreamType input{3, 4, 1, {true, 6, 0}, 1};
  const StreamType output{1, 1, 1, {true, 10, 0}, 1};
  const auto frames = random_frames({input}, 30);
  for (const Arrival arrival : {Arrival::BackToBack, Arrival::RandomGaps, Arrival::Alone}) {
    const auto measurement = simulate(test_design("frame_sum", input, output), frames, arrival);
    ASSERT_TRUE(measurement) << measurement.error().to_string();
    for (size_t i = 0; i < frames.size(); ++i)
      EXPECT_EQ(measurement->outputs[i][0].data.front(),
                std::accumulate(frames[i][0].data.begin(), frames[i][0].data.end(), int64_t{0}));
    if (arrival != Arrival::RandomGaps) {
      EXPECT_EQ(measurement->latency_cycles(), 12);
    }
  }
}

TEST_P(SimulationTest, WideBeatsWithRowsThatLanesDoNotDivide) {
  const StreamType type{2, 5, 3, {true, 11, 0}, 2};
  ASSERT_EQ(type.beat_bits(), 66);
  const auto frames = random_frames({type}, 10);
  const auto measurement =
      simulate(test_design("complement", type, type), frames, Arrival::RandomGaps);
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  for (size_t i = 0; i < frames.size(); ++i)
    for (size_t j = 0; j < frames[i][0].data.size(); ++j)
      ASSERT_EQ(measurement->outputs[i][0].data[j], ~frames[i][0].data[j]);
}

TEST_P(SimulationTest, NoRegisterIsNoCycle) {
  const StreamType type{1, 1, 1, {true, 40, 0}, 1};
  const auto frames = random_frames({type}, 5);
  const auto measurement =
      simulate(test_design("wire_through", type, type), frames, Arrival::BackToBack);
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_EQ(measurement->outputs, frames);
  EXPECT_EQ(measurement->latency_cycles(), 0);
  EXPECT_EQ(measurement->interval_cycles(), 1);
}

TEST_P(SimulationTest, DataThatComeFromTheWrongCycleShow) {
  const auto frames = random_frames({Bytes}, 5);
  const auto measurement =
      simulate(test_design("late_reader", Bytes, Bytes), frames, Arrival::RandomGaps);
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_NE(measurement->outputs, frames);
}

TEST_P(SimulationTest, StateThatNothingSetsShows) {
  const Design design = test_design("forgets_reset", Bytes, Bytes);
  const auto frames = random_frames({Bytes}, 2);
  const auto first = simulate(design, frames, Arrival::BackToBack, 1);
  if (GetParam() == Simulator::Icarus) {
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, messages::UndefinedOutput.code);
    return;
  }
  const auto second = simulate(design, frames, Arrival::BackToBack, 2);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->outputs, second->outputs);
}

TEST_P(SimulationTest, MissingOutputIsTold) {
  StreamType more = Bytes;
  more.height = 4;
  const auto measurement = simulate(test_design("delay_three", Bytes, more),
                                    random_frames({Bytes}, 3), Arrival::BackToBack);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().code, messages::MissingOutput.code);
  EXPECT_EQ(measurement.error().message,
            "the circuit's output out gave 18 beats; 3 frames need 24");
}

TEST_P(SimulationTest, AFrameThatIsNeverAnsweredEndsTheRun) {
  StreamType more = Bytes;
  more.height = 4;
  const auto measurement =
      simulate(test_design("delay_three", Bytes, more), random_frames({Bytes}, 3), Arrival::Alone);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().message, "the circuit's output out gave 6 beats; 3 frames need 24");
}

TEST_P(SimulationTest, SurplusOutputIsTold) {
  StreamType fewer = Bytes;
  fewer.height = 2;
  const auto measurement = simulate(test_design("delay_three", Bytes, fewer),
                                    random_frames({Bytes}, 1), Arrival::BackToBack);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().code, messages::SurplusOutput.code);
}

TEST_P(SimulationTest, AnswersBeforeTheirFrameAreTold) {
  StreamType fewer = Bytes;
  fewer.height = 1;
  const auto measurement = simulate(test_design("delay_three", Bytes, fewer),
                                    random_frames({Bytes}, 30), Arrival::Alone);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().code, messages::EarlyOutput.code);
}

/// testdata/two_streams.sv.
Design two_streams() {
  Design design = test_design("two_streams", Bytes, Bytes);
  design.inputs = {{"in_a", {2, 2, 1, {false, 8, 0}, 1}}, {"in_b", {3, 2, 1, {false, 4, 0}, 2, 2}}};
  design.outputs = {{"out_echo", design.inputs[0].stream},
                    {"out_sum", {1, 1, 1, {false, 16, 0}, 1}}};
  design.interval_cycles = 9;
  return design;
}

TEST_P(SimulationTest, SeveralInputsAndOutputsKeepTheInterval) {
  const Design design = two_streams();
  const auto simulation = Simulation::build(design, GetParam(), work_dir_);
  ASSERT_TRUE(simulation) << simulation.error().to_string();
  const Frames frames = random_frames({design.inputs[0].stream, design.inputs[1].stream}, 60);
  for (const Arrival arrival : {Arrival::BackToBack, Arrival::RandomGaps, Arrival::Alone}) {
    const auto measurement = simulation->run(frames, arrival, 3);
    ASSERT_TRUE(measurement) << measurement.error().to_string();
    for (size_t i = 0; i < frames.size(); ++i) {
      int64_t sum = 0;
      for (const IntTensor& tensor : frames[i])
        sum = std::accumulate(tensor.data.begin(), tensor.data.end(), sum);
      ASSERT_EQ(measurement->outputs[i][0], frames[i][0]);
      ASSERT_EQ(measurement->outputs[i][1].data, std::vector<int64_t>{sum});
    }
    if (arrival == Arrival::RandomGaps)
      continue;
    EXPECT_EQ(measurement->latency_cycles(), 3 + 2);
    EXPECT_EQ(measurement->latency_cycles(7, 0), 3 + 2);
    EXPECT_EQ(measurement->latency_cycles(7, 1), 3 + 1);
    EXPECT_EQ(measurement->interval_cycles(), 9);
  }
}

TEST_P(SimulationTest, PortsMayHaveAnyNumberOfUnderscores) {
  Design design = test_design("underscores", Bytes, Bytes);
  design.inputs[0].prefix = "in__x___";
  design.outputs[0].prefix = "out_y_";
  design.sources = {fs::path(testing::TempDir()) / "underscores.sv"};
  ASSERT_TRUE(write_file(design.sources.front(),
                         "module underscores (input wire clk_i, input wire rst_i,\n"
                         "  input wire in__x____valid_i, input wire [7:0] in__x____data_i,\n"
                         "  output logic out_y__valid_o, output logic [7:0] out_y__data_o);\n"
                         "  always_ff @(posedge clk_i) begin\n"
                         "    out_y__valid_o <= in__x____valid_i && !rst_i;\n"
                         "    out_y__data_o <= in__x____data_i;\n"
                         "  end\nendmodule\n"));
  const auto frames = random_frames({Bytes}, 3);
  const auto measurement = simulate(design, frames, Arrival::BackToBack);
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_EQ(measurement->outputs, frames);
}

TEST_P(SimulationTest, FaultsNameTheOutput) {
  Design design = two_streams();
  const Frames frames = random_frames({design.inputs[0].stream, design.inputs[1].stream}, 3);
  design.outputs[1].stream.height = 2;
  const auto missing = simulate(design, frames, Arrival::BackToBack);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "the circuit's output out_sum gave 3 beats; 3 frames need 6");
  std::swap(design.outputs[0], design.outputs[1]);
  design.outputs[0].stream.height = 1;
  design.outputs[1].stream.height = 1;
  const auto surplus = simulate(design, {frames[0]}, Arrival::BackToBack);
  ASSERT_FALSE(surplus);
  EXPECT_EQ(surplus.error().code, messages::SurplusOutput.code);
  EXPECT_THAT(surplus.error().message,
              testing::HasSubstr("output out_echo gave more than the 2 beats"));
}

TEST_P(SimulationTest, SourcesWithErrorsAreRefusedWithTheLine) {
  Design design = test_design("broken", Bytes, Bytes);
  design.sources = {fs::path(testing::TempDir()) / "broken.sv"};
  ASSERT_TRUE(write_file(design.sources.front(), "module broken;\n  wire wire;\nendmodule\n"));
  const auto simulation = Simulation::build(design, GetParam(), work_dir_);
  ASSERT_FALSE(simulation);
  EXPECT_EQ(simulation.error().code, messages::BuildFailed.code);
  EXPECT_THAT(simulation.error().message, testing::HasSubstr("broken.sv:2"));
  EXPECT_TRUE(fs::is_regular_file(simulation.error().where)) << simulation.error().where;
}

TEST_P(SimulationTest, AMissingSourceIsTold) {
  const auto simulation =
      Simulation::build(test_design("no_such_module", Bytes, Bytes), GetParam(), work_dir_);
  ASSERT_FALSE(simulation);
  EXPECT_EQ(simulation.error().code, support::messages::FileMissing.code);
}

TEST_P(SimulationTest, ProgressReachesTheEndAndMayStopTheRun) {
  const Design design = test_design("delay_three", Bytes, Bytes);
  const auto simulation = Simulation::build(design, GetParam(), work_dir_);
  ASSERT_TRUE(simulation) << simulation.error().to_string();
  const auto frames = random_frames({Bytes}, 50);
  std::vector<double> fractions;
  const auto all =
      simulation->run(frames, Arrival::BackToBack, 1, [&](std::string_view, double fraction) {
        fractions.push_back(fraction);
        return true;
      });
  ASSERT_TRUE(all);
  EXPECT_GT(fractions.size(), 10u);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1.0);
  const auto stopped = simulation->run(frames, Arrival::BackToBack, 1,
                                       [&](std::string_view, double) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, support::messages::ProgramStopped.code);
}

TEST_P(SimulationTest, AMissingSimulatorIsTold) {
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", (work_dir_ / "empty").c_str(), 1), 0);
  const auto simulation =
      Simulation::build(test_design("delay_three", Bytes, Bytes), GetParam(), work_dir_);
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(simulation);
  EXPECT_EQ(simulation.error().code, support::messages::ProgramMissing.code);
}

class VerilatorTest : public SimulationTest {};

INSTANTIATE_TEST_SUITE_P(Verilator, VerilatorTest, testing::Values(Simulator::Verilator));

TEST_P(VerilatorTest, FailedAssertionsStopTheRun) {
  const Design design = test_design("refuses_seven", Bytes, Bytes);
  Frames frames(3, {{{3, 2, 1}, {1, 2, 3, 4, 5, 6}}});
  ASSERT_TRUE(simulate(design, frames, Arrival::BackToBack));
  frames[1][0].data[4] = 7;
  const auto measurement = simulate(design, frames, Arrival::BackToBack);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().code, messages::RunFailed.code);
  EXPECT_THAT(measurement.error().message, testing::HasSubstr("a beat is seven"));
}

TEST_P(VerilatorTest, FramesThatComeTooEarlyFailTheCircuitsAssertion) {
  Design design = two_streams();
  design.interval_cycles = 8;
  const Frames frames = random_frames({design.inputs[0].stream, design.inputs[1].stream}, 3);
  const auto measurement = simulate(design, frames, Arrival::BackToBack);
  ASSERT_FALSE(measurement);
  EXPECT_EQ(measurement.error().code, messages::RunFailed.code);
  EXPECT_THAT(measurement.error().message, testing::HasSubstr("KeepsTheInterval_A"));
}

TEST_P(VerilatorTest, WarningsAreErrorsExceptInNetlists) {
  Design design = test_design("width_mismatch", Bytes, Bytes);
  const auto simulation = Simulation::build(design, GetParam(), work_dir_);
  ASSERT_FALSE(simulation);
  EXPECT_EQ(simulation.error().code, messages::BuildFailed.code);
  EXPECT_THAT(simulation.error().message, testing::HasSubstr("%Warning-WIDTH"));
  design.is_netlist = true;
  EXPECT_TRUE(Simulation::build(design, GetParam(), work_dir_));
}

TEST_P(VerilatorTest, LargeCircuitsAreBuiltInSeveralUnits) {
  // Each register adds its number, so that one that is lost or out of order shows.
  constexpr int NumRegisters = 2500;
  std::string text =
      "`default_nettype none\n"
      "module long_chain (input wire clk_i, input wire rst_i, input wire in_valid_i,\n"
      "  input wire [7:0] in_data_i, output logic out_valid_o, output logic [7:0] out_data_o);\n";
  std::string body;
  int sum = 0;
  for (int i = 1; i <= NumRegisters; ++i) {
    const std::string before = i == 1 ? "in_data_i" : "q" + std::to_string(i - 1);
    const std::string number = std::to_string(i);
    text += "  logic [7:0] q" + number + ";\n";
    body += "    q" + number + " <= " + before + " + 8'd" + std::to_string(i % 256) + ";\n";
    sum += i;
  }
  const std::string last = std::to_string(NumRegisters - 1);
  text += "  logic [" + last + ":0] valid_q;\n  always_ff @(posedge clk_i) begin\n" + body +
          "    valid_q <= rst_i ? '0 : {valid_q[" + last + "-1:0], in_valid_i};\n  end\n" +
          "  assign out_valid_o = valid_q[" + last + "];\n  assign out_data_o = q" +
          std::to_string(NumRegisters) + ";\nendmodule\n`default_nettype wire\n";
  Design design = test_design("long_chain", Bytes, Bytes);
  design.sources = {fs::path(testing::TempDir()) / "long_chain.sv"};
  ASSERT_TRUE(write_file(design.sources.front(), text));

  const auto frames = random_frames({Bytes}, 3);
  const auto measurement = simulate(design, frames, Arrival::BackToBack);
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_TRUE(fs::exists(work_dir_ / "verilator" / "model" / "unit_1.o"));
  EXPECT_EQ(measurement->latency_cycles(), 5 + NumRegisters);
  for (size_t i = 0; i < frames.size(); ++i)
    for (size_t j = 0; j < frames[i][0].data.size(); ++j)
      EXPECT_EQ(measurement->outputs[i][0].data[j], (frames[i][0].data[j] + sum) % 256);
}

}  // namespace
}  // namespace millrace::cosim
