// SPDX-License-Identifier: Apache-2.0
// Quantisers of QKeras on activations against the results of the framework.
#include <gmock/gmock.h>

#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/keras/test_files.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::keras::testing {
namespace {

struct Row {
  std::string activation;
  std::vector<double> expected;
};

const std::vector<double> Inputs = {-9,       -4,    -3.75,    -2.125,  -1,      -0.53125, -0.5,
                                    -0.34375, -0.25, -0.03125, 0,       0.03125, 0.25,     0.28125,
                                    0.5,      0.75,  1,        1.40625, 2.53125, 3.875,    8};

// Results of QKeras 0.9.0 on TensorFlow 2.15.1.
const std::vector<Row> Rows = {
    {"quantized_bits(6,2)", {-4, -4,   -3.75, -2.125, -1,   -0.5, -0.5,  -0.375, -0.25, 0,    0,
                             0,  0.25, 0.25,  0.5,    0.75, 1,    1.375, 2.5,    3.875, 3.875}},
    {"quantized_bits(4,1,1)", {-1.75, -1.75, -1.75, -1.75, -1,   -0.5, -0.5, -0.25, -0.25, 0,   0,
                               0,     0.25,  0.25,  0.5,   0.75, 1,    1.5,  1.75,  1.75,  1.75}},
    {"quantized_bits(1,0)",
     {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"quantized_bits(5,1,alpha=0.25)",
     {-0.5, -0.5,   -0.5,   -0.5,  -0.25,  -0.125, -0.125,  -0.09375, -0.0625, 0,      0,
      0,    0.0625, 0.0625, 0.125, 0.1875, 0.25,   0.34375, 0.46875,  0.46875, 0.46875}},
    {"quantized_bits(5,1,keep_negative=False)",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1.375, 1.9375, 1.9375, 1.9375}},
    {"quantized_relu(6,2)",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1.375, 2.5, 3.875, 3.9375}},
    {"quantized_relu(4)", {0, 0,    0,    0,   0,    0,      0,      0,      0,      0,     0,
                           0, 0.25, 0.25, 0.5, 0.75, 0.9375, 0.9375, 0.9375, 0.9375, 0.9375}},
    {"quantized_relu", {0,   0,    0,          0,          0,          0,          0,
                        0,   0,    0,          0,          0.03125,    0.25,       0.28125,
                        0.5, 0.75, 0.99609375, 0.99609375, 0.99609375, 0.99609375, 0.99609375}},
    {"quantized_relu(6,2,negative_slope=0.25)",
     {-1, -1,   -1,   -0.5, -0.25, -0.125, -0.125, -0.125, 0,     0,    0,
      0,  0.25, 0.25, 0.5,  0.75,  1,      1.375,  2.5,    3.875, 3.875}},
    {"quantized_relu(6,2,0,1.0)",
     {-4, -4,   -3.75, -2.125, -1,   -0.5, -0.5,  -0.375, -0.25, 0,    0,
      0,  0.25, 0.25,  0.5,    0.75, 1,    1.375, 2.5,    3.875, 3.875}},
    {"quantized_relu(4,1,1)",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1.5, 1.875, 1.875, 1.875}},
    {"quantized_relu(4,1,use_stochastic_rounding=True)",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1.375, 1.875, 1.875, 1.875}},
    {"quantized_relu(6,2,relu_upper_bound=1.25,is_quantized_clip=False)",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1.25, 1.25, 1.25, 1.25}},
    {"quantized_tanh(5)", {-1, -1,   -1,   -1,  -1,   -0.5,   -0.5,   -0.375, -0.25,  0,     0,
                           0,  0.25, 0.25, 0.5, 0.75, 0.9375, 0.9375, 0.9375, 0.9375, 0.9375}},
    {"quantized_tanh(5,symmetric=True)",
     {-0.9375, -0.9375, -0.9375, -0.9375, -0.9375, -0.5,   -0.5,   -0.375, -0.25,  0,     0,
      0,       0.25,    0.25,    0.5,     0.75,    0.9375, 0.9375, 0.9375, 0.9375, 0.9375}},
    {"quantized_tanh(5,use_real_tanh=True)",
     {-1, -1,   -1,   -1,     -0.75, -0.5, -0.4375, -0.3125, -0.25,  0,     0,
      0,  0.25, 0.25, 0.4375, 0.625, 0.75, 0.875,   0.9375,  0.9375, 0.9375}},
    {"quantized_sigmoid(5)",
     {0,   0,     0,     0,    0,     0.25,    0.25,    0.3125,  0.375,   0.5,    0.5,
      0.5, 0.625, 0.625, 0.75, 0.875, 0.96875, 0.96875, 0.96875, 0.96875, 0.96875}},
    {"quantized_sigmoid(5,symmetric=True)",
     {0.03125, 0.03125, 0.03125, 0.03125, 0.03125, 0.25,    0.25,    0.3125,  0.375,   0.5,    0.5,
      0.5,     0.625,   0.625,   0.75,    0.875,   0.96875, 0.96875, 0.96875, 0.96875, 0.96875}},
    {"quantized_sigmoid(5,use_real_sigmoid=True)",
     {0,   0.03125, 0.03125, 0.09375, 0.28125, 0.375,   0.375,  0.40625, 0.4375,  0.5,    0.5,
      0.5, 0.5625,  0.5625,  0.625,   0.6875,  0.71875, 0.8125, 0.9375,  0.96875, 0.96875}},
    {"binary", {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"binary(alpha=1)", {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"binary(use_01=True,alpha=0.75)",
     {0,    0,    0,    0,    0,    0,    0,    0,    0,    0,   0.75,
      0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75}},
    {"ternary", {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1}},
    {"ternary(alpha=0.5,threshold=0.75)",
     {-0.5, -0.5, -0.5, -0.5, -0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
    {"stochastic_ternary(alpha=1.0)",
     {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1}},
    {"stochastic_binary(alpha=1.0)",
     {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"quantized_po2(4)", {-8,     -4,   -4,   -2,  -1, -0.5, -0.5, -0.25, -0.25, -0.0625, 0.0625,
                          0.0625, 0.25, 0.25, 0.5, 1,  1,    1,    2,     4,     8}},
    {"quantized_po2(4,max_value=2)",
     {-2,     -2,   -2,   -2,  -1, -0.5, -0.5, -0.25, -0.25, -0.0625, 0.0625,
      0.0625, 0.25, 0.25, 0.5, 1,  1,    1,    2,     2,     2}},
    {"quantized_relu_po2(4)",
     {0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625,
      0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.03125,    0.25,       0.25,
      0.5,        1,          1,          1,          2,          4,          8}},
    {"quantized_relu_po2(3,negative_slope=0.25)",
     {-2,     -1,   -1,   -0.5, -0.25, -0.125, -0.125, -0.0625, -0.0625, -0.0625, 0.0625,
      0.0625, 0.25, 0.25, 0.5,  1,     1,      1,      2,       4,       8}},
    {"quantized_relu_po2(4,log2_rounding='floor')",
     {0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.00390625,
      0.00390625, 0.00390625, 0.00390625, 0.00390625, 0.03125,    0.25,       0.25,
      0.5,        0.5,        1,          1,          2,          2,          8}},
    {"quantized_hswish(8,2)",
     {0,       0,     0,       -0.3125, -0.34375, -0.21875, -0.21875, -0.15625, -0.125, 0,      0,
      0.03125, 0.125, 0.15625, 0.28125, 0.46875,  0.65625,  1.03125,  2.34375,  3.875,  3.96875}},
    {"hard_sigmoid",
     {0,        0,     0,        0,    0,     0.234375, 0.25, 0.328125, 0.375, 0.484375, 0.5,
      0.515625, 0.625, 0.640625, 0.75, 0.875, 1,        1,    1,        1,     1}},
    {"smooth_sigmoid",
     {0,           0,        0,           0.1015625,   0.3125,      0.400390625, 0.40625,
      0.435546875, 0.453125, 0.494140625, 0.5,         0.505859375, 0.546875,    0.552734375,
      0.59375,     0.640625, 0.6875,      0.763671875, 0.974609375, 1,           1}},
    {"hard_tanh", {-1,      -1,   -1,      -1,  -1,   -0.53125, -0.5, -0.34375, -0.25, -0.03125, 0,
                   0.03125, 0.25, 0.28125, 0.5, 0.75, 1,        1,    1,        1,     1}},
    {"smooth_tanh",
     {-1,          -1,       -1,          -0.796875,  -0.375,     -0.19921875, -0.1875,
      -0.12890625, -0.09375, -0.01171875, 0,          0.01171875, 0.09375,     0.10546875,
      0.1875,      0.28125,  0.375,       0.52734375, 0.94921875, 1,           1}},
    {"binary_sigmoid", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"binary_tanh", {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
};

Result<graph::Graph> import_activation(const Json& activation) {
  const auto count = static_cast<int64_t>(Inputs.size());
  const Json model =
      sequential({input({count}), layer("QActivation", "quantised", {{"activation", activation}})});
  return import_keras_bytes(h5_file(model), "test.h5");
}

class QuantizedActivation : public ::testing::TestWithParam<Row> {};

TEST_P(QuantizedActivation, IsThatOfTheFramework) {
  const auto graph = import_activation(GetParam().activation);
  ASSERT_TRUE(graph) << graph.error().to_string();
  const auto computed = reference::evaluate_real(*graph, {Inputs}).at(0);
  for (size_t i = 0; i < Inputs.size(); ++i)
    EXPECT_NEAR(computed[i], GetParam().expected[i], 1e-6)
        << GetParam().activation << " of " << Inputs[i];
}

INSTANTIATE_TEST_SUITE_P(All, QuantizedActivation, ::testing::ValuesIn(Rows));

/// The code of what is wrong with an activation.
std::string refusal(const Json& activation) {
  const auto graph = import_activation(activation);
  return graph ? "imported" : graph.error().code;
}

TEST(QuantizedActivationForms, AnObjectSaysTheSameAsAText) {
  const Json options{{"bits", 6}, {"integer", 2}, {"negative_slope", 0.25}};
  const auto object = import_activation({{"class_name", "quantized_relu"}, {"config", options}});
  const auto registered = import_activation({{"class_name", "quantized_relu"},
                                             {"config", options},
                                             {"module", "qkeras.quantizers"},
                                             {"registered_name", "qkeras>quantized_relu"}});
  const auto text = import_activation("quantized_relu(6, 2, negative_slope=0.25)");
  ASSERT_TRUE(object && text && registered);
  EXPECT_EQ(*object, *text);
  EXPECT_EQ(*registered, *text);
}

TEST(QuantizedActivationForms, BernoulliIsItsMostProbableNumber) {
  const auto graph = import_activation("bernoulli(alpha=1.0)");
  ASSERT_TRUE(graph);
  const auto computed = reference::evaluate_real(*graph, {Inputs}).at(0);
  for (size_t i = 0; i < Inputs.size(); ++i)
    EXPECT_EQ(computed[i], Inputs[i] >= 0 ? 1 : 0);
}

TEST(QuantizedActivationForms, WhatHasNoMeaningIsRefused) {
  EXPECT_EQ(refusal("quantized_ulaw(6)"), "frontends.keras.unknown_quantizer");
  EXPECT_EQ(refusal("quantized_bytes(6)"), "frontends.keras.unknown_quantizer");
  EXPECT_EQ(refusal("quantized_bits(4,0,alpha='auto')"), "frontends.keras.data_dependent");
  EXPECT_EQ(refusal("quantized_bits(4,0"), "frontends.keras.quantizer_form");
  EXPECT_EQ(refusal("quantized_bits(4,0,0,1,1,0,0,1,0,0,0,0,0,0,0,0,0)"),
            "frontends.keras.quantizer_form");
  EXPECT_EQ(refusal("quantized_bits(4,bits=3)"), "frontends.keras.quantizer_form");
  EXPECT_EQ(refusal("quantized_bits(4,0,qnoise_factor=0.5)"), "frontends.keras.qnoise");
  EXPECT_EQ(refusal("quantized_bits(4,0,colour=1)"), "frontends.keras.unknown_option");
  EXPECT_EQ(refusal("quantized_bits(0,0)"), "frontends.keras.quantizer_type");
  EXPECT_EQ(refusal("quantized_bits(65,0)"), "frontends.keras.quantizer_type");
  EXPECT_EQ(refusal("quantized_relu(1e300,0)"), "frontends.keras.option");
  EXPECT_EQ(refusal("quantized_relu(4,0,negative_slope=0.3)"), "frontends.keras.option");
  EXPECT_EQ(refusal("quantized_po2(40)"), "frontends.keras.option");
  EXPECT_EQ(refusal("quantized_po2(4,quadratic_approximation=True)"), "frontends.keras.option");
  EXPECT_EQ(refusal("quantized_bits(4,0,scale_axis=1)"), "frontends.keras.option");
  EXPECT_EQ(refusal(Json{{"class_name", "quantized_bits"}, {"config", {{"bits", "four"}}}}),
            "frontends.keras.option");
  EXPECT_EQ(refusal(Json::array({1, 2})), "frontends.keras.quantizer_form");
  EXPECT_EQ(refusal("swishy"), "frontends.keras.activation");
}

}  // namespace
}  // namespace millrace::frontends::keras::testing
