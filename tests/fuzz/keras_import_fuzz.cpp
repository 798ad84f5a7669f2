// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry: any bytes of a .keras or .h5 file give a verified graph that survives its text
// form, or a diagnostic. tests/fuzz/run builds and runs it.
#include <cstdlib>
#include <string_view>

#include "millrace/frontends/keras/import.h"
#include "millrace/graph/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graph = millrace::frontends::import_keras_bytes(
      std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!graph)
    return 0;
  if (!millrace::graph::verify(*graph))
    std::abort();
  const auto again = millrace::graph::parse(millrace::graph::print(*graph), "printed");
  if (!again || *again != *graph)
    std::abort();
  return 0;
}
