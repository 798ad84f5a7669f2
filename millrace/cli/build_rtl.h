// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "millrace/cosim/simulate.h"
#include "millrace/report/records.h"

namespace millrace::cli {

/// The circuit in a build directory, as the tools behind it take it.
struct BuildRtl {
  std::vector<std::filesystem::path> sources;  ///< in compilation order
  std::filesystem::path folder;                ///< for `include
  std::string top;
  std::vector<cosim::Port> inputs, outputs;
  report::PlanRecord plan;
};

/// Reads plan.json and the list of sources.
/// Errors   not a build directory; a damaged plan.json.
Result<BuildRtl> read_build_rtl(const std::filesystem::path& build);

}  // namespace millrace::cli
