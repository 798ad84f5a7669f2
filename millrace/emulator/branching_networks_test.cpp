// SPDX-License-Identifier: Apache-2.0
// The emulator computes what the reference computes, bit for bit, on branching networks made by
// seed.
#include <gtest/gtest.h>
#include <map>

#include "tests/support/random_graph.h"

#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace::emulator {
namespace {

constexpr uint64_t NumNetworks = 800;
constexpr int NumImages = 35;  // more than one block, and an incomplete one

void compare_with_reference(const graph::Graph& graph, std::mt19937_64& random) {
  std::vector<std::vector<int64_t>> inputs(graph.inputs().size());
  std::vector<std::vector<int64_t>> expected(graph.outputs().size());
  for (int image = 0; image < NumImages; ++image) {
    std::vector<IntTensor> tensors;
    for (size_t i = 0; i < inputs.size(); ++i) {
      tensors.push_back(testing::random_tensor(random, graph.type(graph.inputs()[i])));
      inputs[i].insert(inputs[i].end(), tensors[i].data.begin(), tensors[i].data.end());
    }
    const std::vector<IntTensor> outputs = reference::evaluate(graph, tensors);
    for (size_t i = 0; i < outputs.size(); ++i)
      expected[i].insert(expected[i].end(), outputs[i].data.begin(), outputs[i].data.end());
  }
  const std::vector<std::span<const int64_t>> spans(inputs.begin(), inputs.end());
  ASSERT_EQ(Emulator(graph).run_all(spans), expected) << graph::print(graph);
}

void compare_networks(const testing::RandomBranchingOptions& options) {
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_branching_network(random, options);
    compare_with_reference(graph, random);
    if (::testing::Test::HasFatalFailure())
      return;
  }
}

TEST(BranchingNetworks, EmulatorAgreesWithReference) {
  compare_networks({});
}

TEST(BranchingNetworks, EmulatorAgreesWithReferenceOnWideValues) {
  compare_networks({.max_value_bits = 31, .max_weight_bits = 24});
}

TEST(BranchingNetworks, EmulatorAgreesWithReferenceOnTheWidestValues) {
  compare_networks({.max_value_bits = 54, .max_weight_bits = 40});
}

TEST(BranchingNetworks, AreValidAndRoundTripAsText) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed), again(seed);
    const graph::Graph graph = testing::random_branching_network(random);
    EXPECT_EQ(graph, testing::random_branching_network(again));
    EXPECT_EQ(random(), again());
    EXPECT_TRUE(graph::verify(graph));
    const auto parsed = graph::parse(graph::print(graph));
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    EXPECT_EQ(*parsed, graph);
  }
}

TEST(BranchingNetworks, ReachEveryOperation) {
  std::map<std::string_view, int> operations;
  int branches = 0, typed_channels = 0, several_inputs = 0, several_outputs = 0;
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_branching_network(random);
    several_inputs += graph.inputs().size() > 1;
    several_outputs += graph.outputs().size() > 1;
    for (const auto& users : graph.users())
      branches += users.size() > 1;
    for (const graph::Op& op : graph.ops()) {
      ++operations[op.mnemonic()];
      if (const auto* requantize = op.as<graph::Requantize>())
        typed_channels += !requantize->types.empty();
    }
  }
  for (const char* operation :
       {"add",    "sub",   "mul",      "maximum", "minimum", "prelu",    "abs",
        "negate", "sign",  "binarize", "square",  "reduce",  "top_k",    "requantize",
        "relu",   "table", "conv2d",   "dense",   "affine",  "max_pool", "flatten"})
    EXPECT_GE(operations[operation], 50) << operation;
  for (const int reached : {branches, typed_channels, several_inputs, several_outputs})
    EXPECT_GE(reached, 200);
}

}  // namespace
}  // namespace millrace::emulator
