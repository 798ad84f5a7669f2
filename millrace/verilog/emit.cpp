// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit.h"

#include <algorithm>
#include <fmt/format.h>

#include "millrace/graph/op.h"
#include "millrace/verilog/emit_datapath.h"
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

std::vector<std::pair<std::string, Expr>> clock_and_reset() {
  return {{"clk_i", nullptr}, {"rst_i", nullptr}};
}

Expr flag(bool value) {
  return expr(Literal{1, value, false});
}

/// The ports of a circuit that moves data by valid alone.
std::vector<Port> valid_ports(int64_t in_bits, int64_t out_bits) {
  return {{Direction::Input, "clk_i", 0},        {Direction::Input, "rst_i", 0},
          {Direction::Input, "in_valid_i", 0},   {Direction::Input, "in_data_i", in_bits},
          {Direction::Output, "out_valid_o", 0}, {Direction::Output, "out_data_o", out_bits}};
}

/// A long constant as a concatenation of sized literals, the first value lowest.
Expr packed(const std::vector<int64_t>& values, const std::vector<FixedType>& types) {
  std::vector<Expr> parts;
  for (size_t i = values.size(); i-- > 0;)
    parts.push_back(expr(Literal{types[i].width, values[i], types[i].is_signed}));
  return expr(Concat{std::move(parts)});
}

/// Emits the modules of one accumulate stage.
std::vector<Module> emit_accumulate(const std::string& module_name, const Stage& stage,
                                    const AccumulateStage& accumulate, int64_t in_bits) {
  const auto outputs = static_cast<int64_t>(accumulate.bias.size());
  const auto beats = static_cast<int64_t>(accumulate.weights.size());
  const int64_t sum_bits = outputs * accumulate.sum_type.width;
  int64_t weight_bits = 0;
  for (const FixedType& type : accumulate.weight_types)
    weight_bits += type.width;
  const int beat_bits = narrowest_type(0, beats - 1, 0).value().width;
  const int latency = accumulate.products.latency_cycles();

  Module products = emit_datapath(
      accumulate.products, module_name + "_products",
      fmt::format("The products of layer {}, for one beat: the beat's elements (lowest) and one\n"
                  "weight for each element and output, summed up for each output.\n\n"
                  "Latency {} cycles. Throughput 1 beat/cycle.",
                  describe_layers(stage), latency));

  Module m{.comment = fmt::format(
               "Layer {}: {} inputs a beat, {} outputs, {} beats a frame. The weights of a beat "
               "stand in a\nregister before it arrives.\n\n"
               "Latency {} cycles from the last beat. Throughput 1 beat/cycle.",
               describe_layers(stage), accumulate.weight_types.size() / accumulate.bias.size(),
               outputs, beats, stage.latency_cycles),
           .name = module_name,
           .ports = valid_ports(in_bits, sum_bits),
           .items = {}};
  const auto add = [&m](auto item) { m.items.push_back({std::move(item)}); };
  const Expr last_code = expr(Literal{beat_bits, beats - 1, false});
  const Expr zero = expr(Literal{beat_bits, 0, false});

  add(Comment{"Position in the frame: the beat that arrives next"});
  add(Signal{"beat_q", beat_bits, false, {}});
  add(Signal{"beat_d", beat_bits, false, {}});
  add(Signal{"last", 0, false, {}});
  add(Assign{name("last"), binary("==", name("beat_q"), last_code)});
  add(Assign{
      name("beat_d"),
      expr(Conditional{
          name("rst_i"), zero,
          expr(Conditional{expr(Unary{"!", name("in_valid_i")}), name("beat_q"),
                           expr(Conditional{name("last"), zero,
                                            binary("+", name("beat_q"),
                                                   expr(Literal{beat_bits, 1, false}))})})})});
  add(Registers{{{name("beat_q"), name("beat_d")}}});
  add(Comment{""});
  add(Comment{"Its weights"});
  add(Signal{"weights_d", weight_bits, false, {}});
  add(Signal{"weights_q", weight_bits, false, {}});
  Lookup rom{.selector = name("beat_d"), .target = name("weights_d"), .rows = {}, .otherwise = {}};
  for (int64_t beat = 0; beat + 1 < beats; ++beat)
    rom.rows.emplace_back(
        expr(Literal{beat_bits, beat, false}),
        packed(accumulate.weights[static_cast<size_t>(beat)], accumulate.weight_types));
  rom.otherwise = packed(accumulate.weights.back(), accumulate.weight_types);
  add(std::move(rom));
  add(Registers{{{name("weights_q"), name("weights_d")}}});
  add(Comment{""});
  add(Comment{"Products and their sums"});
  add(Signal{"sums", sum_bits, false, {}});
  Instance u_products{
      .module = module_name + "_products", .name = "u_products", .parameters = {}, .ports = {}};
  if (has_registers(accumulate.products))
    u_products.ports.emplace_back("clk_i", nullptr);
  u_products.ports.emplace_back("in_data_i", expr(Concat{{name("weights_q"), name("in_data_i")}}));
  u_products.ports.emplace_back("out_data_o", name("sums"));
  add(std::move(u_products));
  add(Comment{""});
  for (const char* signal : {"sums_valid", "sums_first", "sums_last"})
    add(Signal{signal, 0, false, {}});
  Instance u_flags{.module = "mr_delay",
                   .name = "u_flags",
                   .parameters = {{"Width", number(3)}, {"Cycles", number(latency)}},
                   .ports = clock_and_reset()};
  u_flags.ports.emplace_back(
      "in_i", expr(Concat{{name("in_valid_i"), binary("==", name("beat_q"), zero), name("last")}}));
  u_flags.ports.emplace_back(
      "out_o", expr(Concat{{name("sums_valid"), name("sums_first"), name("sums_last")}}));
  add(std::move(u_flags));

  std::vector<Expr> bias;
  for (size_t i = accumulate.bias.size(); i-- > 0;)
    bias.push_back(expr(
        Literal{accumulate.sum_type.width, accumulate.bias[i], accumulate.sum_type.is_signed}));
  Instance u_accumulator{.module = "mr_accumulator",
                         .name = "u_accumulator",
                         .parameters = {{"Outputs", number(outputs)},
                                        {"SumBits", number(accumulate.sum_type.width)},
                                        {"Bias", expr(Concat{std::move(bias)})}},
                         .ports = clock_and_reset()};
  u_accumulator.ports.insert(u_accumulator.ports.end(), {{"in_valid_i", name("sums_valid")},
                                                         {"in_first_i", name("sums_first")},
                                                         {"in_last_i", name("sums_last")},
                                                         {"in_data_i", name("sums")},
                                                         {"out_valid_o", nullptr},
                                                         {"out_data_o", nullptr}});
  add(std::move(u_accumulator));
  return {std::move(m), std::move(products)};
}

