// SPDX-License-Identifier: Apache-2.0
// Accumulate stages on their own, as they are emitted, against the plain product: simulated with
// random gaps between the beats, and simulated after synthesis.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/support/circuit_files.h"

#include "millrace/cosim/beat.h"
#include "millrace/cosim/simulate.h"
#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/dataflow/circuit.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"
#include "millrace/verilog/emit.h"
#include "millrace/verilog/emit_accumulate.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using dataflow::AccumulateRequest;
using dataflow::AccumulateStage;

constexpr int64_t Results = 30;
constexpr int WordBits = 64;

void write_text(const fs::path& path, const std::string& text) {
  const Status written = write_file(path, text);
  check(written.has_value(), "a test's file cannot be written");
}

/// A stage, what it was made from, and how the test feeds it.
struct Case {
  AccumulateRequest request;
  AccumulateStage stage;
  int64_t in_bits = 0;
  int64_t in_words = 0;
  int64_t out_words = 0;
};

/// The shapes of a case.
struct Shape {
  int beats = 1, elements = 1, results = 1, phases = 1;
  bool held = false;
  int weight_bits = 4;  ///< 0: all weights are 0
  bool varied = false;  ///< signed elements, and ones without bits
  dataflow::BlockUse dsp = dataflow::BlockUse::Never;
};

Case make_case(const Shape& shape, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int lo, int hi) {
    return lo + static_cast<int>(random() % static_cast<uint64_t>(hi - lo + 1));
  };
  Case c;
  AccumulateRequest& request = c.request;
  request.map.rows = shape.results;
  request.map.columns = shape.beats * shape.elements;
  const int half = (1 << shape.weight_bits) / 2;
  for (int i = 0; i < request.map.rows * request.map.columns; ++i)
    request.map.entries.push_back(half == 0 || draw(0, 4) == 0 ? 0 : draw(-half, half - 1));
  for (int row = 0; row < shape.results; ++row)
    request.map.bias.push_back(draw(-1000, 1000));
  for (int element = 0; element < shape.elements; ++element) {
    request.elements.push_back({0, 255});
    if (shape.varied && draw(0, 2) == 0)
      request.elements.back() = {-draw(1, 100), draw(0, 60)};
    if (shape.varied && element > 0 && draw(0, 5) == 0)
      request.elements.back() = {0, 0};
    c.in_bits += dataflow::beat_width(request.elements.back());
  }
  for (int beat = 0; beat < shape.beats; ++beat) {
    request.columns.emplace_back();
    for (int element = 0; element < shape.elements; ++element)
      request.columns.back().push_back(
          shape.varied && draw(0, 7) == 0 ? -1 : beat * shape.elements + element);
  }
  request.sum_type = {.is_signed = true, .width = 22, .frac_bits = 0};
  request.phases = shape.phases;
  request.held = shape.held;
  request.dsp = shape.dsp;
  request.delays = dataflow::load_delay_model("xcu").value();
  auto stage = make_accumulate(request, "layer 'dense'");
  check(stage.has_value(), "a product that fits the clock");
  c.stage = std::move(*stage);
  c.in_words = c.in_bits / WordBits + 1;
  c.out_words = c.request.map.rows;
  return c;
}

/// The module that cosim/ drives. What it calls a frame's beats are a bit that says whether the
/// cycle brings a beat, and the beat; they come in every cycle, so that the gaps are those of the
/// test. Each result fills a word for each sum.
std::string make_top(const Case& c) {
  const int width = c.request.sum_type.width;
  std::string text = fmt::format(
      "`default_nettype none\n"
      "module accumulate_top (\n"
      "  input  wire          clk_i,\n"
      "  input  wire          rst_i,\n"
      "  input  wire          in_valid_i,\n"
      "  input  wire  [{}:0]  in_data_i,\n"
      "  output logic         out_valid_o,\n"
      "  output logic [{}:0]  out_data_o\n"
      ");\n"
      "  logic [{}:0] sums;\n"
      "  logic unused;\n"
      "  assign unused = ^in_data_i;\n"
      "  dense u_dense (.clk_i, .rst_i, .in_valid_i(in_valid_i && in_data_i[{}]),\n"
      "    .in_data_i(in_data_i[{}:0]), .out_valid_o, .out_data_o(sums));\n",
      c.in_words * WordBits - 1, c.out_words * WordBits - 1, c.request.map.rows * width - 1,
      c.in_words * WordBits - 1, c.in_bits - 1);
  for (int64_t i = 0; i < c.out_words; ++i)
    text += fmt::format("  assign out_data_o[{} +: {}] = {}'($signed(sums[{} +: {}]));\n",
                        i * WordBits, WordBits, WordBits, i * width, width);
  return text + "endmodule\n`default_nettype wire\n";
}

