// SPDX-License-Identifier: Apache-2.0
// Each operator as a graph, in the graph's text form.
#include "millrace/frontends/onnx/import.h"

#include <gtest/gtest.h>

#include "millrace/frontends/onnx/model_test_builder.h"
#include "millrace/graph/text.h"

namespace millrace::frontends::onnx {
namespace {

using testing::TestModel;

std::string imported(const TestModel& model) {
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  return graph ? graph::print(*graph) : graph.error().to_string();
}

// The smallest quantised model: an input that takes its quantiser's type, a layer, an activation.
TEST(OnnxImport, QuantisedConvolutionBecomesAnExactGraphButForTheWeights) {
  TestModel model({1, 2, 3, 3});
  model.tensor("w", {1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
      .quant("xq", "x", 0.25, 8, false)
      .quant("wq", "w", 0.5, 6)
      .node("Conv", "conv1", {"xq", "wq"})
      .node("Relu", "relu1", {"conv1"})
      .quant("q1", "relu1", 1, 6, false)
      .output("q1", {1, 1, 2, 2});
  EXPECT_EQ(imported(model), R"(graph @test {
  %x = input : tensor<3x3x2 x ufixed<8,6>>
  %w = constant {value = [1, 5, 2, 6, 3, 7, 4, 8]} : tensor<2x2x2x1 x real>
  %wq = requantize %w {rounding = RND_CONV, overflow = SAT} : tensor<2x2x2x1 x fixed<6,5>>
  %conv1.bias = constant {value = [0]} : tensor<1 x ufixed<1,-2>>
  %conv1 = conv2d %x, %wq, %conv1.bias {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<2x2x1 x fixed<17,14>>
  %relu1 = relu %conv1 : tensor<2x2x1 x ufixed<16,13>>
  %q1 = requantize %relu1 {rounding = RND_CONV, overflow = SAT} : tensor<2x2x1 x ufixed<6,6>>
  output %q1
}
)");
}

// What the graph says about one value: the text behind "%NAME = ".
std::string line_of(const TestModel& model, const std::string& name) {
  const std::string text = imported(model);
  const std::string start = "\n  %" + name + " = ";
  const size_t begin = text.find(start);
  if (begin == std::string::npos)
    return text;
  const size_t first = begin + start.size();
  return text.substr(first, text.find('\n', first) - first);
}

/// A float model with one layer of given attributes in the middle of a 1x4x4 map.
TestModel convolution(const std::vector<int64_t>& kernel) {
  const auto count = static_cast<size_t>(kernel[0] * kernel[1]);
  TestModel model({1, 1, 4, 4});
  model.tensor("w", {1, 1, kernel[0], kernel[1]}, std::vector<float>(count, 1))
      .node("Conv", "y", {"x", "w"});
  model.graph().add_output()->set_name("y");
  return model;
}

TestModel pooling() {
  TestModel model({1, 2, 5, 5});
  model.node("MaxPool", "y", {"x"}).attribute("kernel_shape", std::vector<int64_t>{2, 3});
  model.graph().add_output()->set_name("y");
  return model;
}

TEST(OnnxImport, WeightsTurnFromOihwIntoHwio) {
  TestModel model({1, 2, 4, 4});
  model.tensor("w", {3, 2, 1, 2}, {111, 112, 121, 122, 211, 212, 221, 222, 311, 312, 321, 322})
      .tensor("b", {3}, {1, 2, 3})
      .node("Conv", "y", {"x", "w", "b"})
      .output("y", {1, 3, 4, 3});
  EXPECT_EQ(line_of(model, "w"),
            "constant {value = [111, 211, 311, 121, 221, 321, 112, 212, 312, 122, 222, 322]} : "
            "tensor<1x2x2x3 x real>");
  EXPECT_EQ(line_of(model, "b"), "constant {value = [1, 2, 3]} : tensor<3 x real>");
  EXPECT_EQ(line_of(model, "y"),
            "conv2d %x, %w, %b {kernel = [1, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : "
            "tensor<4x3x3 x real>");
}

TEST(OnnxImport, ConvolutionTakesStridesAndPads) {
  TestModel model = convolution({3, 2});
  model.attribute("strides", std::vector<int64_t>{2, 1})
      .attribute("pads", std::vector<int64_t>{2, 1, 1, 0})
      .attribute("dilations", std::vector<int64_t>{1, 1})
      .attribute("group", int64_t{1})
      .attribute("kernel_shape", std::vector<int64_t>{3, 2});
  EXPECT_EQ(line_of(model, "y"),
            "conv2d %x, %w, %y.bias {kernel = [3, 2], stride = [2, 1], padding = [2, 1, 1, 0]} : "
            "tensor<3x4x1 x real>");
  EXPECT_EQ(line_of(model, "y.bias"), "constant {value = [0]} : tensor<1 x real>");
}

TEST(OnnxImport, SamePaddingPutsTheOddRowWhereItsNameSays) {
  const auto padding = [](const std::string& mode, int64_t kernel, int64_t stride) {
    TestModel model = convolution({kernel, kernel});
    model.attribute("auto_pad", mode).attribute("strides", std::vector<int64_t>{stride, stride});
    const std::string line = line_of(model, "y");
    return line.substr(line.find("padding"));
  };
  EXPECT_EQ(padding("SAME_UPPER", 2, 1), "padding = [0, 0, 1, 1]} : tensor<4x4x1 x real>");
  EXPECT_EQ(padding("SAME_LOWER", 2, 1), "padding = [1, 1, 0, 0]} : tensor<4x4x1 x real>");
  EXPECT_EQ(padding("SAME_UPPER", 3, 1), "padding = [1, 1, 1, 1]} : tensor<4x4x1 x real>");
  EXPECT_EQ(padding("SAME_UPPER", 3, 2), "padding = [0, 0, 1, 1]} : tensor<2x2x1 x real>");
  EXPECT_EQ(padding("SAME_LOWER", 4, 3), "padding = [2, 2, 1, 1]} : tensor<2x2x1 x real>");
  EXPECT_EQ(padding("SAME_UPPER", 1, 3), "padding = [0, 0, 0, 0]} : tensor<2x2x1 x real>");
  EXPECT_EQ(padding("VALID", 3, 1), "padding = [0, 0, 0, 0]} : tensor<2x2x1 x real>");
  EXPECT_EQ(padding("NOTSET", 3, 1), "padding = [0, 0, 0, 0]} : tensor<2x2x1 x real>");
}

TEST(OnnxImport, PoolingTakesKernelStridesAndPads) {
  TestModel model = pooling();
  model.attribute("strides", std::vector<int64_t>{2, 1})
      .attribute("pads", std::vector<int64_t>{1, 0, 0, 2});
  EXPECT_EQ(line_of(model, "y"),
            "max_pool %x {kernel = [2, 3], stride = [2, 1], padding = [1, 0, 0, 2]} : "
            "tensor<3x5x2 x real>");
}

TEST(OnnxImport, CeilModeIsReadWhereTheWindowsFillTheMap) {
  TestModel model = pooling();
  model.attribute("ceil_mode", int64_t{1}).attribute("strides", std::vector<int64_t>{3, 2});
  EXPECT_EQ(line_of(model, "y"),
            "max_pool %x {kernel = [2, 3], stride = [3, 2], padding = [0, 0, 0, 0]} : "
            "tensor<2x2x2 x real>");
}

TEST(OnnxImport, AddBehindConvIsItsBias) {
  for (const bool is_first : {false, true}) {
    TestModel model({1, 1, 2, 2});
    model.tensor("w", {2, 1, 1, 1}, {3, 4})
        .tensor("b", {2, 1, 1}, {5, 6})
        .node("Conv", "conv1", {"x", "w"})
        .node("Add", "sum", {is_first ? "b" : "conv1", is_first ? "conv1" : "b"})
        .node("Relu", "y", {"sum"})
        .output("y", {1, 2, 2, 2});
    EXPECT_EQ(line_of(model, "b"), "constant {value = [5, 6]} : tensor<2 x real>");
    EXPECT_EQ(line_of(model, "conv1").substr(0, 23), "conv2d %x, %w, %b {kern");
    EXPECT_EQ(line_of(model, "y"), "relu %conv1 : tensor<2x2x2 x real>");
  }
}

TEST(OnnxImport, MatMulTakesItsBiasEvenFromAQuantiserFurtherDown) {
  TestModel model({1, 2});
  model.tensor("w", {2, 3}, {1, 2, 3, 4, 5, 6})
      .tensor("b", {1, 3}, {0.5, 1, 1.5})
      .quant("xq", "x", 1, 8)
      .quant("wq", "w", 1, 8)
      .node("MatMul", "fc", {"xq", "wq"})
      .quant("bq", "b", 0.5, 8)
      .node("Add", "sum", {"fc", "bq"})
      .output("sum", {1, 3});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [1, 2, 3, 4, 5, 6]} : tensor<2x3 x real>");
  EXPECT_EQ(line_of(model, "b"), "constant {value = [0.5, 1, 1.5]} : tensor<3 x real>");
  EXPECT_EQ(line_of(model, "fc").substr(0, 22), "dense %x, %wq, %bq : t");
}

TEST(OnnxImport, ScalarBiasIsSpreadOverAllOutputs) {
  TestModel model({1, 1});
  model.tensor("w", {1, 3}, {1, 2, 3})
      .tensor("b", {}, {7})
      .node("MatMul", "fc", {"x", "w"})
      .node("Add", "sum", {"fc", "b"})
      .output("sum", {1, 3});
  EXPECT_EQ(line_of(model, "b"), "constant {value = [7, 7, 7]} : tensor<3 x real>");
}

TEST(OnnxImport, GemmTransposesAndScalesRealOperands) {
  TestModel model({1, 2});
  model.tensor("w", {3, 2}, {1, 2, 3, 4, 5, 6})
      .tensor("c", {3}, {1, 2, 3})
      .node("Gemm", "fc", {"x", "w", "c"})
      .attribute("transB", int64_t{1})
      .attribute("alpha", 3.0F)
      .attribute("beta", 0.5F)
      .output("fc", {1, 3});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [3, 9, 15, 6, 12, 18]} : tensor<2x3 x real>");
  EXPECT_EQ(line_of(model, "c"), "constant {value = [0.5, 1, 1.5]} : tensor<3 x real>");
}

TEST(OnnxImport, GemmShiftsQuantisedOperands) {
  TestModel model({1, 1});
  model.tensor("w", {1, 2}, {1, 2})
      .tensor("c", {2}, {1, 2})
      .quant("xq", "x", 1, 8)
      .quant("wq", "w", 0.5, 6)
      .quant("cq", "c", 0.5, 6)
      .node("Gemm", "fc", {"xq", "wq", "cq"})
      .attribute("alpha", 4.0F)
      .attribute("beta", 0.25F)
      .output("fc", {1, 2});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [4, 8]} : tensor<1x2 x real>");
  EXPECT_EQ(line_of(model, "wq"),
            "requantize %w {rounding = RND_CONV, overflow = SAT} : tensor<1x2 x fixed<6,7>>");
  EXPECT_EQ(line_of(model, "c"), "constant {value = [0.25, 0.5]} : tensor<2 x real>");
  EXPECT_EQ(line_of(model, "cq"),
            "requantize %c {rounding = RND_CONV, overflow = SAT} : tensor<2 x fixed<6,3>>");
}

TEST(OnnxImport, GemmWithBetaZeroHasNoBias) {
  TestModel model({1, 1});
  model.tensor("w", {1, 2}, {1, 2})
      .tensor("c", {2}, {1, 2})
      .node("Gemm", "fc", {"x", "w", "c"})
      .attribute("beta", 0.0F)
      .output("fc", {1, 2});
  EXPECT_EQ(line_of(model, "fc"), "dense %x, %w, %fc.bias : tensor<2 x real>");
  EXPECT_EQ(line_of(model, "fc.bias"), "constant {value = [0, 0]} : tensor<2 x real>");
}

// Rows are numbered by channel, row and column: CHW order in, HWC order out.
TEST(OnnxImport, FlattenOrderGoesIntoTheRowsOfTheNextLayer) {
  for (const std::string between : {"", "Relu", "Identity", "Quant"}) {
    TestModel model({1, 2, 1, 3});
    model.tensor("w", {6, 1}, {0, 1, 2, 10, 11, 12}).node("Flatten", "flat", {"x"});
    std::string last = "flat";
    if (between == "Quant")
      model.quant("q", "x", 1, 8).quant("mid", "flat", 1, 4).quant("wq", "w", 1, 8);
    else if (!between.empty())
      model.node(between, "mid", {"flat"});
    if (between == "Quant")
      model.graph().mutable_node(0)->set_input(0, "q");
    model.node("MatMul", "fc", {between.empty() ? "flat" : "mid", between == "Quant" ? "wq" : "w"})
        .output("fc", {1, 1});
    EXPECT_EQ(line_of(model, "w"), "constant {value = [0, 10, 1, 11, 2, 12]} : tensor<6x1 x real>")
        << between;
    EXPECT_EQ(line_of(model, "flat").substr(0, 10), "flatten %x") << between;
  }
}

TEST(OnnxImport, ReshapeToAVectorIsAFlatten) {
  const std::vector<std::vector<int64_t>> targets = {{1, -1}, {-1, 8}, {0, -1}, {1, 8}, {0, 8}};
  for (const auto& target : targets) {
    TestModel model({1, 2, 2, 2});
    model.integers("shape", {2}, target)
        .tensor("w", {8, 1}, {0, 1, 10, 11, 100, 101, 110, 111})
        .node("Reshape", "flat", {"x", "shape"})
        .node("Gemm", "fc", {"flat", "w"})
        .output("fc", {1, 1});
    EXPECT_EQ(line_of(model, "flat"), "flatten %x : tensor<8 x real>");
    EXPECT_EQ(line_of(model, "w"),
              "constant {value = [0, 100, 1, 101, 10, 110, 11, 111]} : tensor<8x1 x real>");
  }
}

TEST(OnnxImport, ReshapeAndFlattenOfAVectorAreNothing) {
  TestModel model({1, 3});
  model.integers("shape", {2}, {1, 3})
      .node("Reshape", "same", {"x", "shape"})
      .node("Flatten", "flat", {"same"})
      .node("Relu", "y", {"flat"})
      .output("y", {1, 3});
  EXPECT_EQ(line_of(model, "y"), "relu %x : tensor<3 x real>");
}

TEST(OnnxImport, ConstantsAreReshapedAndTransposedBeforeTheirQuantisers) {
  TestModel model({1, 2});
  model.tensor("w", {6}, {1, 2, 3, 4, 5, 6})
      .integers("shape", {2}, {3, -1})
      .quant("xq", "x", 1, 8)
      .quant("wq", "w", 1, 4)
      .node("Reshape", "square", {"wq", "shape"})
      .node("Identity", "same", {"square"})
      .node("Transpose", "wt", {"same"})
      .attribute("perm", std::vector<int64_t>{1, 0})
      .node("MatMul", "fc", {"xq", "wt"})
      .output("fc", {1, 3});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [1, 3, 5, 2, 4, 6]} : tensor<2x3 x real>");
  EXPECT_EQ(line_of(model, "wq"),
            "requantize %w {rounding = RND_CONV, overflow = SAT} : tensor<2x3 x fixed<4,4>>");
}

