// SPDX-License-Identifier: Apache-2.0
// Sliding windows: within a beat where it holds them whole, else over line buffers, and how many
// lanes the arithmetic behind them needs.
#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/planner.h"
#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {

using graph::Op;
using graph::ValueId;
using graph::Window;

namespace {

/// A map of which each output needs too much at once is worked on as a whole up to this size.
constexpr int64_t MostElementsInABeat = 4096;

std::vector<int64_t> padding_values(const StreamType& in, const Op& op) {
  std::vector<int64_t> padding;
  for (int64_t channel = 0; channel < in.channels; ++channel)
    padding.push_back(op.as<graph::MaxPool>() ? static_cast<int64_t>(in.range(channel).lo) : 0);
  return padding;
}

/// Pixels of a map along an axis, and how many of them a beat has.
struct Axis {
  int64_t size = 1, in_beat = 1;
};

/// The windows along an axis, beat for beat, where each lies within one of the map's beats; `out`
/// of them where a beat has them all. None where they do not, or where a beat would have no window.
std::optional<Axis> within_beats(const Axis& map, int64_t extent, int64_t stride, bool is_padded,
                                 int64_t out) {
  if (map.in_beat == map.size)
    return Axis{out, out};
  if (map.in_beat % stride != 0 || extent > stride || is_padded)
    return std::nullopt;
  const Axis windows{(map.size - extent) / stride + 1, map.in_beat / stride};
  const auto beats = [](const Axis& axis) { return ceil_divide(axis.size, axis.in_beat); };
  return beats(windows) == beats(map) ? std::optional(windows) : std::nullopt;
}

std::optional<Axis> rows_within_beats(const StreamType& map, const Window& window, int64_t out) {
  return within_beats({map.height, map.rows}, window.extent_h(), window.stride_h,
                      window.pad_top > 0 || window.pad_bottom > 0, out);
}

std::optional<Axis> columns_within_beats(const StreamType& map, const Window& window, int64_t out) {
  return within_beats({map.width, map.lanes}, window.extent_w(), window.stride_w,
                      window.pad_left > 0 || window.pad_right > 0, out);
}

}  // namespace

BeatWindows windows_of(const Window& window, int64_t channels, int64_t rows, int64_t lanes) {
  return {.lanes = lanes,
          .channels = channels,
          .kernel_h = window.kernel_h,
          .kernel_w = window.kernel_w,
          .stride_w = window.stride_w,
          .rows = rows,
          .stride_h = window.stride_h,
          .dilation_h = window.dilation_h,
          .dilation_w = window.dilation_w};
}

Status Planner::add_windowed(const Op& op, const Demand& out, int64_t channels) {
  const ValueId value = value_of(op);
  const ValueId operand = op.operands[0];
  const StreamType shape = shape_of(operand);
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  const Window window = step.window();

  const auto* mean = op.as<graph::AvgPool>();
  if (mean && window.is_padded() && !mean->include_padding)
    return add_counted_mean(op, out);
  const std::optional<Axis> rows = rows_within_beats(shape, window, out.height);
  const std::optional<Axis> columns = columns_within_beats(shape, window, out.width);
  StreamType result = shape;
  result.channels = channels;
  if (columns) {
    result.width = columns->size;
    result.lanes = columns->in_beat;
  }
  if (columns && rows) {
    result.height = rows->size;
    result.rows = rows->in_beat;
    return extend(op, step, result);
  }
  const bool covers_map = window.kernel_h == shape.height && window.kernel_w == shape.width &&
                          window.extent_h() == shape.height && window.extent_w() == shape.width &&
                          !window.is_padded();
  if (covers_map && op.as<graph::Conv2D>()) {
    MR_TRY(const StreamId stream, stream_of(operand));
    return add_dense_over_map(op, stream);
  }
  if (covers_map && mean) {
    MR_TRY(const StreamId stream, stream_of(operand));
    return add_mean_of_map(op, stream);
  }
  StreamId stream = -1;
  if (columns && op.as<graph::MaxPool>() && window.extent_w() > 1 && shape.rows == 1) {
    // Along the row first: what the line buffer keeps is smaller by the stride.
    step.part = MapStep::Part::Columns;
    MR_TRY_STATUS(extend(op, step, result));
    MR_TRY(stream, stream_of_part(value));
    step.part = MapStep::Part::Rows;
  } else {
    MR_TRY(stream, stream_of(operand));
  }
  return shape.rows > 1 ? open_on_rows(op, step, stream, out, channels)
                        : open_on_window(op, step, stream, out, channels);
}

