// SPDX-License-Identifier: Apache-2.0
// The two text files between Millrace and a running simulation: what to drive, and what came out.
// PORT is the number of an input or output in Design.
//
//   stimulus   first line: FRAMES BEATS OUTPUT_BEATS STALL_CYCLES TAIL_CYCLES SEED
//                BEATS and OUTPUT_BEATS of all frames and ports together; STALL_CYCLES without any
//                beat in or out end the run; TAIL_CYCLES more are driven after the last output, for
//                surplus ones
//              then a line for each beat: GAP PORT FIRST NEEDED DATA
//                GAP cycles at least after the beat of the line before, 0 for the same cycle;
//                FIRST is 1 in the first beat of a frame at its input; it waits until NEEDED
//                output beats have come; DATA hexadecimal
//   record     "in CYCLE PORT" for the first beat of each frame at each input,
//              "out CYCLE PORT DATA" for each output beat, in the order of the cycles (in before
//              out), and "end" when the simulation came to its own end. A four-state simulator
//              writes "out CYCLE PORT DATA UNDEFINED": the undefined bits, which are 0 in DATA
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/cosim/simulate.h"

namespace millrace::cosim {

/// The stimulus file's text for `frames`.
/// Errors   InternalError when a frame does not fit the inputs, or an input has more beats than
///          Design::interval_cycles.
std::string make_stimulus(const Design& design, const Frames& frames, Arrival arrival,
                          uint64_t seed);

/// Reads the record of a run that was fed `num_frames` frames.
/// Errors   those of Simulation::run() about output beats; a damaged record.
Result<Measurement> read_record(const Design& design, size_t num_frames, std::string_view record);

}  // namespace millrace::cosim
