// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace {

/// What a finished program left.
struct ProcessResult {
  int exit_code = 0;   ///< 128 + N when signal N ended it, as shells say it
  std::string output;  ///< standard output and standard error, interleaved
};

/// How to run a program.
struct ProcessOptions {
  /// Empty: the current one.
  std::filesystem::path working_directory = {};
  /// The program and its children are ended after this.
  std::optional<int> timeout_seconds = {};
  /// Sees each output line, without its end; false ends the program.
  std::function<bool(std::string_view line)> on_line = {};
  /// Asked ten times a second; false ends the program.
  std::function<bool()> keep_going = {};
};

/// Runs `program` (searched on PATH unless it has a slash) with `arguments`, without a shell and
/// without input. It runs in a process group of its own: when it ends or is ended, so are all
/// programs that it started, also when a signal such as Ctrl-C ends this program.
/// Errors   support.program_missing when it is not found (with the Debian package to install where
///          it is known), support.program_not_started, support.program_timeout,
///          support.program_stopped. A non-zero exit code is not an error here.
Result<ProcessResult> run_process(const std::string& program,
                                  const std::vector<std::string>& arguments,
                                  const ProcessOptions& options = {});

/// The full path of `program` on PATH, if it is there.
std::optional<std::filesystem::path> find_program(const std::string& program);

}  // namespace millrace
