// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/map_steps.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

#include "millrace/graph/text.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

graph::Graph parsed(const std::string& body) {
  auto graph = graph::parse("graph @net {\n" + body + "}\n", "net.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

std::vector<MapStep> steps_of(const graph::Graph& graph) {
  std::vector<MapStep> steps;
  for (const graph::Op& op : graph.ops())
    if (!op.as<graph::Input>() && !op.as<graph::Constant>())
      steps.push_back({.op = &op, .sources = {}, .picks = {}});
  return steps;
}

/// A beat of `num_elements` elements of the graph's first input as inputs of a datapath.
BeatVector beat_of(Datapath& path, const graph::Graph& graph, const BeatWindows& windows,
                   int64_t num_elements) {
  const FixedType type = graph.type(graph.inputs()[0]).fixed();
  BeatVector x{.windows = windows, .elements = {}, .type = type};
  for (int64_t i = 0; i < num_elements; ++i)
    x.elements.push_back(path.input(type.min_raw(), type.max_raw()));
  return x;
}

/// One neuron of one input and what follows it, as a datapath.
Datapath datapath_of(const graph::Graph& graph, const std::vector<MapStep>& steps) {
  Datapath path;
  BeatVector x = beat_of(path, graph, {}, 1);
  for (const MapStep& step : steps) {
    if (!is_linear(*step.op)) {
      append_step(path, x, step, graph, {});
      continue;
    }
    LinearMap map = linear_map(graph, *step.op);
    for (Int128& bias : map.bias)
      bias += step.offset;
    const auto results = append_linear(path, x, map, {});
    EXPECT_TRUE(results.has_value()) << results.error().to_string();
    x.elements = *results;
    x.type = step.op->type.fixed();
  }
  path.outputs.push_back({x.elements.front(), path.node(x.elements.front()).type()});
  return path;
}

/// What share_rounding() left to whom, summed up over the cases of a test.
struct Shared {
  int offsets = 0, rounded = 0, subsumed = 0;
};

/// The datapath with shared rounding gives what plain evaluation gives, for every input.
void check_sharing(bool with_relu, const Quantizer& to, Shared& shared) {
  const std::string tail = with_relu
                               ? "  %r = relu %y : tensor<1 x ufixed<7,4>>\n  %z = requantize %r"
                               : "  %z = requantize %y";
  const graph::Graph graph = parsed(
      "  %x = input : tensor<1 x fixed<6,5>>\n"
      "  %w = constant {value = [3]} : tensor<1x1 x fixed<3,1>>\n"
      "  %b = constant {value = [-5]} : tensor<1 x fixed<4,1>>\n"
      "  %y = dense %x, %w, %b : tensor<1 x fixed<8,5>>\n" +
      tail + " {rounding = " + std::string(to_string(to.rounding)) +
      ", overflow = " + std::string(to_string(to.overflow)) + "} : tensor<1 x " +
      to.type.to_string() + ">\n  output %z\n");
  const std::vector<MapStep> plain = steps_of(graph);
  std::vector<MapStep> steps = plain;
  share_rounding(steps);
  for (const MapStep& step : steps) {
    shared.offsets += step.offset != 0 ? 1 : 0;
    shared.rounded += step.is_rounded ? 1 : 0;
    shared.subsumed += step.is_subsumed ? 1 : 0;
  }
  const Datapath apart = datapath_of(graph, plain);
  const Datapath together = datapath_of(graph, steps);
  const FixedType sum_type = plain.front().op->type.fixed();
  for (int64_t raw = -32; raw < 32; ++raw) {
    Int128 sum = 3 * raw + linear_map(graph, *plain.front().op).bias.front();
    if (with_relu)
      sum = std::max<Int128>(0, sum);
    const Int128 expected = requantize(sum, sum_type.frac_bits, to);
    const std::vector<Int128> input{raw};
    ASSERT_TRUE(apart.evaluate(input).front() == expected);
    ASSERT_TRUE(together.evaluate(input).front() == expected)
        << to_string(to.rounding) << ", " << to_string(to.overflow) << ", " << to.type.to_string()
        << (with_relu ? ", rectified" : "") << ": " << raw;
  }
}

TEST(MapSteps, SharedRoundingChangesNoResultInAnyMode) {
  Shared shared;
  for (const bool with_relu : {false, true})
    for (const Rounding rounding : AllRoundings)
      for (const Overflow overflow : AllOverflows)
        for (const bool is_signed : {false, true})
          for (const int frac_bits : {-1, 0, 1, 2, 3})
            for (const int width : {2, 4, 8})
              check_sharing(with_relu, {{is_signed, width, frac_bits}, rounding, overflow}, shared);
  EXPECT_GT(shared.offsets, 100);
  EXPECT_GE(shared.rounded, shared.offsets);
  EXPECT_GT(shared.subsumed, 100);
}

TEST(MapSteps, RoundingIsNotSharedAcrossOtherOperations) {
  const graph::Graph graph = parsed(
      "  %x = input : tensor<1 x fixed<6,5>>\n"
      "  %w = constant {value = [3]} : tensor<1x1 x fixed<3,1>>\n"
      "  %b = constant {value = [-5]} : tensor<1 x fixed<4,1>>\n"
      "  %y = dense %x, %w, %b : tensor<1 x fixed<8,5>>\n"
      "  %a = abs %y : tensor<1 x ufixed<8,5>>\n"
      "  %z = requantize %a {rounding = RND, overflow = SAT} : tensor<1 x ufixed<4,4>>\n"
      "  output %z\n");
  std::vector<MapStep> steps = steps_of(graph);
  share_rounding(steps);
  for (const MapStep& step : steps) {
    EXPECT_TRUE(step.offset == 0);
    EXPECT_FALSE(step.is_rounded || step.is_subsumed);
  }
}

/// The operation that gives `%y`.
const graph::Op& op_y(const graph::Graph& graph) {
  return *std::find_if(graph.ops().begin(), graph.ops().end(),
                       [](const graph::Op& op) { return op.name == "y"; });
}

graph::Graph pooled(const std::string& attributes, const std::string& shape) {
  return parsed("  %x = input : tensor<3x4x2 x fixed<4,4>>\n  %y = max_pool %x {" + attributes +
                "} : tensor<" + shape + " x fixed<4,4>>\n  output %y\n");
}

TEST(MapSteps, ACoveredRegionIsTheBeatWithItsPadding) {
  const graph::Graph graph = pooled(
      "kernel = [3, 2], stride = [2, 1], padding = [1, 0, 1, 1], dilation = [1, 2]", "2x3x2");
  MapStep step{.op = &op_y(graph), .sources = {}, .picks = {}};
  step.out_rows = 2;
  step.out_lanes = 3;
  Datapath path;
  const BeatVector x = beat_of(path, graph, {.lanes = 4, .channels = 2, .rows = 3}, 24);
  const std::vector<NodeId> padding = padding_of(path, x, *step.op);
  const BeatVector region = covered_region(x, step, padding);
  ASSERT_EQ(region.windows.region_h(), 5);
  ASSERT_EQ(region.windows.span(), 5);
  ASSERT_EQ(std::ssize(region.elements), region.windows.num_elements());
  for (int64_t row = 0; row < 5; ++row)
    for (int64_t column = 0; column < 5; ++column)
      for (int64_t channel = 0; channel < 2; ++channel) {
        const bool is_inside = 1 <= row && row < 4 && column < 4;
        const NodeId expected =
            is_inside ? x.elements[static_cast<size_t>(((row - 1) * 4 + column) * 2 + channel)]
                      : padding[static_cast<size_t>(channel)];
        EXPECT_EQ(region.elements[static_cast<size_t>((row * 5 + column) * 2 + channel)], expected)
            << row << ", " << column;
      }
}

TEST(MapSteps, CoveredColumnsBeginInThePadding) {
  const graph::Graph graph =
      pooled("kernel = [1, 3], stride = [1, 1], padding = [0, 1, 0, 1]", "3x4x2");
  Datapath path;
  const BeatVector x = beat_of(path, graph, {.lanes = 4, .channels = 2, .rows = 1}, 8);
  const std::vector<NodeId> padding = padding_of(path, x, op_y(graph));
  const BeatWindows windows{.lanes = 4, .channels = 2, .kernel_w = 3};
  const BeatVector region = covered_columns(x, windows, 1, padding);
  std::vector<NodeId> expected = padding;
  expected.insert(expected.end(), x.elements.begin(), x.elements.end());
  expected.insert(expected.end(), padding.begin(), padding.end());
  EXPECT_EQ(region.elements, expected);
}

TEST(MapSteps, PaddingNeverWinsAMaximumAndIsZeroElsewhere) {
  const graph::Graph graph =
      pooled("kernel = [2, 1], stride = [1, 1], padding = [1, 0, 0, 0]", "3x4x2");
  Datapath path;
  const BeatVector x = beat_of(path, graph, {.lanes = 4, .channels = 2, .rows = 1}, 8);
  for (const NodeId id : padding_of(path, x, op_y(graph)))
    EXPECT_TRUE(path.node(id).is_constant() && path.node(id).lo == -8);
  for (const NodeId id : padding_of(path, x, graph.op(graph.inputs()[0])))
    EXPECT_TRUE(path.node(id).is_constant() && path.node(id).lo == 0);
}

TEST(MapSteps, APartReadsItsSideOfTheWindow) {
  const graph::Graph graph = pooled(
      "kernel = [3, 2], stride = [2, 1], padding = [1, 0, 1, 1], dilation = [1, 2]", "2x3x2");
  MapStep step{.op = &op_y(graph), .sources = {}, .picks = {}};
  step.part = MapStep::Part::Columns;
  EXPECT_EQ(step.window(), (graph::Window{.kernel_w = 2, .pad_right = 1, .dilation_w = 2}));
  step.part = MapStep::Part::Rows;
  EXPECT_EQ(step.window(),
            (graph::Window{.kernel_h = 3, .stride_h = 2, .pad_top = 1, .pad_bottom = 1}));
  step.part = MapStep::Part::Ones;
  EXPECT_EQ(step.window(), graph::Window{});
}

TEST(MapSteps, MovesAreTheOperationsThatOnlyPutElementsElsewhere) {
  const graph::Graph graph = parsed(
      "  %x = input : tensor<2x2x1 x fixed<4,4>>\n"
      "  %p = pad %x {padding = [1, 0, 0, 0]} : tensor<3x2x1 x "
      "fixed<4,4>>\n"
      "  %r = relu %p : tensor<3x2x1 x ufixed<3,3>>\n"
      "  output %r\n");
  EXPECT_TRUE(is_move(graph.ops()[1]));
  EXPECT_FALSE(is_move(graph.ops()[2]));
}

}  // namespace
}  // namespace millrace::dataflow
