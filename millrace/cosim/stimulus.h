// SPDX-License-Identifier: Apache-2.0
// The two text files between Millrace and a running simulation: what to drive, and what came out.
//
//   stimulus   first line: FRAMES BEATS OUTPUT_BEATS STALL_CYCLES TAIL_CYCLES SEED
//                OUTPUT_BEATS of all frames together; STALL_CYCLES without any beat in or out end
//                the run; TAIL_CYCLES more are driven after the last output, for surplus ones
//              then a line for each beat: GAP FIRST NEEDED DATA
//                GAP idle cycles before it; FIRST is 1 in a frame's first beat; it waits until
//                NEEDED output beats have come; DATA hexadecimal
//   record     "in CYCLE" for each frame's first beat, "out CYCLE DATA" for each output beat, in
//              the order of the cycles (in before out), and "end" when the simulation came to its
//              own end. A four-state simulator writes "out CYCLE DATA UNDEFINED": the undefined
//              bits, which are 0 in DATA
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/cosim/simulate.h"

namespace millrace::cosim {

/// The stimulus file's text for `frames`.
std::string make_stimulus(const Design& design, const std::vector<IntTensor>& frames,
                          Arrival arrival, uint64_t seed);

/// Reads the record of a run that was fed `num_frames` frames.
/// Errors   those of Simulation::run() about output beats; a damaged record.
Result<Measurement> read_record(const Design& design, size_t num_frames, std::string_view record);

}  // namespace millrace::cosim
