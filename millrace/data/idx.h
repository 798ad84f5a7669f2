// SPDX-License-Identifier: Apache-2.0
// The IDX format of MNIST and EMNIST.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace::data {

/// The content of an IDX image file, in the file's own orientation.
struct IdxImages {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  ///< count x height x width
};

/// Reads an IDX image file (magic 0x00000803), gzipped or plain.
/// Errors   unreadable or truncated; another magic; a size that is not what the header announces.
Result<IdxImages> read_idx_images(const std::filesystem::path& path);

/// Reads an IDX label file (magic 0x00000801), gzipped or plain.
/// Errors   as read_idx_images.
Result<std::vector<uint8_t>> read_idx_labels(const std::filesystem::path& path);

}  // namespace millrace::data