TEST(OnnxImport, ConstantNodesGiveWeights) {
  TestModel model({1, 1});
  model.node("Constant", "w", {});
  auto& attribute = *model.last_node().add_attribute();
  attribute.set_name("value");
  attribute.set_type(::onnx::AttributeProto::TENSOR);
  attribute.mutable_t()->set_data_type(::onnx::TensorProto::DOUBLE);
  attribute.mutable_t()->add_dims(1);
  attribute.mutable_t()->add_dims(2);
  attribute.mutable_t()->add_double_data(0.1);
  attribute.mutable_t()->add_double_data(-3);
  model.node("MatMul", "fc", {"x", "w"}).output("fc", {1, 2});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [0.1, -3]} : tensor<1x2 x real>");
}

TEST(OnnxImport, ConstantNodesGiveQuantiserParameters) {
  TestModel model({1, 1});
  model.quant("q", "x", 1, 8);
  model.graph().mutable_initializer()->DeleteSubrange(0, 3);
  model.node("Constant", "q.scale", {}).attribute("value_float", 0.25F);
  model.node("Constant", "q.zero", {}).attribute("value_int", int64_t{0});
  model.node("Constant", "q.bits", {}).attribute("value_ints", std::vector<int64_t>{5});
  model.output("q", {1, 1});
  EXPECT_EQ(line_of(model, "x"), "input : tensor<1 x fixed<5,3>>");
}

