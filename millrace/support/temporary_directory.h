// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "millrace/support/diagnostics.h"

namespace millrace {

/// A directory for intermediate files, removed with all that is in it.
class TemporaryDirectory {
public:
  /// Makes one under the system's folder for temporary files.
  /// Errors   that folder is not writable.
  static Result<TemporaryDirectory> create(const std::string& name);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }
  /// Leaves the directory where it is if `problem` points into it: to a log to be read.
  void keep_for(const Diagnostic& problem);

private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;  // empty once moved from
  bool is_kept_ = false;
};

}  // namespace millrace
