// SPDX-License-Identifier: Apache-2.0
// Emitted adder graphs against the matrix product: simulated with Verilator and Icarus, and proven
// by Yosys.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/adders/certificate.h"
#include "millrace/adders/multiply_matrix.h"
#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/adder_datapath.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/support/subprocess.h"
#include "millrace/verilog/emit_datapath.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using adders::AdderGraph;
using adders::Matrix;
using adders::Range;
using dataflow::Datapath;
using dataflow::Node;

constexpr int WordBits = 64;

const Range SignedByte{-128, 127};
const Range UnsignedByte{0, 255};

/// An adder graph as a module of its own.
struct Block {
  std::string name;
  Matrix matrix;
  std::vector<Range> ranges;
  AdderGraph graph;
  Datapath datapath;

  /// The type of each input or output, in the order of the ports.
  std::vector<FixedType> input_types() const {
    std::vector<FixedType> types;
    for (const Node& node : datapath.nodes())
      if (std::holds_alternative<dataflow::InputNode>(node.kind))
        types.push_back(node.type());
    return types;
  }
  std::vector<FixedType> output_types() const {
    std::vector<FixedType> types;
    for (const Datapath::Output& output : datapath.outputs)
      types.push_back(output.type);
    return types;
  }
  std::string text() const { return print(verilog::emit_datapath(datapath, name, "A test.")); }
};

int64_t total_bits(const std::vector<FixedType>& types) {
  int64_t bits = 0;
  for (const FixedType& type : types)
    bits += type.width;
  return bits;
}

Block make_block(std::string name, Matrix matrix, std::vector<Range> ranges, AdderGraph graph,
                 bool is_pipelined) {
  const adders::Certificate certificate = certify(graph, matrix, ranges);
  check(certificate.holds(), certificate.failure);
  Datapath datapath = dataflow::adder_datapath(graph, ranges);
  const dataflow::DelayModel delays{.family = "test",
                                    .register_ps = 500,
                                    .lut_ps = 100,
                                    .adder_base_ps = 400,
                                    .adder_per_bit_ps = 10,
                                    .memory_read_ps = 500};
  if (is_pipelined)
    check(datapath.pipeline(delays, 1.8, 0, 0, "").has_value(), "the test's clock is too fast");
  return {std::move(name), std::move(matrix), std::move(ranges), std::move(graph),
          std::move(datapath)};
}

Block make_block(const std::string& name, const Matrix& matrix, const std::vector<Range>& ranges,
                 bool is_pipelined) {
  return make_block(name, matrix, ranges, adders::multiply_matrix(matrix, ranges).value(),
                    is_pipelined);
}

Matrix random_matrix(int rows, int columns, int64_t lo, int64_t hi, uint64_t seed) {
  std::mt19937_64 random(seed);
  Matrix matrix{.rows = rows, .columns = columns, .entries = {}};
  for (int i = 0; i < rows * columns; ++i)
    matrix.entries.push_back(lo +
                             static_cast<int64_t>(random() % static_cast<uint64_t>(hi - lo + 1)));
  return matrix;
}

void write_text(const fs::path& path, const std::string& text) {
  check(write_file(path, text).has_value(), "a test's file cannot be written");
}

// ---- Simulation

