// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/lower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/text.h"
#include "millrace/passes/messages.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::passes {
namespace {

using testing::HasSubstr;

graph::Graph graph_of(const std::string& body) {
  auto graph = graph::parse("graph @g {\n" + body + "}\n", "g.mr");
  EXPECT_TRUE(graph) << graph.error().to_string();
  return std::move(graph).value();
}

std::string lowered(const std::string& body, const LowerOptions& options = {}) {
  const auto graph = lower(graph_of(body), options);
  if (!graph)
    return graph.error().to_string();
  EXPECT_TRUE(graph->is_exact());
  EXPECT_TRUE(graph::verify(*graph));
  const std::string text = graph::print(*graph);
  const std::string head = "graph @g {\n";
  return text.substr(head.size(), text.size() - head.size() - 2);
}

Diagnostic refusal(const std::string& body, const LowerOptions& options = {}) {
  const auto graph = lower(graph_of(body), options);
  EXPECT_FALSE(graph);
  return graph ? Diagnostic{} : graph.error();
}

// Random inputs of the exact graph, as numbers, go through both graphs: equal outputs.
void expect_same_numbers(const std::string& body, const LowerOptions& options = {}) {
  const graph::Graph before = graph_of(body);
  const auto after = lower(before, options);
  ASSERT_TRUE(after) << after.error().to_string();
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<double>> inputs;
    for (graph::ValueId input : after->inputs()) {
      const FixedType& type = after->type(input).fixed();
      std::vector<double> values(static_cast<size_t>(num_elements(after->type(input).shape)));
      for (double& value : values)
        value = type.to_double(static_cast<Int128>(random() % (uint64_t{1} << type.width)) +
                               type.min_raw());
      inputs.push_back(std::move(values));
    }
    EXPECT_EQ(reference::evaluate_real(*after, inputs), reference::evaluate_real(before, inputs));
  }
}

TEST(Lower, QuantisedConstantsAreFoldedAndNarrowed) {
  const std::string body =
      "  %x = input : tensor<2 x fixed<4,2>>\n"
      "  %w = constant {value = [0.3, -1.26, 5, 0.125]} : tensor<2x2 x real>\n"
      "  %wq = requantize %w {rounding = RND, overflow = SAT} : tensor<2x2 x fixed<8,2>>\n"
      "  %wqq = requantize %wq {rounding = RND, overflow = SAT} : tensor<2x2 x fixed<4,2>>\n"
      "  %b = constant {value = [0, 0]} : tensor<2 x fixed<9,1>>\n"
      "  %y = dense %x, %wqq, %b : tensor<2 x fixed<13,5>>\n"
      "  output %y\n";
  EXPECT_EQ(lowered(body),
            "  %x = input : tensor<2 x fixed<4,2>>\n"
            "  %w = constant {value = [1, -5, 7, 1]} : tensor<2x2 x fixed<4,2>>\n"
            "  %b = constant {value = [0, 0]} : tensor<2 x ufixed<1,1>>\n"
            "  %y = dense %x, %w, %b : tensor<2 x fixed<7,3>>\n"
            "  output %y\n");
  expect_same_numbers(body);
}

TEST(Lower, RealInputsTakeTheTypeOfTheirQuantiser) {
  EXPECT_EQ(
      lowered("  %x = input : tensor<2 x real>\n"
              "  %a = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x fixed<4,2>>\n"
              "  %b = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x fixed<4,2>>\n"
              "  %r = relu %a : tensor<2 x ufixed<3,1>>\n"
              "  output %r\n  output %b\n"),
      "  %x = input : tensor<2 x fixed<4,2>>\n"
      "  %r = relu %x : tensor<2 x ufixed<3,1>>\n"
      "  output %r\n  output %x\n");
}

TEST(Lower, RealInputsThatAreReadInTwoWaysNeedAQuantiser) {
  const Diagnostic two = refusal(
      "  %x = input : tensor<2 x real>\n"
      "  %a = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x fixed<4,2>>\n"
      "  %b = requantize %x {rounding = TRN, overflow = SAT} : tensor<2 x fixed<4,2>>\n"
      "  output %a\n  output %b\n");
  EXPECT_EQ(two.code, messages::MissingQuantizer.code);
  EXPECT_EQ(two.where, "g.mr:2:3");
  EXPECT_THAT(two.message, HasSubstr("'%x' (input)"));
  EXPECT_EQ(refusal("  %x = input : tensor<2 x real>\n  output %x\n").code,
            messages::MissingQuantizer.code);
  EXPECT_EQ(
      refusal("  %x = input : tensor<2 x real>\n"
              "  %a = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x fixed<4,2>>\n"
              "  output %a\n  output %x\n")
          .code,
      messages::MissingQuantizer.code);
}

