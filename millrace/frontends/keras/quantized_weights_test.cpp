// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/quantized_weights.h"

#include <gmock/gmock.h>

namespace millrace::frontends::keras {
namespace {

/// A quantiser of a kernel (3 x 4) or a bias (6), and what it makes of them.
struct Row {
  std::string quantizer;
  bool is_kernel;
  std::vector<double> expected;
};

const FloatTensor Kernel{{3, 4},
                         {-0.25, 0.4375, 0.237499997, -0.0375000015, 0.5, 0, -0.949999988,
                          0.0375000015, -0.125, -0.4375, 0.474999994, -0.0250000004}};
const FloatTensor Bias{{6},
                       {-0.324999988, 0.568749964, 0.308749974, -0.0487500019, 0.649999976, 0}};

// Results of QKeras 0.9.0 on TensorFlow 2.15.1.
const std::vector<Row> Rows = {
    {"quantized_bits(4,0,1,alpha=1)",
     true,
     {-0.25, 0.5, 0.25, 0, 0.5, 0, -0.875, 0, -0.125, -0.5, 0.5, 0}},
    {"quantized_bits(4,0,1,alpha=1)", false, {-0.375, 0.625, 0.25, 0, 0.625, 0}},
    {"quantized_bits(6,1,alpha=1)",
     true,
     {-0.25, 0.4375, 0.25, -0.0625, 0.5, 0, -0.9375, 0.0625, -0.125, -0.4375, 0.5, 0}},
    {"quantized_bits(6,1,alpha=1)", false, {-0.3125, 0.5625, 0.3125, -0.0625, 0.625, 0}},
    {"quantized_bits(4,0,keep_negative=False,alpha=1)",
     true,
     {0, 0.4375, 0.25, 0, 0.5, 0, 0, 0.0625, 0, 0, 0.5, 0}},
    {"quantized_bits(4,0,keep_negative=False,alpha=1)", false, {0, 0.5625, 0.3125, 0, 0.625, 0}},
    {"quantized_bits(1,0,alpha=1)", true, {-1, 1, 1, -1, 1, 1, -1, 1, -1, -1, 1, -1}},
    {"quantized_bits(1,0,alpha=1)", false, {-1, 1, 1, -1, 1, 1}},
    {"quantized_bits(4,0)",
     true,
     {-0.25, 0.4375, 0.25, -0.02734375, 0.4375, 0, -0.875, 0.02734375, -0.125, -0.4375, 0.5,
      -0.0234375}},
    {"quantized_bits(4,0)", false, {-0.375, 0.625, 0.25, 0, 0.625, 0}},
    {"quantized_bits(4,0,1,alpha='auto')",
     true,
     {-0.214285731, 0.4375, 0.271428555, -0.0375000015, 0.5, 0, -0.949999928, 0.0375000015,
      -0.142857149, -0.4375, 0.542857111, -0.0267857146}},
    {"quantized_bits(4,0,1,alpha='auto')",
     false,
     {-0.371428549, 0.557142854, 0.278571427, -0.0928571373, 0.649999976, 0}},
    {"quantized_bits(4,2,1,alpha='auto')",
     true,
     {-0.214285731, 0.4375, 0.271428555, -0.0375000015, 0.5, 0, -0.949999928, 0.0375000015,
      -0.142857149, -0.4375, 0.542857111, -0.0267857146}},
    {"quantized_bits(4,2,1,alpha='auto')",
     false,
     {-0.371428549, 0.557142854, 0.278571427, -0.0928571373, 0.649999976, 0}},
    {"quantized_bits(4,0,1,alpha='auto_po2')",
     true,
     {-0.25, 0.4375, 0.25, -0.02734375, 0.4375, 0, -0.875, 0.02734375, -0.125, -0.4375, 0.5,
      -0.0234375}},
    {"quantized_bits(4,0,1,alpha='auto_po2')", false, {-0.375, 0.625, 0.25, -0.046875, 0.625, 0}},
    {"quantized_bits(3,1,1,alpha='auto_po2')",
     true,
     {-0.25, 0.375, 0.25, -0.03125, 0.375, 0, -0.75, 0.03125, -0.125, -0.375, 0.5, -0.03125}},
    {"quantized_bits(3,1,1,alpha='auto_po2')", false, {-0.25, 0.5, 0.25, -0.046875, 0.75, 0}},
    {"quantized_bits(4,0,alpha=0.37)",
     true,
     {-0.0925000012, 0.185000002, 0.0925000012, 0, 0.185000002, 0, -0.370000005, 0, -0.0462500006,
      -0.185000002, 0.185000002, 0}},
    {"quantized_bits(4,0,alpha=0.37)",
     false,
     {-0.138750002, 0.231249988, 0.0925000012, 0, 0.231249988, 0}},
    {"quantized_bits(4,0,alpha=0.25)",
     true,
     {-0.0625, 0.125, 0.0625, 0, 0.125, 0, -0.25, 0, -0.03125, -0.125, 0.125, 0}},
    {"quantized_bits(4,0,alpha=0.25)", false, {-0.09375, 0.15625, 0.0625, 0, 0.15625, 0}},
    {"binary(alpha=1)", true, {-1, 1, 1, -1, 1, 1, -1, 1, -1, -1, 1, -1}},
    {"binary(alpha=1)", false, {-1, 1, 1, -1, 1, 1}},
    {"binary()",
     true,
     {-0.25, 0.25, 0.5, -0.03125, 0.25, 0.25, -0.5, 0.03125, -0.25, -0.25, 0.5, -0.03125}},
    {"binary()", false, {-1, 1, 1, -1, 1, 1}},
    {"binary(alpha='auto')",
     true,
     {-0.291666627, 0.291666627, 0.554166615, -0.0333333313, 0.291666627, 0.291666627, -0.554166615,
      0.0333333313, -0.291666627, -0.291666627, 0.554166615, -0.0333333313}},
    {"binary(alpha='auto')",
     false,
     {-0.324999958, 0.568749905, 0.308749944, -0.0487499945, 0.649999917, 0}},
    {"binary(alpha='auto_po2')",
     true,
     {-0.25, 0.25, 0.5, -0.03125, 0.25, 0.25, -0.5, 0.03125, -0.25, -0.25, 0.5, -0.03125}},
    {"binary(alpha='auto_po2')", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 1.1920929e-07}},
    {"binary(use_01=True,alpha=0.5)", true, {0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0.5, 0, 0, 0.5, 0}},
    {"binary(use_01=True,alpha=0.5)", false, {0, 0.5, 0.5, 0, 0.5, 0.5}},
    {"ternary(alpha=1)", true, {0, 1, 0, 0, 1, 0, -1, 0, 0, -1, 1, 0}},
    {"ternary(alpha=1)", false, {0, 1, 0, 0, 1, 0}},
    {"ternary(alpha=0.5,threshold=0.2)",
     true,
     {-0.5, 0.5, 0.5, 0, 0.5, 0, -0.5, 0, 0, -0.5, 0.5, 0}},
    {"ternary(alpha=0.5,threshold=0.2)", false, {-0.5, 0.5, 0.5, 0, 0.5, 0}},
    {"ternary()", true, {0, 0.5, 0, -0.03125, 0.5, 0, -1, 0.03125, 0, -0.5, 0, -0.03125}},
    {"ternary()", false, {0, 1, 0, 0, 1, 0}},
    {"ternary(alpha='auto')",
     true,
     {-0.374999911, 0.437499881, 0, -0.0333333313, 0.374999911, 0, -0.712499857, 0.0333333313, 0,
      -0.437499881, 0.712499857, -0.0333333313}},
    {"ternary(alpha='auto')", false, {-0.324999958, 0.568749905, 0.308749944, 0, 0.649999917, 0}},
    {"ternary(alpha='auto_po2')",
     true,
     {0, 0.5, 0, -0.03125, 0.5, 0, -1, 0.03125, 0, -0.5, 0, -0.03125}},
    {"ternary(alpha='auto_po2')", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 0}},
    {"stochastic_ternary(alpha='auto')",
     true,
     {-0.374999911, 0.437499881, 0, -0.0333333313, 0.374999911, 0, -0.712499857, 0.0333333313, 0,
      -0.437499881, 0.712499857, -0.0333333313}},
    {"stochastic_ternary(alpha='auto')",
     false,
     {-0.324999958, 0.568749905, 0.308749944, 0, 0.649999917, 0}},
    {"stochastic_binary(alpha='auto_po2')",
     true,
     {-0.25, 0.25, 0.5, -0.03125, 0.25, 0.25, -0.5, 0.03125, -0.25, -0.25, 0.5, -0.03125}},
    {"stochastic_binary(alpha='auto_po2')", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 1.1920929e-07}},
    {"quantized_po2(4)",
     true,
     {-0.25, 0.5, 0.25, -0.0625, 0.5, 0.0625, -1, 0.0625, -0.125, -0.5, 0.5, -0.0625}},
    {"quantized_po2(4)", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 0.0625}},
    {"quantized_po2(4,max_value=1)",
     true,
     {-0.25, 0.5, 0.25, -0.03125, 0.5, 0.00390625, -1, 0.03125, -0.125, -0.5, 0.5, -0.03125}},
    {"quantized_po2(4,max_value=1)", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 0.00390625}},
    {"quantized_po2(5,quadratic_approximation=True)",
     true,
     {-0.25, 0.25, 0.25, -0.0625, 1, 0.00390625, -1, 0.0625, -0.0625, -0.25, 0.25, -0.015625}},
    {"quantized_po2(5,quadratic_approximation=True)",
     false,
     {-0.25, 1, 0.25, -0.0625, 1, 0.00390625}},
    {"quantized_po2(4,log2_rounding='floor')",
     true,
     {-0.25, 0.25, 0.125, -0.0625, 0.5, 0.0625, -0.5, 0.0625, -0.125, -0.25, 0.25, -0.0625}},
    {"quantized_po2(4,log2_rounding='floor')", false, {-0.25, 0.5, 0.25, -0.0625, 0.5, 0.0625}},
    {"quantized_relu_po2(4)",
     true,
     {0.00390625, 0.5, 0.25, 0.00390625, 0.5, 0.00390625, 0.00390625, 0.03125, 0.00390625,
      0.00390625, 0.5, 0.00390625}},
    {"quantized_relu_po2(4)", false, {0.00390625, 0.5, 0.25, 0.00390625, 0.5, 0.00390625}},
    {"quantized_relu_po2(4,negative_slope=0.25)",
     true,
     {-0.0625, 0.5, 0.25, -0.0078125, 0.5, 0.00390625, -0.25, 0.03125, -0.03125, -0.125, 0.5,
      -0.0078125}},
    {"quantized_relu_po2(4,negative_slope=0.25)",
     false,
     {-0.0625, 0.5, 0.25, -0.015625, 0.5, 0.00390625}},
    {"quantized_relu(4,1)", true, {0, 0.5, 0.25, 0, 0.5, 0, 0, 0, 0, 0, 0.5, 0}},
    {"quantized_relu(4,1)", false, {0, 0.625, 0.25, 0, 0.625, 0}},
};

