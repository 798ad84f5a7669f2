// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <gtest/gtest.h>

#include "millrace/graph/text.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"

namespace millrace::passes {
namespace {

std::string sigmoid_text(const std::string& from, const std::string& to, const std::string& modes) {
  return "graph @g {\n  %x = input : tensor<1 x " + from +
         ">\n  %s = unary %x {function = sigmoid} : tensor<1 x real>\n  %q = requantize %s " +
         modes + " : tensor<1 x " + to + ">\n  output %q\n}\n";
}

struct Golden {
  const char *from, *to, *modes, *table;
};

// Entries from 700-digit decimal arithmetic.
constexpr Golden Goldens[] = {
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = TRN, overflow = SAT}",
     "[0, 0, 1, 2, 3, 5, 8, 12, 16, 19, 23, 26, 28, 29, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = TRN_ZERO, overflow = SAT}",
     "[0, 0, 1, 2, 3, 5, 8, 12, 16, 19, 23, 26, 28, 29, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = RND, overflow = SAT}",
     "[1, 1, 2, 2, 4, 6, 9, 12, 16, 20, 23, 26, 28, 30, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = RND_ZERO, overflow = SAT}",
     "[1, 1, 2, 2, 4, 6, 9, 12, 16, 20, 23, 26, 28, 30, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = RND_MIN_INF, overflow = SAT}",
     "[1, 1, 2, 2, 4, 6, 9, 12, 16, 20, 23, 26, 28, 30, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = RND_INF, overflow = SAT}",
     "[1, 1, 2, 2, 4, 6, 9, 12, 16, 20, 23, 26, 28, 30, 30, 31]"},
    {"fixed<4,3>", "ufixed<5,0>", "{rounding = RND_CONV, overflow = SAT}",
     "[1, 1, 2, 2, 4, 6, 9, 12, 16, 20, 23, 26, 28, 30, 30, 31]"},
    {"fixed<3,10>", "ufixed<8,0>", "{rounding = TRN, overflow = WRAP}",
     "[0, 0, 0, 0, 128, 255, 255, 255]"},
    {"fixed<3,10>", "ufixed<8,0>", "{rounding = RND, overflow = WRAP}",
     "[0, 0, 0, 0, 128, 0, 0, 0]"},
    {"fixed<3,10>", "ufixed<8,0>", "{rounding = RND_ZERO, overflow = WRAP}",
     "[0, 0, 0, 0, 128, 0, 0, 0]"},
    {"ufixed<3,1>", "fixed<9,5>", "{rounding = RND_CONV, overflow = SAT}",
     "[8, 9, 10, 11, 12, 12, 13, 14]"},
    {"fixed<1,1>", "fixed<1,1>", "{rounding = RND, overflow = WRAP}", "[0, -1]"},
    {"fixed<4,-36>", "ufixed<40,0>", "{rounding = RND_CONV, overflow = SAT}",
     "[549755813886, 549755813886, 549755813887, 549755813887, 549755813887, 549755813887, "
     "549755813888, 549755813888, 549755813888, 549755813888, 549755813888, 549755813889, "
     "549755813889, 549755813889, 549755813889, 549755813890]"},
    {"fixed<3,3>", "ufixed<40,0>", "{rounding = TRN, overflow = SAT}",
     "[19776046992, 52145299016, 131064998828, 295704219986, 549755813888, 803807407789, "
     "968446628947, 1047366328759]"},
    {"fixed<2,2>", "ufixed<3,5>", "{rounding = RND_INF, overflow = SAT}", "[0, 0, 0, 0]"},
    {"fixed<2,2>", "fixed<3,3>", "{rounding = RND_CONV, overflow = SAT}", "[0, 0, 0, 1]"},
};

TEST(MakeTables, EntriesAreTheSigmoidRoundedOnce) {
  for (const Golden& golden : Goldens) {
    const auto graph = graph::parse(sigmoid_text(golden.from, golden.to, golden.modes));
    ASSERT_TRUE(graph) << graph.error().to_string();
    const auto made = make_tables(*graph);
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(graph::print(*made), std::string("graph @g {\n  %x = input : tensor<1 x ") +
                                       golden.from + ">\n  %s = table %x {value = " + golden.table +
                                       "} : tensor<1 x " + golden.to + ">\n  output %s\n}\n");
  }
}

TEST(MakeTables, LargeTablesDoNotDriftFromTheFirstEntryToTheLast) {
  const auto graph = graph::parse(
      sigmoid_text("fixed<12,4>", "ufixed<16,0>", "{rounding = RND_CONV, overflow = SAT}"));
  const auto made = make_tables(*graph);
  ASSERT_TRUE(made);
  uint64_t hash = 0;
  for (int64_t entry : made->ops().back().as<graph::Table>()->value)
    hash = hash * 1000003 + static_cast<uint64_t>(entry);
  EXPECT_EQ(hash, 5365465918876540754U);  // 4096 entries from 700-digit decimal arithmetic
}

