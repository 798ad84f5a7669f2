// SPDX-License-Identifier: Apache-2.0
// Runs the real program as a user does, in a folder of its own.
#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "millrace/support/temporary_directory.h"

namespace millrace::e2e {

/// What a run of `millrace` left.
struct Outcome {
  int exit_code = 0;
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

/// A test with an empty current folder, removed at its end.
class ProgramTest : public testing::Test {
protected:
  /// Runs `millrace` with `arguments` in the test's folder. `prefix` stands before the program, for
  /// instance {"timeout", "-s", "INT", "1"} or {"env", "PATH=/nowhere"}.
  Outcome run_program(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& prefix = {}) const;

  /// Names of all files and directories in the test's folder, hidden ones too.
  std::vector<std::string> files() const;
  /// Writes a file into the test's folder.
  void write(const std::string& name, const std::string& content) const;
  std::string read(const std::filesystem::path& name) const;
  const std::filesystem::path& folder() const { return folder_; }

  /// A file of the source tree.
  static std::string source(const std::string& path);
  /// A file or folder of shared data; empty where that is not installed.
  static std::string shared(const std::string& path);

  /// Expects exit code 1 and one diagnostic with this code, as text and with --json as an object,
  /// and that nothing is left in the folder but what was there before.
  void expect_refused(const std::vector<std::string>& arguments, const std::string& code,
                      const std::vector<std::string>& prefix = {}) const;

private:
  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-e2e").value();
  const std::filesystem::path folder_ = temporary_.path();
};

}  // namespace millrace::e2e
