// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/area_estimate.h"

#include <gtest/gtest.h>

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
