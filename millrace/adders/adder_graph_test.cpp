// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/adder_graph.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "millrace/adders/random.h"
#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

Int128 sum_of(const Adder& adder, Int128 a, Int128 b) {
  const Int128 x = a << adder.shift_a;
  const Int128 y = b << adder.shift_b;
  return adder.subtract ? x - y : x + y;
}

/// One of the two shifts is 0.
std::vector<Adder> all_adders(int max_shift) {
  std::vector<Adder> adders;
  for (const bool subtract : {false, true})
    for (int shift = -max_shift; shift <= max_shift; ++shift)
      adders.push_back({.a = 0,
                        .b = 1,
                        .shift_a = std::max(0, -shift),
                        .shift_b = std::max(0, shift),
                        .subtract = subtract});
  return adders;
}

const std::vector<Range> SmallRanges = {{0, 1}, {0, 3}, {0, 7}, {-4, 3}, {-2, 1}};

/// True when bit `position` of the sum is, for all operands, the same bit of `operand` << `shift`.
bool is_wire(const Adder& adder, const Range& a, const Range& b, int position, bool from_a) {
  for (Int128 x = a.lo; x <= a.hi; ++x)
    for (Int128 y = b.lo; y <= b.hi; ++y) {
      const Int128 operand = from_a ? x << adder.shift_a : y << adder.shift_b;
      if (((sum_of(adder, x, y) ^ operand) >> position & 1) != 0)
        return false;
    }
  return true;
}

TEST(ChainBits, BeginAtTheLowestBitThatIsNoWire) {
  for (const Range& a : SmallRanges)
    for (const Range& b : SmallRanges)
      for (const Adder& adder : all_adders(2)) {
        const int bits = chain_bits(adder, a, b);
        const int top_a = adder.shift_a + width(a) + (b.lo < 0 && a.lo >= 0 ? 1 : 0);
        const int top_b = adder.shift_b + width(b) + (a.lo < 0 && b.lo >= 0 ? 1 : 0);
        const int bottom = std::max(top_a, top_b) - bits;
        ASSERT_GE(bottom, 0);
        for (int position = 0; position < bottom; ++position)
          EXPECT_TRUE(is_wire(adder, a, b, position, true) ||
                      is_wire(adder, a, b, position, false));
        // Operands that do not overlap are a wire each; their adder counts at least one bit. The
        // lowest bit of a subtrahend passes, too, but a borrow begins there.
        const int both = std::max(adder.shift_a, adder.shift_b);
        const bool overlap = (a.lo < 0 || adder.shift_a + width(a) > both) &&
                             (b.lo < 0 || adder.shift_b + width(b) > both);
        const bool borrows = adder.subtract && adder.shift_a > 0;
        if (borrows) {
          EXPECT_EQ(bottom, 0);
        } else if (overlap) {
          EXPECT_FALSE(is_wire(adder, a, b, bottom, true) || is_wire(adder, a, b, bottom, false));
        }
      }
}

TEST(ChainBits, EndWithTheWiderOperand) {
  const Range byte{0, 255}, signed_byte{-128, 127};
  EXPECT_EQ(chain_bits({0, 1, 0, 0, false}, byte, byte), 8);
  EXPECT_EQ(chain_bits({0, 1, 0, 3, false}, byte, byte), 8);  // the low 3 bits are wires
  EXPECT_EQ(chain_bits({0, 1, 0, 3, true}, byte, byte), 8);   // the minuend's
  EXPECT_EQ(chain_bits({0, 1, 3, 0, true}, byte, byte), 11);  // not the subtrahend's
  EXPECT_EQ(chain_bits({0, 1, 3, 0, false}, byte, byte), 8);
  EXPECT_EQ(chain_bits({0, 1, 0, 0, false}, byte, signed_byte), 9);  // a sign bit for the byte
  EXPECT_EQ(chain_bits({0, 1, 0, 0, false}, byte, {0, 0}), 8);
  EXPECT_EQ(chain_bits({0, 1, 0, 9, false}, {0, 1}, {0, 0}), 1);  // never none
}

TEST(Width, IsThatOfTheNarrowestType) {
  EXPECT_EQ(width({0, 0}), 0);
  EXPECT_EQ(width({0, 1}), 1);
  EXPECT_EQ(width({3, 8}), 4);
  EXPECT_EQ(width({-1, 0}), 1);
  EXPECT_EQ(width({-1, 1}), 2);
  EXPECT_EQ(width({-8, 7}), 4);
  EXPECT_EQ(width({-9, 7}), 5);
  EXPECT_EQ(width({-8, 8}), 5);
  EXPECT_EQ(width({-8, -8}), 4);
  EXPECT_EQ(width({0, (Int128{1} << 64) - 1}), 64);
  EXPECT_EQ(width({0, Int128{1} << 64}), 65);
  EXPECT_EQ(width({-(Int128{1} << 100), 0}), 101);
}