constexpr const char* ConvBatchNorm =
    "  %x = input : tensor<5x5x2 x ufixed<4,0>>\n"
    "  %w = constant {value = [1, -2, 3, 1, -1, 0, 2, 3]} : tensor<1x2x2x2 x fixed<4,1>>\n"
    "  %b = constant {value = [0.5, -0.1875]} : tensor<2 x real>\n"
    "  %conv = conv2d %x, %w, %b {kernel = [1, 2], stride = [1, 1], padding = [0, 1, 0, 1]}"
    " : tensor<5x6x2 x real>\n"
    "  %scale = constant {value = [0.75, -1.25]} : tensor<2 x real>\n"
    "  %shift = constant {value = [-2, 0.125]} : tensor<2 x real>\n"
    "  %norm = affine %conv, %scale, %shift : tensor<5x6x2 x real>\n"
    "  %relu = relu %norm : tensor<5x6x2 x real>\n"
    "  output %relu\n";

TEST(Lower, AffineAfterConvolutionGoesIntoWeightsAndBias) {
  EXPECT_EQ(lowered(ConvBatchNorm),
            "  %x = input : tensor<5x5x2 x ufixed<4,0>>\n"
            "  %w = constant {value = [3, 10, 9, -5, -3, 0, 6, -15]}"
            " : tensor<1x2x2x2 x fixed<5,0>>\n"
            "  %b = constant {value = [-104, 23]} : tensor<2 x fixed<8,2>>\n"
            "  %conv = conv2d %x, %w, %b {kernel = [1, 2], stride = [1, 1], padding = [0, 1, 0, 1]}"
            " : tensor<5x6x2 x fixed<11,2>>\n"
            "  %relu = relu %conv : tensor<5x6x2 x ufixed<10,1>>\n"
            "  output %relu\n");
  expect_same_numbers(ConvBatchNorm);
}

TEST(Lower, AffineAfterDenseAndChainsOfThemAreFolded) {
  const std::string body =
      "  %x = input : tensor<2 x fixed<5,3>>\n"
      "  %w = constant {value = [1, -2, 3, 1]} : tensor<2x2 x fixed<4,1>>\n"
      "  %k = constant {value = [0.5, 2]} : tensor<2 x real>\n"
      "  %wk = affine %w, %k, %k : tensor<2x2 x real>\n"
      "  %b = constant {value = [1, 2]} : tensor<2 x fixed<4,2>>\n"
      "  %d = dense %x, %wk, %b : tensor<2 x real>\n"
      "  %m = affine %d, %k, %b : tensor<2 x real>\n"
      "  %n = affine %m, %k, %b : tensor<2 x real>\n"
      "  output %n\n";
  expect_same_numbers(body);
  EXPECT_THAT(lowered(body), testing::Not(HasSubstr("affine")));
}

TEST(Lower, AffineElsewhereStays) {
  const std::string body =
      "  %x = input : tensor<2 x fixed<5,3>>\n"
      "  %k = constant {value = [0.5, 3]} : tensor<2 x real>\n"
      "  %a = affine %x, %k, %k : tensor<2 x real>\n"
      "  %r = relu %a : tensor<2 x real>\n"
      "  output %r\n";
  EXPECT_THAT(lowered(body), HasSubstr("%a = affine %x, %k, %k : tensor<2 x fixed<8,5>>"));
  expect_same_numbers(body);
}

TEST(Lower, AffineStaysWhereTheSumsAreUsedTwice) {
  const std::string body =
      "  %x = input : tensor<2 x fixed<5,3>>\n"
      "  %w = constant {value = [1, -2, 3, 1]} : tensor<2x2 x fixed<4,1>>\n"
      "  %k = constant {value = [0.5, 3]} : tensor<2 x real>\n"
      "  %d = dense %x, %w, %k : tensor<2 x real>\n"
      "  %a = affine %d, %k, %k : tensor<2 x real>\n"
      "  output %a\n";
  expect_same_numbers(body);
  EXPECT_THAT(lowered(body), testing::Not(HasSubstr("affine")));
  EXPECT_THAT(lowered(body + "  output %d\n"), HasSubstr("affine"));
  expect_same_numbers(body + "  output %d\n");
  EXPECT_THAT(lowered(body + "  %r = relu %d : tensor<2 x real>\n  output %r\n"),
              HasSubstr("affine"));
}

