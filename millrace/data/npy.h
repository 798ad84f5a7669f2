// SPDX-License-Identifier: Apache-2.0
// NumPy's format of one array.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

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

/// Reads a .npy file of any number of dimensions, row-major: the types of read_npy(), any values.
/// Errors   those of read_npy() but for what it says of integers and dimensions; more than
///          MaxRealEntries entries.
Result<FloatTensor> read_real_npy(const std::filesystem::path& path);
Result<FloatTensor> parse_real_npy(std::string_view bytes, const std::string& where);
inline constexpr int64_t MaxRealEntries = int64_t{1} << 27;

/// The bytes of a .npy file, format 1.0, row-major: float64, or int64.
std::string npy_bytes(const FloatTensor& tensor);
std::string npy_bytes(const IntTensor& tensor);

}  // namespace millrace::data
