// SPDX-License-Identifier: Apache-2.0
// Scales that are no powers of two, as frameworks train them: the exact graph rounds as the real
// one does. Types and steps are those of networks that were quantised by others' tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/passes/passes.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::passes {
namespace {

graph::Graph graph_of(const std::string& body) {
  auto graph = graph::parse("graph @g {\n" + body + "}\n", "g.mr");
  EXPECT_TRUE(graph) << graph.error().to_string();
  return std::move(graph).value();
}

int widest(const graph::Graph& graph) {
  int width = 0;
  for (const graph::Op& op : graph.ops())
    if (op.as<graph::Conv2D>() || op.as<graph::Dense>())
      width = std::max(width, graph.type(op.operands[1]).fixed().width);
  return width;
}

// Random inputs give the same numbers before and after; no scale goes into weights or is left.
graph::Graph expect_same(const std::string& body, int rounds = 40) {
  const graph::Graph before = graph_of(body);
  const auto after = lower(before);
  EXPECT_TRUE(after) << after.error().to_string();
  if (!after)
    return before;
  EXPECT_LE(widest(*after), 8);
  std::mt19937_64 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::vector<double>> inputs, codes;
    for (const graph::ValueId input : after->inputs()) {
      const FixedType& type = after->type(input).fixed();
      const double step = after->op(input).as<graph::Input>()->step.value_or(1);
      const bool is_real = !before.type(before.inputs()[inputs.size()]).is_fixed();
      std::vector<double> numbers, code;
      for (int64_t i = 0; i < num_elements(after->type(input).shape); ++i) {
        code.push_back(type.to_double(static_cast<Int128>(random() % (uint64_t{1} << type.width)) +
                                      type.min_raw()));
        numbers.push_back(is_real ? code.back() * step : code.back());
      }
      inputs.push_back(numbers);
      codes.push_back(code);
    }
    EXPECT_EQ(reference::evaluate_real(*after, codes), reference::evaluate_real(before, inputs));
  }
  return *after;
}

const std::string Weights =
    "  %w = constant {value = [1, -3, 7, 2, -8, 5]} : tensor<2x3 x fixed<4,4>>\n"
    "  %b = constant {value = [0.5, -1.25, 0.03125]} : tensor<3 x real>\n";
const std::string Step = "rounding = RND_CONV, overflow = SAT, steps = ";

TEST(CarryScales, AQuantisedLayerHasIntegersAlone) {
  const graph::Graph graph = expect_same(
      "  %x = input : tensor<2 x real>\n"
      "  %q = requantize %x {" +
      Step +
      "[0.0123]} : tensor<2 x fixed<8,8>>\n"
      "  %s = constant {value = [0.0123]} : tensor<1 x real>\n"
      "  %r = mul %q, %s : tensor<2 x real>\n" +
      Weights +
      "  %d = dense %r, %w, %b : tensor<3 x real>\n"
      "  %f = constant {value = [0.017, 0.0034, 0.21]} : tensor<3 x real>\n"
      "  %o = constant {value = [0.1, -0.2, 0.003]} : tensor<3 x real>\n"
      "  %a = affine %d, %f, %o : tensor<3 x real>\n"
      "  %y = requantize %a {" +
      Step +
      "[0.00187]} : tensor<3 x ufixed<8,8>>\n"
      "  output %y\n");
  EXPECT_EQ(graph.op(graph.inputs()[0]).as<graph::Input>()->step, 0.0123);
  EXPECT_EQ(graph.type(graph.outputs()[0]).fixed(), (FixedType{false, 8, 0}));
}

TEST(CarryScales, RectifiersPoolsAndMeansAreOnTheWay) {
  expect_same(
      "  %q = input : tensor<5x5x2 x fixed<6,6>>\n"
      "  %s = constant {value = [0.0173]} : tensor<1 x real>\n"
      "  %r = mul %q, %s : tensor<5x5x2 x real>\n"
      "  %p = max_pool %r {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : "
      "tensor<4x4x2 x real>\n"
      "  %w = constant {value = [1, -3, 7, 2]} : tensor<1x1x2x2 x fixed<4,4>>\n"
      "  %b = constant {value = [0.5, -0.125]} : tensor<2 x real>\n"
      "  %c = conv2d %p, %w, %b {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : "
      "tensor<4x4x2 x real>\n"
      "  %f = constant {value = [0.7, 0.3]} : tensor<2 x real>\n"
      "  %o = constant {value = [0.01, -0.02]} : tensor<2 x real>\n"
      "  %a = affine %c, %f, %o : tensor<4x4x2 x real>\n"
      "  %l = relu %a : tensor<4x4x2 x real>\n"
      "  %y = requantize %l {" +
      Step +
      "[0.011]} : tensor<4x4x2 x fixed<8,8>>\n"
      "  %t = constant {value = [0.011]} : tensor<1 x real>\n"
      "  %z = mul %y, %t : tensor<4x4x2 x real>\n"
      "  %m = avg_pool %z {kernel = [3, 3], stride = [1, 1], padding = [0, 0, 0, 0], "
      "include_padding = 0} : tensor<2x2x2 x real>\n"
      "  %v = flatten %m : tensor<8 x real>\n"
      "  %u = requantize %v {" +
      Step +
      "[0.0091]} : tensor<8 x fixed<8,8>>\n"
      "  output %u\n");
}

