// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/quantizer_spec.h"

#include <gtest/gtest.h>

namespace millrace::train {
namespace {

TEST(ParseQuantizer, FixedCountsTheSignAmongTheIntegerBits) {
  for (const std::string text : {"fixed<9,5>", "ap_fixed<9,5>", "quantized_bits(9,4)",
                                 "fixed< 9, 5 >", "quantized_bits(9, 4)"}) {
    const auto parsed = parse_quantizer(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, (QuantizerSpec{9, 4})) << text;
  }
}

TEST(ParseQuantizer, FloatIsNoQuantizer) {
  const auto parsed = parse_quantizer("float");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_FALSE(parsed->has_value());
}

TEST(QuantizerSpec, WeightsAreSignedAndActivationsAreNot) {
  const QuantizerSpec spec{9, 4};
  EXPECT_EQ(spec.weights().type.to_string(), "fixed<9,5>");
  EXPECT_EQ(spec.weights().type.frac_bits, 4);
  EXPECT_EQ(spec.activations().type.to_string(), "ufixed<9,4>");
  EXPECT_EQ(spec.activations().type.frac_bits, 5);
  EXPECT_EQ(spec.weights().rounding, Rounding::HalfEven);
  EXPECT_EQ(spec.weights().overflow, Overflow::Saturate);
}

TEST(ParseQuantizer, AnythingElseIsRefused) {
  for (const std::string text : {"", "fixed", "fixed<9>", "fixed<9,5", "fixed<9,5>>", "fixed(9,5)",
                                 "ufixed<9,5>", "quantized_bits<9,4>", "fixed<9;5>", "fixed<a,5>",
                                 "fixed<9,5,RND>", "fixed<,>", "floats", "fixed<99999999999,1>"})
    EXPECT_EQ(parse_quantizer(text).error().code, "train.bad_quantizer") << text;
}

TEST(ParseQuantizer, WidthsThatTheTrainerCannotKeepExactAreRefused) {
  for (const std::string text :
       {"fixed<1,1>", "fixed<17,5>", "fixed<9,0>", "fixed<9,10>", "fixed<-9,5>",
        "quantized_bits(9,9)", "quantized_bits(9,-1)", "fixed<9,-2147483648>"})
    EXPECT_EQ(parse_quantizer(text).error().code, "train.quantizer_range") << text;
  for (const std::string text : {"fixed<2,1>", "fixed<16,16>", "quantized_bits(16,0)"})
    EXPECT_TRUE(parse_quantizer(text).has_value()) << text;
}

}  // namespace
}  // namespace millrace::train
