// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/stream.h"

#include <gtest/gtest.h>

namespace millrace::dataflow {
namespace {

StreamType map_of(int64_t height, int64_t width, int64_t lanes, int64_t rows) {
  return {.height = height,
          .width = width,
          .channels = 3,
          .element = {.is_signed = true, .width = 5, .frac_bits = 2},
          .lanes = lanes,
          .rows = rows,
          .ranges = {}};
}

TEST(Stream, EveryRowStartsANewBeat) {
  EXPECT_EQ(map_of(4, 7, 1, 1).beats_per_frame(), 28);
  EXPECT_EQ(map_of(4, 7, 3, 1).beats_per_row(), 3);
  EXPECT_EQ(map_of(4, 7, 3, 1).beats_per_frame(), 12);
  EXPECT_EQ(map_of(4, 7, 7, 1).beats_per_frame(), 4);
}

TEST(Stream, SeveralRowsMakeABeatAndTheLastOneMayBeShort) {
  EXPECT_EQ(map_of(4, 7, 7, 2).beats_per_frame(), 2);
  EXPECT_EQ(map_of(5, 7, 7, 2).beats_per_frame(), 3);
  EXPECT_EQ(map_of(4, 7, 7, 4).beats_per_frame(), 1);
  EXPECT_EQ(map_of(4, 7, 7, 2).pixels_per_beat(), 14);
  EXPECT_EQ(map_of(5, 7, 7, 2).num_elements(), 105);
}

TEST(Stream, WithoutRangesEveryElementHasTheWidthOfItsType) {
  const StreamType stream = map_of(4, 7, 2, 1);
  EXPECT_EQ(stream.pixel_bits(), 15);
  EXPECT_EQ(stream.beat_bits(), 30);
  EXPECT_EQ(stream.range(2), (ElementRange{-16, 15}));
}

TEST(Stream, EveryChannelIsAsWideAsItsRangeNeeds) {
  StreamType stream = map_of(4, 7, 7, 2);
  stream.ranges = {{0, 5}, {-1, 0}, {0, 0}};
  EXPECT_EQ(stream.pixel_bits(), 3 + 1 + 0);
  EXPECT_EQ(stream.beat_bits(), 14 * 4);
  EXPECT_EQ(stream.range(1), (ElementRange{-1, 0}));
}

TEST(Stream, AnElementThatIsAlwaysZeroHasNoBits) {
  EXPECT_EQ((ElementRange{}).width(), 0);
  EXPECT_EQ((ElementRange{0, 1}).type(), (FixedType{false, 1, 0}));
  EXPECT_EQ((ElementRange{-1, 0}).type(), (FixedType{true, 1, 0}));
  EXPECT_EQ((ElementRange{-3, 4}).type(), (FixedType{true, 4, 0}));
}

TEST(Stream, ARangeGrowsByWhatItIncludesAndKeepsZero) {
  ElementRange range;
  range.include(3, 7);
  EXPECT_EQ(range, (ElementRange{0, 7}));
  range.include(-2, 1);
  EXPECT_EQ(range, (ElementRange{-2, 7}));
}

}  // namespace
}  // namespace millrace::dataflow
