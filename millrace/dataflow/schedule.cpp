// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/schedule.h"

#include <algorithm>
#include <functional>

#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

/// The contract of rtl/mr_window.sv.
Cycles window_times(const WindowGeometry& g, const Cycles& in) {
  const int64_t frame_beats = g.input.beats_per_frame();
  const auto frames = static_cast<int64_t>(in.size()) / frame_beats;
  Cycles out;
  for (int64_t frame = 0; frame < frames; ++frame) {
    const auto arrival = [&](int64_t row, int64_t beat) {
      return in[static_cast<size_t>(frame * frame_beats + row * g.beats + beat)];
    };
    const int64_t last_arrival = arrival(g.input.height - 1, g.beats - 1);
    // Steps of flush rows follow the frame's last beat at the window's pace.
    const auto step_cycle = [&](int64_t row, int64_t beat) {
      return row < g.input.height
                 ? arrival(row, beat)
                 : last_arrival + (1 + (row - g.input.height) * g.beats + beat) * g.pace;
    };
    for (int64_t row = 0; row < g.out_height; ++row) {
      const int64_t in_row = g.completion_time(row);
      for (int64_t beat = 0; beat < g.out_beats; ++beat) {
        const int64_t step = g.lookahead + beat * g.beat_steps;
        const int64_t cycle = step < g.beats
                                  ? step_cycle(in_row, step)
                                  : step_cycle(in_row, g.beats - 1) + (step - g.beats + 1) * g.pace;
        out.push_back(cycle + 1);
      }
    }
  }
  return out;
}

/// The contract of rtl/mr_row_window.sv.
Cycles row_window_times(const RowWindowGeometry& g, const Cycles& in) {
  const auto frames = static_cast<int64_t>(in.size()) / g.groups;
  Cycles out;
  for (int64_t frame = 0; frame < frames; ++frame)
    for (int64_t group = 0; group < g.out_groups; ++group) {
      const int64_t step = g.first_group + group * g.step_groups;
      const int64_t last = std::min(step, g.groups - 1);
      out.push_back(in[static_cast<size_t>(frame * g.groups + last)] + (step - last) + 1);
    }
  return out;
}

/// The contract of rtl/mr_collect.sv with rtl/mr_issue.sv.
Cycles relayout_times(const RelayoutStage& stage, const Cycles& in) {
  Cycles out;
  for (size_t last = static_cast<size_t>(stage.in_beats) - 1; last < in.size();
       last += static_cast<size_t>(stage.in_beats))
    for (int64_t beat = 0; beat < stage.out_beats; ++beat)
      out.push_back(out.empty() ? in[last] + 1 : std::max(in[last] + 1, out.back() + stage.pace));
  return out;
}

/// The contract of rtl/mr_join_buffer.sv on every side: when a beat is taken from all of them.
Cycles join_times(const std::vector<JoinBuffer>& buffers,
                  const std::vector<const Cycles*>& inputs) {
  Cycles out(inputs.front()->size(), 0);
  for (size_t side = 0; side < inputs.size(); ++side) {
    check(inputs[side]->size() == out.size(), "the sides of a join have different beats");
    const int64_t wait = buffers[side].bypass ? 0 : 1;
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = std::max(out[i], (*inputs[side])[i] + wait);
  }
  return out;
}

Cycles later(Cycles cycles, int latency) {
  for (int64_t& cycle : cycles)
    cycle += latency;
  return cycles;
}

/// Every `beats`-th entry: the last beat of each frame.
Cycles last_of_frames(const Cycles& in, int64_t beats) {
  Cycles out;
  for (size_t i = static_cast<size_t>(beats) - 1; i < in.size(); i += static_cast<size_t>(beats))
    out.push_back(in[i]);
  return out;
}

/// How the first beats of frames and the beats within a frame follow one another.
struct Arrival {
  int64_t frames = 1;
  int64_t frame_cycles = 0;  ///< from frame to frame
  int64_t beat_cycles = 1;   ///< from beat to beat
  int late_input = -1;       ///< this input's frames begin when all others have ended
};

/// The cycles of all streams.
std::vector<Cycles> all_times(const Circuit& circuit, const Arrival& arrival) {
  std::vector<Cycles> times;
  int64_t longest = 0;
  for (const Port& port : circuit.inputs)
    longest = std::max(longest, port.type.beats_per_frame());
  for (size_t i = 0; i < circuit.inputs.size(); ++i) {
    const int64_t wait =
        static_cast<int>(i) == arrival.late_input ? longest * arrival.beat_cycles : 0;
    Cycles cycles;
    for (int64_t frame = 0; frame < arrival.frames; ++frame)
      for (int64_t beat = 0; beat < circuit.inputs[i].type.beats_per_frame(); ++beat)
        cycles.push_back(frame * arrival.frame_cycles + wait + beat * arrival.beat_cycles);
    times.push_back(std::move(cycles));
  }
  for (const Stage& stage : circuit.stages) {
    std::vector<const Cycles*> inputs;
    for (const StreamId id : stage.inputs)
      inputs.push_back(&times[static_cast<size_t>(id)]);
    times.push_back(stage_times(stage, inputs));
  }
  return times;
}

