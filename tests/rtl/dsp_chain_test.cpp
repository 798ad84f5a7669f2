// SPDX-License-Identifier: Apache-2.0
// rtl/mr_dsp_chain.sv: its primitive form, over a model of the block, and its behavioural twin
// against the plain sum of products; at small widths with all values.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/circuit_files.h"
#include "tests/support/yosys_proof.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using testing::library_source;
using testing::Mutation;

constexpr int WordBits = 64;

struct Sizes {
  int blocks = 1, x_bits = 18, w_bits = 27;
};

/// The operands of one sum, by block.
struct Operands {
  std::vector<int64_t> x, w;
};

/// The module that cosim/ drives: a word for each operand in, a word for the sum of each form out.
/// It gives each block its operands as late as the module asks for them.
std::string make_top(const Sizes& s) {
  return fmt::format(
      "`default_nettype none\n"
      "module chain_top (\n"
      "  input  wire clk_i, input wire rst_i, input wire in_valid_i,\n"
      "  input  wire [{in_bits}:0] in_data_i, output logic out_valid_o,\n"
      "  output logic [127:0] out_data_o);\n"
      "  logic [{blocks}*{x}-1:0] x;\n"
      "  logic [{blocks}*{w}-1:0] w;\n"
      "  logic [47:0] of_blocks, of_twin;\n"
      "  logic unused;\n"
      "  assign unused = ^in_data_i;\n"
      "  for (genvar k = 0; k < {blocks}; k = k + 1) begin : gen_block\n"
      "    logic [127:0] delayed [0:k];\n"
      "    assign delayed[0] = in_data_i[128*k +: 128];\n"
      "    for (genvar i = 1; i <= k; i = i + 1) begin : gen_delay\n"
      "      always_ff @(posedge clk_i) delayed[i] <= delayed[i-1];\n"
      "    end\n"
      "    logic unused_delayed;\n"
      "    assign unused_delayed = ^delayed[k];\n"
      "    assign x[{x}*k +: {x}] = delayed[k][0 +: {x}];\n"
      "    assign w[{w}*k +: {w}] = delayed[k][64 +: {w}];\n"
      "  end\n"
      "  mr_dsp_chain #(.Blocks({blocks}), .XBits({x}), .WBits({w}), .PBits(48), .Primitive(1))\n"
      "    u_primitive (.clk_i, .x_i(x), .w_i(w), .p_o(of_blocks));\n"
      "  mr_dsp_chain #(.Blocks({blocks}), .XBits({x}), .WBits({w}), .PBits(48), .Primitive(0))\n"
      "    u_twin (.clk_i, .x_i(x), .w_i(w), .p_o(of_twin));\n"
      "  mr_delay #(.Cycles({blocks} + 2)) u_valid (.clk_i, .rst_i, .in_i(in_valid_i),\n"
      "    .out_o(out_valid_o));\n"
      "  assign out_data_o = {{64'($signed(of_twin)), 64'($signed(of_blocks))}};\n"
      "endmodule\n`default_nettype wire\n",
      fmt::arg("in_bits", 2 * WordBits * s.blocks - 1), fmt::arg("blocks", s.blocks),
      fmt::arg("x", s.x_bits), fmt::arg("w", s.w_bits));
}

/// What both forms give for the operands: the sums of the primitive form, then those of the twin.
std::pair<std::vector<int64_t>, std::vector<int64_t>> simulate(
    const Sizes& sizes, const std::vector<Operands>& operands, const std::string& module_text,
    const std::string& name) {
  const testing::ScratchDirectory scratch(name);
  const fs::path root = MILLRACE_SOURCE_DIR;
  check(write_file(scratch.path() / "chain_top.sv", make_top(sizes)).has_value() &&
            write_file(scratch.path() / "mr_dsp_chain.sv", module_text).has_value(),
        "a test's file cannot be written");
  const int64_t words = 2 * sizes.blocks;
  const auto cycles = std::ssize(operands);
  cosim::Design design;
  design.sources = {root / "tests" / "rtl" / "dsp48e2.v", root / "rtl" / "mr_delay.sv",
                    scratch.path() / "mr_dsp_chain.sv", scratch.path() / "chain_top.sv"};
  design.include_dirs = {root / "rtl"};
  design.top = "chain_top";
  design.inputs = {{"in", {1, cycles, words, {true, WordBits, 0}, 1}}};
  design.outputs = {{"out", {1, cycles, 2, {true, WordBits, 0}, 1}}};
  design.is_netlist = true;  // of the vendor's cell, whose pins are not all connected
  IntTensor frame{{1, cycles, words}, {}};
  for (const Operands& of_sum : operands)
    for (size_t block = 0; block < of_sum.x.size(); ++block) {
      frame.data.push_back(of_sum.x[block]);
      frame.data.push_back(of_sum.w[block]);
    }
  const auto simulation =
      cosim::Simulation::build(design, cosim::Simulator::Verilator, scratch.path() / "sim");
  check(simulation.has_value(), simulation ? "" : simulation.error().to_string());
  const auto measured = simulation->run({{frame}}, cosim::Arrival::RandomGaps, 1);
  check(measured.has_value(), measured ? "" : measured.error().to_string());
  std::pair<std::vector<int64_t>, std::vector<int64_t>> sums;
  const std::vector<int64_t>& data = measured->outputs[0][0].data;
  for (size_t i = 0; i < data.size(); i += 2) {
    sums.first.push_back(data[i]);
    sums.second.push_back(data[i + 1]);
  }
  return sums;
}

