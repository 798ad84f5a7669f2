// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/adders_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/dataflow/adder_datapath.h"

namespace millrace::cli {
namespace {

using adders::AdderGraph;
using adders::Range;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// y0 = x0 + x1, y1 = -x0, y2 = 4 x2.
const AdderGraph Graph{
    .num_inputs = 3,
    .adders = {{.a = 0, .b = 1}},
    .rows = {{.value = 3}, {.value = 0, .negate = true}, {.value = 2, .shift = 2}}};
const std::vector<Range> Ranges = {{-128, 127}, {-128, 127}, {0, 3}};

TEST(AddersModule, TypesAreInTheOrderOfThePorts) {
  const dataflow::Datapath datapath = dataflow::adder_datapath(Graph, Ranges);
  EXPECT_THAT(input_types(datapath),
              ElementsAre(FixedType{true, 8, 0}, FixedType{true, 8, 0}, FixedType{false, 2, 0}));
  EXPECT_THAT(output_types(datapath),
              ElementsAre(FixedType{true, 9, 0}, FixedType{true, 9, 0}, FixedType{false, 4, 0}));
}

TEST(AddersModule, TheHeadingSaysWhereInputsAndOutputsLie) {
  const std::string text = to_verilog(
      {.name = "product", .command = "millrace adders w.npy", .rows = 3, .columns = 3, .adders = 2},
      dataflow::adder_datapath(Graph, Ranges));
  EXPECT_THAT(text, HasSubstr("// outputs = matrix * inputs: 3 outputs, 3 inputs, 2 adders.\n"));
  EXPECT_THAT(text, HasSubstr("//   in_data_i   [15:0] inputs 0 to 1, signed 8 bits\n"
                              "//               [17:16] input 2, unsigned 2 bits\n"));
  EXPECT_THAT(text, HasSubstr("//   out_data_o  [17:0] outputs 0 to 1, signed 9 bits\n"
                              "//               [21:18] output 2, unsigned 4 bits\n"));
  EXPECT_THAT(text, HasSubstr("// Combinational.\n"));
  EXPECT_THAT(text, HasSubstr("with\n//   millrace adders w.npy\n"));
  EXPECT_THAT(text, HasSubstr("module product ("));
  EXPECT_THAT(text, Not(HasSubstr("clk_i")));
}

TEST(AddersModule, TheHeadingSaysTheLatency) {
  dataflow::Datapath datapath = dataflow::adder_datapath(Graph, Ranges);
  const dataflow::DelayModel delays{.family = "test",
                                    .register_ps = 500,
                                    .lut_ps = 100,
                                    .adder_base_ps = 400,
                                    .adder_per_bit_ps = 10,
                                    .memory_read_ps = 500};
  ASSERT_TRUE(datapath.pipeline(delays, 2, 0, 0, "").has_value());
  const std::string text = to_verilog({.name = "product"}, datapath);
  EXPECT_THAT(text, HasSubstr("// Latency 1 cycles. Throughput 1 product/cycle. No reset.\n"));
  EXPECT_THAT(text, HasSubstr("clk_i"));
}

TEST(AddersModule, TheHeadingNamesTheFilesThatThreeInputAddersNeed) {
  dataflow::Datapath datapath = dataflow::adder_datapath(Graph, Ranges);
  EXPECT_EQ(count_three_input_adders(datapath), 0);
  EXPECT_THAT(to_verilog({.name = "product"}, datapath), Not(HasSubstr("mr_add3")));
  const dataflow::NodeId sum = datapath.add3({{{{.node = 0}, {.node = 1}, {.node = 2}}}});
  datapath.outputs.push_back({sum, datapath.node(sum).type()});
  EXPECT_EQ(count_three_input_adders(datapath), 1);
  const std::string text = to_verilog({.name = "product"}, datapath);
  EXPECT_THAT(text, HasSubstr("// Needs mr_add3.sv and mr_assert.svh of"));
  EXPECT_THAT(text, HasSubstr("mr_add3 #(.Width(10)) u_n"));
}

TEST(AddersModule, ACommandCannotLeaveItsComment) {
  const std::string text =
      to_verilog({.name = "product", .command = "millrace adders a\nmodule b;\r\x1b.npy"},
                 dataflow::adder_datapath(Graph, Ranges));
  EXPECT_THAT(text, HasSubstr("//   millrace adders a?module b;??.npy\n"));
}

}  // namespace
}  // namespace millrace::cli