/// The same for as many frames as are on their way at a time, and one more: the buffers of a short
/// frame fill until its first beat has left.
std::vector<Cycles> settled_times(const Circuit& circuit, Arrival arrival) {
  arrival.frames = 1;
  int64_t last = 0;
  for (const Cycles& cycles : all_times(circuit, arrival))
    last = std::max(last, cycles.back());
  arrival.frames = last / arrival.frame_cycles + 2;
  return all_times(circuit, arrival);
}

/// True when every frame does what the first one does, an interval later.
bool is_periodic(const std::vector<Cycles>& times, int64_t frames, int64_t interval) {
  for (const Cycles& cycles : times) {
    const size_t beats = cycles.size() / static_cast<size_t>(frames);
    for (size_t i = beats; i < cycles.size(); ++i)
      if (cycles[i] != cycles[i - beats] + interval)
        return false;
    if (std::adjacent_find(cycles.begin(), cycles.end(), std::greater_equal<>()) != cycles.end())
      return false;
  }
  return true;
}

/// The most beats that wait at a time: each from the cycle after its arrival until it is taken.
int64_t peak_occupancy(const Cycles& in, const Cycles& taken, int64_t hold) {
  int64_t peak = 0;
  size_t gone = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    while (gone < i && taken[gone] + hold <= in[i])
      ++gone;
    if (taken[i] + hold > in[i])
      peak = std::max(peak, static_cast<int64_t>(i - gone) + 1);
  }
  return peak;
}

/// Raises the depths of a stage's buffers to what these times need.
void raise_depths(Stage& stage, const std::vector<Cycles>& times, const Cycles& out) {
  if (auto* relayout = std::get_if<RelayoutStage>(&stage.kind)) {
    const Cycles& in = times[static_cast<size_t>(stage.inputs[0])];
    const Cycles whole = last_of_frames(in, relayout->in_beats);
    const Cycles last = last_of_frames(out, relayout->out_beats);
    // A place is free again in the last cycle of its last beat.
    relayout->depth = std::max(relayout->depth, peak_occupancy(whole, last, relayout->pace - 1));
  }
  if (stage.inputs.size() < 2)
    return;
  for (size_t side = 0; side < stage.inputs.size(); ++side) {
    const Cycles& in = times[static_cast<size_t>(stage.inputs[side])];
    Cycles taken = out;
    for (int64_t& cycle : taken)
      cycle -= stage.latency_cycles;
    stage.buffers[side].depth = std::max(stage.buffers[side].depth, peak_occupancy(in, taken, 0));
  }
}

/// A side whose beats are always early needs no way around its buffer.
void choose_bypasses(Circuit& circuit) {
  // One stage after the other: what a join adds moves all that follows.
  for (Stage& stage : circuit.stages) {
    if (stage.inputs.size() < 2)
      continue;
    const std::vector<Cycles> times = all_times(circuit, {});
    const auto cycles = [&](size_t side) -> const Cycles& {
      return times[static_cast<size_t>(stage.inputs[side])];
    };
    for (size_t side = 0; side < stage.inputs.size(); ++side) {
      bool early = true;
      for (size_t i = 0; early && i < cycles(side).size(); ++i) {
        int64_t others = 0;
        for (size_t other = 0; other < stage.inputs.size(); ++other)
          if (other != side)
            others = std::max(others, cycles(other)[i]);
        early = cycles(side)[i] < others;
      }
      stage.buffers[side].bypass = !early;
    }
  }
}

/// Cycles in which a stage is busy with one frame.
int64_t busy_cycles(const Stage& stage, const StreamType& in) {
  if (const auto* relayout = std::get_if<RelayoutStage>(&stage.kind))
    return relayout->groups * relayout->out_beats * relayout->pace;
  if (const auto* accumulate = std::get_if<AccumulateStage>(&stage.kind))
    return in.beats_per_frame() * accumulate->phases;
  return stage.output.beats_per_frame();
}

/// Frames that a schedule looks at: what a stage remembers of a frame is gone after the next one.
constexpr int64_t Frames = 3;

/// Tries of longer and longer intervals before the planner is at fault.
constexpr int MaxTries = 64;

}  // namespace

Cycles stage_times(const Stage& stage, const std::vector<const Cycles*>& inputs) {
  const Cycles& in = *inputs.front();
  return std::visit(
      graph::Overloaded{[&](const WindowStage& s) { return window_times(s.geometry, in); },
                        [&](const RowWindowStage& s) { return row_window_times(s.geometry, in); },
                        [&](const RelayoutStage& s) { return relayout_times(s, in); },
                        [&](const MapStage&) {
                          return later(inputs.size() > 1 ? join_times(stage.buffers, inputs) : in,
                                       stage.latency_cycles);
                        },
                        [&](const AccumulateStage& s) {
                          return later(last_of_frames(in, s.beats), stage.latency_cycles);
                        }},
      stage.kind);
}

