// SPDX-License-Identifier: Apache-2.0
// The walk over the graph: which operations gather in one map, and where streams begin.
#include "millrace/dataflow/planner.h"

#include <algorithm>

#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/messages.h"
#include "millrace/fixed/quantizer_text.h"
#include "millrace/graph/accumulator.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {

using graph::Op;
using graph::ValueId;

std::string place_of(const Op& op) {
  return op.where.empty() ? "operation '" + op.name + "'" : op.where;
}

std::vector<Demand> demand(const graph::Graph& graph) {
  std::vector<Demand> needed(graph.ops().size());
  const auto whole = [&](ValueId value) {
    const Shape& shape = graph.type(value).shape;
    return shape.size() == 3 ? Demand{shape[0], shape[1]} : Demand{};
  };
  const auto raise = [&](ValueId value, const Demand& by) {
    Demand& d = needed[static_cast<size_t>(value)];
    d = {std::max(d.height, by.height), std::max(d.width, by.width)};
  };
  for (const ValueId output : graph.outputs())
    raise(output, whole(output));
  for (size_t i = graph.ops().size(); i-- > 0;) {
    const Op& op = graph.ops()[i];
    for (const ValueId operand : op.operands) {
      const Shape& shape = graph.type(operand).shape;
      if (shape.size() != 3)
        continue;
      const MapStep step{.op = &op, .sources = {}, .picks = {}};
      const graph::Window window = step.window();
      const Demand& own = needed[i];
      const bool keeps_place =
          op.type.shape.size() == 3 && !is_move(op) && !op.as<graph::ConvTranspose2D>();
      if (!keeps_place || op.operands.size() > 1 + (is_linear(op) ? 2 : 0))
        raise(operand, whole(operand));
      else
        raise(operand, {std::clamp<int64_t>(
                            (own.height - 1) * window.stride_h + window.extent_h() - window.pad_top,
                            1, shape[0]),
                        std::clamp<int64_t>(
                            (own.width - 1) * window.stride_w + window.extent_w() - window.pad_left,
                            1, shape[1])});
    }
  }
  return needed;
}

namespace {

/// The operation's name, with a number where another port has it already.
std::string port_name(const std::vector<Port>& ports, const Op& op) {
  std::string name = identifier(op.name);
  const auto is_taken = [&](const Port& port) { return port.name == name; };
  for (int suffix = 2; std::any_of(ports.begin(), ports.end(), is_taken); ++suffix)
    name = identifier(op.name) + "_" + std::to_string(suffix);
  return name;
}

}  // namespace

Planner::Planner(const graph::Graph& graph, const PlanOptions& options, DelayModel delays)
    : graph_(graph),
      options_(options),
      delays_(std::move(delays)),
      users_(graph.users()),
      demand_(demand(graph)),
      places_(graph.ops().size()) {
  circuit_.name = module_identifier(graph.name());
  circuit_.clock_ns = options.clock_ns;
}

Result<Circuit> Planner::run() {
  for (const Op& op : graph_.ops()) {
    if (!op.type.is_fixed())
      return error(messages::NotExact, place_of(op), op.name);
    if (const auto accumulator = graph::accumulator_of(op))
      return error(messages::Accumulator, place_of(op), op.name, to_string(*accumulator));
    num_searches_ += is_linear(op) ? 1 : 0;
  }
  MR_TRY_STATUS(add_inputs());
  for (const Op& op : graph_.ops())
    if (!op.as<graph::Input>() && !op.as<graph::Constant>()) {
      MR_TRY_STATUS(add(op));
      MR_TRY_STATUS(check_limit());
    }
  for (const ValueId output : graph_.outputs()) {
    MR_TRY(const StreamId stream, stream_of(output));
    circuit_.outputs.push_back({.name = port_name(circuit_.outputs, graph_.op(output)),
                                .stream = stream,
                                .type = circuit_.stream(stream)});
  }
  size_buffers(circuit_);
  MR_TRY_STATUS(check_layer_options());
  MR_TRY_STATUS(check_fits(circuit_, options_.limit, "--part"));
  return std::move(circuit_);
}

