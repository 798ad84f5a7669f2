// SPDX-License-Identifier: Apache-2.0
// The emulator computes what the reference computes, bit for bit, on branching networks made by
// seed.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "tests/support/random_graph.h"

#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace::emulator {
namespace {

constexpr uint64_t NumNetworks = 2000;
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

TEST(BranchingNetworks, EmulatorAgreesWithReferenceOnInputsOfSeveralShapes) {
  compare_networks({.with_unlike_inputs = true});
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

/// How often the default networks have something.
struct Counts {
  std::map<std::string_view, int> operations;
  std::map<std::string_view, int> features;

  void count(const graph::Graph& graph) {
    features["several inputs"] += graph.inputs().size() > 1;
    features["several outputs"] += graph.outputs().size() > 1;
    for (const auto& users : graph.users())
      features["branches"] += users.size() > 1;
    for (const graph::Op& op : graph.ops()) {
      ++operations[op.mnemonic()];
      count(graph, op);
    }
  }
  void count(const graph::Graph& graph, const graph::Op& op) {
    if (const auto* requantize = op.as<graph::Requantize>())
      features["types of channels"] += !requantize->types.empty();
    if (const auto* pool = op.as<graph::MaxPool>())
      count("max_pool", pool->window);
    if (const auto* conv = op.as<graph::Conv2D>()) {
      count("conv2d", conv->window);
      const int64_t channels = graph.type(op.operands[0]).shape[2];
      features["groups"] += 1 < conv->groups && conv->groups < channels;
      features["depthwise"] += 1 < conv->groups && conv->groups == channels;
    }
    if (const auto* conv = op.as<graph::ConvTranspose2D>()) {
      features["conv_transpose2d with strides"] += conv->stride_h > 1 || conv->stride_w > 1;
      features["output padding"] += conv->pad_bottom < 0 || conv->pad_right < 0;
    }
    if (const auto* pool = op.as<graph::AvgPool>()) {
      count("avg_pool", pool->window);
      if (pool->window.is_padded())
        ++features[pool->include_padding ? "padding counted" : "padding not counted"];
    }
    if (op.as<graph::Concat>())
      for (const graph::ValueId operand : op.operands)
        features["concat of binary points"] +=
            graph.type(operand).fixed().frac_bits != op.type.fixed().frac_bits;
    if (op.as<graph::Reshape>())
      ++features[op.type.shape.size() == 1 ? "reshape to vectors" : "reshape to maps"];
  }
  void count(std::string_view operation, const graph::Window& window) {
    if (window.is_padded())
      ++features[operation == "conv2d" ? "padded conv2d" : "padded pools"];
    if (window.is_dilated())
      ++features[operation == "conv2d" ? "dilated conv2d" : "dilated pools"];
    if (window.stride_h > 1 || window.stride_w > 1)
      ++features[operation == "conv2d" ? "strided conv2d" : "strided pools"];
  }
};

TEST(BranchingNetworks, ReachEveryOperation) {
  Counts counts;
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    std::mt19937_64 random(seed);
    counts.count(testing::random_branching_network(random));
  }
  for (const char* operation : {"add",      "sub",        "mul",
                                "maximum",  "minimum",    "prelu",
                                "abs",      "negate",     "sign",
                                "binarize", "square",     "reduce",
                                "top_k",    "requantize", "relu",
                                "table",    "conv2d",     "dense",
                                "affine",   "max_pool",   "flatten",
                                "avg_pool", "pad",        "transpose",
                                "upsample", "concat",     "conv_transpose2d",
                                "slice",    "reshape"})
    EXPECT_GE(counts.operations[operation], 50) << operation;
  for (const char* feature : {"several inputs", "several outputs", "branches", "types of channels"})
    EXPECT_GE(counts.features[feature], 200) << feature;
  for (const char* feature :
       {"groups", "depthwise", "padded conv2d", "dilated conv2d", "strided conv2d", "padded pools",
        "dilated pools", "strided pools", "conv_transpose2d with strides", "output padding",
        "padding counted", "padding not counted", "concat of binary points", "reshape to vectors",
        "reshape to maps"})
    EXPECT_GE(counts.features[feature], 20) << feature;
}

TEST(BranchingNetworks, AreSmall) {
  const testing::RandomBranchingOptions options{.with_unlike_inputs = true};
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    std::mt19937_64 random(seed);
    const graph::Graph graph = testing::random_branching_network(random, options);
    for (const graph::Op& op : graph.ops()) {
      const Shape& shape = op.type.shape;
      if (!op.as<graph::Constant>() && shape.size() == 3) {
        EXPECT_TRUE(shape[0] <= 8 && shape[1] <= 8 && shape[2] <= 4) << op.name << '\n'
                                                                     << graph::print(graph);
      }
      const bool may_read_wide = op.as<graph::Requantize>();
      const bool may_read_long = op.as<graph::Reduce>() || op.as<graph::TopK>();
      for (const graph::ValueId operand : op.operands) {
        const graph::TensorType& type = graph.type(operand);
        EXPECT_TRUE(may_read_wide || type.fixed().width <= options.max_value_bits)
            << op.name << '\n'
            << graph::print(graph);
        EXPECT_TRUE(may_read_long || type.shape.size() > 1 || type.shape[0] <= options.max_vector)
            << op.name << '\n'
            << graph::print(graph);
      }
    }
  }
}

