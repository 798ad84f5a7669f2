// SPDX-License-Identifier: Apache-2.0
// The circuit: a chain of stages joined by streams. Nothing here is text; verilog/ prints it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

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

/// A dense layer over a streamed map: adds up each beat's products as it arrives and gives one
/// vector a frame.
///
/// The datapath's inputs are the beat's elements, then one weight for each (element, output), in
/// row-major order; its outputs are the beat's sums.
struct AccumulateStage {
  Datapath products;
  std::vector<FixedType> weight_types;        ///< of each (element, output), over all beats
  std::vector<std::vector<int64_t>> weights;  ///< for each beat: elements x outputs, row-major
  std::vector<Int128> bias;                   ///< one an output: where the sums start
  FixedType sum_type;  ///< holds every final sum; partial sums may wrap and wrap back
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
