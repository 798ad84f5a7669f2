// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/utilisation.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/dataflow/plan.h"
#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

using testing::HasSubstr;

constexpr const char* Tiny = R"(graph @tiny {
  %image = input : tensor<6x6x1 x ufixed<4,0>>
  %w = constant {value = [1, -1, 2, 0, 3, -2, 1, 1]} : tensor<2x2x1x2 x fixed<3,1>>
  %b = constant {value = [1, -1]} : tensor<2 x fixed<3,1>>
  %conv = conv2d %image, %w, %b {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<5x5x2 x fixed<8,2>>
  %relu = relu %conv : tensor<5x5x2 x ufixed<7,1>>
  %pool = max_pool %relu {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<2x2x2 x ufixed<7,1>>
  %flat = flatten %pool : tensor<8 x ufixed<7,1>>
  %v = constant {value = [1, -1, 1, 0, -1, 1, 1, -1]} : tensor<8x1 x fixed<2,2>>
  %c = constant {value = [0]} : tensor<1 x fixed<2,2>>
  %logit = dense %flat, %v, %c : tensor<1 x fixed<10,4>>
  output %logit
}
)";

graph::Graph tiny() {
  auto graph = graph::parse(Tiny, "tiny.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

/// The explanation for the stage of this kind that computes a layer; "none" where there is none.
std::string limit_of(int64_t lanes, int64_t rows, const std::string& layer) {
  const graph::Graph graph = tiny();
  const auto circuit = plan(graph, {.lanes = lanes, .rows = rows, .effort = 0});
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const Schedule times = schedule(*circuit);
  for (size_t i = 0; i < circuit->stages.size(); ++i) {
    const std::vector<std::string>& layers = circuit->stages[i].layers;
    if (std::find(layers.begin(), layers.end(), layer) != layers.end())
      return limit_of_utilisation(graph, *circuit, times, i).value_or("none");
  }
  return "no stage";
}

TEST(LimitOfUtilisation, BeatsThatComeSeldomAreCounted) {
  EXPECT_THAT(limit_of(1, 1, "conv"), HasSubstr("its 16 beats come in 36 cycles"));
}

TEST(LimitOfUtilisation, DenseLayersSayHowLongEachBeatIsWorkedOn) {
  EXPECT_THAT(limit_of(1, 1, "logit"), HasSubstr("4 beats"));
}

TEST(LimitOfUtilisation, WellUsedStagesAndThoseThatDoNotMultiplyNeedNoWord) {
  EXPECT_THAT(limit_of(6, 1, "conv"), HasSubstr("its 4 beats come in 6 cycles"));
  EXPECT_EQ(limit_of(6, 6, "conv"), "none");
  EXPECT_EQ(limit_of(1, 1, "pool"), "none");
}

TEST(LimitOfUtilisation, AVectorIsMultipliedInOneCycle) {
  auto graph = graph::parse(
      "graph @two {\n  %x = input : tensor<4x1x1 x ufixed<4,0>>\n"
      "  %f = flatten %x : tensor<4 x ufixed<4,0>>\n"
      "  %w = constant {value = [3, 5, -7, 2]} : tensor<4x1 x fixed<4,4>>\n"
      "  %c = constant {value = [0]} : tensor<1 x fixed<4,4>>\n"
      "  %y = dense %f, %w, %c : tensor<1 x fixed<9,5>>\n"
      "  %v = constant {value = [3, 5]} : tensor<1x2 x fixed<4,4>>\n"
      "  %d = constant {value = [0, 1]} : tensor<2 x fixed<4,4>>\n"
      "  %z = dense %y, %v, %d : tensor<2 x fixed<12,8>>\n  output %z\n}\n",
      "two.mr");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const auto circuit = plan(*graph, {.effort = 0});
  ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
  const auto limit =
      limit_of_utilisation(*graph, *circuit, schedule(*circuit), circuit->stages.size() - 1);
  ASSERT_TRUE(limit.has_value());
  EXPECT_THAT(*limit, HasSubstr("in one cycle"));
}

}  // namespace
}  // namespace millrace::dataflow
