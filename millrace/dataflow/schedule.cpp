// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/schedule.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "millrace/dataflow/messages.h"
#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using Cycles = std::vector<int64_t>;  // of each beat, frame after frame

/// The contract of rtl/mr_window.sv: when its beats leave, given when the input's arrive.
Cycles window_times(const WindowGeometry& g, const Cycles& in) {
  const int64_t frame_beats = g.input.beats_per_frame();
  const auto frames = static_cast<int64_t>(in.size()) / frame_beats;
  Cycles out;
  for (int64_t frame = 0; frame < frames; ++frame) {
    const auto arrival = [&](int64_t row, int64_t beat) {
      return in[static_cast<size_t>(frame * frame_beats + row * g.beats + beat)];
    };
    const int64_t last_arrival = arrival(g.input.height - 1, g.beats - 1);
    // Steps of flush rows follow the frame's last beat, one a cycle.
    const auto step_cycle = [&](int64_t row, int64_t beat) {
      return row < g.input.height ? arrival(row, beat)
                                  : last_arrival + 1 + (row - g.input.height) * g.beats + beat;
    };
    for (int64_t row = 0; row < g.out_height; ++row) {
      const int64_t in_row = g.completion_time(row);
      for (int64_t beat = 0; beat < g.out_beats; ++beat) {
        const int64_t step = g.lookahead + beat * g.beat_steps;
        const int64_t cycle = step < g.beats
                                  ? step_cycle(in_row, step)
                                  : step_cycle(in_row, g.beats - 1) + (step - g.beats + 1);
        out.push_back(cycle + 1);
      }
    }
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

nlohmann::ordered_json to_json(const StreamType& stream) {
  return {{"height", stream.height},
          {"width", stream.width},
          {"channels", stream.channels},
          {"lanes", stream.lanes},
          {"type", stream.element.to_string()}};
}

nlohmann::ordered_json sizes_of(const Datapath& path) {
  int64_t adders = 0;
  int64_t three_input_adders = 0;
  int64_t adder_bits = 0;
  for (const Node& node : path.nodes()) {
    const bool adds_three = std::holds_alternative<Add3Node>(node.kind);
    if (!adds_three && !std::holds_alternative<AddNode>(node.kind))
      continue;
    ++adders;
    three_input_adders += adds_three ? 1 : 0;
    adder_bits += node.type().width;
  }
  return {
      {"adders", adders}, {"three_input_adders", three_input_adders}, {"adder_bits", adder_bits}};
}

nlohmann::ordered_json sizes_of(const StageKind& kind) {
  return std::visit(graph::Overloaded{[](const WindowStage& s) {
                                        const WindowGeometry& g = s.geometry;
                                        return nlohmann::ordered_json{
                                            {"kernel", {g.window.kernel_h, g.window.kernel_w}},
                                            {"stride", {g.window.stride_h, g.window.stride_w}},
                                            {"history", g.history},
                                            {"tail_steps", g.tail_steps},
                                            {"flush_rows", g.flush_rows}};
                                      },
                                      [](const MapStage& s) { return sizes_of(s.datapath); },
                                      [](const AccumulateStage& s) {
                                        return nlohmann::ordered_json{
                                            {"beats", s.beats},
                                            {"phases", s.phases},
                                            {"digit_rows", count_digit_rows(s)},
                                            {"weight_bits_a_step", s.lines.size()}};
                                      }},
                    kind);
}

}  // namespace

Schedule schedule(const Circuit& circuit) {
  // Two frames: the second sees the first before it, which is all that a stage remembers.
  constexpr int64_t Frames = 2;
  const int64_t interval = circuit.input.beats_per_frame();
  Cycles cycles;
  for (int64_t i = 0; i < Frames * interval; ++i)
    cycles.push_back(i);

  Schedule result{.latency_cycles = 0, .interval_cycles = interval, .stages = {}};
  StreamType stream = circuit.input;
  for (const Stage& stage : circuit.stages) {
    const Cycles in = std::move(cycles);
    if (const auto* window = std::get_if<WindowStage>(&stage.kind))
      cycles = window_times(window->geometry, in);
    else if (std::holds_alternative<MapStage>(stage.kind))
      cycles = later(in, stage.latency_cycles);
    else
      cycles = later(last_of_frames(in, stream.beats_per_frame()), stage.latency_cycles);
    check(std::adjacent_find(cycles.begin(), cycles.end(), std::greater_equal<>()) == cycles.end(),
          "two beats leave a stage in the same cycle");

    const size_t in_beats = in.size() / Frames;
    const size_t out_beats = cycles.size() / Frames;
    for (size_t i = 0; i < out_beats; ++i)
      check(cycles[i + out_beats] == cycles[i] + interval, "frames differ in their schedule");
    result.stages.push_back({.name = stage.name,
                             .kind = std::string(kind_name(stage.kind)),
                             .first_in = in.front(),
                             .last_in = in[in_beats - 1],
                             .first_out = cycles.front(),
                             .last_out = cycles[out_beats - 1],
                             .beats_out = static_cast<int64_t>(out_beats)});
    stream = stage.output;
  }
  result.latency_cycles = cycles[cycles.size() / Frames - 1];
  return result;
}

nlohmann::ordered_json to_json(const Circuit& circuit, const Schedule& schedule) {
  nlohmann::ordered_json stages = nlohmann::ordered_json::array();
  for (size_t i = 0; i < circuit.stages.size(); ++i) {
    const Stage& stage = circuit.stages[i];
    const StageTimes& times = schedule.stages[i];
    stages.push_back({{"name", stage.name},
                      {"kind", times.kind},
                      {"layers", stage.layers},
                      {"output", to_json(stage.output)},
                      {"latency_cycles", stage.latency_cycles},
                      {"first_in", times.first_in},
                      {"last_in", times.last_in},
                      {"first_out", times.first_out},
                      {"last_out", times.last_out},
                      {"beats_out", times.beats_out},
                      {"sizes", sizes_of(stage.kind)}});
  }
  return {{"name", circuit.name},
          {"lanes", circuit.input.lanes},
          {"clock_ns", circuit.clock_ns},
          {"latency_cycles", schedule.latency_cycles},
          {"interval_cycles", schedule.interval_cycles},
          {"latency_ns", static_cast<double>(schedule.latency_cycles) * circuit.clock_ns},
          {"input", to_json(circuit.input)},
          {"output", to_json(circuit.output)},
          {"stages", std::move(stages)}};
}

Result<StreamType> stream_from_json(const nlohmann::ordered_json& json) {
  StreamType stream;
  const std::pair<const char*, int64_t*> fields[] = {{"height", &stream.height},
                                                     {"width", &stream.width},
                                                     {"channels", &stream.channels},
                                                     {"lanes", &stream.lanes}};
  for (const auto& [name, value] : fields) {
    if (!json.is_object() || !json.contains(name) || !json[name].is_number_integer() ||
        json[name].get<int64_t>() < 1 || json[name].get<int64_t>() > (int64_t{1} << 20))
      return error(messages::PlanInvalid, "plan.json", name);
    *value = json[name].get<int64_t>();
  }
  if (!json.contains("type") || !json["type"].is_string())
    return error(messages::PlanInvalid, "plan.json", "type");
  MR_TRY(stream.element, parse_fixed_type(json["type"].get<std::string>(), "plan.json"));
  return stream;
}

}  // namespace millrace::dataflow
