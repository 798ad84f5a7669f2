// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry: any bytes give a table with an entry for each row and column, or a diagnostic.
// CMakeLists.txt beside this file says how to build and run it.
#include <cstdlib>
#include <string_view>

#include "millrace/data/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto real = millrace::data::parse_real_npy(bytes, "fuzz.npy");
  if (real && std::ssize(real->data) != millrace::num_elements(real->shape))
    std::abort();
  const auto table = millrace::data::parse_npy(bytes, "fuzz.npy");
  if (!table)
    return 0;
  const auto rows = static_cast<size_t>(table->rows), columns = static_cast<size_t>(table->columns);
  if (table->rows < 0 || table->columns < 0 || table->entries.size() != rows * columns)
    std::abort();
  return 0;
}
