// SPDX-License-Identifier: Apache-2.0
// What ONNX's own tests do not reach: orders of elements across operators, several ports, and the
// operators of QONNX. By the numbers that the graphs give.
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/model_test_builder.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::onnx {
namespace {

using testing::TestModel;
using Ints = std::vector<int64_t>;
using Numbers = std::vector<double>;
constexpr auto QuantDomain = "qonnx.custom_op.general";

/// What the model gives for the input 0, 1, 2, ... in the graph's order.
Numbers computed(TestModel& model, const std::string& output = "y") {
  if (model.graph().output_size() == 0)
    model.graph().add_output()->set_name(output);
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  if (!graph) {
    ADD_FAILURE() << graph.error().to_string();
    return {};
  }
  std::vector<Numbers> inputs;
  for (graph::ValueId input : graph->inputs()) {
    inputs.emplace_back(static_cast<size_t>(num_elements(graph->type(input).shape)));
    std::iota(inputs.back().begin(), inputs.back().end(), 0.0);
  }
  return reference::evaluate_real(*graph, inputs).at(0);
}

int count_transposes(const TestModel& model) {
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  if (!graph) {
    ADD_FAILURE() << graph.error().to_string();
    return -1;
  }
  int count = 0;
  for (const graph::Op& op : graph->ops())
    count += op.as<graph::Transpose>() ? 1 : 0;
  return count;
}

// The graph holds 2x3x2 (HWC) as 0, 1, ..., so channel 0 has the even numbers.
TEST(OnnxOperators, FlattenedOutputsHaveOnnxsOrder) {
  TestModel model({1, 2, 2, 3});
  model.node("Flatten", "y", {"x"});
  EXPECT_EQ(computed(model), (Numbers{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
}

TEST(OnnxOperators, ChannelsLastModelsNeedNoTransposition) {
  TestModel model({1, 4, 4, 2});
  model.tensor("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6})
      .node("Transpose", "first", {"x"})
      .attribute("perm", Ints{0, 3, 1, 2})
      .node("Conv", "conv", {"first", "w"})
      .node("Transpose", "y", {"conv"})
      .attribute("perm", Ints{0, 2, 3, 1})
      .output("y", {1, 4, 4, 3});
  EXPECT_EQ(count_transposes(model), 0);
  EXPECT_EQ(computed(model).at(5), 5 * 2 + 6 * 3);  // pixel 1, filter 2
}

TEST(OnnxOperators, PortsSayHowTheyLie) {
  TestModel model({1, 2, 4, 5});
  model.node("Relu", "y", {"x"}).output("y", {1, 2, 4, 5});
  const auto imported = import_onnx_model_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(imported) << imported.error().to_string();
  EXPECT_EQ(imported->inputs.at(0).name, "x");
  EXPECT_EQ(imported->inputs[0].shape, (Shape{1, 2, 4, 5}));
  EXPECT_EQ(imported->inputs[0].axes, (std::vector<size_t>{0, 2, 3, 1}));
  EXPECT_EQ(imported->outputs.at(0).axes, (std::vector<size_t>{0, 2, 3, 1}));
}

TEST(OnnxOperators, SeveralInputsAndOutputs) {
  TestModel model({1, 3});
  auto& other = *model.graph().add_input();
  other = model.graph().input(0);
  other.set_name("z");
  model.node("Sub", "y", {"x", "z"}).node("Relu", "r", {"z"}).output("y", {1, 3});
  model.output("r", {1, 3});
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  const auto outputs = reference::evaluate_real(*graph, {{5, 6, 7}, {1, -2, 3}});
  EXPECT_EQ(outputs, (std::vector<Numbers>{{4, 8, 4}, {1, 0, 3}}));
}

// Four axes in reverse: more blocks than the graph's transposition has.
TEST(OnnxOperators, AnyPermutationIsComposed) {
  TestModel model({6, 20});
  model.integers("split", {4}, {2, 3, 4, 5})
      .integers("flat", {1}, {-1})
      .node("Reshape", "four", {"x", "split"})
      .node("Transpose", "turned", {"four"})
      .attribute("perm", Ints{3, 1, 2, 0})
      .node("Reshape", "y", {"turned", "flat"});
  Numbers expected;
  for (int d = 0; d < 5; ++d)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        for (int a = 0; a < 2; ++a)
          expected.push_back(((a * 3 + b) * 4 + c) * 5 + d);
  EXPECT_EQ(computed(model), expected);
}

TEST(OnnxOperators, ReshapeTargetsFoldFromShapes) {
  TestModel model({1, 2, 1, 2});
  model.integers("zero", {}, {0})
      .integers("axis", {1}, {0})
      .integers("rest", {1}, {-1})
      .node("Shape", "shape", {"x"})
      .node("Gather", "batch", {"shape", "zero"})
      .node("Unsqueeze", "vector", {"batch", "axis"})
      .node("Concat", "target", {"vector", "rest"})
      .attribute("axis", int64_t{0})
      .node("Reshape", "y", {"x", "target"})
      .output("y", {1, 4});
  EXPECT_EQ(computed(model), (Numbers{0, 2, 1, 3}));
}

TEST(OnnxOperators, SqueezeAndExcitationBroadcasts) {
  TestModel model({1, 2, 2, 2});
  model.node("GlobalMaxPool", "largest", {"x"}).node("Mul", "y", {"x", "largest"});
  EXPECT_EQ(computed(model), (Numbers{0, 7, 12, 21, 24, 35, 36, 49}));
}

TEST(OnnxOperators, ChainsOfConstantsAreOneAffine) {
  TestModel model({1, 2});
  model.tensor("two", {}, {2}).tensor("three", {1, 2}, {3, 4});
  model.node("Mul", "a", {"x", "two"})
      .node("Sub", "b", {"three", "a"})
      .node("Div", "y", {"b", "two"});
  EXPECT_EQ(computed(model), (Numbers{1.5, 1}));
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(graph);
  EXPECT_TRUE(graph->op(graph->outputs()[0]).as<graph::Affine>());
}

// Source: QONNX, MultiThreshold: how many thresholds are reached, scaled.
TEST(OnnxOperators, MultiThresholdCounts) {
  TestModel model({1, 4});
  model.tensor("t", {4, 3}, {0, 1, 2, 0.5F, 1, 1.5F, 2, 3, 4, 1, 2, 9})
      .node("MultiThreshold", "y", {"x", "t"})
      .attribute("out_scale", 2.0F)
      .attribute("out_bias", -3.0F);
  model.last_node().set_domain(QuantDomain);
  EXPECT_EQ(computed(model), (Numbers{-1, 1, -1, 1}));
}

TEST(OnnxOperators, QuantisersOfSingleChannels) {
  TestModel model({1, 2, 1, 2});
  model.tensor("h", {}, {0.3F}).node("Mul", "scaled", {"x", "h"}).quant("y", "scaled", 1, 4);
  auto& scale = *model.graph().mutable_initializer(1);
  ASSERT_EQ(scale.name(), "y.scale");
  const std::vector<float> scales = {0.25, 1};
  for (int64_t extent : {2, 1, 1})
    scale.add_dims(extent);
  scale.set_raw_data(scales.data(), 2 * sizeof(float));
  EXPECT_EQ(computed(model), (Numbers{0, 0, 0.5, 1}));  // 0, 0.3, 0.6, 0.9
}

TEST(OnnxOperators, ZeroPointsShiftTheRange) {
  TestModel model({1, 8});
  model.node("Relu", "r", {"x"}).quant("y", "r", 1, 3, false);
  auto& zero = *model.graph().mutable_initializer(1);
  ASSERT_EQ(zero.name(), "y.zero");
  const float number = 4;
  zero.set_raw_data(&number, sizeof number);
  EXPECT_EQ(computed(model), (Numbers{0, 1, 2, 3, 3, 3, 3, 3}));
}

TEST(OnnxOperators, BipolarAndNarrowUnsignedQuantisers) {
  TestModel model({1, 4});
  model.tensor("one", {}, {1}).tensor("s", {}, {0.5F}).node("Sub", "d", {"x", "one"});
  model.node("BipolarQuant", "y", {"d", "s"}).last_node().set_domain(QuantDomain);
  EXPECT_EQ(computed(model), (Numbers{-0.5, 0.5, 0.5, 0.5}));
  TestModel narrow({1, 4});
  narrow.node("Relu", "r", {"x"}).quant("y", "r", 1, 2, false, true);
  EXPECT_EQ(computed(narrow), (Numbers{0, 1, 2, 2}));
}

TEST(OnnxOperators, TruncDropsBits) {
  TestModel model({1, 8});
  model.quant("q", "x", 1, 4, false)
      .tensor("s", {}, {1})
      .tensor("z", {}, {0})
      .tensor("in", {}, {4})
      .tensor("out", {}, {2})
      .node("Trunc", "y", {"q", "s", "z", "in", "out"});
  model.last_node().set_domain(QuantDomain);
  EXPECT_EQ(computed(model), (Numbers{0, 0, 0, 0, 1, 1, 1, 1}));
}

// Version 2 of the operator: steps of 4 in 2 bits.
TEST(OnnxOperators, TruncHasAScaleOfItsOwnForTheOutput) {
  TestModel model({1, 8});
  model.quant("q", "x", 1, 4, false)
      .tensor("s", {}, {1})
      .tensor("z", {}, {0})
      .tensor("in", {}, {4})
      .tensor("os", {}, {4})
      .tensor("out", {}, {2})
      .node("Trunc", "y", {"q", "s", "z", "in", "os", "out"})
      .attribute("signed", int64_t{0});
  model.last_node().set_domain(QuantDomain);
  EXPECT_EQ(computed(model), (Numbers{0, 0, 0, 0, 4, 4, 4, 4}));
}

// int8 with a zero point, and back: rounding and clamping are left.
TEST(OnnxOperators, QuantizeAndDequantizeAreOneQuantiser) {
  TestModel model({1, 4});
  model.tensor("s", {}, {2}).node("QuantizeLinear", "q", {"x", "s", "zero"});
  model.node("DequantizeLinear", "y", {"q", "s", "zero"});
  auto& zero = *model.graph().add_initializer();
  zero.set_name("zero");
  zero.set_data_type(::onnx::TensorProto::UINT8);
  zero.add_int32_data(255);
  EXPECT_EQ(computed(model), (Numbers{0, 0, 0, 0}));  // 255 stands for 0, and nothing is above it
  model.graph().mutable_initializer(1)->set_int32_data(0, 254);
  EXPECT_EQ(computed(model), (Numbers{0, 0, 2, 2}));
}

// Steps that are no powers of two: x = 0, 1, 2, 3 are 0, 1.43, 2.86 and 4.29 of them.
TEST(OnnxOperators, QuantisersCountStepsOfAnyScale) {
  TestModel model({1, 4});
  model.tensor("s", {}, {0.7F}).node("QuantizeLinear", "q", {"x", "s", "zero"});
  model.node("DequantizeLinear", "y", {"q", "s", "zero"});
  auto& zero = *model.graph().add_initializer();
  zero.set_name("zero");
  zero.set_data_type(::onnx::TensorProto::UINT8);
  zero.add_int32_data(252);
  constexpr double Step = 0.7F;
  EXPECT_EQ(computed(model), (Numbers{0, Step, 3 * Step, 3 * Step}));  // 255 is 3 steps above 252
  model.graph().mutable_node(1)->set_op_type("Cast");
  model.graph().mutable_node(1)->clear_input();
  model.graph().mutable_node(1)->add_input("q");
  model.attribute("to", int64_t{::onnx::TensorProto::FLOAT});
  EXPECT_EQ(computed(model), (Numbers{252, 253, 255, 255}));
}

TEST(OnnxOperators, QuantHasAStepForEachChannel) {
  TestModel model({1, 2, 1, 2});
  model.tensor("s", {2, 1, 1}, {0.3F, 0.7F}).tensor("z", {}, {0}).tensor("w", {}, {2});
  model.node("Quant", "y", {"x", "s", "z", "w"}).last_node().set_domain(QuantDomain);
  model.attribute("signed", int64_t{0});
  const double a = 0.3F, b = 0.7F;  // channels are last in the graph
  EXPECT_EQ(computed(model), (Numbers{0, b, 3 * a, 3 * b}));
}

// Weights of int8 with a scale of each output, as post-training quantisation writes them.
TEST(OnnxOperators, WeightScalesBecomeAnAffine) {
  TestModel model({1, 2});
  model.tensor("s", {2}, {0.3F, 0.7F}).node("DequantizeLinear", "d", {"w", "s"});
  model.attribute("axis", int64_t{1}).node("MatMul", "y", {"x", "d"}).output("y", {1, 2});
  auto& weights = *model.graph().add_initializer();
  weights.set_name("w");
  weights.set_data_type(::onnx::TensorProto::INT8);
  for (int64_t extent : {2, 2})
    weights.add_dims(extent);
  for (int32_t number : {1, 2, -3, 100})
    weights.add_int32_data(number);
  const Numbers y = computed(model);
  EXPECT_NEAR(y.at(0), -3 * double{0.3F}, 1e-12);
  EXPECT_NEAR(y.at(1), 100 * double{0.7F}, 1e-12);
}

TEST(OnnxOperators, HalfPrecisionWeights) {
  TestModel model({1, 1});
  model.node("MatMul", "y", {"x", "w"}).output("y", {1, 3});
  auto& weights = *model.graph().add_initializer();
  weights.set_name("w");
  weights.set_data_type(::onnx::TensorProto::FLOAT16);
  weights.add_dims(1);
  weights.add_dims(3);
  for (int32_t bits : {0x3C00, 0xC000, 0x0001})  // 1, -2 and the smallest number
    weights.add_int32_data(bits);
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_EQ(reference::evaluate_real(*graph, {{1}}).at(0), (Numbers{1, -2, std::ldexp(1, -24)}));
}

TEST(OnnxOperators, WholeNumberInputsAreReadByACast) {
  TestModel model({1, 2});
  model.node("Cast", "y", {"x"}).attribute("to", int64_t{1}).output("y", {1, 2});
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      ::onnx::TensorProto::UINT8);
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_EQ(graph->type(graph->inputs()[0]).to_string(), "tensor<2 x ufixed<8,8>>");
}

TEST(OnnxOperators, WidePaddingOfAConvolutionIsAPad) {
  TestModel model({1, 1, 1, 1});
  model.tensor("w", {1, 1, 1, 1}, {2}).tensor("b", {1}, {3});
  model.node("Conv", "y", {"x", "w", "b"}).attribute("pads", Ints{1, 0, 1, 0});
  EXPECT_EQ(computed(model), (Numbers{3, 3, 3}));
}

}  // namespace
}  // namespace millrace::frontends::onnx
