// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

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
using dataflow::Port;
using dataflow::RelayoutStage;
using dataflow::RowWindowGeometry;
using dataflow::RowWindowStage;
using dataflow::Schedule;
using dataflow::Stage;
using dataflow::StreamId;
using dataflow::StreamType;
using dataflow::WindowGeometry;
using dataflow::WindowStage;
using graph::Overloaded;

std::string describe(const StreamType& stream) {
  const int64_t pixels = stream.pixels_per_beat();
  return fmt::format("{}x{}x{} {}, {}{} {} a beat", stream.height, stream.width, stream.channels,
                     stream.element.to_string(),
                     stream.rows > 1 ? fmt::format("{}x", stream.rows) : "", stream.lanes,
                     pixels == 1 ? "pixel" : "pixels");
}

std::string describe_layers(const Stage& stage) {
  return fmt::format("{}", fmt::join(stage.layers, ", "));
}

Expr flag(bool value) {
  return expr(Literal{1, value, false});
}

/// The pixel that stands for padding; none where all its bits are 0.
std::optional<Expr> padding_pixel(const StreamType& stream, const std::vector<int64_t>& padding) {
  std::vector<Expr> parts;
  bool is_zero = true;
  for (int64_t channel = stream.channels; channel-- > 0;) {
    const int width = stream.range(channel).width();
    const int64_t raw = padding[static_cast<size_t>(channel)];
    is_zero = is_zero && raw == 0;
    if (width > 0)
      parts.push_back(expr(Literal{width, raw, false}));
  }
  if (is_zero)
    return std::nullopt;
  return parts.size() == 1 ? parts.front() : expr(Concat{std::move(parts)});
}

/// The instance of rtl/mr_window.sv for a window stage.
Instance window_instance(const std::string& instance_name, const WindowStage& stage) {
  const WindowGeometry& g = stage.geometry;
  const bool pad_rows = g.window.pad_top > 0 || g.flush_rows > 0;
  const bool pad_columns = g.window.pad_left > 0 || g.window.pad_right > 0;
  Instance instance{.module = "mr_window",
                    .name = instance_name,
                    .parameters = {{"Height", number(g.input.height)},
                                   {"Width", number(g.input.width)},
                                   {"Lanes", number(g.input.lanes)},
                                   {"PixelBits", number(g.input.pixel_bits())},
                                   {"KernelH", number(g.window.extent_h())},
                                   {"KernelW", number(g.window.extent_w())},
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
                                   {"SeparateTail", flag(g.separate_tail)},
                                   {"Blocked", flag(g.blocked)},
                                   {"BlockRam", flag(stage.block_ram)},
                                   {"Pace", number(g.pace)}},
                    .ports = clock_and_reset()};
  if (const auto pixel = padding_pixel(g.input, stage.padding))
    instance.parameters.emplace_back("PadPixel", *pixel);
  return instance;
}

/// The instance of rtl/mr_row_window.sv.
Instance row_window_instance(const std::string& instance_name, const RowWindowStage& stage) {
  const RowWindowGeometry& g = stage.geometry;
  Instance instance{
      .module = "mr_row_window",
      .name = instance_name,
      .parameters = {{"Height", number(g.input.height)},
                     {"RowBits", number(g.input.width * g.input.pixel_bits())},
                     {"Rows", number(g.input.rows)},
                     {"SpanGroups", number(g.span_groups)},
                     {"Skip", number(g.skip)},
                     {"RegionRows", number(g.region_rows)},
                     {"RowAdvance", number(g.row_advance())},
                     {"OutGroups", number(g.out_groups)},
                     {"FirstGroup", number(g.first_group)},
                     {"StepGroups", number(g.step_groups)},
                     {"Flush", flag(g.flush)},
                     {"PadTop", number(g.window.pad_top)},
                     {"PadRows", flag(g.window.pad_top > 0 || g.window.pad_bottom > 0)}},
      .ports = clock_and_reset()};
  if (const auto pixel = padding_pixel(g.input, stage.padding))
    instance.parameters.emplace_back("PadRow", expr(Repeat{g.input.width, *pixel}));
  return instance;
}

