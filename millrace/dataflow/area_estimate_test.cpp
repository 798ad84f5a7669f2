// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/area_estimate.h"

#include <gtest/gtest.h>

#include "millrace/dataflow/datapath_area.h"
#include "millrace/dataflow/plan.h"
#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

Circuit planned(const std::string& body, const PlanOptions& options = {}) {
  const auto graph = graph::parse("graph @net {\n" + body + "}\n", "net.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  auto circuit = plan(*graph, options);
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  return *std::move(circuit);
}

StreamType map_of(int64_t height, int64_t width, int64_t lanes, int bits) {
  StreamType stream;
  stream.height = height;
  stream.width = width;
  stream.lanes = lanes;
  stream.element = {.is_signed = false, .width = bits, .frac_bits = 0};
  return stream;
}

/// A window of a map without padding, one window a beat.
AreaEstimate window_area(const StreamType& input, const graph::Window& window) {
  const auto geometry = window_geometry(input, window, window.out_height(input.height),
                                        window.out_width(input.width), 1);
  EXPECT_TRUE(geometry.has_value());
  Circuit circuit;
  circuit.inputs = {{.name = "x", .stream = 0, .type = input}};
  Stage& stage = circuit.stages.emplace_back();
  stage.kind = WindowStage{*geometry, {}};
  stage.inputs = {0};
  return estimate_area(circuit, circuit.stages.front());
}

constexpr const char* Conv = R"(  %x = input : tensor<8x8x1 x ufixed<6,0>>
  %w = constant {value = [5, 3, -7, 1, -3, 2, 7, -6, 4]} : tensor<3x3x1x1 x fixed<4,1>>
  %b = constant {value = [3]} : tensor<1 x fixed<3,1>>
  %y = conv2d %x, %w, %b {kernel = [3, 3], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<6x6x1 x fixed<12,3>>
  output %y
)";

// Two line buffers of 8 words in a RAM32M16 each. Registers: 3 rows of 3 pixels; 3 bits of each of
// the column, the row and the output beat; 1 of the bank; `valid`.
TEST(AreaEstimate, WindowIsCountedFromItsRegisters) {
  const AreaEstimate area = window_area(map_of(8, 8, 1, 6), {.kernel_h = 3, .kernel_w = 3});
  EXPECT_EQ(area.ff, 3 * 3 * 6 + 3 * 3 + 1 + 1);
  EXPECT_GE(area.lut, 2 * 8 + 2 * 6) << "memories, and the rotation of two rows";
  EXPECT_EQ(area.dsp, 0);
  EXPECT_EQ(area.bram18, 0);
}

TEST(AreaEstimate, OneRowNeedsNoLineBuffer) {
  const AreaEstimate one = window_area(map_of(8, 8, 1, 6), {.kernel_h = 1, .kernel_w = 3});
  const AreaEstimate two = window_area(map_of(8, 8, 1, 6), {.kernel_h = 2, .kernel_w = 3});
  EXPECT_GE(two.lut - one.lut, 8) << "a RAM32M16";
  EXPECT_EQ(two.ff - one.ff, 3 * 6);
}

TEST(AreaEstimate, PaddingTakesMore) {
  const AreaEstimate plain = window_area(map_of(8, 8, 1, 6), {.kernel_h = 3, .kernel_w = 3});
  const AreaEstimate padded = window_area(
      map_of(8, 8, 1, 6),
      {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1});
  // Of each bit: two masked rows, and a left and a right column in each of three rows.
  EXPECT_GE(padded.lut - plain.lut, (2 + 2 * 3) * 6);
  EXPECT_GT(padded.ff, plain.ff);
}

/// A window of one row of the map with a lane for each of its 6 pixels, and behind it a map that
/// reads some of the 6 elements of 4 bits.
AreaEstimate read_window_area(const std::vector<int>& read) {
  const StreamType input = map_of(4, 6, 6, 4);
  const graph::Window kernel{.kernel_h = 2, .kernel_w = 1};
  const auto geometry = window_geometry(input, kernel, 3, 6, 6);
  EXPECT_TRUE(geometry.has_value());
  Circuit circuit;
  circuit.inputs = {{.name = "x", .stream = 0, .type = input}};
  circuit.stages.resize(2);
  circuit.stages[0].kind = WindowStage{*geometry, {}};
  circuit.stages[0].inputs = {0};
  MapStage map;
  for (int i = 0; i < 12; ++i)
    map.datapath.input(0, 15);
  for (const int i : read)
    map.datapath.outputs.push_back({i, {.is_signed = false, .width = 4, .frac_bits = 0}});
  circuit.stages[1].kind = std::move(map);
  circuit.stages[1].inputs = {1};
  return estimate_area(circuit, circuit.stages[0]);
}

// The rows that wait are registers of one beat, since a row is one.
TEST(AreaEstimate, PixelsThatNobodyReadHaveNoRegisters) {
  const int64_t all = read_window_area({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}).ff;
  EXPECT_EQ(all - read_window_area({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}).ff, 4)
      << "the last pixel of the newer row";
  EXPECT_EQ(all - read_window_area({0, 1, 2, 3, 4, 6, 7, 8, 9, 10}).ff, 3 * 4)
      << "the last pixel of both rows, and of the one that waits";
}

/// The LUTs of a relayout of a vector of 8 elements of 4 bits into two beats' order.
AreaEstimate relayout_area(int64_t out_beats, std::vector<int64_t> sources) {
  StreamType input = map_of(1, 1, 1, 4);
  input.channels = 8;
  StreamType output = input;
  output.channels = std::ssize(sources) / out_beats;
  Circuit circuit;
  circuit.inputs = {{.name = "x", .stream = 0, .type = input}};
  Stage& stage = circuit.stages.emplace_back();
  stage.kind = RelayoutStage{.input = input, .out_beats = out_beats, .sources = std::move(sources)};
  stage.inputs = {0};
  stage.output = output;
  return estimate_area(circuit, stage);
}

TEST(AreaEstimate, ARelayoutChoosesFourPlacesInALut) {
  const auto per_bit = [](const std::vector<int64_t>& sources) {
    const auto beats = std::ssize(sources);
    return (relayout_area(beats, sources).lut -
            relayout_area(beats, std::vector<int64_t>(sources.size(), 0)).lut) /
           4;
  };
  EXPECT_EQ(per_bit({0, 1}), 1);
  EXPECT_EQ(per_bit({0, 1, 2, 3}), 1);
  EXPECT_EQ(per_bit({0, 1, 2, 3, 4}), 2);
  EXPECT_EQ(per_bit({0, 1, 2, 3, 4, 5, 6, 7}), 3);
  EXPECT_EQ(per_bit({0, 0, 0, 0, 4, 5, 6, 7}), 2) << "four places that hold the same are one";
  const auto luts = [](int64_t beats) {
    return relayout_area(beats, std::vector<int64_t>(static_cast<size_t>(beats), 0)).lut;
  };
  EXPECT_GT(luts(17) - luts(16), 4 * (5 + 2) - 4) << "the first level is there in any case";
}

TEST(AreaEstimate, ARelayoutKeepsOnceWhatSeveralBeatsGive) {
  EXPECT_EQ(relayout_area(2, {0, 1, 2, 3}).ff - relayout_area(2, {0, 1, 0, 1}).ff, 2 * 4);
  EXPECT_EQ(relayout_area(2, {0, 1, 2, 3}).ff - relayout_area(2, {0, 1, 2, -1}).ff, 4);
}

TEST(AreaEstimate, MoreLanesTakeMore) {
  AreaEstimate before;
  for (const int64_t lanes : {1, 2, 4, 8}) {
    const AreaEstimate area = estimate_area(planned(Conv, {.lanes = lanes, .effort = 0}));
    EXPECT_GT(area.lut, before.lut) << lanes;
    EXPECT_GT(area.ff, before.ff) << lanes;
    before = area;
  }
}

// A LUT for each bit that the carry chain computes; the sum, the operands' beat and `valid` are
// registered at most once each.
TEST(AreaEstimate, AnAdderTakesALutABit) {
  const Circuit circuit = planned(
      "  %x = input : tensor<2 x ufixed<8,0>>\n"
      "  %w = constant {value = [1, 1]} : tensor<2x1 x ufixed<1,1>>\n"
      "  %b = constant {value = [0]} : tensor<1 x ufixed<1,1>>\n"
      "  %y = dense %x, %w, %b : tensor<1 x ufixed<9,1>>\n"
      "  output %y\n");
  const AreaEstimate area = estimate_area(circuit);
  EXPECT_EQ(area.lut, 8) << "the ninth bit is the carry";
  EXPECT_LE(area.ff, 16 + 9 + 2);
}

// Two numbers of 6 bits: two groups of 3 bits are compared in four LUTs and joined in one more; the
// choice takes a LUT for two bits.
TEST(AreaEstimate, AMaximumChoosesTwoBitsInALut) {
  Datapath path;
  const NodeId a = path.input(0, 63);
  const NodeId b = path.input(0, 63);
  path.outputs.push_back({path.max(a, b), {.is_signed = false, .width = 6, .frac_bits = 0}});
  EXPECT_EQ(datapath_area(path).lut, 3 + 1 + 3);
}

// x * 16 + 5 and y * 16 + 7: the four low bits of the sum are known.
TEST(AreaEstimate, LowBitsOfASumOfConstantsAreNone) {
  Datapath path;
  const auto with_constant = [&](NodeId x, int64_t constant) {
    return path.add({.a = path.constant(constant), .b = x, .shift_b = 4});
  };
  const NodeId a = with_constant(path.input(0, 255), 5);
  const NodeId b = with_constant(path.input(0, 255), 7);
  const NodeId sum = path.add({.a = a, .b = b});
  path.outputs.push_back({sum, {.is_signed = false, .width = 13, .frac_bits = 0}});
  EXPECT_EQ(datapath_area(path).lut, 8);
}

/// The area of a map without nodes that joins two streams of 8 bits behind buffers.
AreaEstimate join_area(const JoinBuffer& buffer) {
  Circuit circuit;
  for (int i = 0; i < 2; ++i)
    circuit.inputs.push_back({.name = "x", .stream = i, .type = map_of(4, 4, 1, 8)});
  Stage& stage = circuit.stages.emplace_back();
  stage.kind = MapStage{};
  stage.inputs = {0, 1};
  stage.buffers = {buffer, JoinBuffer{}};
  return estimate_area(circuit, circuit.stages.front());
}

TEST(AreaEstimate, JoinBuffers) {
  EXPECT_EQ(join_area({.depth = 0}), AreaEstimate{}) << "wires";
  EXPECT_EQ(join_area({.depth = 1, .bypass = false}).ff, 8 + 1) << "a register and its count";
  EXPECT_EQ(join_area({.depth = 1, .bypass = true}).lut,
            join_area({.depth = 1, .bypass = false}).lut + 8);
  EXPECT_LT(join_area({.depth = 33}).ff, 4 * 8) << "a memory, not registers";
}

TEST(AreaEstimate, TheWholeIsTheSumOfItsStages) {
  const Circuit circuit = planned(Conv);
  AreaEstimate sum;
  for (const Stage& stage : circuit.stages)
    sum += estimate_area(circuit, stage);
  EXPECT_EQ(estimate_area(circuit), sum);
}

}  // namespace
}  // namespace millrace::dataflow