TEST(CarryScales, SumsOfTwoScalesRoundOnce) {
  expect_same(
      "  %p = input : tensor<4 x fixed<6,6>>\n  %q = input : tensor<4 x ufixed<7,7>>\n"
      "  %s = constant {value = [0.0173]} : tensor<1 x real>\n"
      "  %t = constant {value = [0.0219]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<4 x real>\n  %b = mul %q, %t : tensor<4 x real>\n"
      "  %c = sub %a, %b : tensor<4 x real>\n  %r = relu %c : tensor<4 x real>\n"
      "  %y = requantize %r {" +
          Step +
          "[0.013]} : tensor<4 x fixed<7,7>>\n"
          "  %d = add %a, %b : tensor<4 x real>\n"
          "  %z = requantize %d {" +
          Step +
          "[0.021]} : tensor<4 x fixed<7,7>>\n"
          "  output %y\n  output %z\n",
      200);
}

std::string leaking_by(const std::string& slope) {
  return "  %p = input : tensor<2x2x2 x fixed<8,8>>\n"
         "  %f = constant {value = [0.0173, -0.021]} : tensor<2 x real>\n"
         "  %o = constant {value = [0.31, 0.02]} : tensor<2 x real>\n"
         "  %a = affine %p, %f, %o : tensor<2x2x2 x real>\n"
         "  %s = constant {value = [" +
         slope +
         "]} : tensor<1 x real>\n"
         "  %r = prelu %a, %s : tensor<2x2x2 x real>\n"
         "  %y = requantize %r {" +
         Step +
         "[0.0237]} : tensor<2x2x2 x fixed<8,8>>\n"
         "  output %y\n";
}

TEST(CarryScales, LeakyRectifiersAreTheLargerOfTwoLines) {
  for (const char* slope : {"0.1", "-0.3", "1.7"})
    expect_same(leaking_by(slope), 200);
}

std::string mean_of(const std::string& kernel, const std::string& step) {
  return "  %q = input : tensor<4x4x2 x fixed<6,6>>\n"
         "  %s = constant {value = [1.00000095367431640625]} : tensor<1 x real>\n"
         "  %r = mul %q, %s : tensor<4x4x2 x real>\n"
         "  %m = avg_pool %r {kernel = " +
         kernel +
         ", stride = [2, 4], padding = [0, 0, 0, 0], include_padding = 0} : tensor<2x1x2 x real>\n"
         "  %y = requantize %m {" +
         Step + "[" + step +
         "]} : tensor<2x1x2 x fixed<8,8>>\n"
         "  output %y\n";
}

// Means of 4 codes have ties, to the even and to the odd. The numbers are exact in double.
TEST(CarryScales, MeansKeepTies) {
  for (const char* step : {"1.00000095367431640625", "2.0000019073486328125"})
    expect_same(mean_of("[2, 2]", step), 200);
}

TEST(CarryScales, MeansToTheScaleOfTheCodesAreMeansOfCodes) {
  const auto graph = lower(graph_of(mean_of("[2, 3]", "1.00000095367431640625")));
  ASSERT_TRUE(graph);
  EXPECT_THAT(graph::print(*graph), testing::HasSubstr("avg_pool %q"));
  EXPECT_THAT(graph::print(*graph), testing::Not(testing::HasSubstr("conv2d")));
}

