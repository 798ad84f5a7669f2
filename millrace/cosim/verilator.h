// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/cosim/simulate.h"

namespace millrace::cosim {

/// Compiles a design with Verilator and the harness; gives the program's path.
///
/// The circuit's C++ is one translation unit at -O1, or several when it is large. Verilator's
/// runtime, the harness and a precompiled header are compiled once and kept in
/// $XDG_CACHE_HOME/millrace (~/.cache/millrace), under a name that changes with the simulator, the
/// compiler and the harness. Errors   those of Simulation::build().
Result<std::filesystem::path> build_with_verilator(const Design& design,
                                                   const std::filesystem::path& work_dir);

}  // namespace millrace::cosim
