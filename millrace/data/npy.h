// SPDX-License-Identifier: Apache-2.0
// NumPy's format of one array.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace::data {

/// A two-dimensional array of integers, row-major.
struct IntegerTable {
  int rows = 0, columns = 0;  ///< either may be 0
  std::vector<int64_t> entries;

  int64_t at(int row, int column) const {
    return entries[static_cast<size_t>(row) * static_cast<size_t>(columns) +
                   static_cast<size_t>(column)];
  }
};

/// Reads a .npy file, format 1.0, 2.0 or 3.0: integers of 1 to 8 bytes, truth values, or real
/// numbers of 2 to 8 bytes that are all integers; either byte order, C or Fortran order.
/// Errors   unreadable; not a .npy file; a header that is damaged; an array of objects (ragged rows
///          are stored as such) or of another type; not two dimensions; a size that is not what the
///          header announces; an entry that is no integer or does not fit 64 bits.
/// Source   numpy.lib.format, NumPy's own description.
Result<IntegerTable> read_npy(const std::filesystem::path& path);

/// The same from the file's bytes; `where` names it in diagnostics.
Result<IntegerTable> parse_npy(std::string_view bytes, const std::string& where);

}  // namespace millrace::data
