// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/area_estimate.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/dataflow/bit_network.h"
#include "millrace/dataflow/datapath_area.h"
#include "millrace/graph/op.h"
#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {
namespace {

/// Bits of a counter of so many codes; none where there is one.
int64_t count_bits(int64_t codes) {
  return std::bit_width(static_cast<uint64_t>(codes - 1));
}

/// LUTs for each bit of a choice among words by comparisons with a counter, one behind the other
/// as in mr_window. Yosys keeps their order: only up to four inputs become a
/// multiplexer in one LUT. Beyond, as mapped for words of 8 bits: 5, 7, 12, 14, 20, 24, 29 LUTs
/// for 7, 8, 10, 12, 16, 20, 24 inputs.
int64_t choice_luts(int64_t inputs) {
  if (inputs <= 4)
    return inputs <= 1 ? 0 : 1;
  return inputs <= 8 ? inputs - 2 : inputs + inputs / 5;
}

/// The same where it becomes a tree of multiplexers, as for the blocks of a memory: four inputs
/// in a LUT, and the multiplexers beside the LUTs.
int64_t tree_luts(int64_t inputs) {
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
  return {.lut = 8 * ceil_divide(bits, 7) * blocks + bits * tree_luts(blocks)};
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

/// Places of a shift register that somebody needs: those read, and those that move into such a
/// one.
std::vector<bool> live_places(std::vector<bool> read, int64_t step) {
  for (auto i = static_cast<size_t>(step); i < read.size(); ++i)
    if (read[i - static_cast<size_t>(step)])
      read[i] = true;
  return read;
}

/// Counts the cycles of a pace: rtl/mr_pace.sv.
AreaEstimate pace_area(int64_t pace) {
  return pace > 1 ? counter(pace) : AreaEstimate{};
}

/// Pixels of the span that some beats see outside the map and others do not:
/// rtl/mr_window_span.sv.
int64_t masked_columns(const WindowGeometry& g) {
  int64_t count = 0;
  for (int64_t j = 0; j < g.span; ++j) {
    const auto first_beat = [&](int64_t column) {  // that sees it, or one right of it
      return std::max<int64_t>(0, ceil_divide(column + g.window.pad_left - j, g.advance()));
    };
    const int64_t left_end = g.window.pad_left > j ? first_beat(0) : 0;
    const int64_t right_start = first_beat(g.input.width);
    const bool is_constant = right_start == 0 || left_end >= g.out_beats;
    count += !is_constant && (left_end > 0 || right_start < g.out_beats) ? 1 : 0;
  }
  return count;
}

/// Which elements of a window's region somebody reads: row by row, pixel by pixel of the span,
/// channel by channel.
using ReadElements = std::vector<bool>;

/// Those that the maps behind a window read. All where another kind of stage reads them, or one
/// that joins them with another stream, or the circuit's output.
ReadElements read_elements(const Circuit& circuit, const Stage& window, const WindowGeometry& g) {
  const auto count = static_cast<size_t>(g.window.extent_h() * g.span * g.input.channels);
  auto stream = static_cast<StreamId>(circuit.inputs.size());
  for (const Stage& stage : circuit.stages) {
    if (&stage == &window)
      break;
    ++stream;
  }
  ReadElements read(count, false);
  bool has_reader = false;
  for (const Stage& stage : circuit.stages) {
    if (std::find(stage.inputs.begin(), stage.inputs.end(), stream) == stage.inputs.end())
      continue;
    const auto* map = std::get_if<MapStage>(&stage.kind);
    if (map == nullptr || stage.inputs.size() > 1)
      return ReadElements(count, true);
    has_reader = true;
    const std::vector<int> last_uses = map->datapath.last_uses();
    for (size_t id = 0; id < last_uses.size(); ++id)
      if (const auto* input = std::get_if<InputNode>(&map->datapath.nodes()[id].kind);
          input != nullptr && last_uses[id] >= 0)
        read.at(static_cast<size_t>(input->index)) = true;
  }
  return has_reader ? read : ReadElements(count, true);
}

/// Bits of each channel, of the pixels of a map.
std::vector<int64_t> channel_bits(const StreamType& stream) {
  std::vector<int64_t> bits;
  for (int64_t channel = 0; channel < stream.channels; ++channel)
    bits.push_back(stream.range(channel).width());
  return bits;
}

/// The registers and memories of a window that somebody needs: Yosys drops the others.
struct LiveWindow {
  int64_t history_bits = 0;  ///< of all rows
  int64_t newest_bits = 0;   ///< of a beat, those that move on into any row but the newest
};

LiveWindow live_window(const WindowGeometry& g, const ReadElements& read) {
  const int64_t base = g.history - g.window.pad_left - (g.lookahead + 1) * g.input.lanes;
  const int64_t rows = g.window.extent_h();
  const std::vector<int64_t> bits = channel_bits(g.input);
  LiveWindow live;
  for (int64_t channel = 0; channel < g.input.channels; ++channel) {
    std::vector<bool> newest(static_cast<size_t>(g.input.lanes), false);
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<bool> places(static_cast<size_t>(g.history), false);
      for (int64_t j = 0; j < g.span; ++j) {
        if (!read[static_cast<size_t>((row * g.span + j) * g.input.channels + channel)])
          continue;
        for (int64_t beat = 0; beat < g.out_beats; ++beat) {
          const int64_t column = beat * g.advance() - g.window.pad_left + j;
          const int64_t place = base + beat * g.skew() + j;
          if (column >= 0 && column < g.input.width && place >= 0 && place < g.history)
            places[static_cast<size_t>(place)] = true;
        }
      }
      places = live_places(std::move(places), g.input.lanes);
      live.history_bits +=
          bits[static_cast<size_t>(channel)] * std::count(places.begin(), places.end(), true);
      for (int64_t lane = 0; lane < g.input.lanes && row + 1 < rows; ++lane)
        if (places[static_cast<size_t>(g.history - g.input.lanes + lane)])
          newest[static_cast<size_t>(lane)] = true;
    }
    live.newest_bits +=
        bits[static_cast<size_t>(channel)] * std::count(newest.begin(), newest.end(), true);
  }
  return live;
}

/// Blocks of 18 Kbit for a memory with one write and one read port, in the shape that takes
/// fewest.
int64_t block_rams(int64_t words, int64_t bits) {
  int64_t fewest = std::numeric_limits<int64_t>::max();
  for (const auto& [depth, width] :
       {std::pair{512, 36}, {1024, 18}, {2048, 9}, {4096, 4}, {8192, 2}, {16384, 1}})
    fewest = std::min(fewest, ceil_divide(words, depth) * ceil_divide(bits, width));
  return fewest;
}

/// rtl/mr_window.sv.
AreaEstimate window_area(const WindowGeometry& g, bool block_ram, const ReadElements& read) {
  const int64_t pixel_bits = g.input.pixel_bits();
  const LiveWindow live = live_window(g, read);
  const int64_t word_bits = live.newest_bits;
  const int64_t rows = g.window.extent_h();
  const int64_t banks = rows - 1;
  const int64_t x_bits = count_bits(g.beats);
  const int64_t y_bits =
      count_bits(std::max(g.input.height, g.completing_row(g.out_height - 1) + 1));
  const int64_t bank_bits = banks > 1 ? count_bits(banks) : 0;
  AreaEstimate area;
  area += counter(g.beats);
  area += {.lut = y_bits + 1, .ff = y_bits};
  if (banks > 1)
    area += counter(banks);
  area += {.lut = 4, .ff = 1};
  // Yosys keeps the counter of output beats even where nobody reads it: it reads itself.
  area += counter(g.out_beats);
  area += g.beats > 1 ? line_buffer_area(g, block_ram) : AreaEstimate{.ff = banks * word_bits};
  area.lut += banks * word_bits * tree_luts(banks);  // all rotations together share their parts
  if (g.flush_rows > 0) {
    area += {.lut = 2, .ff = 1};
    area += counter(g.beats);
    area += {.lut = y_bits + 1, .ff = y_bits};
    area += {.lut = 2 * bank_bits, .ff = bank_bits};
    area.lut += x_bits + y_bits + bank_bits;  // whose position it is
    area += pace_area(g.pace);
  }
  // The registers' resets put padding above and below: Yosys makes one for each bit, a LUT each.
  // Two comparisons for each bank, with inverters before their carry chains.
  if (g.window.pad_top > 0 || g.flush_rows > 0)
    area.lut += banks * (word_bits + y_bits + 1);
  if (g.tail_steps > 0) {
    area += {.lut = 1, .ff = 1};
    area += counter(g.beats + g.tail_steps);
    area += pace_area(g.pace);
  }
  area.ff += live.history_bits;
  if (g.separate_tail)
    area += {.lut = 2 * live.history_bits, .ff = live.history_bits + 1};
  // Where the span moves, the same LUTs choose a pixel and mask it.
  area.lut +=
      rows * pixel_bits * (g.skew() != 0 ? g.span * choice_luts(g.out_beats) : masked_columns(g));
  return area;
}

/// rtl/mr_row_window.sv.
AreaEstimate row_window_area(const RowWindowGeometry& g) {
  const int64_t row_bits = g.input.width * g.input.pixel_bits();
  AreaEstimate area = counter(g.groups);
  area += {.lut = 2, .ff = 1};
  area += counter(g.out_groups);  // kept even where nobody reads it, as in a window
  if (g.flush)
    area += {.lut = 1, .ff = 1};
  std::vector<bool> read(static_cast<size_t>(g.span_groups * g.input.rows), false);
  std::fill_n(read.begin() + g.skip, g.region_rows, true);
  const std::vector<bool> live = live_places(std::move(read), g.input.rows);
  area.ff += std::count(live.begin(), live.end(), true) * row_bits;
  if (g.window.pad_top == 0 && g.window.pad_bottom == 0)
    return area;
  // A LUT for each bit of a row that stands outside the map for some code of the counter, also
  // one that it never reaches.
  const int64_t codes = int64_t{1} << count_bits(g.out_groups);
  for (int64_t row = 0; row < g.region_rows; ++row) {
    bool is_masked = false;
    for (int64_t code = 0; code < codes; ++code) {
      const int64_t at = code * g.row_advance() + row - g.window.pad_top;
      is_masked |= at < 0 || at >= g.input.height;
    }
    area.lut += is_masked && g.out_groups > 1 ? row_bits : 0;
  }
  return area;
}

/// LUTs of choices among the places of a group by the bits of a counter, one bit of a word each:
/// rtl/mr_issue.sv. Four different places are a LUT, fewer where places give the same; of more than
/// 16 places each four have one in any case.
class ChoiceTrees {
public:
  int64_t luts(std::vector<int64_t> places) {
    int64_t first_level = 0;
    if (std::ssize(places) > 16) {
      first_level = ceil_divide(std::ssize(places), 4);
      places.resize(static_cast<size_t>(first_level));
      std::iota(places.begin(), places.end(), int64_t{0});
    }
    std::map<int64_t, BitId> names = {{RelayoutStage::Zero, ZeroBit}};
    std::vector<BitId> pattern;  // the same for choices that differ in nothing but names
    for (const int64_t place : places)
      pattern.push_back(
          names.try_emplace(place, static_cast<BitId>(names.size()) - 1).first->second);
    const auto [known, is_new] = known_.try_emplace(pattern, 0);
    if (is_new)
      known->second = count(pattern, static_cast<int>(std::ssize(names)) - 1);
    return first_level + known->second;
  }

private:
  static int64_t count(std::vector<BitId> level, int num_sources) {
    BitNetwork network;
    for (int i = 0; i < num_sources; ++i)
      network.source(0);  // these are the names of the pattern
    while (level.size() > 1) {
      const BitId control = network.source(0);
      std::vector<BitId> next;
      for (size_t i = 0; i < level.size(); i += 2)
        next.push_back(i + 1 < level.size() ? network.choice(0, control, level[i + 1], level[i])
                                            : level[i]);
      level = std::move(next);
    }
    network.output(level.front(), 0);
    return network.area().lut;
  }

