// SPDX-License-Identifier: Apache-2.0
// Three-input adders of a datapath as they are emitted, with every kind of term, against the
// datapath's own evaluation: simulated, and simulated after synthesis.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/datapath.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"
#include "millrace/verilog/emit_datapath.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using dataflow::Add3Node;
using dataflow::Datapath;
using dataflow::NodeId;

constexpr int64_t NumInputs = 300;
constexpr int64_t NumAdders = 60;
constexpr int InputBits = 32;
constexpr int WordBits = 64;

/// (x + (y << shift)) + z - (y << shift): narrower than what it adds up.
void append_cancelling_sum(Datapath& path, NodeId x, NodeId y, NodeId z, int shift) {
  const NodeId wide = path.add({.a = x, .b = y, .shift_b = shift});
  const NodeId sum = path.add3({{{{.node = wide}, {.node = z}, {y, shift, true}}}});
  path.narrow(sum, path.node(x).lo + path.node(z).lo, path.node(x).hi + path.node(z).hi);
  path.outputs.push_back({sum, path.node(sum).type()});
}

/// Sums of inputs, signed and unsigned, of constants, and of sums; an output each.
Datapath random_sums(std::mt19937_64& random) {
  Datapath path;
  std::vector<NodeId> nodes;
  for (const FixedType type :
       {FixedType{true, 8, 0}, FixedType{false, 6, 0}, FixedType{true, 1, 0},
        FixedType{false, 1, 0}, FixedType{true, 12, 0}, FixedType{false, 4, 0}})
    nodes.push_back(path.input(type));
  for (const Int128 value : {0, 1, -1, 100})
    nodes.push_back(path.constant(value));
  for (int i = 0; i < NumAdders; ++i) {
    Add3Node add;
    for (Add3Node::Term& term : add.terms)
      term = {.node = nodes[random() % nodes.size()],
              .shift = static_cast<int>(random() % 9),
              .subtract = random() % 3 == 0};
    if (random() % 4 != 0)  // mostly something begins at the lowest position
      add.terms[random() % 3].shift = 0;
    add.terms[random() % 3].subtract = false;
    const NodeId sum = path.add3(add);
    path.outputs.push_back({sum, path.node(sum).type()});
    if (path.node(sum).type().width < 24)
      nodes.push_back(sum);
  }
  append_cancelling_sum(path, nodes[0], nodes[4], nodes[1], 0);
  append_cancelling_sum(path, nodes[2], nodes[4], nodes[3], 2);
  return path;
}

int64_t output_bits(const Datapath& path) {
  int64_t bits = 0;
  for (const Datapath::Output& output : path.outputs)
    bits += output.type.width;
  return bits;
}

int64_t output_words(const Datapath& path) {
  return output_bits(path) / WordBits + 1;
}

void write_text(const fs::path& path, const std::string& text) {
  const Status written = write_file(path, text);
  check(written.has_value(), "a test's file cannot be written");
}

/// The module that cosim/ drives: the sums stand one after the other.
std::string make_top(const Datapath& path) {
  const int64_t top_bit = output_words(path) * WordBits - 1;
  return fmt::format(
      "`default_nettype none\n"
      "module sums_top (\n"
      "  input  wire         clk_i,\n"
      "  input  wire         rst_i,\n"
      "  input  wire         in_valid_i,\n"
      "  input  wire  [{}:0] in_data_i,\n"
      "  output logic        out_valid_o,\n"
      "  output logic [{}:0] out_data_o\n"
      ");\n"
      "  logic unused;\n"
      "  assign unused      = clk_i ^ rst_i;\n"
      "  assign out_valid_o = in_valid_i;\n"
      "  assign out_data_o[{}:{}] = '0;\n"
      "  sums u_sums (.in_data_i, .out_data_o(out_data_o[{}:0]));\n"
      "endmodule\n`default_nettype wire\n",
      InputBits - 1, top_bit, top_bit, output_bits(path), output_bits(path) - 1);
}

