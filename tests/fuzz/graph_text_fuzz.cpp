// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry: any text gives a graph that round-trips, or a diagnostic. tests/fuzz/run runs
// it.
#include <cstdlib>
#include <string_view>

#include "millrace/graph/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graph =
      millrace::graph::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!graph)
    return 0;
  const std::string text = millrace::graph::print(*graph);
  const auto again = millrace::graph::parse(text);
  if (!millrace::graph::verify(*graph) || !again || millrace::graph::print(*again) != text)
    std::abort();
  return 0;
}
