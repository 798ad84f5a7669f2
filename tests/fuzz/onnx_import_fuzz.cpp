// SPDX-License-Identifier: Apache-2.0
// libFuzzer entry: any bytes give a verified graph that can be written and read back, or a
// diagnostic. tests/fuzz/run builds and runs it.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "millrace/frontends/onnx/export.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/graph/graph.h"

namespace {

using millrace::graph::Graph;

// The graph as it comes back from a file; none where QONNX cannot express it.
std::optional<Graph> written_and_read(const Graph& graph) {
  const auto bytes = millrace::frontends::export_onnx(graph);
  if (!bytes)
    return std::nullopt;
  auto again = millrace::frontends::import_onnx_bytes(*bytes, "again.onnx");
  if (!again || !millrace::graph::verify(*again))
    std::abort();
  return *std::move(again);
}

/// The same operations on the same values; what brings elements into another order is named after
/// the node that it is for, and so has another name each time.
bool is_same(const Graph& a, const Graph& b) {
  return a.inputs() == b.inputs() && a.outputs() == b.outputs() &&
         std::ranges::equal(a.ops(), b.ops(), [](const auto& x, const auto& y) {
           return x.kind == y.kind && x.type == y.type && x.operands == y.operands;
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graph = millrace::frontends::import_onnx_bytes(
      std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.onnx");
  if (!graph)
    return 0;
  if (!millrace::graph::verify(*graph))
    std::abort();
  // The first time a node that nothing needs may hide that the input has only one quantiser.
  const auto once = written_and_read(*graph);
  if (!once)
    return 0;
  const auto twice = written_and_read(*once);
  if (!twice || !is_same(*twice, *once))
    std::abort();
  return 0;
}
