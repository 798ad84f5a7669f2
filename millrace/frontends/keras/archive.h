// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/support/diagnostics.h"

namespace millrace::frontends::keras {

/// True for bytes that begin as zip archives do.
bool is_archive(std::string_view bytes);

/// Reads members of a zip archive that is held in memory; nothing is unpacked to disk.
class Archive {
public:
  /// Opens an archive. `bytes` must outlive it.
  /// Errors   not an archive; cut short; a member whose name leads out of the archive (absolute,
  ///          "..", a drive, a backslash); more than MaxMembers members.
  static Result<Archive> open(std::string_view bytes, std::string file);
  Archive(Archive&& other) noexcept;
  Archive& operator=(Archive&&) = delete;
  ~Archive();

  /// The bytes of a member; no value where there is none of that name.
  /// Errors   encrypted; compressed by something else than deflate; larger than `max_bytes`, or
  ///          than deflate can make of its compressed size; damaged.
  Result<std::optional<std::string>> read(const std::string& name, uint64_t max_bytes) const;

  static constexpr int64_t MaxMembers = 10'000;

private:
  Archive(void* handle, std::string file) : handle_(handle), file_(std::move(file)) {}
  void* handle_;  // zip_t
  std::string file_;
};

}  // namespace millrace::frontends::keras
