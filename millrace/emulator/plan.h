// SPDX-License-Identifier: Apache-2.0
// What an Emulator prepares once: the steps that compute one block of images.
#pragma once

#include <functional>
#include <tbb/cache_aligned_allocator.h>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::emulator {

/// The integers that a value is stored in.
enum class Storage { Int32, Int64 };

/// Where a value lives while it is needed.
struct Buffer {
  size_t slot = 0;
  Storage storage = Storage::Int32;
  size_t num_elements = 0;
};

/// The memory of one thread: slots that values share one after the other.
class Workspace {
public:
  explicit Workspace(const std::vector<size_t>& slot_bytes) {
    for (const size_t bytes : slot_bytes)
      slots_.emplace_back(bytes);
  }
  template <class T>
  T* at(const Buffer& buffer) {
    return reinterpret_cast<T*>(slots_[buffer.slot].data());
  }

private:
  using Bytes = std::vector<std::byte, tbb::cache_aligned_allocator<std::byte>>;
  std::vector<Bytes> slots_;
};

/// Computes one value of a block from others.
using Step = std::function<void(Workspace&)>;

/// An input or an output of the graph, and where it is before or after the steps.
struct Port {
  graph::TensorType type;
  Buffer buffer;
};

/// The steps in order, and what surrounds them.
struct Plan {
  std::vector<Port> inputs, outputs;
  std::vector<size_t> slot_bytes;
  std::vector<Step> steps;
};

/// Plans an exact graph.
/// Errors   InternalError when it is not that, or when weights depend on an input.
Plan make_plan(const graph::Graph& graph);

/// Calls `function` with a value of the storage's integer type.
template <class Function>
auto with_storage(Storage storage, Function function) {
  return storage == Storage::Int32 ? function(int32_t{}) : function(int64_t{});
}

}  // namespace millrace::emulator