/// What users may multiply by: dense, negated, shifted and zero rows, inputs that nobody reads,
/// that are constant or of other types, results up to 64 bits. Each with and without registers.
std::vector<Block> make_blocks() {
  std::vector<Block> blocks;
  const auto add = [&](const Matrix& matrix, const std::vector<Range>& ranges) {
    for (const bool is_pipelined : {false, true})
      blocks.push_back(
          make_block(fmt::format("block_{}", blocks.size()), matrix, ranges, is_pipelined));
  };
  add(random_matrix(4, 6, -128, 127, 1), std::vector<Range>(6, SignedByte));
  add(random_matrix(5, 3, -8, 7, 2), std::vector<Range>(3, UnsignedByte));
  add(random_matrix(3, 9, -1, 1, 3), std::vector<Range>(9, SignedByte));
  add(random_matrix(2, 3, -(1 << 23), (1 << 23) - 1, 4),
      {{-(int64_t{1} << 36), (int64_t{1} << 36) - 1}, UnsignedByte, {-1000, -900}});
  // Zero, negated, shifted, and equal rows; the last input is read by nobody.
  add({6, 3, {0, 0, 0, -3, -5, 0, 8, 0, 0, -16, 0, 0, 3, 5, 0, 0, -1, 0}},
      {SignedByte, {-3, 200}, UnsignedByte});
  // Constant inputs, zero too.
  add({3, 4, {7, -9, 5, 1, 0, 3, 0, 0, 0, 1, 0, 11}}, {SignedByte, {-6, -6}, {0, 0}, {0, 1}});
  add({1, 1, {1}}, {SignedByte});
  add({1, 1, {-1}}, {{0, 1}});
  add({1, 1, {0}}, {SignedByte});
  return blocks;
}

/// A module that feeds all blocks side by side, and holds the quick ones' results back until the
/// slowest are there.
std::string make_top(const std::vector<Block>& blocks, int64_t in_words, int64_t out_words) {
  int latency = 1;
  for (const Block& block : blocks)
    latency = std::max(latency, block.datapath.latency_cycles());
  std::string text = fmt::format(
      "`default_nettype none\nmodule blocks (\n  input  wire clk_i,\n  input  wire rst_i,\n"
      "  input  wire in_valid_i,\n  input  wire [{}:0] in_data_i,\n  output wire out_valid_o,\n"
      "  output wire [{}:0] out_data_o\n);\n  logic [{}:0] valid_q;\n"
      "  always_ff @(posedge clk_i) valid_q <= rst_i ? '0 : {{valid_q[{}:0], in_valid_i}};\n"
      "  assign out_valid_o = valid_q[{}];\n",
      in_words * WordBits - 1, out_words * WordBits - 1, latency, latency - 1, latency - 1);
  text += "  wire unused = valid_q[" + std::to_string(latency) + "] ^ (^in_data_i);\n";
  int64_t in_bit = 0, out_bit = 0;
  for (const Block& block : blocks) {
    const int64_t in_bits = total_bits(block.input_types());
    const int64_t out_bits = total_bits(block.output_types());
    const int delay = latency - block.datapath.latency_cycles();
    text += fmt::format("  wire [{}:0] {}_d0;\n", out_bits - 1, block.name);
    text += fmt::format(
        "  {0} u_{0} ({1}.in_data_i(in_data_i[{2} +: {3}]), .out_data_o({0}_d0));\n", block.name,
        verilog::has_registers(block.datapath) ? ".clk_i(clk_i), " : "", in_bit, in_bits);
    for (int i = 1; i <= delay; ++i)
      text +=
          fmt::format("  logic [{}:0] {}_d{};\n  always_ff @(posedge clk_i) {}_d{} <= {}_d{};\n",
                      out_bits - 1, block.name, i, block.name, i, block.name, i - 1);
    text += fmt::format("  assign out_data_o[{} +: {}] = {}_d{};\n", out_bit, out_bits, block.name,
                        delay);
    in_bit += in_bits;
    out_bit += out_bits;
  }
  if (out_bit < out_words * WordBits)
    text += fmt::format("  assign out_data_o[{}:{}] = '0;\n", out_words * WordBits - 1, out_bit);
  return text + "endmodule\n`default_nettype wire\n";
}

/// Some input vector of a block: at a corner of its ranges, or anywhere within.
std::vector<Int128> random_inputs(const Block& block, int round, std::mt19937_64& random) {
  std::vector<Int128> inputs;
  for (const Range& range : block.ranges) {
    const auto span = static_cast<uint64_t>(range.hi - range.lo);
    const uint64_t step = round == 0   ? 0
                          : round == 1 ? span
                          : round < 40 ? (random() % 2 == 0 ? 0 : span)
                                       : random() % (span + 1);
    inputs.push_back(range.lo + static_cast<Int128>(step));
  }
  return inputs;
}

