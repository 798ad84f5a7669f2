// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/small_networks.h"

#include <utility>

#include "tests/support/random_graph.h"

#include "millrace/reference/evaluate.h"
#include "millrace/support/check.h"

namespace millrace::testing {

namespace {

constexpr FixedType WeightType{.is_signed = true, .width = 4, .frac_bits = 2};

}  // namespace

SmallNetwork::SmallNetwork(const std::string& name, const Shape& shape, const FixedType& type,
                           uint64_t seed)
    : random_(seed), builder_(name) {
  const auto value = builder_.add("x", graph::Input{{shape, type}});
  check(value.has_value(), value ? "" : value.error().to_string());
  value_ = *value;
}

SmallNetwork& SmallNetwork::conv(const graph::Window& window, int64_t filters) {
  const int64_t channels = builder_.type(value_).shape[2];
  const auto w = weights("conv.w", {window.kernel_h, window.kernel_w, channels, filters});
  const auto b = weights("conv.b", {filters});
  return add("conv", graph::Conv2D{window}, {w, b});
}

SmallNetwork& SmallNetwork::max_pool(const graph::Window& window) {
  return add("pool", graph::MaxPool{window});
}

SmallNetwork& SmallNetwork::relu() {
  return add("relu", graph::Relu{});
}

SmallNetwork& SmallNetwork::requantize(const FixedType& type) {
  return add("act", graph::Requantize{{.type = type}});
}

SmallNetwork& SmallNetwork::flatten() {
  return add("flat", graph::Flatten{});
}

SmallNetwork& SmallNetwork::dense(int64_t neurons) {
  const auto w = weights("dense.w", {builder_.type(value_).shape[0], neurons});
  const auto b = weights("dense.b", {neurons});
  return add("dense", graph::Dense{}, {w, b});
}

graph::Graph SmallNetwork::finish() {
  builder_.output(value_);
  auto graph = std::move(builder_).finish();
  check(graph.has_value(), graph ? "" : graph.error().to_string());
  return *std::move(graph);
}

graph::ValueId SmallNetwork::weights(const std::string& name, const Shape& shape) {
  IntTensor raw{shape, {}};
  const auto max = static_cast<uint64_t>(WeightType.max_raw());
  for (int64_t i = num_elements(shape); i > 0; --i) {
    const auto magnitude = static_cast<int64_t>(random_() % max) + 1;
    raw.data.push_back(random_() % 2 == 0 ? magnitude : -magnitude);
  }
  const auto value = builder_.constant(name, std::move(raw), WeightType);
  check(value.has_value(), value ? "" : value.error().to_string());
  return *value;
}

SmallNetwork& SmallNetwork::add(const std::string& name, const graph::OpKind& kind,
                                std::vector<graph::ValueId> more_operands) {
  more_operands.insert(more_operands.begin(), value_);
  const auto value = builder_.add(name, kind, std::move(more_operands));
  check(value.has_value(), value ? "" : value.error().to_string());
  value_ = *value;
  return *this;
}

Examples random_examples(const graph::Graph& graph, int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  Examples examples;
  for (int64_t i = 0; i < count; ++i) {
    examples.inputs.push_back({random_tensor(random, graph.type(graph.inputs()[0]))});
    examples.outputs.push_back(reference::evaluate(graph, examples.inputs.back()));
  }
  return examples;
}

}  // namespace millrace::testing
