// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/letter_network.h"

#include <gtest/gtest.h>
#include <random>

#include "millrace/frontends/onnx/export.h"
#include "millrace/passes/lower.h"
#include "millrace/support/check.h"
#include "millrace/train/augment.h"
#include "millrace/train/exact_check.h"

namespace millrace::train {
namespace {

/// Random weights that are multiples of the quantiser's step.
LetterParameters random_parameters(const QuantizerSpec& spec, uint64_t seed) {
  std::mt19937_64 random(seed);
  LetterParameters parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].shape = LetterNetwork::shape(LetterNetwork::Slots[i]);
    for (int64_t n = num_elements(parameters[i].shape); n > 0; --n) {
      const Int128 raw = requantize(uniform(random, -1, 1), spec.weights());
      parameters[i].data.push_back(spec.weights().type.to_double(raw));
    }
  }
  return parameters;
}

TEST(LetterNetwork, Has1005Parameters) {
  EXPECT_EQ(num_parameters(random_parameters({9, 4}, 1)), 1005);
}

TEST(LetterNetwork, ItsMapsHaveThePublishedShapes) {
  const graph::Graph network =
      build_letter_graph(random_parameters({9, 4}, 1), QuantizerSpec{9, 4});
  std::vector<std::string> shapes;
  for (const graph::Op& op : network.ops())
    if (op.as<graph::Conv2D>() || op.as<graph::MaxPool>() || op.as<graph::Flatten>() ||
        op.as<graph::Dense>())
      shapes.push_back(to_string(op.type.shape));
  EXPECT_EQ(shapes,
            (std::vector<std::string>{"26x26x4", "13x13x4", "11x11x4", "5x5x4", "100", "8", "1"}));
}

TEST(LetterNetwork, LowersToAnExactGraphWithAndWithoutTheSigmoid) {
  const graph::Graph network =
      build_letter_graph(random_parameters({9, 4}, 2), QuantizerSpec{9, 4});
  const auto scores = passes::lower(network);
  ASSERT_TRUE(scores.has_value()) << scores.error().to_string();
  EXPECT_TRUE(scores->is_exact());
  EXPECT_EQ(scores->type(scores->outputs()[0]).to_string(), "tensor<1 x ufixed<8,0>>");
  const auto logits = passes::lower(network, {.logits = true});
  ASSERT_TRUE(logits.has_value()) << logits.error().to_string();
  EXPECT_EQ(logits->type(logits->outputs()[0]).to_string(), "tensor<1 x fixed<9,5>>");
}

TEST(LetterNetwork, WithoutAQuantizerItIsRealAndCannotBeLowered) {
  const graph::Graph network = build_letter_graph(random_parameters({9, 4}, 2), std::nullopt);
  EXPECT_FALSE(network.type(network.outputs()[0]).is_fixed());
  EXPECT_FALSE(passes::lower(network).has_value());
}

TEST(ExactCheck, ADifferentLogitIsOurFault) {
  EXPECT_NO_THROW(check_equal({1.0, -0.5}, {1.0, -0.5}));
  EXPECT_THROW(check_equal({1.0, -0.5}, {1.0, -0.4375}), InternalError);
  EXPECT_THROW(check_equal({1.0}, {1.0, -0.5}), InternalError);
}

TEST(ExactCheck, AModelThatIsNotOnnxIsRefused) {
  EXPECT_FALSE(exact_logits("nonsense", {}).has_value());
}

}  // namespace
}  // namespace millrace::train
