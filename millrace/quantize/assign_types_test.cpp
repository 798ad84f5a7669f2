// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/assign_types.h"

#include <gmock/gmock.h>
#include <string>

#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"

namespace millrace::quantize {
namespace {

using ::testing::ElementsAre;

// A float layer with batch normalisation, and a function behind it.
constexpr const char* Network = R"(
graph @net {
  %x = input : tensor<2 x real>
  %w = constant {value = [0.1, 0.2, -0.3, 1.7]} : tensor<2x2 x real>
  %b = constant {value = [0.1, 0.0]} : tensor<2 x real>
  %fc = dense %x, %w, %b : tensor<2 x real>
  %s = constant {value = [2.0, 0.5]} : tensor<2 x real>
  %o = constant {value = [1.0, -1.0]} : tensor<2 x real>
  %bn = affine %fc, %s, %o : tensor<2 x real>
  %act = relu %bn : tensor<2 x real>
  %y = unary %act {function = tanh} : tensor<2 x real>
  output %y
}
)";

graph::Graph parse(const std::string& text) {
  auto graph = graph::parse(text, "test");
  EXPECT_TRUE(graph) << graph.error().to_string();
  return *graph;
}

std::vector<std::string> described(const graph::Graph& graph) {
  std::vector<std::string> lines;
  for (const Site& site : find_sites(graph))
    lines.push_back(graph.op(site.layer).name + " " + std::string(to_string(site.role)) + " " +
                    graph.op(site.value).name + (site.needs_type ? " needs" : ""));
  return lines;
}

TEST(AssignTypes, FindsWhatNeedsAType) {
  EXPECT_THAT(described(parse(Network)),
              ElementsAre("x result x needs", "fc weight w needs", "fc bias b needs",
                          "fc result fc needs", "bn weight s", "bn bias o", "bn result bn needs",
                          "act result act", "y result y needs"));
}

// Quantisers of the model stand behind the sum and behind the activation: neither sum nor
// activation is rounded before them, and weights that are exact stay as they are.
TEST(AssignTypes, LeavesToTheModelWhatItQuantizes) {
  const graph::Graph graph = parse(R"(
graph @net {
  %x = input : tensor<1x1x2 x real>
  %w = constant {value = [0.5, 0.25, -0.75, 1.0]} : tensor<1x1x2x2 x real>
  %b = constant {value = [0.1, 0.0]} : tensor<2 x real>
  %conv = conv2d %x, %w, %b {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<1x1x2 x real>
  %act = relu %conv : tensor<1x1x2 x real>
  %q = requantize %act {rounding = RND_CONV, overflow = SAT} : tensor<1x1x2 x ufixed<4,0>>
  output %q
}
)");
  EXPECT_THAT(described(graph),
              ElementsAre("x result x needs", "conv weight w", "conv bias b needs",
                          "conv result conv", "act result act", "q result q"));
}

TEST(AssignTypes, TypedGraphIsExact) {
  const graph::Graph graph = parse(Network);
  const Quantizer type{{.is_signed = true, .width = 12, .frac_bits = 8}};
  const auto typed =
      assign_types(graph, [&](const Site& site) -> Result<std::optional<ChosenType>> {
        return site.needs_type ? std::optional(ChosenType{type, "the test"}) : std::nullopt;
      });
  ASSERT_TRUE(typed) << typed.error().to_string();
  const auto exact = passes::lower(*typed);
  ASSERT_TRUE(exact) << exact.error().to_string();
  EXPECT_EQ(exact->type(exact->inputs().front()).fixed(), type.type);
  EXPECT_EQ(exact->type(exact->outputs().front()).fixed(), type.type);
  for (const graph::Op& op : typed->ops())
    if (op.as<graph::Requantize>()) {
      EXPECT_EQ(op.where, "the test") << op.name;
    }
}

TEST(AssignTypes, AModelsQuantizerTakesTheTypeItIsGiven) {
  const graph::Graph graph = parse(R"(
graph @net {
  %x = input : tensor<2 x fixed<8,4>>
  %q = requantize %x {rounding = RND_CONV, overflow = SAT} : tensor<2 x ufixed<4,0>>
  output %q
}
)");
  const Quantizer type{{.is_signed = false, .width = 3, .frac_bits = 1}, Rounding::HalfUp};
  const auto typed =
      assign_types(graph, [&](const Site& site) -> Result<std::optional<ChosenType>> {
        if (graph.op(site.layer).name == "q")
          return ChosenType{type, "a rule"};
        return std::nullopt;
      });
  ASSERT_TRUE(typed) << typed.error().to_string();
  ASSERT_EQ(typed->ops().size(), 2U);
  EXPECT_EQ(typed->ops()[1].as<graph::Requantize>()->to, type);
  EXPECT_EQ(typed->ops()[1].where, "a rule");
}

TEST(AssignTypes, AQuantizerThatCountsStepsTakesNoOtherType) {
  const graph::Graph graph = parse(R"(
graph @net {
  %x = input : tensor<2 x fixed<8,4>>
  %q = requantize %x {rounding = RND_CONV, overflow = SAT, steps = [0.3]} : tensor<2 x ufixed<4,4>>
  output %q
}
)");
  const auto typed =
      assign_types(graph, [&](const Site& site) -> Result<std::optional<ChosenType>> {
        if (graph.op(site.layer).name == "q")
          return ChosenType{{.type = {false, 3, 1}}, "a rule"};
        return std::nullopt;
      });
  ASSERT_FALSE(typed);
  EXPECT_EQ(typed.error().code, "quantize.steps");
  EXPECT_EQ(typed.error().where, "a rule");
}

TEST(AssignTypes, BatchNormalizationGoesIntoUnquantizedWeights) {
  const auto folded = fold_real_affine(parse(Network));
  ASSERT_TRUE(folded) << folded.error().to_string();
  const graph::Op& fc =
      folded->op(folded->op(folded->op(folded->outputs()[0]).operands[0]).operands[0]);
  EXPECT_EQ(fc.name, "fc");
  EXPECT_THAT(folded->op(fc.operands[1]).as<graph::Constant>()->real(),
              ElementsAre(0.1 * 2, 0.2 * 0.5, -0.3 * 2, 1.7 * 0.5));
  EXPECT_THAT(folded->op(fc.operands[2]).as<graph::Constant>()->real(),
              ElementsAre(0.1 * 2 + 1, -1));
}

TEST(AssignTypes, BatchNormalizationStaysBehindQuantizedWeights) {
  const graph::Graph graph = parse(R"(
graph @net {
  %x = input : tensor<1 x real>
  %w = constant {value = [0.5]} : tensor<1x1 x real>
  %b = constant {value = [0.0]} : tensor<1 x real>
  %fc = dense %x, %w, %b : tensor<1 x real>
  %s = constant {value = [0.1]} : tensor<1 x real>
  %bn = affine %fc, %s, %b : tensor<1 x real>
  output %bn
}
)");
  EXPECT_EQ(*fold_real_affine(graph), graph);
}

// Exact sums of more bits than a table reads: they are rounded before the function.
TEST(AssignTypes, WhatAFunctionReadsNeedsATypeWhereItIsWide) {
  const graph::Graph graph = parse(R"(
graph @net {
  %x = input : tensor<2 x fixed<17,8>>
  %z = input : tensor<2 x fixed<16,8>>
  %y = softmax %x : tensor<2 x real>
  %t = unary %z {function = tanh} : tensor<2 x real>
  output %y
  output %t
}
)");
  EXPECT_THAT(described(graph), ElementsAre("x result x needs", "z result z", "y result y needs",
                                            "t result t needs"));
}

}  // namespace
}  // namespace millrace::quantize
