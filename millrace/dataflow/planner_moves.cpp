// SPDX-License-Identifier: Apache-2.0
// Moves: within a beat they are wires, over several beats a stage gathers and issues them anew.
// Transposed convolutions end in a move. Operations on several streams join them.
#include <algorithm>
#include <cmath>

#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/planner.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {

using graph::Op;
using graph::ValueId;

namespace {

/// A tensor's shape as height, width and channels.
Shape map_shape(const Shape& shape) {
  return shape.size() == 3   ? shape
         : shape.size() == 2 ? Shape{1, shape[0], shape[1]}
                             : Shape{1, 1, shape[0]};
}

constexpr MapPlace Nowhere{-1, 0, 0};

}  // namespace

MapPlace Planner::move_source(const Op& op, const Shape& from, const MapPlace& place) {
  const auto& [row, column, channel] = place;
  if (const auto* pad = op.as<graph::Pad>()) {
    const MapPlace source{row - pad->top, column - pad->left, channel};
    const bool is_inside =
        source.row >= 0 && source.row < from[0] && source.column >= 0 && source.column < from[1];
    return is_inside ? source : Nowhere;
  }
  if (const auto* slice = op.as<graph::Slice>()) {
    if (slice->begin.size() == 1)
      return {row, column, channel + slice->begin[0]};
    return {row + slice->begin[0], column + slice->begin[1], channel + slice->begin[2]};
  }
  if (const auto* upsample = op.as<graph::Upsample>())
    return {row / upsample->factor_h, column / upsample->factor_w, channel};
  if (const auto* transpose = op.as<graph::Transpose>()) {
    const int64_t here[] = {row, column, channel};
    int64_t there[3] = {};
    for (size_t axis = 0; axis < 3; ++axis)
      there[static_cast<size_t>(transpose->permutation[axis])] = here[axis];
    return {there[0], there[1], there[2]};
  }
  check(op.as<graph::Reshape>() != nullptr, "a move that nobody knows");
  const Shape to = map_shape(op.type.shape);
  const int64_t index = (row * to[1] + column) * to[2] + channel;
  return {index / (from[1] * from[2]), index / from[2] % from[1], index % from[2]};
}

StreamId Planner::append_relayout(const std::string& name, StreamId stream, const StreamType& out,
                                  const std::function<MapPlace(const MapPlace&)>& source) {
  return append_relayout(name, stream, out, make_relayout(circuit_.stream(stream), out, source));
}

StreamId Planner::append_relayout(const std::string& name, StreamId stream, const StreamType& out,
                                  RelayoutStage relayout) {
  const int levels =
      static_cast<int>(std::ceil(std::log2(static_cast<double>(relayout.out_beats)) / 2));
  return append_stage({.name = identifier(name),
                       .layers = {},
                       .kind = std::move(relayout),
                       .inputs = {stream},
                       .buffers = {},
                       .output = out,
                       .latency_cycles = 1},
                      levels * delays_.lut_ps);
}

StreamId Planner::relaned(const std::string& name, StreamId stream, int64_t lanes, int64_t rows) {
  const StreamType in = circuit_.stream(stream);
  if (in.lanes == lanes && in.rows == rows)
    return stream;
  StreamType out = in;
  out.lanes = lanes;
  out.rows = rows;
  return append_relayout(name, stream, out, [](const MapPlace& place) { return place; });
}

StreamId Planner::gathered(const std::string& name, StreamId stream) {
  const StreamType in = circuit_.stream(stream);
  StreamType out{
      .height = 1, .width = 1, .channels = in.num_elements(), .element = in.element, .ranges = {}};
  for (int64_t i = 0; i < out.channels; ++i)
    out.ranges.push_back(in.range(i % in.channels));
  return append_relayout(name, stream, out, [&](const MapPlace& place) {
    const int64_t pixel = place.channel / in.channels;
    return MapPlace{pixel / in.width, pixel % in.width, place.channel % in.channels};
  });
}

