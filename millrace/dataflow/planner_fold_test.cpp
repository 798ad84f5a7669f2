// SPDX-License-Identifier: Apache-2.0
// Which products take several cycles for a beat, and what the planner knows about the beats.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/planner.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

/// "[3, -1, ...]": so many weights of 4 bits but 0, by seed.
std::string weights(int count) {
  std::mt19937_64 random(7);
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto weight = static_cast<int>(random() % 14) - 7;
    text += fmt::format("{}{}", i == 0 ? "" : ", ", weight >= 0 ? weight + 1 : weight);
  }
  return "[" + text + "]";
}

/// A 24x24 map, a wide convolution of stride 4 whose pixels come in bursts, and the mean of all.
graph::Graph strided(bool with_mean = false) {
  std::string text = fmt::format(R"(graph @strided {{
  %image = input : tensor<24x24x4 x ufixed<6,2>>
  %w = constant {{value = {}}} : tensor<4x4x4x12 x fixed<4,4>>
  %b = constant {{value = [1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3]}} : tensor<12 x fixed<4,4>>
  %conv = conv2d %image, %w, %b {{kernel = [4, 4], stride = [4, 4], padding = [0, 0, 0, 0]}} : tensor<6x6x12 x fixed<15,11>>
)",
                                 weights(4 * 4 * 4 * 12));
  text +=
      with_mean
          ? R"(  %mean = avg_pool %conv {kernel = [6, 6], stride = [6, 6], padding = [0, 0, 0, 0], include_padding = 1, rounding = TRN, overflow = WRAP} : tensor<1x1x12 x fixed<15,11>>
  output %mean
}
)"
          : "  output %conv\n}\n";
  auto graph = graph::parse(text, "strided.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

Circuit planned(const graph::Graph& graph, const PlanOptions& options) {
  auto circuit = plan(graph, options);
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  return *std::move(circuit);
}

std::vector<std::string> kinds(const Circuit& circuit) {
  std::vector<std::string> result;
  for (const Stage& stage : circuit.stages)
    result.emplace_back(kind_name(stage.kind));
  return result;
}

using Kinds = std::vector<std::string>;

TEST(Fold, AWideConvolutionWhosePixelsComeSeldomSharesMultipliers) {
  const Circuit circuit = planned(strided(), {.lanes = 1, .effort = 0});
  EXPECT_EQ(kinds(circuit), (Kinds{"window", "relayout", "accumulate"}));
  // 36 beats in 576 cycles, evened out.
  const auto& accumulate = std::get<AccumulateStage>(circuit.stages.back().kind);
  EXPECT_GT(accumulate.phases, 4);
  EXPECT_LE(accumulate.phases, 16);
  EXPECT_TRUE(accumulate.held);
  EXPECT_GE(std::get<RelayoutStage>(circuit.stages[1].kind).pace, accumulate.phases);

  const Circuit at_once = planned(strided(), {.lanes = 1, .fold = false, .effort = 0});
  EXPECT_EQ(kinds(at_once), (Kinds{"window", "map"}));
  EXPECT_LT(schedule(at_once).latency_cycles, schedule(circuit).latency_cycles);
  EXPECT_EQ(schedule(at_once).interval_cycles, schedule(circuit).interval_cycles);
  EXPECT_LT(estimate_area(circuit).lut, estimate_area(at_once).lut);
}

TEST(Fold, OneWhosePixelsComeInEveryCycleDoesNot) {
  // A row of windows in a beat: 6 beats in 24 cycles, of which folding may cost none.
  const Circuit circuit = planned(strided(), {.lanes = 24, .effort = 0});
  for (const Stage& stage : circuit.stages)
    EXPECT_FALSE(std::holds_alternative<AccumulateStage>(stage.kind)) << stage.name;
}

TEST(Fold, TheUserHasTheSay) {
  PlanOptions options{.lanes = 1, .effort = 0};
  options.layers["conv"].phases = 1;
  EXPECT_EQ(kinds(planned(strided(), options)), (Kinds{"window", "map"}));
  options.layers["conv"].phases = 3;  // windows come every four cycles: no buffer
  const Circuit three = planned(strided(), options);
  EXPECT_EQ(kinds(three), (Kinds{"window", "accumulate"}));
  EXPECT_EQ(std::get<AccumulateStage>(three.stages.back().kind).phases, 3);
  options.layers["conv"].phases = 17;
  const auto refused = plan(strided(), options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, messages::LayerOptionOutOfRange.code);
}

TEST(Fold, TheMeanOfAMapIsARunningSum) {
  const Circuit circuit = planned(strided(/*with_mean=*/true), {.lanes = 1, .effort = 0});
  EXPECT_EQ(kinds(circuit), (Kinds{"window", "relayout", "accumulate", "accumulate", "map"}));
  EXPECT_EQ(std::get<AccumulateStage>(circuit.stages[3].kind).beats, 36);
}

TEST(Fold, AnOutputHasItsTypesWidth) {
  const Circuit circuit = planned(strided(), {.lanes = 1, .effort = 0});
  EXPECT_EQ(circuit.outputs[0].type.beat_bits(), 12 * 15);
}

TEST(Fold, AProductThatIsAlwaysZeroHasABit) {
  const auto graph = graph::parse(R"(graph @zero {
  %image = input : tensor<2x2x1 x ufixed<4,0>>
  %flat = flatten %image : tensor<4 x ufixed<4,0>>
  %w = constant {value = [0, 0, 0, 0]} : tensor<4x1 x fixed<2,2>>
  %b = constant {value = [0]} : tensor<1 x fixed<2,2>>
  %dense = dense %flat, %w, %b : tensor<1 x ufixed<1,-3>>
  %q = requantize %dense {rounding = TRN, overflow = SAT} : tensor<1 x fixed<6,4>>
  output %q
}
)",
                                  "zero.mr");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const Circuit circuit = planned(*graph, {.lanes = 1, .effort = 0});
  EXPECT_EQ(std::get<AccumulateStage>(circuit.stages[0].kind).sum_type.width, 1);
  EXPECT_EQ(circuit.stages[0].output.beat_bits(), 1);
}

TEST(Demand, IsWhatTheOutputsReadOfEachMap) {
  const auto graph = graph::parse(R"(graph @pooled {
  %image = input : tensor<9x9x1 x ufixed<4,0>>
  %pool = max_pool %image {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<4x4x1 x ufixed<4,0>>
  %pool_1 = max_pool %pool {kernel = [3, 3], stride = [3, 3], padding = [0, 0, 0, 0]} : tensor<1x1x1 x ufixed<4,0>>
  output %pool_1
}
)",
                                  "pooled.mr");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const std::vector<Demand> needed = demand(*graph);
  EXPECT_EQ(needed[2].height, 1);
  EXPECT_EQ(needed[1].height, 3);
  EXPECT_EQ(needed[1].width, 3);
  EXPECT_EQ(needed[0].height, 6);
}

}  // namespace
}  // namespace millrace::dataflow
