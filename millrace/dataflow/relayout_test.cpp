// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/relayout.h"

#include <gtest/gtest.h>
#include <numeric>
#include <random>

#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using Source = std::function<MapPlace(const MapPlace&)>;

constexpr MapPlace Nowhere{-1, 0, 0};

StreamType map_of(int64_t height, int64_t width, int64_t channels, int64_t lanes,
                  int64_t rows = 1) {
  return {.height = height,
          .width = width,
          .channels = channels,
          .element = {.is_signed = false, .width = 16, .frac_bits = 0},
          .lanes = lanes,
          .rows = rows,
          .ranges = {}};
}

MapPlace same(const MapPlace& place) {
  return place;
}

/// The index of an element among those of all beats of a frame.
size_t place_in_beats(const StreamType& stream, const MapPlace& place) {
  const int64_t beat =
      place.row / stream.rows * stream.beats_per_row() + place.column / stream.lanes;
  const int64_t pixel = place.row % stream.rows * stream.lanes + place.column % stream.lanes;
  return static_cast<size_t>((beat * stream.rows * stream.lanes + pixel) * stream.channels +
                             place.channel);
}

/// What a frame of numbers becomes, group by group.
std::vector<int64_t> relayouted(const RelayoutStage& stage, const std::vector<int64_t>& frame) {
  const size_t in_group = frame.size() / static_cast<size_t>(stage.groups);
  std::vector<int64_t> out;
  for (size_t group = 0; group < static_cast<size_t>(stage.groups); ++group)
    for (const int64_t source : stage.sources)
      out.push_back(source == RelayoutStage::Zero
                        ? 0
                        : frame.at(group * in_group + static_cast<size_t>(source)));
  return out;
}

/// Checks every element of the result against its source; 0 where it has none.
RelayoutStage check_relayout(const StreamType& in, const StreamType& out, const Source& source) {
  const RelayoutStage stage = make_relayout(in, out, source);
  EXPECT_EQ(stage.groups * stage.in_beats, in.beats_per_frame());
  EXPECT_EQ(stage.groups * stage.out_beats, out.beats_per_frame());
  std::vector<int64_t> frame(
      static_cast<size_t>(in.beats_per_frame() * in.pixels_per_beat() * in.channels));
  std::iota(frame.begin(), frame.end(), 1);
  const std::vector<int64_t> result = relayouted(stage, frame);
  for (int64_t row = 0; row < out.height; ++row)
    for (int64_t column = 0; column < out.width; ++column)
      for (int64_t channel = 0; channel < out.channels; ++channel) {
        const MapPlace from = source({row, column, channel});
        const int64_t expected = from.row < 0 ? 0 : frame.at(place_in_beats(in, from));
        EXPECT_EQ(result.at(place_in_beats(out, {row, column, channel})), expected)
            << row << ", " << column << ", " << channel;
      }
  return stage;
}

TEST(Relayout, LanesThatDivideOneAnotherChangeBeatByBeat) {
  const RelayoutStage narrower = check_relayout(map_of(3, 8, 2, 4), map_of(3, 8, 2, 2), same);
  EXPECT_EQ(narrower.groups, 6);
  EXPECT_EQ(narrower.in_beats, 1);
  EXPECT_EQ(narrower.out_beats, 2);
  const RelayoutStage wider = check_relayout(map_of(3, 8, 2, 2), map_of(3, 8, 2, 4), same);
  EXPECT_EQ(wider.groups, 6);
  EXPECT_EQ(wider.in_beats, 2);
  EXPECT_EQ(wider.out_beats, 1);
}

TEST(Relayout, OtherLanesChangeRowByRow) {
  const RelayoutStage stage = check_relayout(map_of(4, 6, 1, 3), map_of(4, 6, 1, 2), same);
  EXPECT_EQ(stage.groups, 4);
  EXPECT_EQ(stage.in_beats, 2);
  EXPECT_EQ(stage.out_beats, 3);
}

TEST(Relayout, RowsOfABeatAreTakenApartAndPutTogether) {
  EXPECT_EQ(check_relayout(map_of(4, 3, 2, 3, 2), map_of(4, 3, 2, 3), same).groups, 2);
  EXPECT_EQ(check_relayout(map_of(4, 3, 2, 1), map_of(4, 3, 2, 3, 4), same).groups, 1);
  check_relayout(map_of(5, 3, 1, 3, 2), map_of(5, 3, 1, 2), same);
  check_relayout(map_of(5, 3, 1, 2), map_of(5, 3, 1, 3, 3), same);
}

