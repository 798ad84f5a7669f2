// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/hls4ml.h"

#include <gtest/gtest.h>
#include <string>

#include "millrace/fixed/quantizer_text.h"
#include "millrace/graph/accumulator.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/quantize/hls4ml_types.h"
#include "millrace/quantize/messages.h"
#include "millrace/reference/evaluate.h"

namespace millrace::quantize {
namespace {

// A float network with batch normalisation, a pooling and functions.
constexpr const char* Network = R"(
graph @net {
  %x = input : tensor<4x4x1 x real>
  %w = constant {value = [0.1, 0.2, -0.3, 1.7]} : tensor<2x2x1x1 x real>
  %b = constant {value = [0.1]} : tensor<1 x real>
  %conv = conv2d %x, %w, %b {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 1, 1]} : tensor<4x4x1 x real>
  %s = constant {value = [2.0]} : tensor<1 x real>
  %o = constant {value = [1.0]} : tensor<1 x real>
  %bn = affine %conv, %s, %o : tensor<4x4x1 x real>
  %bn.relu = relu %bn : tensor<4x4x1 x real>
  %pool = avg_pool %bn.relu {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0], include_padding = 0} : tensor<2x2x1 x real>
  %flat = flatten %pool : tensor<4 x real>
  %w2 = constant {value = [0.1, 0.7, 0.3, -0.2, 0.5, 0.25, 0.125, 0.3]} : tensor<4x2 x real>
  %b2 = constant {value = [0, 0]} : tensor<2 x real>
  %fc = dense %flat, %w2, %b2 : tensor<2 x real>
  %y = unary %fc {function = sigmoid} : tensor<2 x real>
  output %y
}
)";

Quantizer type(const char* text) {
  return parse_quantizer(text).value();
}

// Of every operation but constants: its name, its quantiser or accumulator.
std::vector<std::string> described(const TypeRules& rules, const char* network = Network,
                                   bool is_keras = false) {
  const auto typed = quantize_as_hls4ml(graph::parse(network, "test").value(), rules, is_keras);
  if (!typed)
    return {typed.error().code};
  std::vector<std::string> lines;
  for (const graph::Op& op : typed->ops()) {
    std::string line = op.name;
    if (const auto* quantizer = op.as<graph::Requantize>())
      line += " " + to_string(quantizer->to);
    if (const auto accumulator = graph::accumulator_of(op))
      line += " accumulates " + to_string(*accumulator);
    if (line != op.name)
      lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Hls4ml, OneTypeForEverything) {
  const std::string all = " fixed<16,6,TRN,WRAP>";
  EXPECT_EQ(described(uniform_rules(type("fixed<16,6>"), "--quantize")),
            (Lines{"x.result" + all, "w.typed" + all, "b.typed" + all, "conv accumulates" + all,
                   "conv.result" + all, "s.typed" + all, "o.typed" + all, "bn.result" + all,
                   "bn.relu.result" + all, "pool accumulates" + all, "pool.result" + all,
                   "w2.typed" + all, "b2.typed" + all, "fc accumulates" + all, "fc.result" + all,
                   "y.index fixed<10,4,TRN_ZERO,SAT>", "y.result" + all}));
}

TEST(Hls4ml, AutoIsWhatHls4mlInfers) {
  TypeRules rules = uniform_rules(type("fixed<8,3>"), "--quantize");
  for (const Role role : {Role::Weights, Role::Bias, Role::Accumulator, Role::Result})
    for (const char* name : {"x", "conv", "bn", "bn_relu", "pool", "fc", "y"})
      rules.layer_name[name].by_role[role] = std::nullopt;
  const std::string all = " fixed<8,3,TRN,WRAP>";
  // The batch normalisation is in the convolution, whose products have 16 bits, their sums 2 more
  // and the bias one; the accumulator loses nothing. The dense layer has no bias but zeros.
  EXPECT_EQ(
      described(rules),
      (Lines{"x.result" + all, "w.typed" + all, "b.typed" + all, "conv.result fixed<19,9,TRN,WRAP>",
             "bn.relu.result" + all, "pool accumulates fixed<12,5,TRN,WRAP>", "pool.result" + all,
             "w2.typed" + all, "b2.typed" + all, "fc.result fixed<19,9,TRN,WRAP>",
             "y.index fixed<10,4,TRN_ZERO,SAT>", "y.result" + all}));
}

TEST(Hls4ml, AccumulatorsHaveRulesOfTheirOwn) {
  TypeRules rules = uniform_rules(type("fixed<8,3>"), "--quantize");
  rules.model.by_role[Role::Accumulator] = type("fixed<24,9>");
  rules.layer_type["Conv2D"].by_role[Role::Accumulator] = type("fixed<20,8,RND,SAT>");
  rules.layer_name["fc"].by_role[Role::Accumulator] = type("fixed<12,4>");
  rules.layer_name["y"].tables.size = 256;
  const Lines lines = described(rules);
  const auto has = [&](const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  EXPECT_TRUE(has("conv accumulates fixed<20,8,RND,SAT>"));
  EXPECT_TRUE(has("pool accumulates fixed<24,9,TRN,WRAP>"));
  EXPECT_TRUE(has("fc accumulates fixed<12,4,TRN,WRAP>"));
  EXPECT_TRUE(has("y.index fixed<8,4,TRN_ZERO,SAT>"));
}

// The model's quantiser behind the function is the type of its result; weights that are exact stay.
TEST(Hls4ml, QuantisersOfTheModelStay) {
  constexpr const char* Quantised = R"(
graph @net {
  %x = input : tensor<2 x real>
  %xq = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x fixed<8,2>>
  %w = constant {value = [0.5, 0.25]} : tensor<2x1 x real>
  %b = constant {value = [0.1]} : tensor<1 x real>
  %bq = requantize %b {rounding = RND, overflow = SAT} : tensor<1 x fixed<4,1>>
  %fc = dense %xq, %w, %bq : tensor<1 x real>
  %t = unary %fc {function = tanh} : tensor<1 x real>
  %tq = requantize %t {rounding = RND, overflow = SAT} : tensor<1 x fixed<6,1>>
  output %tq
}
)";
  const std::string all = " fixed<16,6,TRN,WRAP>";
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  EXPECT_EQ(described(rules, Quantised),
            (Lines{"x.result" + all, "xq fixed<8,2,RND,SAT>", "bq fixed<4,1,RND,SAT>",
                   "fc accumulates" + all, "fc.result" + all, "t.index fixed<10,3,TRN_ZERO,SAT>",
                   "tq fixed<6,1,RND,SAT>"}));
  rules.layer_name["tq"].by_role[Role::Result] = type("fixed<7,2>");
  EXPECT_EQ(described(rules, Quantised).back(), "tq fixed<7,2,TRN,WRAP>");
}

TEST(Hls4ml, KerasLayersWithoutAnActivationHaveOneOfTheirOwn) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fc"].by_role[Role::Result] = type("fixed<12,4>");
  rules.layer_name["fc_linear"].by_role[Role::Result] = type("fixed<14,3>");
  const Lines lines = described(rules, Network, true);
  const auto fc = std::find(lines.begin(), lines.end(), "fc.result fixed<12,4,TRN,WRAP>");
  ASSERT_NE(fc, lines.end());
  EXPECT_EQ(fc[1], "fc.linear fixed<14,3,TRN,WRAP>");
  // Where the layer is "auto", hls4ml drops the activation.
  rules.layer_name["fc"].by_role[Role::Result] = std::nullopt;
  const Lines merged = described(rules, Network, true);
  EXPECT_EQ(std::find(merged.begin(), merged.end(), fc[1]), merged.end());
}

