// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/window_geometry.h"

#include <algorithm>

#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {
namespace {

/// The last column of the input that output beat `beat` needs.
int64_t last_column(const WindowGeometry& g, int64_t beat) {
  const int64_t last_window = std::min((beat + 1) * g.out_lanes, g.out_width) - 1;
  const int64_t column =
      last_window * g.window.stride_w - g.window.pad_left + g.window.extent_w() - 1;
  return std::clamp<int64_t>(column, 0, g.input.width - 1);
}

/// Fills in what concerns the order of rows; false where frames would collide. `g.lookahead` and
/// `g.tail_steps` are known.
bool arrange_rows(WindowGeometry& g) {
  const graph::Window& window = g.window;
  g.first_row = window.extent_h() - 1 - window.pad_top;
  for (int64_t row = 0; row < g.out_height; ++row)
    g.flush_rows += g.completing_row(row) >= g.input.height ? 1 : 0;

  // Rows between two that complete an output row, within the frame and from frame to frame.
  g.row_gap = g.input.height + g.completion_time(0) - g.completion_time(g.out_height - 1);
  for (int64_t row = 1; row < g.out_height; ++row)
    g.row_gap = std::min(g.row_gap, g.completion_time(row) - g.completion_time(row - 1));
  if (g.first_row < 0 || g.row_gap < 1 || g.flush_rows > std::min(g.first_row, g.input.height))
    return false;
  // Cycles between the last step of such a row and the first of the next.
  const int64_t pause = (g.row_gap - 1) * g.beats;
  if (g.tail_steps > pause + g.lookahead)
    return false;
  g.separate_tail = g.tail_steps > pause + 1;
  return true;
}

}  // namespace

std::optional<WindowGeometry> window_geometry(const StreamType& input, const graph::Window& window,
                                              int64_t out_height, int64_t out_width,
                                              int64_t out_lanes) {
  if (out_height < 1 || out_width < 1)
    return std::nullopt;
  WindowGeometry g{.input = input, .window = window};
  g.out_height = out_height;
  g.out_width = out_width;
  g.out_lanes = std::min(out_lanes, g.out_width);

  g.beats = input.beats_per_row();
  g.out_beats = ceil_divide(g.out_width, g.out_lanes);
  g.span = (g.out_lanes - 1) * window.stride_w + window.extent_w();
  g.beat_steps = std::max<int64_t>(1, g.advance() / input.lanes);
  for (int64_t beat = 0; beat < g.out_beats; ++beat)
    g.lookahead = std::max(g.lookahead, last_column(g, beat) / input.lanes - beat * g.beat_steps);
  const int64_t last_step = g.lookahead + (g.out_beats - 1) * g.beat_steps;
  g.tail_steps = std::max<int64_t>(0, last_step - (g.beats - 1));
  if (!arrange_rows(g))
    return std::nullopt;

  g.history = window.pad_left + (g.lookahead + 1) * input.lanes +
              std::max<int64_t>(0, -g.skew()) * (g.out_beats - 1);
  return g;
}

std::optional<WindowGeometry> blocked_window_geometry(const StreamType& input,
                                                      const graph::Window& window,
                                                      int64_t out_height, int64_t out_width,
                                                      int64_t out_lanes) {
  WindowGeometry g{.input = input, .window = window};
  g.window.pad_left = g.window.pad_right = 0;
  g.out_height = out_height;
  g.out_width = out_width;
  g.out_lanes = out_lanes;
  g.beats = g.out_beats = input.beats_per_row();
  g.span = g.history = input.lanes;
  g.blocked = true;
  if (out_height < 1 || out_width < 1 || !arrange_rows(g))
    return std::nullopt;
  return g;
}

}  // namespace millrace::dataflow
