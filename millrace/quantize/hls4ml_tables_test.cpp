// SPDX-License-Identifier: Apache-2.0
// The numbers were computed by a program of ours with hls4ml 1.3.0's nnet_activation.h.
#include "millrace/quantize/hls4ml_tables.h"

#include <gtest/gtest.h>
#include <string>

#include "millrace/fixed/quantizer_text.h"
#include "millrace/passes/lower.h"
#include "millrace/quantize/messages.h"
#include "millrace/reference/evaluate.h"

namespace millrace::quantize {
namespace {

using graph::UnaryFunction;
using Numbers = std::vector<int64_t>;

Quantizer type(const char* text) {
  return parse_quantizer(text).value();
}

template <class Append>
Result<Numbers> computed(const char* from, Numbers x, const char* to, Append append) {
  graph::Builder builder("tables");
  const Shape shape = {std::ssize(x)};
  const auto input = builder.add("x", graph::Input{{shape, type(from).type}}).value();
  MR_TRY(const auto value, append(builder, input));
  builder.output(builder.add("y", graph::Requantize{type(to)}, {value}).value());
  MR_TRY(const graph::Graph graph, std::move(builder).finish());
  return reference::evaluate(graph, {{shape, std::move(x)}}).at(0).data;
}

Result<Numbers> function(UnaryFunction function, const char* from, Numbers x,
                         const TableRules& rules = {}) {
  const graph::Op op{"f", "here", graph::Unary{function}, {}, {}};
  return computed(from, std::move(x), "fixed<18,8>", [&](graph::Builder& builder, auto input) {
    return add_hls4ml_table(builder, op, input, rules);
  });
}

TEST(Hls4mlTables, FunctionsOfNumbersTimesSizeByRangeTowardsZero) {
  const Numbers x = {-2048, -1500, -1024, -700, -129, -3, -2, -1, 0, 1, 2, 128, 700, 1023, 2047};
  EXPECT_EQ(function(UnaryFunction::Sigmoid, "fixed<12,5>", x).value(),
            (Numbers{0, 0, 0, 4, 275, 508, 508, 512, 512, 512, 515, 748, 1019, 1023, 1023}));
  EXPECT_EQ(
      function(UnaryFunction::Tanh, "fixed<12,5>", x).value(),
      (Numbers{-1024, -1024, -1024, -1024, -784, -24, -16, -8, 0, 7, 15, 779, 1023, 1023, 1023}));
  EXPECT_EQ(function(UnaryFunction::Softplus, "fixed<12,5>", x).value(),
            (Numbers{0, 0, 0, 4, 320, 701, 701, 709, 709, 709, 717, 1344, 5604, 8176, 8176}));
  EXPECT_EQ(function(UnaryFunction::Softsign, "fixed<12,5>", x).value(),
            (Numbers{-911, -911, -911, -866, -512, -16, -16, 0, 0, 0, 15, 512, 865, 910, 910}));
}

TEST(Hls4mlTables, SizesAreThoseOfTheConfiguration) {
  const Numbers x = {-512, -300, -17, -16, -15, -1, 0, 15, 16, 200, 511};
  TableRules rules;
  rules.size = 64;
  EXPECT_EQ(function(UnaryFunction::Sigmoid, "fixed<10,3>", x, rules).value(),
            (Numbers{18, 97, 512, 512, 512, 512, 512, 512, 512, 837, 1000}));
  EXPECT_EQ(function(UnaryFunction::Tanh, "fixed<10,3>", x, rules).value(),
            (Numbers{-1024, -1002, -128, -128, 0, 0, 0, 0, 127, 926, 1023}));
  for (const int64_t size : {0, 1, 1000, 1 << 17}) {
    rules.size = size;
    EXPECT_EQ(function(UnaryFunction::Tanh, "fixed<10,3>", x, rules).error().code,
              messages::Hls4mlTableSize.code);
  }
}

TEST(Hls4mlTables, OtherFunctionsAreRefused) {
  EXPECT_EQ(function(UnaryFunction::Gelu, "fixed<10,3>", {1}).error().code,
            messages::Hls4mlFunction.code);
}

Result<Numbers> softmax(const char* from, Numbers x, const char* to, const TableRules& rules,
                        const char* accumulator) {
  const graph::Op op{"s", "here", graph::Softmax{}, {}, {}};
  return computed(from, std::move(x), to, [&](graph::Builder& builder, auto input) {
    return add_hls4ml_softmax(builder, op, input, rules, type(accumulator));
  });
}

TEST(Hls4mlTables, StableSoftmax) {
  const auto by_default = [](const Numbers& x) {
    return softmax("fixed<16,6>", x, "fixed<16,6>", {}, "fixed<16,6>").value();
  };
  EXPECT_EQ(by_default({-3035, -32533, 12172, 5192, 32511}), (Numbers{70, 0, 0, 0, 1024}));
  EXPECT_EQ(by_default({-15479, -21813, 7813, -13489, 21440}), (Numbers{18, 0, 0, 126, 1024}));
  EXPECT_EQ(by_default({31228, -29306, 32025, -6990, -10988}), (Numbers{387, 0, 819, 1, 0}));
  TableRules rules;
  rules.size = 256;
  const auto narrow = [&](const Numbers& x) {
    return softmax("fixed<8,4>", x, "ufixed<8,0,RND,SAT>", rules, "fixed<18,8,RND,SAT>").value();
  };
  EXPECT_EQ(narrow({-88, 15, -19, 72}), (Numbers{35, 7, 1, 255}));
  EXPECT_EQ(narrow({95, 75, -43, 47}), (Numbers{255, 73, 137, 13}));
}

TEST(Hls4mlTables, LatencySoftmax) {
  TableRules rules;
  rules.implementation = "latency";
  const auto by_default = [&](const Numbers& x) {
    return softmax("fixed<16,6>", x, "fixed<16,6>", rules, "fixed<16,6>").value();
  };
  EXPECT_EQ(by_default({5994, 1688, 11513, -6525, -17480}), (Numbers{-1, 1041, -1, 0, 0}));
  EXPECT_EQ(by_default({-25707, -2953, -602, -5664, -2412}), (Numbers{0, 108, 1096, 8, 190}));
  rules.size = 256;
  rules.exp_table = type("ufixed<14,6,RND,SAT>");
  rules.inv_table = type("ufixed<15,2>");
  rules.inv_inp = type("ufixed<16,8,RND,SAT>");
  const auto narrow = [&](const Numbers& x) {
    return softmax("fixed<8,3>", x, "fixed<12,2>", rules, "ufixed<17,9>").value();
  };
  EXPECT_EQ(narrow({122, -82, -73}), (Numbers{1029, 1, 2}));
  EXPECT_EQ(narrow({-119, 58, -4}), (Numbers{3, 895, 129}));
}

TEST(Hls4mlTables, ArgmaxSoftmaxTakesTheFirstOfTheLargest) {
  TableRules rules;
  rules.implementation = "argmax";
  const auto result = [&](const Numbers& x) {
    return softmax("fixed<8,3>", x, "fixed<12,2>", rules, "fixed<16,6>").value();
  };
  EXPECT_EQ(result({-53, -50, -49, -51, -50, -50}), (Numbers{0, 0, 1024, 0, 0, 0}));
  EXPECT_EQ(result({-53, -49, -49}), (Numbers{0, 1024, 0}));
}

TEST(Hls4mlTables, WhatASoftmaxDoesNotDo) {
  const auto code = [](const TableRules& rules, const char* accumulator) -> std::string {
    const auto result = softmax("fixed<16,6>", {1, 2}, "fixed<16,6>", rules, accumulator);
    return result ? "nothing" : result.error().code;
  };
  TableRules legacy;
  legacy.implementation = "legacy";
  EXPECT_EQ(code(legacy, "fixed<16,6>"), messages::Hls4mlSoftmax.code);
  EXPECT_EQ(code({}, "fixed<16,6,TRN,SAT_ZERO>"), messages::Hls4mlSoftmax.code);
  TableRules narrow;
  narrow.inv_inp = type("fixed<8,4>");
  EXPECT_EQ(code(narrow, "fixed<16,6>"), messages::Hls4mlSoftmax.code);
  // Exponentials that wrap around are negative: then it matters which are added first.
  TableRules wrapping;
  wrapping.implementation = "latency";
  wrapping.exp_table = type("fixed<16,6>");
  EXPECT_EQ(code(wrapping, "fixed<16,6,RND,SAT>"), messages::Hls4mlSoftmax.code);
}

}  // namespace
}  // namespace millrace::quantize