int64_t least_gap(const Stage& stage, std::span<const int64_t> input_gaps) {
  const int64_t in = *std::min_element(input_gaps.begin(), input_gaps.end());
  return std::visit(
      graph::Overloaded{
          [&](const WindowStage& s) {
            const WindowGeometry& g = s.geometry;
            // Steps, which come `step` cycles apart or more: within a row, and from row to row.
            const int64_t step = g.tail_steps > 0 || g.flush_rows > 0 ? std::min(in, g.pace) : in;
            const int64_t to_next_row = g.row_gap * g.beats - (g.out_beats - 1) * g.beat_steps;
            return step * (g.out_beats > 1 ? std::min(g.beat_steps, to_next_row) : to_next_row);
          },
          [&](const RowWindowStage&) { return in; },
          [&](const RelayoutStage& s) {
            return s.out_beats == 1 ? std::max(s.pace, in * s.in_beats) : s.pace;
          },
          [&](const MapStage&) { return in; },
          [&](const AccumulateStage& s) { return in * s.beats; }},
      stage.kind);
}

void size_buffers(Circuit& circuit) {
  choose_bypasses(circuit);
  int64_t interval = 1;
  for (const Port& port : circuit.inputs)
    interval = std::max(interval, port.type.beats_per_frame());
  for (const Stage& stage : circuit.stages)
    interval = std::max(interval, busy_cycles(stage, circuit.stream(stage.inputs[0])));
  for (int tries = 0;; ++tries) {
    const auto times = all_times(circuit, {.frames = Frames, .frame_cycles = interval});
    if (is_periodic(times, Frames, interval))
      break;
    check(tries < MaxTries, "no interval keeps the frames apart");
    interval += std::max<int64_t>(1, interval / 16);
  }
  circuit.interval_cycles = interval;

  // A beat a million cycles after the one before: all has come to rest in between.
  constexpr int64_t Rest = 1'000'000;
  int64_t beats = 1;
  for (const Port& port : circuit.inputs)
    beats = std::max(beats, port.type.beats_per_frame());
  std::vector<std::vector<Cycles>> patterns = {
      settled_times(circuit, {.frame_cycles = interval}),
      settled_times(circuit, {.frame_cycles = beats * Rest, .beat_cycles = Rest})};
  if (circuit.inputs.size() > 1)
    for (int late = 0; late < static_cast<int>(circuit.inputs.size()); ++late)
      for (const int64_t pace : {int64_t{1}, Rest})
        patterns.push_back(settled_times(circuit, {.frame_cycles = 2 * beats * pace + interval,
                                                   .beat_cycles = pace,
                                                   .late_input = late}));
  for (const std::vector<Cycles>& pattern : patterns)
    for (size_t i = 0; i < circuit.stages.size(); ++i)
      raise_depths(circuit.stages[i], pattern, pattern[static_cast<size_t>(circuit.stream_of(i))]);
  for (Stage& stage : circuit.stages)
    for (JoinBuffer& buffer : stage.buffers)
      buffer.bypass = buffer.bypass || buffer.depth == 0;
}

Schedule schedule(const Circuit& circuit) {
  const int64_t interval = circuit.interval_cycles;
  const std::vector<Cycles> times =
      all_times(circuit, {.frames = Frames, .frame_cycles = interval});
  check(is_periodic(times, Frames, interval), "frames differ in their schedule");

  Schedule result{.latency_cycles = 0, .interval_cycles = interval, .stages = {}};
  for (size_t i = 0; i < circuit.stages.size(); ++i) {
    const Stage& stage = circuit.stages[i];
    const Cycles& in = times[static_cast<size_t>(stage.inputs[0])];
    const Cycles& out = times[static_cast<size_t>(circuit.stream_of(i))];
    const size_t in_beats = in.size() / Frames;
    const size_t out_beats = out.size() / Frames;
    int64_t first_in = in.front();
    int64_t last_in = in[in_beats - 1];
    for (const StreamId id : stage.inputs) {
      first_in = std::min(first_in, times[static_cast<size_t>(id)].front());
      last_in = std::max(last_in, times[static_cast<size_t>(id)][in_beats - 1]);
    }
    const int64_t busy = busy_cycles(stage, circuit.stream(stage.inputs[0]));
    result.stages.push_back(
        {.name = stage.name,
         .kind = std::string(kind_name(stage.kind)),
         .first_in = first_in,
         .last_in = last_in,
         .first_out = out.front(),
         .last_out = out[out_beats - 1],
         .beats_out = static_cast<int64_t>(out_beats),
         .utilisation = static_cast<double>(busy) / static_cast<double>(interval)});
  }
  for (const Port& port : circuit.outputs) {
    const Cycles& out = times[static_cast<size_t>(port.stream)];
    result.latency_cycles = std::max(result.latency_cycles, out[out.size() / Frames - 1]);
  }
  return result;
}

}  // namespace millrace::dataflow