TEST(OnnxImport, NormalisationOfRealValuesIsAnAffineRoundedToFloat) {
  TestModel model({1, 2, 1, 1});
  model.tensor("gamma", {2}, {3, 1})
      .tensor("beta", {2}, {1, 0.5})
      .tensor("mean", {2}, {2, -1})
      .tensor("var", {2}, {9, 0.25})
      .node("BatchNormalization", "bn", {"x", "gamma", "beta", "mean", "var"})
      .attribute("epsilon", 0.0F)
      .output("bn", {1, 2, 1, 1});
  EXPECT_EQ(line_of(model, "bn.scale"), "constant {value = [1, 2]} : tensor<2 x real>");
  EXPECT_EQ(line_of(model, "bn.offset"), "constant {value = [-1, 2.5]} : tensor<2 x real>");
  EXPECT_EQ(line_of(model, "bn"), "affine %x, %bn.scale, %bn.offset : tensor<1x1x2 x real>");
}

TEST(OnnxImport, NormalisationUsesTheDefaultEpsilon) {
  TestModel model({1, 1});
  model.tensor("one", {1}, {1})
      .tensor("zero", {1}, {0})
      .node("BatchNormalization", "bn", {"x", "one", "zero", "zero", "one"})
      .output("bn", {1, 1});
  // 1 / sqrt(1 + float32(1e-5)) rounded to float32, written as a double.
  EXPECT_EQ(line_of(model, "bn.scale"),
            "constant {value = [0.9999949932098389]} : tensor<1 x real>");
}