Status Planner::add_counted_mean(const Op& op, const Demand& out) {
  const StreamType shape = shape_of(op.operands[0]);
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  step.part = MapStep::Part::Ones;
  StreamType with_ones = shape;
  ++with_ones.channels;
  MR_TRY_STATUS(extend(op, step, with_ones));
  step.part = MapStep::Part::Whole;
  const int64_t channels = op.type.shape.back();
  const std::optional<Axis> rows = rows_within_beats(shape, step.window(), out.height);
  const std::optional<Axis> columns = columns_within_beats(shape, step.window(), out.width);
  if (columns && rows) {
    StreamType result = shape;
    result.height = rows->size;
    result.width = columns->size;
    result.channels = channels;
    result.lanes = columns->in_beat;
    result.rows = rows->in_beat;
    append_to(places_[static_cast<size_t>(value_of(op))].map, op, step, result);
    return {};
  }
  MR_TRY(const StreamId stream, stream_of_part(value_of(op)));
  return shape.rows > 1 ? open_on_rows(op, step, stream, out, channels)
                        : open_on_window(op, step, stream, out, channels);
}

int64_t Planner::row_cycles(StreamId stream) const {
  const Cycles& cycles = times_[static_cast<size_t>(stream)];
  const auto row = static_cast<size_t>(circuit_.stream(stream).beats_per_row());
  int64_t least = std::numeric_limits<int64_t>::max();
  for (size_t i = row; i < cycles.size(); i += row)
    least = std::min(least, cycles[i] - cycles[i - row]);
  return least;
}

Result<std::optional<int64_t>> Planner::fewer_lanes(const Op& op, StreamId stream, int64_t width) {
  const StreamType& in = circuit_.stream(stream);
  if (!is_linear(op) || in.lanes == 1 || in.height == 1)
    return std::nullopt;
  const MapStep step{.op = &op, .sources = {}, .picks = {}};
  const Window window = step.window();
  const int64_t natural = std::min(width, ceil_divide(in.lanes, window.stride_w));
  const int64_t beats = row_cycles(stream);
  int64_t lanes = ceil_divide(width, beats);
  if (const auto wanted = layer_option(op, &LayerOptions::lanes, "lanes")) {
    if (*wanted < lanes || *wanted > natural)
      return error(messages::LayerOptionOutOfRange, place_of(op), "lanes", *wanted, lanes, natural);
    return *wanted < natural ? wanted : std::nullopt;
  }
  // Pooling behind the operation wants pairs within a beat.
  int64_t multiple = 1;
  for (ValueId next = value_of(op); is_used_once(next);) {
    next = users_[static_cast<size_t>(next)][0];
    const MapStep behind{.op = &graph_.op(next), .sources = {}, .picks = {}};
    if (behind.window() == Window{} || lanes == 1) {
      if (is_linear(graph_.op(next)))
        break;
      continue;
    }
    multiple = graph_.op(next).as<graph::MaxPool>() ? behind.window().stride_w : 1;
    break;
  }
  lanes = std::min(ceil_divide(lanes, multiple) * multiple, width);
  // Putting the lanes together anew costs multiplexers and about two cycles: for half of the
  // arithmetic, or where two cycles are little.
  const bool pays = 2 * lanes <= natural || interval() >= 2 * IntervalOfACycle;
  return pays && lanes < natural ? std::optional(lanes) : std::nullopt;
}

StreamId Planner::block(const Op& op, StreamId stream, int64_t out_lanes, int64_t width) {
  const MapStep step{.op = &op, .sources = {}, .picks = {}};
  const Window window = step.window();
  const StreamType in = circuit_.stream(stream);
  const int64_t blocks = ceil_divide(width, out_lanes);
  StreamType out = in;
  out.lanes = (out_lanes - 1) * window.stride_w + window.extent_w();
  out.width = blocks * out.lanes;
  const int64_t advance = out_lanes * window.stride_w;
  return append_relayout(op.name, stream, out, [&](const MapPlace& place) {
    const int64_t column =
        place.column / out.lanes * advance + place.column % out.lanes - window.pad_left;
    const bool is_inside = 0 <= column && column < in.width;
    return is_inside ? MapPlace{place.row, column, place.channel} : MapPlace{-1, 0, 0};
  });
}

Stage Planner::window_stage(const Op& op, StreamId stream, const WindowGeometry& geometry) const {
  StreamType covered = circuit_.stream(stream);
  std::vector<int64_t> padding = padding_values(covered, op);
  covered.height = geometry.out_height;
  covered.width = geometry.out_width;
  covered.lanes = geometry.out_lanes;
  return {.name = identifier(op.name),
          .layers = {},
          .kind = WindowStage{geometry, std::move(padding), uses_block_ram(geometry)},
          .inputs = {stream},
          .buffers = {},
          .output = std::move(covered),
          .latency_cycles = 1};
}

