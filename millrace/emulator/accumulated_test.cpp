// SPDX-License-Identifier: Apache-2.0
// Accumulators of every mode, narrow and beyond 64 bits: the emulator computes what the reference
// computes.
#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/random_graph.h"

#include "millrace/emulator/emulator.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate.h"

namespace millrace::emulator {
namespace {

using graph::ValueId;

constexpr int NumImages = 35;  // more than one block, and an incomplete one

int64_t between(std::mt19937_64& random, int64_t lo, int64_t hi) {
  return lo + static_cast<int64_t>(random() % static_cast<uint64_t>(hi - lo + 1));
}

Quantizer random_accumulator(std::mt19937_64& random, int most_bits) {
  const auto width = static_cast<int>(between(random, 2, most_bits));
  return {{.is_signed = random() % 4 != 0,
           .width = width,
           .frac_bits = static_cast<int>(between(random, -2, std::min(width + 2, 28)))},
          AllRoundings[random() % AllRoundings.size()],
          AllOverflows[random() % AllOverflows.size()]};
}

/// A padded convolution in groups, a mean and a dense layer, all with accumulators.
graph::Graph random_network(std::mt19937_64& random, int input_bits, int weight_bits,
                            int most_bits) {
  graph::Builder builder("accumulated");
  const FixedType element{.is_signed = true, .width = input_bits, .frac_bits = input_bits / 2};
  const FixedType weight{.is_signed = true, .width = weight_bits, .frac_bits = weight_bits / 2};
  const auto add = [&](graph::OpKind kind, std::vector<ValueId> operands) {
    return builder.add("v", std::move(kind), std::move(operands)).value();
  };
  const auto constant = [&](const Shape& shape) {
    return builder.constant("c", testing::random_tensor(random, {shape, weight}), weight).value();
  };
  const ValueId x = add(graph::Input{{{5, 4, 2}, element}}, {});
  const graph::Window window{.kernel_h = 2, .kernel_w = 3, .pad_left = 1, .pad_right = 1};
  const ValueId w = constant({2, 3, 1, 4}), b = constant({4});
  const ValueId conv =
      add(graph::Conv2D{window, 2, random_accumulator(random, most_bits)}, {x, w, b});
  const graph::Window pool{.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .pad_top = 1};
  const ValueId mean = add(
      graph::AvgPool{pool, random() % 2 == 0, random_accumulator(random, most_bits), true}, {conv});
  const ValueId flat = add(graph::Flatten{}, {mean});
  const ValueId v = constant({builder.type(flat).shape[0], 3}), c = constant({3});
  builder.output(add(graph::Dense{random_accumulator(random, most_bits)}, {flat, v, c}));
  return std::move(builder).finish().value();
}

void compare_with_reference(int input_bits, int weight_bits, int most_bits) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    const graph::Graph graph = random_network(random, input_bits, weight_bits, most_bits);
    std::vector<int64_t> inputs, expected;
    for (int image = 0; image < NumImages; ++image) {
      const IntTensor input = testing::random_tensor(random, graph.type(graph.inputs()[0]));
      const IntTensor output = reference::evaluate(graph, {input}).at(0);
      inputs.insert(inputs.end(), input.data.begin(), input.data.end());
      expected.insert(expected.end(), output.data.begin(), output.data.end());
    }
    ASSERT_EQ(Emulator(graph).run(inputs), expected) << "seed " << seed << graph::print(graph);
  }
}

TEST(Accumulated, Narrow) {
  compare_with_reference(8, 6, 12);
}

TEST(Accumulated, Wide) {
  compare_with_reference(30, 12, 40);
}

TEST(Accumulated, BeyondMachineWords) {
  compare_with_reference(48, 20, 63);
}

}  // namespace
}  // namespace millrace::emulator
