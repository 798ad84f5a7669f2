// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/utilisation.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "millrace/dataflow/layer_datapath.h"
#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {
namespace {

bool multiplies(const graph::Graph& graph, const Stage& stage) {
  return std::any_of(graph.ops().begin(), graph.ops().end(), [&](const graph::Op& op) {
    return is_linear(op) &&
           std::find(stage.layers.begin(), stage.layers.end(), op.name) != stage.layers.end();
  });
}

/// The cycles of all streams, one frame.
std::vector<Cycles> times_of_frame(const Circuit& circuit) {
  std::vector<Cycles> times;
  for (const Port& port : circuit.inputs) {
    Cycles& cycles = times.emplace_back();
    for (int64_t beat = 0; beat < port.type.beats_per_frame(); ++beat)
      cycles.push_back(beat);
  }
  for (const Stage& stage : circuit.stages) {
    std::vector<const Cycles*> inputs;
    for (const StreamId id : stage.inputs)
      inputs.push_back(&times[static_cast<size_t>(id)]);
    times.push_back(stage_times(stage, inputs));
  }
  return times;
}

/// The fewest cycles from every `step`-th beat to the next, from frame to frame too.
int64_t closest(const Cycles& cycles, int64_t step, int64_t interval) {
  int64_t least = interval + cycles.front() - cycles[cycles.size() - static_cast<size_t>(step)];
  for (auto i = static_cast<size_t>(step); i < cycles.size(); i += static_cast<size_t>(step))
    least = std::min(least, cycles[i] - cycles[i - static_cast<size_t>(step)]);
  return least;
}

std::string limit_of(const AccumulateStage& stage, const Cycles& in, int64_t interval) {
  const int64_t gap = closest(in, 1, interval);
  const auto beats = std::ssize(in);
  if (stage.phases < gap)
    return fmt::format(
        "its {} beats come {} cycles apart or more and are worked on for {} each; more phases "
        "would take fewer multipliers and make the latency longer",
        beats, gap, stage.phases);
  return fmt::format(
      "each of its {} beats is worked on for {} cycles, which is how close they may come; evenly "
      "spread over the {} cycles from frame to frame they would leave more",
      beats, stage.phases, interval);
}

std::string limit_of(const StreamType& out, const Cycles& cycles, int64_t interval) {
  const auto beats = std::ssize(cycles);
  if (beats == 1)
    return fmt::format(
        "its only beat of a frame is multiplied in one cycle: one adder graph for all of its "
        "weights has no part to use again in the other {} cycles",
        interval - 1);
  const std::string share = fmt::format("its {} beats come in {} cycles", beats, interval);
  if (out.rows > 1)
    return fmt::format("{}, {} rows each, and are worked on as they come", share, out.rows);
  if (out.lanes == 1)
    return fmt::format("{}, one pixel each, and one adder graph takes one pixel a cycle", share);
  const int64_t row_beats = out.beats_per_row();
  const int64_t fewer = out.lanes - 1;
  const int64_t more_beats = ceil_divide(out.width, fewer);
  const int64_t pace = closest(cycles, row_beats, interval);
  if (more_beats > pace)
    return fmt::format(
        "{}; with fewer than {} pixels a beat its rows would take {} beats, and rows come as close "
        "as every {} cycles",
        share, out.lanes, more_beats, pace);
  return fmt::format(
      "{}; rows of {} beats come every {} cycles or more, and beats of {} pixels are worked on as "
      "they come",
      share, row_beats, pace, out.lanes);
}

}  // namespace

std::optional<std::string> limit_of_utilisation(const graph::Graph& graph, const Circuit& circuit,
                                                const Schedule& schedule, size_t stage) {
  const Stage& described = circuit.stages[stage];
  if (schedule.stages[stage].utilisation >= WellUsed || !multiplies(graph, described))
    return std::nullopt;
  const std::vector<Cycles> times = times_of_frame(circuit);
  const int64_t interval = schedule.interval_cycles;
  if (const auto* accumulate = std::get_if<AccumulateStage>(&described.kind))
    return limit_of(*accumulate, times[static_cast<size_t>(described.inputs.front())], interval);
  return limit_of(described.output, times[static_cast<size_t>(circuit.stream_of(stage))], interval);
}

}  // namespace millrace::dataflow
