// SPDX-License-Identifier: Apache-2.0
// What plan.json says of a circuit.
#pragma once

#include <nlohmann/json.hpp>

#include "millrace/dataflow/schedule.h"
#include "millrace/support/diagnostics.h"

namespace millrace::dataflow {

/// A circuit and its schedule: lanes, clock_ns, latency_cycles, interval_cycles, latency_ns, input
/// and output streams, stages with their sources, times and sizes.
nlohmann::ordered_json to_json(const Circuit& circuit, const Schedule& schedule);

/// Reads a stream's description back from plan.json.
/// Errors   a field that is missing or out of range.
Result<StreamType> stream_from_json(const nlohmann::ordered_json& json);

}  // namespace millrace::dataflow