QuantizerSpec spec_of(const std::string& text) {
  const Json json = text;
  return **read_quantizer(&json, "kernel_quantizer", "layer");
}

class QuantizedWeights : public ::testing::TestWithParam<Row> {};

// QKeras returns x + (xq - x) in float32, which is off xq by a rounding.
TEST_P(QuantizedWeights, AreThoseOfTheFramework) {
  const Row& row = GetParam();
  const auto values =
      quantized_values(spec_of(row.quantizer), row.is_kernel ? Kernel : Bias, row.is_kernel);
  ASSERT_TRUE(values) << values.error().to_string();
  ASSERT_EQ(values->data.size(), row.expected.size());
  for (size_t i = 0; i < row.expected.size(); ++i)
    EXPECT_NEAR(values->data[i], row.expected[i], 2e-7) << row.quantizer << " element " << i;
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedWeights, ::testing::ValuesIn(Rows));

TEST(QuantizedWeightsForm, AScaleOfPowersOfTwoMovesThePointOfEachChannel) {
  const auto quantized =
      quantize_weights(spec_of("quantized_bits(4,0,1,alpha='auto_po2')"), Kernel, true);
  ASSERT_TRUE(quantized && quantized->step);
  EXPECT_TRUE(quantized->scale.empty());
  ASSERT_EQ(quantized->step->types.size(), 4U);
  EXPECT_EQ(quantized->step->types[0].width, 4);
  EXPECT_NE(quantized->step->types[0], quantized->step->types[2]);
}