TEST(OnnxImport, PlainNormalisationKeepsItsParameters) {
  TestModel model({1, 2});
  model.tensor("gamma", {2}, {1.5, -0.25})
      .tensor("beta", {2}, {1, 0})
      .tensor("mean", {2}, {0, 0})
      .tensor("var", {2}, {1, 1})
      .quant("xq", "x", 1, 4)
      .quant("gq", "gamma", 0.25, 4)
      .node("BatchNormalization", "bn", {"xq", "gq", "beta", "mean", "var"})
      .attribute("epsilon", 0.0F)
      .output("bn", {1, 2});
  EXPECT_EQ(line_of(model, "gq"),
            "requantize %gamma {rounding = RND_CONV, overflow = SAT} : tensor<2 x fixed<4,2>>");
  EXPECT_EQ(line_of(model, "bn"), "affine %x, %gq, %beta : tensor<2 x real>");
}

TEST(OnnxImport, NormalisationBehindAFlattenFollowsItsOrder) {
  TestModel model({1, 2, 1, 2});
  model.tensor("gamma", {4}, {0, 1, 10, 11})
      .tensor("beta", {4}, {0, 2, 20, 22})
      .tensor("mean", {4}, {0, 0, 0, 0})
      .tensor("var", {4}, {1, 1, 1, 1})
      .tensor("w", {4, 1}, {0, 3, 30, 33})
      .node("Flatten", "flat", {"x"})
      .node("BatchNormalization", "bn", {"flat", "gamma", "beta", "mean", "var"})
      .attribute("epsilon", 0.0F)
      .node("MatMul", "fc", {"bn", "w"})
      .output("fc", {1, 1});
  EXPECT_EQ(line_of(model, "gamma"), "constant {value = [0, 10, 1, 11]} : tensor<4 x real>");
  EXPECT_EQ(line_of(model, "beta"), "constant {value = [0, 20, 2, 22]} : tensor<4 x real>");
  EXPECT_EQ(line_of(model, "w"), "constant {value = [0, 30, 3, 33]} : tensor<4x1 x real>");
}

