// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/spare_depth.h"

#include <gtest/gtest.h>

#include "millrace/graph/text.h"

namespace millrace::dataflow {
namespace {

// Four weights of one digit each: two adders at least, one behind the other.
constexpr const char* Head = R"(graph @net {
  %x = input : tensor<4 x ufixed<8,8>>
  %w = constant {value = [1, 2, 4, 1]} : tensor<4x1 x fixed<4,4>>
  %b = constant {value = [0]} : tensor<1 x fixed<4,4>>
  %y = dense %x, %w, %b : tensor<1 x ufixed<11,11>>
)";

class SpareDepth : public ::testing::Test {
protected:
  void SetUp() override {
    auto model = load_delay_model("xcu");
    ASSERT_TRUE(model.has_value());
    target_.delays = *std::move(model);
  }

  /// The depth to spare of each operation behind the input.
  std::vector<int> of(const std::string& tail) const {
    const auto graph = graph::parse(Head + tail + "}\n", "net.mr");
    EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
    std::vector<MapStep> steps;
    for (const graph::Op& op : graph->ops())
      if (!op.as<graph::Input>() && !op.as<graph::Constant>())
        steps.push_back({.op = &op, .sources = {}, .picks = {}});
    return spare_depths(*graph, steps, {.channels = 4}, {false, 8, 8}, target_);
  }

  PipelineTarget target_;
};

TEST_F(SpareDepth, ThreeAddersFitFiveNanoseconds) {
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{1});
}

TEST_F(SpareDepth, AShortCycleIsFullAtOnce) {
  target_.clock_ns = 2.5;
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{0});
}

TEST_F(SpareDepth, ASlowClockHasRoomForAsManyAsMakeSense) {
  target_.clock_ns = 100;
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{16});
}

TEST_F(SpareDepth, LogicInFrontTakesRoom) {
  target_.input_ready_ps = 1200;
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{0});
}

TEST_F(SpareDepth, LogicBehindInTheNextStageTakesRoom) {
  target_.output_deadline_ps = 3000;
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{0});
}

TEST_F(SpareDepth, AnElementwiseOperationTakesRoomAndHasNoneItself) {
  // The cut to six bits follows in the same cycle only while no third adder stands in it.
  const char* cut =
      "  %z = requantize %y {rounding = RND, overflow = SAT} : tensor<1 x "
      "ufixed<6,8>>\n  output %z\n";
  EXPECT_EQ(of(cut), (std::vector<int>{0, 0}));
}

TEST_F(SpareDepth, TwoLinearLayersShareTheRoom) {
  // Two adders and then one fill the cycle at 5 ns; at 6.5 ns the first layer takes what is left.
  const char* second =
      "  %v = constant {value = [3]} : tensor<1x1 x fixed<4,4>>\n"
      "  %c = constant {value = [0]} : tensor<1 x fixed<4,4>>\n"
      "  %z = dense %y, %v, %c : tensor<1 x ufixed<13,13>>\n  output %z\n";
  EXPECT_EQ(of(second), (std::vector<int>{0, 0}));
  target_.clock_ns = 6.5;
  EXPECT_EQ(of(second), (std::vector<int>{2, 0}));
}

TEST_F(SpareDepth, AClockThatNothingMeetsHasNone) {
  target_.clock_ns = 1;
  EXPECT_EQ(of("  output %y\n"), std::vector<int>{0});
}

}  // namespace
}  // namespace millrace::dataflow