TEST(SumRange, IsReachedAtBothEnds) {
  for (const Range& a : SmallRanges)
    for (const Range& b : SmallRanges)
      for (const Adder& adder : all_adders(2)) {
        Range exact{sum_of(adder, a.lo, b.lo), sum_of(adder, a.lo, b.lo)};
        for (Int128 x = a.lo; x <= a.hi; ++x)
          for (Int128 y = b.lo; y <= b.hi; ++y) {
            exact.lo = std::min(exact.lo, sum_of(adder, x, y));
            exact.hi = std::max(exact.hi, sum_of(adder, x, y));
          }
        EXPECT_TRUE(sum_range(adder, a, b) == exact);
      }
}

/// Adders that read inputs and earlier adders at random.
AdderGraph random_graph(Random& random, int num_inputs, int num_adders, int num_rows) {
  AdderGraph graph{.num_inputs = num_inputs, .adders = {}, .rows = {}};
  const std::vector<Adder> kinds = all_adders(3);
  for (int i = 0; i < num_adders; ++i) {
    Adder adder = kinds[random.below(kinds.size())];
    adder.a = static_cast<int>(random.below(static_cast<size_t>(num_inputs + i)));
    adder.b = static_cast<int>(random.below(static_cast<size_t>(num_inputs + i)));
    graph.adders.push_back(adder);
  }
  for (int i = 0; i < num_rows; ++i)
    graph.rows.push_back(
        {.value =
             static_cast<int>(random.below(static_cast<size_t>(num_inputs + num_adders + 1))) - 1,
         .shift = static_cast<int>(random.below(4)),
         .negate = random.chance(1, 3)});
  return graph;
}

/// The value that a graph gives a number, by recursion.
Int128 value_of(const AdderGraph& graph, int number, const std::vector<Int128>& inputs) {
  if (number < graph.num_inputs)
    return inputs[static_cast<size_t>(number)];
  const Adder& adder = graph.adders[static_cast<size_t>(number - graph.num_inputs)];
  return sum_of(adder, value_of(graph, adder.a, inputs), value_of(graph, adder.b, inputs));
}

int depth_of(const AdderGraph& graph, int number) {
  if (number < graph.num_inputs)
    return 0;
  const Adder& adder = graph.adders[static_cast<size_t>(number - graph.num_inputs)];
  return 1 + std::max(depth_of(graph, adder.a), depth_of(graph, adder.b));
}

TEST(AdderGraph, EvaluatesToItsSumsWithinTheirRanges) {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    const AdderGraph graph = random_graph(random, 3, 8, 5);
    const std::vector<Range> ranges = {{-8, 7}, {0, 15}, {3, 3}};
    const std::vector<Range> values = value_ranges(graph, ranges);
    ASSERT_EQ(values.size(), 11U);
    for (int times = 0; times < 20; ++times) {
      const std::vector<Int128> inputs = {Int128{random.below(16)} - 8, random.below(16), 3};
      for (int number = 0; number < 11; ++number) {
        const Int128 value = value_of(graph, number, inputs);
        EXPECT_TRUE(values[static_cast<size_t>(number)].lo <= value &&
                    value <= values[static_cast<size_t>(number)].hi);
      }
      const std::vector<Int128> rows = evaluate(graph, inputs);
      for (size_t i = 0; i < rows.size(); ++i) {
        const RowSum& row = graph.rows[i];
        const Int128 value = row.value == RowSum::Zero ? 0 : value_of(graph, row.value, inputs);
        EXPECT_TRUE(rows[i] == (value << row.shift) * (row.negate ? -1 : 1));
      }
    }
  }
}

TEST(AdderGraph, CostsItsAddersAndNegations) {
  Random random(2);
  const std::vector<Range> ranges = {{-8, 7}, {0, 15}, {3, 3}};
  for (int round = 0; round < 50; ++round) {
    const AdderGraph graph = random_graph(random, 3, 8, 5);
    const std::vector<Range> values = value_ranges(graph, ranges);
    Cost expected{.adders = 8, .bits = 0, .depth = 0};
    for (const Adder& adder : graph.adders)
      expected.bits += chain_bits(adder, values[static_cast<size_t>(adder.a)],
                                  values[static_cast<size_t>(adder.b)]);
    for (const RowSum& row : graph.rows) {
      if (row.value == RowSum::Zero)
        continue;
      expected.adders += row.negate ? 1 : 0;
      expected.bits += row.negate ? width(values[static_cast<size_t>(row.value)]) : 0;
      expected.depth = std::max(expected.depth, depth_of(graph, row.value) + (row.negate ? 1 : 0));
    }
    const Cost found = cost(graph, ranges);
    EXPECT_EQ(found.adders, expected.adders);
    EXPECT_EQ(found.bits, expected.bits);
    EXPECT_EQ(found.depth, expected.depth);
  }
}

TEST(AdderGraph, TakesAsManyValuesAsItHasInputs) {
  const AdderGraph graph{.num_inputs = 2, .adders = {}, .rows = {{.value = 0}}};
  EXPECT_THROW(evaluate(graph, std::vector<Int128>{1}), InternalError);
}

}  // namespace
}  // namespace millrace::adders