TEST(OnnxImport, SigmoidAndQuantiserEndTheNetwork) {
  TestModel model({1, 1});
  model.quant("xq", "x", 0.5, 4)
      .node("Sigmoid", "score", {"xq"})
      .quant("y", "score", 0.0625, 4, false)
      .output("y", {1, 1});
  EXPECT_EQ(line_of(model, "score"), "unary %x {function = sigmoid} : tensor<1 x real>");
  EXPECT_EQ(line_of(model, "y"),
            "requantize %score {rounding = RND_CONV, overflow = SAT} : tensor<1 x ufixed<4,0>>");
}

// Where a quantiser is missing the value is real; lowering says so, unless it is exact all the
// same.
TEST(OnnxImport, MissingQuantisersLeaveRealValues) {
  TestModel model({1, 1});
  model.tensor("w", {1, 1}, {2})
      .quant("xq", "x", 1, 8)
      .node("MatMul", "fc", {"xq", "w"})
      .output("fc", {1, 1});
  EXPECT_EQ(line_of(model, "fc"), "dense %x, %w, %fc.bias : tensor<1 x real>");
  EXPECT_EQ(line_of(model, "fc.bias"), "constant {value = [0]} : tensor<1 x real>");
}

// Quantisers.

std::string quantised(const std::string& rounding, bool is_signed = true, bool is_narrow = false) {
  TestModel model({1, 1});
  model.node("Relu", "r", {"x"})
      .quant("q", "r", 8, 4, is_signed, is_narrow, rounding)
      .output("q", {1, 1});
  return line_of(model, "q");
}

