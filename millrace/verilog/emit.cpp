// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit.h"

#include <algorithm>
#include <fmt/format.h>

#include "millrace/graph/op.h"
#include "millrace/verilog/emit_accumulate.h"
#include "millrace/verilog/emit_axis.h"
#include "millrace/verilog/emit_datapath.h"
#include "millrace/verilog/ports.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {
namespace {

using dataflow::AccumulateStage;
using dataflow::Circuit;
using dataflow::MapStage;
using dataflow::Schedule;
using dataflow::Stage;
using dataflow::StreamType;
using dataflow::WindowGeometry;
using dataflow::WindowStage;
using graph::Overloaded;

std::string describe(const StreamType& stream) {
  return fmt::format("{}x{}x{} {}, {} {} a beat", stream.height, stream.width, stream.channels,
                     stream.element.to_string(), stream.lanes,
                     stream.lanes == 1 ? "pixel" : "pixels");
}

std::string describe_layers(const Stage& stage) {
  return fmt::format("{}", fmt::join(stage.layers, ", "));
}

Expr flag(bool value) {
  return expr(Literal{1, value, false});
}

/// The instance of rtl/mr_window.sv for a window stage.
Instance window_instance(const std::string& instance_name, const WindowStage& stage) {
  const WindowGeometry& g = stage.geometry;
  const int64_t channels = g.input.channels;
  const auto element_bits = g.input.element.width;
  const bool pad_rows = g.window.pad_top > 0 || g.flush_rows > 0;
  const bool pad_columns = g.window.pad_left > 0 || g.window.pad_right > 0;
  Instance instance{.module = "mr_window",
                    .name = instance_name,
                    .parameters = {{"Height", number(g.input.height)},
                                   {"Width", number(g.input.width)},
                                   {"Lanes", number(g.input.lanes)},
                                   {"PixelBits", number(channels * element_bits)},
                                   {"KernelH", number(g.window.kernel_h)},
                                   {"KernelW", number(g.window.kernel_w)},
                                   {"StrideH", number(g.window.stride_h)},
                                   {"StrideW", number(g.window.stride_w)},
                                   {"PadTop", number(g.window.pad_top)},
                                   {"PadLeft", number(g.window.pad_left)},
                                   {"PadRows", flag(pad_rows)},
                                   {"PadColumns", flag(pad_columns)},
                                   {"OutHeight", number(g.out_height)},
                                   {"OutLanes", number(g.out_lanes)},
                                   {"OutBeats", number(g.out_beats)},
                                   {"Lookahead", number(g.lookahead)},
                                   {"BeatSteps", number(g.beat_steps)},
                                   {"TailSteps", number(g.tail_steps)},
                                   {"FlushRows", number(g.flush_rows)},
                                   {"History", number(g.history)},
                                   {"SeparateTail", flag(g.separate_tail)}},
                    .ports = clock_and_reset()};
  if (stage.pad_raw != 0)
    instance.parameters.emplace_back(
        "PadPixel", expr(Repeat{channels, expr(Literal{element_bits, stage.pad_raw, false})}));
  return instance;
}

/// Builds the top module stage by stage.
class TopEmitter {
public:
  TopEmitter(const Circuit& circuit, const Schedule& schedule)
      : circuit_(circuit), schedule_(schedule) {}

  std::vector<Module> run() {
    top_.name = circuit_.name;
    top_.comment = fmt::format(
        "{}: {} -> {}\n\n"
        "  in_data_i   lane l, channel c in bits [(l * {} + c) * {} +: {}]; lanes behind the "
        "row's\n"
        "              end carry anything\n"
        "  out_data_o  channel c in bits [c * {} +: {}]\n\n"
        "Latency {} cycles from the first beat of a frame to its last result, when beats arrive\n"
        "back to back; each frame takes {} beats. Gaps are allowed anywhere, there is no\n"
        "back-pressure.",
        circuit_.name, describe(circuit_.input), describe(circuit_.output), circuit_.input.channels,
        circuit_.input.element.width, circuit_.input.element.width, circuit_.output.element.width,
        circuit_.output.element.width, schedule_.latency_cycles, circuit_.input.beats_per_frame());
    top_.ports = valid_ports(circuit_.input.beat_bits(), circuit_.output.beat_bits());

    stream_ = circuit_.input;
    bits_ = stream_.beat_bits();
    for (size_t i = 0; i < circuit_.stages.size(); ++i)
      emit_stage(circuit_.stages[i], schedule_.stages[i]);
    add(Comment{""});
    add(Assign{name("out_valid_o"), valid_});
    add(Assign{name("out_data_o"), data_});
    if (!uses_clock_) {
      add(Signal{"unused"});
      add(Assign{name("unused"), binary("^", name("clk_i"), name("rst_i"))});
    }
    modules_.insert(modules_.begin(), std::move(top_));
    return std::move(modules_);
  }

private:
  template <class Kind>
  void add(Kind item) {
    top_.items.push_back({std::move(item)});
  }

  /// Declares the valid and data signals that leave a stage.
  void declare_output(const std::string& signal, int64_t bits) {
    add(Signal{signal + "_valid"});
    add(Signal{signal + "_data", bits});
  }

  void advance(const std::string& signal, int64_t bits) {
    valid_ = name(signal + "_valid");
    data_ = name(signal + "_data");
    bits_ = bits;
  }

