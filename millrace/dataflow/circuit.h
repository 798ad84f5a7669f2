// SPDX-License-Identifier: Apache-2.0
// The circuit: stages joined by streams, without cycles. Nothing here is text; verilog/ prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/dataflow/accumulate.h"
#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/relayout.h"
#include "millrace/dataflow/row_window_geometry.h"
#include "millrace/dataflow/stream.h"
#include "millrace/dataflow/window_geometry.h"

namespace millrace::dataflow {

/// Collects sliding windows from a stream: rtl/mr_window.sv. Its output beat holds, for each of
/// the kernel's rows, the `span` adjacent pixels that the windows of all output lanes cover.
struct WindowStage {
  WindowGeometry geometry;
  std::vector<int64_t> padding;  ///< raw integer that stands for padding, one a channel
  bool block_ram = false;        ///< line buffers in block RAM
};

/// The same for streams of several rows a beat: rtl/mr_row_window.sv. Its output beat holds the
/// `region_rows` adjacent rows that the windows of all output rows cover, as wide as the map.
struct RowWindowStage {
  RowWindowGeometry geometry;
  std::vector<int64_t> padding;
};

/// Computes a result beat from each beat, by one datapath for all lanes: lanes that read the same
/// pixels share what they have in common. Several input streams are joined, beat by beat.
///
/// Inputs   for each stream the elements of its beat, behind a window those of the region that it
///          covers; elements that are always 0 have no input. Outputs: the elements of the result.
struct MapStage {
  Datapath datapath;
};

using StageKind =
    std::variant<WindowStage, RowWindowStage, MapStage, AccumulateStage, RelayoutStage>;

/// Names a stream of a circuit: its inputs come first, then the output of each stage.
using StreamId = int;

/// Keeps the beats of one side of a join until the other sides have theirs: rtl/mr_join_buffer.sv.
struct JoinBuffer {
  int64_t depth = 0;   ///< beats
  bool bypass = true;  ///< a beat may pass in the cycle of its arrival
};

/// One step of the circuit.
struct Stage {
  std::string name;                 ///< the user's layer name, unique together with the kind
  std::vector<std::string> layers;  ///< names of the operations that it computes
  StageKind kind;
  std::vector<StreamId> inputs = {};     ///< several only for a map
  std::vector<JoinBuffer> buffers = {};  ///< one for each of several inputs
  StreamType output;       ///< the map that leaves (behind a window: the map of windows)
  int latency_cycles = 0;  ///< from the beat that completes an output beat to that beat
};

/// "window", "map", "accumulate" or "relayout".
std::string_view kind_name(const StageKind& kind);

/// A stream that enters or leaves the circuit.
struct Port {
  std::string name;  ///< a SystemVerilog identifier
  StreamId stream = 0;
  StreamType type;
};

struct Circuit {
  std::string name;  ///< a SystemVerilog identifier: the top module's name
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::vector<Stage> stages;
  double clock_ns = 5;
  /// From the first beat of a frame to that of the next, at full rate. Where that is more than the
  /// longest input's beats, the rest must pass behind the last beat of every frame.
  int64_t interval_cycles = 0;

  StreamId stream_of(size_t stage) const { return static_cast<StreamId>(inputs.size() + stage); }
  const StreamType& stream(StreamId id) const {
    const auto index = static_cast<size_t>(id);
    return index < inputs.size() ? inputs[index].type : stages[index - inputs.size()].output;
  }
};

}  // namespace millrace::dataflow