std::vector<int64_t> plain_sums(const std::vector<Operands>& operands) {
  std::vector<int64_t> sums;
  for (const Operands& of_sum : operands) {
    int64_t sum = 0;
    for (size_t block = 0; block < of_sum.x.size(); ++block)
      sum += of_sum.x[block] * of_sum.w[block];
    sums.push_back(sum);
  }
  return sums;
}

/// All operands of two small blocks.
std::vector<Operands> all_small(const Sizes& sizes) {
  std::vector<Operands> all;
  const int64_t x_half = int64_t{1} << (sizes.x_bits - 1);
  const int64_t w_half = int64_t{1} << (sizes.w_bits - 1);
  for (int64_t x0 = -x_half; x0 < x_half; ++x0)
    for (int64_t w0 = -w_half; w0 < w_half; ++w0)
      for (int64_t x1 = -x_half; x1 < x_half; ++x1)
        for (int64_t w1 = -w_half; w1 < w_half; ++w1)
          all.push_back({{x0, x1}, {w0, w1}});
  return all;
}

TEST(MrDspChain, BothFormsAreTheSumOfProductsForAllSmallValues) {
  const Sizes sizes{.blocks = 2, .x_bits = 3, .w_bits = 4};
  const std::vector<Operands> operands = all_small(sizes);
  const auto [primitive, twin] =
      simulate(sizes, operands, library_source("mr_dsp_chain.sv"), "mr_dsp_chain_small");
  EXPECT_EQ(primitive, plain_sums(operands));
  EXPECT_EQ(twin, plain_sums(operands));
}

TEST(MrDspChain, BothFormsAreTheSumOfProductsAtFullWidth) {
  const Sizes sizes{.blocks = 9};
  std::mt19937_64 random(1);
  const auto draw = [&](int bits) {
    const int64_t half = int64_t{1} << (bits - 1);
    const uint64_t choice = random() % 8;
    return choice == 0 ? -half
           : choice == 1
               ? half - 1
               : static_cast<int64_t>(random() % (2 * static_cast<uint64_t>(half))) - half;
  };
  std::vector<Operands> operands;
  for (int i = 0; i < 2000; ++i) {
    Operands& of_sum = operands.emplace_back();
    for (int block = 0; block < sizes.blocks; ++block) {
      of_sum.x.push_back(draw(sizes.x_bits));
      of_sum.w.push_back(draw(sizes.w_bits));
    }
  }
  operands.push_back({std::vector<int64_t>(9, -(1 << 17)),
                      std::vector<int64_t>(9, -(1 << 26))});  // the largest sum there is
  const auto [primitive, twin] =
      simulate(sizes, operands, library_source("mr_dsp_chain.sv"), "mr_dsp_chain_full");
  EXPECT_EQ(primitive, plain_sums(operands));
  EXPECT_EQ(twin, plain_sums(operands));
}

class MrDspChainMutation : public ::testing::TestWithParam<Mutation> {};

TEST_P(MrDspChainMutation, IsNoticed) {
  const std::string text = GetParam().apply(library_source("mr_dsp_chain.sv"));
  const Sizes sizes{.blocks = 2, .x_bits = 2, .w_bits = 2};
  const std::vector<Operands> operands = all_small(sizes);
  const auto [primitive, twin] =
      simulate(sizes, operands, text, std::string("mr_dsp_chain_") + GetParam().name);
  EXPECT_TRUE(primitive != plain_sums(operands) || twin != plain_sums(operands));
}

INSTANTIATE_TEST_SUITE_P(
    All, MrDspChainMutation,
    ::testing::Values(Mutation{"unsigned", "30'($signed(w_i[k*WBits +: WBits]))",
                               "30'(w_i[k*WBits +: WBits])"},
                      Mutation{"no_sum", "9'b00_001_01_01", "9'b00_000_01_01"},
                      Mutation{"own_sum", "9'b00_001_01_01", "9'b00_010_01_01"},
                      Mutation{"no_register", ".INMODEREG(0)", ".INMODEREG(0), .MREG(0)"},
                      Mutation{"twin", "below + m_q", "m_q"}),
    [](const auto& mutation) { return mutation.param.name; });

}  // namespace
}  // namespace millrace
