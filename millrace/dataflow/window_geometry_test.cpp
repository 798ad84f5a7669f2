// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/window_geometry.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace millrace::dataflow {
namespace {

StreamType map_of(int64_t height, int64_t width, int64_t lanes) {
  StreamType stream;
  stream.height = height;
  stream.width = width;
  stream.lanes = lanes;
  return stream;
}

/// The geometry of all windows of the map.
std::optional<WindowGeometry> whole_geometry(const StreamType& input, const graph::Window& window,
                                             int64_t out_lanes) {
  return window_geometry(input, window, window.out_height(input.height),
                         window.out_width(input.width), out_lanes);
}

/// Steps of one frame that emit, as cycles behind the frame's first beat at full rate.
std::vector<int64_t> emission_cycles(const WindowGeometry& g) {
  std::vector<int64_t> cycles;
  for (int64_t row = 0; row < g.out_height; ++row)
    for (int64_t beat = 0; beat < g.out_beats; ++beat)
      cycles.push_back(g.completion_time(row) * g.beats + g.lookahead + beat * g.beat_steps);
  return cycles;
}

TEST(WindowGeometry, NothingLeavesBeforeItsPixelsArriveAndNoTwoBeatsCollide) {
  int accepted = 0;
  for (int64_t height : {1, 2, 5, 7}) {
    for (int64_t width : {1, 4, 7, 12}) {
      for (int64_t lanes = 1; lanes <= width; ++lanes) {
        for (int64_t kernel : {1, 2, 3, 5}) {
          for (int64_t stride : {1, 2, 3}) {
            for (int64_t pad = 0; pad <= (kernel - 1) / 2; ++pad) {
              for (int64_t out_lanes = 1; out_lanes <= width; ++out_lanes) {
                const graph::Window window{.kernel_h = kernel,
                                           .kernel_w = kernel,
                                           .stride_h = stride,
                                           .stride_w = stride,
                                           .pad_top = pad,
                                           .pad_left = pad,
                                           .pad_bottom = pad,
                                           .pad_right = pad};
                const auto g = whole_geometry(map_of(height, width, lanes), window, out_lanes);
                if (!g)
                  continue;
                ++accepted;
                // Two frames back to back: no cycle emits twice.
                std::set<int64_t> seen;
                for (const int64_t cycle : emission_cycles(*g)) {
                  ASSERT_TRUE(seen.insert(cycle).second);
                  ASSERT_TRUE(seen.insert(cycle + height * g->beats).second);
                }
                for (int64_t x = 0; x < g->out_width; ++x) {
                  const int64_t step = g->lookahead + (x / g->out_lanes) * g->beat_steps;
                  const int64_t last =
                      std::min(x * stride - pad + kernel - 1, width - 1);  // its last real pixel
                  ASSERT_GE((step + 1) * lanes - 1, last);
                  // The history reaches back to its first pixel.
                  const int64_t newest = (step + 1) * lanes - 1;
                  ASSERT_GE(g->history, newest - std::max<int64_t>(0, x * stride - pad) + 1);
                }
              }
            }
          }
        }
      }
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(WindowGeometry, NaturalLanesAreAlwaysAccepted) {
  for (int64_t width = 1; width <= 14; ++width) {
    for (int64_t lanes = 1; lanes <= width; ++lanes) {
      for (int64_t kernel = 1; kernel <= std::min<int64_t>(5, width); ++kernel) {
        for (int64_t stride = 1; stride <= 3; ++stride) {
          const graph::Window window{.kernel_h = kernel,
                                     .kernel_w = kernel,
                                     .stride_h = stride,
                                     .stride_w = stride,
                                     .pad_left = (kernel - 1) / 2,
                                     .pad_right = kernel / 2};
          EXPECT_TRUE(whole_geometry(map_of(9, width, lanes), window, (lanes + stride - 1) / stride)
                          .has_value());
        }
      }
    }
  }
}

TEST(WindowGeometry, PaddingBelowMakesFlushRows) {
  const graph::Window same{
      .kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2};
  const auto g = whole_geometry(map_of(8, 8, 1), same, 1);
  ASSERT_TRUE(g.has_value());
  EXPECT_EQ(g->flush_rows, 2);
  EXPECT_EQ(g->tail_steps, 2);
  EXPECT_TRUE(g->separate_tail);
  EXPECT_EQ(g->completion_time(7), 9);
}

TEST(WindowGeometry, AFlushTakesTheTimeOfTheRowsItCompletesNotOfThePaddingBelow) {
  // One row, four rows of padding below: a flush of four rows would outlast the next frame.
  const graph::Window window{.kernel_h = 5, .pad_bottom = 4};
  const auto g = whole_geometry(map_of(1, 6, 1), window, 1);
  ASSERT_TRUE(g.has_value());
  EXPECT_EQ(g->flush_rows, 1);
  EXPECT_EQ(g->completion_time(0), 1);
}

TEST(WindowGeometry, FewerLanesArePossibleOnlyWhereRowsPause) {
  const graph::Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  EXPECT_TRUE(whole_geometry(map_of(26, 26, 26), pool, 7).has_value());
  EXPECT_FALSE(whole_geometry(map_of(26, 26, 26), pool, 6).has_value());
  const graph::Window convolution{.kernel_h = 3, .kernel_w = 3};
  EXPECT_FALSE(whole_geometry(map_of(28, 28, 28), convolution, 13).has_value());
}

TEST(WindowGeometry, MoreWindowsThanPixelsCannotKeepUp) {
  const graph::Window wide{.kernel_h = 1, .kernel_w = 2, .pad_left = 1, .pad_right = 1};
  EXPECT_FALSE(whole_geometry(map_of(4, 4, 1), wide, 1).has_value());
  const graph::Window tall{.kernel_h = 2, .kernel_w = 1, .pad_top = 1, .pad_bottom = 1};
  EXPECT_FALSE(whole_geometry(map_of(4, 4, 1), tall, 1).has_value());
}

}  // namespace
}  // namespace millrace::dataflow