TEST(OnnxImport, RoundingModesAreQonnxs) {
  const auto expect = [](const std::string& name, const std::string& mode) {
    EXPECT_EQ(quantised(name),
              "requantize %r {rounding = " + mode + ", overflow = SAT} : tensor<1 x fixed<4,7>>");
  };
  expect("ROUND", "RND_CONV");
  expect("HALF_EVEN", "RND_CONV");
  expect("FLOOR", "TRN");
  expect("ROUND_TO_ZERO", "TRN_ZERO");
  expect("DOWN", "TRN_ZERO");
  expect("HALF_UP", "RND_INF");     // of the magnitude: -2.5 becomes -3
  expect("HALF_DOWN", "RND_ZERO");  // and -2.5 becomes -2
  expect("floor", "TRN");
}

TEST(OnnxImport, NarrowRangesAreSymmetric) {
  EXPECT_EQ(quantised("ROUND", true, true),
            "requantize %r {rounding = RND_CONV, overflow = SAT_SYM} : tensor<1 x fixed<4,7>>");
  EXPECT_EQ(quantised("ROUND", false, false),
            "requantize %r {rounding = RND_CONV, overflow = SAT} : tensor<1 x ufixed<4,7>>");
}

TEST(OnnxImport, MissingQuantAttributesHaveTheDocumentedDefaults) {
  TestModel model({1, 1});
  model.node("Relu", "r", {"x"}).quant("q", "r", 1, 4, false, true, "FLOOR").output("q", {1, 1});
  model.last_node().clear_attribute();
  EXPECT_EQ(line_of(model, "q"),
            "requantize %r {rounding = RND_CONV, overflow = SAT} : tensor<1 x fixed<4,4>>");
}

