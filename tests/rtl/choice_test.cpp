// SPDX-License-Identifier: Apache-2.0
// rtl/mr_choice.sv: its primitive form and its behavioural twin against the conditional operator,
// by proof; its LUTs, counted. The same of the two forms in which rtl/mr_issue.sv chooses.
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

/// A module whose output is 1 where a form differs from the conditional operator.
std::string make_miter(int width) {
  return fmt::format(
      "module choice_{0} (input wire c, input wire [{1}:0] a_i, input wire [{1}:0] b_i,\n"
      "  output wire differ_o);\n"
      "  wire [{1}:0] primitive, twin, choice;\n"
      "  mr_choice #(.Width({0}), .Primitive(1)) u_primitive (.choose_a_i(c), .a_i, .b_i,\n"
      "    .y_o(primitive));\n"
      "  mr_choice #(.Width({0}), .Primitive(0)) u_twin (.choose_a_i(c), .a_i, .b_i,\n"
      "    .y_o(twin));\n"
      "  assign choice = c ? a_i : b_i;\n"
      "  assign differ_o = primitive != choice || twin != choice;\n"
      "endmodule\n",
      width, width - 1);
}

/// Lets Yosys prove with SAT that the module is right at some widths.
ProcessResult prove(const std::string& source, const fs::path& folder) {
  std::string miters = "`default_nettype none\n";
  std::string script =
      "read_verilog -sv -Irtl mr_choice.sv miters.sv cells.v\nhierarchy -check\nproc\nflatten\n";
  for (const int width : {1, 2, 3, 6, 7}) {
    miters += make_miter(width);
    script += fmt::format("sat -verify -prove differ_o 0 choice_{}\n", width);
  }
  return run_yosys(
      script,
      {{"mr_choice.sv", source}, {"cells.v", cell_models({"LUT6_2"})}, {"miters.sv", miters}},
      folder);
}

/// Lets Yosys show with SAT that both forms of mr_issue agree for as many cycles as 17 beats take.
ProcessResult compare_issue(const std::string& source, const fs::path& folder) {
  std::string miter =
      "module miter (input wire clk_i, input wire rst_i, input wire in_valid_i,\n"
      "  input wire [16:0] in_data_i, output wire differ_o);\n"
      "  wire [1:0] valid;\n"
      "  wire [1:0] data;\n";
  for (const int i : {0, 1})
    miter += fmt::format(
        "  mr_issue #(.Bits(1), .Beats(17), .Primitive({0})) u_{0} (.clk_i, .rst_i, .in_valid_i,\n"
        "    .in_data_i, .out_valid_o(valid[{0}]), .out_data_o(data[{0}]));\n",
        i);
  miter += "  assign differ_o = valid[0] != valid[1] || data[0] != data[1];\nendmodule\n";
  return run_yosys(
      "read_verilog -sv -Irtl -DYOSYS mr_issue.sv miter.sv cells.v\nhierarchy -top miter\nproc\n"
      "flatten\nopt\nsat -verify -set-init-zero -tempinduct -tempinduct-baseonly -maxsteps 19 "
      "-prove differ_o 0 miter\n",
      {{"mr_issue.sv", source}, {"cells.v", cell_models({"LUT6"})}, {"miter.sv", miter}}, folder);
}

TEST(MrChoice, BothFormsAreProvenToBeTheConditionalOperator) {
  const testing::ScratchDirectory scratch("mr_choice_proof");
  const ProcessResult result = prove(library_source("mr_choice.sv"), scratch.path());
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

class MrChoiceMutation : public ::testing::TestWithParam<Mutation> {};

TEST_P(MrChoiceMutation, FailsTheProof) {
  const std::string source = GetParam().apply(library_source("mr_choice.sv"));
  const testing::ScratchDirectory scratch(std::string("mr_choice_") + GetParam().name);
  const ProcessResult result = prove(source, scratch.path());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, ::testing::HasSubstr("proof did fail"));
}

INSTANTIATE_TEST_SUITE_P(All, MrChoiceMutation,
                         ::testing::Values(Mutation{"lower", "8'hD8", "8'hE4"},
                                           Mutation{"upper", "8'h55, 8'hAA", "8'hAA, 8'h55"},
                                           Mutation{"twin", "? a_i : b_i", "? b_i : a_i"}),
                         [](const auto& mutation) { return mutation.param.name; });

TEST(MrIssue, BothFormsGiveTheSame) {
  const std::string source = library_source("mr_issue.sv");
  const testing::ScratchDirectory scratch("mr_issue_forms");
  const ProcessResult same = compare_issue(source, scratch.path());
  EXPECT_EQ(same.exit_code, 0) << same.output;
  const Mutation choice{"choice", "16'hCCCC", "16'hF0F0"};
  const ProcessResult other = compare_issue(choice.apply(source), scratch.path());
  EXPECT_THAT(other.output, ::testing::HasSubstr("proof did fail"));
}

TEST(MrChoice, TakesALutForTwoBits) {
  const testing::ScratchDirectory scratch("mr_choice_area");
  ASSERT_TRUE(write_file(scratch.path() / "row.sv",
                         "module row (input wire c, input wire [12:0] a_i, input wire [12:0] b_i,\n"
                         "  output wire [12:0] y_o);\n"
                         "  mr_choice #(.Width(13)) u_choice (.choose_a_i(c), .a_i, .b_i, .y_o);\n"
                         "endmodule\n"));
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const auto area =
      synth::synthesize({.sources = {Library / "mr_choice.sv", scratch.path() / "row.sv"},
                         .include_dirs = {Library},
                         .top = "row",
                         .part = *part,
                         .netlist = {},
                         .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  EXPECT_EQ(*area, (synth::Area{.lut = 7}));
}

}  // namespace
}  // namespace millrace
