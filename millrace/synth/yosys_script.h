// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/synth/synthesize.h"

namespace millrace::synth {

/// Whether the script repairs the enables of shift registers. Without, the netlist is wrong: the
/// other choice is there for the test that shows it.
enum class ShiftRegisterEnables { Repaired, AsYosysLeavesThem };

/// Where the script leaves the statistics, in the folder it runs in.
inline constexpr std::string_view ReportName = "stat.json";

/// The name, in the folder that the script runs in, of a link to an include directory: Yosys's -I
/// takes no name with a space.
std::string include_link(size_t index);

/// The commands for one synthesis. Each step announces itself on standard error with a line that
/// parse_step() reads.
std::string make_script(const SynthesisRequest& request,
                        ShiftRegisterEnables enables = ShiftRegisterEnables::Repaired);

struct Step {
  std::string_view name;  ///< "map to LUTs"
  double fraction = 0.0;  ///< of the whole time that has typically passed when it starts
};

/// The step that a line of Yosys's output announces.
std::optional<Step> parse_step(std::string_view line);

/// Yosys's options: warnings are errors but for a few that say nothing about the circuit.
std::vector<std::string> yosys_options();

}  // namespace millrace::synth
