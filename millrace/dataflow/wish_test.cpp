// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/wish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "millrace/adders/messages.h"
#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

using testing::ElementsAre;
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

struct Reached {
  int64_t latency = 0, interval = 0, lut = 0;

  friend bool operator==(const Reached&, const Reached&) = default;
};

Reached reached(const Circuit& circuit) {
  const Schedule times = schedule(circuit);
  return {times.latency_cycles, times.interval_cycles, estimate_area(circuit).lut};
}

/// What every beat leads to, one after the other.
std::vector<Reached> all_reached(const graph::Graph& graph) {
  std::vector<Reached> result;
  for (const BeatShape& shape : beat_shapes(graph))
    for (const bool fold : {true, false}) {
      const auto circuit =
          plan(graph, {.lanes = shape.lanes, .rows = shape.rows, .fold = fold, .effort = 0});
      EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
      result.push_back(reached(*circuit));
    }
  return result;
}

Result<Circuit> wished(const Wish& wish, const PlanOptions& options = {.effort = 0}) {
  const graph::Graph graph = tiny();
  return plan_for(graph, wish, options, beat_shapes(graph));
}

TEST(BeatShapes, AreDivisorsAndPowersOfTwoOfTheRowAndThenOfTheMap) {
  EXPECT_THAT(beat_shapes(tiny()), ElementsAre(BeatShape{1, 1}, BeatShape{2, 1}, BeatShape{3, 1},
                                               BeatShape{4, 1}, BeatShape{6, 1}, BeatShape{6, 2},
                                               BeatShape{6, 3}, BeatShape{6, 4}, BeatShape{6, 6}));
  EXPECT_EQ(widest_beat(tiny(), false), (BeatShape{6, 1}));
  EXPECT_EQ(widest_beat(tiny(), true), (BeatShape{6, 6}));
}

TEST(PlanFor, EveryLatencyAndIntervalIsMetByTheFewestLuts) {
  const std::vector<Reached> all = all_reached(tiny());
  for (const Reached& goal : all) {
    const auto circuit =
        wished({.latency_cycles = goal.latency, .interval_cycles = goal.interval, .max_lut = {}});
    ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
    int64_t fewest = std::numeric_limits<int64_t>::max();
    for (const Reached& other : all)
      if (other.latency <= goal.latency && other.interval <= goal.interval)
        fewest = std::min(fewest, other.lut);
    const Reached found = reached(*circuit);
    EXPECT_LE(found.latency, goal.latency);
    EXPECT_LE(found.interval, goal.interval);
    EXPECT_EQ(found.lut, fewest);
  }
}

TEST(PlanFor, WhereOnlyLutsAreWishedForTheFastestIsChosen) {
  const std::vector<Reached> all = all_reached(tiny());
  for (const Reached& goal : all) {
    const auto circuit = wished({.latency_cycles = {}, .interval_cycles = {}, .max_lut = goal.lut});
    ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const Reached& other : all)
      if (other.lut <= goal.lut)
        least = std::min(least, other.latency);
    EXPECT_EQ(reached(*circuit).latency, least);
    EXPECT_LE(reached(*circuit).lut, goal.lut);
  }
}

TEST(PlanFor, AWishOutOfReachNamesTheNearestCircuitAndItsLimit) {
  const auto circuit = wished({.latency_cycles = 1, .interval_cycles = {}, .max_lut = {}});
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, messages::WishUnmet.code);
  EXPECT_EQ(circuit.error().where, "--latency");
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Reached& other : all_reached(tiny()))
    least = std::min(least, other.latency);
  EXPECT_THAT(circuit.error().message,
              HasSubstr("a latency of " + std::to_string(least) + " cycles"));
  EXPECT_THAT(circuit.error().message, HasSubstr("of layer '"));

  const auto cheap = wished({.latency_cycles = {}, .interval_cycles = {}, .max_lut = 1});
  ASSERT_FALSE(cheap.has_value());
  EXPECT_EQ(cheap.error().where, "--max-lut");
  EXPECT_THAT(cheap.error().message, HasSubstr("takes most"));
}

TEST(PlanFor, AnIntervalOutOfReachIsRefused) {
  const auto circuit = wished({.latency_cycles = {}, .interval_cycles = 0, .max_lut = {}});
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, messages::WishUnmet.code);
  EXPECT_EQ(circuit.error().where, "--interval");
}

TEST(PlanFor, ASingleBeatIsCheckedAgainstTheWish) {
  const graph::Graph graph = tiny();
  const std::vector<BeatShape> one = {{.lanes = 1, .rows = 1}};
  EXPECT_TRUE(plan_for(graph, {}, {.effort = 0}, one).has_value());
  const Wish wish{.latency_cycles = {}, .interval_cycles = 35, .max_lut = {}};
  const auto circuit = plan_for(graph, wish, {.effort = 0}, one);
  ASSERT_FALSE(circuit.has_value());
  EXPECT_THAT(circuit.error().message, HasSubstr("input 'image' arrives in 36 beats"));
}

TEST(PlanFor, AnInterruptedSearchEndsAtOnce) {
  int reports = 0;
  PlanOptions options{.effort = 0};
  options.progress = [&](std::string_view, double) { return ++reports < 2; };
  const auto circuit =
      wished({.latency_cycles = 1000, .interval_cycles = {}, .max_lut = {}}, options);
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, adders::messages::Stopped.code);
}

/// DSP blocks of the small network.
int64_t dsp_of(const PlanOptions& options) {
  const auto circuit = plan(tiny(), options);
  EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
  return circuit ? estimate_area(*circuit).dsp : -1;
}