cosim::Design write_design(const Datapath& path, const fs::path& folder) {
  const fs::path library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  write_text(folder / "sums.sv", print(verilog::emit_datapath(path, "sums", "Sums of three.")));
  write_text(folder / "sums_top.sv", make_top(path));
  return {.sources = {library / "mr_add3.sv", folder / "sums.sv", folder / "sums_top.sv"},
          .include_dirs = {library},
          .top = "sums_top",
          .inputs = {{"in", {NumInputs, 1, 1, {false, InputBits, 0}, 1}}},
          .outputs = {{"out", {NumInputs, 1, output_words(path), {true, WordBits, 0}, 1}}}};
}

/// The datapath's inputs within the bits of a beat.
std::vector<Int128> inputs_of(const Datapath& path, uint64_t beat) {
  std::vector<Int128> inputs;
  for (const dataflow::Node& node : path.nodes()) {
    if (!std::holds_alternative<dataflow::InputNode>(node.kind))
      continue;
    const FixedType type = node.type();
    const uint64_t raw = beat & ((uint64_t{1} << type.width) - 1);
    const bool is_negative = type.is_signed && (raw >> (type.width - 1)) != 0;
    inputs.push_back(Int128{raw} - (is_negative ? Int128{1} << type.width : Int128{0}));
    beat >>= type.width;
  }
  return inputs;
}

void check_sums(const Datapath& path, const cosim::Design& design, cosim::Simulator simulator,
                const fs::path& folder) {
  const auto simulation = cosim::Simulation::build(design, simulator, folder);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  std::mt19937_64 random(2);
  IntTensor frame{{NumInputs, 1, 1}, {0, 0xffffffff}};
  while (std::ssize(frame.data) < NumInputs)
    frame.data.push_back(static_cast<int64_t>(random() & 0xffffffff));
  const auto measured = simulation->run({{frame}}, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  auto word = measured->outputs[0][0].data.begin();
  for (const int64_t beat : frame.data) {
    cosim::Beat sums(output_words(path) * WordBits);
    for (int64_t k = 0; k < output_words(path); ++k)
      sums.set(k * WordBits, WordBits, static_cast<uint64_t>(*word++));
    const std::vector<Int128> expected =
        path.evaluate(inputs_of(path, static_cast<uint64_t>(beat)));
    int64_t lsb = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const int width = path.outputs[i].type.width;
      ASSERT_EQ(sums.get(lsb, width),
                static_cast<uint64_t>(expected[i]) & ((uint64_t{1} << width) - 1))
          << "sum " << i << " of " << beat;
      lsb += width;
    }
  }
}

class ThreeInputAdders : public ::testing::TestWithParam<int> {};

TEST_P(ThreeInputAdders, AreEmittedAsTheDatapathComputesThem) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const Datapath path = random_sums(random);
  const testing::ScratchDirectory scratch("add3_datapath_" + std::to_string(GetParam()));
  const cosim::Design design = write_design(path, scratch.path());
  check_sums(path, design, cosim::Simulator::Verilator, scratch.path() / "verilator");
  check_sums(path, design, cosim::Simulator::Icarus, scratch.path() / "icarus");
}

INSTANTIATE_TEST_SUITE_P(Seeds, ThreeInputAdders, ::testing::Range(0, 2));

TEST(ThreeInputAddersAtGates, AreSynthesisedAsTheDatapathComputesThem) {
  std::mt19937_64 random(10);
  const Datapath path = random_sums(random);
  const testing::ScratchDirectory scratch("add3_datapath_synthesis");
  const cosim::Design design = write_design(path, scratch.path());
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const fs::path netlist = scratch.path() / "netlist.v";
  const auto area = synth::synthesize({.sources = {design.sources[0], design.sources[1]},
                                       .include_dirs = design.include_dirs,
                                       .top = "sums",
                                       .part = *part,
                                       .netlist = netlist,
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  const auto models = synth::find_cell_models();
  ASSERT_TRUE(models.has_value()) << models.error().to_string();
  cosim::Design mapped = cosim::netlist_design(design, netlist, *models);
  mapped.sources.push_back(design.sources.back());
  check_sums(path, mapped, cosim::Simulator::Verilator, scratch.path() / "gates");
}

}  // namespace
}  // namespace millrace