  std::map<std::vector<BitId>, int64_t> known_;
};

/// A bit of an element of a group's input beats, its sign repeated above: verilog/emit.cpp.
int64_t source_bit(const StreamType& input, const std::vector<int64_t>& bits, int64_t source,
                   int64_t bit) {
  if (source == RelayoutStage::Zero)
    return RelayoutStage::Zero;
  const int64_t channel = source % input.channels;
  const int64_t width = bits[static_cast<size_t>(channel)];
  if (bit >= width && (width == 0 || input.range(channel).lo >= 0))
    return RelayoutStage::Zero;
  return source * FixedType::MaxWidth + std::min(bit, width - 1);
}

/// rtl/mr_collect.sv and rtl/mr_issue.sv.
AreaEstimate relayout_area(const RelayoutStage& stage, const StreamType& output) {
  AreaEstimate area;
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
  const std::vector<int64_t> input_bits = channel_bits(stage.input);
  const std::vector<int64_t> output_bits = channel_bits(output);
  const auto elements = std::ssize(stage.sources) / stage.out_beats;
  int64_t kept_bits = 0;
  std::set<int64_t> kept;
  ChoiceTrees trees;
  for (int64_t element = 0; element < elements; ++element)
    for (int64_t bit = 0; bit < output_bits[static_cast<size_t>(element % output.channels)];
         ++bit) {
      std::vector<int64_t> of_beats;  // the bit that each gives
      for (int64_t beat = 0; beat < stage.out_beats; ++beat) {
        const int64_t source = stage.sources[static_cast<size_t>(beat * elements + element)];
        const int64_t given = source_bit(stage.input, input_bits, source, bit);
        if (given != RelayoutStage::Zero) {
          ++kept_bits;
          kept.insert(given);
        }
        // Places of a memory are different things even where they hold the same.
        of_beats.push_back(given == RelayoutStage::Zero || stage.depth == 1 ? given : beat);
      }
      area.lut += trees.luts(of_beats);
    }
  // What several beats give has one register: Yosys merges what is the same.
  if (stage.depth == 1)
    area.ff += std::ssize(kept);
  else
    area += memory(stage.depth, kept_bits);
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

AreaEstimate line_buffer_area(const WindowGeometry& geometry, bool block_ram) {
  const int64_t word_bits = geometry.input.lanes * geometry.input.pixel_bits();
  AreaEstimate area;
  for (int64_t bank = 1; bank < geometry.window.extent_h(); ++bank)
    area += block_ram ? AreaEstimate{.bram18 = block_rams(geometry.beats, word_bits)}
                      : memory(geometry.beats, word_bits);
  return area;
}

AreaEstimate& AreaEstimate::operator+=(const AreaEstimate& other) {
  lut += other.lut;
  ff += other.ff;
  dsp += other.dsp;
  bram18 += other.bram18;
  return *this;
}

AreaEstimate estimate_area(const Circuit& circuit, const Stage& stage) {
  AreaEstimate area = std::visit(
      graph::Overloaded{[&](const WindowStage& s) {
                          return window_area(s.geometry, s.block_ram,
                                             read_elements(circuit, stage, s.geometry));
                        },
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