/// The instance of rtl/mr_window.sv for a window stage.
Instance window_instance(const std::string& instance_name, const WindowStage& stage) {
  const WindowGeometry& g = stage.geometry;
  const int64_t channels = g.input.channels;
  const auto element_bits = g.input.element.width;
  const bool pad_rows = g.window.pad_top > 0 || g.flush_rows > 0;
  const bool pad_columns = g.window.pad_left > 0 || g.window.pad_right > 0;
  return {
      .module = "mr_window",
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
                     {"PadPixel",
                      expr(Repeat{channels, expr(Literal{element_bits, stage.pad_raw, false})})},
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
      add(Signal{"unused", 0, false, {}});
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
    add(Signal{signal + "_valid", 0, false, {}});
    add(Signal{signal + "_data", bits, false, {}});
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
    if (g.window.stride_w > g.window.kernel_w && g.out_lanes > 1) {
      add(Signal{signal + "_unused", 0, false, {}});  // the pixels between the windows
      add(Assign{name(signal + "_unused"), expr(Unary{"^", name(signal + "_data")})});
    }
    advance(signal, bits);
  }

  /// The elements that lane `lane` of the coming map reads.
  Expr lane_input() const {
    if (window_ == nullptr) {
      const int64_t lane_bits = bits_ / stream_.lanes;
      return lane_slice(data_, 0, lane_bits, lane_bits);
    }
    const WindowGeometry& g = window_->geometry;
    const int64_t pixel_bits = g.input.channels * g.input.element.width;
    std::vector<Expr> rows;
    for (int64_t row = g.window.kernel_h; row-- > 0;)
      rows.push_back(lane_slice(data_, row * g.span * pixel_bits, g.window.stride_w * pixel_bits,
                                g.window.kernel_w * pixel_bits));
    return rows.size() == 1 ? rows.front() : expr(Concat{std::move(rows)});
  }

  /// base[start + lane * step +: width].
  static Expr lane_slice(const Expr& base, int64_t start, int64_t step, int64_t width) {
    const Expr moved = binary("*", name("lane"), number(step));
    return expr(Select{base, start == 0 ? moved : binary("+", number(start), moved), width});
  }

  void emit_map(const Stage& stage, const MapStage& map) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    modules_.push_back(emit_datapath(
        map.datapath, module_name,
        fmt::format(
            "Layers {}, for one pixel.\n\n  in_data_i   {}\n  out_data_o  {} channels, {}"
            "\n\nLatency {} cycles. Throughput 1 pixel/cycle.",
            describe_layers(stage),
            window_
                ? fmt::format("{}x{} pixels of {} channels, row-major, {}",
                              window_->geometry.window.kernel_h, window_->geometry.window.kernel_w,
                              window_->geometry.input.channels,
                              window_->geometry.input.element.to_string())
                : fmt::format("{} channels, {}", stream_.channels, stream_.element.to_string()),
            stage.output.channels, stage.output.element.to_string(), stage.latency_cycles)));

    const std::string signal = stage.name;
    const int64_t lane_bits = stage.output.channels * stage.output.element.width;
    declare_output(signal, map.lanes * lane_bits);
    Instance instance{.module = module_name, .name = "u_lane", .parameters = {}, .ports = {}};
    if (has_registers(map.datapath))
      instance.ports.emplace_back("clk_i", nullptr);
    // A lone lane needs no loop.
    if (map.lanes == 1 && stream_.lanes == 1) {
      instance.name = "u_" + signal;
      instance.ports.emplace_back("in_data_i", data_);
      instance.ports.emplace_back("out_data_o", name(signal + "_data"));
      add(std::move(instance));
    } else if (map.lanes == 1) {
      instance.name = "u_" + signal;
      instance.ports.emplace_back("in_data_i", data_);
      instance.ports.emplace_back("out_data_o", name(signal + "_data"));
      add(std::move(instance));
    } else {
      instance.ports.emplace_back("in_data_i", lane_input());
      instance.ports.emplace_back("out_data_o",
                                  lane_slice(name(signal + "_data"), 0, lane_bits, lane_bits));
      add(GenerateFor{"lane", map.lanes, "gen_" + signal, {{std::move(instance)}}});
    }
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
    advance(signal, map.lanes * lane_bits);
  }

  void emit_accumulator(const Stage& stage, const AccumulateStage& accumulate) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    for (Module& m : emit_accumulate(module_name, stage, accumulate, bits_))
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