double Planner::window_ready_ps(const WindowGeometry& geometry) const {
  // The window's multiplexers and padding masks stand behind its registers.
  int levels = geometry.window.is_padded() ? 1 : 0;
  if (geometry.skew() != 0 && geometry.out_beats > 1)
    levels += static_cast<int>(std::ceil(std::log2(static_cast<double>(geometry.out_beats)) / 2));
  if (geometry.separate_tail)
    levels += 1;
  return levels * delays_.lut_ps;
}

Status Planner::open_on_window(const Op& op, MapStep step, StreamId stream, const Demand& out,
                               int64_t channels) {
  const Window window = step.window();
  const StreamType before = circuit_.stream(stream);
  std::optional<WindowGeometry> geometry;
  MR_TRY(const std::optional<int64_t> fewer, fewer_lanes(op, stream, out.width));
  if (fewer) {
    stream = block(op, stream, *fewer, out.width);
    geometry =
        blocked_window_geometry(circuit_.stream(stream), window, out.height, out.width, *fewer);
  } else {
    const int64_t natural = std::min(out.width, ceil_divide(before.lanes, window.stride_w));
    // Where rows pause between windows: the fewest lanes that still keep up, if that about halves
    // the hardware. Not along columns alone, where choosing among lanes costs what it saves.
    if (!is_linear(op) && step.part == MapStep::Part::Whole)
      for (int64_t lanes = 1; !geometry && lanes < natural && lanes <= (natural + 1) / 2; ++lanes)
        geometry = window_geometry(before, window, out.height, out.width, lanes);
    if (!geometry)
      geometry = window_geometry(before, window, out.height, out.width, natural);
  }
  if (!geometry)
    return open_on_whole_map(op, step, stream, out, channels);
  MR_TRY(const bool is_folded, fold_windows(op, stream, *geometry, channels));
  if (is_folded)
    return {};

  const StreamId windows =
      append_stage(window_stage(op, stream, *geometry), window_ready_ps(*geometry));
  const StreamType covered = circuit_.stream(windows);
  const int map = new_map(windows, windows_of(window, covered.channels, 1, covered.lanes));
  StreamType result = covered;
  result.channels = channels;
  step.is_covered = true;
  append_to(map, op, step, result);
  return {};
}

Status Planner::open_on_whole_map(const Op& op, MapStep step, StreamId stream, const Demand& out,
                                  int64_t channels) {
  const Window window = step.window();
  const StreamType in = circuit_.stream(stream);
  if (in.num_elements() > MostElementsInABeat)
    return error(messages::TooMuchPadding, place_of(op), window.pad_top + window.pad_bottom,
                 window.pad_left + window.pad_right, window.extent_h(), window.extent_w());
  const StreamId whole = relaned(op.name, stream, in.width, in.height);
  StreamType result = circuit_.stream(whole);
  result.height = result.rows = out.height;
  result.width = result.lanes = out.width;
  result.channels = channels;
  open_on_stream(op, step, whole, result);
  MR_TRY(const StreamId done, stream_of_part(value_of(op)));
  places_[static_cast<size_t>(value_of(op))] = {
      .stream = relaned(op.name, done, in.rows > 1 ? out.width : std::min(in.lanes, out.width),
                        std::min(in.rows, out.height))};
  return widen_output(op);
}

Status Planner::open_on_rows(const Op& op, MapStep step, StreamId stream, const Demand& out,
                             int64_t channels) {
  const Window window = step.window();
  const StreamType in = circuit_.stream(stream);
  const auto geometry = row_window_geometry(in, window, out.height, out.width);
  if (!geometry)
    return open_on_whole_map(op, step, stream, out, channels);
  StreamType covered = in;
  covered.height = out.height;
  covered.width = covered.lanes = out.width;
  covered.rows = geometry->out_rows;
  const StreamId windows = append_stage({.name = identifier(op.name),
                                         .layers = {},
                                         .kind = RowWindowStage{*geometry, padding_values(in, op)},
                                         .inputs = {stream},
                                         .buffers = {},
                                         .output = covered,
                                         .latency_cycles = 1},
                                        window.is_padded() ? delays_.lut_ps : 0);
  const int map = new_map(windows, windows_of(window, in.channels, geometry->out_rows, out.width));
  Source& source = maps_.back().sources[0];
  source.beat_columns = in.width;
  source.pad_left = window.pad_left;
  StreamType result = covered;
  result.channels = channels;
  step.is_covered = true;
  append_to(map, op, step, result);
  return {};
}

}  // namespace millrace::dataflow
