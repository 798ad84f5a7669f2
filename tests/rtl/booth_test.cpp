// SPDX-License-Identifier: Apache-2.0
// rtl/mr_booth_add.sv and rtl/mr_booth_term.sv: their primitive forms and behavioural twins against
// the plain product, by proof; their LUTs, counted.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/circuit_files.h"

#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/support/subprocess.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

const fs::path Library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";

void write_text(const fs::path& path, const std::string& text) {
  const Status written = write_file(path, text);
  check(written.has_value(), "a test's file cannot be written");
}

std::string read_text(const fs::path& path) {
  const auto text = read_file(path);
  check(text.has_value(), "a test's file cannot be read");
  return *text;
}

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

/// The models of the primitives, from among those of the whole library, of which Yosys does not
/// read all as logic.
std::string cell_models() {
  const auto path = synth::find_cell_models();
  check(path.has_value(), "Yosys has no cell models");
  const std::string all = read_text(*path);
  std::string models;
  for (const char* const start : {"module LUT6(", "module LUT6_2(", "module CARRY8("}) {
    const size_t begin = all.find(start);
    check(begin != std::string::npos, "Yosys has no model of a cell");
    const size_t specify = all.find("specify", begin);
    const size_t end = all.find("endmodule\n", begin);
    models += all.substr(begin, std::min(specify, end) - begin) + "endmodule\n";
  }
  return models;
}

struct Sources {
  std::string add = read_text(Library / "mr_booth_add.sv");
  std::string term = read_text(Library / "mr_booth_term.sv");
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
  write_text(folder / "mr_booth_add.sv", sources.add);
  write_text(folder / "mr_booth_term.sv", sources.term);
  write_text(folder / "cells.v", cell_models());
  write_text(folder / "miters.sv", miters);
  write_text(folder / "prove.ys", script);
  std::error_code ignored;
  fs::create_directory_symlink(Library, folder / "rtl", ignored);
  ProcessOptions options;
  options.working_directory = folder;
  options.timeout_seconds = 200;
  const auto result = run_process("yosys", {"-q", "-e", ".", "prove.ys"}, options);
  check(result.has_value(), "Yosys did not run");
  return *result;
}

TEST(MrBooth, BothFormsAreProvenToBeTheProduct) {
  const testing::ScratchDirectory scratch("mr_booth_proof");
  const ProcessResult result = prove({}, {1, 2, 3, 6, 7, 8, 9}, scratch.path());
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

/// What the proof must notice: each a text of a module, and another in its place.
struct Mutation {
  const char* name;
  const char* text;
  const char* other;
};

class MrBoothMutation : public ::testing::TestWithParam<Mutation> {};

TEST_P(MrBoothMutation, FailsTheProof) {
  Sources sources;
  for (std::string* source : {&sources.add, &sources.term})
    if (const size_t place = source->find(GetParam().text); place != std::string::npos)
      source->replace(place, std::string_view(GetParam().text).size(), GetParam().other);
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
  write_text(scratch.path() / "row.sv",
             "module row (input wire [12:0] a_i, input wire [12:0] x_i, input wire [2:0] digit_i,\n"
             "  output wire [12:0] sum_o, output wire [12:0] term_o);\n"
             "  mr_booth_add #(.Width(13)) u_add (.a_i, .x_i, .digit_i, .y_o(sum_o));\n"
             "  mr_booth_term #(.Width(13)) u_term (.x_i, .code_i(digit_i[1:0]), .y_o(term_o));\n"
             "endmodule\n");
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
