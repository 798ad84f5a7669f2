// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/calibrate.h"

#include <cmath>
#include <gtest/gtest.h>

#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/quantize/messages.h"

namespace millrace::quantize {
namespace {

constexpr const char* Network = R"(
graph @net {
  %x = input : tensor<2 x real>
  %w = constant {value = [0.1, -1.7]} : tensor<2x1 x real>
  %b = constant {value = [0.3]} : tensor<1 x real>
  %y = dense %x, %w, %b : tensor<1 x real>
  output %y
}
)";

graph::Graph network() {
  return graph::parse(Network, "test").value();
}

std::vector<Sample> samples(double largest) {
  std::vector<Sample> samples;
  for (int i = 0; i <= 20; ++i)
    samples.push_back({{largest * i / 20, largest * (20 - i) / 20}});
  return samples;
}

TEST(TypeForRange, HasTheMostFractionBitsThatFit) {
  EXPECT_EQ(type_for_range(0, 0.996, 8).to_string(), "ufixed<8,0>");
  EXPECT_EQ(type_for_range(0, 0.999, 8).to_string(), "ufixed<8,1>");  // rounds to 256 / 256
  EXPECT_EQ(type_for_range(0, 1, 8).to_string(), "ufixed<8,1>");
  EXPECT_EQ(type_for_range(-1, 0.99, 8).to_string(), "fixed<8,1>");
  EXPECT_EQ(type_for_range(-1, 1, 8).to_string(), "fixed<8,2>");
  EXPECT_EQ(type_for_range(-300, 5, 8).to_string(), "fixed<8,10>");
  EXPECT_EQ(type_for_range(0, 0, 8).frac_bits, 40);
}

TEST(Calibrate, TypesHoldWhatSamplesCause) {
  const auto result = calibrate(network(), samples(3), {.width = 10});
  ASSERT_TRUE(result) << result.error().to_string();
  const auto exact = passes::lower(result->graph);
  ASSERT_TRUE(exact) << exact.error().to_string();
  EXPECT_EQ(exact->type(exact->inputs()[0]).fixed().to_string(), "ufixed<10,2>");
  EXPECT_EQ(exact->type(exact->outputs()[0]).fixed().to_string(), "fixed<10,4>");  // -4.8 to 0.6
  EXPECT_GT(result->error, 0);
  EXPECT_LT(result->error, 0.01);
}

TEST(Calibrate, KeepsTheErrorBudgetWithTheLeastWidth) {
  const auto coarse = calibrate(network(), samples(3), {.error_budget = 0.1});
  const auto fine = calibrate(network(), samples(3), {.error_budget = 0.001});
  ASSERT_TRUE(coarse && fine);
  EXPECT_LE(coarse->error, 0.1);
  EXPECT_LE(fine->error, 0.001);
  EXPECT_LT(coarse->width, fine->width);
  const auto narrower = calibrate(network(), samples(3), {.width = fine->width - 1});
  ASSERT_TRUE(narrower);
  EXPECT_GT(narrower->error, 0.001);
}

TEST(Calibrate, WhatAFunctionReadsFitsATable) {
  const auto graph = graph::parse(
      "graph @g {\n  %x = input : tensor<1 x real>\n  %y = unary %x {function = tanh} : tensor<1 x "
      "real>\n  output %y\n}\n",
      "test");
  const auto result = calibrate(*graph, std::vector<Sample>{{{1.5}}}, {.width = 20});
  ASSERT_TRUE(result) << result.error().to_string();
  const auto exact = passes::lower(result->graph);
  ASSERT_TRUE(exact) << exact.error().to_string();
  EXPECT_EQ(exact->type(exact->inputs()[0]).fixed().width, 16);
  EXPECT_EQ(exact->type(exact->outputs()[0]).fixed().width, 20);
}

TEST(Calibrate, Refuses) {
  EXPECT_EQ(calibrate(network(), {}, {}).error().code, messages::NoSamples.code);
  EXPECT_EQ(calibrate(network(), std::vector<Sample>{{{NAN, 0}}}, {}).error().code,
            messages::NotFinite.code);
  EXPECT_EQ(calibrate(network(), samples(3), {.error_budget = 1e-12}).error().code,
            messages::BudgetTooSmall.code);
}

}  // namespace
}  // namespace millrace::quantize
