// SPDX-License-Identifier: Apache-2.0
// Files, read whole and written beside, then renamed: no half-written output is ever left.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace {

/// Reads a whole file as bytes.
/// Errors   missing, not a regular file, unreadable, or larger than `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path,
                              uint64_t max_bytes = uint64_t{4} << 30);

/// Reads a whole gzip file, or a plain file as it is (told apart by the gzip magic).
/// Errors   as read_file; a truncated or corrupt gzip stream; more than `max_bytes` inflated.
Result<std::string> read_gzip_file(const std::filesystem::path& path,
                                   uint64_t max_bytes = uint64_t{1} << 30);

/// Writes `content` to a temporary file beside `path` and renames it to `path`.
/// Errors   the folder is missing or not writable.
Status write_file(const std::filesystem::path& path, std::string_view content);

/// A directory that appears under its final name only when it is complete: it is filled under a
/// temporary name beside it, and commit() renames it (replacing an earlier one of ours). Without
/// commit() the destructor removes it.
///
/// `marker` names the file by which a later run recognises its own output.
class StagedDirectory {
public:
  /// Starts the directory that shall become `destination`.
  /// Errors   the nearest existing parent is not writable; `destination` exists and is neither
  ///          empty nor an earlier output (it holds no `marker` file), so that a user's files are
  ///          never removed.
  static Result<StagedDirectory> create(const std::filesystem::path& destination,
                                        std::string_view marker);
  StagedDirectory(StagedDirectory&& other) noexcept;
  StagedDirectory& operator=(StagedDirectory&&) = delete;
  ~StagedDirectory();

  /// Where to write before commit().
  const std::filesystem::path& path() const { return temporary_; }
  /// Gives the directory its final name; makes missing parents. Adds an empty marker file when
  /// none was written.
  /// Errors   the final place is not writable.
  Status commit();

private:
  StagedDirectory(std::filesystem::path temporary, std::filesystem::path destination,
                  std::string marker)
      : temporary_(std::move(temporary)),
        destination_(std::move(destination)),
        marker_(std::move(marker)) {}

  std::filesystem::path temporary_;  // empty once committed or moved from
  std::filesystem::path destination_;
  std::string marker_;
};

/// The folder that holds Millrace's own data files of one kind ("rtl", "parts", "delays", "report",
/// "cosim"; another kind is an InternalError):
/// $MILLRACE_DATA_DIR/KIND, else beside the executable as installed (../share/millrace/KIND), else
/// the source tree that this binary was built from.
/// Errors   none of them exists.
Result<std::filesystem::path> find_data_dir(std::string_view kind);

/// The first of the candidates that is a folder; `kind` is for the diagnostic.
/// Errors   none of them is.
Result<std::filesystem::path> first_data_dir(std::string_view kind,
                                             const std::vector<std::filesystem::path>& candidates);

}  // namespace millrace
