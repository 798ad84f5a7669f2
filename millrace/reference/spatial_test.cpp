// SPDX-License-Identifier: Apache-2.0
// Operations on maps: small graphs with results worked out by hand, and equations between them.
#include <gtest/gtest.h>
#include <random>

#include "millrace/reference/evaluate.h"
#include "millrace/support/check.h"

namespace millrace::reference {
namespace {

using graph::AvgPool;
using graph::Builder;
using graph::Concat;
using graph::Conv2D;
using graph::ConvTranspose2D;
using graph::Graph;
using graph::OpKind;
using graph::ValueId;
using graph::Window;

constexpr FixedType Int8{true, 8, 0};

/// Builds small graphs and stops the test when one is refused.
class SmallGraph {
public:
  explicit SmallGraph(const Shape& shape, const FixedType& type = Int8) { input(shape, type); }
  ValueId input(const Shape& shape, const FixedType& type) {
    return add(graph::Input{{shape, type}});
  }
  ValueId add(const OpKind& kind, std::vector<ValueId> operands = {}) {
    return builder_.add("v", kind, std::move(operands)).value();
  }
  ValueId constant(const Shape& shape, std::vector<int64_t> raw, const FixedType& type = Int8) {
    return builder_.constant("c", {shape, std::move(raw)}, type).value();
  }
  IntTensor run(ValueId output, const std::vector<IntTensor>& inputs) {
    builder_.output(output);
    return evaluate(std::move(builder_).finish().value(), inputs).at(0);
  }

private:
  Builder builder_{"small"};
};

/// The value of one operation on one tensor of 8-bit integers.
IntTensor value_of(const OpKind& kind, const IntTensor& x) {
  SmallGraph g(x.shape);
  return g.run(g.add(kind, {0}), {x});
}

IntTensor convolved(const OpKind& conv, const IntTensor& x, const IntTensor& w,
                    const IntTensor& b) {
  SmallGraph g(x.shape);
  const ValueId weights = g.constant(w.shape, w.data);
  const ValueId bias = g.constant(b.shape, b.data);
  return g.run(g.add(conv, {0, weights, bias}), {x});
}

class Draw {
public:
  explicit Draw(uint64_t seed) : random_(seed) {}
  int64_t between(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(random_() % static_cast<uint64_t>(hi - lo + 1));
  }
  IntTensor tensor(const Shape& shape) {
    IntTensor result{shape, {}};
    for (int64_t i = 0; i < num_elements(shape); ++i)
      result.data.push_back(between(-128, 127));
    return result;
  }
  /// A window that fits a map of that height and width.
  Window window(int64_t height, int64_t width) {
    Window window;
    do {
      window = {.kernel_h = between(1, 3),
                .kernel_w = between(1, 3),
                .stride_h = between(1, 3),
                .stride_w = between(1, 3),
                .dilation_h = between(1, 3),
                .dilation_w = between(1, 3)};
      window.pad_top = between(0, window.extent_h() - 1);
      window.pad_left = between(0, window.extent_w() - 1);
      window.pad_bottom = between(0, window.extent_h() - 1);
      window.pad_right = between(0, window.extent_w() - 1);
    } while (window.out_height(height) < 1 || window.out_width(width) < 1 ||
             !window.reaches_map(height, width));
    return window;
  }

private:
  std::mt19937_64 random_;
};

int64_t& at(IntTensor& map, int64_t row, int64_t column, int64_t channel) {
  return map.data.at(static_cast<size_t>((row * map.shape[1] + column) * map.shape[2] + channel));
}

TEST(SpatialConv2D, DilationSpreadsTheTaps) {
  const Window window{.kernel_w = 2, .pad_right = 1, .dilation_w = 3};
  EXPECT_EQ(
      convolved(Conv2D{window}, {{1, 5, 1}, {1, 2, 3, 4, 5}}, {{1, 2, 1, 1}, {10, 1}}, {{1}, {0}}),
      (IntTensor{{1, 3, 1}, {14, 25, 30}}));
}

TEST(SpatialConv2D, DilationIsAKernelFilledWithZeros) {
  Draw draw(1);
  for (int round = 0; round < 50; ++round) {
    const IntTensor x = draw.tensor({draw.between(1, 7), draw.between(1, 7), 2});
    const Window dilated = draw.window(x.shape[0], x.shape[1]);
    const IntTensor w = draw.tensor({dilated.kernel_h, dilated.kernel_w, 2, 3});
    const IntTensor b = draw.tensor({3});
    Window filled = dilated;
    filled.kernel_h = dilated.extent_h();
    filled.kernel_w = dilated.extent_w();
    filled.dilation_h = filled.dilation_w = 1;
    IntTensor zeros{{filled.kernel_h, filled.kernel_w, 2, 3}, {}};
    zeros.data.resize(static_cast<size_t>(num_elements(zeros.shape)));
    for (int64_t i = 0; i < std::ssize(w.data); ++i) {
      const int64_t tap = i / 6;
      const int64_t row = tap / dilated.kernel_w * dilated.dilation_h;
      const int64_t column = tap % dilated.kernel_w * dilated.dilation_w;
      zeros.data.at(static_cast<size_t>((row * filled.kernel_w + column) * 6 + i % 6)) =
          w.data.at(static_cast<size_t>(i));
    }
    ASSERT_EQ(convolved(Conv2D{dilated}, x, w, b), convolved(Conv2D{filled}, x, zeros, b));
  }
}

TEST(SpatialConv2D, GroupsReadTheirOwnChannels) {
  // Two groups of two channels, each with one filter.
  const IntTensor w{{1, 1, 2, 2}, {1, 100, 10, -1}};
  EXPECT_EQ(convolved(Conv2D{{}, 2}, {{1, 1, 4}, {1, 2, 3, 4}}, w, {{2}, {0, 5}}),
            (IntTensor{{1, 1, 2}, {21, 301}}));
  // Depthwise with two filters a channel.
  const IntTensor u{{1, 1, 1, 4}, {1, 2, 3, 4}};
  EXPECT_EQ(convolved(Conv2D{{}, 2}, {{1, 1, 2}, {5, 7}}, u, {{4}, {0, 0, 0, 1}}),
            (IntTensor{{1, 1, 4}, {5, 10, 21, 29}}));
}

TEST(SpatialConv2D, GroupsAreConvolutionsOfSlicesSideBySide) {
  Draw draw(2);
  for (int round = 0; round < 50; ++round) {
    const int64_t groups = draw.between(1, 4);
    const int64_t channels = draw.between(1, 3);  // of one group
    const int64_t filters = draw.between(1, 3);
    const IntTensor x = draw.tensor({draw.between(1, 6), draw.between(1, 6), groups * channels});
    const Window window = draw.window(x.shape[0], x.shape[1]);
    const IntTensor w = draw.tensor({window.kernel_h, window.kernel_w, channels, groups * filters});
    const IntTensor b = draw.tensor({groups * filters});
    IntTensor y = convolved(Conv2D{window, groups}, x, w, b);
    for (int64_t group = 0; group < groups; ++group) {
      const IntTensor part =
          value_of(graph::Slice{{0, 0, group * channels}, {x.shape[0], x.shape[1], channels}}, x);
      IntTensor weights{{w.shape[0], w.shape[1], channels, filters}, {}};
      for (int64_t i = 0; i < std::ssize(w.data); ++i)
        if (i % (groups * filters) / filters == group)
          weights.data.push_back(w.data[static_cast<size_t>(i)]);
      const IntTensor bias = value_of(graph::Slice{{group * filters}, {filters}}, b);
      IntTensor expected = convolved(Conv2D{window}, part, weights, bias);
      for (int64_t row = 0; row < y.shape[0]; ++row)
        for (int64_t column = 0; column < y.shape[1]; ++column)
          for (int64_t filter = 0; filter < filters; ++filter)
            ASSERT_EQ(at(y, row, column, group * filters + filter),
                      at(expected, row, column, filter));
    }
  }
}

TEST(ConvTranspose2D, PutsTheKernelWhereEachPixelIs) {
  const IntTensor x{{1, 3, 1}, {1, 2, 3}};
  const IntTensor w{{1, 3, 1, 1}, {100, 10, 1}};
  const auto row = [&](int64_t stride, int64_t left, int64_t right) {
    return convolved(
               ConvTranspose2D{
                   .kernel_w = 3, .stride_w = stride, .pad_left = left, .pad_right = right},
               x, w, {{1}, {0}})
        .data;
  };
  EXPECT_EQ(row(1, 0, 0), (std::vector<int64_t>{100, 210, 321, 32, 3}));
  EXPECT_EQ(row(2, 0, 0), (std::vector<int64_t>{100, 10, 201, 20, 302, 30, 3}));
  EXPECT_EQ(row(2, 1, 2), (std::vector<int64_t>{10, 201, 20, 302}));
  EXPECT_EQ(row(4, 0, -3),
            (std::vector<int64_t>{100, 10, 1, 0, 200, 20, 2, 0, 300, 30, 3, 0, 0, 0}));
}

TEST(ConvTranspose2D, MixesChannelsAndAddsTheBiasEverywhere) {
  const IntTensor w{{1, 1, 2, 2}, {1, 2, 10, 20}};
  EXPECT_EQ(convolved(ConvTranspose2D{.stride_w = 2, .pad_right = -1}, {{1, 1, 2}, {3, 4}}, w,
                      {{2}, {5, 6}}),
            (IntTensor{{1, 2, 2}, {48, 92, 5, 6}}));
}

TEST(ConvTranspose2D, IsAConvolutionOverAMapStuffedWithZeros) {
  Draw draw(3);
  for (int round = 0; round < 100; ++round) {
    const IntTensor x = draw.tensor({draw.between(1, 4), draw.between(1, 4), 2});
    ConvTranspose2D conv{.kernel_h = draw.between(1, 4),
                         .kernel_w = draw.between(1, 4),
                         .stride_h = draw.between(1, 3),
                         .stride_w = draw.between(1, 3)};
    conv.pad_top = draw.between(0, conv.kernel_h - 1);
    conv.pad_left = draw.between(0, conv.kernel_w - 1);
    conv.pad_bottom = draw.between(1 - conv.stride_h, conv.kernel_h - 1);
    conv.pad_right = draw.between(1 - conv.stride_w, conv.kernel_w - 1);
    const int64_t height = (x.shape[0] - 1) * conv.stride_h + 1;
    const int64_t width = (x.shape[1] - 1) * conv.stride_w + 1;
    if (height + conv.kernel_h - 1 - conv.pad_top - conv.pad_bottom < 1 ||
        width + conv.kernel_w - 1 - conv.pad_left - conv.pad_right < 1)
      continue;
    const IntTensor w = draw.tensor({conv.kernel_h, conv.kernel_w, 2, 3});
    const IntTensor b = draw.tensor({3});

    // Rows and columns of zeros below and on the right make room for the padding below 0.
    IntTensor stuffed{{height + std::max<int64_t>(0, -conv.pad_bottom),
                       width + std::max<int64_t>(0, -conv.pad_right), 2},
                      {}};
    stuffed.data.resize(static_cast<size_t>(num_elements(stuffed.shape)));
    IntTensor turned = w;
    for (int64_t i = 0; i < std::ssize(x.data); ++i)
      at(stuffed, i / 2 / x.shape[1] * conv.stride_h, i / 2 % x.shape[1] * conv.stride_w, i % 2) =
          x.data[static_cast<size_t>(i)];
    const int64_t taps = conv.kernel_h * conv.kernel_w;
    for (int64_t i = 0; i < std::ssize(w.data); ++i)
      turned.data[static_cast<size_t>((taps - 1 - i / 6) * 6 + i % 6)] =
          w.data[static_cast<size_t>(i)];
    const Window window{.kernel_h = conv.kernel_h,
                        .kernel_w = conv.kernel_w,
                        .pad_top = conv.kernel_h - 1 - conv.pad_top,
                        .pad_left = conv.kernel_w - 1 - conv.pad_left,
                        .pad_bottom = conv.kernel_h - 1 - std::max<int64_t>(0, conv.pad_bottom),
                        .pad_right = conv.kernel_w - 1 - std::max<int64_t>(0, conv.pad_right)};
    ASSERT_EQ(convolved(conv, x, w, b), convolved(Conv2D{window}, stuffed, turned, b));
  }
}

TEST(AvgPool, CountsThePaddingOnlyWhenAsked) {
  const IntTensor x{{2, 2, 1}, {10, 20, 30, 41}};
  const Window window{.kernel_h = 2,
                      .kernel_w = 2,
                      .stride_h = 2,
                      .stride_w = 2,
                      .pad_top = 1,
                      .pad_left = 0,
                      .pad_bottom = 1};
  const Quantizer to{{true, 10, 2}, Rounding::Floor, Overflow::Saturate};
  EXPECT_EQ(value_of(AvgPool{window, false, to}, x).data, (std::vector<int64_t>{60, 142}));
  EXPECT_EQ(value_of(AvgPool{window, true, to}, x).data, (std::vector<int64_t>{30, 71}));
}

TEST(AvgPool, RoundsTheQuotientOnce) {
  // 5 / 3 and -5 / 3 are never half way between two numbers.
  const IntTensor x{{1, 3, 2}, {1, -1, 2, -2, 2, -2}};
  const Window window{.kernel_w = 3};
  const auto mean = [&](int frac_bits, Rounding rounding) {
    return value_of(AvgPool{window, false, Quantizer{{true, 8, frac_bits}, rounding}}, x).data;
  };
  EXPECT_EQ(mean(0, Rounding::Floor), (std::vector<int64_t>{1, -2}));
  EXPECT_EQ(mean(0, Rounding::TowardsZero), (std::vector<int64_t>{1, -1}));
  EXPECT_EQ(mean(0, Rounding::HalfEven), (std::vector<int64_t>{2, -2}));
  EXPECT_EQ(mean(1, Rounding::HalfEven), (std::vector<int64_t>{3, -3}));
  EXPECT_EQ(mean(4, Rounding::HalfEven), (std::vector<int64_t>{27, -27}));
  EXPECT_EQ(mean(4, Rounding::Floor), (std::vector<int64_t>{26, -27}));
  EXPECT_EQ(mean(-2, Rounding::HalfEven), (std::vector<int64_t>{0, 0}));
}

TEST(AvgPool, OverAWindowOfOnesIsAConvolution) {
  Draw draw(4);
  for (int round = 0; round < 50; ++round) {
    const IntTensor x = draw.tensor({draw.between(1, 7), draw.between(1, 7), 2});
    const Window window = draw.window(x.shape[0], x.shape[1]);
    const int64_t taps = window.kernel_h * window.kernel_w;
    const IntTensor ones{{window.kernel_h, window.kernel_w, 1, 2},
                         std::vector<int64_t>(static_cast<size_t>(taps * 2), 1)};
    const IntTensor sums = convolved(Conv2D{window, 2}, x, ones, {{2}, {0, 0}});
    const IntTensor inside{x.shape, std::vector<int64_t>(x.data.size(), 1)};
    const IntTensor counts = convolved(Conv2D{window, 2}, inside, ones, {{2}, {0, 0}});
    const Quantizer to{{true, 8, 0}, Rounding::TowardsZero, Overflow::Saturate};
    const IntTensor means = value_of(AvgPool{window, false, to}, x);
    const IntTensor padded = value_of(AvgPool{window, true, to}, x);
    for (size_t i = 0; i < sums.data.size(); ++i) {
      ASSERT_EQ(means.data.at(i), sums.data[i] / counts.data[i]);
      ASSERT_EQ(padded.data.at(i), sums.data[i] / taps);
    }
  }
}

TEST(AvgPool, SumsBeyond64BitsAreExact) {
  constexpr FixedType Wide{true, 64, 0};
  SmallGraph g({1, 4, 1}, Wide);
  const AvgPool pool{{.kernel_w = 3}, false, Quantizer{Wide, Rounding::HalfUp, Overflow::Wrap}};
  EXPECT_EQ(
      g.run(g.add(pool, {0}), {{{1, 4, 1}, {INT64_MAX, INT64_MAX, INT64_MAX - 2, INT64_MIN}}}).data,
      (std::vector<int64_t>{INT64_MAX - 1, 3074457345618258601}));
}

TEST(AvgPool, WithoutAQuantiserHasNoExactValue) {
  EXPECT_THROW((void)value_of(AvgPool{}, {{1, 1, 1}, {0}}), InternalError);
}

TEST(Concat, PutsChannelsSideBySideAndAlignsBinaryPoints) {
  SmallGraph g({1, 2, 1}, {true, 4, 0});
  const ValueId fine = g.input({1, 2, 2}, {true, 4, 3});
  EXPECT_EQ(
      g.run(g.add(Concat{}, {0, fine, 0}), {{{1, 2, 1}, {5, -6}}, {{1, 2, 2}, {1, 2, 3, -4}}}),
      (IntTensor{{1, 2, 4}, {40, 1, 2, 40, -48, 3, -4, -48}}));
}

TEST(Concat, AppendsVectors) {
  SmallGraph g({2}, {true, 4, 0});
  const ValueId more = g.constant({1}, {7}, {true, 4, 0});
  EXPECT_EQ(g.run(g.add(Concat{}, {more, 0}), {{{2}, {1, 2}}}), (IntTensor{{3}, {7, 1, 2}}));
}

TEST(Moves, TakeEachElementFromItsPlace) {
  const IntTensor x{{2, 3, 1}, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(value_of(graph::Upsample{2, 1}, x),
            (IntTensor{{4, 3, 1}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}}));
  EXPECT_EQ(value_of(graph::Upsample{1, 2}, x),
            (IntTensor{{2, 6, 1}, {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6}}));
  EXPECT_EQ(value_of(graph::Pad{1, 0, 0, 2}, x),
            (IntTensor{{3, 5, 1}, {0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0}}));
  EXPECT_EQ(value_of(graph::Slice{{0, 1, 0}, {2, 2, 1}}, x), (IntTensor{{2, 2, 1}, {2, 3, 5, 6}}));
  EXPECT_EQ(value_of(graph::Reshape{{3, 2}}, x), (IntTensor{{3, 2}, {1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(value_of(graph::Transpose{{1, 0, 2}}, x), (IntTensor{{3, 2, 1}, {1, 4, 2, 5, 3, 6}}));
}

TEST(Moves, TransposeNamesTheAxisOfXForEachOfY) {
  // x[i,j,k] = 100 i + 10 j + k; y's axes are x's axes 2, 0, 1.
  IntTensor x{{1, 3, 2}, {}};
  for (int64_t j = 0; j < 3; ++j)
    for (int64_t k = 0; k < 2; ++k)
      x.data.push_back(10 * j + k);
  EXPECT_EQ(value_of(graph::Transpose{{2, 0, 1}}, x),
            (IntTensor{{2, 1, 3}, {0, 10, 20, 1, 11, 21}}));
  EXPECT_EQ(value_of(graph::Transpose{{1, 2, 0}}, x),
            (IntTensor{{3, 2, 1}, {0, 1, 10, 11, 20, 21}}));
}

TEST(Moves, SlicesTakeChannelsAndElements) {
  EXPECT_EQ(value_of(graph::Slice{{0, 0, 1}, {1, 2, 2}}, {{1, 2, 3}, {1, 2, 3, 4, 5, 6}}),
            (IntTensor{{1, 2, 2}, {2, 3, 5, 6}}));
  EXPECT_EQ(value_of(graph::Slice{{2}, {2}}, {{5}, {1, 2, 3, 4, 5}}), (IntTensor{{2}, {3, 4}}));
}

}  // namespace
}  // namespace millrace::reference
