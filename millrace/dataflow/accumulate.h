// SPDX-License-Identifier: Apache-2.0
// Matrix products whose multipliers are shared over time: weights come from a ROM, step by step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "millrace/adders/matrix.h"
#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/dsp_chain.h"
#include "millrace/dataflow/shared_windows.h"

namespace millrace::dataflow {

/// A place among those that are multiplied in one cycle.
struct ChunkPlace {
  adders::Range range;        ///< of all elements that ever stand there
  std::vector<int> elements;  ///< the beat's element that stands there in each phase, or -1
};

/// A matrix product: adds up the products of some beats and gives one vector for them all.
///
/// A beat is worked on for `phases` cycles, its phases, of which the first is that of its arrival;
/// in each a chunk of its elements is multiplied. The phases of all beats of a result, one after
/// the other, are its steps. Beats arrive at least `phases` cycles apart.
///
/// The datapath's inputs are the chunk's places, then one bit for each of `lines`; or, where DSP
/// blocks multiply, what their chains give. Its outputs are the sums of the step, one for each
/// result, and then one bit for each result: what its sum lacks.
///
/// Layout   the beat's elements, the first lowest, each in the narrowest type that holds its range;
///          one of which nothing but 0 arrives has no bits. Results: sum_type each.
struct AccumulateStage {
  std::vector<adders::Range> elements;  ///< of a beat
  std::vector<ChunkPlace> chunk;
  int64_t beats = 1;  ///< that make up a result
  int phases = 1;
  bool held = false;                     ///< the data lines keep a beat for all its phases
  std::vector<DspChain> chains;          ///< of DSP blocks, in front of `products`; or none
  Datapath products;                     ///< of digit rows, or of sums of what the chains give
  std::vector<std::vector<bool>> lines;  ///< of the digits' ROM: one bit for each step
  std::vector<Int128> bias;              ///< one a result: where the sums start
  FixedType sum_type;  ///< holds every final sum; partial sums may wrap and wrap back

  int64_t steps() const { return beats * phases; }
};

/// What a matrix product is made from.
struct AccumulateRequest {
  LinearMap map;                        ///< rows: results
  std::vector<adders::Range> elements;  ///< of a beat: what arrives
  /// For each beat, and each of its elements, the column of the map; -1 where it does not count.
  std::vector<std::vector<int>> columns;
  FixedType sum_type;  ///< of the results, without fraction bits
  int phases = 1;
  bool held = false;  ///< the data lines keep a beat for all its phases
  DelayModel delays;
  double clock_ns = 5;
  double input_ready_ps = 0;  ///< when the beat settles after the clock edge
  BlockUse dsp = BlockUse::Never;
  int64_t luts_per_dsp = 120;  ///< with BlockUse::Auto: LUTs that a block must save
};

/// Multiplies by digits of the weights (see digit_rows.h), in chains of rows, or in DSP blocks (see
/// dsp_chain.h). Elements that no weight needs are left out, and the others cut into chunks of
/// equal size, in order.
///
/// Shapes   columns: beats x elements.
/// Errors   those of Datapath::pipeline().
Result<AccumulateStage> make_accumulate(const AccumulateRequest& request, const std::string& where);

/// Bits in which an element of this range arrives: none where it is always 0.
int beat_width(const adders::Range& range);

/// Multiplexer levels, of four inputs each, that choose the chunk of a phase.
int choice_levels(int phases);

/// Cycles from the elements of a step to its sums.
int products_latency_cycles(const AccumulateStage& stage);

/// Cycles from a result's last beat to the result.
int latency_cycles(const AccumulateStage& stage);

/// Rows of the products, whole and half ones.
int count_digit_rows(const AccumulateStage& stage);

/// Bits of weights that are read for a step.
int64_t count_weight_lines(const AccumulateStage& stage);

/// The result of some beats: the golden model of the emitted module.
///
/// Shapes   beats: stage.beats, each with all of a beat's elements, within their ranges.
std::vector<Int128> evaluate(const AccumulateStage& stage,
                             std::span<const std::vector<Int128>> beats);

}  // namespace millrace::dataflow