/// Bits that leave a stage.
int64_t output_bits(const Stage& stage) {
  return std::visit(Overloaded{[](const WindowStage& s) {
                                 const WindowGeometry& g = s.geometry;
                                 return g.window.extent_h() * g.span * g.input.pixel_bits();
                               },
                               [](const RowWindowStage& s) {
                                 const RowWindowGeometry& g = s.geometry;
                                 return g.region_rows * g.input.width * g.input.pixel_bits();
                               },
                               [&](const auto&) { return stage.output.beat_bits(); }},
                    stage.kind);
}

/// Builds the top module stage by stage.
class TopEmitter {
public:
  TopEmitter(const Circuit& circuit, const Schedule& schedule)
      : circuit_(circuit), schedule_(schedule) {}

  std::vector<Module> run() {
    top_.name = circuit_.name;
    top_.comment = describe_circuit();
    top_.ports = {{Direction::Input, "clk_i", 0}, {Direction::Input, "rst_i", 0}};
    for (const Port& port : circuit_.inputs) {
      const std::string prefix = input_prefix(circuit_, port);
      top_.ports.push_back({Direction::Input, prefix + "_valid_i", 0});
      top_.ports.push_back({Direction::Input, prefix + "_data_i", port.type.beat_bits()});
      streams_.push_back(
          {name(prefix + "_valid_i"), name(prefix + "_data_i"), port.type.beat_bits()});
    }
    for (const Port& port : circuit_.outputs) {
      const std::string prefix = output_prefix(circuit_, port);
      top_.ports.push_back({Direction::Output, prefix + "_valid_o", 0});
      top_.ports.push_back({Direction::Output, prefix + "_data_o", port.type.beat_bits()});
    }
    for (size_t i = 0; i < circuit_.stages.size(); ++i)
      emit_stage(circuit_.stages[i], schedule_.stages[i]);
    add(Comment{""});
    for (const Port& port : circuit_.outputs) {
      const std::string prefix = output_prefix(circuit_, port);
      const Carried& stream = carried(port.stream);
      add(Assign{name(prefix + "_valid_o"), stream.valid});
      add(Assign{name(prefix + "_data_o"), stream.data});
    }
    emit_unused();
    modules_.insert(modules_.begin(), std::move(top_));
    return std::move(modules_);
  }

private:
  /// The signals of a stream.
  struct Carried {
    Expr valid, data;
    int64_t bits = 0;
  };

  const Carried& carried(StreamId id) const { return streams_[static_cast<size_t>(id)]; }

  template <class Kind>
  void add(Kind item) {
    top_.items.push_back({std::move(item)});
  }

  std::string describe_circuit() const {
    std::string text = circuit_.name + ":";
    for (const Port& port : circuit_.inputs)
      text += fmt::format("{} {}", port.name == circuit_.inputs.front().name ? "" : ";",
                          describe(port.type));
    text += " ->";
    for (const Port& port : circuit_.outputs)
      text += fmt::format("{} {}", port.name == circuit_.outputs.front().name ? "" : ";",
                          describe(port.type));
    for (const Port& port : circuit_.inputs)
      text += fmt::format(
          "\n\n  {}_data_i  row r, lane l, channel c in bits [((r * {} + l) * {} + c) * {} +: "
          "{}];\n"
          "              pixels behind the map's edges carry anything",
          input_prefix(circuit_, port), port.type.lanes, port.type.channels,
          port.type.element.width, port.type.element.width);
    for (const Port& port : circuit_.outputs)
      text += fmt::format(
          "\n  {}_data_o  row r, lane l, channel c in bits [((r * {} + l) * {} + c) * {} +: {}]",
          output_prefix(circuit_, port), port.type.lanes, port.type.channels,
          port.type.element.width, port.type.element.width);
    text += fmt::format(
        "\n\nLatency {} cycles from the first beat of a frame to its last result, when beats "
        "arrive\nback to back; a frame may begin every {} cycles. Gaps are allowed anywhere, "
        "there is no\nback-pressure.",
        schedule_.latency_cycles, circuit_.interval_cycles);
    return text;
  }

