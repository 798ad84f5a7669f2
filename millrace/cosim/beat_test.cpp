// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/beat.h"

#include <gtest/gtest.h>

#include "millrace/support/check.h"

namespace millrace::cosim {
namespace {

TEST(Beat, FieldsThatStraddleWordsComeBack) {
  Beat beat(130);
  beat.set(60, 9, 0x1a5);
  beat.set(69, 61, 0x1234'5678'9abc'def0 & ((uint64_t{1} << 61) - 1));
  beat.set(0, 60, 0);
  EXPECT_EQ(beat.get(60, 9), 0x1a5u);
  EXPECT_EQ(beat.get(69, 61), 0x1234'5678'9abc'def0u);
  EXPECT_EQ(beat.get(0, 60), 0u);
}

TEST(Beat, SettingAFieldLeavesItsNeighbours) {
  std::mt19937_64 generator(1);
  for (int lsb = 0; lsb + 64 <= 192; ++lsb)
    for (const int width : {1, 7, 63, 64}) {
      Beat beat = Beat::random(192, generator);
      Beat before = beat;
      beat.set(lsb, width, 0x0123'4567'89ab'cdef);
      for (int bit = 0; bit < 192; ++bit) {
        const bool inside = bit >= lsb && bit < lsb + width;
        const uint64_t expected =
            inside ? 0x0123'4567'89ab'cdefu >> (bit - lsb) & 1 : before.get(bit, 1);
        ASSERT_EQ(beat.get(bit, 1), expected) << lsb << ' ' << width << ' ' << bit;
      }
    }
}

TEST(Beat, HexadecimalTextRoundTrips) {
  std::mt19937_64 generator(2);
  for (const int bits : {1, 3, 4, 5, 63, 64, 65, 127, 200}) {
    const Beat beat = Beat::random(bits, generator);
    const auto again = Beat::from_hex(beat.to_hex(), bits);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->to_hex(), beat.to_hex());
    EXPECT_EQ(std::ssize(beat.to_hex()), (bits + 3) / 4);
  }
}

TEST(Beat, HexadecimalTextMayHaveLeadingZerosButNotMoreBits) {
  EXPECT_TRUE(Beat::from_hex("00000000000000000000001f", 5));
  EXPECT_FALSE(Beat::from_hex("20", 5));
  EXPECT_FALSE(Beat::from_hex("1x", 5));
}

TEST(PackFrame, FollowsTheStatedLayout) {
  // One row of 3 pixels x 2 channels of 4 bits, 2 lanes: the second beat has one pixel.
  const dataflow::StreamType type{1, 3, 2, {false, 4, 0}, 2};
  std::mt19937_64 generator(3);
  const auto beats = pack_frame({{1, 3, 2}, {1, 2, 3, 4, 5, 6}}, type, generator);
  ASSERT_EQ(beats.size(), 2u);
  EXPECT_EQ(beats[0].to_hex(), "4321");
  EXPECT_EQ(beats[1].get(0, 8), 0x65u);
}

TEST(PackFrame, PutsSeveralRowsIntoABeat) {
  // 3 rows of 2 pixels x 2 channels of 4 bits, 2 rows a beat: the second beat has one row.
  const dataflow::StreamType type{3, 2, 2, {false, 4, 0}, 2, 2};
  ASSERT_EQ(type.beats_per_frame(), 2);
  ASSERT_EQ(type.beat_bits(), 32);
  const IntTensor frame{{3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  std::mt19937_64 generator(3);
  const auto first = pack_frame(frame, type, generator);
  const auto second = pack_frame(frame, type, generator);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].to_hex(), "87654321");
  EXPECT_EQ(first[1].get(0, 16), 0xcba9u);
  EXPECT_NE(first[1].get(16, 16), second[1].get(16, 16)) << "rows behind the map's end are random";
  EXPECT_EQ(unpack_frame(first.data(), type), frame);
}

TEST(PackFrame, LanesBehindTheRowsEndAreRandom) {
  const dataflow::StreamType type{1, 1, 1, {false, 1, 0}, 1};
  dataflow::StreamType wide = type;
  wide.width = 2;
  wide.lanes = 64;
  std::mt19937_64 generator(4);
  const auto first = pack_frame({{1, 2, 1}, {1, 0}}, wide, generator);
  const auto second = pack_frame({{1, 2, 1}, {1, 0}}, wide, generator);
  EXPECT_NE(first[0].get(2, 62), second[0].get(2, 62));
  EXPECT_EQ(first[0].get(0, 2), second[0].get(0, 2));
}

TEST(PackFrame, UnpackingGivesTheFrameBack) {
  std::mt19937_64 generator(5);
  for (const int width : {1, 5, 63, 64})
    for (const bool is_signed : {false, true})
      for (const int64_t lanes : {1, 2, 3, 5}) {
        const dataflow::StreamType type{2, 5, 3, {is_signed, width, 0}, lanes};
        IntTensor frame{{2, 5, 3}, {}};
        for (int i = 0; i < 30; ++i) {
          const int unused = 64 - width;
          const uint64_t bits = generator() << unused;
          frame.data.push_back(is_signed ? static_cast<int64_t>(bits) >> unused
                                         : static_cast<int64_t>(bits >> unused));
        }
        EXPECT_EQ(unpack_frame(pack_frame(frame, type, generator).data(), type), frame);
      }
}

TEST(PackFrame, RefusesWhatTheStreamCannotCarry) {
  const dataflow::StreamType type{1, 1, 1, {true, 4, 0}, 1};
  std::mt19937_64 generator(6);
  EXPECT_THROW(pack_frame({{1, 1, 1}, {8}}, type, generator), InternalError);
  EXPECT_THROW(pack_frame({{1, 1, 1}, {-9}}, type, generator), InternalError);
  EXPECT_THROW(pack_frame({{1, 1, 2}, {0, 0}}, type, generator), InternalError);
  const dataflow::StreamType part_of_rows{2, 2, 1, {true, 4, 0}, 1, 2};
  EXPECT_THROW(pack_frame({{2, 2, 1}, {0, 0, 0, 0}}, part_of_rows, generator), InternalError);
}

}  // namespace
}  // namespace millrace::cosim