TEST(OnnxImport, QuantGoesByItsOtherNamesToo) {
  for (const std::string domain : {"finn.custom_op.general", "onnx.brevitas", "qonnx"}) {
    for (const std::string op : {"Quant", "IntQuant"}) {
      TestModel model({1, 1});
      model.quant("q", "x", 0.5, 4).output("q", {1, 1});
      model.last_node().set_domain(domain);
      model.last_node().set_op_type(op);
      EXPECT_EQ(line_of(model, "x"), "input : tensor<1 x fixed<4,3>>") << domain << op;
    }
  }
}

TEST(OnnxImport, EqualScalesOfAllChannelsAreOneScale) {
  TestModel model({1, 1, 2, 2});
  model.tensor("w", {2, 1, 1, 1}, {1, 2})
      .quant("xq", "x", 1, 8)
      .quant("wq", "w", 1, 4)
      .node("Conv", "y", {"xq", "wq"})
      .output("y", {1, 2, 2, 2});
  auto& scale = *model.graph().mutable_initializer(4);
  ASSERT_EQ(scale.name(), "wq.scale");
  const std::vector<float> scales = {0.25, 0.25};
  for (int64_t extent : {2, 1, 1, 1})
    scale.add_dims(extent);
  scale.set_raw_data(scales.data(), 2 * sizeof(float));
  EXPECT_EQ(line_of(model, "wq"),
            "requantize %w {rounding = RND_CONV, overflow = SAT} : tensor<1x1x1x2 x fixed<4,2>>");
}

// Of which float32 has no quotient, but the nearest integer.
TEST(OnnxImport, WeightsThatAreHugeBesideTheirScaleSaturate) {
  TestModel model({1, 2});
  model.tensor("w", {2, 1}, {3e38F, -3e38F})
      .quant("xq", "x", 1, 8)
      .quant("wq", "w", 3e-30, 4)
      .node("MatMul", "y", {"xq", "wq"})
      .output("y", {1, 1});
  EXPECT_EQ(line_of(model, "w"), "constant {value = [7, -8]} : tensor<2x1 x real>");
}

TEST(OnnxImport, InputQuantiserThatRoundsDownStaysBehindARealInput) {
  TestModel model({1, 1});
  model.quant("q", "x", 0.5, 4, true, false, "FLOOR").output("q", {1, 1});
  EXPECT_EQ(line_of(model, "x"), "input : tensor<1 x real>");
  EXPECT_EQ(line_of(model, "q"),
            "requantize %x {rounding = TRN, overflow = SAT} : tensor<1 x fixed<4,3>>");
}

TEST(OnnxImport, NarrowInputQuantiserLeavesARequantize) {
  TestModel model({1, 1});
  model.quant("q", "x", 1, 4, true, true).output("q", {1, 1});
  EXPECT_EQ(line_of(model, "x"), "input : tensor<1 x fixed<4,4>>");
  EXPECT_EQ(line_of(model, "q"),
            "requantize %x {rounding = RND_CONV, overflow = SAT_SYM} : tensor<1 x fixed<4,4>>");
}

TEST(OnnxImport, InputQuantiserIsFoundBehindAnIdentity) {
  TestModel model({1, 1});
  model.node("Identity", "same", {"x"}).quant("q", "same", 1, 4).output("q", {1, 1});
  EXPECT_EQ(imported(model),
            "graph @test {\n  %x = input : tensor<1 x fixed<4,4>>\n  output %x\n}\n");
}