  /// Names the ports that nothing reads.
  void emit_unused() {
    std::vector<Expr> parts;
    if (!uses_clock_)
      parts = {name("clk_i"), name("rst_i")};
    for (const Port& port : circuit_.inputs) {
      const auto reads = [&](const Stage& stage) {
        return std::find(stage.inputs.begin(), stage.inputs.end(), port.stream) !=
               stage.inputs.end();
      };
      const bool is_read =
          std::any_of(circuit_.stages.begin(), circuit_.stages.end(), reads) ||
          std::any_of(circuit_.outputs.begin(), circuit_.outputs.end(),
                      [&](const Port& output) { return output.stream == port.stream; });
      if (is_read)
        continue;
      parts.push_back(carried(port.stream).valid);
      parts.push_back(carried(port.stream).data);
    }
    if (parts.empty())
      return;
    add(Signal{"unused"});
    add(Assign{name("unused"), expr(Unary{"^", expr(Concat{std::move(parts)})})});
  }

  /// Declares the signals of what leaves a stage.
  void declare_output(const std::string& signal, int64_t bits) {
    add(Signal{signal + "_valid"});
    add(Signal{signal + "_data", bits});
  }

  void connect_output(Instance& instance, const std::string& signal, const Carried& in) {
    instance.ports.insert(instance.ports.end(), {{"in_valid_i", in.valid},
                                                 {"in_data_i", in.data},
                                                 {"out_valid_o", name(signal + "_valid")},
                                                 {"out_data_o", name(signal + "_data")}});
  }

  void emit_stage(const Stage& stage, const dataflow::StageTimes& times) {
    const std::string title = stage.layers.empty()
                                  ? stage.name
                                  : fmt::format("{} ({})", stage.name, describe_layers(stage));
    add(Comment{""});
    add(Comment{fmt::format("{}, {}: {}; beats leave in cycles {} to {}, {:.0f} % used", title,
                            times.kind, describe(stage.output), times.first_out, times.last_out,
                            100 * times.utilisation)});
    const bool is_map = std::holds_alternative<MapStage>(stage.kind) ||
                        std::holds_alternative<AccumulateStage>(stage.kind);
    const std::string signal = is_map ? stage.name : stage.name + "_" + times.kind;
    const int64_t bits = output_bits(stage);
    const Carried in = stage.inputs.size() > 1 ? emit_join(stage) : carried(stage.inputs[0]);
    declare_output(signal, bits);
    std::visit(Overloaded{[&](const WindowStage& s) {
                            Instance instance = window_instance("u_" + signal, s);
                            connect_output(instance, signal, in);
                            add(std::move(instance));
                          },
                          [&](const RowWindowStage& s) {
                            Instance instance = row_window_instance("u_" + signal, s);
                            connect_output(instance, signal, in);
                            add(std::move(instance));
                          },
                          [&](const RelayoutStage& s) { emit_relayout(stage, s, signal, in); },
                          [&](const MapStage& s) { emit_map(stage, s, in); },
                          [&](const AccumulateStage& s) { emit_accumulator(stage, s, in); }},
               stage.kind);
    uses_clock_ = uses_clock_ || stage.latency_cycles > 0 || stage.inputs.size() > 1;
    streams_.push_back({name(signal + "_valid"), name(signal + "_data"), bits});
  }

  /// Waits for a beat of each input; the beats side by side, the first input's lowest.
  Carried emit_join(const Stage& stage) {
    const std::string take = stage.name + "_take";
    std::vector<Expr> data;
    Expr all;
    Carried joined;
    add(Signal{take});
    for (size_t side = 0; side < stage.inputs.size(); ++side) {
      const Carried& in = carried(stage.inputs[side]);
      const std::string signal = fmt::format("{}_side{}", stage.name, side);
      declare_output(signal, in.bits);
      Instance buffer{.module = "mr_join_buffer",
                      .name = "u_" + signal,
                      .parameters = {{"Bits", number(in.bits)},
                                     {"Depth", number(stage.buffers[side].depth)},
                                     {"Bypass", flag(stage.buffers[side].bypass)}},
                      .ports = clock_and_reset()};
      connect_output(buffer, signal, in);
      buffer.ports.emplace_back("take_i", name(take));
      add(std::move(buffer));
      data.insert(data.begin(), name(signal + "_data"));
      all = all ? binary("&", all, name(signal + "_valid")) : name(signal + "_valid");
      joined.bits += in.bits;
    }
    add(Assign{name(take), all});
    joined.valid = name(take);
    joined.data = expr(Concat{std::move(data)});
    return joined;
  }