TEST(Lower, AffineThatNeedsTooManyBitsIsRefused) {
  const Diagnostic found = refusal(
      "  %x = input : tensor<1 x fixed<5,3>>\n"
      "  %w = constant {value = [13107, 1]} : tensor<1x2 x fixed<15,1>>\n"
      "  %b = constant {value = [0, 0]} : tensor<2 x ufixed<1,1>>\n"
      "  %d = dense %x, %w, %b : tensor<2 x fixed<19,3>>\n"
      "  %k = constant {value = [1.1, 2.2]} : tensor<2 x real>\n"
      "  %a = affine %d, %k, %b : tensor<2 x real>\n"
      "  output %a\n");
  EXPECT_EQ(found.code, messages::AffineTooWide.code);
  EXPECT_EQ(found.where, "g.mr:7:3");
  EXPECT_THAT(found.message, HasSubstr("the offset of '%a', with '%d', need more"));
}

TEST(Lower, SymmetricSaturationWithinItsTypeIsKept) {
  const auto body = [](const std::string& type, const std::string& overflow) {
    return "  %x = input : tensor<1 x " + type + ">\n  %q = requantize %x {rounding = RND, " +
           "overflow = " + overflow + "} : tensor<1 x " + type + ">\n  output %q\n";
  };
  for (const std::string overflow : {"WRAP", "SAT", "SAT_ZERO", "SAT_SYM", "WRAP_SM"}) {
    const bool is_kept =
        lowered(body("fixed<4,2>", overflow)).find("requantize") != std::string::npos;
    EXPECT_EQ(is_kept, overflow == "SAT_SYM") << overflow;
    expect_same_numbers(body("fixed<4,2>", overflow));
    EXPECT_EQ(lowered(body("ufixed<4,2>", overflow)),
              "  %x = input : tensor<1 x ufixed<4,2>>\n  output %x\n");
  }
}

TEST(Lower, RequantizeToAnotherTypeIsKept) {
  EXPECT_THAT(lowered("  %x = input : tensor<1 x fixed<4,2>>\n"
                      "  %q = requantize %x {rounding = RND, overflow = SAT}"
                      " : tensor<1 x fixed<5,3>>\n  output %q\n"),
              HasSubstr("requantize"));
}

const std::string Sigmoid =
    "  %x = input : tensor<1 x fixed<2,2>>\n"
    "  %s = unary %x {function = sigmoid} : tensor<1 x real>\n";
const std::string QuantisedSigmoid =
    Sigmoid +
    "  %q = requantize %s {rounding = RND, overflow = SAT} : tensor<1 x ufixed<4,0>>\n"
    "  output %q\n";

TEST(Lower, QuantisedSigmoidBecomesATable) {
  EXPECT_EQ(lowered(QuantisedSigmoid),
            "  %x = input : tensor<1 x fixed<2,2>>\n"
            "  %s = table %x {value = [2, 4, 8, 12]} : tensor<1 x ufixed<4,0>>\n"
            "  output %s\n");
  expect_same_numbers(QuantisedSigmoid);
}

TEST(Lower, LogitsDropTheFinalSigmoid) {
  const std::string logits = "  %x = input : tensor<1 x fixed<2,2>>\n  output %x\n";
  EXPECT_EQ(lowered(QuantisedSigmoid, {.logits = true}), logits);
  EXPECT_EQ(lowered(Sigmoid + "  output %s\n", {.logits = true}), logits);
  EXPECT_EQ(lowered(lowered(QuantisedSigmoid), {.logits = true}), logits);
  EXPECT_EQ(lowered(logits, {.logits = true}), logits);
}

TEST(Lower, LogitsKeepWhatStandsInsideTheGraph) {
  const std::string both =
      QuantisedSigmoid + "  %r = relu %q : tensor<1 x ufixed<4,0>>\n  output %r\n";
  EXPECT_EQ(lowered(both, {.logits = true}),
            "  %x = input : tensor<1 x fixed<2,2>>\n"
            "  %s = table %x {value = [2, 4, 8, 12]} : tensor<1 x ufixed<4,0>>\n"
            "  %r = relu %s : tensor<1 x ufixed<4,0>>\n"
            "  output %x\n  output %r\n");
}

