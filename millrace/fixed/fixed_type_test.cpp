// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/fixed_type.h"

#include <gtest/gtest.h>
#include <limits>

#include "millrace/fixed/messages.h"

namespace millrace {
namespace {

namespace messages = fixed::messages;

constexpr int64_t MinInt64 = std::numeric_limits<int64_t>::min();
constexpr int64_t MaxInt64 = std::numeric_limits<int64_t>::max();

FixedType parsed(std::string_view text) {
  const auto type = parse_fixed_type(text);
  EXPECT_TRUE(type) << text;
  return type.value_or(FixedType{});
}

Diagnostic refused(std::string_view text) {
  const auto type = parse_fixed_type(text, "model.mr:3:7");
  EXPECT_FALSE(type) << text;
  return type ? Diagnostic{} : type.error();
}

TEST(FixedType, RangesOfSmallTypes) {
  EXPECT_EQ((FixedType{true, 4, 0}.min_raw()), -8);
  EXPECT_EQ((FixedType{true, 4, 0}.max_raw()), 7);
  EXPECT_EQ((FixedType{false, 4, 0}.min_raw()), 0);
  EXPECT_EQ((FixedType{false, 4, 0}.max_raw()), 15);
  EXPECT_EQ((FixedType{true, 1, 0}.min_raw()), -1);
  EXPECT_EQ((FixedType{true, 1, 0}.max_raw()), 0);
}

TEST(FixedType, RangesOf64BitTypes) {
  EXPECT_EQ((FixedType{true, 64, 0}.min_raw()), MinInt64);
  EXPECT_EQ((FixedType{true, 64, 0}.max_raw()), MaxInt64);
  EXPECT_EQ((FixedType{false, 64, 0}.max_raw()), std::numeric_limits<uint64_t>::max());
}

TEST(FixedType, TextFormIsAmdsWidthAndIntegerBits) {
  EXPECT_EQ((FixedType{true, 9, 4}.to_string()), "fixed<9,5>");
  EXPECT_EQ((FixedType{false, 8, 8}.to_string()), "ufixed<8,0>");
  EXPECT_EQ((FixedType{true, 4, 7}.to_string()), "fixed<4,-3>");
  EXPECT_EQ((FixedType{false, 3, -2}.to_string()), "ufixed<3,5>");
}

TEST(FixedType, TextFormRoundTrips) {
  for (const bool is_signed : {false, true})
    for (const int width : {1, 2, 31, 63, 64})
      for (const int frac_bits : {-1024, -3, 0, 1, 64, 70, 1024}) {
        const FixedType type{is_signed, width, frac_bits};
        EXPECT_EQ(parsed(type.to_string()), type) << type.to_string();
      }
}

TEST(FixedType, ReadsAmdsNamesAndSpaces) {
  EXPECT_EQ(parsed("ap_fixed<16,6>"), (FixedType{true, 16, 10}));
  EXPECT_EQ(parsed("ap_ufixed<8, 0>"), (FixedType{false, 8, 8}));
  EXPECT_EQ(parsed("  fixed < 9 , -5 > "), (FixedType{true, 9, 14}));
}

TEST(FixedType, RefusesOtherText) {
  for (const char* text :
       {"", "fixed", "fixed<>", "fixed<9>", "fixed<9,5", "fixed<9,5>x", "int<9,5>", "fixed<a,b>",
        "fixed<9,5,2>", "uap_fixed<9,5>", "fixed<9.5,1>", "uufixed<8,1>", "u fixed<8,1>",
        "fixed<99999999999999999999,1>", "fixed<+9,5>"}) {
    const Diagnostic diagnostic = refused(text);
    EXPECT_EQ(diagnostic.code, messages::TypeSyntax.code) << text;
    EXPECT_EQ(diagnostic.where, "model.mr:3:7");
  }
}

TEST(FixedType, RefusesWidthsOutside1To64) {
  for (const char* text : {"fixed<0,0>", "fixed<65,5>", "ufixed<-1,0>", "fixed<4294967297,1>"})
    EXPECT_EQ(refused(text).code, messages::WidthOutOfRange.code) << text;
  EXPECT_EQ(refused("fixed<65,5>").message,
            "'fixed<65,5>' is 65 bits wide; 1 to 64 bits are possible");
}

TEST(FixedType, RefusesTooManyFractionBits) {
  for (const char* text : {"fixed<8,-1017>", "fixed<8,1033>", "fixed<8,9223372036854775807>",
                           "fixed<8,-9223372036854775808>"})
    EXPECT_EQ(refused(text).code, messages::FractionOutOfRange.code) << text;
  EXPECT_EQ(parsed("fixed<8,-1016>").frac_bits, 1024);
}

TEST(FixedType, NumbersAreRawTimesTheStep) {
  EXPECT_EQ((FixedType{true, 9, 4}.to_double(-24)), -1.5);
  EXPECT_EQ((FixedType{true, 9, -3}.to_double(5)), 40.0);
  EXPECT_EQ((FixedType{false, 64, 64}.to_double(Int128{1} << 63)), 0.5);
}

TEST(FixedType, NarrowestTypeHoldsTheRangeAndNoLess) {
  for (int lo = -20; lo <= 20; ++lo)
    for (int hi = lo; hi <= 40; ++hi) {
      const auto type = narrowest_type(lo, hi, 3);
      ASSERT_TRUE(type);
      EXPECT_EQ(type->is_signed, lo < 0);
      EXPECT_EQ(type->frac_bits, 3);
      EXPECT_LE(type->min_raw(), lo);
      EXPECT_GE(type->max_raw(), hi);
      if (type->width > 1) {
        const FixedType narrower{type->is_signed, type->width - 1, 3};
        EXPECT_TRUE(narrower.min_raw() > lo || narrower.max_raw() < hi) << lo << " " << hi;
      }
    }
}

TEST(FixedType, NarrowestTypeAtTheEdges) {
  EXPECT_EQ(narrowest_type(0, 0, 5), (FixedType{false, 1, 5}));
  EXPECT_EQ(narrowest_type(-1, -1, 5), (FixedType{true, 1, 5}));
  EXPECT_EQ(narrowest_type(MinInt64, MaxInt64, 0), (FixedType{true, 64, 0}));
  EXPECT_EQ(narrowest_type(0, (Int128{1} << 64) - 1, 0), (FixedType{false, 64, 0}));
  EXPECT_FALSE(narrowest_type(0, Int128{1} << 64, 0));
  EXPECT_FALSE(narrowest_type(-1, Int128{1} << 63, 0));
}

TEST(FixedType, QkerasQuantizersCountTheirBitsTheirWay) {
  EXPECT_EQ(quantized_bits(8, 4).to_string(), "fixed<8,5>");
  EXPECT_EQ(quantized_bits(15, 5).to_string(), "fixed<15,6>");
  EXPECT_EQ(quantized_relu(8, 4).to_string(), "ufixed<8,4>");
}

TEST(Int128, PrintsAllDigits) {
  EXPECT_EQ(to_string(Int128{0}), "0");
  EXPECT_EQ(to_string(Int128{-907}), "-907");
  EXPECT_EQ(to_string((Int128{1} << 64)), "18446744073709551616");
  const Int128 max = ~(Int128{1} << 127);
  EXPECT_EQ(to_string(max), "170141183460469231731687303715884105727");
  EXPECT_EQ(to_string(-max - 1), "-170141183460469231731687303715884105728");
}

}  // namespace
}  // namespace millrace
