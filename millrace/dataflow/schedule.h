// SPDX-License-Identifier: Apache-2.0
// When every beat leaves every stage, by computation: each kind of stage has a timing contract, and
// the cycles of its output beats are sums and maxima of those of its input beats.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "millrace/dataflow/circuit.h"

namespace millrace::dataflow {

/// The cycle in which each beat of a stream is there, frame after frame.
using Cycles = std::vector<int64_t>;

/// What one stage does in one frame. Cycle 0 is the frame's first input beat.
struct StageTimes {
  std::string name;
  std::string kind;
  int64_t first_in = 0, last_in = 0;    ///< cycles of the first and last beat that arrive
  int64_t first_out = 0, last_out = 0;  ///< cycles of the first and last beat that leave
  int64_t beats_out = 0;                ///< beats that leave, a frame
  double utilisation = 0;  ///< share of the interval in which it takes or works on beats
};

struct Schedule {
  int64_t latency_cycles = 0;   ///< first beat in to last output beat out, as cosim/ counts it
  int64_t interval_cycles = 0;  ///< first beat of a frame to first beat of the next
  std::vector<StageTimes> stages;
};

/// The contract of a stage: when its beats leave, given when those of each input arrive.
///
/// Shapes   `inputs`: one for each of the stage's inputs, whole frames; the result: whole frames.
Cycles stage_times(const Stage& stage, const std::vector<const Cycles*>& inputs);

/// The fewest cycles from a beat of a stage's output to the next, whatever gaps its inputs have,
/// given the same of each input.
int64_t least_gap(const Stage& stage, std::span<const int64_t> input_gaps);

/// Completes a circuit: the shortest interval at which frames do not disturb each other, and the
/// fewest places of each buffer with which no beat is lost, whatever gaps the input has.
///
/// Source   docs/rationale/streaming.md: full rate and endless gaps are the two worst cases.
void size_buffers(Circuit& circuit);

/// Computes the schedule of a complete circuit fed back to back.
/// Errors   InternalError when two beats would leave a stage in the same cycle: a planner's fault.
Schedule schedule(const Circuit& circuit);

}  // namespace millrace::dataflow