TEST(Relayout, AGroupOfEveryPairOfShapesGivesTheMap) {
  const StreamType shapes[] = {map_of(6, 4, 2, 1),    map_of(6, 4, 2, 2),    map_of(6, 4, 2, 3),
                               map_of(6, 4, 2, 4),    map_of(6, 4, 2, 4, 2), map_of(6, 4, 2, 4, 3),
                               map_of(6, 4, 2, 4, 4), map_of(6, 4, 2, 4, 6)};
  for (const StreamType& in : shapes)
    for (const StreamType& out : shapes)
      check_relayout(in, out, same);
}

TEST(Relayout, ARepeatedRowNeedsItsOwnRowOnly) {
  const RelayoutStage stage =
      check_relayout(map_of(3, 4, 1, 2), map_of(6, 8, 1, 4), [](const MapPlace& place) {
        return MapPlace{place.row / 2, place.column / 2, place.channel};
      });
  EXPECT_EQ(stage.groups, 3);
  EXPECT_EQ(stage.in_beats, 2);
  EXPECT_EQ(stage.out_beats, 4);
}

TEST(Relayout, ATransposedMapIsGatheredWhole) {
  const RelayoutStage stage = check_relayout(
      map_of(3, 4, 2, 1), map_of(4, 3, 2, 1),
      [](const MapPlace& place) { return MapPlace{place.column, place.row, place.channel}; });
  EXPECT_EQ(stage.groups, 1);
}

TEST(Relayout, PlacesOutsideTheMapAreZero) {
  const auto inside = [](const MapPlace& place) {
    const MapPlace source{place.row - 1, place.column - 1, place.channel};
    return source.row >= 0 && source.row < 2 && source.column >= 0 && source.column < 2 ? source
                                                                                        : Nowhere;
  };
  const RelayoutStage stage = check_relayout(map_of(2, 2, 1, 1), map_of(4, 4, 1, 1), inside);
  EXPECT_EQ(std::count(stage.sources.begin(), stage.sources.end(), RelayoutStage::Zero), 12);
}

// Blocks of four columns that begin two apart: neighbours share two columns, the first one begins
// in front of the row and the last one ends behind it.
TEST(Relayout, BlocksWithAHaloRepeatTheColumnsAtTheirEdges) {
  const RelayoutStage stage =
      check_relayout(map_of(3, 6, 1, 6), map_of(3, 12, 1, 4), [](const MapPlace& place) {
        const int64_t column = place.column / 4 * 2 + place.column % 4 - 1;
        return column >= 0 && column < 6 ? MapPlace{place.row, column, place.channel} : Nowhere;
      });
  EXPECT_EQ(stage.groups, 3);
  EXPECT_EQ(stage.out_beats, 3);
  EXPECT_EQ(stage.sources, (std::vector<int64_t>{-1, 0, 1, 2, 1, 2, 3, 4, 3, 4, 5, -1}));
}

TEST(Relayout, ElementsThatAreAlwaysZeroHaveNoSource) {
  StreamType in = map_of(2, 2, 2, 2);
  in.ranges = {{0, 3}, {0, 0}};
  const RelayoutStage stage = make_relayout(in, map_of(2, 2, 2, 1), same);
  EXPECT_EQ(stage.sources, (std::vector<int64_t>{0, -1, 2, -1}));
}

// Groups that differ from one another would need wires of their own.
TEST(Relayout, GroupsAreAlike) {
  const RelayoutStage stage =
      check_relayout(map_of(2, 2, 1, 2), map_of(2, 2, 1, 2), [](const MapPlace& place) {
        return place.row == 0 ? place : MapPlace{1, 1 - place.column, 0};
      });
  EXPECT_EQ(stage.groups, 1);
  EXPECT_EQ(stage.sources, (std::vector<int64_t>{0, 1, 3, 2}));
}

TEST(Relayout, ASourceOutsideTheMapIsAFault) {
  for (const MapPlace& outside :
       {MapPlace{2, 0, 0}, MapPlace{0, 2, 0}, MapPlace{0, -1, 0}, MapPlace{0, 0, 1}})
    EXPECT_THROW(make_relayout(map_of(2, 2, 1, 1), map_of(2, 2, 1, 1),
                               [&](const MapPlace&) { return outside; }),
                 InternalError);
}

}  // namespace
}  // namespace millrace::dataflow
