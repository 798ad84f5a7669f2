// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/dsp_chain.h"

#include <gtest/gtest.h>
#include <random>

namespace millrace::dataflow {
namespace {

using adders::Range;

/// Weights by result and place, the same at every step but the last, at which they are all 1.
struct Product {
  std::vector<std::vector<int64_t>> weights;
  std::vector<Range> places;

  int64_t weight(int result, size_t place, int64_t step) const {
    return step == 1 ? 1 : weights[static_cast<size_t>(result)][place];
  }
  std::optional<std::vector<DspChain>> chains() const {
    return make_dsp_chains({.results = static_cast<int>(weights.size()),
                            .places = places.size(),
                            .steps = 2,
                            .weight = [this](int result, size_t place,
                                             int64_t step) { return weight(result, place, step); },
                            .range = [this](size_t place, int64_t) { return places[place]; }});
  }
};

/// The results, from what the chains give.
std::vector<Int128> results(const Product& product, std::span<const DspChain> chains,
                            std::span<const Int128> xs, int64_t step) {
  std::vector<Int128> sums(product.weights.size(), 0);
  for (const DspChain& chain : chains) {
    const std::vector<Int128> fields = evaluate(chain, xs, step);
    EXPECT_LE(chain.low.lo, fields[0]);
    EXPECT_LE(fields[0], chain.low.hi);
    sums[static_cast<size_t>(chain.low_result)] += fields[0];
    if (!chain.is_packed())
      continue;
    EXPECT_LE(chain.high.lo, fields[1]);
    EXPECT_LE(fields[1], chain.high.hi);
    sums[static_cast<size_t>(chain.high_result)] += fields[1] + (chain.borrows() ? fields[2] : 0);
  }
  return sums;
}

void expect_product(const Product& product, std::span<const DspChain> chains,
                    std::span<const Int128> xs) {
  for (int64_t step = 0; step < 2; ++step) {
    std::vector<Int128> expected;
    for (int result = 0; result < std::ssize(product.weights); ++result) {
      Int128 sum = 0;
      for (size_t place = 0; place < xs.size(); ++place)
        sum += product.weight(result, place, step) * xs[place];
      expected.push_back(sum);
    }
    ASSERT_EQ(results(product, chains, xs, step), expected);
  }
}

TEST(DspChain, TakesTheFieldsApartForEveryPairOfSmallWeights) {
  for (int64_t low = -4; low < 4; ++low)
    for (int64_t high = -4; high < 4; ++high)
      for (const Range& x : {Range{0, 7}, Range{-4, 3}}) {
        const Product product{{{low, -low}, {high, high}}, {x, x}};
        const auto chains = product.chains();
        ASSERT_TRUE(chains.has_value());
        ASSERT_EQ(chains->size(), 1);
        for (Int128 a = x.lo; a <= x.hi; ++a)
          for (Int128 b = x.lo; b <= x.hi; ++b)
            expect_product(product, *chains, std::vector<Int128>{a, b});
      }
}

TEST(DspChain, GivesTheLowFieldABitMoreWhereItsSumWouldOverflowByOne) {
  // 127 + 0 fits 8 bits, 127 + 1 does not; nor does -128 - 1.
  const Product fits{{{127, 0}, {1, 1}}, {{0, 1}, {-1, 0}}};
  ASSERT_EQ(fits.chains()->size(), 1);
  EXPECT_EQ(fits.chains()->front().low_bits(), 8);
  const Product above{{{127, 1}, {1, 1}}, {{-1, 1}, {0, 1}}};
  EXPECT_EQ(above.chains()->front().low_bits(), 9);
  const Product below{{{-128, 1}, {1, 1}}, {{0, 1}, {-1, 0}}};
  EXPECT_EQ(below.chains()->front().low_bits(), 9);
  for (const Product& product : {fits, above, below}) {
    const auto chains = product.chains();
    for (Int128 a = product.places[0].lo; a <= product.places[0].hi; ++a)
      for (Int128 b = product.places[1].lo; b <= product.places[1].hi; ++b)
        expect_product(product, *chains, std::vector<Int128>{a, b});
  }
}

TEST(DspChain, EndsWhereTheLowFieldWouldNotHoldItsSum) {
  // The high weight takes 8 bits, of 27: 19 are left, for eight products of 255 * -128.
  const Range byte{0, 255};
  Product product{{std::vector<int64_t>(8, -128), std::vector<int64_t>(8, 127)},
                  std::vector<Range>(8, byte)};
  ASSERT_EQ(product.chains()->size(), 1);
  EXPECT_EQ(product.chains()->front().low_bits(), 19);
  product.places[0] = {0, 300};  // 262,144 is the most; this makes it 266,880
  ASSERT_EQ(product.chains()->size(), 2);
  const DspChain& second = product.chains()->back();
  EXPECT_EQ(second.low_result, 1);  // the fields change places
  EXPECT_EQ(second.high_result, 0);
}

TEST(DspChain, MultipliesOneResultWhereTwoDoNotFit) {
  // x of 8 bits, and weights of 17: a field of 25 bits leaves 2.
  const Product product{{{-65'536}, {65'535}}, {{0, 255}}};
  const auto chains = product.chains();
  ASSERT_TRUE(chains.has_value());
  ASSERT_EQ(chains->size(), 2);
  EXPECT_FALSE(chains->front().is_packed());
  for (const int x : {0, 1, 254, 255})
    expect_product(product, *chains, std::vector<Int128>{x});
}

TEST(DspChain, HasOperandsOfAsManyBitsAsTheBlock) {
  const int64_t weight = 1 << (DspWeightBits - 1);
  const Int128 factor = Int128{1} << (DspFactorBits - 1);
  const auto fits = [](int64_t w, const Range& x) {
    return Product{{{w}}, {x}}.chains().has_value();
  };
  EXPECT_TRUE(fits(weight - 1, {0, factor - 1}));
  EXPECT_TRUE(fits(-weight, {-factor, 0}));
  EXPECT_FALSE(fits(weight, {0, 1}));
  EXPECT_FALSE(fits(-weight - 1, {0, 1}));
  EXPECT_FALSE(fits(1, {0, factor}));
  EXPECT_FALSE(fits(1, {-factor - 1, 0}));
  // The longest chain of the largest products stays within the adder.
  const Product longest{{std::vector<int64_t>(MaxChainBlocks, -weight)},
                        std::vector<Range>(MaxChainBlocks, {-factor, factor - 1})};
  ASSERT_EQ(longest.chains()->size(), 1);
  EXPECT_EQ(longest.chains()->front().sum_bits(), 48);
}

TEST(DspChain, CutsChainsEvenlyAndEndsThemTogether) {
  const Product product{{std::vector<int64_t>(11, 3)}, std::vector<Range>(11, {0, 15})};
  const auto chains = product.chains();
  ASSERT_EQ(chains->size(), 2);
  EXPECT_EQ((*chains)[0].blocks.size(), 6);
  EXPECT_EQ((*chains)[1].blocks.size(), 5);
  EXPECT_EQ(cascade_depth(*chains), 6);
  EXPECT_EQ(cascade_latency_cycles(*chains), 8);
  EXPECT_EQ(block_delay(*chains, (*chains)[0], 0), 0);
  EXPECT_EQ(block_delay(*chains, (*chains)[1], 0), 1);
  EXPECT_EQ(block_delay(*chains, (*chains)[1], 4), 5);
  EXPECT_EQ(count_blocks(*chains), 11);
}

TEST(DspChain, LeavesOutPlacesWithoutWeights) {
  const Product product{{{5, 3, 2}}, {{0, 15}, {0, 15}, {0, 15}}};
  auto chains = make_dsp_chains(
      {.results = 1,
       .places = 3,
       .steps = 2,
       .weight = [&](int, size_t place, int64_t) { return place == 1 ? int64_t{0} : 5; },
       .range = [&](size_t, int64_t) { return Range{0, 15}; }});
  ASSERT_EQ(chains->size(), 1);
  EXPECT_EQ(chains->front().blocks.size(), 2);
}

TEST(DspChain, SharesTheLinesOfBlocksWithOneDelay) {
  // At step 1 all weights are 1.
  const Product product{{{-3}, {5}, {-3}, {5}}, {{0, 15}}};
  const auto chains = product.chains();
  ASSERT_EQ(chains->size(), 2);
  const DspWeights weights = dsp_weights(*chains, 0);
  ASSERT_EQ(weights.bits.size(), 2);
  EXPECT_EQ(weights.bits[0].size(), static_cast<size_t>(weight_bits(chains->front())));
  for (size_t i = 0; i < weights.bits[0].size(); ++i) {
    EXPECT_EQ(weights.bits[0][i].line, weights.bits[1][i].line);
    EXPECT_EQ(weights.bits[0][i].value, weights.bits[1][i].value);
  }
  for (const std::vector<bool>& line : weights.lines)
    EXPECT_NE(line[0], line[1]);
}

class RandomDspChains : public ::testing::TestWithParam<int> {};

TEST_P(RandomDspChains, AreTheProduct) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  const auto draw = [&](int lo, int hi) {
    return lo + static_cast<int>(random() % static_cast<uint64_t>(hi - lo + 1));
  };
  Product product;
  const int bits = draw(1, 20);
  const int factor_bits = draw(1, DspFactorBits - 1);
  const int places = draw(1, 30);
  for (int place = 0; place < places; ++place)
    product.places.push_back(
        {-draw(0, 1) * draw(0, 1 << factor_bits), draw(0, (1 << factor_bits) - 1)});
  for (int result = draw(1, 5); result > 0; --result) {
    std::vector<int64_t>& row = product.weights.emplace_back();
    for (int place = 0; place < places; ++place)
      row.push_back(draw(-(1 << bits), (1 << bits) - 1));
  }
  const auto chains = product.chains();
  ASSERT_TRUE(chains.has_value());
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<Int128> xs;
    for (const Range& range : product.places)
      xs.push_back(draw(0, 2) == 0 ? range.lo
                   : draw(0, 1) == 0
                       ? range.hi
                       : range.lo + static_cast<Int128>(
                                        random() % static_cast<uint64_t>(range.hi - range.lo + 1)));
    expect_product(product, *chains, xs);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDspChains, ::testing::Range(0, 40));

TEST(DspChain, RefusesFamiliesWithOtherBlocks) {
  EXPECT_TRUE(check_dsp_blocks("xcu", "--dsp"));
  EXPECT_TRUE(check_dsp_blocks("xcup", "--dsp"));
  const Status refused = check_dsp_blocks("ecp5", "--dsp");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "dataflow.no_dsp_blocks");
}

}  // namespace
}  // namespace millrace::dataflow