TEST(Hls4ml, WhatHasNoRuleIsAnError) {
  TypeRules rules;
  rules.layer_name["fc"].by_role[Role::Result] = type("fixed<7,2>");
  EXPECT_EQ(described(rules), Lines{std::string(messages::NoRule.code)});
  rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fcc"] = {};
  EXPECT_EQ(described(rules), Lines{std::string(messages::UnknownLayer.code)});
}

// Every value is fixed-point, and the graph lowers to one that is evaluated.
TEST(Hls4ml, TheGraphIsExact) {
  const auto typed = quantize_as_hls4ml(graph::parse(Network, "test").value(),
                                        uniform_rules(type("fixed<16,6>"), "--quantize"), false);
  const graph::Graph exact = passes::lower(typed.value()).value();
  const auto y = reference::evaluate(exact, {{{4, 4, 1}, std::vector<int64_t>(16, 1500)}});
  EXPECT_EQ(y.at(0).data.size(), 2);
}

TEST(Hls4ml, TypesOfSumsAndProducts) {
  const FixedType a = type("fixed<8,3>").type, u = type("ufixed<6,4>").type;
  const auto text = [](const FixedType& type) { return type.to_string(); };
  EXPECT_EQ(text(hls4ml_sum_type(a, a, u, 5)), "fixed<20,10>");
  EXPECT_EQ(text(hls4ml_sum_type(u, u, a, 4)), "fixed<17,12>");
  EXPECT_EQ(text(hls4ml_affine_type(u, a, a)), "fixed<15,8>");
  EXPECT_EQ(text(hls4ml_mean_accumulator(u, 6)), "ufixed<12,7>");
  EXPECT_EQ(text(hls4ml_binary_type(graph::BinaryFunction::Add, a, u)), "fixed<11,6>");
  EXPECT_EQ(text(hls4ml_binary_type(graph::BinaryFunction::Sub, u, u)), "fixed<7,5>");
  EXPECT_EQ(text(hls4ml_binary_type(graph::BinaryFunction::Mul, a, u)), "fixed<14,7>");
  EXPECT_EQ(text(hls4ml_binary_type(graph::BinaryFunction::Maximum, a, u)), "fixed<10,5>");
}

}  // namespace
}  // namespace millrace::quantize
