// SPDX-License-Identifier: Apache-2.0
// Small graphs of one operation each, with results worked out by hand.
#include "millrace/reference/evaluate.h"

#include <gtest/gtest.h>
#include <limits>

#include "millrace/support/check.h"

namespace millrace::reference {
namespace {

using graph::Builder;
using graph::Graph;
using graph::OpKind;
using graph::ValueId;
using graph::Window;

constexpr FixedType Int8{true, 8, 0};
constexpr FixedType Uint8{false, 8, 0};

/// Builds small graphs and stops the test when one is refused.
class SmallGraph {
public:
  SmallGraph(const Shape& shape, const FixedType& type) {
    input_ = add(graph::Input{{shape, type}});
  }
  ValueId input() const { return input_; }
  ValueId add(const OpKind& kind, std::vector<ValueId> operands = {}) {
    return builder_.add("v", kind, std::move(operands)).value();
  }
  ValueId constant(const Shape& shape, std::vector<int64_t> raw, const FixedType& type) {
    return builder_.constant("c", {shape, std::move(raw)}, type).value();
  }
  Graph finish(ValueId output) {
    builder_.output(output);
    return std::move(builder_).finish().value();
  }

private:
  Builder builder_{"small"};
  ValueId input_ = 0;
};

std::vector<int64_t> run(const Graph& graph, std::vector<int64_t> input) {
  const Shape shape = graph.type(graph.inputs().at(0)).shape;
  return evaluate(graph, {{shape, std::move(input)}}).at(0).data;
}

TEST(Evaluate, ConvolutionIsACrossCorrelationWithBias) {
  // 2x3 map, 2x2 kernel: no flip of the kernel.
  SmallGraph g({2, 3, 1}, Int8);
  const ValueId w = g.constant({2, 2, 1, 1}, {1, 10, 100, -1}, Int8);
  const ValueId b = g.constant({1}, {5}, Int8);
  const Graph graph =
      g.finish(g.add(graph::Conv2D{Window{.kernel_h = 2, .kernel_w = 2}}, {g.input(), w, b}));
  // 1 + 20 + 400 - 5 + 5 = 421; 2 + 30 + 500 - 6 + 5 = 531
  EXPECT_EQ(run(graph, {1, 2, 3, 4, 5, 6}), (std::vector<int64_t>{421, 531}));
}

TEST(Evaluate, ConvolutionMixesChannelsIntoFilters) {
  SmallGraph g({1, 2, 2}, Int8);
  // w[k][f]: channel 0 -> (1, 2, 0), channel 1 -> (0, 10, -1)
  const ValueId w = g.constant({1, 1, 2, 3}, {1, 2, 0, 0, 10, -1}, Int8);
  const ValueId b = g.constant({3}, {0, 0, 100}, Int8);
  const Graph graph = g.finish(g.add(graph::Conv2D{Window{}}, {g.input(), w, b}));
  EXPECT_EQ(run(graph, {3, 4, -5, 6}), (std::vector<int64_t>{3, 46, 96, -5, 50, 94}));
}

TEST(Evaluate, ConvolutionPadsWithZerosAndStrides) {
  SmallGraph g({3, 3, 1}, Int8);
  const ValueId w = g.constant({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6}, Int8);
  const ValueId b = g.constant({1}, {0}, Int8);
  const Window window{.kernel_h = 2,
                      .kernel_w = 3,
                      .stride_h = 2,
                      .stride_w = 3,
                      .pad_top = 1,
                      .pad_left = 2,
                      .pad_bottom = 0,
                      .pad_right = 1};
  const Graph graph = g.finish(g.add(graph::Conv2D{window}, {g.input(), w, b}));
  // Rows start at -1 and 1, columns at -2 and 1.
  //   (-1,-2): 6*1 = 6             (-1,1): 4*2 + 5*3 = 23
  //   (1,-2): 3*4 + 6*7 = 54       (1,1): 1*5 + 2*6 + 4*8 + 5*9 = 94
  EXPECT_EQ(run(graph, {1, 2, 3, 4, 5, 6, 7, 8, 9}), (std::vector<int64_t>{6, 23, 54, 94}));
}

TEST(Evaluate, SumsAlignTheBinaryPoints) {
  // x has 2 fraction bits, w 1, b 5: y has 5, so products move left by 2.
  SmallGraph g({2}, {true, 6, 2});
  const ValueId w = g.constant({2, 1}, {3, -2}, {true, 4, 1});
  const ValueId b = g.constant({1}, {1}, {true, 4, 5});
  const Graph fine_bias = g.finish(g.add(graph::Dense{}, {g.input(), w, b}));
  EXPECT_EQ(fine_bias.type(fine_bias.outputs()[0]).fixed().frac_bits, 5);
  EXPECT_EQ(run(fine_bias, {7, 5}), (std::vector<int64_t>{(21 - 10) * 4 + 1}));

  // b with -2 fraction bits: y has 3, so the bias moves left by 5.
  SmallGraph h({2}, {true, 6, 2});
  const ValueId v = h.constant({2, 1}, {3, -2}, {true, 4, 1});
  const ValueId c = h.constant({1}, {-3}, {true, 4, -2});
  const Graph coarse_bias = h.finish(h.add(graph::Dense{}, {h.input(), v, c}));
  EXPECT_EQ(run(coarse_bias, {7, 5}), (std::vector<int64_t>{11 - 96}));
}

TEST(Evaluate, ZeroBiasMayHaveAnyFractionBits) {
  SmallGraph g({1}, {true, 6, 500});
  const ValueId w = g.constant({1, 1}, {3}, {true, 4, 0});
  const ValueId b = g.constant({1}, {0}, {true, 4, -900});
  const Graph graph = g.finish(g.add(graph::Dense{}, {g.input(), w, b}));
  EXPECT_EQ(run(graph, {-7}), (std::vector<int64_t>{-21}));
}

TEST(Evaluate, DenseTakesInputsAsRowsAndOutputsAsColumns) {
  SmallGraph g({2}, Int8);
  const ValueId w = g.constant({2, 3}, {1, 2, 3, 10, 20, 30}, Int8);
  const ValueId b = g.constant({3}, {0, 7, -7}, Int8);
  const Graph graph = g.finish(g.add(graph::Dense{}, {g.input(), w, b}));
  EXPECT_EQ(run(graph, {-1, 2}), (std::vector<int64_t>{19, 45, 50}));
}

TEST(Evaluate, DenseSumsReach64Bits) {
  SmallGraph g({2}, {true, 32, 0});
  constexpr int64_t Smallest = std::numeric_limits<int32_t>::min();
  const ValueId w = g.constant({2, 1}, {Smallest, -Smallest - 1}, {true, 32, 0});
  const ValueId b = g.constant({1}, {1}, Int8);
  const Graph graph = g.finish(g.add(graph::Dense{}, {g.input(), w, b}));
  // 2^62 + (2^31 - 1)^2 + 1
  constexpr int64_t Largest = -Smallest - 1;
  EXPECT_EQ(run(graph, {Smallest, Largest}),
            (std::vector<int64_t>{Smallest * Smallest + Largest * Largest + 1}));
}

TEST(Evaluate, AffineScalesEachChannel) {
  SmallGraph g({1, 2, 2}, Int8);
  const ValueId scale = g.constant({2}, {2, -3}, {true, 4, 1});
  const ValueId offset = g.constant({2}, {1, 0}, {true, 4, 0});
  const Graph graph = g.finish(g.add(graph::Affine{}, {g.input(), scale, offset}));
  EXPECT_EQ(run(graph, {5, 6, -7, 8}), (std::vector<int64_t>{12, -18, -12, -24}));
}

TEST(Evaluate, ReluKeepsWhatIsPositive) {
  SmallGraph g({4}, Int8);
  const Graph graph = g.finish(g.add(graph::Relu{}, {g.input()}));
  EXPECT_EQ(run(graph, {-128, -1, 0, 127}), (std::vector<int64_t>{0, 0, 0, 127}));
}

TEST(Evaluate, MaxPoolTakesTheLargestOfEachChannel) {
  SmallGraph g({2, 4, 2}, Int8);
  const Graph graph = g.finish(g.add(
      graph::MaxPool{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}}, {g.input()}));
  EXPECT_EQ(run(graph, {1, -1, 2, -2, 3, -3, 4, -4,  //
                        5, -5, 0, -9, 9, -6, 7, -7}),
            (std::vector<int64_t>{5, -1, 9, -3}));
}

TEST(Evaluate, PaddingNeverWinsAMaxPool) {
  SmallGraph g({2, 2, 1}, Int8);
  const Window window{.kernel_h = 2,
                      .kernel_w = 2,
                      .stride_h = 1,
                      .stride_w = 2,
                      .pad_top = 1,
                      .pad_left = 1,
                      .pad_bottom = 1,
                      .pad_right = 1};
  const Graph graph = g.finish(g.add(graph::MaxPool{window}, {g.input()}));
  EXPECT_EQ(run(graph, {-5, -6, -7, -8}), (std::vector<int64_t>{-5, -6, -5, -6, -7, -8}));
}

TEST(Evaluate, RequantizeRoundsThenSaturates) {
  SmallGraph g({5}, {true, 8, 2});
  const graph::Requantize requantize{{{false, 4, 1}, Rounding::HalfEven, Overflow::Saturate}};
  const Graph graph = g.finish(g.add(requantize, {g.input()}));
  EXPECT_EQ(run(graph, {-3, 1, 3, 5, 99}), (std::vector<int64_t>{0, 0, 2, 2, 15}));
}

TEST(Evaluate, TablesStartAtTheSmallestRawInteger) {
  SmallGraph g({4}, {true, 2, 0});
  const Graph graph = g.finish(g.add(graph::Table{Int8, {-20, -10, 0, 10}}, {g.input()}));
  EXPECT_EQ(run(graph, {-2, -1, 0, 1}), (std::vector<int64_t>{-20, -10, 0, 10}));

  SmallGraph h({4}, {false, 2, 0});
  const Graph unsigned_graph = h.finish(h.add(graph::Table{Int8, {9, 8, 7, 6}}, {h.input()}));
  EXPECT_EQ(run(unsigned_graph, {3, 2, 1, 0}), (std::vector<int64_t>{6, 7, 8, 9}));
}

TEST(Evaluate, FlattenKeepsRowMajorOrder) {
  SmallGraph g({2, 1, 2}, Int8);
  const Graph graph = g.finish(g.add(graph::Flatten{}, {g.input()}));
  EXPECT_EQ(evaluate(graph, {{{2, 1, 2}, {4, 3, 2, 1}}}).at(0), (IntTensor{{4}, {4, 3, 2, 1}}));
}

TEST(Evaluate, GivesEveryValueAndEveryOutput) {
  Builder builder("two");
  const ValueId a = builder.add("a", graph::Input{{{1}, Int8}}).value();
  const ValueId b = builder.add("b", graph::Input{{{1}, Uint8}}).value();
  const ValueId positive = builder.add("positive", graph::Relu{}, {a}).value();
  builder.output(b);
  builder.output(positive);
  const Graph graph = std::move(builder).finish().value();
  const std::vector<IntTensor> inputs = {{{1}, {-4}}, {{1}, {200}}};
  EXPECT_EQ(evaluate(graph, inputs), (std::vector<IntTensor>{{{1}, {200}}, {{1}, {0}}}));
  EXPECT_EQ(evaluate_all(graph, inputs),
            (std::vector<IntTensor>{{{1}, {-4}}, {{1}, {200}}, {{1}, {0}}}));
}

TEST(Evaluate, RefusesInputsThatTheTypeDoesNotHold) {
  SmallGraph g({2}, {false, 3, 0});
  const Graph graph = g.finish(g.add(graph::Relu{}, {g.input()}));
  EXPECT_NO_THROW((void)run(graph, {0, 7}));
  EXPECT_THROW((void)run(graph, {0, 8}), InternalError);
  EXPECT_THROW((void)run(graph, {-1, 0}), InternalError);
  EXPECT_THROW((void)run(graph, {1}), InternalError);
  EXPECT_THROW((void)evaluate(graph, {{{1, 1, 2}, {0, 0}}}), InternalError);
  EXPECT_THROW((void)evaluate(graph, {}), InternalError);
}

TEST(Evaluate, RefusesGraphsWithRealNumbers) {
  Builder builder("real");
  const ValueId x = builder.add("x", graph::Input{{{1}, std::nullopt}}).value();
  builder.output(builder.add("y", graph::Unary{}, {x}).value());
  const Graph graph = std::move(builder).finish().value();
  EXPECT_THROW((void)evaluate(graph, {{{1}, {0}}}), InternalError);
}

// Worked out by hand: products in quarters, an accumulator of whole numbers from -8 to 7.
TEST(Evaluate, AccumulatorsRoundEachProductAndLimitEachSum) {
  constexpr FixedType Halves{true, 8, 1};
  constexpr FixedType Int4{true, 4, 0};
  const auto result = [&](Rounding rounding, Overflow overflow) {
    SmallGraph g({3}, Halves);
    const ValueId w = g.constant({3, 1}, {1, 3, 9}, Halves);
    const ValueId b = g.constant({1}, {5}, Halves);  // 2.5
    return run(g.finish(
                   g.add(graph::Dense{Quantizer{Int4, rounding, overflow}}, {g.input(), w, b})),
               {5, 3, -1})
        .at(0);
  };
  // 2.5; products 1.25, 2.25, -2.25
  EXPECT_EQ(result(Rounding::Floor, Overflow::Saturate), 2 + 1 + 2 - 3);
  EXPECT_EQ(result(Rounding::TowardsZero, Overflow::Saturate), 2 + 1 + 2 - 2);
  EXPECT_EQ(result(Rounding::HalfUp, Overflow::Saturate), 3 + 1 + 2 - 2);

  const auto sums = [&](Overflow overflow) {
    SmallGraph g({4}, Int8);
    const ValueId w = g.constant({4, 1}, {1, 1, 1, 1}, Int8);
    const ValueId b = g.constant({1}, {0}, Int8);
    return run(g.finish(g.add(graph::Dense{Quantizer{Int4, Rounding::Floor, overflow}},
                              {g.input(), w, b})),
               {6, 5, -4, 20})
        .at(0);
  };
  EXPECT_EQ(sums(Overflow::Wrap), (6 + 5 - 4 + 20) % 16 - 16);
  EXPECT_EQ(sums(Overflow::Saturate), 7);       // 6, 7, 3, 3 + 7
  EXPECT_EQ(sums(Overflow::SaturateZero), -4);  // 6, 0, -4, -4 + 0
}

TEST(Evaluate, AccumulatorsOfConvolutionsTakeRowsColumnsAndChannelsInOrder) {
  constexpr FixedType Int4{true, 4, 0};
  SmallGraph g({2, 1, 2}, Int8);
  const ValueId w = g.constant({2, 1, 2, 1}, {1, 1, 1, 1}, Int8);
  const ValueId b = g.constant({1}, {1}, Int8);
  const Graph graph =
      g.finish(g.add(graph::Conv2D{Window{.kernel_h = 2, .pad_bottom = 1}, 1,
                                   Quantizer{Int4, Rounding::Floor, Overflow::Saturate}},
                     {g.input(), w, b}));
  // 1 + 4 + 4 -> 7, 7 - 3 - 3 = 1; below it only 1 - 3 - 3
  EXPECT_EQ(run(graph, {4, 4, -3, -3}), (std::vector<int64_t>{1, -5}));
}

TEST(Evaluate, AccumulatorsOfMeansRoundTheQuotientTowardsZero) {
  const auto mean = [](const Quantizer& to, std::vector<int64_t> x) {
    SmallGraph g({1, 3, 1}, Int8);
    return run(g.finish(g.add(graph::AvgPool{Window{.kernel_w = 3}, false, to, true}, {g.input()})),
               std::move(x))
        .at(0);
  };
  const Quantizer wide{{true, 12, 1}, Rounding::Floor, Overflow::Wrap};
  EXPECT_EQ(mean(wide, {-1, -2, -1}), -2);  // -8 halves by 3
  EXPECT_EQ(mean(wide, {1, 2, 1}), 2);
  const Quantizer narrow{{true, 4, 0}, Rounding::Floor, Overflow::Wrap};
  EXPECT_EQ(mean(narrow, {7, 1, 1}), -2);  // 7, -8, -7
  const Quantizer coarse{{true, 8, -1}, Rounding::Floor, Overflow::Saturate};
  EXPECT_EQ(mean(coarse, {3, 3, 5}), 1);  // in steps of 2: 1, 2 (5 / 2), 4 (9 / 2), by 3
}

}  // namespace
}  // namespace millrace::reference
