// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/quantizer_text.h"

#include <gtest/gtest.h>

#include "millrace/fixed/messages.h"

namespace millrace {
namespace {

std::string read(std::string_view text) {
  const auto quantizer = parse_quantizer(text, "here");
  return quantizer ? to_string(*quantizer) : quantizer.error().code;
}

TEST(QuantizerText, IsReadAsHls4mlWritesIt) {
  EXPECT_EQ(read("ap_fixed<16,6>"), "fixed<16,6,TRN,WRAP>");
  EXPECT_EQ(read("ap_fixed<16, 6>"), "fixed<16,6,TRN,WRAP>");
  EXPECT_EQ(read("ap_fixed<7,1,AP_RND,AP_SAT>"), "fixed<7,1,RND,SAT>");
  EXPECT_EQ(read("ufixed<8,0,RND_CONV,SAT,0>"), "ufixed<8,0,RND_CONV,SAT>");
  EXPECT_EQ(read("ap_fixed<9,-2,TRN>"), "fixed<9,-2,TRN,WRAP>");
  EXPECT_EQ(read("ap_uint<4>"), "ufixed<4,4,TRN,WRAP>");
  EXPECT_EQ(read("int<8>"), "fixed<8,8,TRN,WRAP>");
}

TEST(QuantizerText, IsRefused) {
  for (const char* text :
       {"", "fixed", "fixed<16>", "fixed<16,6", "float<8,4>", "int<8,4>", "<8,4>",
        "fixed<16,6,RND,SAT,1>", "fixed<1,1,RND,SAT,0,0>", "ac_fixed<16,6,true>"})
    EXPECT_EQ(read(text), fixed::messages::QuantizerSyntax.code) << text;
  EXPECT_EQ(read("fixed<16,6,ROUND>"), fixed::messages::UnknownMode.code);
  EXPECT_EQ(read("fixed<16,6,RND,CLIP>"), fixed::messages::UnknownMode.code);
  EXPECT_EQ(read("fixed<a,6>"), fixed::messages::TypeSyntax.code);
  EXPECT_EQ(read("fixed<65,6>"), fixed::messages::WidthOutOfRange.code);
}

}  // namespace
}  // namespace millrace
