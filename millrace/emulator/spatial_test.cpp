// SPDX-License-Identifier: Apache-2.0
// The emulator computes what the reference computes on operations on maps.
#include <gtest/gtest.h>
#include <map>

#include "tests/support/random_graph.h"
#include "tests/support/random_spatial.h"

#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace::emulator {
namespace {

using graph::Builder;
using graph::Graph;
using graph::ValueId;

constexpr uint64_t NumNetworks = 600;
constexpr int NumImages = 33;  // more than one block, and an incomplete one

void compare_with_reference(const Graph& graph, std::mt19937_64& random) {
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

void compare_random_networks(const testing::RandomSpatialOptions& options) {
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const Graph graph = testing::random_spatial_network(random, options);
    compare_with_reference(graph, random);
    if (::testing::Test::HasFatalFailure())
      return;
  }
}

TEST(SpatialNetworks, EmulatorAgreesWithReference) {
  compare_random_networks({});
}

TEST(SpatialNetworks, EmulatorAgreesWithReferenceOnWideValues) {
  compare_random_networks({.max_value_bits = 40, .max_weight_bits = 12});
}

TEST(SpatialNetworks, ReachEveryOperation) {
  std::map<std::string_view, int> operations;
  int grouped = 0, dilated = 0, shifted = 0, output_padding = 0;
  for (uint64_t seed = 0; seed < NumNetworks; ++seed) {
    std::mt19937_64 random(seed);
    const Graph graph = testing::random_spatial_network(random);
    for (const graph::Op& op : graph.ops()) {
      ++operations[op.mnemonic()];
      if (const auto* conv = op.as<graph::Conv2D>()) {
        grouped += conv->groups > 1;
        dilated += conv->window.is_dilated();
      }
      if (const auto* conv = op.as<graph::ConvTranspose2D>())
        output_padding += conv->pad_bottom < 0 || conv->pad_right < 0;
      if (op.as<graph::Concat>())
        for (const ValueId operand : op.operands)
          shifted += graph.type(operand).fixed().frac_bits != op.type.fixed().frac_bits;
    }
  }
  for (const char* operation : {"conv2d", "conv_transpose2d", "avg_pool", "max_pool", "upsample",
                                "pad", "slice", "transpose", "reshape", "concat", "flatten"})
    EXPECT_GE(operations[operation], 50) << operation;
  for (const int reached : {grouped, dilated, shifted, output_padding})
    EXPECT_GE(reached, 20);
}

TEST(SpatialMeans, EveryModeAgreesWithReference) {
  std::mt19937_64 random(1);
  for (const int width : {8, 31, 40, 64})
    for (const Rounding rounding : AllRoundings)
      for (const Overflow overflow : AllOverflows)
        for (const int frac_bits : {-9, -1, 0, 2, 7, 70}) {
          Builder builder("mean");
          const ValueId x =
              builder.add("x", graph::Input{{{3, 3, 1}, FixedType{true, width, 0}}}).value();
          const graph::AvgPool pool{
              {.kernel_h = 2, .kernel_w = 3, .pad_top = 1, .pad_left = 1},
              random() % 2 == 0,
              Quantizer{{random() % 2 == 0, 5 + static_cast<int>(random() % 57), frac_bits},
                        rounding,
                        overflow}};
          builder.output(builder.add("y", pool, {x}).value());
          compare_with_reference(std::move(builder).finish().value(), random);
          if (HasFatalFailure())
            return;
        }
}

TEST(SpatialConcat, TakesTheInputItselfAndConstants) {
  Builder builder("concat");
  const FixedType type{true, 4, 1};
  const ValueId x = builder.add("x", graph::Input{{{2}, type}}).value();
  const ValueId c = builder.constant("c", {{1}, {3}}, {true, 4, 0}).value();
  const ValueId both = builder.add("both", graph::Concat{}, {c, x, x}).value();
  builder.output(builder.add("y", graph::Concat{}, {both, x}).value());
  const Emulator emulator(std::move(builder).finish().value());
  EXPECT_EQ(emulator.run(std::vector<int64_t>{1, -2, 5, 6}),
            (std::vector<int64_t>{6, 1, -2, 1, -2, 1, -2, 6, 5, 6, 5, 6, 5, 6}));
}

}  // namespace
}  // namespace millrace::emulator
