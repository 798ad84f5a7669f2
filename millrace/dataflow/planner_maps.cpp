// SPDX-License-Identifier: Apache-2.0
// Maps: what gathers between two memories becomes one pipelined datapath.
#include <algorithm>

#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/planner.h"
#include "millrace/dataflow/spare_depth.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {

using graph::Op;
using graph::ValueId;

namespace {

/// A stage is called after its first layer with weights or windows.
const Op& naming_op(std::span<const MapStep> steps) {
  const auto named = std::find_if(steps.begin(), steps.end(), [](const MapStep& step) {
    return is_linear(*step.op) || step.op->as<graph::MaxPool>();
  });
  return named == steps.end() ? *steps.front().op : *named->op;
}

/// The elements of a beat as inputs of a datapath; those that are always 0 as constants.
BeatVector beat_inputs(Datapath& path, const StreamType& stream, const BeatWindows& windows,
                       int64_t num_pixels) {
  BeatVector x{.windows = windows, .elements = {}, .type = stream.element};
  for (int64_t pixel = 0; pixel < num_pixels; ++pixel)
    for (int64_t channel = 0; channel < stream.channels; ++channel) {
      const ElementRange range = stream.range(channel);
      x.elements.push_back(range.width() == 0 ? path.constant(0) : path.input(range.lo, range.hi));
    }
  return x;
}

/// The ranges of each channel over all pixels of a beat. A stream has a bit at least.
std::vector<ElementRange> channel_ranges(const Datapath& path, const BeatVector& x) {
  std::vector<ElementRange> ranges(static_cast<size_t>(x.windows.channels));
  for (size_t i = 0; i < x.elements.size(); ++i) {
    const Node& node = path.node(x.elements[i]);
    ranges[i % ranges.size()].include(node.lo, node.hi);
  }
  const bool is_empty = std::all_of(ranges.begin(), ranges.end(),
                                    [](const ElementRange& range) { return range.width() == 0; });
  if (is_empty)
    ranges.front().hi = 1;
  return ranges;
}

}  // namespace

double Planner::memory_deadline_ps() const {
  return circuit_.clock_ns * 1000 - delays_.register_ps - 2 * delays_.lut_ps;
}

Result<StreamId> Planner::stream_of(ValueId value) {
  Place& place = places_[static_cast<size_t>(value)];
  if (place.stream < 0) {
    MR_TRY(place.stream,
           close(maps_[static_cast<size_t>(place.map)], value, graph_.is_output(value)));
    place.map = -1;
  }
  return place.stream;
}

Result<StreamId> Planner::stream_of_part(ValueId value) {
  if (places_[static_cast<size_t>(value)].map < 0)
    return places_[static_cast<size_t>(value)].stream;
  return close(maps_[static_cast<size_t>(places_[static_cast<size_t>(value)].map)], value,
               /*is_output=*/false);
}

