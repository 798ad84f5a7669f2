// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"

namespace millrace::data {

/// The dictionary at the head of a .npy file, a Python literal.
struct NpyHeader {
  std::string type;  ///< "<i8"; "[...]" for records
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

/// Reads "{'descr': '<i8', 'fortran_order': False, 'shape': (3, 4), }".
/// Errors   anything else: another key, a key twice or not at all, another kind of value.
Result<NpyHeader> parse_npy_header(std::string_view text, const std::string& where);

}  // namespace millrace::data
