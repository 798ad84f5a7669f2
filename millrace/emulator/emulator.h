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
  /// Prepares an exact graph.
  /// Errors   InternalError when the graph is not that, or weights depend on an input.
  explicit Emulator(const graph::Graph& graph);
  Emulator(Emulator&&) noexcept;
  Emulator& operator=(Emulator&&) noexcept;
  ~Emulator();

  /// Evaluates a batch on a graph with one input and one output.
  ///
  /// Shapes   inputs: images x num_elements(input); result: images x num_elements(output),
  ///          both row-major, image after image.
  /// Units    raw integers of the input's and the output's type.
  /// Errors   InternalError when the graph has several inputs or outputs, the inputs are not whole
  ///          images, or one lies outside its type. Empty when `progress` asked to stop.
  std::vector<int64_t> run(std::span<const int64_t> inputs,
                           const ProgressFunction& progress = {}) const;
  /// The same for any number of inputs and outputs, in the graph's order: a batch of as many images
  /// of each input gives one of each output.
  std::vector<std::vector<int64_t>> run_all(std::span<const std::span<const int64_t>> inputs,
                                            const ProgressFunction& progress = {}) const;

  size_t num_inputs() const;
  size_t num_outputs() const;
  const graph::TensorType& input_type(size_t index = 0) const;
  const graph::TensorType& output_type(size_t index = 0) const;

private:
  std::unique_ptr<const Plan> plan_;
};

}  // namespace millrace::emulator
