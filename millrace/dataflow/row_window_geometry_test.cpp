// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/row_window_geometry.h"

#include <gtest/gtest.h>

namespace millrace::dataflow {
namespace {

StreamType map_of(int64_t height, int64_t rows) {
  StreamType stream;
  stream.height = height;
  stream.rows = rows;
  return stream;
}

std::optional<RowWindowGeometry> geometry_of(int64_t height, int64_t rows,
                                             const graph::Window& window) {
  return row_window_geometry(map_of(height, rows), window, window.out_height(height), 1);
}

/// The map's row that stands behind row `j` of the region of output beat `group`, as the registers
/// of rtl/mr_row_window.sv hold it; rows behind the newest group count on.
int64_t row_at_hand(const RowWindowGeometry& g, int64_t group, int64_t j) {
  const int64_t newest = g.first_group + group * g.step_groups;
  return (newest - g.span_groups + 1) * g.input.rows + g.skip + j;
}

void check_geometry(const RowWindowGeometry& g) {
  ASSERT_LE(g.skip + g.region_rows, g.span_groups * g.input.rows);
  ASSERT_GE(g.skip, 0);
  ASSERT_GE(g.step_groups, 1);
  // Whole input beats from one output beat to the next.
  if (g.out_groups > 1) {
    ASSERT_EQ(g.row_advance(), g.step_groups * g.input.rows);
  }
  ASSERT_GE(g.out_groups * g.out_rows, g.out_height);
  for (int64_t group = 0; group < g.out_groups; ++group) {
    for (int64_t j = 0; j < g.region_rows; ++j)
      ASSERT_EQ(row_at_hand(g, group, j), group * g.row_advance() - g.window.pad_top + j);
    // Whatever belongs to a window and to the map has arrived by then.
    const int64_t newest = g.first_group + group * g.step_groups;
    ASSERT_LE(newest, g.groups);
    if (newest == g.groups) {
      ASSERT_TRUE(g.flush);
      ASSERT_EQ(group, g.out_groups - 1);
    }
  }
}

TEST(RowWindowGeometry, EveryRegionHoldsTheRowsOfItsWindows) {
  int accepted = 0;
  for (int64_t height = 1; height <= 9; ++height)
    for (int64_t rows = 1; rows <= height; ++rows)
      for (const int64_t kernel : {1, 2, 3, 5})
        for (const int64_t stride : {1, 2, 3})
          for (const int64_t dilation : {1, 2})
            for (int64_t top = 0; top < kernel; ++top)
              for (int64_t bottom = 0; bottom < kernel; ++bottom) {
                const graph::Window window{.kernel_h = kernel,
                                           .stride_h = stride,
                                           .pad_top = top,
                                           .pad_bottom = bottom,
                                           .dilation_h = dilation};
                const auto g = geometry_of(height, rows, window);
                if (!g)
                  continue;
                ++accepted;
                ASSERT_NO_FATAL_FAILURE(check_geometry(*g))
                    << height << " rows by " << rows << ", kernel " << kernel << " stride "
                    << stride << " dilation " << dilation << " padding " << top << ", " << bottom;
              }
  EXPECT_GT(accepted, 1000);
}

TEST(RowWindowGeometry, AKernelOfThreeOnPairsOfRowsLooksOneGroupBack) {
  const auto g = geometry_of(8, 2, {.kernel_h = 3});
  ASSERT_TRUE(g.has_value());
  EXPECT_EQ(g->out_rows, 2);
  EXPECT_EQ(g->region_rows, 4);
  EXPECT_EQ(g->span_groups, 2);
  EXPECT_EQ(g->skip, 0);
  EXPECT_EQ(g->first_group, 1);
  EXPECT_EQ(g->step_groups, 1);
  EXPECT_EQ(g->out_groups, 3);
  EXPECT_FALSE(g->flush);
}

TEST(RowWindowGeometry, PaddingBelowMakesTheLastBeatFollowByItself) {
  const auto g = geometry_of(8, 2, {.kernel_h = 3, .pad_top = 1, .pad_bottom = 1});
  ASSERT_TRUE(g.has_value());
  EXPECT_EQ(g->out_groups, 4);
  EXPECT_EQ(g->skip, 1);
  EXPECT_TRUE(g->flush);
}

TEST(RowWindowGeometry, AStrideThatTheRowsDivideKeepsTheBeat) {
  const auto g = geometry_of(8, 4, {.kernel_h = 3, .stride_h = 2, .pad_top = 1});
  ASSERT_TRUE(g.has_value());
  EXPECT_EQ(g->out_rows, 2);
  EXPECT_EQ(g->step_groups, 1);
  // Where they do not, an output beat waits for several input beats.
  const auto odd = geometry_of(12, 2, {.kernel_h = 3, .stride_h = 3});
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->out_rows, 2);
  EXPECT_EQ(odd->step_groups, 3);
}

TEST(RowWindowGeometry, WhatWaitsForMoreThanOneGroupBehindTheMapIsRefused) {
  EXPECT_FALSE(geometry_of(4, 1, {.kernel_h = 5, .pad_top = 2, .pad_bottom = 2}).has_value());
  EXPECT_FALSE(row_window_geometry(map_of(4, 2), {}, 0, 1).has_value());
  EXPECT_FALSE(row_window_geometry(map_of(4, 2), {}, 4, 0).has_value());
}

}  // namespace
}  // namespace millrace::dataflow
