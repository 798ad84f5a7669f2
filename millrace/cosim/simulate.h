// SPDX-License-Identifier: Apache-2.0
// Runs a generated circuit in a simulator, frame by frame, and measures its cycles.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "millrace/dataflow/stream.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::cosim {

/// A circuit to simulate: a module with the ports of the fixed-latency wrapper
/// (clk_i, rst_i, in_valid_i, in_data_i, out_valid_o, out_data_o).
struct Design {
  std::vector<std::filesystem::path> sources;      ///< in compilation order
  std::vector<std::filesystem::path> include_dirs; ///< for `include
  std::string top;
  dataflow::StreamType input;
  dataflow::StreamType output;
};

enum class Simulator { Verilator, Icarus };

/// How beats arrive.
enum class Arrival {
  BackToBack,  ///< one every cycle, frame after frame
  RandomGaps,  ///< idle cycles of random number between beats, within frames and between them
  Alone,       ///< each frame waits until the answer to the one before has left
};

/// What a run of frames showed.
struct Measurement {
  std::vector<IntTensor> outputs;  ///< one a frame: raw integers, HWC as `Design::output`
  std::vector<int64_t> first_in;   ///< cycle in which each frame's first beat was taken
  std::vector<int64_t> last_out;   ///< cycle in which each frame's last output beat was valid

  /// Cycles from a frame's first beat in to its result: last_out - first_in + 1 (both counted).
  int64_t latency_cycles(size_t frame) const { return last_out[frame] - first_in[frame] + 1; }
};

/// A circuit built for a simulator, ready to run.
class Simulation {
 public:
  /// Compiles the design in `work_dir` (made if missing; keep it to build again faster).
  /// Errors   the simulator is missing (with the package to install); it refuses the sources.
  static Result<Simulation> build(const Design& design, Simulator simulator,
                                  const std::filesystem::path& work_dir);

  /// Feeds `frames` (raw integers, HWC) and collects every output.
  /// Errors   the circuit gives fewer or more output beats than the frames need.
  Result<Measurement> run(const std::vector<IntTensor>& frames, Arrival arrival, uint64_t seed,
                          const ProgressFunction& progress = {}) const;

 private:
  Design design_;
  Simulator simulator_ = Simulator::Verilator;
  std::filesystem::path program_;  // the built simulation, or its directory
};

}  // namespace millrace::cosim