TEST(CarryScales, EqualScalesAddCodes) {
  const graph::Graph graph = expect_same(
      "  %p = input : tensor<4 x fixed<6,6>>\n  %q = input : tensor<4 x ufixed<7,7>>\n"
      "  %s = constant {value = [0.0173]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<4 x real>\n  %b = mul %q, %s : tensor<4 x real>\n"
      "  %d = add %a, %b : tensor<4 x real>\n"
      "  %z = requantize %d {" +
      Step + "[0.021]} : tensor<4 x fixed<7,7>>\n  output %z\n");
  EXPECT_THAT(graph::print(graph), testing::HasSubstr("add %p, %q"));
}

TEST(CarryScales, ConcatenatedChannelsKeepTheirScales) {
  expect_same(
      "  %p = input : tensor<2x2x2 x fixed<6,6>>\n  %q = input : tensor<2x2x1 x fixed<5,3>>\n"
      "  %s = constant {value = [0.0173]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<2x2x2 x real>\n"
      "  %c = concat %a, %q : tensor<2x2x3 x real>\n"
      "  %z = requantize %c {" +
      Step + "[0.021]} : tensor<2x2x3 x fixed<7,7>>\n  output %z\n");
}

TEST(CarryScales, FunctionsBecomeTablesOfCodes) {
  const graph::Graph graph = expect_same(
      "  %p = input : tensor<4 x fixed<8,8>>\n"
      "  %s = constant {value = [0.043699998408555984]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<4 x real>\n"
      "  %f = unary %a {function = tanh} : tensor<4 x real>\n"
      "  %z = requantize %f {" +
      Step + "[0.0078]} : tensor<4 x fixed<8,8>>\n  output %z\n");
  EXPECT_THAT(graph::print(graph), testing::HasSubstr("table %p"));
}

std::string offset_by(const std::string& operation) {
  return "  %p = input : tensor<4 x fixed<6,6>>\n"
         "  %k = constant {value = [0.437]} : tensor<1 x real>\n"
         "  %d = " +
         operation +
         " %p, %k : tensor<4 x real>\n"
         "  %z = requantize %d {" +
         Step + "[0.71]} : tensor<4 x fixed<7,7>>\n  output %z\n";
}

TEST(CarryScales, OffsetsAreAddedAndSubtracted) {
  expect_same(offset_by("add"));
  expect_same(offset_by("sub"));
}

TEST(CarryScales, SignsCompareCodes) {
  expect_same(
      "  %p = input : tensor<3 x fixed<8,8>>\n"
      "  %f = constant {value = [0.0437, -0.013, 0]} : tensor<3 x real>\n"
      "  %o = constant {value = [0.7, 0.19, -0.1]} : tensor<3 x real>\n"
      "  %a = affine %p, %f, %o : tensor<3 x real>\n"
      "  %z = binarize %a : tensor<3 x real>\n  output %z\n",
      4000);
}

TEST(CarryScales, TypesAndStepsOfChannels) {
  expect_same(
      "  %p = input : tensor<2x2x2 x fixed<8,8>>\n"
      "  %s = constant {value = [0.0173]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<2x2x2 x real>\n"
      "  %z = requantize %a {rounding = RND, overflow = SAT_SYM, types = [fixed<6,6>, fixed<5,3>], "
      "steps = [0.031, 0.27]} : tensor<2x2x2 x fixed<8,6>>\n"
      "  output %z\n");
}

TEST(CarryScales, WhatElseReadsTheValueGetsIt) {
  expect_same(
      "  %p = input : tensor<2 x fixed<8,8>>\n"
      "  %s = constant {value = [0.01730000041425228]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<2 x real>\n" +
      Weights +
      "  %d = dense %a, %w, %b : tensor<3 x real>\n"
      "  output %d\n  output %a\n");
}

TEST(CarryScales, WrappingQuantisersReadTheExactValue) {
  expect_same(
      "  %p = input : tensor<2 x fixed<8,8>>\n"
      "  %s = constant {value = [0.4173]} : tensor<1 x real>\n"
      "  %a = mul %p, %s : tensor<2 x real>\n"
      "  %y = requantize %a {rounding = TRN, overflow = WRAP} : tensor<2 x fixed<4,2>>\n"
      "  output %y\n");
}

TEST(CarryScales, AStepThatNothingExactIsKnownForIsRefused) {
  const auto graph =
      lower(graph_of("  %p = input : tensor<2 x fixed<8,8>>\n"
                     "  %y = requantize %p {rounding = TRN, overflow = WRAP, steps = [0.3]} : "
                     "tensor<2 x fixed<4,4>>\n"
                     "  output %y\n"));
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, "passes.step_remains");
}

}  // namespace
}  // namespace millrace::passes