  /// Gathers a group of beats, puts its elements into their new order and issues them.
  void emit_relayout(const Stage& stage, const RelayoutStage& relayout, const std::string& signal,
                     const Carried& in) {
    const std::string group = signal + "_group";
    const std::string word = signal + "_word";
    const int64_t bits = stage.output.beat_bits();
    declare_output(group, relayout.in_beats * in.bits);
    Instance collect{
        .module = "mr_collect",
        .name = "u_" + group,
        .parameters = {{"Bits", number(in.bits)}, {"Beats", number(relayout.in_beats)}},
        .ports = clock_and_reset()};
    connect_output(collect, group, in);
    add(std::move(collect));
    add(Signal{word, relayout.out_beats * bits});
    add(Assign{name(word), rearranged(relayout, stage.output, group + "_data")});
    add(Signal{group + "_unused"});  // what lies behind edges, or is left out
    add(Assign{name(group + "_unused"), expr(Unary{"^", name(group + "_data")})});
    Instance issue{.module = "mr_issue",
                   .name = "u_" + signal,
                   .parameters = {{"Bits", number(bits)},
                                  {"Beats", number(relayout.out_beats)},
                                  {"Pace", number(relayout.pace)},
                                  {"Depth", number(relayout.depth)}},
                   .ports = clock_and_reset()};
    connect_output(issue, signal, {name(group + "_valid"), name(word), 0});
    add(std::move(issue));
  }

  /// The elements of a group in the order of the output; runs of neighbours are taken together.
  static Expr rearranged(const RelayoutStage& relayout, const StreamType& out,
                         const std::string& group) {
    const StreamType& in = relayout.input;
    std::vector<int64_t> offsets;  // of each channel within a pixel
    int64_t pixel_bits = 0;
    for (int64_t channel = 0; channel < in.channels; ++channel) {
      offsets.push_back(pixel_bits);
      pixel_bits += in.range(channel).width();
    }
    struct Run {
      int64_t lsb = 0, width = 0;  // lsb < 0: zeros
      int64_t extended = 0;        // copies of the highest bit above, or zeros
      bool is_signed = false;
    };
    std::vector<Run> runs;
    for (size_t i = 0; i < relayout.sources.size(); ++i) {
      const int64_t width = out.range(static_cast<int64_t>(i) % out.channels).width();
      if (width == 0)
        continue;
      Run run{.lsb = -1, .width = width};
      if (const int64_t source = relayout.sources[i]; source != RelayoutStage::Zero) {
        const dataflow::ElementRange range = in.range(source % in.channels);
        run.lsb =
            source / in.channels * pixel_bits + offsets[static_cast<size_t>(source % in.channels)];
        run.width = range.width();
        run.extended = width - range.width();
        run.is_signed = range.lo < 0;
      }
      if (!runs.empty() && runs.back().extended == 0 && run.extended == 0 &&
          (run.lsb < 0 ? runs.back().lsb < 0
                       : runs.back().lsb >= 0 && runs.back().lsb + runs.back().width == run.lsb))
        runs.back().width += run.width;
      else
        runs.push_back(run);
    }
    std::vector<Expr> parts;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
      const Expr zero = expr(Literal{1, 0, false});
      if (run->extended > 0)
        parts.push_back(expr(Repeat{
            run->extended, run->is_signed ? bit(name(group), run->lsb + run->width - 1) : zero}));
      parts.push_back(run->lsb < 0 ? expr(Repeat{run->width, zero})
                                   : select(name(group), run->lsb, run->width));
    }
    return parts.size() == 1 ? parts.front() : expr(Concat{std::move(parts)});
  }

  /// What a map reads, for its module's head.
  std::string describe_input(const Stage& stage) const {
    std::string text;
    for (const StreamId id : stage.inputs) {
      const auto index = static_cast<size_t>(id);
      const StreamType& stream = circuit_.stream(id);
      const Stage* before = index < circuit_.inputs.size()
                                ? nullptr
                                : &circuit_.stages[index - circuit_.inputs.size()];
      if (!text.empty())
        text += ";\n              above it ";
      if (const auto* window = before ? std::get_if<WindowStage>(&before->kind) : nullptr) {
        const WindowGeometry& g = window->geometry;
        text += fmt::format(
            "{} rows of {} pixels of {} channels; lane l of {} reads the\n"
            "              {} pixels from pixel {} * l on, of every row",
            g.window.extent_h(), g.span, g.input.channels, g.out_lanes, g.window.extent_w(),
            g.window.stride_w);
      } else if (const auto* rows = before ? std::get_if<RowWindowStage>(&before->kind) : nullptr) {
        text += fmt::format("{} rows of {} pixels of {} channels", rows->geometry.region_rows,
                            rows->geometry.input.width, stream.channels);
      } else {
        text += fmt::format("{} pixels of {} channels, {}", stream.pixels_per_beat(),
                            stream.channels, stream.element.to_string());
      }
    }
    return text;
  }

  void emit_map(const Stage& stage, const MapStage& map, const Carried& in) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    modules_.push_back(emit_datapath(
        map.datapath, module_name,
        fmt::format("Layers {}, for one beat.\n\n  in_data_i   {}\n  out_data_o  {} pixels of {} "
                    "channels, {}\n\nLatency {} cycles. Throughput 1 beat/cycle.",
                    describe_layers(stage), describe_input(stage), stage.output.pixels_per_beat(),
                    stage.output.channels, stage.output.element.to_string(),
                    stage.latency_cycles)));

    const std::string& signal = stage.name;
    Instance instance{.module = module_name, .name = "u_" + signal, .parameters = {}, .ports = {}};
    if (has_registers(map.datapath))
      instance.ports.emplace_back("clk_i", nullptr);
    instance.ports.emplace_back("in_data_i", in.data);
    instance.ports.emplace_back("out_data_o", name(signal + "_data"));
    add(std::move(instance));
    if (stage.latency_cycles == 0) {
      add(Assign{name(signal + "_valid"), in.valid});
      return;
    }
    Instance delay{.module = "mr_delay",
                   .name = "u_" + signal + "_valid",
                   .parameters = {{"Cycles", number(stage.latency_cycles)}},
                   .ports = clock_and_reset()};
    delay.ports.emplace_back("in_i", in.valid);
    delay.ports.emplace_back("out_o", name(signal + "_valid"));
    add(std::move(delay));
  }

  void emit_accumulator(const Stage& stage, const AccumulateStage& accumulate, const Carried& in) {
    const std::string module_name = circuit_.name + "_" + stage.name;
    for (Module& m : emit_accumulate(module_name, stage, accumulate))
      modules_.push_back(std::move(m));
    Instance instance{.module = module_name,
                      .name = "u_" + stage.name,
                      .parameters = {},
                      .ports = clock_and_reset()};
    connect_output(instance, stage.name, in);
    add(std::move(instance));
  }

  const Circuit& circuit_;
  const Schedule& schedule_;
  Module top_;
  std::vector<Module> modules_;
  std::vector<Carried> streams_;
  bool uses_clock_ = false;
};

}  // namespace

