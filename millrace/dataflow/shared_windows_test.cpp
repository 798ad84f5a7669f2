// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/shared_windows.h"

#include <gtest/gtest.h>
#include <random>

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
      y[static_cast<size_t>(row)] += map.entries[static_cast<size_t>(row * map.columns + column)] *
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
  EXPECT_EQ(lanes(1), 28);
  EXPECT_EQ(lanes(2), 28);
  EXPECT_EQ(lanes(3), 1);
}

TEST(SharedWindows, LargeKernelsAreMultipliedInEqualParts) {
  const auto lanes = [](int rows, int64_t channels) {
    const BeatWindows windows{.lanes = 26, .channels = channels, .kernel_h = 3, .kernel_w = 3};
    return lanes_together(random_map(rows, static_cast<int>(windows.window_size())), windows);
  };
  EXPECT_EQ(lanes(8, 8), 26);
  EXPECT_EQ(lanes(8, 16), 13);
  EXPECT_EQ(lanes(64, 64), 1);
}

}  // namespace
}  // namespace millrace::dataflow
