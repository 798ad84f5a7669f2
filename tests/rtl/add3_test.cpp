// SPDX-License-Identifier: Apache-2.0
// rtl/mr_add3.sv: its primitive form and its behavioural twin against the plain sum, by proof and
// by simulation, before and after synthesis.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <random>

#include "tests/support/circuit_files.h"
#include "tests/support/yosys_proof.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using testing::cell_models;
using testing::library_source;
using testing::Mutation;
using testing::run_yosys;

/// One instance of mr_add3.
struct Adder {
  int width = 1;
  bool subtract_a = false, subtract_b = false, subtract_c = false;

  std::string parameters() const {
    return fmt::format(".Width({}), .SubtractA({:d}), .SubtractB({:d}), .SubtractC({:d})", width,
                       subtract_a, subtract_b, subtract_c);
  }
  uint64_t expected(uint64_t a, uint64_t b, uint64_t c) const {
    const uint64_t sum =
        (subtract_a ? 0 - a : a) + (subtract_b ? 0 - b : b) + (subtract_c ? 0 - c : c);
    return sum & ((uint64_t{1} << width) - 1);
  }
};

/// Every combination of signs that the module takes, at each of these widths.
std::vector<Adder> adders_of_widths(const std::vector<int>& widths) {
  std::vector<Adder> adders;
  for (const int width : widths)
    for (int signs = 0; signs < 7; ++signs)
      adders.push_back({width, (signs & 1) != 0, (signs & 2) != 0, (signs & 4) != 0});
  return adders;
}

fs::path library_file() {
  return fs::path(MILLRACE_SOURCE_DIR) / "rtl" / "mr_add3.sv";
}

void write_text(const fs::path& path, const std::string& text) {
  const Status written = write_file(path, text);
  check(written.has_value(), "a test's file cannot be written");
}

// --- proof ----------------------------------------------------------------------------------

/// A module whose output is 1 where a form of the adder differs from the plain sum.
std::string make_miter(const std::string& name, const Adder& adder) {
  const int top = adder.width - 1;
  const auto sign = [](bool subtract) { return subtract ? '-' : '+'; };
  return fmt::format(
      "module {0} (input wire [{1}:0] a_i, input wire [{1}:0] b_i, input wire [{1}:0] c_i,\n"
      "  output wire differ_o);\n"
      "  wire [{1}:0] primitive, twin, sum;\n"
      "  mr_add3 #({2}, .Primitive(1)) u_primitive (.a_i, .b_i, .c_i, .y_o(primitive));\n"
      "  mr_add3 #({2}, .Primitive(0)) u_twin (.a_i, .b_i, .c_i, .y_o(twin));\n"
      "  assign sum = {3}a_i {4} b_i {5} c_i;\n"
      "  assign differ_o = primitive != sum || twin != sum;\n"
      "endmodule\n",
      name, top, adder.parameters(), sign(adder.subtract_a), sign(adder.subtract_b),
      sign(adder.subtract_c));
}

/// Lets Yosys prove with SAT that these adders, in the library's text `source`, are right.
ProcessResult prove(const std::string& source, const std::vector<Adder>& adders,
                    const fs::path& folder) {
  std::string miters = "`default_nettype none\n";
  std::string script = fmt::format(
      "read_verilog -sv -Irtl mr_add3.sv miters.sv cells.v\nhierarchy -check\nproc\nflatten\n"
      "opt\n");
  for (size_t i = 0; i < adders.size(); ++i) {
    const std::string name = fmt::format("miter_{}", i);
    miters += make_miter(name, adders[i]);
    script += fmt::format("sat -verify -prove differ_o 0 {}\n", name);
  }
  return run_yosys(script,
                   {{"mr_add3.sv", source},
                    {"cells.v", cell_models({"LUT6_2", "CARRY8"})},
                    {"miters.sv", miters}},
                   folder);
}