std::string input_prefix(const Circuit& circuit, const dataflow::Port& port) {
  return circuit.inputs.size() == 1 ? "in" : "in_" + port.name;
}

std::string output_prefix(const Circuit& circuit, const dataflow::Port& port) {
  return circuit.outputs.size() == 1 ? "out" : "out_" + port.name;
}

std::vector<SourceFile> emit(const Circuit& circuit, const Schedule& schedule) {
  std::vector<Module> modules = TopEmitter(circuit, schedule).run();
  modules.push_back(emit_axis(axis_core(circuit, schedule)));
  std::vector<SourceFile> files;
  files.reserve(modules.size());
  for (const Module& module : modules)
    files.push_back({module.name + ".sv", print(module)});
  return files;
}

const std::vector<std::string>& library_files() {
  static const std::vector<std::string> names = {
      "mr_pkg.sv",         "mr_delay.sv",       "mr_choice.sv",      "mr_add3.sv",
      "mr_booth_add.sv",   "mr_booth_term.sv",  "mr_dsp_chain.sv",   "mr_phase_counter.sv",
      "mr_rom.sv",         "mr_overflow.sv",    "mr_requantize.sv",  "mr_pace.sv",
      "mr_line_memory.sv", "mr_window_span.sv", "mr_window.sv",      "mr_row_window.sv",
      "mr_collect.sv",     "mr_issue.sv",       "mr_join_buffer.sv", "mr_accumulator.sv",
      "mr_axis_gate.sv",   "mr_axis_in.sv",     "mr_axis_out.sv"};
  return names;
}

}  // namespace millrace::verilog
