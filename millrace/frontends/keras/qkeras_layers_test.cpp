// SPDX-License-Identifier: Apache-2.0
// Single layers of QKeras against the results of the framework.
#include <gtest/gtest.h>

#include "millrace/frontends/keras/layer_results_test.h"

namespace millrace::frontends::keras::testing {
namespace {

// Results of QKeras 0.9.0 on TensorFlow 2.15.1.
const std::vector<LayerResult> Results = {
    {"QConv2D",
     R"({"filters":3,"kernel_size":[2,2],"strides":[1,1],"padding":"valid","activation":{"module":"qkeras.quantizers","class_name":"quantized_relu","config":{"bits":5,"integer":2,"use_sigmoid":0,"negative_slope":0.0,"relu_upper_bound":null},"registered_name":"quantized_relu"},"kernel_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":4,"integer":0,"symmetric":true,"alpha":"auto","keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{5, 4, 2}},
     {{"kernel", {2, 2, 2, 3}}, {"bias", {3}}},
     {36, 8.25, 34.125, 6.71875}},
    {"QConv2DBatchnorm",
     R"({"filters":3,"kernel_size":[2,2],"strides":[1,1],"padding":"valid","kernel_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":5,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"axis":[3],"epsilon":0.001,"center":true,"scale":true,"folding_mode":"ema_stats_folding"})",
     {{5, 4, 2}},
     {{"kernel", {2, 2, 2, 3}},
      {"bias", {3}},
      {"gamma", {3}},
      {"beta", {3}},
      {"moving_mean", {3}},
      {"moving_variance", {3}}},
     {36, 4.34375, 18.1875, 4.79785156}},
    {"QConv2DBatchnorm",
     R"({"filters":3,"kernel_size":[2,2],"strides":[1,1],"padding":"valid","use_bias":false,"kernel_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":4,"integer":0,"symmetric":true,"alpha":"auto","keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"axis":[3],"epsilon":0.001,"center":true,"scale":false,"folding_mode":"ema_stats_folding"})",
     {{5, 4, 2}},
     {{"kernel", {2, 2, 2, 3}}, {"beta", {3}}, {"moving_mean", {3}}, {"moving_variance", {3}}},
     {36, -7.10653131, -18.2214231, 25.284022}},
    {"QDepthwiseConv2D",
     R"({"kernel_size":[2,2],"strides":[1,1],"padding":"valid","depth_multiplier":1,"depthwise_quantizer":{"module":"qkeras.quantizers","class_name":"ternary","config":{"alpha":1,"threshold":null,"number_of_unrolls":5},"registered_name":"ternary"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{5, 4, 2}},
     {{"depthwise_kernel", {2, 2, 2, 1}}, {"bias", {2}}},
     {24, -14.75, -37.25, 58.625}},
    {"QDepthwiseConv2DBatchnorm",
     R"({"kernel_size":[2,2],"strides":[1,1],"padding":"valid","depth_multiplier":1,"depthwise_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":5,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"axis":[3],"epsilon":0.001,"center":true,"scale":true,"folding_mode":"ema_stats_folding"})",
     {{5, 4, 2}},
     {{"depthwise_kernel", {2, 2, 2, 1}},
      {"bias", {2}},
      {"gamma", {2}},
      {"beta", {2}},
      {"moving_mean", {2}},
      {"moving_variance", {2}}},
     {24, 0.625, 4.28125, 2.15429688}},
    {"QSeparableConv2D",
     R"({"filters":3,"kernel_size":[2,2],"strides":[1,1],"padding":"valid","depth_multiplier":1,"depthwise_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":4,"integer":0,"symmetric":true,"alpha":"auto","keep_negative":true},"registered_name":"quantized_bits"},"pointwise_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_po2","config":{"bits":4,"max_value":null,"quadratic_approximation":false,"log2_rounding":"rnd"},"registered_name":"quantized_po2"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{5, 4, 2}},
     {{"depthwise_kernel", {2, 2, 2, 1}}, {"pointwise_kernel", {1, 1, 2, 3}}, {"bias", {3}}},
     {36, -1.23214272, 1.50558037, 7.90630372}},
    {"QConv1D",
     R"({"filters":2,"kernel_size":[3],"strides":[1],"padding":"valid","kernel_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":5,"integer":0,"symmetric":true,"alpha":"auto_po2","keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{6, 3}},
     {{"kernel", {3, 3, 2}}, {"bias", {2}}},
     {8, -1.9375, -9.703125, 5.37438965}},
    {"QDense",
     R"({"units":3,"activation":{"module":"qkeras.quantizers","class_name":"quantized_tanh","config":{"bits":5,"symmetric":false,"use_real_tanh":false},"registered_name":"quantized_tanh"},"kernel_quantizer":{"module":"qkeras.quantizers","class_name":"binary","config":{"use_01":false,"alpha":"auto"},"registered_name":"binary"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{12}},
     {{"kernel", {12, 3}}, {"bias", {3}}},
     {3, -0.4375, -1.8125, 0.84765625}},
    {"QConv2DTranspose",
     R"({"filters":3,"kernel_size":[2,2],"strides":[2,2],"padding":"valid","kernel_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":4,"integer":0,"symmetric":true,"alpha":"auto","keep_negative":true},"registered_name":"quantized_bits"},"bias_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{5, 4, 2}},
     {{"kernel", {2, 2, 3, 2}}, {"bias", {3}}},
     {240, -40.6249998, -145.25, 121.636836}},
    {"QBatchNormalization",
     R"({"axis":[3],"epsilon":0.001,"center":true,"scale":true,"beta_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_po2","config":{"bits":5,"max_value":null,"quadratic_approximation":false,"log2_rounding":"rnd"},"registered_name":"quantized_po2"},"gamma_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_relu_po2","config":{"bits":6,"max_value":2048,"negative_slope":0,"quadratic_approximation":false,"log2_rounding":"rnd"},"registered_name":"quantized_relu_po2"},"mean_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_po2","config":{"bits":5,"max_value":null,"quadratic_approximation":false,"log2_rounding":"rnd"},"registered_name":"quantized_po2"},"variance_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_relu_po2","config":{"bits":6,"max_value":null,"negative_slope":0,"quadratic_approximation":true,"log2_rounding":"rnd"},"registered_name":"quantized_relu_po2"}})",
     {{5, 4, 2}},
     {{"gamma", {2}}, {"beta", {2}}, {"moving_mean", {2}}, {"moving_variance", {2}}},
     {40, -8.00224814, -34.3819315, 5.84097208}},
    {"QBatchNormalization",
     R"({"axis":[1],"epsilon":0.001,"center":true,"scale":true,"beta_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"gamma_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"mean_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":1,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"variance_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_relu","config":{"bits":6,"integer":2,"use_sigmoid":0,"negative_slope":0.0,"relu_upper_bound":null},"registered_name":"quantized_relu"}})",
     {{12}},
     {{"gamma", {12}}, {"beta", {12}}, {"moving_mean", {12}}, {"moving_variance", {12}}},
     {12, 0.884029023, 1.45418174, 4.05475772}},
    {"QAveragePooling2D",
     R"({"pool_size":[2,2],"padding":"valid","strides":[2,2],"average_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":6,"integer":0,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"},"activation":{"module":"qkeras.quantizers","class_name":"quantized_relu","config":{"bits":6,"integer":2,"use_sigmoid":0,"negative_slope":0.0,"relu_upper_bound":null},"registered_name":"quantized_relu"}})",
     {{5, 4, 2}},
     {},
     {8, 2.125, 12, 1.515625}},
    {"QGlobalAveragePooling2D",
     R"({"keepdims":false,"average_quantizer":{"module":"qkeras.quantizers","class_name":"quantized_bits","config":{"bits":8,"integer":0,"symmetric":0,"alpha":1,"keep_negative":true},"registered_name":"quantized_bits"}})",
     {{5, 4, 2}},
     {},
     {2, -0.046875, -0.09375, 0.00219726562}},
};

class QkerasLayers : public ::testing::TestWithParam<LayerResult> {};

TEST_P(QkerasLayers, ComputesWhatTheFrameworkComputes) {
  expect_results(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Layers, QkerasLayers, ::testing::ValuesIn(Results), [](const auto& row) {
  return row.param.class_name + std::to_string(row.index);
});

}  // namespace
}  // namespace millrace::frontends::keras::testing
