// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/layer_datapath.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace millrace::dataflow {
namespace {

constexpr FixedType Byte{false, 8, 8};

BeatVector beat_of(Datapath& path, const BeatWindows& windows) {
  BeatVector x{.windows = windows, .elements = {}, .type = Byte};
  for (int64_t i = 0; i < windows.num_elements(); ++i)
    x.elements.push_back(path.input(Byte));
  return x;
}

std::vector<Int128> random_beat(const BeatWindows& windows, std::mt19937_64& random) {
  std::vector<Int128> beat;
  for (int64_t i = 0; i < windows.num_elements(); ++i)
    beat.push_back(static_cast<int64_t>(random() % 256));
  return beat;
}

std::vector<Int128> evaluate(Datapath& path, const std::vector<NodeId>& results,
                             const std::vector<Int128>& beat) {
  path.outputs.clear();
  for (const NodeId id : results)
    path.outputs.push_back({id, path.node(id).type()});
  return path.evaluate(beat);
}

/// What `lane` reads of a beat.
std::vector<Int128> window_of(const BeatWindows& windows, int64_t lane,
                              const std::vector<Int128>& beat) {
  std::vector<Int128> window;
  for (int64_t i = 0; i < windows.window_size(); ++i)
    window.push_back(beat[static_cast<size_t>(windows.element(lane, i))]);
  return window;
}

template <class Kind>
int64_t count(const Datapath& path) {
  return std::count_if(path.nodes().begin(), path.nodes().end(),
                       [](const Node& node) { return std::holds_alternative<Kind>(node.kind); });
}

void check_linear(const BeatWindows& windows, int rows, int64_t largest_weight = 7) {
  std::mt19937_64 random(7);
  LinearMap map{
      .rows = rows, .columns = static_cast<int>(windows.window_size()), .entries = {}, .bias = {}};
  for (int i = 0; i < map.rows * map.columns; ++i)
    map.entries.push_back(
        static_cast<int64_t>(random() % static_cast<uint64_t>(2 * largest_weight + 1)) -
        largest_weight);
  for (int i = 0; i < map.rows; ++i)
    map.bias.push_back(static_cast<int64_t>(random() % 5) - 2);

  Datapath path;
  const BeatVector x = beat_of(path, windows);
  adders::SearchOptions search;
  search.effort = 0;
  const auto results = append_linear(path, x, map, search);
  ASSERT_TRUE(results.has_value()) << results.error().to_string();
  const std::vector<Int128> beat = random_beat(windows, random);
  std::vector<Int128> expected;
  for (int64_t lane = 0; lane < windows.lanes; ++lane) {
    const std::vector<Int128> window = window_of(windows, lane, beat);
    for (int row = 0; row < map.rows; ++row) {
      Int128 sum = map.bias[static_cast<size_t>(row)];
      for (int column = 0; column < map.columns; ++column)
        sum += window[static_cast<size_t>(column)] *
               map.entries[static_cast<size_t>(int64_t{row} * map.columns + column)];
      expected.push_back(sum);
    }
  }
  EXPECT_EQ(evaluate(path, *results, beat), expected);
}

TEST(LayerDatapath, EveryLaneMultipliesItsWindow) {
  for (const int64_t stride : {1, 2, 3, 5})
    check_linear({.lanes = 5, .channels = 2, .kernel_h = 3, .kernel_w = 3, .stride_w = stride}, 3);
  check_linear({.lanes = 4, .channels = 3}, 2);
}

TEST(LayerDatapath, LanesInUnequalPartsMultiplyTheirWindows) {
  const BeatWindows windows{.lanes = 5, .channels = 32, .kernel_h = 3, .kernel_w = 3};
  check_linear(windows, 24, 1);  // three lanes together, and then two
}

TEST(LayerDatapath, AMaximumIsThatOfTheWindow) {
  for (const int64_t stride : {1, 2, 4}) {
    const BeatWindows windows{
        .lanes = 3, .channels = 2, .kernel_h = 2, .kernel_w = 3, .stride_w = stride};
    Datapath path;
    const std::vector<NodeId> results = append_max_pool(path, beat_of(path, windows));
    std::mt19937_64 random(3);
    const std::vector<Int128> beat = random_beat(windows, random);
    std::vector<Int128> expected;
    for (int64_t lane = 0; lane < windows.lanes; ++lane) {
      const std::vector<Int128> window = window_of(windows, lane, beat);
      for (size_t channel = 0; channel < 2; ++channel) {
        Int128 largest = window[channel];
        for (size_t i = channel; i < window.size(); i += 2)
          largest = std::max(largest, window[i]);
        expected.push_back(largest);
      }
    }
    EXPECT_EQ(evaluate(path, results, beat), expected) << "stride " << stride;
  }
}

TEST(LayerDatapath, OverlappingMaximaShareTheirColumns) {
  Datapath path;
  append_max_pool(path, beat_of(path, {.lanes = 4, .kernel_h = 3, .kernel_w = 3}));
  EXPECT_EQ(count<MaxNode>(path), 6 * 2 + 4 * 2);
}

TEST(LayerDatapath, PixelsBetweenTheWindowsAreLeftOut) {
  Datapath path;
  append_max_pool(path, beat_of(path, {.lanes = 4, .kernel_h = 2, .kernel_w = 2, .stride_w = 5}));
  EXPECT_EQ(count<MaxNode>(path), 4 * 3);
}

}  // namespace
}  // namespace millrace::dataflow
