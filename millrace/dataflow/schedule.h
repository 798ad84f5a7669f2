// SPDX-License-Identifier: Apache-2.0
// When everything happens: the exact cycle of every beat at full input rate, from the stages'
// timing contracts, without simulation.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "millrace/dataflow/circuit.h"

namespace millrace::dataflow {

/// What one stage does in one frame. Cycle 0 is the frame's first input beat.
struct StageTimes {
  std::string name;
  std::string kind;
  int64_t first_in = 0, last_in = 0;    ///< cycles of the first and last beat that arrive
  int64_t first_out = 0, last_out = 0;  ///< cycles of the first and last beat that leave
  int64_t beats_out = 0;                ///< beats that leave, a frame
};

struct Schedule {
  int64_t latency_cycles = 0;   ///< first beat in to last output beat out, as cosim/ counts it
  int64_t interval_cycles = 0;  ///< first beat of a frame to first beat of the next
  std::vector<StageTimes> stages;
};

/// Computes the schedule of a circuit fed back to back.
/// Errors   InternalError when two beats would leave a stage in the same cycle: a planner's fault.
Schedule schedule(const Circuit& circuit);

/// What `plan.json` says of a circuit and its schedule: lanes, clock_ns, latency_cycles,
/// interval_cycles, latency_ns, input and output streams, stages with times, widths and sizes.
nlohmann::ordered_json to_json(const Circuit& circuit, const Schedule& schedule);
/// Reads a stream's description back from plan.json.
Result<StreamType> stream_from_json(const nlohmann::ordered_json& json);

}  // namespace millrace::dataflow
