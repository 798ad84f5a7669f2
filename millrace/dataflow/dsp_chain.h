// SPDX-License-Identifier: Apache-2.0
// Multiplication by weights that change, in DSP blocks: which products go into which block, and
// two that share a factor into one. docs/decisions/0016-dsp-blocks.md tells why.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/adders/matrix.h"
#include "millrace/dataflow/block_use.h"
#include "millrace/support/diagnostics.h"

namespace millrace::dataflow {

/// Widths of a DSP48E2's operands, both signed.
constexpr int DspFactorBits = 18;
constexpr int DspWeightBits = 27;
/// Blocks of a chain, at most: each one more is a cycle of latency for the whole product, and each
/// chain more of a result an adder. The pixels of a 3x3 kernel fit one chain.
constexpr int MaxChainBlocks = 9;
/// A DSP48E2 with all its registers runs faster than this in every speed grade.
constexpr double LeastDspClockNs = 2;

/// A block: multiplies what stands in a place of the chunk by a weight of each step.
struct DspBlock {
  size_t place = 0;
  /// One for each step. Of a packed chain: high << low_bits, plus low.
  std::vector<int64_t> weights;
};

/// The sum of some places' products for a result, or, packed, for two: each block multiplies by
/// high * 2^low_bits + low, and the sum falls into two fields. A negative sum in the low field has
/// borrowed a one from the high field: rtl/mr_dsp_chain.sv, and what is done with its sum.
struct DspChain {
  std::vector<DspBlock> blocks;
  int low_result = 0;
  int high_result = -1;  ///< -1: not packed
  adders::Range low;     ///< of the low result's sum, over all steps
  adders::Range high;    ///< of the high field: of the high result's sum less what is borrowed

  bool is_packed() const { return high_result >= 0; }
  /// Of the low field, which holds the whole range of its sum.
  int low_bits() const;
  /// True where sums in the low field can be negative.
  bool borrows() const { return is_packed() && low.lo < 0; }
  /// Of both fields.
  int sum_bits() const;
};

/// A matrix product as chains see it: what is multiplied by what at each step.
struct DspRequest {
  int results = 0;
  size_t places = 0;
  int64_t steps = 0;
  std::function<int64_t(int result, size_t place, int64_t step)> weight;
  /// Of the element that stands in the place at the step; one whose weights are 0 does not count.
  std::function<adders::Range(size_t place, int64_t step)> range;
};

/// Chains that make up the product: neighbouring results are packed where all their products fit,
/// and a chain ends where the low field would not hold its sum. None where an operand does not fit
/// a block.
std::optional<std::vector<DspChain>> make_dsp_chains(const DspRequest& request);

/// What a chain gives for a step: the low field, of a packed one then the high field, and where it
/// borrows() then 1 if the low field has.
std::vector<Int128> evaluate(const DspChain& chain, std::span<const Int128> places, int64_t step);

/// Blocks of the longest chain. All chains end in the same cycle; in those of fewer blocks the
/// first begins later.
int cascade_depth(std::span<const DspChain> chains);
/// Cycles from the elements to the sums of the chains: 0 where there are none.
int cascade_latency_cycles(std::span<const DspChain> chains);
/// DSP blocks.
int64_t count_blocks(std::span<const DspChain> chains);
/// Cycles that block `index` of the chain waits for its operands.
int block_delay(std::span<const DspChain> chains, const DspChain& chain, size_t index);
/// Operand widths of a chain's blocks, all as wide as the widest.
int weight_bits(const DspChain& chain);

/// The memory of the weights that blocks read with the same delay.
struct DspWeights {
  /// A bit of a weight: a line of the memory, or a constant.
  struct Bit {
    int line = -1;
    bool value = false;  ///< where there is no line
  };
  std::vector<std::vector<bool>> lines;  ///< one bit for each step
  /// For each chain that has such a block the bits of its weight, lowest first; else none.
  std::vector<std::vector<Bit>> bits;
};

/// The weights of the blocks that wait for `delay` cycles. Lines that are equal are one.
DspWeights dsp_weights(std::span<const DspChain> chains, int delay);

/// True for families whose DSP blocks rtl/mr_dsp_chain.sv is written for.
bool has_dsp_blocks(std::string_view family);

/// Refuses the other families; `where` names the option.
Status check_dsp_blocks(const std::string& family, const std::string& where);

}  // namespace millrace::dataflow