TEST(Lower, LogitsNeedNoTableThatWouldBeTooWide) {
  const std::string wide =
      "  %x = input : tensor<1 x fixed<20,2>>\n"
      "  %s = unary %x {function = sigmoid} : tensor<1 x real>\n"
      "  %q = requantize %s {rounding = RND, overflow = SAT} : tensor<1 x ufixed<4,0>>\n"
      "  output %q\n";
  const Diagnostic found = refusal(wide);
  EXPECT_EQ(found.code, messages::TableTooWide.code);
  EXPECT_EQ(found.where, "g.mr:3:3");
  EXPECT_EQ(lowered(wide, {.logits = true}),
            "  %x = input : tensor<1 x fixed<20,2>>\n  output %x\n");
}

TEST(Lower, SigmoidWithoutAQuantiserIsNamed) {
  const Diagnostic found = refusal(Sigmoid + "  output %s\n");
  EXPECT_EQ(found.code, messages::MissingQuantizer.code);
  EXPECT_EQ(found.where, "g.mr:3:3");
  EXPECT_THAT(found.message, HasSubstr("'%s' (unary)"));
}

std::string dense_with(const std::string& weights, const std::string& bias) {
  return "  %x = input : tensor<1 x fixed<5,3>>\n"
         "  %w = constant {value = [" +
         weights +
         "]} : tensor<1x2 x real>\n"
         "  %b = constant {value = [" +
         bias +
         "]} : tensor<2 x real>\n"
         "  %d = dense %x, %w, %b : tensor<2 x real>\n  output %d\n";
}

TEST(Lower, RealWeightsOfFewBitsAreAccepted) {
  expect_same_numbers(dense_with("0.5, -0.75", "0.1, 3"));
  EXPECT_THAT(lowered(dense_with("0.999969482421875, -0.000030517578125", "0, 0")),
              HasSubstr("tensor<1x2 x fixed<16,1>>"));  // +-(2^15 - 1), 1 of 2^-15
}

TEST(Lower, RealWeightsOfManyBitsNeedAQuantiser) {
  const Diagnostic found = refusal(dense_with("0.1, -0.75", "0, 0"));
  EXPECT_EQ(found.code, messages::UnquantizedWeights.code);
  EXPECT_EQ(found.where, "g.mr:5:3");
  EXPECT_THAT(found.message, HasSubstr("'%w' of dense '%d'"));
  EXPECT_EQ(refusal(dense_with("0.999969482421875, -1.000030517578125", "0, 0")).code,
            messages::UnquantizedWeights.code);
}

TEST(Lower, RealWeightsOfManyBitsAreNotHiddenByAnAffine) {
  const std::string affine =
      "  %a = affine %d, %b, %b : tensor<2 x real>\n"
      "  output %a\n";
  std::string body = dense_with("0.1, -0.75", "0.5, 0.5");
  body.replace(body.find("  output"), std::string::npos, affine);
  EXPECT_EQ(refusal(body).code, messages::UnquantizedWeights.code);
  const Diagnostic weights = refusal(
      "  %x = input : tensor<2 x fixed<5,3>>\n"
      "  %w = constant {value = [0.1, 0.2, 0.3, 0.4]} : tensor<2x2 x real>\n"
      "  %k = constant {value = [0.5, 2]} : tensor<2 x real>\n"
      "  %wk = affine %w, %k, %k : tensor<2x2 x real>\n"
      "  %d = dense %x, %wk, %k : tensor<2 x real>\n"
      "  output %d\n");
  EXPECT_EQ(weights.code, messages::MissingQuantizer.code);
  EXPECT_EQ(weights.where, "g.mr:3:3");
}

TEST(Lower, RealBiasesBeyondSixtyFourBitsNeedAQuantiser) {
  const Diagnostic found = refusal(dense_with("0.5, 0.5", "0.1, 1e20"));
  EXPECT_EQ(found.code, messages::UnquantizedConstant.code);
  EXPECT_EQ(found.where, "g.mr:5:3");
  EXPECT_THAT(found.message, HasSubstr("'%b' of dense '%d'"));
}

TEST(Lower, LoweringTwiceChangesNothing) {
  for (const std::string& body : {std::string(ConvBatchNorm), QuantisedSigmoid}) {
    const std::string once = lowered(body);
    EXPECT_EQ(lowered(once), once);
  }
}

