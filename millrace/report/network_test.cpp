// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/network.h"

#include <gtest/gtest.h>

#include "millrace/graph/text.h"

namespace millrace::report {
namespace {

TEST(Describe, CountsParametersAndMultiplications) {
  const auto graph = graph::parse(R"(graph @small {
  %image = input : tensor<4x4x1 x ufixed<8,0>>
  %w = constant {value = [1, -1, 1, 1]} : tensor<2x2x1x1 x fixed<2,2>>
  %b = constant {value = [1]} : tensor<1 x fixed<2,2>>
  %conv = conv2d %image, %w, %b {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<3x3x1 x ufixed<10,2>>
  %relu = relu %conv : tensor<3x3x1 x ufixed<10,2>>
  output %relu
}
)");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const NetworkRecord network = describe(*graph);
  EXPECT_EQ(network.network, "small");
  EXPECT_EQ(network.parameters, 5);
  EXPECT_EQ(network.multiplications, 36);
  ASSERT_EQ(network.layers.size(), 3u);
  EXPECT_EQ(network.layers[1].name, "conv");
  EXPECT_EQ(network.layers[1].kind, "conv2d");
  EXPECT_EQ(network.layers[1].shape, "3x3x1");
  EXPECT_EQ(network.layers[0].type, "ufixed<8,0>");
}

TEST(Describe, CountsEveryPixelsKernelInTransposedConvolutionsAndGroupsOnce) {
  const auto graph = graph::parse(R"(graph @small {
  %x = input : tensor<2x3x2 x ufixed<1,1>>
  %w = constant {value = [1, 1, 1, 1, 1, 1, 1, 1]} : tensor<2x2x2x1 x ufixed<1,1>>
  %b = constant {value = [0]} : tensor<1 x ufixed<1,1>>
  %up = conv_transpose2d %x, %w, %b {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<4x6x1 x ufixed<2,2>>
  %u = constant {value = [1, 1]} : tensor<1x1x1x2 x ufixed<1,1>>
  %c = constant {value = [0, 0]} : tensor<2 x ufixed<1,1>>
  %each = conv2d %x, %u, %c {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0], groups = 2} : tensor<2x3x2 x ufixed<1,1>>
  output %up
  output %each
}
)");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const NetworkRecord network = describe(*graph);
  ASSERT_EQ(network.layers.size(), 3u);
  EXPECT_EQ(network.layers[1].multiplications, 48);
  EXPECT_EQ(network.layers[2].multiplications, 12);
}

TEST(Describe, QuantisersOfWeightsAreNotLayers) {
  const auto graph = graph::parse(R"(graph @imported {
  %x = input : tensor<2 x ufixed<8,0>>
  %w = constant {value = [0.5, 0.25]} : tensor<2x1 x real>
  %wq = requantize %w {rounding = RND_CONV, overflow = SAT} : tensor<2x1 x fixed<4,1>>
  %b = constant {value = [0]} : tensor<1 x fixed<4,1>>
  %y = dense %x, %wq, %b : tensor<1 x fixed<13,2>>
  output %y
}
)");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const NetworkRecord network = describe(*graph);
  EXPECT_EQ(network.layers.size(), 2u);
  EXPECT_EQ(network.parameters, 3);
}

}  // namespace
}  // namespace millrace::report