std::vector<Int128> product(const Block& block, const std::vector<Int128>& inputs) {
  std::vector<Int128> rows;
  for (int row = 0; row < block.matrix.rows; ++row) {
    Int128 sum = 0;
    for (int column = 0; column < block.matrix.columns; ++column)
      sum += block.matrix.at(row, column) * inputs[static_cast<size_t>(column)];
    rows.push_back(sum);
  }
  return rows;
}

/// Appends values to the bits of a beat.
void pack(cosim::Beat& beat, int64_t& bit, const std::vector<FixedType>& types,
          const std::vector<Int128>& values) {
  for (size_t i = 0; i < types.size(); ++i) {
    beat.set(bit, types[i].width, static_cast<uint64_t>(values[i]));
    bit += types[i].width;
  }
}

/// Appends a beat to a frame, word by word.
void append(IntTensor& frame, const cosim::Beat& beat, int64_t num_words) {
  for (int64_t word = 0; word < num_words; ++word)
    frame.data.push_back(static_cast<int64_t>(beat.get(word * WordBits, WordBits)));
}

void check_blocks(cosim::Simulator simulator, const std::string& scratch_name) {
  constexpr int NumVectors = 400;
  const testing::ScratchDirectory scratch(scratch_name);
  const std::vector<Block> blocks = make_blocks();
  int64_t in_bits = 0, out_bits = 0;
  for (const Block& block : blocks) {
    in_bits += total_bits(block.input_types());
    out_bits += total_bits(block.output_types());
  }
  const int64_t in_words = (in_bits + WordBits - 1) / WordBits;
  const int64_t out_words = (out_bits + WordBits - 1) / WordBits;
  const FixedType word{true, WordBits, 0};
  cosim::Design design{.sources = {},
                       .include_dirs = {},
                       .top = "blocks",
                       .inputs = {{"in", {NumVectors, 1, in_words, word, 1}}},
                       .outputs = {{"out", {NumVectors, 1, out_words, word, 1}}}};
  for (const Block& block : blocks) {
    design.sources.push_back(scratch.path() / (block.name + ".sv"));
    write_text(design.sources.back(), block.text());
  }
  design.sources.push_back(scratch.path() / "blocks.sv");
  write_text(design.sources.back(), make_top(blocks, in_words, out_words));

  std::mt19937_64 random(1);
  IntTensor inputs{{NumVectors, 1, in_words}, {}}, expected{{NumVectors, 1, out_words}, {}};
  for (int round = 0; round < NumVectors; ++round) {
    cosim::Beat in_beat(in_words * WordBits), out_beat(out_words * WordBits);
    int64_t in_bit = 0, out_bit = 0;
    for (const Block& block : blocks) {
      const std::vector<Int128> x = random_inputs(block, round, random);
      pack(in_beat, in_bit, block.input_types(), x);
      pack(out_beat, out_bit, block.output_types(), product(block, x));
    }
    append(inputs, in_beat, in_words);
    append(expected, out_beat, out_words);
  }
  const auto simulation = cosim::Simulation::build(design, simulator, scratch.path() / "work");
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  const auto measured = simulation->run({{inputs}}, cosim::Arrival::RandomGaps, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  EXPECT_EQ(measured->outputs[0][0].data, expected.data);
}

TEST(AdderModules, GiveTheProductInVerilator) {
  check_blocks(cosim::Simulator::Verilator, "adders_verilator");
}

TEST(AdderModules, GiveTheProductInIcarus) {
  check_blocks(cosim::Simulator::Icarus, "adders_icarus");
}

// ---- Proofs

/// The inputs of a block as signed wires x0, x1, ... of the golden module.
std::string golden_inputs(const Block& block, const char* prefix) {
  std::string text;
  int64_t bit = 0;
  int index = 0;
  for (const FixedType& type : block.input_types()) {
    text += fmt::format("  wire {}[{}:0] {}{} = in_data_i[{} +: {}];\n",
                        type.is_signed ? "signed " : "", type.width - 1, prefix, index++, bit,
                        type.width);
    bit += type.width;
  }
  return text;
}

std::string golden_module(const Block& block, const std::string& body) {
  return fmt::format(
      "module gold (input wire [{}:0] in_data_i, output wire [{}:0] out_data_o);\n{}endmodule\n",
      total_bits(block.input_types()) - 1, total_bits(block.output_types()) - 1, body);
}

/// y = W * x as one would write it. All inputs are signed.
std::string behavioural_product(const Block& block) {
  std::string body = golden_inputs(block, "x");
  int64_t bit = 0;
  for (int row = 0; row < block.matrix.rows; ++row) {
    const int width = block.output_types()[static_cast<size_t>(row)].width;
    std::string sum = "0";
    for (int column = 0; column < block.matrix.columns; ++column)
      sum += fmt::format(" + x{} * ({})", column, block.matrix.at(row, column));
    body += fmt::format("  wire signed [63:0] y{} = {};\n", row, sum);
    body += fmt::format("  assign out_data_o[{} +: {}] = y{}[{}:0];\n", bit, width, row, width - 1);
    bit += width;
  }
  return golden_module(block, body);
}

/// The adder graph itself in plain arithmetic of 32 bits, each value a net with the name and width
/// that it has in the emitted module.
std::string behavioural_graph(const Block& block) {
  const int num_inputs = block.graph.num_inputs;
  std::string body = golden_inputs(block, "n");
  const auto type = [&](int value) { return block.datapath.node(value).type(); };
  // Unsigned values get a sign bit: else the whole sum is unsigned.
  const auto operand = [&](int value, int shift) {
    return fmt::format("(32'({}) <<< {})",
                       type(value).is_signed ? fmt::format("n{}", value)
                                             : fmt::format("$signed({{1'b0, n{}}})", value),
                       shift);
  };
  for (size_t i = 0; i < block.graph.adders.size(); ++i) {
    const adders::Adder& adder = block.graph.adders[i];
    const int value = num_inputs + static_cast<int>(i);
    body += fmt::format("  wire signed [31:0] exact{} = {} {} {};\n", value,
                        operand(adder.a, adder.shift_a), adder.subtract ? '-' : '+',
                        operand(adder.b, adder.shift_b));
    body += fmt::format("  wire {}[{}:0] n{} = exact{};\n", type(value).is_signed ? "signed " : "",
                        type(value).width - 1, value, value);
  }
  int64_t bit = 0;
  for (size_t row = 0; row < block.graph.rows.size(); ++row) {
    const adders::RowSum& sum = block.graph.rows[row];
    const int width = block.output_types()[row].width;
    body +=
        fmt::format("  wire signed [31:0] y{} = {}{};\n", row, sum.negate ? "-" : "",
                    sum.value == adders::RowSum::Zero ? "32'sd0" : operand(sum.value, sum.shift));
    body += fmt::format("  assign out_data_o[{} +: {}] = y{}[{}:0];\n", bit, width, row, width - 1);
    bit += width;
  }
  return golden_module(block, body);
}

/// Runs Yosys on the golden module and the block; true when `proof` holds. Registers become wires:
/// that all ways through a pipeline are of equal length is for the simulators to see.
bool is_proven(const Block& block, const std::string& golden, const std::string& proof) {
  const testing::ScratchDirectory scratch("adders_proof_" + block.name);
  write_text(scratch.path() / "gold.sv", golden);
  write_text(scratch.path() / "gate.sv", block.text());
  write_text(scratch.path() / "wires.v",
             "(* techmap_celltype = \"$dff\" *)\nmodule wires (CLK, D, Q);\n"
             "  parameter CLK_POLARITY = 1;\n  parameter WIDTH = 1;\n  input CLK;\n"
             "  input [WIDTH-1:0] D;\n  output [WIDTH-1:0] Q;\n  assign Q = D;\nendmodule\n");
  const std::string script = fmt::format(
      "read_verilog -sv gold.sv gate.sv; proc; techmap -map wires.v {0}; "
      "delete -port {0}/clk_i; select -assert-none t:$dff; rename {0} gate; {1}",
      block.name, proof);
  const auto result = run_process("yosys", {"-p", script},
                                  {.working_directory = scratch.path(), .timeout_seconds = 200});
  check(result.has_value(), result ? "" : result.error().message);
  const bool is_refuted = result->output.find("proof did fail") != std::string::npos ||
                          result->output.find("unproven $equiv cells in") != std::string::npos;
  // Any other failure is one of the test, not of the block.
  EXPECT_TRUE(result->exit_code == 0 || is_refuted) << result->output;
  return result->exit_code == 0;
}

/// The whole module against W * x, all bits at once.
bool is_proven_product(const Block& block) {
  return is_proven(block, behavioural_product(block),
                   "miter -equiv -flatten gold gate miter; hierarchy -top miter; opt -full; "
                   "sat -verify -prove trigger 0 miter");
}

/// Each value of the module against its own sum, given that the values before are right: sums that
/// no solver reorders. That the sums add up to W * x is what the certificate proves.
bool is_proven_graph(const Block& block) {
  return is_proven(block, behavioural_graph(block),
                   "opt -full; equiv_make gold gate equal; hierarchy -top equal; equiv_simple; "
                   "equiv_status -assert");
}

#define SKIP_WITHOUT_YOSYS()  \
  if (!find_program("yosys")) \
  GTEST_SKIP() << "yosys is not installed"

TEST(AdderModules, AreProvenToBeTheProduct) {
  SKIP_WITHOUT_YOSYS();
  const Range nibble{-8, 7};
  for (const bool is_pipelined : {false, true}) {
    EXPECT_TRUE(is_proven_product(make_block("dense", random_matrix(3, 3, -8, 7, 1),
                                             std::vector<Range>(3, nibble), is_pipelined)));
    EXPECT_TRUE(is_proven_product(make_block("special", {4, 2, {0, 0, -3, -5, 8, 0, 0, -7}},
                                             std::vector<Range>(2, nibble), is_pipelined)));
  }
  EXPECT_TRUE(is_proven_product(make_block("large", random_matrix(4, 4, -8, 7, 2),
                                           std::vector<Range>(4, Range{-4, 3}), false)));
  EXPECT_TRUE(is_proven_product(make_block("wider", random_matrix(3, 2, -128, 127, 3),
                                           std::vector<Range>(2, Range{-32, 31}), false)));
}

TEST(AdderModules, AProofFailsForAModuleThatIsWrongByOneShift) {
  SKIP_WITHOUT_YOSYS();
  Block block = make_block("dense", random_matrix(3, 3, -8, 7, 1),
                           std::vector<Range>(3, Range{-8, 7}), false);
  adders::Adder& adder = block.graph.adders.back();
  (adder.shift_b > 0 ? adder.shift_b : adder.shift_a) += 1;
  Datapath mutant = dataflow::adder_datapath(block.graph, block.ranges);
  for (size_t row = 0; row < mutant.outputs.size(); ++row)
    mutant.outputs[row].type = block.datapath.outputs[row].type;
  block.datapath = std::move(mutant);
  EXPECT_FALSE(is_proven_product(block));
}

TEST(AdderModules, AreProvenSumBySum) {
  SKIP_WITHOUT_YOSYS();
  for (const bool is_pipelined : {false, true}) {
    const Block dense = make_block("dense", random_matrix(8, 8, -128, 127, 1),
                                   std::vector<Range>(8, SignedByte), is_pipelined);
    EXPECT_TRUE(is_proven_graph(dense));
    EXPECT_TRUE(
        is_proven_graph(make_block("mixed", random_matrix(4, 4, -8, 7, 2),
                                   {SignedByte, UnsignedByte, {0, 1}, {-100, 3}}, is_pipelined)));
  }
}

TEST(AdderModules, AProofSumBySumFailsForOneSumThatIsWrong) {
  SKIP_WITHOUT_YOSYS();
  Block block = make_block("dense", random_matrix(4, 4, -128, 127, 1),
                           std::vector<Range>(4, SignedByte), false);
  adders::Adder& adder = block.graph.adders.front();
  adder.subtract = !adder.subtract;
  EXPECT_FALSE(is_proven_graph(block));
}

}  // namespace
}  // namespace millrace