/// Cycles that bring beats or nothing, and the results that must follow.
struct Traffic {
  std::vector<int64_t> words;
  std::vector<int64_t> expected;
  int64_t cycles = 0;
};

Traffic make_traffic(const Case& c, uint64_t seed) {
  std::mt19937_64 random(seed);
  Traffic traffic;
  const auto add_cycle = [&](const cosim::Beat& beat) {
    for (int64_t word = 0; word < c.in_words; ++word)
      traffic.words.push_back(static_cast<int64_t>(beat.get(word * WordBits, WordBits)));
    ++traffic.cycles;
  };
  for (int64_t result = 0; result < Results; ++result) {
    std::vector<Int128> sums = c.request.map.bias;
    for (const std::vector<int>& columns : c.request.columns) {
      cosim::Beat beat = cosim::Beat::random(c.in_words * WordBits, random);
      int64_t lsb = 0;
      for (size_t i = 0; i < columns.size(); ++i) {
        const adders::Range& range = c.request.elements[i];
        const int width = dataflow::beat_width(range);
        const uint64_t draw = random();
        const Int128 value =
            draw % 8 == 0 ? range.lo
            : draw % 8 == 1
                ? range.hi
                : range.lo + Int128{(draw >> 8) % static_cast<uint64_t>(range.hi - range.lo + 1)};
        if (width > 0)
          beat.set(lsb, width, static_cast<uint64_t>(value));
        lsb += width;
        for (int row = 0; row < c.request.map.rows && columns[i] >= 0; ++row)
          sums[static_cast<size_t>(row)] +=
              value *
              c.request.map.entries[static_cast<size_t>(row * c.request.map.columns + columns[i])];
      }
      beat.set(c.in_words * WordBits - 1, 1, 1);
      add_cycle(beat);
      const int gap = c.stage.phases - 1 + static_cast<int>(random() % 3 == 0 ? random() % 4 : 0);
      for (int i = 0; i < gap; ++i) {
        if (!c.stage.held || i >= c.stage.phases - 1)
          beat = cosim::Beat::random(c.in_words * WordBits, random);
        beat.set(c.in_words * WordBits - 1, 1, 0);
        add_cycle(beat);
      }
    }
    for (const Int128 sum : sums)
      traffic.expected.push_back(static_cast<int64_t>(sum));
  }
  return traffic;
}

cosim::Design write_design(const Case& c, const Traffic& traffic, const fs::path& folder) {
  cosim::Design design;
  const fs::path library = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  for (const std::string& file : verilog::library_files())
    design.sources.push_back(library / file);
  const dataflow::Stage stage{
      .name = "dense", .layers = {"dense"}, .kind = c.stage, .output = {}, .latency_cycles = 0};
  for (const verilog::Module& module : verilog::emit_accumulate("dense", stage, c.stage)) {
    write_text(folder / (module.name + ".sv"), print(module));
    design.sources.push_back(folder / (module.name + ".sv"));
  }
  write_text(folder / "accumulate_top.sv", make_top(c));
  design.sources.push_back(folder / "accumulate_top.sv");
  design.include_dirs = {library};
  design.top = "accumulate_top";
  design.inputs = {{"in", {1, traffic.cycles, c.in_words, {true, WordBits, 0}, 1}}};
  design.outputs = {{"out", {1, Results, c.out_words, {true, WordBits, 0}, 1}}};
  return design;
}

void check_results(const Traffic& traffic, const cosim::Design& design, const fs::path& folder) {
  const auto simulation = cosim::Simulation::build(design, cosim::Simulator::Verilator, folder);
  ASSERT_TRUE(simulation.has_value()) << simulation.error().to_string();
  IntTensor frame{{1, traffic.cycles, design.inputs[0].stream.channels}, traffic.words};
  // The last answer leaves after the last beat came in; a second frame brings no surprise.
  const auto measured = simulation->run({{frame}, {frame}}, cosim::Arrival::BackToBack, 1);
  ASSERT_TRUE(measured.has_value()) << measured.error().to_string();
  EXPECT_EQ(measured->outputs[0][0].data, traffic.expected);
  EXPECT_EQ(measured->outputs[1][0].data, traffic.expected);
}

class Accumulate : public ::testing::TestWithParam<int> {};

