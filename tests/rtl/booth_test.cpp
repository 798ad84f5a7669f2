// SPDX-License-Identifier: Apache-2.0
// rtl/mr_booth_add.sv and rtl/mr_booth_term.sv: their primitive forms and behavioural twins against
// the plain product, by proof; their LUTs, counted.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/circuit_files.h"
#include "tests/support/yosys_proof.h"

#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using testing::cell_models;
using testing::library_source;
using testing::Mutation;
using testing::run_yosys;

const fs::path Library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";

/// The digit of three bits as a signed number of four.
constexpr const char* DigitValue = "{2'b0, digit[1]} + {2'b0, digit[0]} - {1'b0, digit[2], 1'b0}";

/// A module whose output is 1 where a form of the row differs from a + d * x.
std::string make_add_miter(const std::string& name, int width) {
  return fmt::format(
      "module {0} (input wire [{1}:0] a_i, input wire [{1}:0] x_i, input wire [2:0] digit,\n"
      "  output wire differ_o);\n"
      "  wire [{1}:0] primitive, twin, sum;\n"
      "  wire signed [2:0] d;\n"
      "  wire signed [{2}:0] product;\n"
      "  mr_booth_add #(.Width({3}), .Primitive(1)) u_primitive (.a_i, .x_i, .digit_i(digit),\n"
      "    .y_o(primitive));\n"
      "  mr_booth_add #(.Width({3}), .Primitive(0)) u_twin (.a_i, .x_i, .digit_i(digit),\n"
      "    .y_o(twin));\n"
      "  assign d = {4};\n"
      "  assign product = d * $signed(x_i);\n"
      "  assign sum = a_i + product[{1}:0];\n"
      "  assign differ_o = primitive != sum || twin != sum;\n"
      "endmodule\n",
      name, width - 1, width + 3, width, DigitValue);
}

/// The same for a term of four digits, from d * x less the digit's bit 2.
std::string make_term_miter(const std::string& name, int width, unsigned digits) {
  return fmt::format(
      "module {0} (input wire [{1}:0] x_i, input wire [1:0] code_i, output wire differ_o);\n"
      "  wire [{1}:0] primitive, twin, term;\n"
      "  wire [2:0] digit;\n"
      "  wire signed [2:0] d;\n"
      "  wire signed [{2}:0] product;\n"
      "  mr_booth_term #(.Width({3}), .Digits(12'd{5}), .Primitive(1)) u_primitive (.x_i, "
      ".code_i,\n"
      "    .y_o(primitive));\n"
      "  mr_booth_term #(.Width({3}), .Digits(12'd{5}), .Primitive(0)) u_twin (.x_i, .code_i,\n"
      "    .y_o(twin));\n"
      "  assign digit = 12'd{5} >> (3 * code_i);\n"
      "  assign d = {4};\n"
      "  assign product = d * $signed(x_i);\n"
      "  assign term = product[{1}:0] - digit[2];\n"
      "  assign differ_o = primitive != term || twin != term;\n"
      "endmodule\n",
      name, width - 1, width + 3, width, DigitValue, digits);
}

struct Sources {
  std::string add = library_source("mr_booth_add.sv");
  std::string term = library_source("mr_booth_term.sv");
};

/// Lets Yosys prove with SAT that the modules are right at these widths.
ProcessResult prove(const Sources& sources, const std::vector<int>& widths,
                    const fs::path& folder) {
  std::string miters = "`default_nettype none\n";
  std::string script =
      "read_verilog -sv -Irtl mr_booth_add.sv mr_booth_term.sv miters.sv cells.v\n"
      "hierarchy -check\nproc\nflatten\nopt\n";
  for (const int width : widths) {
    std::vector<std::string> names{fmt::format("add_{}", width)};
    miters += make_add_miter(names[0], width);
    for (const unsigned digits : {06420U, 07531U, 07610U, 02543U}) {
      names.push_back(fmt::format("term_{}_{}", width, digits));
      miters += make_term_miter(names.back(), width, digits);
    }
    for (const std::string& name : names)
      script += fmt::format("sat -verify -prove differ_o 0 {}\n", name);
  }
  return run_yosys(script,
                   {{"mr_booth_add.sv", sources.add},
                    {"mr_booth_term.sv", sources.term},
                    {"cells.v", cell_models({"LUT6", "LUT6_2", "CARRY8"})},
                    {"miters.sv", miters}},
                   folder);
}

TEST(MrBooth, BothFormsAreProvenToBeTheProduct) {
  const testing::ScratchDirectory scratch("mr_booth_proof");
  const ProcessResult result = prove({}, {1, 2, 3, 6, 7, 8, 9}, scratch.path());
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

class MrBoothMutation : public ::testing::TestWithParam<Mutation> {};

TEST_P(MrBoothMutation, FailsTheProof) {
  Sources sources;
  for (std::string* source : {&sources.add, &sources.term})
    if (source->find(GetParam().text) != std::string::npos)
      *source = GetParam().apply(*source);
  const testing::ScratchDirectory scratch(std::string("mr_booth_") + GetParam().name);
  const ProcessResult result = prove(sources, {3, 9}, scratch.path());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, ::testing::HasSubstr("proof did fail"));
}

INSTANTIATE_TEST_SUITE_P(
    All, MrBoothMutation,
    ::testing::Values(Mutation{"none", "Plus0   = 8'hF0", "Plus0   = 8'h70"},
                      Mutation{"once", "Plus1   = 8'h3C", "Plus1   = 8'h5A"},
                      Mutation{"twice", "Plus2   = 8'h5A", "Plus2   = 8'h3C"},
                      Mutation{"carry", "carry_in = digit_i[2]", "carry_in = digit_i[1]"},
                      Mutation{"next_block", "carry_in = carry[8*i-1]", "carry_in = carry[8*i-2]"},
                      Mutation{"add_twin", "multiple = -x_i", "multiple = ~x_i"},
                      Mutation{"lower", "Lower = {8'hFF, 8'h33", "Lower = {8'hFF, 8'h55"},
                      Mutation{"upper", "Upper = {8'hFF, 8'h0F", "Upper = {8'hFF, 8'h33"},
                      Mutation{"term_twin", "? ~magnitude", "? -magnitude"}),
    [](const auto& mutation) { return mutation.param.name; });

TEST(MrBooth, TakesALutForEachBitAndHalfOfThatForATerm) {
  const testing::ScratchDirectory scratch("mr_booth_area");
  ASSERT_TRUE(write_file(
      scratch.path() / "row.sv",
      "module row (input wire [12:0] a_i, input wire [12:0] x_i, input wire [2:0] digit_i,\n"
      "  output wire [12:0] sum_o, output wire [12:0] term_o);\n"
      "  mr_booth_add #(.Width(13)) u_add (.a_i, .x_i, .digit_i, .y_o(sum_o));\n"
      "  mr_booth_term #(.Width(13)) u_term (.x_i, .code_i(digit_i[1:0]), .y_o(term_o));\n"
      "endmodule\n"));
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const auto area =
      synth::synthesize({.sources = {Library / "mr_booth_add.sv", Library / "mr_booth_term.sv",
                                     scratch.path() / "row.sv"},
                         .include_dirs = {Library},
                         .top = "row",
                         .part = *part,
                         .netlist = {},
                         .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  EXPECT_EQ(*area, (synth::Area{.lut = 13 + 7, .carry = 2}));
}

}  // namespace
}  // namespace millrace
