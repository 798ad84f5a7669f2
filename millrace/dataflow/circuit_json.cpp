// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/circuit_json.h"

#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/messages.h"
#include "millrace/graph/op.h"

namespace millrace::dataflow {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const StreamType& stream) {
  return {{"height", stream.height},
          {"width", stream.width},
          {"channels", stream.channels},
          {"lanes", stream.lanes},
          {"rows", stream.rows},
          {"beat_bits", stream.beat_bits()},
          {"type", stream.element.to_string()}};
}

Json to_json(const Port& port) {
  Json json = {{"name", port.name}};
  json.update(to_json(port.type));
  return json;
}

Json to_json(const AreaEstimate& area) {
  return {{"lut", area.lut}, {"ff", area.ff}, {"dsp", area.dsp}, {"bram18", area.bram18}};
}

Json sizes_of(const Datapath& path) {
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

Json sizes_of(const StageKind& kind) {
  return std::visit(
      graph::Overloaded{[](const WindowStage& s) {
                          const WindowGeometry& g = s.geometry;
                          return Json{{"kernel", {g.window.kernel_h, g.window.kernel_w}},
                                      {"stride", {g.window.stride_h, g.window.stride_w}},
                                      {"history", g.history},
                                      {"tail_steps", g.tail_steps},
                                      {"flush_rows", g.flush_rows},
                                      {"block_ram", s.block_ram}};
                        },
                        [](const RowWindowStage& s) {
                          const RowWindowGeometry& g = s.geometry;
                          return Json{{"kernel", {g.window.kernel_h, g.window.kernel_w}},
                                      {"stride", {g.window.stride_h, g.window.stride_w}},
                                      {"rows_at_hand", g.span_groups * g.input.rows}};
                        },
                        [](const RelayoutStage& s) {
                          return Json{{"groups", s.groups},
                                      {"beats_in", s.in_beats},
                                      {"beats_out", s.out_beats},
                                      {"pace", s.pace},
                                      {"depth", s.depth}};
                        },
                        [](const MapStage& s) { return sizes_of(s.datapath); },
                        [](const AccumulateStage& s) {
                          return Json{{"beats", s.beats},
                                      {"phases", s.phases},
                                      {"digit_rows", count_digit_rows(s)},
                                      {"dsp_blocks", count_blocks(s.chains)},
                                      {"weight_bits_a_step", count_weight_lines(s)}};
                        }},
      kind);
}

}  // namespace

Json to_json(const Circuit& circuit, const Schedule& schedule) {
  Json inputs = Json::array();
  for (const Port& port : circuit.inputs)
    inputs.push_back(to_json(port));
  Json outputs = Json::array();
  for (const Port& port : circuit.outputs)
    outputs.push_back(to_json(port));
  Json stages = Json::array();
  AreaEstimate total;
  for (size_t i = 0; i < circuit.stages.size(); ++i) {
    const Stage& stage = circuit.stages[i];
    const StageTimes& times = schedule.stages[i];
    const AreaEstimate area = estimate_area(circuit, stage);
    total += area;
    Json sources = Json::array();
    for (const StreamId id : stage.inputs) {
      const auto index = static_cast<size_t>(id);
      const bool is_input = index < circuit.inputs.size();
      sources.push_back(is_input ? circuit.inputs[index].name
                                 : circuit.stages[index - circuit.inputs.size()].name + "." +
                                       schedule.stages[index - circuit.inputs.size()].kind);
    }
    Json json = {{"name", stage.name},
                 {"kind", times.kind},
                 {"layers", stage.layers},
                 {"inputs", std::move(sources)},
                 {"output", to_json(stage.output)},
                 {"latency_cycles", stage.latency_cycles},
                 {"first_in", times.first_in},
                 {"last_in", times.last_in},
                 {"first_out", times.first_out},
                 {"last_out", times.last_out},
                 {"beats_out", times.beats_out},
                 {"utilisation", times.utilisation},
                 {"sizes", sizes_of(stage.kind)},
                 {"estimated", to_json(area)}};
    if (!stage.buffers.empty()) {
      Json depths = Json::array();
      for (const JoinBuffer& buffer : stage.buffers)
        depths.push_back(buffer.depth);
      json["buffer_depths"] = std::move(depths);
    }
    stages.push_back(std::move(json));
  }
  return {{"name", circuit.name},
          {"lanes", circuit.inputs.front().type.lanes},
          {"rows", circuit.inputs.front().type.rows},
          {"clock_ns", circuit.clock_ns},
          {"latency_cycles", schedule.latency_cycles},
          {"interval_cycles", schedule.interval_cycles},
          {"latency_ns", static_cast<double>(schedule.latency_cycles) * circuit.clock_ns},
          {"estimated", to_json(total)},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"stages", std::move(stages)}};
}

Result<StreamType> stream_from_json(const Json& json) {
  StreamType stream;
  const std::pair<const char*, int64_t*> fields[] = {{"height", &stream.height},
                                                     {"width", &stream.width},
                                                     {"channels", &stream.channels},
                                                     {"lanes", &stream.lanes},
                                                     {"rows", &stream.rows}};
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
