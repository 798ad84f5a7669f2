// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/accumulate_cost.h"

#include <algorithm>
#include <set>

#include "millrace/dataflow/datapath_area.h"
#include "millrace/support/ceil_divide.h"

namespace millrace::dataflow {
namespace {

int64_t code_bits(int64_t codes) {
  return narrowest_type(0, codes - 1, 0).value().width;
}

/// So many registers in a line that nobody reads in between become a shift register, in a LUT.
constexpr int ShiftRegisterCycles = 3;

/// Adds the registers in which `width` bits wait from one of these cycles to the next, from cycle
/// `from` on.
void add_waiting(AccumulateCost& cost, int64_t width, int from, const std::set<int>& cycles) {
  for (const int cycle : cycles) {
    const int waits = cycle - from;
    (waits >= ShiftRegisterCycles ? cost.lut : cost.flip_flops) +=
        waits >= ShiftRegisterCycles ? width : width * waits;
    from = cycle;
  }
}

/// LUTs of a memory with so many lines.
int64_t memory_luts(const AccumulateStage& stage, int64_t lines) {
  const int64_t blocks = ceil_divide(stage.steps(), 64);
  return lines * (blocks + (blocks > 4 ? 1 + ceil_divide(ceil_divide(blocks, 4), 4) : 0));
}

/// DSP blocks, their weights, and what waits in front of them.
void add_blocks(AccumulateCost& cost, const AccumulateStage& stage) {
  cost.dsp += count_blocks(stage.chains);
  std::vector<std::set<int>> delays(stage.chunk.size());
  for (const DspChain& chain : stage.chains)
    for (size_t i = 0; i < chain.blocks.size(); ++i)
      delays[chain.blocks[i].place].insert(block_delay(stage.chains, chain, i));
  for (size_t place = 0; place < delays.size(); ++place)
    add_waiting(cost, beat_width(stage.chunk[place].range), 0, delays[place]);
  std::set<int> reads;
  for (int delay = 0; delay < cascade_depth(stage.chains); ++delay)
    if (const auto lines = std::ssize(dsp_weights(stage.chains, delay).lines); lines > 0) {
      cost.lut += memory_luts(stage, lines);
      reads.insert(delay + 1);
    }
  add_waiting(cost, code_bits(stage.steps()), 0, reads);
}

}  // namespace

AccumulateCost accumulate_cost(const AccumulateStage& stage) {
  AccumulateCost cost;
  // The weights' lines stand in a register; what chains of blocks give does not.
  const BitNetworkArea products =
      stage.chains.empty()
          ? datapath_area(stage.products, static_cast<int>(std::ssize(stage.chunk)))
          : datapath_area(stage.products);
  cost.lut += products.lut;
  cost.flip_flops += products.ff;
  const auto outputs = std::ssize(stage.bias);
  const int64_t sum_bits = outputs * stage.sum_type.width;
  cost.lut += sum_bits;
  cost.flip_flops += sum_bits;

  cost.lut += memory_luts(stage, std::ssize(stage.lines));
  add_blocks(cost, stage);

  for (const ChunkPlace& place : stage.chunk) {
    const auto choices = std::count_if(place.elements.begin(), place.elements.end(),
                                       [](int element) { return element >= 0; });
    if (choices > 1)
      cost.lut += beat_width(place.range) * ceil_divide(choices, 4);
    for (size_t phase = 1; phase < place.elements.size() && !stage.held; ++phase)
      if (place.elements[phase] >= 0)
        cost.flip_flops += beat_width(stage.elements[static_cast<size_t>(place.elements[phase])]);
  }
  const int64_t position =
      code_bits(stage.steps()) + (stage.phases > 1 ? code_bits(stage.phases) : 0);
  cost.lut += 2 * position + 2;
  cost.flip_flops += position + 3 * products_latency_cycles(stage) + 1;
  return cost;
}

}  // namespace millrace::dataflow
