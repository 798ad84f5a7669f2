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
  check(num_inputs() == 1 && num_outputs() == 1, "the graph has several inputs or outputs");
  auto outputs = run_all(std::span(&inputs, 1), progress);
  return outputs.empty() ? std::vector<int64_t>{} : std::move(outputs.front());
}

std::vector<std::vector<int64_t>> Emulator::run_all(
    std::span<const std::span<const int64_t>> inputs, const ProgressFunction& progress) const {
  check(inputs.size() == num_inputs(), "the graph has another number of inputs");
  const size_t num_images = inputs[0].size() / plan_->inputs[0].buffer.num_elements;
  for (size_t i = 0; i < inputs.size(); ++i)
    check(inputs[i].size() == num_images * plan_->inputs[i].buffer.num_elements,
          "the inputs are not whole images, as many of each");
  const size_t num_blocks = (num_images + BlockSize - 1) / BlockSize;
  std::vector<std::vector<int64_t>> outputs;
  for (const Port& output : plan_->outputs)
    outputs.emplace_back(num_images * output.buffer.num_elements);
  tbb::enumerable_thread_specific<Workspace> workspaces(
      [this] { return Workspace(plan_->slot_bytes); });

  const auto run_block = [&](size_t block) {
    const size_t first = block * BlockSize;
    const size_t count = std::min(BlockSize, num_images - first);
    Workspace& workspace = workspaces.local();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto& [type, buffer] = plan_->inputs[i];
      const size_t size = buffer.num_elements;
      with_storage(buffer.storage, [&]<class T>(T) {
        pack(inputs[i].subspan(first * size, count * size), type.fixed(), size,
             workspace.at<T>(buffer));
      });
    }
    for (const Step& step : plan_->steps)
      step(workspace);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Buffer& buffer = plan_->outputs[i].buffer;
      const size_t size = buffer.num_elements;
      with_storage(buffer.storage, [&]<class T>(T) {
        unpack(workspace.at<T>(buffer), size,
               std::span(outputs[i]).subspan(first * size, count * size));
      });
    }
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

size_t Emulator::num_inputs() const {
  return plan_->inputs.size();
}

size_t Emulator::num_outputs() const {
  return plan_->outputs.size();
}

const graph::TensorType& Emulator::input_type(size_t index) const {
  return plan_->inputs.at(index).type;
}

const graph::TensorType& Emulator::output_type(size_t index) const {
  return plan_->outputs.at(index).type;
}

}  // namespace millrace::emulator
