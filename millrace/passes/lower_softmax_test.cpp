// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/lower_softmax.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/passes/messages.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::passes {
namespace {

std::string softmax_text(int64_t channels, const std::string& from, const std::string& to,
                         const std::string& modes = "rounding = RND_CONV, overflow = SAT") {
  const std::string shape = std::to_string(channels);
  return "graph @g {\n  %x = input : tensor<" + shape + " x " + from +
         ">\n  %p = softmax %x : tensor<" + shape + " x real>\n  %y = requantize %p {" + modes +
         "} : tensor<" + shape + " x " + to + ">\n  output %y\n}\n";
}

TEST(LowerSoftmax, BecomesTablesAndExactOperations) {
  const auto lowered = lower(*graph::parse(softmax_text(3, "fixed<2,2>", "ufixed<3,1>")));
  ASSERT_TRUE(lowered) << lowered.error().to_string();
  EXPECT_EQ(graph::print(*lowered),
            "graph @g {\n"
            "  %x = input : tensor<3 x fixed<2,2>>\n"
            "  %p.max = reduce %x {function = max} : tensor<1 x fixed<2,2>>\n"
            "  %p.difference = sub %x, %p.max : tensor<3 x fixed<3,3>>\n"
            "  %p.code = requantize %p.difference {rounding = TRN, overflow = WRAP} "
            ": tensor<3 x ufixed<2,2>>\n"
            "  %p.exp = table %p.code {value = [64, 3, 9, 24]} : tensor<3 x ufixed<7,1>>\n"
            "  %p.sum = reduce %p.exp {function = sum} : tensor<1 x ufixed<9,3>>\n"
            "  %p.rounded = requantize %p.sum {rounding = RND_CONV, overflow = SAT} "
            ": tensor<1 x ufixed<6,2>>\n"
            "  %p.reciprocal = table %p.rounded {value = ["
            "31, 31, 31, 31, 31, 31, 31, 31, 31, 28, 26, 23, 21, 20, 18, 17, "
            "16, 15, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 9, 9, 8, "
            "8, 8, 8, 7, 7, 7, 7, 7, 6, 6, 6, 6, 6, 6, 6, 5, "
            "5, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4]} : tensor<1 x ufixed<5,1>>\n"
            "  %p = mul %p.exp, %p.reciprocal : tensor<3 x ufixed<12,2>>\n"
            "  %y = requantize %p {rounding = RND_CONV, overflow = SAT} : tensor<3 x ufixed<3,1>>\n"
            "  output %y\n"
            "}\n");
}

// The largest distance from the real softmax, over random vectors and those of one extreme number.
double largest_error(int64_t channels, const FixedType& from, const FixedType& to) {
  const auto graph = lower(*graph::parse(softmax_text(channels, from.to_string(), to.to_string())));
  EXPECT_TRUE(graph) << graph.error().to_string();
  std::mt19937_64 random(7);
  double largest = 0;
  for (int round = 0; round < 200; ++round) {
    // Numbers close together and far apart.
    const int bits = 1 + static_cast<int>(random() % static_cast<uint64_t>(from.width));
    std::vector<double> x(static_cast<size_t>(channels));
    for (double& number : x)
      number = from.to_double(from.min_raw() + static_cast<Int128>(random() % (1ULL << bits)));
    if (round % 4 == 0)
      x[0] = from.to_double(from.max_raw());
    const std::vector<double> y = reference::evaluate_real(*graph, {x}).at(0);
    double sum = 0;
    for (const double number : x)
      sum += std::exp(number - *std::max_element(x.begin(), x.end()));
    for (size_t i = 0; i < x.size(); ++i) {
      const double expected = std::exp(x[i] - *std::max_element(x.begin(), x.end())) / sum;
      largest = std::max(largest, std::abs(y[i] - expected));
    }
  }
  return largest;
}

TEST(LowerSoftmax, ErrorsStayBelowTheirBound) {
  const FixedType inputs[] = {{true, 6, 2}, {true, 10, 5}, {false, 8, 4}};
  for (const FixedType& from : inputs)
    for (const int frac_bits : {0, 4, 8, 11})
      for (const int64_t channels : {1, 2, 10, 37}) {
        const FixedType to{false, frac_bits + 1, frac_bits};
        const double error = largest_error(channels, from, to);
        const double bound = softmax_precision(channels, frac_bits).error_bound;
        EXPECT_LE(error, bound + std::ldexp(0.5, -frac_bits))
            << channels << " " << from.to_string() << " " << to.to_string();
      }
}

TEST(LowerSoftmax, TheBoundIsHalfAStepWhileTheSumFitsATable) {
  for (const int frac_bits : {0, 4, 8, 10})
    for (const int64_t channels : {1, 2, 5, 10, 15})
      EXPECT_LE(softmax_precision(channels, frac_bits).error_bound, std::ldexp(0.5, -frac_bits));
  EXPECT_GT(softmax_precision(100, 12).error_bound, std::ldexp(0.5, -12));
}

std::string code_of(const std::string& text) {
  const auto lowered = lower(*graph::parse(text));
  return lowered ? "" : lowered.error().code;
}

TEST(LowerSoftmax, LimitsAreStated) {
  EXPECT_EQ(code_of(softmax_text(2, "fixed<17,4>", "ufixed<8,1>")), messages::TableTooWide.code);
  EXPECT_EQ(code_of(softmax_text(2, "fixed<4,-37>", "ufixed<8,1>")), messages::SoftmaxLimit.code);
  EXPECT_EQ(code_of(softmax_text(2, "fixed<4,4>", "ufixed<22,1>")), messages::SoftmaxLimit.code);
  EXPECT_EQ(code_of(softmax_text(4097, "fixed<4,4>", "ufixed<8,1>")), messages::SoftmaxLimit.code);
  EXPECT_EQ(code_of(softmax_text(4096, "fixed<4,4>", "ufixed<21,1>")), "");
}

TEST(LowerSoftmax, ASoftmaxWithoutAQuantiserIsNamed) {
  EXPECT_EQ(code_of("graph @g {\n  %x = input : tensor<2 x fixed<4,4>>\n"
                    "  %y = softmax %x : tensor<2 x real>\n  output %y\n}\n"),
            messages::MissingQuantizer.code);
}

TEST(LowerSoftmax, ChannelsMayBeQuantisedToTypesOfTheirOwn) {
  EXPECT_EQ(code_of(softmax_text(2, "fixed<4,4>", "ufixed<8,1>",
                                 "rounding = RND, overflow = SAT, types = [ufixed<4,1>, "
                                 "ufixed<7,0>]")),
            "");
}

}  // namespace
}  // namespace millrace::passes