const std::string Pointwise =
    "  %x = input : tensor<2x1x3 x fixed<6,3>>\n"
    "  %y = input : tensor<2x1x3 x ufixed<5,2>>\n"
    "  %c = constant {value = [0.5, -1.25, 3]} : tensor<3 x real>\n"
    "  %one = constant {value = [-0.75]} : tensor<1 x real>\n"
    "  %sum = add %x, %c : tensor<2x1x3 x real>\n"
    "  %scaled = mul %sum, %one : tensor<2x1x3 x real>\n"
    "  %least = minimum %scaled, %y : tensor<2x1x3 x real>\n"
    "  %leaky = prelu %least, %c : tensor<2x1x3 x real>\n"
    "  %largest = reduce %leaky {function = max} : tensor<2x1x1 x real>\n"
    "  %below = sub %x, %largest : tensor<2x1x3 x real>\n"
    "  %most = maximum %below, %y : tensor<2x1x3 x real>\n"
    "  %square = square %most : tensor<2x1x3 x real>\n"
    "  %size = abs %leaky : tensor<2x1x3 x real>\n"
    "  %all = reduce %size {function = sum} : tensor<2x1x1 x real>\n"
    "  %sign = sign %leaky : tensor<2x1x3 x real>\n"
    "  %bit = binarize %leaky : tensor<2x1x3 x real>\n"
    "  %less = negate %leaky : tensor<2x1x3 x real>\n"
    "  output %square\n  output %all\n  output %sign\n  output %bit\n  output %less\n";

TEST(Lower, OperationsOnTwoValuesBecomeExact) {
  // lowered() reads the graph as text, where a real operand makes every result real.
  EXPECT_THAT(lowered(Pointwise), HasSubstr("%scaled = mul %sum, %one : tensor<2x1x3 x fixed<"));
  expect_same_numbers(Pointwise);
}

TEST(Lower, AConstantThatHasNoExactTypeIsNamed) {
  const Diagnostic found = refusal(
      "  %x = input : tensor<1 x fixed<6,3>>\n"
      "  %c = constant {value = [1e-300, 1]} : tensor<2 x real>\n"
      "  %d = constant {value = [1e-300]} : tensor<1 x real>\n"
      "  %y = add %c, %d : tensor<2 x real>\n  output %y\n");
  EXPECT_EQ(found.code, messages::UnquantizedConstant.code);
}

TEST(Lower, TypesOfChannelsAreFoldedIntoConstants) {
  EXPECT_EQ(lowered("  %x = input : tensor<2 x fixed<4,4>>\n"
                    "  %c = constant {value = [1.3, 1.3]} : tensor<2 x real>\n"
                    "  %q = requantize %c {rounding = TRN, overflow = SAT, types = [ufixed<3,1>, "
                    "ufixed<1,1>]} : tensor<2 x ufixed<3,1>>\n"
                    "  %y = mul %x, %q : tensor<2 x fixed<7,5>>\n  output %y\n"),
            "  %x = input : tensor<2 x fixed<4,4>>\n"
            "  %c = constant {value = [5, 4]} : tensor<2 x ufixed<3,1>>\n"
            "  %y = mul %x, %c : tensor<2 x fixed<7,5>>\n  output %y\n");
}

TEST(Lower, TypesOfChannelsStayBehindAnInput) {
  const std::string quantised =
      "  %q = requantize %x {rounding = RND, overflow = SAT, types = [fixed<3,2>, ufixed<2,2>]} "
      ": tensor<2 x fixed<4,3>>\n  output %q\n";
  EXPECT_EQ(lowered("  %x = input : tensor<2 x real>\n" + quantised),
            "  %x = input : tensor<2 x fixed<4,3>>\n" + quantised);
}

TEST(Lower, TablesReadTheTypesThatFollowFromNarrowConstants) {
  // Without narrowing, the product has two fraction bits more and its table four times the entries.
  const std::string body =
      "  %x = input : tensor<1 x fixed<3,3>>\n"
      "  %c = constant {value = [8]} : tensor<1 x fixed<6,4>>\n"
      "  %y = mul %x, %c : tensor<1 x fixed<6,4>>\n"
      "  %s = unary %y {function = sigmoid} : tensor<1 x real>\n"
      "  %q = requantize %s {rounding = RND, overflow = SAT} : tensor<1 x ufixed<3,0>>\n"
      "  output %q\n";
  EXPECT_THAT(lowered(body), HasSubstr("%s = table %y {value = [0, 0, 0, 1, 4, 7, 7, 7]}"));
  expect_same_numbers(body);
}

}  // namespace
}  // namespace millrace::passes