TEST(OnnxImport, InputThatIsTheOutputTooStaysReal) {
  TestModel model({1, 1});
  model.quant("q", "x", 1, 4).output("x", {1, 1});
  EXPECT_EQ(imported(model), "graph @test {\n  %x = input : tensor<1 x real>\n  output %x\n}\n");
}

// Names and structure.

TEST(OnnxImport, LayersKeepTheirNamesAndPlaces) {
  TestModel model({1, 1});
  model.node("Relu", "/net/act.1/Relu", {"x"})
      .node("Relu", "last", {"/net/act.1/Relu"})
      .output("last", {1, 1});
  model.graph().mutable_node(1)->clear_name();
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  ASSERT_EQ(graph->ops().size(), 3U);
  EXPECT_EQ(graph->ops()[0].where, "m.onnx: input 'x'");
  EXPECT_EQ(graph->ops()[1].name, "_net_act.1_Relu");
  EXPECT_EQ(graph->ops()[1].where, "m.onnx: node '/net/act.1/Relu' (Relu)");
  EXPECT_EQ(graph->ops()[2].name, "last");
  EXPECT_EQ(graph->ops()[2].where, "m.onnx: node 'last' (Relu)");
}

TEST(OnnxImport, NodesMayStandInAnyOrder) {
  TestModel model({1, 1});
  model.node("Relu", "c", {"b"}).node("Relu", "b", {"a"}).node("Relu", "a", {"x"});
  model.output("c", {1, 1});
  EXPECT_EQ(line_of(model, "c"), "relu %b : tensor<1 x real>");
}

TEST(OnnxImport, FreeBatchIsOne) {
  TestModel model({1, 2, 2, 2});
  model.node("Relu", "y", {"x"}).output("y", {1, 2, 2, 2});
  for (auto* port : {model.graph().mutable_input(0), model.graph().mutable_output(0)})
    port->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param(
        "batch");
  EXPECT_EQ(line_of(model, "y"), "relu %x : tensor<2x2x2 x real>");
}

TEST(OnnxImport, InitialisersMayBeListedAmongTheInputs) {
  TestModel model({1, 1});
  model.tensor("w", {1, 1}, {2}).node("MatMul", "y", {"x", "w"}).output("y", {1, 1});
  model.graph().add_input()->set_name("w");
  EXPECT_EQ(line_of(model, "w"), "constant {value = [2]} : tensor<1x1 x real>");
}

TEST(OnnxImport, ConstantsAreReadFromEveryIntegerType) {
  const auto bits = [](int type, auto set) {
    TestModel model({1, 1});
    model.quant("q", "x", 1, 8).output("q", {1, 1});
    auto& tensor = *model.graph().mutable_initializer(2);
    tensor.clear_raw_data();
    tensor.set_data_type(type);
    set(tensor);
    return line_of(model, "x");
  };
  using ::onnx::TensorProto;
  const std::string expected = "input : tensor<1 x fixed<6,6>>";
  const auto set_int32 = [](TensorProto& tensor) { tensor.add_int32_data(6); };
  const auto set_uint64 = [](TensorProto& tensor) { tensor.add_uint64_data(6); };
  for (const int type : {TensorProto::INT8, TensorProto::UINT8, TensorProto::INT16,
                         TensorProto::UINT16, TensorProto::INT32})
    EXPECT_EQ(bits(type, set_int32), expected) << type;
  for (const int type : {TensorProto::UINT32, TensorProto::UINT64})
    EXPECT_EQ(bits(type, set_uint64), expected) << type;
  EXPECT_EQ(bits(TensorProto::INT64, [](TensorProto& tensor) { tensor.add_int64_data(6); }),
            expected);
  EXPECT_EQ(bits(TensorProto::INT16,
                 [](TensorProto& tensor) { tensor.set_raw_data(std::string("\6\0", 2)); }),
            expected);
}

}  // namespace
}  // namespace millrace::frontends::onnx
