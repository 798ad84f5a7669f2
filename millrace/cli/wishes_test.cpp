// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/wishes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/graph/text.h"

namespace millrace::cli {
namespace {

using dataflow::BeatShape;
using testing::ElementsAre;

int64_t cycles(const std::string& text, double clock_ns = 5) {
  const auto result = parse_cycles("--latency", text, clock_ns);
  return result ? *result : -1;
}

TEST(ParseCycles, TimesAreWholeCycles) {
  EXPECT_EQ(cycles("300ns"), 60);
  EXPECT_EQ(cycles("304.9 ns"), 60);
  EXPECT_EQ(cycles("0.3us"), 60);
  EXPECT_EQ(cycles("1ms"), 200000);
  EXPECT_EQ(cycles("60cycles"), 60);
  EXPECT_EQ(cycles("1 cycle"), 1);
  EXPECT_EQ(cycles("4ns"), 0);  // none fits: nothing is so fast
}

TEST(ParseCycles, TheDivisionCostsNoCycle) {
  for (int64_t count = 1; count < 1000; ++count)
    EXPECT_EQ(cycles(fmt::format("{:.1f}ns", 3.3 * static_cast<double>(count)), 3.3), count);
}

TEST(ParseCycles, OtherFormsAreRefused) {
  for (const char* text : {"", "fast", "5", "ns", "-5ns", "0cycles", "1.5cycles", "nanns", "infns",
                           "1e300ns", "5nss"}) {
    const auto result = parse_cycles("--interval", text, 5);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, "cli.bad_time");
    EXPECT_EQ(result.error().where, "--interval");
  }
}

graph::Graph image() {
  auto graph = graph::parse(
      "graph @g {\n  %x = input : tensor<4x6x1 x ufixed<8,0>>\n"
      "  %y = relu %x : tensor<4x6x1 x ufixed<8,0>>\n  output %y\n}\n",
      "g.mr");
  EXPECT_TRUE(graph.has_value());
  return *std::move(graph);
}

TEST(ParseLanes, AreANumberRowsOrAll) {
  EXPECT_THAT(parse_lanes("3", image(), false).value(), ElementsAre(BeatShape{3, 1}));
  EXPECT_THAT(parse_lanes("2x6", image(), true).value(), ElementsAre(BeatShape{6, 2}));
  EXPECT_THAT(parse_lanes("all", image(), false).value(), ElementsAre(BeatShape{6, 4}));
  EXPECT_THAT(parse_lanes("-1", image(), false).value(), ElementsAre(BeatShape{-1, 1}));
}

TEST(ParseLanes, WithoutAnyAreARowOrWhatAWishLeavesOpen) {
  EXPECT_THAT(parse_lanes("", image(), false).value(), ElementsAre(BeatShape{6, 1}));
  EXPECT_EQ(parse_lanes("", image(), true).value(), dataflow::beat_shapes(image()));
}

TEST(ParseLanes, OtherFormsAreRefused) {
  for (const char* text : {"x", "many", "2x", "x6", "2x6x3", "2.5", "4 x 6"})
    EXPECT_EQ(parse_lanes(text, image(), false).error().code, "cli.bad_lanes") << text;
}

TEST(ParseWish, AnAreaIsPositive) {
  CompileOptions options;
  EXPECT_TRUE(parse_wish(options, 5)->is_empty());
  options.max_lut = 0;
  EXPECT_EQ(parse_wish(options, 5).error().code, "cli.bad_area");
  options.max_lut = 1000;
  options.latency = "1us";
  EXPECT_EQ(parse_wish(options, 5)->max_lut, 1000);
  EXPECT_EQ(parse_wish(options, 5)->latency_cycles, 200);
}

TEST(AdderChoice, AutoIsThreeInputsWhereTheFamilyHasThem) {
  EXPECT_TRUE(uses_three_input_adders("auto", "xcu"));
  EXPECT_TRUE(uses_three_input_adders("auto", "xcup"));
  EXPECT_FALSE(uses_three_input_adders("auto", "other"));
  EXPECT_FALSE(uses_three_input_adders("two-input", "xcu"));
  EXPECT_TRUE(uses_three_input_adders("three-input", "other"));  // the planner's to refuse
}

TEST(DspChoice, IsOneOfThree) {
  EXPECT_EQ(parse_block_use("never"), dataflow::BlockUse::Never);
  EXPECT_EQ(parse_block_use("auto"), dataflow::BlockUse::Auto);
  EXPECT_EQ(parse_block_use("prefer"), dataflow::BlockUse::Prefer);
}

}  // namespace
}  // namespace millrace::cli
