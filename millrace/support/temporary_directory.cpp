// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/temporary_directory.h"

#include <cstdlib>
#include <system_error>
#include <utility>

#include "millrace/support/messages.h"

namespace millrace {

namespace fs = std::filesystem;

Result<TemporaryDirectory> TemporaryDirectory::create(const std::string& name) {
  std::error_code code;
  const fs::path parent = fs::temp_directory_path(code);
  std::string path = (parent / (name + "-XXXXXX")).string();
  if (code || mkdtemp(path.data()) == nullptr)
    return error(support::messages::NoTemporaryDirectory, path);
  return TemporaryDirectory(path);
}

void TemporaryDirectory::keep_for(const Diagnostic& problem) {
  is_kept_ = problem.where.starts_with(path_.string());
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), is_kept_(other.is_kept_) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty() && !is_kept_)
    fs::remove_all(path_, ignored);
}

}  // namespace millrace
