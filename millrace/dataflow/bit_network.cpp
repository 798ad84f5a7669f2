// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/bit_network.h"

#include <algorithm>
#include <set>

namespace millrace::dataflow {
namespace {

constexpr size_t LutInputs = 6;

/// So many registers in a line that nobody reads in between become a shift register: Yosys'
/// `xilinx_srl -fixed -minlen 3`.
constexpr int ShiftRegisterCycles = 3;

/// Shift registers hold up to 32 bits in a LUT; 1 more after a whole LUT, or half of one, is a
/// register: xilinx/cells_map.v of Yosys 0.23.
BitNetworkArea line_of_registers(int cycles) {
  if (cycles < ShiftRegisterCycles)
    return {0, cycles};
  const bool rest_is_one = cycles == 17 || cycles % 32 == 1;
  return {(cycles - (rest_is_one ? 1 : 0) + 31) / 32, rest_is_one ? 1 : 0};
}

/// LUTs of a function of so many bits: beyond six, one more for each five.
int64_t function_luts(size_t inputs) {
  if (inputs <= LutInputs)
    return inputs > 0 ? 1 : 0;
  return static_cast<int64_t>((inputs - 1 + LutInputs - 2) / (LutInputs - 1));
}

/// A signal as it is read in a later or in its own cycle.
using Place = std::pair<BitId, int>;  // and the cycles waited

}  // namespace

BitId BitNetwork::append(Signal signal) {
  signals_.push_back(std::move(signal));
  return static_cast<BitId>(signals_.size()) - 1;
}

BitId BitNetwork::source(int cycle) {
  return append({.kind = Kind::Source, .cycle = cycle, .luts = 0, .inputs = {}});
}

BitId BitNetwork::logic(int cycle, std::vector<BitId> inputs) {
  std::erase_if(inputs, [](BitId bit) { return bit < 0; });
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  if (inputs.empty())
    return ZeroBit;
  return append({.kind = Kind::Logic, .cycle = cycle, .luts = 0, .inputs = std::move(inputs)});
}

BitId BitNetwork::cell(int cycle, std::vector<BitId> inputs, int luts) {
  std::erase_if(inputs, [](BitId bit) { return bit < 0; });
  return append({.kind = Kind::Cell, .cycle = cycle, .luts = luts, .inputs = std::move(inputs)});
}

BitId BitNetwork::choice(int cycle, BitId control, BitId then, BitId otherwise) {
  if (then == otherwise || control == OneBit)
    return then;
  if (control == ZeroBit)
    return otherwise;
  if (then == OneBit && otherwise == ZeroBit)
    return control;
  return logic(cycle, {control, then, otherwise});
}

BitId BitNetwork::cleared(int cycle, BitId control, BitId x) {
  if (x == ZeroBit || control == OneBit)
    return ZeroBit;
  if (control == ZeroBit)
    return x;
  if (x == OneBit)
    return logic(cycle, {control});
  return append({.kind = Kind::Cleared, .cycle = cycle, .luts = 0, .inputs = {control, x}});
}

BitId BitNetwork::reduced(int cycle, std::vector<BitId> inputs) {
  std::erase_if(inputs, [](BitId bit) { return bit < 0; });
  while (inputs.size() > LutInputs) {
    std::vector<BitId> next;
    for (size_t begin = 0; begin < inputs.size(); begin += LutInputs) {
      const size_t end = std::min(begin + LutInputs, inputs.size());
      const auto at = [&](size_t i) { return inputs.begin() + static_cast<std::ptrdiff_t>(i); };
      next.push_back(end - begin == 1 ? inputs[begin] : logic(cycle, {at(begin), at(end)}));
    }
    inputs = std::move(next);
  }
  return inputs.size() == 1 ? inputs.front() : logic(cycle, std::move(inputs));
}

void BitNetwork::output(BitId bit, int cycle) {
  if (bit >= 0)
    outputs_.emplace_back(bit, cycle);
}

BitNetworkArea BitNetwork::area() const {
  const size_t count = signals_.size();
  std::vector<std::set<int>> reads(count);  // the later cycles in which each is read
  std::vector<bool> live(count, false);
  std::vector<bool> kept(count, false);            // has a LUT of its own in any case
  std::vector<bool> leaves(count, false);          // as it is, in its own cycle
  std::vector<std::vector<BitId>> readers(count);  // logic in the same cycle
  const auto read = [&](BitId bit, int cycle) {
    const auto index = static_cast<size_t>(bit);
    live[index] = true;
    if (cycle > signals_[index].cycle) {
      reads[index].insert(cycle);
      kept[index] = true;
    }
  };
  for (const auto& [bit, cycle] : outputs_) {
    read(bit, cycle);
    kept[static_cast<size_t>(bit)] = true;
    if (signals_[static_cast<size_t>(bit)].cycle == cycle)
      leaves[static_cast<size_t>(bit)] = true;
  }
  std::vector<bool> by_reset(count, false);
  std::vector<std::set<Place>> supports(count);
  BitNetworkArea total;
  for (size_t i = count; i-- > 0;) {
    if (!live[i])
      continue;
    const Signal& signal = signals_[i];
    by_reset[i] = signal.kind == Kind::Cleared && readers[i].empty() && !leaves[i];
    const bool is_function =
        (signal.kind == Kind::Logic || signal.kind == Kind::Cleared) && !by_reset[i];
    for (const BitId input : signal.inputs) {
      const auto index = static_cast<size_t>(input);
      read(input, signal.cycle);
      if (signal.cycle > signals_[index].cycle) {
        if (is_function)
          supports[i].emplace(input, signal.cycle - signals_[index].cycle);
        continue;
      }
      if (is_function) {
        supports[i].emplace(input, 0);
        readers[index].push_back(static_cast<BitId>(i));
      } else {
        kept[index] = true;
        leaves[index] = true;
      }
    }
    if (signal.kind == Kind::Cell)
      total.lut += signal.luts;
    // Registers.
    int from = signal.cycle;
    bool is_first = by_reset[i];
    for (const int cycle : reads[i]) {
      if (is_first) {  // a register with a reset is no part of a shift register
        ++total.ff;
        ++from;
        is_first = false;
      }
      const BitNetworkArea line = line_of_registers(cycle - from);
      total.lut += line.lut;
      total.ff += line.ff;
      from = cycle;
    }
  }
  // LUTs: functions move into their readers where all of these have room.
  for (size_t i = 0; i < count; ++i) {
    if (supports[i].empty())
      continue;
    const Place place{static_cast<BitId>(i), 0};
    bool can_move = !kept[i] && !readers[i].empty();
    for (const BitId reader : readers[i]) {
      if (!can_move)
        break;
      std::set<Place> merged = supports[static_cast<size_t>(reader)];
      merged.erase(place);
      merged.insert(supports[i].begin(), supports[i].end());
      can_move = merged.size() <= LutInputs;
    }
    if (!can_move) {
      total.lut += function_luts(supports[i].size());
      continue;
    }
    for (const BitId reader : readers[i]) {
      std::set<Place>& support = supports[static_cast<size_t>(reader)];
      support.erase(place);
      for (const Place& input : supports[i])
        if (support.insert(input).second && input.second == 0)
          readers[static_cast<size_t>(input.first)].push_back(reader);
    }
  }
  return total;
}

}  // namespace millrace::dataflow