Status Planner::add_move(const Op& op) {
  const ValueId operand = main_operand(op);
  const Shape from = map_shape(graph_.type(operand).shape);
  const Shape to = map_shape(op.type.shape);
  const StreamType shape = shape_of(operand);
  const bool is_vector = graph_.type(operand).shape.size() == 1;
  StreamType result{
      .height = to[0], .width = to[1], .channels = to[2], .element = {}, .ranges = {}};
  MapStep step{.op = &op, .sources = {}, .picks = {}};

  // Wires, where a beat holds all pixels that its result needs.
  const auto* slice = op.as<graph::Slice>();
  const bool keeps_pixels =
      slice && slice->begin.size() == 3 && to[0] == from[0] && to[1] == from[1];
  if (shape.beats_per_frame() == 1 || keeps_pixels) {
    if (keeps_pixels && shape.beats_per_frame() > 1) {
      result = shape;
      result.channels = to[2];
      for (int64_t pixel = 0; pixel < shape.pixels_per_beat(); ++pixel)
        for (int64_t channel = 0; channel < to[2]; ++channel)
          step.picks.push_back(pixel * from[2] + slice->begin[2] + channel);
      return extend(op, step, result);
    }
    result.lanes = to[1];
    result.rows = to[0];
    for (int64_t row = 0; row < to[0]; ++row)
      for (int64_t column = 0; column < to[1]; ++column)
        for (int64_t channel = 0; channel < to[2]; ++channel) {
          const MapPlace source = move_source(op, from, {row, column, channel});
          step.picks.push_back(source.row < 0 ? MapStep::Zero
                                              : (source.row * from[1] + source.column) * from[2] +
                                                    source.channel);
        }
    return extend(op, step, result);
  }
  check(!is_vector, "a vector is moved piece by piece");

  MR_TRY(const StreamId stream, stream_of(operand));
  const StreamType in = circuit_.stream(stream);
  result.element = in.element;
  result.lanes = std::min(in.lanes, result.width);
  if (in.rows > 1) {
    result.lanes = result.width;
    result.rows = std::min(in.rows, result.height);
  }
  for (int64_t channel = 0; channel < result.channels; ++channel) {
    ElementRange range;
    if (result.channels == in.channels && !op.as<graph::Transpose>() && !op.as<graph::Reshape>())
      range = in.range(channel);
    else
      for (int64_t c = 0; c < in.channels; ++c)
        range.include(in.range(c).lo, in.range(c).hi);
    result.ranges.push_back(range);
  }
  const StreamId moved = append_relayout(
      op.name, stream, result, [&](const MapPlace& place) { return move_source(op, from, place); });
  places_[static_cast<size_t>(value_of(op))] = {.stream = moved};
  return widen_output(op);
}

Status Planner::widen_output(const Op& op) {
  const ValueId value = value_of(op);
  const StreamId stream = places_[static_cast<size_t>(value)].stream;
  if (!graph_.is_output(value) || circuit_.stream(stream).ranges.empty())
    return {};
  // A map without steps but for its types.
  StreamType result = circuit_.stream(stream);
  result.ranges.clear();
  const int map =
      new_map(stream, {.lanes = result.lanes, .channels = result.channels, .rows = result.rows});
  maps_[static_cast<size_t>(map)].result = result;
  places_[static_cast<size_t>(value)] = {.stream = -1, .map = map};
  return {};
}

Status Planner::add_transposed(const Op& op) {
  const auto& conv = *op.as<graph::ConvTranspose2D>();
  const PhaseWindow phases = phase_window(op, conv);
  const Shape& to = op.type.shape;
  const int64_t channels = to[2] * conv.stride_h * conv.stride_w;
  const ValueId operand = main_operand(op);
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  if (phases.window == graph::Window{}) {
    StreamType result = shape_of(operand);
    result.channels = channels;
    MR_TRY_STATUS(extend(op, step, result));
  } else {
    MR_TRY_STATUS(add_windowed(op, {phases.height, phases.width}, channels));
  }
  MR_TRY(const StreamId stream, stream_of_part(value_of(op)));
  const StreamType in = circuit_.stream(stream);
  StreamType out{.height = to[0],
                 .width = to[1],
                 .channels = to[2],
                 .element = in.element,
                 .lanes = in.lanes == in.width ? to[1] : std::min(in.lanes * conv.stride_w, to[1]),
                 .rows = in.rows == in.height ? to[0]
                         : in.rows > 1        ? std::min(in.rows * conv.stride_h, to[0])
                                              : 1,
                 .ranges = {}};
  if (out.rows > 1)
    out.lanes = to[1];
  for (int64_t channel = 0; channel < to[2]; ++channel) {
    ElementRange range;
    for (int64_t c = channel; c < channels; c += to[2])
      range.include(in.range(c).lo, in.range(c).hi);
    out.ranges.push_back(range);
  }
  const StreamId moved = append_relayout(op.name, stream, out, [&](const MapPlace& place) {
    const int64_t row = place.row + phases.first_row;
    const int64_t column = place.column + phases.first_column;
    const int64_t phase = row % conv.stride_h * conv.stride_w + column % conv.stride_w;
    return MapPlace{row / conv.stride_h, column / conv.stride_w, phase * to[2] + place.channel};
  });
  places_[static_cast<size_t>(value_of(op))] = {.stream = moved};
  return widen_output(op);
}

