// SPDX-License-Identifier: Apache-2.0
// The emulator computes what the reference computes, bit for bit, on networks made by seed.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "tests/support/random_graph.h"

#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace::emulator {
namespace {

constexpr uint64_t NumNetworks = 600;
constexpr int NumImages = 35;  // more than one block, and an incomplete one

void compare_with_reference(const graph::Graph& graph, std::mt19937_64& random) {
  const graph::TensorType input_type = graph.type(graph.inputs()[0]);
  std::vector<int64_t> inputs, expected;
  for (int image = 0; image < NumImages; ++image) {
    const IntTensor input = testing::random_tensor(random, input_type);
    const IntTensor output = reference::evaluate(graph, {input}).at(0);
    inputs.insert(inputs.end(), input.data.begin(), input.data.end());
    expected.insert(expected.end(), output.data.begin(), output.data.end());
  }
  ASSERT_EQ(Emulator(graph).run(inputs), expected) << graph::print(graph);
}

TEST(RandomNetworks, EmulatorAgreesWithReference) {
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_network(random);
    compare_with_reference(graph, random);
    if (HasFatalFailure())
      return;
  }
}

TEST(RandomNetworks, EmulatorAgreesWithReferenceOnWideValues) {
  // Sums beyond 32 bits, and conversions that fit no machine word on the way.
  const testing::RandomNetworkOptions wide{.max_value_bits = 28, .max_weight_bits = 20};
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_network(random, wide);
    compare_with_reference(graph, random);
    if (HasFatalFailure())
      return;
  }
}

TEST(RandomNetworks, TheSameSeedGivesTheSameNetwork) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 first(seed), second(seed);
    EXPECT_EQ(graph::print(testing::random_network(first)),
              graph::print(testing::random_network(second)));
    EXPECT_EQ(first(), second());
  }
}

TEST(RandomNetworks, ReachEveryOperationAndMode) {
  std::map<std::string_view, int> operations;
  std::set<std::pair<Rounding, Overflow>> modes;
  int padded = 0, strided = 0, negative_fraction = 0, fraction_above_width = 0, gains_bits = 0;
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_network(random);
    for (const graph::Op& op : graph.ops()) {
      ++operations[op.mnemonic()];
      negative_fraction += op.type.fixed().frac_bits < 0;
      fraction_above_width += op.type.fixed().frac_bits > op.type.fixed().width;
      if (const auto* conv = op.as<graph::Conv2D>()) {
        const graph::Window& w = conv->window;
        padded += w.is_padded();
        strided += w.stride_h > 1 || w.stride_w > 1;
        EXPECT_LT(w.pad_top + w.pad_bottom, w.kernel_h);
        EXPECT_LT(w.pad_left + w.pad_right, w.kernel_w);
      }
      if (const auto* requantize = op.as<graph::Requantize>()) {
        modes.emplace(requantize->to.rounding, requantize->to.overflow);
        gains_bits += op.type.fixed().frac_bits > graph.type(op.operands[0]).fixed().frac_bits;
      }
    }
  }
  for (const char* operation :
       {"conv2d", "affine", "relu", "requantize", "max_pool", "table", "flatten", "dense"})
    EXPECT_GE(operations[operation], 50) << operation;
  EXPECT_EQ(modes.size(), AllRoundings.size() * AllOverflows.size());
  for (const int reached : {padded, strided, negative_fraction, fraction_above_width, gains_bits})
    EXPECT_GE(reached, 50);
}

}  // namespace
}  // namespace millrace::emulator