TEST(QuantizedWeightsForm, AnotherScaleStaysApartFromTheIntegers) {
  const auto quantized =
      quantize_weights(spec_of("quantized_bits(4,0,1,alpha='auto')"), Kernel, true);
  ASSERT_TRUE(quantized && quantized->step);
  EXPECT_EQ(quantized->step->to.type, (FixedType{true, 4, 0}));
  EXPECT_THAT(quantized->scale, ::testing::SizeIs(4));
  // The largest weight of a channel is the largest integer.
  EXPECT_EQ(quantized->numbers.data[6], -7);
}

TEST(QuantizedWeightsForm, WithoutAScaleTheWeightsAreThoseOfTheFile) {
  const auto quantized = quantize_weights(spec_of("quantized_bits(4,0,alpha=1)"), Kernel, true);
  ASSERT_TRUE(quantized && quantized->step);
  EXPECT_EQ(quantized->numbers, Kernel);
  EXPECT_EQ(quantized->step->to, (Quantizer{{true, 4, 3}, Rounding::HalfEven, Overflow::Saturate}));
}

TEST(QuantizedWeightsForm, AScaleGivenAsAnArrayIsThatOfTheChannels) {
  QuantizerSpec spec = spec_of("quantized_bits(4,0,alpha=1)");
  spec.arguments["alpha"] = Json::parse("[[0.5, 1, 2, 4]]");
  const auto values = quantized_values(spec, FloatTensor{{1, 4}, {0.25, 0.25, 0.25, 0.25}}, true);
  ASSERT_TRUE(values);
  EXPECT_THAT(values->data, ::testing::ElementsAre(0.125, 0.25, 0.5, 1));
  spec.arguments["alpha"] = Json::parse("[1, 2, 3]");
  EXPECT_EQ(quantize_weights(spec, Kernel, true).error().code, "frontends.keras.option");
}