  void emit_stage(const Stage& stage, const dataflow::StageTimes& times) {
    const std::string title = stage.layers.empty()
                                  ? stage.name
                                  : fmt::format("{} ({})", stage.name, describe_layers(stage));
    add(Comment{""});
    add(Comment{fmt::format("{}, {}: {}; beats leave in cycles {} to {}", title, times.kind,
                            describe(stage.output), times.first_out, times.last_out)});
    std::visit(
        Overloaded{[&](const WindowStage& window) { emit_window(stage, window); },
                   [&](const MapStage& map) { emit_map(stage, map); },
                   [&](const AccumulateStage& accumulate) { emit_accumulator(stage, accumulate); }},
        stage.kind);
    uses_clock_ = uses_clock_ || stage.latency_cycles > 0;
    window_ = std::get_if<WindowStage>(&stage.kind);
    stream_ = stage.output;
  }

  void emit_window(const Stage& stage, const WindowStage& window) {
    const std::string signal = stage.name + "_window";
    const WindowGeometry& g = window.geometry;
    const int64_t bits = g.window.kernel_h * g.span * g.input.channels * g.input.element.width;
    declare_output(signal, bits);
    Instance instance = window_instance("u_" + signal, window);
    instance.ports.insert(instance.ports.end(), {{"in_valid_i", valid_},
                                                 {"in_data_i", data_},
                                                 {"out_valid_o", name(signal + "_valid")},
                                                 {"out_data_o", name(signal + "_data")}});
    add(std::move(instance));
    advance(signal, bits);
  }

  /// What a map reads, for its module's head.
  std::string describe_input() const {
    if (window_ == nullptr)
      return fmt::format("{} pixels of {} channels, {}", stream_.lanes, stream_.channels,
                         stream_.element.to_string());
    const WindowGeometry& g = window_->geometry;
    return fmt::format(
        "{} rows of {} pixels of {} channels, {}; lane l of {} reads the\n"
        "              {} pixels from pixel {} * l on, of every row",
        g.window.kernel_h, g.span, g.input.channels, g.input.element.to_string(), g.out_lanes,
        g.window.kernel_w, g.window.stride_w);
  }

  void emit_map(const Stage& stage, const MapStage& map) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    modules_.push_back(emit_datapath(
        map.datapath, module_name,
        fmt::format("Layers {}, for one beat.\n\n  in_data_i   {}\n  out_data_o  {} pixels of {} "
                    "channels, {}\n\nLatency {} cycles. Throughput 1 beat/cycle.",
                    describe_layers(stage), describe_input(), stage.output.lanes,
                    stage.output.channels, stage.output.element.to_string(),
                    stage.latency_cycles)));

    const std::string signal = stage.name;
    const int64_t bits = stage.output.beat_bits();
    declare_output(signal, bits);
    Instance instance{.module = module_name, .name = "u_" + signal, .parameters = {}, .ports = {}};
    if (has_registers(map.datapath))
      instance.ports.emplace_back("clk_i", nullptr);
    instance.ports.emplace_back("in_data_i", data_);
    instance.ports.emplace_back("out_data_o", name(signal + "_data"));
    add(std::move(instance));
    if (stage.latency_cycles == 0) {
      add(Assign{name(signal + "_valid"), valid_});
    } else {
      Instance delay{.module = "mr_delay",
                     .name = "u_" + signal + "_valid",
                     .parameters = {{"Cycles", number(stage.latency_cycles)}},
                     .ports = clock_and_reset()};
      delay.ports.emplace_back("in_i", valid_);
      delay.ports.emplace_back("out_o", name(signal + "_valid"));
      add(std::move(delay));
    }
    advance(signal, bits);
  }

  void emit_accumulator(const Stage& stage, const AccumulateStage& accumulate) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    for (Module& m : emit_accumulate(module_name, stage, accumulate))
      modules_.push_back(std::move(m));
    const std::string signal = stage.name;
    const int64_t bits = stage.output.beat_bits();
    declare_output(signal, bits);
    Instance instance{
        .module = module_name, .name = "u_" + signal, .parameters = {}, .ports = clock_and_reset()};
    instance.ports.insert(instance.ports.end(), {{"in_valid_i", valid_},
                                                 {"in_data_i", data_},
                                                 {"out_valid_o", name(signal + "_valid")},
                                                 {"out_data_o", name(signal + "_data")}});
    add(std::move(instance));
    advance(signal, bits);
  }

  const Circuit& circuit_;
  const Schedule& schedule_;
  Module top_;
  std::vector<Module> modules_;

  // What leaves the last stage emitted.
  Expr valid_ = name("in_valid_i");
  Expr data_ = name("in_data_i");
  int64_t bits_ = 0;
  StreamType stream_;
  const WindowStage* window_ = nullptr;  // when that stage is a window
  bool uses_clock_ = false;
};

}  // namespace

std::vector<SourceFile> emit(const Circuit& circuit, const Schedule& schedule) {
  std::vector<Module> modules = TopEmitter(circuit, schedule).run();
  modules.push_back(emit_axis(circuit, schedule));
  std::vector<SourceFile> files;
  files.reserve(modules.size());
  for (const Module& module : modules)
    files.push_back({module.name + ".sv", print(module)});
  return files;
}

const std::vector<std::string>& library_files() {
  static const std::vector<std::string> names = {
      "mr_pkg.sv",        "mr_delay.sv",         "mr_add3.sv",   "mr_booth_add.sv",
      "mr_booth_term.sv", "mr_phase_counter.sv", "mr_rom.sv",    "mr_overflow.sv",
      "mr_requantize.sv", "mr_window_span.sv",   "mr_window.sv", "mr_accumulator.sv",
      "mr_axis.sv"};
  return names;
}

}  // namespace millrace::verilog
