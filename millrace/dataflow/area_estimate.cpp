// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/area_estimate.h"

#include <algorithm>
#include <bit>

#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/dataflow/datapath_area.h"
#include "millrace/graph/op.h"

namespace millrace::dataflow {
namespace {

int64_t ceil_divide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// Bits of a counter of so many codes; none where there is one.
int64_t count_bits(int64_t codes) {
  return std::bit_width(static_cast<uint64_t>(codes - 1));
}

/// LUTs of a multiplexer for each bit: four inputs and two bits of the choice in a LUT, and the
/// multiplexers beside the LUTs.
int64_t choice_luts(int64_t inputs) {
  return inputs <= 1 ? 0 : inputs <= 4 ? 1 : ceil_divide(inputs, 4) + ceil_divide(inputs, 16);
}

/// A counter that starts again at its end, with an enable.
AreaEstimate counter(int64_t codes) {
  return {.lut = count_bits(codes) + (codes > 2 ? 1 : 0), .ff = count_bits(codes)};
}

/// A memory with one write and one read port: RAM32M16 holds 14 bits of 32 words in 8 LUTs,
/// RAM64M8 7 bits of 64. One of a single word is a register.
AreaEstimate memory(int64_t words, int64_t bits) {
  if (words == 1)
    return {.ff = bits};
  if (words <= 32)
    return {.lut = 8 * ceil_divide(bits, 14)};
  const int64_t blocks = ceil_divide(words, 64);
  return {.lut = 8 * ceil_divide(bits, 7) * blocks + bits * choice_luts(blocks)};
}

AreaEstimate of(const BitNetworkArea& area) {
  return {.lut = area.lut, .ff = area.ff};
}

/// Bits of a stream's beat; behind a window those of the region.
int64_t beat_bits(const Circuit& circuit, StreamId id) {
  const auto index = static_cast<size_t>(id);
  if (index < circuit.inputs.size())
    return circuit.inputs[index].type.beat_bits();
  const Stage& stage = circuit.stages[index - circuit.inputs.size()];
  if (const auto* window = std::get_if<WindowStage>(&stage.kind)) {
    const WindowGeometry& g = window->geometry;
    return g.window.extent_h() * g.span * g.input.pixel_bits();
  }
  if (const auto* rows = std::get_if<RowWindowStage>(&stage.kind)) {
    const RowWindowGeometry& g = rows->geometry;
    return g.region_rows * g.input.width * g.input.pixel_bits();
  }
  return stage.output.beat_bits();
}

/// rtl/mr_window.sv.
AreaEstimate window_area(const WindowGeometry& g) {
  const int64_t pixel_bits = g.input.pixel_bits();
  const int64_t word_bits = g.input.lanes * pixel_bits;
  const int64_t rows = g.window.extent_h();
  const int64_t banks = rows - 1;
  AreaEstimate area;
  area += counter(g.beats);
  area += counter(g.input.height);
  if (banks > 1)
    area += counter(banks);
  area += {.lut = 4, .ff = 1};
  for (int64_t bank = 0; bank < banks; ++bank) {
    area += memory(g.beats, word_bits);
    area.lut += word_bits * choice_luts(banks);
  }
  area.ff += rows * g.history * pixel_bits;
  if (g.separate_tail) {
    area.ff += rows * g.history * pixel_bits;
    area.lut += 2 * rows * g.history * pixel_bits;
  }
  if (g.skew() != 0)
    area.lut += rows * g.span * pixel_bits * choice_luts(g.out_beats);
  if (g.window.pad_left > 0 || g.window.pad_right > 0) {
    area += counter(g.out_beats);
    area.lut += rows * pixel_bits * (g.window.pad_left + g.window.pad_right);
  }
  return area;
}

/// rtl/mr_row_window.sv.
AreaEstimate row_window_area(const RowWindowGeometry& g) {
  const int64_t row_bits = g.input.width * g.input.pixel_bits();
  AreaEstimate area = counter(g.groups);
  area += {.lut = 2, .ff = 1};
  area.ff += g.span_groups * g.input.rows * row_bits;
  if (g.window.pad_top > 0 || g.flush) {
    area += counter(g.out_groups);
    area.lut += (g.window.pad_top + g.window.pad_bottom) * row_bits;
  }
  return area;
}

/// rtl/mr_collect.sv and rtl/mr_issue.sv.
AreaEstimate relayout_area(const RelayoutStage& stage, const StreamType& output) {
  AreaEstimate area;
  const int64_t out_bits = output.beat_bits();
  if (stage.in_beats > 1) {
    area += counter(stage.in_beats);
    area += {.lut = 1, .ff = (stage.in_beats - 1) * stage.input.beat_bits()};
  }
  area += counter(stage.depth + 1);
  area += counter(stage.out_beats);
  area += counter(stage.pace);
  area.lut += 3;
  if (stage.depth > 1) {
    area += counter(stage.depth);
    area += counter(stage.depth);
  }
  area += memory(stage.depth, stage.out_beats * out_bits);
  area.lut += out_bits * choice_luts(stage.out_beats);
  return area;
}

/// rtl/mr_join_buffer.sv.
AreaEstimate join_buffer_area(const JoinBuffer& buffer, int64_t bits) {
  if (buffer.depth == 0)
    return {};
  AreaEstimate area = counter(buffer.depth + 1);
  area.lut += 3;
  if (buffer.depth > 1) {
    area += counter(buffer.depth);
    area += counter(buffer.depth);
  }
  area += memory(buffer.depth, bits);
  if (buffer.bypass)
    area.lut += bits;
  return area;
}

}  // namespace

AreaEstimate& AreaEstimate::operator+=(const AreaEstimate& other) {
  lut += other.lut;
  ff += other.ff;
  dsp += other.dsp;
  bram18 += other.bram18;
  return *this;
}

AreaEstimate estimate_area(const Circuit& circuit, const Stage& stage) {
  AreaEstimate area = std::visit(
      graph::Overloaded{[](const WindowStage& s) { return window_area(s.geometry); },
                        [](const RowWindowStage& s) { return row_window_area(s.geometry); },
                        [&](const RelayoutStage& s) { return relayout_area(s, stage.output); },
                        [&](const MapStage& s) {
                          AreaEstimate sum = of(datapath_area(s.datapath));
                          sum.ff += stage.latency_cycles;  // of `valid`: rtl/mr_delay.sv
                          return sum;
                        },
                        [](const AccumulateStage& s) {
                          const AccumulateCost cost = accumulate_cost(s);
                          return AreaEstimate{
                              .lut = cost.lut, .ff = cost.flip_flops, .dsp = cost.dsp, .bram18 = 0};
                        }},
      stage.kind);
  for (size_t side = 0; side < stage.buffers.size(); ++side)
    area += join_buffer_area(stage.buffers[side], beat_bits(circuit, stage.inputs[side]));
  return area;
}

AreaEstimate estimate_area(const Circuit& circuit) {
  AreaEstimate area;
  for (const Stage& stage : circuit.stages)
    area += estimate_area(circuit, stage);
  return area;
}

}  // namespace millrace::dataflow