Status Planner::add_inputs() {
  for (const ValueId value : graph_.inputs()) {
    const Op& op = graph_.op(value);
    const Shape& shape = op.type.shape;
    StreamType stream{.height = 1,
                      .width = 1,
                      .channels = shape.back(),
                      .element = op.type.fixed(),
                      .ranges = {}};
    if (shape.size() == 3) {
      stream.height = shape[0];
      stream.width = shape[1];
    }
    if (options_.lanes < 1 || options_.lanes > stream.width)
      return error(messages::LanesOutOfRange, "--lanes", options_.lanes, stream.width);
    if (options_.rows < 1 || options_.rows > stream.height ||
        (options_.rows > 1 && options_.lanes != stream.width))
      return error(messages::RowsOutOfRange, "--lanes", options_.rows, options_.lanes,
                   stream.height, stream.width);
    stream.lanes = options_.lanes;
    stream.rows = options_.rows;
    const auto id = static_cast<StreamId>(circuit_.inputs.size());
    circuit_.inputs.push_back(
        {.name = port_name(circuit_.inputs, op), .stream = id, .type = stream});
    places_[static_cast<size_t>(value)] = {.stream = id};
    ready_ps_.push_back(0);
    gaps_.push_back(1);
    Cycles cycles;
    for (int64_t beat = 0; beat < stream.beats_per_frame(); ++beat)
      cycles.push_back(beat);
    times_.push_back(std::move(cycles));
  }
  return {};
}

bool Planner::is_used_once(ValueId value) const {
  return users_[static_cast<size_t>(value)].size() == 1 && !graph_.is_output(value);
}

Planner::OpenMap* Planner::open_map(ValueId value) {
  const Place& place = places_[static_cast<size_t>(value)];
  return place.map >= 0 && is_used_once(value) ? &maps_[static_cast<size_t>(place.map)] : nullptr;
}

StreamType Planner::shape_of(ValueId value) const {
  const Place& place = places_[static_cast<size_t>(value)];
  return place.map >= 0 ? maps_[static_cast<size_t>(place.map)].result
                        : circuit_.stream(place.stream);
}

int Planner::new_map(StreamId stream, const BeatWindows& windows) {
  const StreamType& type = circuit_.stream(stream);
  maps_.push_back({.sources = {{.stream = stream,
                                .windows = windows,
                                .beat_columns = windows.span(),
                                .pad_left = 0,
                                .type = type.element}},
                   .steps = {},
                   .result = type});
  return static_cast<int>(maps_.size()) - 1;
}

Status Planner::extend(const Op& op, MapStep step, const StreamType& result) {
  const ValueId operand = main_operand(op);
  if (open_map(operand) != nullptr) {
    append_to(places_[static_cast<size_t>(operand)].map, op, std::move(step), result);
    return {};
  }
  MR_TRY(const StreamId stream, stream_of(operand));
  open_on_stream(op, std::move(step), stream, result);
  return {};
}

void Planner::open_on_stream(const Op& op, MapStep step, StreamId stream,
                             const StreamType& result) {
  const StreamType& type = circuit_.stream(stream);
  const int map =
      new_map(stream, {.lanes = type.lanes, .channels = type.channels, .rows = type.rows});
  append_to(map, op, std::move(step), result);
}

void Planner::append_to(int map, const Op& op, MapStep step, const StreamType& result) {
  OpenMap& open = maps_[static_cast<size_t>(map)];
  const MapStep::Part step_part = step.part;
  step.op = &op;
  step.is_rounded = rounded_.contains(&op);
  step.is_subsumed = subsumed_.contains(&op);
  step.out_rows = result.rows;
  step.out_lanes = result.lanes;
  open.steps.push_back(std::move(step));
  open.result = result;
  if (step_part != MapStep::Part::Ones)
    open.result.element = op.type.fixed();
  open.result.ranges.clear();
  places_[static_cast<size_t>(value_of(op))] = {.stream = -1, .map = map};
}

StreamId Planner::append_stage(Stage stage, double ready_ps) {
  std::vector<const Cycles*> inputs;
  std::vector<int64_t> gaps;
  for (const StreamId id : stage.inputs) {
    inputs.push_back(&times_[static_cast<size_t>(id)]);
    gaps.push_back(gap(id));
  }
  // Two stages of one kind may come from one operation.
  std::string name = stage.name;
  for (int suffix = 2;; ++suffix) {
    const auto has_module = [](const Stage& any) {
      return std::holds_alternative<MapStage>(any.kind) ||
             std::holds_alternative<AccumulateStage>(any.kind);
    };
    const auto same = [&](const Stage& other) {
      return other.name == name &&
             (has_module(other) ? has_module(stage)
                                : kind_name(other.kind) == kind_name(stage.kind));
    };
    if (std::none_of(circuit_.stages.begin(), circuit_.stages.end(), same))
      break;
    name = stage.name + "_" + std::to_string(suffix);
  }
  stage.name = name;
  check(
      !std::holds_alternative<MapStage>(stage.kind) ||
          stage.output.beats_per_frame() == circuit_.stream(stage.inputs.front()).beats_per_frame(),
      "a map gives another number of beats than it takes");
  times_.push_back(stage_times(stage, inputs));
  gaps_.push_back(least_gap(stage, gaps));
  ready_ps_.push_back(ready_ps);
  circuit_.stages.push_back(std::move(stage));
  areas_.push_back(estimate_area(circuit_, circuit_.stages.back()));
  return circuit_.stream_of(circuit_.stages.size() - 1);
}

