// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "millrace/verilog/syntax.h"

namespace millrace::verilog {
namespace {

TEST(Print, LiteralsKeepTheirBitsAndSign) {
  EXPECT_EQ(print(expr(Literal{4, 5, false})), "4'd5");
  EXPECT_EQ(print(expr(Literal{4, -1, false})), "4'd15");
  EXPECT_EQ(print(expr(Literal{4, 5, true})), "4'sd5");
  EXPECT_EQ(print(expr(Literal{4, -3, true})), "-4'sd3");
  EXPECT_EQ(print(expr(Literal{4, -8, true})), "4'sh8");  // -4'sd8 would negate 4'sd-8
  EXPECT_EQ(print(expr(Literal{64, -(Int128{1} << 63), true})), "64'sh8000000000000000");
}

TEST(Print, OperandsOfOperatorsAreParenthesised) {
  const Expr sum = binary("+", name("a"), name("b"));
  EXPECT_EQ(print(binary("-", sum, name("c"))), "(a + b) - c");
  EXPECT_EQ(print(expr(Cast{8, sum})), "8'(a + b)");
  EXPECT_EQ(print(expr(Unary{"^", sum})), "^(a + b)");
  EXPECT_EQ(print(expr(Conditional{binary(">", name("a"), name("b")), name("a"), sum})),
            "(a > b) ? a : (a + b)");
}

TEST(Print, SelectionsAndConcatenations) {
  EXPECT_EQ(print(select(name("x"), 8, 4)), "x[8 +: 4]");
  EXPECT_EQ(print(bit(name("x"), 3)), "x[3]");
  EXPECT_EQ(print(expr(Concat{{name("a"), expr(Repeat{2, name("b")})}})), "{a, {2{b}}}");
}

TEST(Print, AModuleIsLaidOutWithItsComment) {
  Module module{.comment = "Adds one.\n\nLatency 1 cycle.",
                .name = "plus_one",
                .ports = {{Direction::Input, "clk_i", 0},
                          {Direction::Input, "in_data_i", 8},
                          {Direction::Output, "out_data_o", 8}},
                .items = {{Registers{{{name("out_data_o"), binary("+", name("in_data_i"),
                                                                  expr(Literal{8, 1, false}))}}}}}};
  EXPECT_EQ(print(module), R"(// SPDX-License-Identifier: Apache-2.0
// Adds one.
//
// Latency 1 cycle.

`default_nettype none

module plus_one (
  input  wire        clk_i,
  input  wire  [7:0] in_data_i,
  output logic [7:0] out_data_o
);

  always_ff @(posedge clk_i) begin
    out_data_o <= in_data_i + 8'd1;
  end

endmodule : plus_one

`default_nettype wire
)");
}

TEST(Print, LongConnectionListsAreWrapped) {
  Instance instance{.module = "m", .name = "u", .parameters = {}, .ports = {}};
  for (int i = 0; i < 12; ++i)
    instance.ports.emplace_back("a_port_with_a_name_" + std::to_string(i), nullptr);
  const std::string text =
      print(Module{.comment = "", .name = "top", .ports = {}, .items = {{instance}}});
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = text.find('\n', start);
    EXPECT_LE(end - start, 100U);
    start = end + 1;
  }
}

}  // namespace
}  // namespace millrace::verilog
