// SPDX-License-Identifier: Apache-2.0
// Calls of the simulators and compilers, with a log.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/subprocess.h"

namespace millrace::cosim {

/// A step of building a simulation.
struct ToolCall {
  std::string tool;  ///< whom a diagnostic names
  std::string program;
  std::vector<std::string> arguments;
  std::filesystem::path working_directory;
  std::filesystem::path log;  ///< the command and its output are added here
};

/// Runs a tool to its end.
/// Errors   cosim.build_failed with the first line that tells an error; those of run_process().
Status run_tool(const ToolCall& call);

/// Appends a command and its output to a log; a log that cannot be written is left out.
void add_to_log(const std::filesystem::path& log, std::string_view command,
                std::string_view output);

/// The first line of a tool's output that tells an error or a warning, else its last line.
std::string first_error_line(std::string_view output);

/// Makes a directory and those above it.
/// Errors   support.directory_not_writable.
Status make_directory(const std::filesystem::path& path);

}  // namespace millrace::cosim
