// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/row_window_geometry.h"

#include <algorithm>
#include <numeric>

#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {
namespace {

int64_t floor_div(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

}  // namespace

std::optional<RowWindowGeometry> row_window_geometry(const StreamType& input,
                                                     const graph::Window& window,
                                                     int64_t out_height, int64_t out_width) {
  if (out_height < 1 || out_width < 1)
    return std::nullopt;
  RowWindowGeometry g{.input = input, .window = window};
  g.out_height = out_height;
  g.out_width = out_width;
  // An output beat moves on by whole input beats.
  g.out_rows = input.rows / std::gcd(input.rows, window.stride_h);
  g.groups = ceil_divide(input.height, input.rows);
  g.out_groups = ceil_divide(out_height, g.out_rows);
  g.step_groups = g.row_advance() / input.rows;
  g.out_rows = std::min(g.out_rows, out_height);
  g.region_rows = (g.out_rows - 1) * window.stride_h + window.extent_h();
  g.first_group = floor_div(g.region_rows - 1 - window.pad_top, input.rows);
  const int64_t oldest = floor_div(-window.pad_top, input.rows);
  g.span_groups = g.first_group - oldest + 1;
  g.skip = -window.pad_top - oldest * input.rows;
  const int64_t last_group = g.first_group + (g.out_groups - 1) * g.step_groups;
  g.flush = last_group >= g.groups;
  if (g.first_group < 0 || last_group > g.groups || (g.flush && g.first_group == 0))
    return std::nullopt;
  return g;
}

}  // namespace millrace::dataflow