TEST(MrAdd3, BothFormsAreProvenToBeTheSum) {
  const testing::ScratchDirectory scratch("mr_add3_proof");
  const ProcessResult result = prove(library_source("mr_add3.sv"),
                                     adders_of_widths({1, 2, 3, 4, 5, 6, 7, 8, 9}), scratch.path());
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

class MrAdd3Mutation : public ::testing::TestWithParam<Mutation> {};

TEST_P(MrAdd3Mutation, FailsTheProof) {
  const std::string source = GetParam().apply(library_source("mr_add3.sv"));
  const testing::ScratchDirectory scratch(std::string("mr_add3_") + GetParam().name);
  const ProcessResult result = prove(source, adders_of_widths({3, 9}), scratch.path());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, ::testing::HasSubstr("proof did fail"));
}

INSTANTIATE_TEST_SUITE_P(
    All, MrAdd3Mutation,
    ::testing::Values(Mutation{"parity", "16'h6996", "16'h6997"},
                      Mutation{"inverted_parity", "16'h9669", "16'h1669"},
                      Mutation{"majority", "8'hE8", "8'hE0"},
                      Mutation{"first_one", "carry_in = One", "carry_in = Two"},
                      Mutation{"second_one", "below[0] = Two", "below[0] = One"},
                      Mutation{"next_block", "carry_in = carry[8*i-1]", "carry_in = carry[8*i-2]"},
                      Mutation{"twin", "SubtractC ? -c_i", "SubtractC ? ~c_i"}),
    [](const auto& mutation) { return mutation.param.name; });

TEST(MrAdd3, RefusesThreeSubtrahends) {
  const testing::ScratchDirectory scratch("mr_add3_three");
  const ProcessResult result =
      prove(library_source("mr_add3.sv"), {{4, true, true, true}}, scratch.path());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output, ::testing::HasSubstr("TwoSubtrahendsAtMost"));
}

// --- simulation -----------------------------------------------------------------------------

constexpr int MaxWidth = 24;
constexpr int64_t NumInputs = 500;

/// Adders side by side, all fed the low bits of the same three numbers.
struct Row {
  std::vector<Adder> adders = adders_of_widths({1, 2, 7, 8, 9, 15, 16, 17, 24});

  int64_t bits() const {
    int64_t sum = 0;
    for (const Adder& adder : adders)
      sum += adder.width;
    return sum;
  }
  int64_t words() const { return (bits() + 63) / 64; }
};

std::string make_core(const Row& row) {
  std::string text = fmt::format(
      "`default_nettype none\nmodule add3_core (\n  input wire [{}:0] in_data_i,\n"
      "  output wire [{}:0] sums_o\n);\n",
      3 * MaxWidth - 1, row.bits() - 1);
  int64_t lsb = 0;
  for (const Adder& adder : row.adders) {
    fmt::format_to(std::back_inserter(text),
                   "  mr_add3 #({}) u_{} (.a_i(in_data_i[0 +: {}]), .b_i(in_data_i[{} +: {}]), "
                   ".c_i(in_data_i[{} +: {}]), .y_o(sums_o[{} +: {}]));\n",
                   adder.parameters(), lsb, adder.width, MaxWidth, adder.width, 2 * MaxWidth,
                   adder.width, lsb, adder.width);
    lsb += adder.width;
  }
  return text + "endmodule\n`default_nettype wire\n";
}

/// The module that cosim/ drives.
std::string make_top(const Row& row) {
  return fmt::format(
      "`default_nettype none\n"
      "module add3_row (\n"
      "  input  wire          clk_i,\n"
      "  input  wire          rst_i,\n"
      "  input  wire          in_valid_i,\n"
      "  input  wire  [{}:0]  in_data_i,\n"
      "  output logic         out_valid_o,\n"
      "  output logic [{}:0]  out_data_o\n"
      ");\n"
      "  logic unused;\n"
      "  assign unused      = clk_i ^ rst_i;\n"
      "  assign out_valid_o = in_valid_i;\n"
      "  assign out_data_o[{}:{}] = '0;\n"
      "  add3_core u_core (.in_data_i, .sums_o(out_data_o[{}:0]));\n"
      "endmodule\n`default_nettype wire\n",
      3 * MaxWidth - 1, row.words() * 64 - 1, row.words() * 64 - 1, row.bits(), row.bits() - 1);
}

