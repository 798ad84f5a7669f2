// SPDX-License-Identifier: Apache-2.0
// Runs a generated circuit in a simulator, frame by frame, and measures its cycles.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/dataflow/stream.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::cosim {

/// A stream into a circuit, by PREFIX_valid_i and PREFIX_data_i [stream.beat_bits()-1:0], or out
/// of it, by PREFIX_valid_o and PREFIX_data_o.
struct Port {
  std::string prefix;  ///< "in" or "out"; "in_NAME" or "out_NAME" where there are several
  dataflow::StreamType stream;
};

/// A circuit to simulate: a module with the ports of the fixed-latency wrapper
///
///   clk_i, rst_i (synchronous, active high), and those of each input and output.
struct Design {
  std::vector<std::filesystem::path> sources;       ///< in compilation order
  std::vector<std::filesystem::path> include_dirs;  ///< for `include
  std::string top;
  std::vector<Port> inputs;  ///< one or more
  std::vector<Port> outputs;
  int64_t interval_cycles = 0;  ///< from frame to frame; 0: the beats of the longest input
  bool is_netlist = false;  ///< other people's code within: the simulator's warnings do not count
};

/// The same circuit after synthesis: `netlist` instantiates the cells modelled in `cell_models`.
Design netlist_design(const Design& design, const std::filesystem::path& netlist,
                      const std::filesystem::path& cell_models);

enum class Simulator { Verilator, Icarus };

/// "verilator", "icarus".
std::string_view to_string(Simulator simulator);

/// How beats arrive. However they do, a frame of an input begins at least
/// Design::interval_cycles after the one before began, and only when the frame before is in at
/// every input.
enum class Arrival {
  /// A frame at all inputs every Design::interval_cycles; within it a beat every cycle.
  BackToBack,
  /// Idle cycles of random number between beats, within frames and between them, at each input by
  /// itself: inputs begin and end a frame at different times.
  RandomGaps,
  /// As back to back, but each frame waits until the answer to the one before has left.
  Alone,
};

/// Tensors of raw integers, by frame and by the number of the input or output.
using Frames = std::vector<std::vector<IntTensor>>;

/// The frames of a circuit with one input.
Frames frames_of_one_input(std::vector<IntTensor> tensors);

/// What a run of frames showed.
///
/// Units    cycle t is the one that ends with clock edge t. A beat goes in or out in cycle t when
///          its valid signal is high just before edge t.
struct Measurement {
  Frames outputs;                 ///< raw integers, height x width x channels
  std::vector<int64_t> first_in;  ///< cycle in which each frame's first beat went in, at any input
  std::vector<std::vector<int64_t>> last_out;  ///< cycle of the last beat, by frame and output

  /// Cycles from a frame's first beat in to an output's last beat: 0 when a path has no register,
  /// 1 with one register.
  int64_t latency_cycles(size_t frame, size_t output) const {
    return last_out[frame][output] - first_in[frame];
  }
  /// The same to the last beat of all outputs.
  int64_t latency_cycles(size_t frame) const;
  /// The latency, when all frames have the same.
  std::optional<int64_t> latency_cycles() const;
  /// The cycles from frame to frame, when they are the same for all neighbours both at the input
  /// and at every output. No value for fewer than two frames.
  std::optional<int64_t> interval_cycles() const;
};

/// A circuit built for a simulator, ready to run.
class Simulation {
public:
  /// Compiles the design in `work_dir` (made if missing). What depends on the simulator alone is
  /// kept in the user's cache directory, and the design's own objects in ccache where it is
  /// installed, so that the same circuit builds again in a fraction of a second.
  /// Errors   the simulator is missing (with the package to install); it refuses the sources, or
  ///          warns about them.
  static Result<Simulation> build(const Design& design, Simulator simulator,
                                  const std::filesystem::path& work_dir);

  /// Feeds `frames` and collects every output. The seed chooses the gaps, the state that the
  /// registers wake up in, and what the data lines carry where the circuit must not look: while
  /// an input's valid is low, in the lanes behind a row's end, and in rows behind the map's end.
  ///
  /// Shapes   a tensor for each input; it has stream.num_elements() raw integers, in HWC order.
  /// Errors   fewer or more output beats than the frames need; an output before its input; an
  ///          undefined output bit (Icarus); an assertion in the circuit fails.
  Result<Measurement> run(const Frames& frames, Arrival arrival, uint64_t seed,
                          const ProgressFunction& progress = {}) const;

private:
  Simulation() = default;

  Design design_;
  Simulator simulator_ = Simulator::Verilator;
  std::filesystem::path work_dir_;
  std::filesystem::path program_;
};

}  // namespace millrace::cosim
