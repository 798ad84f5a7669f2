// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/cosim/simulate.h"

namespace millrace::cosim {

/// Compiles a design with Icarus and the test bench; gives the path of the program for vvp.
///
/// Assertions that Icarus does not know are left out.
/// Errors   those of Simulation::build().
Result<std::filesystem::path> build_with_icarus(const Design& design,
                                                const std::filesystem::path& work_dir);

}  // namespace millrace::cosim