std::optional<std::string> Planner::unsupported(const Op& op) const {
  const auto is_constant = [&](size_t operand) {
    return graph_.op(op.operands[operand]).as<graph::Constant>() != nullptr;
  };
  bool all_constant = !op.operands.empty();
  for (size_t i = 0; i < op.operands.size(); ++i)
    all_constant = all_constant && is_constant(i);
  if (all_constant)
    return "whose operands are all constants";
  if (is_constant(0) && !op.as<graph::Concat>() &&
      (op.operands.size() != 2 || op.as<graph::Prelu>() ||
       graph_.type(op.operands[0]).shape != graph_.type(op.operands[1]).shape))
    return "whose first operand is a constant";
  if (is_linear(op) && !has_constant_weights(graph_, op))
    return "whose weights are not constants";
  return std::nullopt;
}

bool Planner::needs_whole_map(const Op& op) const {
  if (is_linear(op) || op.operands.empty() || graph_.type(main_operand(op)).shape.size() != 3 ||
      shape_of(main_operand(op)).beats_per_frame() == 1)
    return false;
  if (const auto* rq = op.as<graph::Requantize>())
    return std::ssize(rq->types) > op.type.shape.back();
  return std::any_of(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
    const Shape& shape = graph_.type(operand).shape;
    return graph_.op(operand).as<graph::Constant>() && shape.size() == 3 && shape[0] * shape[1] > 1;
  });
}

bool Planner::needs_whole_vector(const Op& op) const {
  const ValueId operand = main_operand(op);
  if (graph_.type(operand).shape.size() != 1 || shape_of(operand).beats_per_frame() == 1)
    return false;
  if (const auto* rq = op.as<graph::Requantize>())
    return !rq->types.empty();
  return !(op.as<graph::Dense>() || op.as<graph::Flatten>() || op.as<graph::Relu>() ||
           op.as<graph::Table>() || op.operands.size() == 1) ||
         op.as<graph::Reduce>() || op.as<graph::TopK>() || is_move(op);
}

graph::ValueId Planner::main_operand(const Op& op) const {
  for (const ValueId operand : op.operands)
    if (graph_.op(operand).as<graph::Constant>() == nullptr)
      return operand;
  return op.operands[0];
}

Status Planner::add(const Op& op) {
  if (const auto what = unsupported(op))
    return error(messages::UnsupportedOperation, place_of(op), op.name, op.mnemonic(), *what);
  if (needs_whole_vector(op)) {
    MR_TRY(const StreamId stream, stream_of(main_operand(op)));
    places_[static_cast<size_t>(main_operand(op))] = {.stream = gathered(op.name, stream)};
  }
  if (op.as<graph::ConvTranspose2D>())
    return add_transposed(op);
  if (needs_whole_map(op))
    return add_on_whole_map(op);
  const StreamType shape = shape_of(main_operand(op));
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  step.is_swapped = main_operand(op) != op.operands[0] && !op.as<graph::Concat>();
  if (step.window() != graph::Window{})
    return add_windowed(op, demand_[static_cast<size_t>(value_of(op))], op.type.shape.back());

  StreamType result = shape;
  const StreamType vector{
      .height = 1, .width = 1, .channels = op.type.shape[0], .element = {}, .ranges = {}};
  const auto* reshape = op.as<graph::Reshape>();
  if (op.as<graph::Flatten>() || (reshape && op.type.shape.size() == 1))
    return extend(op, step, shape.beats_per_frame() == 1 ? vector : shape);
  if (is_move(op))
    return add_move(op);
  const auto streams = std::count_if(op.operands.begin(), op.operands.end(), [&](ValueId operand) {
    return graph_.op(operand).as<graph::Constant>() == nullptr;
  });
  if (streams > 1 || op.as<graph::Concat>())
    return add_joined(op);
  if (op.as<graph::Dense>() && shape.beats_per_frame() > 1) {
    MR_TRY(const StreamId stream, stream_of(main_operand(op)));
    return add_dense_over_map(op, stream);
  }
  if (op.as<graph::Dense>())
    result = vector;
  if (op.type.shape.size() == 3 || shape.beats_per_frame() == 1)
    result.channels = op.type.shape.back();
  MR_TRY(const bool is_folded, fold_beats(op, result));
  if (is_folded)
    return {};
  return extend(op, step, result);
}

}  // namespace millrace::dataflow
