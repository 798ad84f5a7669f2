// SPDX-License-Identifier: Apache-2.0
// Simulates what Yosys made: the netlist against the SystemVerilog it came from, bit by bit.
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>
#include <set>

#include "millrace/cosim/simulate.h"
#include "millrace/support/files.h"
#include "millrace/support/subprocess.h"
#include "millrace/synth/synthesize.h"
#include "millrace/synth/yosys_script.h"

namespace millrace::synth {
namespace {

namespace fs = std::filesystem;
using cosim::Arrival;
using cosim::Design;
using cosim::Measurement;
using cosim::Simulation;
using cosim::Simulator;

// A frame is one column of beats, more than the longest line holds.
const dataflow::StreamType Input{400, 1, 1, {false, 8, 0}, 1};
const dataflow::StreamType Output{400, 1, 1, {false, 11, 0}, 1};

class NetlistTest : public testing::Test {
protected:
  void SetUp() override {
    for (const char* program : {"yosys", "verilator", "iverilog"})
      if (!find_program(program))
        GTEST_SKIP() << program << " is not installed";
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = fs::path(testing::TempDir()) / "millrace-netlist" / info->name();
    fs::remove_all(dir_);
    fs::create_directories(dir_);

    design_.sources = {fs::path(MILLRACE_SOURCE_DIR) / "millrace/synth/testdata/gate_level.sv"};
    design_.top = "gate_level";
    design_.inputs = {{"in", Input}};
    design_.outputs = {{"out", Output}};

    request_.sources = design_.sources;
    request_.top = design_.top;
    const auto part = find_part("xcku115");
    ASSERT_TRUE(part) << part.error().to_string();
    request_.part = *part;
    request_.netlist = dir_ / "netlist.v";
    request_.work_dir = dir_ / "synth";
  }

  Result<Measurement> simulate(const Design& design, Simulator simulator) const {
    MR_TRY(const Simulation simulation, Simulation::build(design, simulator, dir_ / design.top));
    std::mt19937_64 generator(1);
    std::vector<IntTensor> frames(2, {{400, 1, 1}, {}});
    for (IntTensor& frame : frames)
      std::generate_n(std::back_inserter(frame.data), 400,
                      [&] { return static_cast<int64_t>(generator() % 256); });
    return simulation.run(cosim::frames_of_one_input(frames), Arrival::RandomGaps, 1);
  }

  Result<Measurement> simulate_netlist(Simulator simulator) const {
    MR_TRY(const fs::path models, find_cell_models());
    return simulate(netlist_design(design_, request_.netlist, models), simulator);
  }

  fs::path dir_;
  Design design_;
  SynthesisRequest request_;
};

TEST_F(NetlistTest, IsBitExact) {
  const auto area = synthesize(request_);
  ASSERT_TRUE(area) << area.error().to_string();
  const auto netlist = read_file(request_.netlist);
  ASSERT_TRUE(netlist);
  for (const char* cell : {"SRLC32E", "SRL16E", "RAM64", "CARRY4", "FDRE", "FDSE", "LUT6"})
    EXPECT_NE(netlist->find(cell), std::string::npos) << "the design should need a " << cell;

  const auto expected = simulate(design_, Simulator::Verilator);
  ASSERT_TRUE(expected) << expected.error().to_string();
  const auto& values = expected->outputs[0][0].data;
  EXPECT_GT(std::set(values.begin(), values.end()).size(), 100u);
  for (const Simulator simulator : {Simulator::Verilator, Simulator::Icarus}) {
    const auto actual = simulate_netlist(simulator);
    ASSERT_TRUE(actual) << actual.error().to_string();
    EXPECT_EQ(actual->outputs, expected->outputs) << to_string(simulator);
    EXPECT_EQ(actual->last_out, expected->last_out) << to_string(simulator);
  }
}

TEST_F(NetlistTest, IsWrongWhenShiftRegisterEnablesAreLeftToYosys) {
  ASSERT_TRUE(write_file(dir_ / "stock.ys",
                         make_script(request_, ShiftRegisterEnables::AsYosysLeavesThem)));
  auto arguments = yosys_options();
  arguments.emplace_back("stock.ys");
  ProcessOptions options;
  options.working_directory = dir_;
  const auto result = run_process("yosys", arguments, options);
  ASSERT_TRUE(result && result->exit_code == 0);
  const auto expected = simulate(design_, Simulator::Verilator);
  const auto actual = simulate_netlist(Simulator::Verilator);
  ASSERT_TRUE(expected && actual);
  // When this fails, Yosys may have been mended (issue 6058): the work-around can go.
  EXPECT_NE(actual->outputs, expected->outputs);
}

TEST_F(NetlistTest, HasTheAreaOfYosysOwnFlow) {
  const fs::path report = dir_ / "stat.json";
  const std::string script =
      "read_verilog -sv " + request_.sources.front().string() +
      "; synth_xilinx -family xcu -flatten -noiopad -noclkbuf -top gate_level; tee -q -o " +
      report.string() + " stat -json";
  const auto result = run_process("yosys", {"-q", "-p", script});
  ASSERT_TRUE(result && result->exit_code == 0);
  const auto text = read_file(report);
  const auto area = synthesize(request_);
  ASSERT_TRUE(text && area);
  EXPECT_EQ(parse_area(*text, request_.top), *area);
}

}  // namespace
}  // namespace millrace::synth
