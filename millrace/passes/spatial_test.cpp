// SPDX-License-Identifier: Apache-2.0
// Passes over convolutions in groups, transposed convolutions, means and operations that move.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/passes/messages.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::passes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

graph::Graph graph_of(const std::string& body) {
  auto graph = graph::parse("graph @g {\n" + body + "}\n", "g.mr");
  EXPECT_TRUE(graph) << graph.error().to_string();
  return std::move(graph).value();
}

std::string lowered(const std::string& body) {
  const auto graph = lower(graph_of(body));
  if (!graph)
    return graph.error().to_string();
  EXPECT_TRUE(graph->is_exact());
  EXPECT_TRUE(graph::verify(*graph));
  const std::string text = graph::print(*graph);
  const std::string head = "graph @g {\n";
  return text.substr(head.size(), text.size() - head.size() - 2);
}

Diagnostic refusal(const std::string& body) {
  const auto graph = lower(graph_of(body));
  EXPECT_FALSE(graph);
  return graph ? Diagnostic{} : graph.error();
}

// Random inputs of the exact graph, as numbers, go through both graphs: equal outputs.
void expect_same_numbers(const std::string& body) {
  const graph::Graph before = graph_of(body);
  const auto after = lower(before);
  ASSERT_TRUE(after) << after.error().to_string();
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<double>> inputs;
    for (graph::ValueId input : after->inputs()) {
      const FixedType& type = after->type(input).fixed();
      std::vector<double> values(static_cast<size_t>(num_elements(after->type(input).shape)));
      for (double& value : values)
        value = type.to_double(static_cast<Int128>(random() % (uint64_t{1} << type.width)) +
                               type.min_raw());
      inputs.push_back(std::move(values));
    }
    EXPECT_EQ(reference::evaluate_real(*after, inputs), reference::evaluate_real(before, inputs));
  }
}

const std::string Map = "  %x = input : tensor<4x4x2 x fixed<5,3>>\n";
const std::string Mean =
    Map +
    "  %m = avg_pool %x {kernel = [3, 3], stride = [1, 1], padding = [1, 1, 0, 0], "
    "include_padding = 0} : tensor<3x3x2 x real>\n";

TEST(QuantizeAverages, TypesOfSingleChannelsAreNotTheMeans) {
  const Diagnostic found = refusal(
      Mean +
      "  %q = requantize %m {rounding = RND, overflow = SAT, types = [fixed<7,3>, fixed<6,3>]}"
      " : tensor<3x3x2 x fixed<7,3>>\n  output %q\n");
  EXPECT_EQ(found.code, messages::MissingQuantizer.code);
}

TEST(QuantizeAverages, AMeanAndItsQuantiserBecomeOneOperation) {
  const std::string body =
      Mean +
      "  %q = requantize %m {rounding = RND_CONV, overflow = SAT} : tensor<3x3x2 x fixed<7,3>>\n"
      "  output %q\n";
  EXPECT_EQ(lowered(body),
            Map +
                "  %m = avg_pool %x {kernel = [3, 3], stride = [1, 1], padding = [1, 1, 0, 0], "
                "include_padding = 0, rounding = RND_CONV, overflow = SAT} : "
                "tensor<3x3x2 x fixed<7,3>>\n"
                "  output %m\n");
  expect_same_numbers(body);
}

TEST(QuantizeAverages, EveryQuantiserOfAMeanGetsItsOwn) {
  const std::string body =
      Mean +
      "  %a = requantize %m {rounding = TRN, overflow = WRAP} : tensor<3x3x2 x fixed<3,2>>\n"
      "  %b = requantize %m {rounding = RND, overflow = SAT} : tensor<3x3x2 x ufixed<7,3>>\n"
      "  output %a\n  output %b\n";
  EXPECT_THAT(lowered(body), HasSubstr("  output %m\n  output %m_1\n"));
  expect_same_numbers(body);
}

TEST(QuantizeAverages, TheQuantiserMayStandBehindMoves) {
  const std::string body =
      Mean +
      "  %s = slice %m {begin = [1, 0, 0], size = [2, 3, 2]} : tensor<2x3x2 x real>\n"
      "  %p = pad %s {padding = [1, 0, 0, 0]} : tensor<3x3x2 x real>\n"
      "  %f = flatten %p : tensor<18 x real>\n"
      "  %q = requantize %f {rounding = RND, overflow = SAT} : tensor<18 x fixed<7,3>>\n"
      "  output %q\n";
  EXPECT_THAT(lowered(body), HasSubstr("  %f = flatten %p : tensor<18 x fixed<7,3>>\n"
                                       "  output %f\n"));
  expect_same_numbers(body);
}

TEST(QuantizeAverages, AMeanThatIsReadOtherwiseStaysReal) {
  const auto found =
      refusal(Mean +
              "  %f = flatten %m : tensor<18 x real>\n"
              "  %q = requantize %f {rounding = RND, overflow = SAT} : tensor<18 x fixed<7,3>>\n"
              "  %r = relu %m : tensor<3x3x2 x real>\n"
              "  output %q\n  output %r\n");
  EXPECT_EQ(found.code, messages::MissingQuantizer.code);
  EXPECT_THAT(found.message, HasSubstr("'%m' (avg_pool)"));
}