cosim::Design write_design(const Row& row, const fs::path& folder) {
  check(row.bits() % 64 != 0, "a padded last word");
  write_text(folder / "add3_core.sv", make_core(row));
  write_text(folder / "add3_row.sv", make_top(row));
  return {.sources = {library_file(), folder / "add3_core.sv", folder / "add3_row.sv"},
          .include_dirs = {library_file().parent_path()},
          .top = "add3_row",
          .inputs = {{"in", {NumInputs, 1, 3, {true, MaxWidth, 0}, 1}}},
          .outputs = {{"out", {NumInputs, 1, row.words(), {true, 64, 0}, 1}}}};
}

/// Operands: every combination of extreme ones, then random ones.
std::vector<int64_t> make_operands() {
  const int64_t highest = (int64_t{1} << (MaxWidth - 1)) - 1;
  const std::vector<int64_t> extremes{0, 1, -1, highest, -highest - 1};
  std::vector<int64_t> operands;
  for (const int64_t a : extremes)
    for (const int64_t b : extremes)
      for (const int64_t c : extremes)
        operands.insert(operands.end(), {a, b, c});
  std::mt19937_64 random(1);
  while (std::ssize(operands) < 3 * NumInputs)
    operands.push_back(static_cast<int64_t>(random() << (64 - MaxWidth)) >> (64 - MaxWidth));
  return operands;
}

void check_sums(const Row& row, const cosim::Design& design, cosim::Simulator simulator,
                const fs::path& folder) {
  const auto simulation = cosim::Simulation::build(design, simulator, folder);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const std::vector<int64_t> operands = make_operands();
  IntTensor frame{{NumInputs, 1, 3}, {operands.begin(), operands.end()}};
  const auto measured = simulation->run({{frame}}, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  auto word = measured->outputs[0][0].data.begin();
  for (size_t i = 0; i < operands.size(); i += 3) {
    cosim::Beat sums(row.words() * 64);
    for (int64_t k = 0; k < row.words(); ++k)
      sums.set(k * 64, 64, static_cast<uint64_t>(*word++));
    int64_t lsb = 0;
    for (const Adder& adder : row.adders) {
      ASSERT_EQ(sums.get(lsb, adder.width), adder.expected(static_cast<uint64_t>(operands[i]),
                                                           static_cast<uint64_t>(operands[i + 1]),
                                                           static_cast<uint64_t>(operands[i + 2])))
          << adder.parameters() << ": " << operands[i] << ", " << operands[i + 1] << ", "
          << operands[i + 2];
      lsb += adder.width;
    }
  }
}

TEST(MrAdd3, AddsInVerilator) {
  const testing::ScratchDirectory scratch("mr_add3_verilator");
  const Row row;
  check_sums(row, write_design(row, scratch.path()), cosim::Simulator::Verilator, scratch.path());
}

TEST(MrAdd3, AddsInIcarus) {
  const testing::ScratchDirectory scratch("mr_add3_icarus");
  const Row row;
  check_sums(row, write_design(row, scratch.path()), cosim::Simulator::Icarus, scratch.path());
}

TEST(MrAdd3, AddsAfterSynthesisAndTakesALutForEachBit) {
  const testing::ScratchDirectory scratch("mr_add3_synthesis");
  const Row row;
  const cosim::Design design = write_design(row, scratch.path());
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const fs::path netlist = scratch.path() / "netlist.v";
  const auto area = synth::synthesize({.sources = {design.sources[0], design.sources[1]},
                                       .include_dirs = design.include_dirs,
                                       .top = "add3_core",
                                       .part = *part,
                                       .netlist = netlist,
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  int64_t carry_blocks = 0;
  for (const Adder& adder : row.adders)
    carry_blocks += (adder.width + 7) / 8;
  EXPECT_EQ(*area, (synth::Area{.lut = row.bits(), .carry = carry_blocks}));

  const auto models = synth::find_cell_models();
  ASSERT_TRUE(models.has_value()) << models.error().to_string();
  cosim::Design mapped = cosim::netlist_design(design, netlist, *models);
  mapped.sources.push_back(design.sources.back());
  check_sums(row, mapped, cosim::Simulator::Verilator, scratch.path());
}

}  // namespace
}  // namespace millrace
