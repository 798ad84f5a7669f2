// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/yosys_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::synth {
namespace {

using testing::HasSubstr;
using testing::Not;

SynthesisRequest small_request() {
  SynthesisRequest request;
  request.sources = {"/d/a file.sv", "/d/b.sv"};
  request.include_dirs = {"/inc"};
  request.top = "top";
  request.part.family = "xcup";
  return request;
}

TEST(Script, QuotesFileNames) {
  EXPECT_THAT(make_script(small_request()),
              HasSubstr("read_verilog -sv -Iinclude_0 \"/d/a file.sv\" \"/d/b.sv\"\n"));
}

TEST(Script, MapsForThePartsFamily) {
  EXPECT_THAT(make_script(small_request()), HasSubstr("synth_xilinx -family xcup -flatten"));
}

TEST(Script, RepairsEnablesBetweenTheTwoPassesThatMakeShiftRegisters) {
  const std::string script = make_script(small_request());
  const size_t made = script.find("xilinx_srl -fixed");
  const size_t repaired = script.find("setparam -set ENPOL 1 t:$__XILINX_SHREG_");
  const size_t mapped = script.find("techmap -map +/xilinx/lut_map.v");
  EXPECT_LT(made, repaired);
  EXPECT_LT(repaired, mapped);
  EXPECT_NE(mapped, std::string::npos);
  EXPECT_THAT(make_script(small_request(), ShiftRegisterEnables::AsYosysLeavesThem),
              Not(HasSubstr("ENPOL")));
}

TEST(Script, WritesANetlistOnlyWhenAsked) {
  SynthesisRequest request = small_request();
  EXPECT_THAT(make_script(request), Not(HasSubstr("write_verilog")));
  request.netlist = "/n/net list.v";
  EXPECT_THAT(make_script(request), HasSubstr("write_verilog -noattr \"/n/net list.v\""));
}

TEST(Script, AnnouncesStepsThatAreReadBackInOrder) {
  const std::string script = make_script(small_request());
  double last = -1.0;
  int steps = 0;
  const std::string command = "log -stderr -nolog ";
  for (size_t at = script.find(command); at != std::string::npos;
       at = script.find(command, at + 1)) {
    const size_t start = at + command.size();
    const auto step = parse_step(script.substr(start, script.find('\n', at) - start));
    ASSERT_TRUE(step);
    EXPECT_GT(step->fraction, last);
    last = step->fraction;
    ++steps;
  }
  EXPECT_EQ(steps, 8);
  EXPECT_FALSE(parse_step("millrace step 9"));
  EXPECT_FALSE(parse_step("millrace step "));
  EXPECT_FALSE(parse_step("Warning: nothing"));
}

}  // namespace
}  // namespace millrace::synth
