// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "millrace/dataflow/stream.h"
#include "millrace/graph/window.h"

namespace millrace::dataflow {

/// The numbers by which rtl/mr_row_window.sv turns a stream of groups of rows into one of windows.
/// Rows stand at every column of the map; what lies beside them is the map behind's affair.
struct RowWindowGeometry {
  StreamType input;
  graph::Window window;
  int64_t out_height = 0, out_width = 0;
  int64_t out_rows = 1;  ///< rows of windows in an output beat

  int64_t groups = 1;       ///< input beats of a frame
  int64_t out_groups = 1;   ///< output beats of a frame
  int64_t region_rows = 1;  ///< adjacent rows that one output beat covers
  int64_t span_groups = 1;  ///< input beats at hand, the newest one included
  int64_t skip = 0;         ///< rows of these in front of the region
  int64_t first_group = 0;  ///< input beat that completes output beat 0
  int64_t step_groups = 1;  ///< input beats from one output beat to the next
  bool flush = false;       ///< the last output beat follows the frame's last input beat by itself

  /// Rows from one output beat to the next.
  int64_t row_advance() const { return out_rows * window.stride_h; }
};

/// Works out the geometry for the first `out_height` x `out_width` windows of the map; no value
/// where more than one output beat would wait for rows behind the map's end.
std::optional<RowWindowGeometry> row_window_geometry(const StreamType& input,
                                                     const graph::Window& window,
                                                     int64_t out_height, int64_t out_width);

}  // namespace millrace::dataflow