TEST(BranchingNetworks, LeaveOutWhatTheOptionsLeaveOut) {
  const testing::RandomBranchingOperations none{
      .joins = false,
      .functions = false,
      .channel_types = false,
      .reductions = false,
      .layers = false,
      .windows = false,
      .groups = false,
      .transposed_convolutions = false,
      .means = false,
      .upsampling = false,
      .padding = false,
      .slices = false,
      .transpositions = false,
      .reshapes = false,
      .concatenations = false,
  };
  using Operations = testing::RandomBranchingOperations;
  using Names = std::set<std::string_view>;
  const std::pair<bool Operations::*, Names> groups[] = {
      {&Operations::joins, {"add", "sub", "mul", "maximum", "minimum"}},
      {&Operations::functions, {"prelu", "abs", "negate", "sign", "binarize", "square"}},
      {&Operations::channel_types, {}},
      {&Operations::reductions, {"reduce", "top_k", "flatten"}},
      {&Operations::layers, {"dense", "affine", "conv2d", "max_pool"}},
      {&Operations::windows, {"conv2d", "max_pool"}},
      {&Operations::groups, {"conv2d"}},
      {&Operations::transposed_convolutions, {"conv_transpose2d"}},
      {&Operations::means, {"avg_pool"}},
      {&Operations::upsampling, {"upsample"}},
      {&Operations::padding, {"pad"}},
      {&Operations::slices, {"slice"}},
      {&Operations::transpositions, {"transpose"}},
      {&Operations::reshapes, {"reshape", "flatten"}},
      {&Operations::concatenations, {"concat"}},
  };
  const Names always = {"input", "constant", "relu", "table", "requantize"};
  for (const auto& [group, names] : groups) {
    testing::RandomBranchingOptions options{.operations = none};
    options.operations.*group = true;
    Names found = always;
    Counts counts;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      std::mt19937_64 random(seed);
      counts.count(testing::random_branching_network(random, options));
    }
    for (const auto& [name, count] : counts.operations)
      found.insert(name);
    Names expected = always;
    expected.insert(names.begin(), names.end());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(counts.features["types of channels"] > 0, group == &Operations::channel_types);
    EXPECT_EQ(counts.features["strided conv2d"] > 0, group == &Operations::windows);
    EXPECT_EQ(counts.features["depthwise"] > 0, group == &Operations::groups);
  }
}

}  // namespace
}  // namespace millrace::emulator
