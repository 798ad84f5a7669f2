// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/shared_windows.h"

#include <gtest/gtest.h>
#include <random>

#include "millrace/adders/certificate.h"

namespace millrace::dataflow {
namespace {

LinearMap random_map(int rows, int columns) {
  std::mt19937_64 random(1);
  LinearMap map{.rows = rows, .columns = columns, .entries = {}, .bias = {}};
  for (int i = 0; i < rows * columns; ++i)
    map.entries.push_back(static_cast<int64_t>(random() % 255) - 127);
  for (int i = 0; i < rows; ++i)
    map.bias.push_back(static_cast<int64_t>(random() % 255) - 127);
  return map;
}

std::vector<Int128> product(const LinearMap& map, const std::vector<Int128>& x) {
  std::vector<Int128> y = map.bias;
  for (int row = 0; row < map.rows; ++row)
    for (int column = 0; column < map.columns; ++column)
      y[static_cast<size_t>(row)] +=
          map.entries[static_cast<size_t>(int64_t{row} * map.columns + column)] *
          x[static_cast<size_t>(column)];
  return y;
}

TEST(SharedWindows, ALaneReadsItsColumnsOfEveryRow) {
  const BeatWindows windows{.lanes = 3, .channels = 2, .kernel_h = 2, .kernel_w = 3, .stride_w = 2};
  EXPECT_EQ(windows.span(), 7);
  EXPECT_EQ(windows.num_elements(), 28);
  EXPECT_EQ(windows.window_size(), 12);
  std::vector<int64_t> last_lane;
  for (int64_t i = 0; i < windows.window_size(); ++i)
    last_lane.push_back(windows.element(2, i));
  EXPECT_EQ(last_lane, (std::vector<int64_t>{8, 9, 10, 11, 12, 13, 22, 23, 24, 25, 26, 27}));
}

TEST(SharedWindows, OverlapWhereTheKernelIsWiderThanItsStep) {
  EXPECT_TRUE((BeatWindows{.lanes = 2, .kernel_w = 3, .stride_w = 2}).overlap());
  EXPECT_FALSE((BeatWindows{.lanes = 2, .kernel_w = 2, .stride_w = 2}).overlap());
  EXPECT_FALSE((BeatWindows{.lanes = 1, .kernel_w = 3, .stride_w = 1}).overlap());
}

TEST(SharedWindows, TheMapOfABeatIsThatOfEachLaneOnItsWindow) {
  for (const int64_t stride : {1, 2, 3, 4}) {
    const BeatWindows windows{
        .lanes = 4, .channels = 2, .kernel_h = 2, .kernel_w = 3, .stride_w = stride};
    const LinearMap lane_map = random_map(3, static_cast<int>(windows.window_size()));
    std::vector<Int128> beat;
    for (int64_t i = 0; i < windows.num_elements(); ++i)
      beat.push_back(1000 + i * i);
    std::vector<Int128> expected;
    for (int64_t lane = 0; lane < windows.lanes; ++lane) {
      std::vector<Int128> window;
      for (int64_t i = 0; i < windows.window_size(); ++i)
        window.push_back(beat[static_cast<size_t>(windows.element(lane, i))]);
      const std::vector<Int128> y = product(lane_map, window);
      expected.insert(expected.end(), y.begin(), y.end());
    }
    EXPECT_EQ(product(beat_map(lane_map, windows), beat), expected) << "stride " << stride;
  }
}

TEST(SharedWindows, TheBiasIsAColumnForEachMagnitudeAndNoneForZero) {
  const LinearMap map{
      .rows = 5, .columns = 1, .entries = {1, 2, 3, 4, 5}, .bias = {7, 0, -7, 3, 7}};
  const Multiplication problem = multiplication(map);
  EXPECT_EQ(problem.constants, (std::vector<Int128>{3, 7}));
  EXPECT_EQ(
      problem.matrix,
      (adders::Matrix{
          .rows = 5, .columns = 3, .entries = {1, 0, 1, 2, 0, 0, 3, 0, -1, 4, 1, 0, 5, 0, 1}}));
}

TEST(SharedWindows, OnlyLanesThatSharePixelsAreMultipliedTogether) {
  const LinearMap map = random_map(4, 9);
  const auto lanes = [&](int64_t stride) {
    return lanes_together(map, {.lanes = 28, .kernel_h = 3, .kernel_w = 3, .stride_w = stride});
  };
  EXPECT_EQ(lanes(1), (LaneBlock{1, 28}));
  EXPECT_EQ(lanes(2), (LaneBlock{1, 28}));
  EXPECT_EQ(lanes(3), (LaneBlock{1, 1}));
}

TEST(SharedWindows, LargeKernelsAreMultipliedInEqualParts) {
  const auto lanes = [](int rows, int64_t channels) {
    const BeatWindows windows{.lanes = 26, .channels = channels, .kernel_h = 3, .kernel_w = 3};
    return lanes_together(random_map(rows, static_cast<int>(windows.window_size())), windows);
  };
  EXPECT_EQ(lanes(8, 8), (LaneBlock{1, 26}));
  EXPECT_EQ(lanes(8, 16), (LaneBlock{1, 13}));
  EXPECT_EQ(lanes(64, 64), (LaneBlock{1, 1}));
}

/// The adders of a beat, apart and together, for 8-bit pixels.
struct Prices {
  int64_t apart = 0, together = 0;
};

Prices prices(const LinearMap& map, const BeatWindows& windows) {
  const auto bits = [&](const BeatWindows& some) {
    std::vector<adders::Range> ranges(static_cast<size_t>(some.num_elements()), {0, 255});
    const auto beat = multiply_beat(map, some, ranges, {});
    EXPECT_TRUE(beat.has_value());
    for (const Int128 constant : beat->constants)
      ranges.push_back({constant, constant});
    return cost(beat->graph, ranges).bits;
  };
  return {.apart = windows.lanes * bits(windows.first(1, 1)), .together = bits(windows)};
}

TEST(SharedWindows, ColumnSumsAreAddedOnce) {
  // A mean takes two adders for a column, which three lanes read, and two to join the columns.
  const LinearMap mean{.rows = 1, .columns = 9, .entries = std::vector<int64_t>(9, 1), .bias = {0}};
  const Prices of = prices(mean, {.lanes = 28, .kernel_h = 3, .kernel_w = 3});
  EXPECT_LE(of.together * 100, of.apart * 75);
}

TEST(SharedWindows, LanesTogetherNeverCostMoreThanApart) {
  for (const int rows : {1, 4})
    for (const int channels : {1, 4}) {
      const BeatWindows windows{.lanes = 7, .channels = channels, .kernel_h = 3, .kernel_w = 3};
      const Prices of = prices(random_map(rows, 9 * channels), windows);
      EXPECT_LE(of.together, of.apart) << rows << " rows, " << channels << " channels";
    }
}

TEST(SharedWindows, TheGraphOfABeatMultipliesEveryWindow) {
  for (const int64_t stride : {1, 2, 3}) {
    const BeatWindows windows{
        .lanes = 5, .channels = 2, .kernel_h = 3, .kernel_w = 3, .stride_w = stride};
    const LinearMap map = random_map(3, static_cast<int>(windows.window_size()));
    std::vector<adders::Range> ranges(static_cast<size_t>(windows.num_elements()), {-8, 7});
    const auto beat = multiply_beat(map, windows, ranges, {});
    ASSERT_TRUE(beat.has_value());
    for (const Int128 constant : beat->constants)
      ranges.push_back({constant, constant});
    const Multiplication whole = multiplication(beat_map(map, windows));
    EXPECT_EQ(whole.constants, beat->constants);
    const adders::Certificate certificate = certify(beat->graph, whole.matrix, ranges);
    EXPECT_TRUE(certificate.holds()) << certificate.failure;
  }
}

TEST(SharedWindows, WhatTheSearchRefusesIsRefused) {
  const std::vector<adders::Range> ranges(9, {0, 255});
  adders::SearchOptions search;
  search.effort = 10;
  const auto beat = multiply_beat(random_map(1, 9), {.kernel_h = 3, .kernel_w = 3}, ranges, search);
  ASSERT_FALSE(beat.has_value());
  EXPECT_EQ(beat.error().code, "adders.effort_out_of_range");
}

TEST(SharedWindows, ProgressRisesOverBothSearches) {
  double last = 0;
  adders::SearchOptions search;
  search.progress = [&](std::string_view, double fraction) {
    EXPECT_GE(fraction, last);
    last = fraction;
    return true;
  };
  const BeatWindows windows{.lanes = 4, .kernel_h = 3, .kernel_w = 3};
  const std::vector<adders::Range> ranges(static_cast<size_t>(windows.num_elements()), {0, 255});
  ASSERT_TRUE(multiply_beat(random_map(4, 9), windows, ranges, search).has_value());
  EXPECT_GT(last, 0.5);
  EXPECT_LE(last, 1);
}

}  // namespace
}  // namespace millrace::dataflow
