// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/layout.h"

#include <array>
#include <gtest/gtest.h>

namespace millrace::frontends::onnx {
namespace {

using Order = std::vector<size_t>;

const Shape Chw = {1, 2, 3, 4};
const std::array<size_t, 4> Hwc = {0, 2, 3, 1};

TEST(OnnxValueLayout, MapsAreHeldChannelsLast) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  EXPECT_EQ(map.factors(), (Shape{2, 3, 4}));
  EXPECT_EQ(map.order(), (Order{1, 2, 0}));
  EXPECT_FALSE(map.is_plain());
  EXPECT_TRUE(Layout::plain(Chw).is_plain());
  // One channel lies where ONNX has it.
  EXPECT_TRUE(Layout::of_axes({1, 1, 3, 4}, Hwc).is_plain());
}

TEST(OnnxValueLayout, FlatteningKeepsTheFactors) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  const auto vector = map.reshaped({1, 24});
  ASSERT_TRUE(vector);
  // H and W follow each other in both orders, so they are one.
  EXPECT_EQ(vector->factors(), (Shape{2, 12}));
  EXPECT_EQ(vector->order(), (Order{1, 0}));
  const auto back = vector->reshaped(Chw);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, map);
}

TEST(OnnxValueLayout, FactorsAreSplitWhereAShapeNeedsIt) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  const auto split = map.reshaped({2, 6, 2});
  ASSERT_TRUE(split);
  EXPECT_EQ(split->factors(), (Shape{2, 6, 2}));
  EXPECT_EQ(split->order(), (Order{1, 2, 0}));
  EXPECT_FALSE(map.reshaped({3, 8}));  // 8 is no product of the last factors, 12 and 2
  EXPECT_TRUE(Layout::plain(Chw).reshaped({3, 8}));
}

TEST(OnnxValueLayout, TransposingChangesOnnxsOrderAlone) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  const std::array<int64_t, 4> to_hwc = {0, 2, 3, 1};
  EXPECT_TRUE(map.transposed(Chw, to_hwc).is_plain());
  const std::array<int64_t, 4> swap = {0, 1, 3, 2};
  const Layout swapped = map.transposed(Chw, swap);
  EXPECT_EQ(swapped.factors(), (Shape{2, 4, 3}));
  EXPECT_EQ(swapped.order(), (Order{2, 1, 0}));
}

TEST(OnnxValueLayout, RestrictionKeepsTheRelativeOrder) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  const Layout part = map.restricted(Chw, std::array<size_t, 2>{1, 3});
  EXPECT_EQ(part.factors(), (Shape{2, 4}));
  EXPECT_EQ(part.order(), (Order{1, 0}));
}

TEST(OnnxValueLayout, AnotherExtentOfAnAxisLiesLast) {
  const Layout map = Layout::of_axes(Chw, Hwc);
  const Layout more = map.with_last(Chw, 2, 7);
  EXPECT_EQ(more.factors(), (Shape{2, 7, 4}));
  EXPECT_EQ(more.order(), (Order{2, 0, 1}));
  const Layout none = map.with_last(Chw, 1, 1);
  EXPECT_EQ(none.factors(), (Shape{3, 4}));
  EXPECT_TRUE(none.is_plain());
}

TEST(OnnxValueLayout, RefiningCutsAtThePlacesOfTheOther) {
  const auto refined = Layout::plain({24}).refined(Layout::plain(Chw));
  ASSERT_TRUE(refined);
  EXPECT_EQ(refined->factors(), (Shape{2, 3, 4}));
  EXPECT_FALSE(Layout::plain({3, 8}).refined(Layout::plain({2, 12})));
}

TEST(OnnxValueLayout, ArrangingMovesWholeRows) {
  const Layout map = Layout::of_axes({1, 2, 1, 3}, Hwc);
  const FloatTensor rows{{6, 2}, {0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51}};
  EXPECT_EQ(map.arrange(rows),
            (FloatTensor{{6, 2}, {0, 1, 30, 31, 10, 11, 40, 41, 20, 21, 50, 51}}));
}

}  // namespace
}  // namespace millrace::frontends::onnx
