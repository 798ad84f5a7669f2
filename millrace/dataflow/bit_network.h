// SPDX-License-Identifier: Apache-2.0
// A circuit without cycles, bit by bit, to count its LUTs and registers as a mapper would.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace millrace::dataflow {

/// Names a bit of a BitNetwork: a signal, or a constant.
using BitId = int;
constexpr BitId ZeroBit = -1;
constexpr BitId OneBit = -2;

/// What a BitNetwork takes.
struct BitNetworkArea {
  int64_t lut = 0;
  int64_t ff = 0;
};

/// Signals of one bit, each with the cycle in which it is computed. What is read in a later cycle
/// than its own passes through registers, one line of them for all its readers.
class BitNetwork {
public:
  /// A signal that comes from elsewhere.
  BitId source(int cycle);
  /// A function of some bits, in LUTs. It has no LUT of its own where all of its readers can
  /// compute it in theirs.
  BitId logic(int cycle, std::vector<BitId> inputs);
  /// An output of a primitive, or of a carry chain: it reads its inputs as they are. `luts` are
  /// those that stand in front of it and do not depend on the inputs.
  BitId cell(int cycle, std::vector<BitId> inputs, int luts = 0);
  /// The function of 3 bits that is one of two.
  BitId choice(int cycle, BitId control, BitId then, BitId otherwise);
  /// `x` where `control` is 0, else 0. The registers behind it do that by their reset.
  BitId cleared(int cycle, BitId control, BitId x);
  /// The `and` or `or` of some bits, in LUTs of six inputs.
  BitId reduced(int cycle, std::vector<BitId> inputs);

  /// Notes that somebody outside reads a bit in a cycle.
  void output(BitId bit, int cycle);

  /// Counts what the outputs depend on.
  BitNetworkArea area() const;

private:
  enum class Kind { Source, Cell, Logic, Cleared };
  struct Signal {
    Kind kind = Kind::Source;
    int cycle = 0;
    int luts = 0;  // of a cell
    std::vector<BitId> inputs;
  };
  BitId append(Signal signal);

  std::vector<Signal> signals_;
  std::vector<std::pair<BitId, int>> outputs_;  // and the cycle
};

}  // namespace millrace::dataflow
