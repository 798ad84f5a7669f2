// SPDX-License-Identifier: Apache-2.0
// Maps a circuit to the primitives of an FPGA family with Yosys.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"
#include "millrace/synth/area.h"
#include "millrace/synth/parts.h"

namespace millrace::synth {

/// What to synthesise.
struct SynthesisRequest {
  std::vector<std::filesystem::path> sources;
  std::vector<std::filesystem::path> include_dirs;
  std::string top;
  Part part;
  std::filesystem::path netlist;   ///< where to leave the mapped netlist as Verilog; empty: nowhere
  std::filesystem::path work_dir;  ///< for script, log and report; made if missing
};

/// Maps a circuit with Yosys, flattened, and counts its primitives. Applies the work-around for
/// Yosys's wrong shift-register enables (issue 6058), so that the netlist is right as well.
/// Errors   Yosys is missing or refuses the sources; a Yosys warning; a cell that the count does
///          not know.
Result<Area> synthesize(const SynthesisRequest& request, const ProgressFunction& progress = {});

/// Yosys's own simulation models of the primitives, to simulate a netlist with.
/// Errors   Yosys is missing, or installed without them.
Result<std::filesystem::path> find_cell_models();

}  // namespace millrace::synth
