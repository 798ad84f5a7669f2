// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/element_range.h"

#include <gtest/gtest.h>

#include "millrace/graph/graph.h"

namespace millrace::graph {
namespace {

Op op_of(OpKind kind, TensorType type) {
  return {.name = "v", .where = {}, .kind = std::move(kind), .operands = {}, .type = type};
}

constexpr FixedType Coarse{true, 3, 0};  // -4..3
constexpr FixedType Fine{false, 4, 2};   // 0..3.75
constexpr FixedType Common{true, 5, 2};  // -4..3.75

TEST(ElementRange, ChannelsOfARequantizeHaveRangesOfTheirOwn) {
  EXPECT_EQ(common_type(std::vector{Coarse, Fine}), Common);
  const Op op = op_of(Requantize{{Common}, {Coarse, Fine}}, {{3, 2}, Common});
  EXPECT_EQ(channel_range(op, 0), (ElementRange{-16, 12, 2}));
  EXPECT_EQ(channel_range(op, 1), (ElementRange{0, 15, 0}));
  EXPECT_EQ(element_range(op, 4), channel_range(op, 0));
  EXPECT_EQ(element_range(op, 5), channel_range(op, 1));
}

TEST(ElementRange, AChannelOfElementsWithTypesOfTheirOwnIncludesThemAll) {
  const Op op = op_of(Requantize{{Common}, {Coarse, Coarse, Fine, Coarse}}, {{2, 2}, Common});
  EXPECT_EQ(channel_range(op, 0), (ElementRange{-16, 15, 0}));
  EXPECT_EQ(channel_range(op, 1), (ElementRange{-16, 12, 2}));
}

TEST(ElementRange, SymmetricSaturationLeavesOutTheSmallest) {
  const Op op =
      op_of(Requantize{{Coarse, Rounding::Floor, Overflow::SaturateSymmetric}}, {{2}, Coarse});
  EXPECT_EQ(channel_range(op, 1), (ElementRange{-3, 3, 0}));
}

TEST(ElementRange, ConstantsAreWhatTheyAre) {
  const TensorType type{{2, 2}, FixedType{true, 8, 3}};
  const Op op = op_of(Constant{type, std::vector<int64_t>{12, 0, -8, 0}}, type);
  EXPECT_EQ(element_range(op, 0), (ElementRange{12, 12, 2}));
  EXPECT_EQ(channel_range(op, 0), (ElementRange{-8, 12, 2}));
  EXPECT_EQ(channel_range(op, 1), (ElementRange{0, 0, 8}));
}

TEST(ElementRange, OtherOperationsHaveTheirTypes) {
  const Op op = op_of(Relu{}, {{2}, Fine});
  EXPECT_EQ(channel_range(op, 1), (ElementRange{0, 15, 0}));
}

}  // namespace
}  // namespace millrace::graph
