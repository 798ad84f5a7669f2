// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "millrace/dataflow/stream.h"
#include "millrace/graph/window.h"

namespace millrace::dataflow {

/// The numbers by which rtl/mr_window.sv turns a stream of pixels into a stream of windows.
///
/// Each row of the input takes `beats` steps. In the rows that complete an output row, output
/// beat b leaves one cycle after step lookahead + b * beat_steps. Steps beyond the row's last beat
/// (`tail_steps`) and output rows that no input row completes (`flush_rows`, whose windows reach
/// into the padding below) need no input: they follow of themselves, one step in `pace` cycles.
struct WindowGeometry {
  StreamType input;
  graph::Window window;
  int64_t out_height = 0, out_width = 0;
  int64_t out_lanes = 1;

  int64_t beats = 1;           ///< input beats a row
  int64_t out_beats = 1;       ///< output beats a row
  int64_t span = 1;            ///< adjacent pixels of a row that one output beat covers
  int64_t lookahead = 0;       ///< step that completes output beat 0
  int64_t beat_steps = 1;      ///< steps from one output beat to the next
  int64_t tail_steps = 0;      ///< steps behind the last beat of a row
  int64_t flush_rows = 0;      ///< output rows that follow the last row of a frame
  int64_t history = 1;         ///< pixels of each row that are kept at hand
  int64_t first_row = 0;       ///< input row that completes output row 0
  int64_t row_gap = 1;         ///< input rows from one that completes an output row to the next
  bool separate_tail = false;  ///< the next row may begin before the tail has ended
  int64_t pace = 1;      ///< cycles from beat to beat, at least; of steps without input, exactly
  bool blocked = false;  ///< each input beat holds all that one output beat covers

  /// The row of the padded map that completes output row `row`, counted from the map's first row.
  int64_t completing_row(int64_t row) const { return first_row + row * window.stride_h; }
  /// When output row `row` is completed, in input rows from the frame's start: rows of the map when
  /// they arrive, flush rows one after the other behind the last.
  int64_t completion_time(int64_t row) const {
    const int64_t flush_row = row - (out_height - flush_rows);
    return flush_row < 0 ? completing_row(row) : input.height + flush_row;
  }
  /// Pixels by which the covered span moves from one output beat to the next.
  int64_t advance() const { return out_lanes * window.stride_w; }
  /// Pixels by which the covered span moves within the history from one output beat to the next.
  int64_t skew() const { return blocked ? 0 : advance() - beat_steps * input.lanes; }
};

/// Works out the geometry for the first `out_height` x `out_width` windows of the map; no value
/// when the windows of a row (or frame) cannot leave before those of the next begin, at full input
/// rate, with this many output lanes.
std::optional<WindowGeometry> window_geometry(const StreamType& input, const graph::Window& window,
                                              int64_t out_height, int64_t out_width,
                                              int64_t out_lanes);

/// The same for an input whose beats overlap: each holds the span of one output beat, padding on
/// the left and right included.
///
/// Shapes   input.lanes is the span of `out_lanes` windows, input.width a whole number of them.
std::optional<WindowGeometry> blocked_window_geometry(const StreamType& input,
                                                      const graph::Window& window,
                                                      int64_t out_height, int64_t out_width,
                                                      int64_t out_lanes);

}  // namespace millrace::dataflow