/// The AXI4-Stream wrapper: rtl/mr_axis.sv around the circuit.
Module emit_axis(const Circuit& circuit, const Schedule& schedule) {
  const auto bytes = [](int64_t bits) { return (bits + 7) / 8 * 8; };
  const int64_t in_bits = circuit.input.beat_bits();
  const int64_t out_bits = circuit.output.beat_bits();
  const int64_t frames = schedule.latency_cycles / schedule.interval_cycles + 2;
  Module m{
      .comment = fmt::format(
          "{} behind AXI4-Stream ports: {} beats a frame in, {} out. tdata holds a beat in its "
          "low bits.\nA frame is admitted when there is room for its results; tlast marks the "
          "last result of a frame.",
          circuit.name, circuit.input.beats_per_frame(), circuit.output.beats_per_frame()),
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
  add(Signal{"core_in_valid", 0, false, {}});
  add(Signal{"core_in_data", in_bits, false, {}});
  add(Signal{"core_out_valid", 0, false, {}});
  add(Signal{"core_out_data", out_bits, false, {}});
  add(Comment{""});
  Instance axis{.module = "mr_axis",
                .name = "u_axis",
                .parameters = {{"InBits", number(in_bits)},
                               {"OutBits", number(out_bits)},
                               {"InBeats", number(circuit.input.beats_per_frame())},
                               {"OutBeats", number(circuit.output.beats_per_frame())},
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

}  // namespace

std::vector<SourceFile> emit(const Circuit& circuit, const Schedule& schedule) {
  std::vector<Module> modules = TopEmitter(circuit, schedule).run();
  modules.push_back(emit_axis(circuit, schedule));
  std::vector<SourceFile> files;
  for (const Module& module : modules)
    files.push_back({module.name + ".sv", print(module)});
  return files;
}

const std::vector<std::string>& library_files() {
  static const std::vector<std::string> Files = {
      "mr_pkg.sv",         "mr_delay.sv",  "mr_overflow.sv",    "mr_requantize.sv",
      "mr_window_span.sv", "mr_window.sv", "mr_accumulator.sv", "mr_axis.sv"};
  return Files;
}

}  // namespace millrace::verilog
