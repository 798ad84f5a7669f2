// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/type_rules.h"

#include <gtest/gtest.h>
#include <string>

#include "millrace/fixed/quantizer_text.h"
#include "millrace/graph/text.h"
#include "millrace/quantize/messages.h"

namespace millrace::quantize {
namespace {

constexpr const char* Network = R"(
graph @net {
  %x = input : tensor<2 x real>
  %w = constant {value = [0.1, 0.2, -0.3, 1.7]} : tensor<2x2 x real>
  %b = constant {value = [0.1, 0.0]} : tensor<2 x real>
  %fc1 = dense %x, %w, %b : tensor<2 x real>
  %fc1.relu = relu %fc1 : tensor<2 x real>
  %w2 = constant {value = [0.1, 0.7]} : tensor<2x1 x real>
  %b2 = constant {value = [0.3]} : tensor<1 x real>
  %fc2 = dense %fc1.relu, %w2, %b2 : tensor<1 x real>
  %y = unary %fc2 {function = sigmoid} : tensor<1 x real>
  output %y
}
)";

Quantizer type(const char* text) {
  return parse_quantizer(text).value();
}

Precision all(const char* text, const char* place = "here") {
  return {{}, Precision::Entry(type(text)), place};
}

// The type that a rule gives to the value behind `name`, in text; "" where it has none.
std::string type_of(const TypeRules& rules, const std::string& name) {
  const auto typed = quantize_by_rules(graph::parse(Network, "test").value(), rules);
  if (!typed)
    return typed.error().code;
  for (const graph::Op& op : typed->ops())
    if (const auto* quantizer = op.as<graph::Requantize>())
      if (typed->op(op.operands[0]).name == name)
        return to_string(quantizer->to);
  return "";
}

TEST(TypeRules, OneTypeForEverything) {
  const TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  for (const char* name : {"x", "w", "b", "fc1", "w2", "b2", "fc2", "y"})
    EXPECT_EQ(type_of(rules, name), "fixed<16,6,TRN,WRAP>") << name;
  EXPECT_EQ(type_of(rules, "fc1.relu"), "");
}

TEST(TypeRules, TheNarrowestRuleCounts) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.model.by_role[Role::Bias] = type("fixed<10,2>");
  rules.layer_type["QDense"] = all("fixed<12,4>");
  rules.layer_name["fc2"].by_role[Role::Weights] = type("fixed<7,1>");
  EXPECT_EQ(type_of(rules, "x"), "fixed<16,6,TRN,WRAP>");
  EXPECT_EQ(type_of(rules, "b"), "fixed<12,4,TRN,WRAP>");
  EXPECT_EQ(type_of(rules, "fc1"), "fixed<12,4,TRN,WRAP>");
  EXPECT_EQ(type_of(rules, "w2"), "fixed<7,1,TRN,WRAP>");
  EXPECT_EQ(type_of(rules, "b2"), "fixed<12,4,TRN,WRAP>");
  EXPECT_EQ(type_of(rules, "y"), "fixed<16,6,TRN,WRAP>");
}

TEST(TypeRules, ALayersNameMayTypeWhatNeedsNone) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fc1_relu"] = all("ufixed<5,2,RND,SAT>");
  EXPECT_EQ(type_of(rules, "fc1.relu"), "ufixed<5,2,RND,SAT>");
}

TEST(TypeRules, AutoLeavesExactSums) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fc1"].by_role[Role::Result] = std::nullopt;
  EXPECT_EQ(type_of(rules, "fc1"), "");
  EXPECT_EQ(type_of(rules, "w"), "fixed<16,6,TRN,WRAP>");
}

TEST(TypeRules, AutoLeavesConstants) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fc1"].by_role[Role::Weights] = std::nullopt;
  EXPECT_EQ(type_of(rules, "w"), "");
  EXPECT_EQ(type_of(rules, "w2"), "fixed<16,6,TRN,WRAP>");
}

TEST(TypeRules, InputsMayBeAllThatHasAType) {
  const graph::Graph graph = graph::parse(R"(
graph @net {
  %x = input : tensor<1 x real>
  %w = constant {value = [0.1]} : tensor<1 x real>
  %y = mul %x, %w : tensor<1 x real>
  output %y
}
)",
                                          "test")
                                 .value();
  TypeRules rules;
  rules.model.by_default = Precision::Entry(std::nullopt);
  set_inputs(rules, graph, type("ufixed<8,8>"), "here");
  const auto typed = quantize_by_rules(graph, rules);
  ASSERT_TRUE(typed) << typed.error().to_string();
  int quantizers = 0;
  for (const graph::Op& op : typed->ops())
    quantizers += op.as<graph::Requantize>() != nullptr;
  EXPECT_EQ(quantizers, 1);
}

TEST(TypeRules, AutoIsImpossibleForFunctions) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["y"].by_role[Role::Result] = std::nullopt;
  EXPECT_EQ(type_of(rules, "y"), messages::AutoImpossible.code);
}

TEST(TypeRules, UnknownNamesAndMissingRulesAreErrors) {
  TypeRules rules = uniform_rules(type("fixed<16,6>"), "--quantize");
  rules.layer_name["fc3"] = all("fixed<8,4>", "config.yml:12");
  const auto unknown = quantize_by_rules(graph::parse(Network, "test").value(), rules);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, messages::UnknownLayer.code);
  EXPECT_EQ(unknown.error().where, "config.yml:12");
  EXPECT_EQ(unknown.error().message, "the model has no layer 'fc3'; did you mean 'fc1'?");
  EXPECT_EQ(type_of(TypeRules{}, "x"), messages::NoRule.code);
}

TEST(TypeRules, HlsNamesOfLayers) {
  const graph::Graph graph = graph::parse(Network, "test").value();
  const auto op = [&](const std::string& name) {
    for (const graph::Op& candidate : graph.ops())
      if (candidate.name == name)
        return candidate;
    throw std::runtime_error(name);
  };
  EXPECT_TRUE(names_layer("fc1", op("fc1")));
  EXPECT_TRUE(names_layer("fc1_linear", op("fc1")));
  EXPECT_TRUE(names_layer("fc1_relu", op("fc1.relu")));
  EXPECT_FALSE(names_layer("fc1_relu", op("fc1")));
  EXPECT_TRUE(is_class_name("QConv2D"));
  EXPECT_TRUE(is_class_name("Activation"));
  EXPECT_FALSE(is_class_name("Quux"));
}

}  // namespace
}  // namespace millrace::quantize