/// A stage of random shape, simulated.
void check_random(int seed, dataflow::BlockUse dsp) {
  std::mt19937_64 random(static_cast<uint64_t>(seed));
  const auto draw = [&](int lo, int hi) {
    return lo + static_cast<int>(random() % static_cast<uint64_t>(hi - lo + 1));
  };
  const Shape shape{.beats = seed == 0 ? 1 : draw(1, 30),
                    .elements = draw(1, 9),
                    .results = draw(1, 5),
                    .phases = 1 + seed % 8,
                    .held = draw(0, 1) == 1,
                    .weight_bits = draw(1, 8),
                    .varied = seed % 3 != 0,
                    .dsp = dsp};
  const Case c = make_case(shape, static_cast<uint64_t>(seed));
  const Traffic traffic = make_traffic(c, static_cast<uint64_t>(seed));
  const testing::ScratchDirectory scratch(
      fmt::format("accumulate_{}_{}", static_cast<int>(dsp), seed));
  check_results(traffic, write_design(c, traffic, scratch.path()), scratch.path() / "verilator");
}

TEST_P(Accumulate, IsEmittedAsThePlainProduct) {
  check_random(GetParam(), dataflow::BlockUse::Never);
}

TEST_P(Accumulate, IsEmittedAsThePlainProductInBlocks) {
  check_random(GetParam(), dataflow::BlockUse::Prefer);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Accumulate, ::testing::Range(0, 10));

TEST(AccumulateStageAlone, WithoutAnyWeightIsItsBias) {
  const Case c = make_case({.beats = 3, .elements = 2, .results = 2, .weight_bits = 0}, 1);
  const Traffic traffic = make_traffic(c, 1);
  const testing::ScratchDirectory scratch("accumulate_nothing");
  check_results(traffic, write_design(c, traffic, scratch.path()), scratch.path() / "verilator");
}

/// The estimate is within this part of what Yosys counts.
void expect_estimated(const AccumulateStage& stage, const synth::Area& area, double tolerance) {
  const dataflow::AccumulateCost cost = accumulate_cost(stage);
  EXPECT_NEAR(static_cast<double>(cost.lut), static_cast<double>(area.lut),
              tolerance * static_cast<double>(area.lut));
  EXPECT_NEAR(static_cast<double>(cost.flip_flops), static_cast<double>(area.ff),
              tolerance * static_cast<double>(area.ff));
  EXPECT_EQ(cost.dsp, area.dsp);
}

void check_netlist(const Shape& shape, uint64_t seed, const std::string& folder_name,
                   double tolerance) {
  const Case c = make_case(shape, seed);
  const Traffic traffic = make_traffic(c, seed);
  const testing::ScratchDirectory scratch(folder_name);
  const cosim::Design design = write_design(c, traffic, scratch.path());
  const auto part = synth::find_part("xcku115");
  ASSERT_TRUE(part.has_value()) << part.error().to_string();
  const fs::path netlist = scratch.path() / "netlist.v";
  const auto area = synth::synthesize({.sources = design.sources,
                                       .include_dirs = design.include_dirs,
                                       .top = design.top,
                                       .part = *part,
                                       .netlist = netlist,
                                       .work_dir = scratch.path() / "synth"});
  ASSERT_TRUE(area.has_value()) << area.error().to_string();
  EXPECT_EQ(area->dsp > 0, shape.dsp == dataflow::BlockUse::Prefer);
  EXPECT_EQ(area->bram18, 0);
  expect_estimated(c.stage, *area, tolerance);
  const auto models = synth::find_cell_models();
  ASSERT_TRUE(models.has_value()) << models.error().to_string();
  cosim::Design mapped = cosim::netlist_design(design, netlist, *models);
  mapped.sources.insert(mapped.sources.begin(),
                        fs::path(MILLRACE_SOURCE_DIR) / "tests" / "rtl" / "dsp48e2.v");
  check_results(traffic, mapped, scratch.path() / "gates");
}

TEST(AccumulateAtGates, IsSynthesisedAsThePlainProduct) {
  check_netlist({.beats = 20,
                 .elements = 7,
                 .results = 3,
                 .phases = 3,
                 .held = false,
                 .weight_bits = 5,
                 .varied = true},
                1, "accumulate_gates", 0.1);
}

TEST(AccumulateAtGates, ReadsAMemoryOfManySteps) {
  check_netlist({.beats = 150, .elements = 2, .results = 2, .phases = 2}, 2, "accumulate_deep",
                0.2);
}

TEST(AccumulateAtGates, IsSynthesisedToDspBlocks) {
  // Ten places a step: two packed results need two chains, the third has one product a block.
  check_netlist({.beats = 10,
                 .elements = 20,
                 .results = 3,
                 .phases = 2,
                 .held = false,
                 .weight_bits = 8,
                 .varied = true,
                 .dsp = dataflow::BlockUse::Prefer},
                3, "accumulate_dsp", 0.1);
}

}  // namespace
}  // namespace millrace