TEST(MakeTables, SixteenBitTablesAgreeWithDoublesAwayFromTies) {
  const auto graph =
      graph::parse(sigmoid_text("fixed<16,5>", "ufixed<16,0>", "{rounding = RND, overflow = SAT}"));
  const auto made = make_tables(*graph);
  ASSERT_TRUE(made);
  const std::vector<int64_t>& table = made->ops().back().as<graph::Table>()->value;
  int checked = 0;
  for (int raw = -32768; raw < 32768; ++raw) {
    const double scaled = 65536 / (1 + std::exp(-std::ldexp(raw, -11)));
    const double nearest = std::floor(scaled + 0.5);
    if (std::abs(scaled - nearest) > 0.4999)
      continue;
    ++checked;
    EXPECT_EQ(table[static_cast<size_t>(raw + 32768)], std::min(nearest, 65535.0)) << raw;
  }
  EXPECT_GT(checked, 65000);
}

std::string code_of(const std::string& text) {
  const auto made = make_tables(*graph::parse(text));
  return made ? "" : made.error().code;
}

TEST(MakeTables, LimitsAreStated) {
  const std::string modes = "{rounding = RND, overflow = SAT}";
  EXPECT_EQ(code_of(sigmoid_text("fixed<16,4>", "ufixed<8,0>", modes)), "");
  EXPECT_EQ(code_of(sigmoid_text("fixed<17,4>", "ufixed<8,0>", modes)),
            messages::TableTooWide.code);
  EXPECT_EQ(code_of(sigmoid_text("fixed<4,-37>", "ufixed<8,0>", modes)),
            messages::TableFraction.code);
  EXPECT_EQ(code_of(sigmoid_text("fixed<4,4>", "ufixed<41,0>", modes)),
            messages::TableFraction.code);
}

TEST(MakeTables, ATableHasOneType) {
  EXPECT_EQ(code_of(sigmoid_text("fixed<4,4>", "ufixed<8,0>",
                                 "{rounding = RND, overflow = SAT, types = [ufixed<8,0>]}")),
            messages::TableTypes.code);
}

TEST(MakeTables, ParametersReachTheTable) {
  const auto made = make_tables(*graph::parse(
      "graph @g {\n  %x = input : tensor<1 x fixed<3,3>>\n"
      "  %f = unary %x {function = elu, alpha = 0.5} : tensor<1 x real>\n"
      "  %q = requantize %f {rounding = RND, overflow = SAT} : tensor<1 x fixed<6,3>>\n"
      "  output %q\n}\n"));
  ASSERT_TRUE(made);
  // 8 * (exp(x) - 1) / 2 = -3.93, -3.80, -3.46, -2.53; then 0, 8, 16, 24.
  EXPECT_EQ(made->ops().back().as<graph::Table>()->value,
            (std::vector<int64_t>{-4, -4, -3, -3, 0, 8, 16, 24}));
}

TEST(MakeTables, HugeInputsSaturate) {
  const auto made = make_tables(*graph::parse(
      sigmoid_text("fixed<2,1026>", "ufixed<2,0>", "{rounding = TRN, overflow = SAT}")));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->ops().back().as<graph::Table>()->value, (std::vector<int64_t>{0, 0, 2, 3}));
}

TEST(MakeTables, EveryQuantiserOfASigmoidGetsATable) {
  const auto made = make_tables(*graph::parse(
      "graph @g {\n  %x = input : tensor<1 x fixed<1,1>>\n  %s = unary %x {function = sigmoid} : "
      "tensor<1 x real>\n"
      "  %a = requantize %s {rounding = TRN, overflow = SAT} : tensor<1 x ufixed<2,0>>\n"
      "  %b = requantize %s {rounding = RND, overflow = SAT} : tensor<1 x ufixed<3,0>>\n"
      "  output %a\n  output %b\n}\n"));
  ASSERT_TRUE(made);
  EXPECT_EQ(graph::print(*made),
            "graph @g {\n  %x = input : tensor<1 x fixed<1,1>>\n"
            "  %s = table %x {value = [1, 2]} : tensor<1 x ufixed<2,0>>\n"
            "  %s_1 = table %x {value = [2, 4]} : tensor<1 x ufixed<3,0>>\n"
            "  output %s\n  output %s_1\n}\n");
}

}  // namespace
}  // namespace millrace::passes