TEST(QuantizeAverages, AMeanWithoutAQuantiserIsRefused) {
  EXPECT_EQ(refusal(Mean + "  output %m\n").code, messages::MissingQuantizer.code);
}

// A linear operation with real weights, an affine behind it, and a quantiser.
std::string with_affine(const std::string& weights, const std::string& op, const std::string& shape,
                        int filters) {
  const std::string channels = std::to_string(filters);
  const auto list = [&](const char* first) {
    std::string text = first;
    for (int i = 1; i < filters; ++i)
      text += ", " + std::to_string(i) + ".25";
    return text;
  };
  return Map + weights + "  %b = constant {value = [" + list("-0.5") + "]} : tensor<" + channels +
         " x real>\n  %y = " + op + " : tensor<" + shape + " x real>\n  %s = constant {value = [" +
         list("-2.5") + "]} : tensor<" + channels + " x real>\n  %t = constant {value = [" +
         list("0.75") + "]} : tensor<" + channels + " x real>\n  %a = affine %y, %s, %t : tensor<" +
         shape + " x real>\n  %q = requantize %a {rounding = RND, overflow = SAT} : tensor<" +
         shape + " x fixed<9,6>>\n  output %q\n";
}

TEST(FoldAffine, GoesIntoTheWeightsOfEachGroup) {
  const std::string body = with_affine(
      "  %w = constant {value = [1, -2, 0.5, 3, 0, 1, 2, -1]} : tensor<2x1x1x4 x real>\n",
      "conv2d %x, %w, %b {kernel = [2, 1], stride = [1, 1], padding = [0, 0, 0, 0], "
      "dilation = [3, 1], groups = 2}",
      "1x4x4", 4);
  EXPECT_THAT(lowered(body), HasSubstr("dilation = [3, 1], groups = 2} : tensor<1x4x4 x fixed"));
  EXPECT_THAT(lowered(body), Not(HasSubstr("affine")));
  expect_same_numbers(body);
}

TEST(FoldAffine, GoesIntoTheWeightsOfATransposedConvolution) {
  const std::string body = with_affine(
      "  %w = constant {value = [1, -2, 0.5, 3, 0, 1, 2, -1, 7, 2, 1, 5]} : "
      "tensor<1x2x2x3 x real>\n",
      "conv_transpose2d %x, %w, %b {kernel = [1, 2], stride = [2, 1], padding = [0, 0, 0, 0]}",
      "7x5x3", 3);
  EXPECT_THAT(lowered(body), Not(HasSubstr("affine")));
  expect_same_numbers(body);
}

TEST(ExactConstants, WeightsOfATransposedConvolutionNeedAQuantiser) {
  const std::string rest =
      "  %b = constant {value = [0]} : tensor<1 x real>\n"
      "  %y = conv_transpose2d %x, %w, %b {kernel = [1, 1], stride = [1, 1], "
      "padding = [0, 0, 0, 0]} : tensor<4x4x1 x real>\n  output %y\n";
  EXPECT_EQ(
      refusal(Map + "  %w = constant {value = [0.1, 1]} : tensor<1x1x2x1 x real>\n" + rest).code,
      messages::UnquantizedWeights.code);
  EXPECT_THAT(lowered(Map + "  %w = constant {value = [0.5, 1]} : tensor<1x1x2x1 x real>\n" + rest),
              HasSubstr("  output %y\n"));
}

TEST(Lower, MovesAndConcatsKeepTheirNumbers) {
  expect_same_numbers(
      "  %r = input : tensor<4x4x2 x real>\n"
      "  %x = requantize %r {rounding = RND, overflow = SAT} : tensor<4x4x2 x fixed<5,3>>\n"
      "  %c = constant {value = [1, 2, 3, 4, 5, 6, 7, -8, 1, 1, 1, 1, 1, 1, 1, 1]} : "
      "tensor<4x4x1 x fixed<8,1>>\n"
      "  %s = slice %x {begin = [0, 1, 1], size = [2, 2, 1]} : tensor<2x2x1 x fixed<5,3>>\n"
      "  %u = upsample %s {factor = [2, 2]} : tensor<4x4x1 x fixed<5,3>>\n"
      "  %y = concat %u, %c, %x : tensor<4x4x4 x fixed<10,3>>\n"
      "  %t = transpose %y {permutation = [2, 0, 1]} : tensor<4x4x4 x fixed<10,3>>\n"
      "  %p = pad %t {padding = [0, 1, 1, 0]} : tensor<5x5x4 x fixed<10,3>>\n"
      "  %v = reshape %p {shape = [10, 10]} : tensor<10x10 x fixed<10,3>>\n"
      "  output %v\n");
}

}  // namespace
}  // namespace millrace::passes
