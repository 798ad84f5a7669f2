// SPDX-License-Identifier: Apache-2.0
// The circuit: a chain of stages joined by streams. Nothing here is text; verilog/ prints it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "millrace/dataflow/accumulate.h"
#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/stream.h"
#include "millrace/dataflow/window_geometry.h"

namespace millrace::dataflow {

/// Collects sliding windows from a stream: rtl/mr_window.sv. Its output beat holds, for each of
/// the kernel's rows, the `span` adjacent pixels that the windows of all output lanes cover.
struct WindowStage {
  WindowGeometry geometry;
  int64_t pad_raw = 0;  ///< raw integer that stands for padding
};

/// Computes a result beat from each beat, by one datapath for all lanes: lanes that read the same
/// pixels share what they have in common.
///
/// Inputs   behind a window: the kernel_h x span x channels elements of its beat, row-major; behind
///          anything else: the beat's lanes x channels. Outputs: the result's lanes x channels.
struct MapStage {
  Datapath datapath;
};

using StageKind = std::variant<WindowStage, MapStage, AccumulateStage>;

/// One step of the circuit.
struct Stage {
  std::string name;                 ///< the user's layer name, unique together with the kind
  std::vector<std::string> layers;  ///< names of the operations that it computes
  StageKind kind;
  StreamType output;       ///< the map that leaves (behind a window: the map of windows)
  int latency_cycles = 0;  ///< from the beat that completes an output beat to that beat
};

/// "window", "map" or "accumulate".
std::string_view kind_name(const StageKind& kind);

struct Circuit {
  std::string name;  ///< a SystemVerilog identifier: the top module's name
  StreamType input;
  StreamType output;
  std::vector<Stage> stages;
  double clock_ns = 5;
};

}  // namespace millrace::dataflow
