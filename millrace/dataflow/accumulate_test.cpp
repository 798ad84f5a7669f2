// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/accumulate.h"

#include <gtest/gtest.h>
#include <random>

#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

constexpr FixedType Wide{.is_signed = true, .width = 40, .frac_bits = 0};

/// One beat after the other stands for the next columns of the map.
AccumulateRequest make_request(int beats, int elements, int results) {
  AccumulateRequest request;
  request.map = {.rows = results, .columns = beats * elements, .entries = {}, .bias = {}};
  request.map.entries.assign(static_cast<size_t>(results * beats * elements), 0);
  request.map.bias.assign(static_cast<size_t>(results), 0);
  request.elements.assign(static_cast<size_t>(elements), {0, 255});
  for (int beat = 0; beat < beats; ++beat) {
    request.columns.emplace_back();
    for (int element = 0; element < elements; ++element)
      request.columns.back().push_back(beat * elements + element);
  }
  request.sum_type = Wide;
  request.delays = load_delay_model("xcu").value();
  return request;
}

AccumulateStage make(const AccumulateRequest& request) {
  auto stage = make_accumulate(request, "layer 'dense'");
  check(stage.has_value(), "a product that fits the clock");
  return std::move(*stage);
}

/// Beats of values that reach the ends of the elements' ranges more often than chance has it.
std::vector<std::vector<Int128>> random_beats(const AccumulateRequest& request,
                                              std::mt19937_64& random) {
  std::vector<std::vector<Int128>> beats;
  for (size_t beat = 0; beat < request.columns.size(); ++beat) {
    beats.emplace_back();
    for (const adders::Range& range : request.elements) {
      const uint64_t draw = random();
      const auto span = static_cast<uint64_t>(range.hi - range.lo) + 1;
      beats.back().push_back(draw % 8 == 0   ? range.lo
                             : draw % 8 == 1 ? range.hi
                                             : range.lo + Int128{(draw >> 8) % span});
    }
  }
  return beats;
}

std::vector<Int128> plain_product(const AccumulateRequest& request,
                                  const std::vector<std::vector<Int128>>& beats) {
  std::vector<Int128> sums = request.map.bias;
  for (size_t beat = 0; beat < beats.size(); ++beat)
    for (size_t element = 0; element < request.elements.size(); ++element)
      if (const int column = request.columns[beat][element]; column >= 0)
        for (int row = 0; row < request.map.rows; ++row)
          sums[static_cast<size_t>(row)] +=
              Int128{request.map.entries[static_cast<size_t>(row * request.map.columns + column)]} *
              beats[beat][element];
  return sums;
}

/// A product of random sizes, weights and ranges.
AccumulateRequest random_request(std::mt19937_64& random) {
  const auto draw = [&](int lo, int hi) {
    return lo + static_cast<int>(random() % static_cast<uint64_t>(hi - lo + 1));
  };
  AccumulateRequest request = make_request(draw(1, 8), draw(1, 10), draw(1, 5));
  request.phases = draw(1, 8);
  request.held = draw(0, 1) == 1;
  const int weight_bits = draw(1, 12);
  for (int64_t& entry : request.map.entries)
    entry = draw(0, 4) == 0 ? 0 : draw(-(1 << weight_bits) / 2, (1 << weight_bits) - 1);
  for (Int128& bias : request.map.bias)
    bias = draw(-1000, 1000);
  for (adders::Range& range : request.elements)
    range = draw(0, 5) == 0 ? adders::Range{0, 0}
                            : adders::Range{-draw(0, 1) * draw(1, 90), draw(1, 300)};
  for (std::vector<int>& columns : request.columns)
    for (int& column : columns)
      if (draw(0, 6) == 0)
        column = -1;
  return request;
}

void expect_plain_product(const AccumulateRequest& request, std::mt19937_64& random) {
  const AccumulateStage stage = make(request);
  for (int trial = 0; trial < 20; ++trial) {
    const auto beats = random_beats(request, random);
    ASSERT_EQ(evaluate(stage, beats), plain_product(request, beats));
  }
}

class RandomAccumulate : public ::testing::TestWithParam<int> {};

TEST_P(RandomAccumulate, IsThePlainProduct) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  expect_plain_product(random_request(random), random);
}

TEST_P(RandomAccumulate, IsThePlainProductInBlocks) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  AccumulateRequest request = random_request(random);
  request.dsp = BlockUse::Prefer;
  expect_plain_product(request, random);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomAccumulate, ::testing::Range(0, 60));

TEST(Accumulate, CutsTheNeededElementsIntoChunks) {
  AccumulateRequest request = make_request(1, 6, 1);
  request.map.entries = {1, 2, 0, 4, 5, 6};
  request.phases = 2;
  const AccumulateStage stage = make(request);
  ASSERT_EQ(stage.chunk.size(), 3);
  EXPECT_EQ(stage.chunk[0].elements, (std::vector<int>{0, 4}));
  EXPECT_EQ(stage.chunk[1].elements, (std::vector<int>{1, 5}));
  EXPECT_EQ(stage.chunk[2].elements, (std::vector<int>{3, -1}));
}