TEST(PlanLimit, ACircuitAboveItNamesItsLargestStage) {
  PlanOptions options{.lanes = 6, .effort = 0};
  options.limit = {.lut = 20, .holder = "a small part"};
  const auto circuit = plan(tiny(), options);
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, messages::CircuitTooLarge.code);
  EXPECT_THAT(circuit.error().message, HasSubstr("a small part holds 20"));
  EXPECT_THAT(circuit.error().message, HasSubstr("layer 'conv'"));
  options.limit = {.ff = 20, .holder = "a small part"};
  EXPECT_THAT(plan(tiny(), options).error().message, HasSubstr("FFs"));
  PlanOptions in_blocks{.lanes = 1, .dsp = BlockUse::Prefer, .effort = 0};
  ASSERT_GT(dsp_of(in_blocks), 0);
  in_blocks.limit = {.dsp = dsp_of(in_blocks) - 1, .holder = "a small part"};
  EXPECT_THAT(plan(tiny(), in_blocks).error().message, HasSubstr("DSPs"));
}

std::string refusal(const LayerOptions& layer, const std::string& name, int64_t lanes) {
  PlanOptions options{.lanes = lanes, .effort = 0};
  options.layers[name] = layer;
  const auto circuit = plan(tiny(), options);
  return circuit ? "accepted" : circuit.error().code;
}

TEST(LayerOptions, CountForTheLayersThatHaveThem) {
  EXPECT_EQ(refusal({.effort = 2, .three_input_adders = true}, "conv", 6), "accepted");
  EXPECT_EQ(refusal({.phases = 1}, "logit", 1), "accepted");
  EXPECT_EQ(refusal({.phases = 0}, "logit", 1), messages::LayerOptionOutOfRange.code);
  EXPECT_EQ(refusal({.phases = 1000}, "logit", 1), messages::LayerOptionOutOfRange.code);
  EXPECT_EQ(refusal({.phases = 1}, "relu", 1), messages::LayerOptionUnused.code);
  EXPECT_EQ(refusal({.phases = 2}, "conv", 1), messages::LayerOptionOutOfRange.code);
  EXPECT_EQ(refusal({.effort = 10}, "conv", 1), adders::messages::EffortOutOfRange.code);
}

TEST(LayerOptions, DspBlocksAreForLayersThatShareMultipliers) {
  PlanOptions options{.lanes = 1, .effort = 0};
  EXPECT_EQ(dsp_of(options), 0);
  options.layers["logit"].dsp = BlockUse::Prefer;
  const int64_t of_layer = dsp_of(options);
  EXPECT_GT(of_layer, 0);
  options.layers.clear();
  options.dsp = BlockUse::Prefer;
  EXPECT_EQ(dsp_of(options), of_layer);
  options.layers["logit"].dsp = BlockUse::Never;
  EXPECT_EQ(dsp_of(options), 0);
  options.layers["logit"].dsp = BlockUse::Auto;
  options.luts_per_dsp = 1;
  EXPECT_EQ(dsp_of(options), of_layer);
  options.luts_per_dsp = 100'000;
  EXPECT_EQ(dsp_of(options), 0);
  EXPECT_EQ(refusal({.dsp = BlockUse::Prefer}, "relu", 1), messages::LayerOptionUnused.code);
}

TEST(LayerOptions, MorePhasesShareMultipliers) {
  const auto phases_of = [](std::optional<int> wanted) {
    PlanOptions options{.lanes = 1, .effort = 0};
    options.layers["logit"] = {.phases = wanted};
    const auto circuit = plan(tiny(), options);
    EXPECT_TRUE(circuit.has_value());
    return std::get<AccumulateStage>(circuit->stages.back().kind).phases;
  };
  EXPECT_EQ(phases_of(1), 1);
  EXPECT_EQ(phases_of(2), 2);
  EXPECT_GE(phases_of({}), 2);
}

// A second convolution behind pooling, whose rows come every other row.
constexpr const char* Deep = R"(graph @deep {
  %x = input : tensor<12x12x1 x ufixed<4,0>>
  %p = max_pool %x {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<6x6x1 x ufixed<4,0>>
  %w = constant {value = [1, 2, 3, -5, 1, 3, 2, 1, -3]} : tensor<3x3x1x1 x fixed<4,4>>
  %b = constant {value = [1]} : tensor<1 x fixed<4,4>>
  %y = conv2d %p, %w, %b {kernel = [3, 3], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<4x4x1 x fixed<9,5>>
  output %y
}
)";

TEST(LayerOptions, LanesOfAConvolutionBehindPoolingMayBeMore) {
  auto graph = graph::parse(Deep, "deep.mr");
  ASSERT_TRUE(graph.has_value()) << graph.error().to_string();
  const auto lanes_of = [&](std::optional<int64_t> wanted) {
    PlanOptions options{.lanes = 12, .effort = 0};
    options.layers["y"] = {.lanes = wanted};
    const auto circuit = plan(*graph, options);
    return circuit ? circuit->stages.back().output.lanes : -1;
  };
  EXPECT_EQ(lanes_of({}), 2);
  EXPECT_EQ(lanes_of(1), -1);
  EXPECT_EQ(lanes_of(2), 2);
  EXPECT_EQ(lanes_of(3), 3);
  EXPECT_EQ(lanes_of(4), 4);
  EXPECT_EQ(lanes_of(5), -1);
}

}  // namespace
}  // namespace millrace::dataflow
