// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_axis.h"

#include <algorithm>
#include <fmt/format.h>

#include "millrace/verilog/ports.h"

namespace millrace::verilog {
namespace {

/// "in", or "in_NAME".
std::string prefixed(const std::string& prefix, const AxisCore::Stream& stream) {
  return stream.name.empty() ? prefix : prefix + "_" + stream.name;
}

int64_t byte_bits(int64_t bits) {
  return (bits + 7) / 8 * 8;
}

/// "16 beats", or "x: 16 beats, y: 4 beats".
std::string describe_beats(const std::vector<AxisCore::Stream>& streams) {
  std::vector<std::string> parts;
  for (const AxisCore::Stream& stream : streams)
    parts.push_back(fmt::format("{}{}{} beats", stream.name, stream.name.empty() ? "" : ": ",
                                stream.type.beats_per_frame()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

class AxisEmitter {
public:
  explicit AxisEmitter(const AxisCore& core) : core_(core) {}

  Module run() {
    module_.comment = fmt::format(
        "{} behind AXI4-Stream ports: {} a frame in, {} out. tdata holds a beat in its "
        "low bits.\nA frame is admitted when there is room for its results; tlast marks the "
        "last result of a frame.",
        core_.module, describe_beats(core_.inputs), describe_beats(core_.outputs));
    module_.name = core_.module + "_axis";
    module_.ports = {{Direction::Input, "clk_i", 0}, {Direction::Input, "rst_i", 0}};
    instance_ = {
        .module = core_.module, .name = "u_core", .parameters = {}, .ports = clock_and_reset()};
    const auto num_inputs = static_cast<int64_t>(core_.inputs.size());
    const auto num_outputs = static_cast<int64_t>(core_.outputs.size());
    for (const char* signal : {"begins", "ends", "admitted"})
      add(Signal{signal, num_inputs});
    add(Signal{"has_room", num_outputs});
    add(Signal{"frame_begins"});
    add(Comment{""});
    add(Instance{.module = "mr_axis_gate",
                 .name = "u_gate",
                 .parameters = {{"Inputs", number(num_inputs)},
                                {"Outputs", number(num_outputs)},
                                {"Pause", number(pause_cycles())}},
                 .ports = {{"clk_i", nullptr},
                           {"rst_i", nullptr},
                           {"begin_i", name("begins")},
                           {"end_i", name("ends")},
                           {"admit_o", name("admitted")},
                           {"has_room_i", name("has_room")},
                           {"begin_o", name("frame_begins")}}});
    for (int64_t i = 0; i < num_inputs; ++i)
      emit_input(core_.inputs[static_cast<size_t>(i)], i);
    for (int64_t i = 0; i < num_outputs; ++i)
      emit_output(core_.outputs[static_cast<size_t>(i)], i);
    add(Comment{""});
    add(std::move(instance_));
    return std::move(module_);
  }

private:
  template <class Kind>
  void add(Kind item) {
    module_.items.push_back({std::move(item)});
  }

  /// What the interval leaves behind the longest frame.
  int64_t pause_cycles() const {
    int64_t longest = 0;
    for (const AxisCore::Stream& stream : core_.inputs)
      longest = std::max(longest, stream.type.beats_per_frame());
    return std::max<int64_t>(0, core_.interval_cycles - longest);
  }

  /// Declares the signals between the core's port and an adapter, and connects the core.
  void connect_core(const std::string& port, const char* suffix, int64_t bits) {
    add(Comment{""});
    add(Signal{"core_" + port + "_valid"});
    add(Signal{"core_" + port + "_data", bits});
    for (const char* part : {"_valid", "_data"})
      instance_.ports.emplace_back(port + part + suffix, name("core_" + port + part));
  }

  /// Adds a port of the wrapper, and its connection to an adapter's port of that part.
  void add_port(Instance& adapter, Direction direction, const std::string& bus,
                const std::string& side, const std::string& part, int64_t bits) {
    module_.ports.push_back({direction, bus + part, bits});
    adapter.ports.emplace_back(side + part, name(bus + part));
  }

  void emit_input(const AxisCore::Stream& stream, int64_t index) {
    const std::string port = prefixed("in", stream);
    const std::string bus = prefixed("s_axis", stream);
    const int64_t bits = stream.type.beat_bits();
    connect_core(port, "_i", bits);
    Instance adapter{
        .module = "mr_axis_in",
        .name = "u_" + port,
        .parameters = {{"Bits", number(bits)}, {"Beats", number(stream.type.beats_per_frame())}},
        .ports = clock_and_reset()};
    add_port(adapter, Direction::Input, bus, "s_axis", "_tvalid", 0);
    add_port(adapter, Direction::Output, bus, "s_axis", "_tready", 0);
    add_port(adapter, Direction::Input, bus, "s_axis", "_tdata", byte_bits(bits));
    adapter.ports.insert(adapter.ports.end(), {{"admit_i", bit(name("admitted"), index)},
                                               {"begin_o", bit(name("begins"), index)},
                                               {"end_o", bit(name("ends"), index)},
                                               {"core_valid_o", name("core_" + port + "_valid")},
                                               {"core_data_o", name("core_" + port + "_data")}});
    add(std::move(adapter));
  }

  void emit_output(const AxisCore::Stream& stream, int64_t index) {
    const std::string port = prefixed("out", stream);
    const std::string bus = prefixed("m_axis", stream);
    const int64_t bits = stream.type.beat_bits();
    connect_core(port, "_o", bits);
    Instance adapter{
        .module = "mr_axis_out",
        .name = "u_" + port,
        .parameters = {{"Bits", number(bits)},
                       {"Beats", number(stream.type.beats_per_frame())},
                       {"Frames", number(core_.latency_cycles / core_.interval_cycles + 2)}},
        .ports = clock_and_reset()};
    adapter.ports.insert(adapter.ports.end(), {{"begin_i", name("frame_begins")},
                                               {"has_room_o", bit(name("has_room"), index)},
                                               {"core_valid_i", name("core_" + port + "_valid")},
                                               {"core_data_i", name("core_" + port + "_data")}});
    add_port(adapter, Direction::Output, bus, "m_axis", "_tvalid", 0);
    add_port(adapter, Direction::Input, bus, "m_axis", "_tready", 0);
    add_port(adapter, Direction::Output, bus, "m_axis", "_tdata", byte_bits(bits));
    add_port(adapter, Direction::Output, bus, "m_axis", "_tlast", 0);
    add(std::move(adapter));
  }

  const AxisCore& core_;
  Module module_;
  Instance instance_;  // of the core
};

}  // namespace

AxisCore axis_core(const dataflow::Circuit& circuit, const dataflow::Schedule& schedule) {
  const auto streams = [](const std::vector<dataflow::Port>& ports) {
    std::vector<AxisCore::Stream> result;
    for (const dataflow::Port& port : ports)
      result.push_back({ports.size() == 1 ? "" : port.name, port.type});
    return result;
  };
  return {.module = circuit.name,
          .inputs = streams(circuit.inputs),
          .outputs = streams(circuit.outputs),
          .latency_cycles = schedule.latency_cycles,
          .interval_cycles = schedule.interval_cycles};
}

Module emit_axis(const AxisCore& core) {
  return AxisEmitter(core).run();
}

}  // namespace millrace::verilog
