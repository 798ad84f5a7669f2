// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_axis.h"

#include <fmt/format.h>

#include "millrace/verilog/ports.h"

namespace millrace::verilog {

Module emit_axis(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule) {
  const auto bytes = [](int64_t bits) { return (bits + 7) / 8 * 8; };
  const int64_t in_bits = circuit.inputs[0].type.beat_bits();
  const int64_t out_bits = circuit.outputs[0].type.beat_bits();
  const int64_t frames = schedule.latency_cycles / schedule.interval_cycles + 2;
  Module m{
      .comment = fmt::format(
          "{} behind AXI4-Stream ports: {} beats a frame in, {} out. tdata holds a beat in its "
          "low bits.\nA frame is admitted when there is room for its results; tlast marks the "
          "last result of a frame.",
          circuit.name, circuit.inputs[0].type.beats_per_frame(), circuit.outputs[0].type.beats_per_frame()),
      .name = circuit.name + "_axis",
      .ports = {{Direction::Input, "clk_i", 0},
                {Direction::Input, "rst_i", 0},
                {Direction::Input, "s_axis_tvalid", 0},
                {Direction::Output, "s_axis_tready", 0},
                {Direction::Input, "s_axis_tdata", bytes(in_bits)},
                {Direction::Output, "m_axis_tvalid", 0},
                {Direction::Input, "m_axis_tready", 0},
                {Direction::Output, "m_axis_tdata", bytes(out_bits)},
                {Direction::Output, "m_axis_tlast", 0}},
      .items = {}};
  const auto add = [&m](auto item) { m.items.push_back({std::move(item)}); };
  add(Signal{"core_in_valid"});
  add(Signal{"core_in_data", in_bits});
  add(Signal{"core_out_valid"});
  add(Signal{"core_out_data", out_bits});
  add(Comment{""});
  Instance axis{.module = "mr_axis",
                .name = "u_axis",
                .parameters = {{"InBits", number(in_bits)},
                               {"OutBits", number(out_bits)},
                               {"InBeats", number(circuit.inputs[0].type.beats_per_frame())},
                               {"OutBeats", number(circuit.outputs[0].type.beats_per_frame())},
                               {"Frames", number(frames)}},
                .ports = clock_and_reset()};
  for (size_t i = 2; i < m.ports.size(); ++i)
    axis.ports.emplace_back(m.ports[i].name, nullptr);
  axis.ports.insert(axis.ports.end(), {{"core_in_valid_o", name("core_in_valid")},
                                       {"core_in_data_o", name("core_in_data")},
                                       {"core_out_valid_i", name("core_out_valid")},
                                       {"core_out_data_i", name("core_out_data")}});
  add(std::move(axis));
  Instance core{
      .module = circuit.name, .name = "u_core", .parameters = {}, .ports = clock_and_reset()};
  core.ports.insert(core.ports.end(), {{"in_valid_i", name("core_in_valid")},
                                       {"in_data_i", name("core_in_data")},
                                       {"out_valid_o", name("core_out_valid")},
                                       {"out_data_o", name("core_out_data")}});
  add(std::move(core));
  return m;
}

}  // namespace millrace::verilog