Status Planner::add_on_whole_map(const Op& op) {
  const ValueId operand = main_operand(op);
  const StreamType shape = shape_of(operand);
  MR_TRY(const StreamId stream, stream_of(operand));
  const Place before = places_[static_cast<size_t>(operand)];
  places_[static_cast<size_t>(operand)] = {.stream =
                                               relaned(op.name, stream, shape.width, shape.height)};
  MR_TRY_STATUS(add(op));  // it is in a single beat now
  places_[static_cast<size_t>(operand)] = before;
  MR_TRY(const StreamId whole, stream_of_part(value_of(op)));
  places_[static_cast<size_t>(value_of(op))] = {
      .stream = relaned(op.name, whole, shape.lanes, shape.rows)};
  return widen_output(op);
}

Status Planner::add_joined(const Op& op) {
  // All streams in the beats of the narrowest one; what is one for all pixels is repeated.
  std::vector<ValueId> values;
  std::vector<StreamId> streams;
  for (const ValueId operand : op.operands) {
    if (graph_.op(operand).as<graph::Constant>())
      continue;
    MR_TRY(const StreamId stream, stream_of(operand));
    values.push_back(operand);
    streams.push_back(stream);
  }
  const Shape& first = graph_.type(values[0]).shape;
  const auto fits = [&](size_t i) {  // has a pixel for each of the first operand's
    const Shape& shape = graph_.type(values[i]).shape;
    return shape.size() == first.size() || first.size() == 1;
  };
  for (size_t i = 0; i < streams.size(); ++i)
    if (first.size() == 1 && circuit_.stream(streams[i]).beats_per_frame() > 1)
      streams[i] = gathered(op.name, streams[i]);
  int64_t lanes = circuit_.stream(streams[0]).lanes;
  int64_t rows = circuit_.stream(streams[0]).rows;
  for (size_t i = 1; i < streams.size(); ++i)
    if (fits(i)) {
      lanes = std::min(lanes, circuit_.stream(streams[i]).lanes);
      rows = std::min(rows, circuit_.stream(streams[i]).rows);
    }
  for (const ValueId operand : op.operands)
    if (const auto* constant = graph_.op(operand).as<graph::Constant>();
        constant && constant->type.shape.size() == 3 &&
        constant->type.shape[0] * constant->type.shape[1] > 1) {
      // A map of constants stands beside a whole map only.
      lanes = circuit_.stream(streams[0]).width;
      rows = circuit_.stream(streams[0]).height;
    }
  streams[0] = relaned(op.name, streams[0], lanes, rows);
  const StreamType base = circuit_.stream(streams[0]);
  for (size_t i = 1; i < streams.size(); ++i) {
    if (fits(i)) {
      streams[i] = relaned(op.name, streams[i], lanes, rows);
      continue;
    }
    // A vector for all pixels of a map.
    const StreamId vector = circuit_.stream(streams[i]).beats_per_frame() > 1
                                ? gathered(op.name, streams[i])
                                : streams[i];
    StreamType repeated = base;
    repeated.channels = circuit_.stream(vector).channels;
    repeated.element = circuit_.stream(vector).element;
    repeated.ranges.clear();
    for (int64_t channel = 0; channel < repeated.channels; ++channel)
      repeated.ranges.push_back(circuit_.stream(vector).range(channel));
    streams[i] = append_relayout(op.name, vector, repeated, [](const MapPlace& place) {
      return MapPlace{0, 0, place.channel};
    });
  }

  // One buffer for each stream, however often the operation reads it.
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  StreamType result = base;
  if (op.type.shape.size() == 3 || base.beats_per_frame() == 1)
    result.channels = op.type.shape.back();
  const int map =
      new_map(streams[0], {.lanes = base.lanes, .channels = base.channels, .rows = base.rows});
  const bool lists_all = op.as<graph::Concat>() != nullptr;
  size_t next = lists_all ? 0 : 1;
  for (size_t i = lists_all ? 0 : 1; i < op.operands.size(); ++i) {
    if (graph_.op(op.operands[i]).as<graph::Constant>()) {
      step.sources.push_back(-1);
      continue;
    }
    const StreamId stream = streams[next++];
    std::vector<Source>& sources = maps_[static_cast<size_t>(map)].sources;
    size_t place = 0;
    while (place < sources.size() && sources[place].stream != stream)
      ++place;
    if (place == sources.size()) {
      const StreamType& type = circuit_.stream(stream);
      const BeatWindows windows{.lanes = type.lanes, .channels = type.channels, .rows = type.rows};
      sources.push_back({.stream = stream,
                         .windows = windows,
                         .beat_columns = windows.span(),
                         .pad_left = 0,
                         .type = type.element});
    }
    step.sources.push_back(static_cast<int>(place));
  }
  append_to(map, op, step, result);
  return {};
}

}  // namespace millrace::dataflow
