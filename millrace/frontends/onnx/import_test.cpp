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

}  // namespace
}  // namespace millrace::frontends::onnx