TEST(Accumulate, SharesLinesThatAreEqual) {
  AccumulateRequest request = make_request(4, 2, 2);
  request.map.entries = {1, 1, 0, 0, 1, 1, 0, 1,  // the last differs
                         1, 1, 0, 0, 1, 1, 0, 0};
  const AccumulateStage stage = make(request);
  EXPECT_EQ(count_digit_rows(stage), 4);
  EXPECT_EQ(stage.lines.size(), 2);
}

TEST(Accumulate, HasNoRowsWhereNoWeightIs) {
  AccumulateRequest request = make_request(3, 2, 2);
  request.map.entries = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  const AccumulateStage stage = make(request);
  EXPECT_EQ(stage.chunk.size(), 1);
  EXPECT_EQ(count_digit_rows(stage), 1);
}

TEST(Accumulate, AnswersAfterThePhasesTheProductsAndTheSum) {
  AccumulateRequest request = make_request(2, 4, 1);
  request.map.entries = {1, 2, 3, 4, 5, 6, 7, -8};
  request.phases = 4;
  const AccumulateStage stage = make(request);
  EXPECT_EQ(stage.steps(), 8);
  EXPECT_EQ(latency_cycles(stage), 3 + stage.products.latency_cycles() + 1);
}

TEST(Accumulate, CostsItsRowsSumsLinesAndWhatItKeeps) {
  AccumulateRequest request = make_request(1, 4, 1);
  request.map.entries = {1, 0, 1, 1};
  request.elements[2] = {0, 15};
  request.sum_type.width = 20;
  request.phases = 3;
  const AccumulateStage stage = make(request);
  const AccumulateCost cost = accumulate_cost(stage);
  // Weights are all 1, so that no line is left; half a row for 8 bits; a sum; a choice of three;
  // the counters of 3 steps and 3 phases.
  EXPECT_EQ(cost.lut, 4 + 20 + 8 + (2 * 4 + 2));
  EXPECT_EQ(cost.flip_flops, 20 + (4 + 8) + (4 + 1));
  request.held = true;
  EXPECT_EQ(accumulate_cost(make(request)).flip_flops, 20 + (4 + 1));
}

/// Three beats of `elements` bytes for two results, with weights of 8 bits.
AccumulateRequest dense_request(int elements) {
  AccumulateRequest request = make_request(3, elements, 2);
  for (size_t i = 0; i < request.map.entries.size(); ++i)
    request.map.entries[i] = i % 5 == 0 ? -128 : 127 - static_cast<int64_t>(i % 7) * 9;
  request.sum_type.width = 24;
  return request;
}

TEST(AccumulateInBlocks, PacksTwoResultsIntoOneChain) {
  AccumulateRequest request = dense_request(4);
  request.dsp = BlockUse::Prefer;
  const AccumulateStage stage = make(request);
  ASSERT_EQ(stage.chains.size(), 1);
  EXPECT_EQ(stage.chains[0].blocks.size(), 4);
  EXPECT_TRUE(stage.chains[0].is_packed());
  EXPECT_EQ(count_digit_rows(stage), 0);
  EXPECT_EQ(accumulate_cost(stage).dsp, 4);
  EXPECT_EQ(stage.products.latency_cycles(), 0);  // nothing but wires
  EXPECT_EQ(latency_cycles(stage), (4 + 2) + 1);
}

TEST(AccumulateInBlocks, AddsUpChainsInTheFabric) {
  AccumulateRequest request = dense_request(20);
  request.dsp = BlockUse::Prefer;
  const AccumulateStage stage = make(request);
  EXPECT_GT(stage.chains.size(), 2);
  EXPECT_EQ(accumulate_cost(stage).dsp, 20);
  std::mt19937_64 random(1);
  expect_plain_product(request, random);
}

TEST(AccumulateInBlocks, AutoAsksWhatABlockSaves) {
  AccumulateRequest request = dense_request(4);
  const AccumulateCost rows = accumulate_cost(make(request));
  EXPECT_EQ(rows.dsp, 0);
  request.dsp = BlockUse::Prefer;
  const AccumulateCost blocks = accumulate_cost(make(request));
  request.dsp = BlockUse::Auto;
  request.luts_per_dsp = (rows.lut - blocks.lut) / blocks.dsp;
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 4);
  ++request.luts_per_dsp;
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 0);
}

TEST(AccumulateInBlocks, AreRowsWhereAnOperandOrTheClockDoesNotFit) {
  AccumulateRequest request = dense_request(4);
  request.dsp = BlockUse::Prefer;
  request.sum_type.width = 10;
  request.clock_ns = 1.9;
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 0);
  request.clock_ns = 2;
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 4);
  request.clock_ns = 5;
  request.elements[0] = {0, (1 << 17) - 1};
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 8);  // its products are too wide to be packed
  request.elements[0] = {0, 1 << 17};
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 0);
}

TEST(AccumulateInBlocks, NeedAWeightThatChanges) {
  AccumulateRequest request = make_request(1, 2, 1);
  request.map.entries = {77, -99};
  request.dsp = BlockUse::Prefer;
  EXPECT_EQ(accumulate_cost(make(request)).dsp, 0);
}

TEST(Accumulate, RefusesAClockThatARowDoesNotFit) {
  AccumulateRequest request = make_request(2, 1, 1);
  request.map.entries = {5, -3};
  request.clock_ns = 1;
  EXPECT_FALSE(make_accumulate(request, "layer 'dense'").has_value());
}

}  // namespace
}  // namespace millrace::dataflow