Result<StreamId> Planner::close(OpenMap& map, ValueId value, bool is_output) {
  share_rounding(map.steps);
  std::vector<std::string> layers;
  for (const MapStep& step : map.steps)
    // Flattened streams keep their order; parts of one operation follow one another.
    if (!step.op->as<graph::Flatten>() && (layers.empty() || layers.back() != step.op->name))
      layers.push_back(step.op->name);
  const StreamType& first = circuit_.stream(map.sources[0].stream);
  StreamType result = map.result;
  const bool is_whole = first.ranges.empty() || !is_output;
  if (layers.empty() && is_whole && first.channels == result.channels)
    return map.sources[0].stream;

  double input_ready_ps = 0;
  for (const Source& source : map.sources)
    input_ready_ps = std::max(input_ready_ps, ready_ps_[static_cast<size_t>(source.stream)]);
  const PipelineTarget target{.delays = delays_,
                              .clock_ns = circuit_.clock_ns,
                              .input_ready_ps = input_ready_ps,
                              .output_deadline_ps = is_output ? 0 : memory_deadline_ps()};
  const std::vector<int> spare =
      spare_depths(graph_, map.steps, map.sources[0].windows, map.sources[0].type, target);
  Datapath path;
  std::vector<BeatVector> sources;
  for (const Source& source : map.sources) {
    const StreamType& stream = circuit_.stream(source.stream);
    const int64_t rows = source.windows.region_h();
    if (source.beat_columns == source.windows.span() && source.pad_left == 0) {
      sources.push_back(beat_inputs(path, stream, source.windows, rows * source.windows.span()));
      continue;
    }
    const BeatWindows beat{.lanes = source.beat_columns, .channels = stream.channels, .rows = rows};
    sources.push_back(beat_inputs(path, stream, beat, rows * source.beat_columns));
    const std::vector<NodeId> padding = padding_of(path, sources.back(), *map.steps.front().op);
    sources.back() = covered_columns(sources.back(), source.windows, source.pad_left, padding);
  }

  BeatVector x = sources.front();
  for (size_t i = 0; i < map.steps.size(); ++i) {
    const MapStep& step = map.steps[i];
    if (step.window() != graph::Window{} && !step.is_covered)
      x = covered_region(x, step, padding_of(path, x, *step.op));
    if (is_linear(*step.op)) {
      MR_TRY_STATUS(append_linear_step(path, x, step, spare[i]));
    } else {
      append_step(path, x, step, graph_, sources);
    }
  }

  if (!is_output)
    result.ranges = channel_ranges(path, x);
  for (size_t i = 0; i < x.elements.size(); ++i) {
    const auto channel = static_cast<int64_t>(i) % result.channels;
    const FixedType type = is_output ? result.element : result.range(channel).type();
    if (type.width > 0)
      path.outputs.push_back({x.elements[i], type});
  }
  if (uses_three_input_adders(map.steps))
    path = fuse_adders(path, target);
  const Op& name = map.steps.empty() ? graph_.op(value) : naming_op(map.steps);
  MR_TRY_STATUS(path.pipeline(target.delays, target.clock_ns, target.input_ready_ps,
                              target.output_deadline_ps, "layer '" + name.name + "'"));
  const double ready_ps = path.output_ready_ps();
  const int latency_cycles = path.latency_cycles();
  Stage stage{.name = identifier(name.name),
              .layers = std::move(layers),
              .kind = MapStage{std::move(path)},
              .inputs = {},
              .buffers = {},
              .output = std::move(result),
              .latency_cycles = latency_cycles};
  for (const Source& source : map.sources)
    stage.inputs.push_back(source.stream);
  if (stage.inputs.size() > 1)
    stage.buffers.resize(stage.inputs.size());
  return append_stage(std::move(stage), ready_ps);
}

Status Planner::append_linear_step(Datapath& path, BeatVector& x, const MapStep& step,
                                   int spare_depth) {
  const Op& op = *step.op;
  LinearMap map = linear_map(graph_, op);
  for (Int128& bias : map.bias)
    bias += step.offset;
  if (op.as<graph::Dense>())  // all pixels of the only beat are one vector, in the beat's order
    x.windows = {.lanes = 1, .channels = std::ssize(x.elements)};
  const auto name_the_operation = [&](Diagnostic diagnostic) {
    diagnostic.where = place_of(op);
    return diagnostic;
  };
  MR_TRY(
      x.elements,
      append_linear(path, x, map, search_options(op, spare_depth)).map_error(name_the_operation));
  x.windows = {.lanes = step.out_lanes, .channels = map.rows, .rows = step.out_rows};
  x.type = op.type.fixed();
  ++num_searched_;
  return {};
}

adders::SearchOptions Planner::search_options(const Op& op, int spare_depth) {
  const auto progress = [this, step = "adders of " + op.name](std::string_view, double fraction) {
    return report_progress(options_.progress, step,
                           (num_searched_ + fraction) / static_cast<double>(num_searches_));
  };
  adders::SearchOptions search;
  search.extra_depth = spare_depth;
  search.effort = layer_option(op, &LayerOptions::effort, "effort").value_or(options_.effort);
  search.progress = progress;
  return search;
}

int64_t Planner::interval() const {
  int64_t interval = 1;
  for (const Port& port : circuit_.inputs)
    interval = std::max(interval, port.type.beats_per_frame());
  return interval;
}

}  // namespace millrace::dataflow
