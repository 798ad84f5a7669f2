// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/planner.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

graph::Graph parsed(const std::string& body) {
  auto graph = graph::parse("graph @net {\n" + body + "}\n", "net.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

Circuit planned(const graph::Graph& graph, const PlanOptions& options = {}) {
  auto circuit = plan(graph, options);
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  return *std::move(circuit);
}

/// The demand for a value, by its name.
Demand demand_for(const graph::Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.ops().size(); ++i)
    if (graph.ops()[i].name == name)
      return demand(graph)[i];
  ADD_FAILURE() << "no value " << name;
  return {};
}

void expect_demand(const graph::Graph& graph, const std::string& name, int64_t height,
                   int64_t width) {
  const Demand of = demand_for(graph, name);
  EXPECT_EQ(of.height, height) << name;
  EXPECT_EQ(of.width, width) << name;
}

std::vector<std::string> kinds(const Circuit& circuit) {
  std::vector<std::string> kinds;
  for (const Stage& stage : circuit.stages)
    kinds.push_back(stage.name + "." + std::string(kind_name(stage.kind)));
  return kinds;
}

TEST(Demand, RowsAndColumnsThatNoWindowReadsAreNotNeeded) {
  // The second pool reads 4 of the 5 rows that the first one makes, and so on to the input.
  const graph::Graph graph = parsed(
      "  %x = input : tensor<11x13x1 x fixed<4,4>>\n"
      "  %a = max_pool %x {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : "
      "tensor<5x6x1 x fixed<4,4>>\n"
      "  %r = relu %a : tensor<5x6x1 x ufixed<3,3>>\n"
      "  %b = max_pool %r {kernel = [2, 4], stride = [2, 4], padding = [0, 0, 0, 0]} : "
      "tensor<2x1x1 x ufixed<3,3>>\n  output %b\n");
  expect_demand(graph, "b", 2, 1);
  expect_demand(graph, "r", 4, 4);
  expect_demand(graph, "a", 4, 4);
  expect_demand(graph, "x", 8, 8);
}

TEST(Demand, PaddingAndDilationCount) {
  const graph::Graph graph = parsed(
      "  %x = input : tensor<9x9x1 x fixed<4,4>>\n"
      "  %a = max_pool %x {kernel = [3, 2], stride = [1, 1], padding = [1, 0, 1, 0], dilation = "
      "[1, 3]} : tensor<9x6x1 x fixed<4,4>>\n"
      "  %b = max_pool %a {kernel = [4, 4], stride = [4, 4], padding = [0, 0, 0, 0]} : "
      "tensor<2x1x1 x fixed<4,4>>\n  output %b\n");
  expect_demand(graph, "a", 8, 4);
  expect_demand(graph, "x", 9, 7);
}

TEST(Demand, AnotherReaderNeedsTheWholeMap) {
  const graph::Graph graph = parsed(
      "  %x = input : tensor<5x5x1 x fixed<4,4>>\n"
      "  %r = relu %x : tensor<5x5x1 x ufixed<3,3>>\n"
      "  %b = max_pool %r {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : "
      "tensor<2x2x1 x ufixed<3,3>>\n"
      "  %t = transpose %r {permutation = [1, 0, 2]} : tensor<5x5x1 x ufixed<3,3>>\n"
      "  output %b\n  output %t\n");
  expect_demand(graph, "r", 5, 5);
}

TEST(Planner, WhatNobodyReadsIsNotComputed) {
  const Circuit circuit = planned(parsed(
      "  %x = input : tensor<7x7x1 x fixed<4,4>>\n"
      "  %w = constant {value = [1, 2, 3, 4]} : tensor<2x2x1x1 x fixed<4,4>>\n"
      "  %b = constant {value = [1]} : tensor<1 x fixed<4,4>>\n"
      "  %c = conv2d %x, %w, %b {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 1, 0]} : "
      "tensor<7x6x1 x fixed<8,8>>\n"
      "  %p = max_pool %c {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : "
      "tensor<3x3x1 x fixed<8,8>>\n  output %p\n"));
  EXPECT_EQ(circuit.stages.front().output.height, 6);
  EXPECT_EQ(circuit.stages.front().output.width, 6);
}

TEST(Planner, OperationsWithoutMemoryBetweenThemAreOneMap) {
  const Circuit circuit =
      planned(parsed("  %x = input : tensor<4x4x3 x fixed<4,4>>\n"
                     "  %a = abs %x : tensor<4x4x3 x ufixed<4,4>>\n"
                     "  %s = square %a : tensor<4x4x3 x ufixed<8,8>>\n"
                     "  %r = reduce %s {function = sum} : tensor<4x4x1 x "
                     "ufixed<10,10>>\n  output %r\n"));
  EXPECT_EQ(kinds(circuit), (std::vector<std::string>{"a.map"}));
  EXPECT_EQ(circuit.stages.front().layers, (std::vector<std::string>{"a", "s", "r"}));
}

TEST(Planner, AMoveWithinABeatIsWires) {
  const std::string body =
      "  %x = input : tensor<2x4x1 x fixed<4,4>>\n"
      "  %t = transpose %x {permutation = [1, 0, 2]} : tensor<4x2x1 x fixed<4,4>>\n"
      "  %r = relu %t : tensor<4x2x1 x ufixed<3,3>>\n  output %r\n";
  EXPECT_EQ(kinds(planned(parsed(body), {.lanes = 4, .rows = 2})),
            (std::vector<std::string>{"t.map"}));
  EXPECT_EQ(kinds(planned(parsed(body), {.lanes = 2})),
            (std::vector<std::string>{"t.relayout", "r.map"}));
}

TEST(Planner, StreamsOfUnlikeBeatsAreBroughtToTheSameOnes) {
  const Circuit circuit =
      planned(parsed("  %x = input : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %t = transpose %x {permutation = [1, 0, 2]} : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %y = add %x, %t : tensor<4x4x1 x fixed<5,5>>\n  output %y\n"),
              {.lanes = 2});
  ASSERT_EQ(kinds(circuit), (std::vector<std::string>{"t.relayout", "y.map"}));
  const Stage& join = circuit.stages.back();
  EXPECT_EQ(join.inputs, (std::vector<StreamId>{0, 1}));
  ASSERT_EQ(join.buffers.size(), 2);
  EXPECT_FALSE(join.buffers[0].bypass);  // always early
  EXPECT_GT(join.buffers[0].depth, 1);
  EXPECT_EQ(join.buffers[1].depth, 0);
}

TEST(Planner, AStreamThatAnOperationReadsTwiceIsReadOnce) {
  const Circuit circuit =
      planned(parsed("  %x = input : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %y = mul %x, %x : tensor<4x4x1 x fixed<8,8>>\n"
                     "  output %y\n"));
  ASSERT_EQ(kinds(circuit), (std::vector<std::string>{"y.map"}));
  EXPECT_EQ(circuit.stages.front().inputs, (std::vector<StreamId>{0}));
}

TEST(Planner, WindowsOverSeveralRowsABeatAreRowWindows) {
  const Circuit circuit = planned(
      parsed("  %x = input : tensor<6x4x1 x fixed<4,4>>\n"
             "  %y = max_pool %x {kernel = [3, 3], stride = [1, 1], padding = [1, 1, 1, 1]} : "
             "tensor<6x4x1 x fixed<4,4>>\n  output %y\n"),
      {.lanes = 4, .rows = 2});
  ASSERT_EQ(kinds(circuit), (std::vector<std::string>{"y.window", "y.map"}));
  EXPECT_TRUE(std::holds_alternative<RowWindowStage>(circuit.stages.front().kind));
  EXPECT_EQ(circuit.interval_cycles, 3);
}

TEST(Planner, StagesOfOneKindFromOneOperationHaveNamesOfTheirOwn) {
  const Circuit circuit =
      planned(parsed("  %x = input : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %z = input : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %t = transpose %x {permutation = [1, 0, 2]} : tensor<4x4x1 x fixed<4,4>>\n"
                     "  %v = reshape %t {shape = [16]} : tensor<16 x fixed<4,4>>\n"
                     "  %u = reshape %z {shape = [16]} : tensor<16 x fixed<4,4>>\n"
                     "  %y = maximum %u, %v : tensor<16 x fixed<4,4>>\n  output %y\n"));
  std::vector<std::string> names = kinds(circuit);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Planner, AnElementThatIsAlwaysZeroTakesNoWires) {
  const Circuit circuit = planned(parsed(
      "  %x = input : tensor<2x4x1 x fixed<4,4>>\n"
      "  %w = constant {value = [1, 0]} : tensor<1x1x1x2 x fixed<4,4>>\n"
      "  %b = constant {value = [0, 0]} : tensor<2 x fixed<4,4>>\n"
      "  %c = conv2d %x, %w, %b {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : "
      "tensor<2x4x2 x fixed<8,8>>\n"
      "  %t = transpose %c {permutation = [1, 0, 2]} : tensor<4x2x2 x fixed<8,8>>\n"
      "  %r = relu %t : tensor<4x2x2 x ufixed<7,7>>\n  output %r\n"));
  EXPECT_EQ(circuit.stages.front().output.pixel_bits(), 4);
  EXPECT_EQ(circuit.outputs.front().type.pixel_bits(), 14);
}

}  // namespace
}  // namespace millrace::dataflow