TEST(QuantizedWeightsForm, AFrozenScaleIsUsedAsItIs) {
  QuantizerSpec spec = spec_of("quantized_bits(4,0,1,alpha='auto')");
  spec.arguments["post_training_scale"] = Json::parse("[0.5]");
  const auto values = quantized_values(spec, FloatTensor{{2, 1}, {0.13, -0.5}}, true);
  ASSERT_TRUE(values);
  EXPECT_THAT(values->data, ::testing::ElementsAre(0.125, -0.4375));
}

TEST(QuantizedWeightsForm, QuantizedLinearDividesByItsScale) {
  const FloatTensor weights{{2, 2}, {0.25, -0.9, 0.6, 0.1}};
  const auto plain = quantized_values(spec_of("quantized_linear(4,0)"), weights, false);
  ASSERT_TRUE(plain);
  EXPECT_THAT(plain->data, ::testing::ElementsAre(0.25, -0.875, 0.625, 0.125));
  const auto doubled = quantized_values(spec_of("quantized_linear(4,0,alpha=2)"), weights, false);
  ASSERT_TRUE(doubled);
  EXPECT_THAT(doubled->data, ::testing::ElementsAre(0.25, -1, 0.5, 0));
  const auto automatic =
      quantize_weights(spec_of("quantized_linear(4,0,alpha='auto')"), weights, true);
  ASSERT_TRUE(automatic);
  EXPECT_THAT(automatic->numbers.data, ::testing::ElementsAre(3, -7, 7, 1));
  const auto sign = quantized_values(spec_of("quantized_linear(1,1)"), weights, false);
  ASSERT_TRUE(sign);
  EXPECT_THAT(sign->data, ::testing::ElementsAre(1, -1, 1, 1));
}

TEST(QuantizedWeightsForm, QuantisersOfActivationsAreRefused) {
  const auto refused = quantize_weights(spec_of("quantized_tanh(4)"), Kernel, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "frontends.keras.unknown_quantizer");
}

}  // namespace
}  // namespace millrace::frontends::keras
