// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/emulator.h"

#include <algorithm>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include "millrace/emulator/kernels.h"
#include "millrace/emulator/plan.h"
#include "millrace/support/check.h"

namespace millrace::emulator {

namespace {

/// Turns images one after the other into a block; an incomplete block is filled with zeros.
template <class T>
void pack(std::span<const int64_t> images, const FixedType& type, size_t num_elements, T* block) {
  const auto lo = static_cast<int64_t>(type.min_raw());
  const auto hi = static_cast<int64_t>(type.max_raw());
  const size_t num_images = images.size() / num_elements;
  bool all_inside = true;
  for (size_t i = 0; i < num_elements; ++i) {
    for (size_t n = 0; n < num_images; ++n) {
      const int64_t raw = images[n * num_elements + i];
      all_inside &= lo <= raw && raw <= hi;
      block[i * BlockSize + n] = static_cast<T>(raw);
    }
    std::fill(block + i * BlockSize + num_images, block + (i + 1) * BlockSize, T{0});
  }
  check(all_inside, "a raw integer of an input lies outside its type");
}

template <class T>
void unpack(const T* block, size_t num_elements, std::span<int64_t> images) {
  const size_t num_images = images.size() / num_elements;
  for (size_t n = 0; n < num_images; ++n)
    for (size_t i = 0; i < num_elements; ++i)
      images[n * num_elements + i] = block[i * BlockSize + n];
}

}  // namespace

Emulator::Emulator(const graph::Graph& graph)
    : plan_(std::make_unique<const Plan>(make_plan(graph))) {}
Emulator::Emulator(Emulator&&) noexcept = default;
Emulator& Emulator::operator=(Emulator&&) noexcept = default;
Emulator::~Emulator() = default;

std::vector<int64_t> Emulator::run(std::span<const int64_t> inputs,
                                   const ProgressFunction& progress) const {
  const size_t num_inputs = plan_->input.num_elements;
  const size_t num_outputs = plan_->output.num_elements;
  check(inputs.size() % num_inputs == 0, "the inputs are not whole images");
  const size_t num_images = inputs.size() / num_inputs;
  const size_t num_blocks = (num_images + BlockSize - 1) / BlockSize;
  std::vector<int64_t> outputs(num_images * num_outputs);
  tbb::enumerable_thread_specific<Workspace> workspaces(
      [this] { return Workspace(plan_->slot_bytes); });

  const auto run_block = [&](size_t block) {
    const size_t first = block * BlockSize;
    const size_t count = std::min(BlockSize, num_images - first);
    Workspace& workspace = workspaces.local();
    with_storage(plan_->input.storage, [&]<class T>(T) {
      pack(inputs.subspan(first * num_inputs, count * num_inputs), plan_->input_type.fixed(),
           num_inputs, workspace.at<T>(plan_->input));
    });
    for (const Step& step : plan_->steps)
      step(workspace);
    with_storage(plan_->output.storage, [&]<class T>(T) {
      unpack(workspace.at<T>(plan_->output), num_outputs,
             std::span(outputs).subspan(first * num_outputs, count * num_outputs));
    });
  };

  constexpr size_t BlocksPerReport = 256;
  for (size_t done = 0; done < num_blocks; done += BlocksPerReport) {
    if (!report_progress(progress, "emulate",
                         static_cast<double>(done) / static_cast<double>(num_blocks)))
      return {};
    tbb::parallel_for(done, std::min(done + BlocksPerReport, num_blocks), run_block);
  }
  report_progress(progress, "emulate", 1.0);
  return outputs;
}

const graph::TensorType& Emulator::input_type() const {
  return plan_->input_type;
}

const graph::TensorType& Emulator::output_type() const {
  return plan_->output_type;
}

}  // namespace millrace::emulator
