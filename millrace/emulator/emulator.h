// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "millrace/graph/graph.h"
#include "millrace/support/progress.h"

namespace millrace::emulator {

struct Plan;

/// Computes what the reference computes, fast: many images at once, SIMD across the batch, on all
/// threads, in 32-bit integers wherever the values' types say that they fit.
class Emulator {
public:
  /// Prepares an exact graph with one input and one output.
  /// Errors   InternalError when the graph is not that, or weights depend on the input.
  explicit Emulator(const graph::Graph& graph);
  Emulator(Emulator&&) noexcept;
  Emulator& operator=(Emulator&&) noexcept;
  ~Emulator();

  /// Evaluates a batch.
  ///
  /// Shapes   inputs: images x num_elements(input); result: images x num_elements(output),
  ///          both row-major, image after image.
  /// Units    raw integers of the input's and the output's type.
  /// Errors   InternalError when the inputs are not whole images, or one lies outside its type.
  ///          Empty when `progress` asked to stop.
  std::vector<int64_t> run(std::span<const int64_t> inputs,
                           const ProgressFunction& progress = {}) const;

  const graph::TensorType& input_type() const;
  const graph::TensorType& output_type() const;

private:
  std::unique_ptr<const Plan> plan_;
};

}  // namespace millrace::emulator
