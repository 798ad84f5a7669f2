// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/schedule.h"

#include <gtest/gtest.h>

#include "millrace/dataflow/plan.h"
#include "millrace/graph/text.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

StreamType vector_of(int64_t width, int64_t lanes) {
  return {.height = 1,
          .width = width,
          .channels = 1,
          .element = {.is_signed = true, .width = 4, .frac_bits = 0},
          .lanes = lanes,
          .ranges = {}};
}

Stage stage_of(StageKind kind, int latency_cycles = 0) {
  return {.name = "s",
          .layers = {},
          .kind = std::move(kind),
          .inputs = {0},
          .buffers = {},
          .output = vector_of(1, 1),
          .latency_cycles = latency_cycles};
}

Cycles times_of(const Stage& stage, const std::vector<Cycles>& inputs) {
  std::vector<const Cycles*> pointers;
  for (const Cycles& cycles : inputs)
    pointers.push_back(&cycles);
  return stage_times(stage, pointers);
}

Stage relayout(int64_t in_beats, int64_t out_beats, int64_t pace = 1) {
  return stage_of(RelayoutStage{.input = vector_of(4, 1),
                                .in_beats = in_beats,
                                .out_beats = out_beats,
                                .sources = {},
                                .pace = pace});
}

TEST(StageTimes, ARelayoutIssuesAGroupFromTheCycleBehindItsLastBeat) {
  EXPECT_EQ(times_of(relayout(3, 2), {{0, 1, 2, 10, 11, 20}}), (Cycles{3, 4, 21, 22}));
  EXPECT_EQ(times_of(relayout(1, 1), {{0, 4, 5}}), (Cycles{1, 5, 6}));
}

TEST(StageTimes, ARelayoutsGroupsWaitForOneAnother) {
  EXPECT_EQ(times_of(relayout(1, 3), {{0, 1, 20}}), (Cycles{1, 2, 3, 4, 5, 6, 21, 22, 23}));
}

TEST(StageTimes, ARelayoutKeepsItsPaceAcrossGroups) {
  EXPECT_EQ(times_of(relayout(2, 2, 3), {{0, 1, 2, 3}}), (Cycles{2, 5, 8, 11}));
  EXPECT_EQ(times_of(relayout(2, 2, 3), {{0, 1, 40, 41}}), (Cycles{2, 5, 42, 45}));
}

TEST(StageTimes, RowWindowsLeaveACycleBehindTheGroupThatCompletesThem) {
  StreamType map = vector_of(4, 4);
  map.height = 8;
  map.rows = 2;
  const auto plain = row_window_geometry(map, {.kernel_h = 3}, 6, 4);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(times_of(stage_of(RowWindowStage{*plain, {}}), {{0, 5, 6, 9}}), (Cycles{6, 7, 10}));
}

TEST(StageTimes, TheLastRowWindowFollowsTheFrameByItselfWherePaddingIsBelow) {
  StreamType map = vector_of(4, 4);
  map.height = 8;
  map.rows = 2;
  const auto padded =
      row_window_geometry(map, {.kernel_h = 3, .pad_top = 1, .pad_bottom = 1}, 8, 4);
  ASSERT_TRUE(padded.has_value());
  EXPECT_EQ(times_of(stage_of(RowWindowStage{*padded, {}}), {{0, 5, 6, 9, 10, 11, 12, 13}}),
            (Cycles{6, 7, 10, 11, 12, 13, 14, 15}));
}

TEST(StageTimes, AJoinTakesABeatWhenTheLatestSideHasIt) {
  Stage join = stage_of(MapStage{}, 3);
  join.inputs = {0, 1};
  join.buffers = {{.depth = 2, .bypass = true}, {.depth = 2, .bypass = true}};
  EXPECT_EQ(times_of(join, {{0, 1, 9}, {4, 5, 6}}), (Cycles{7, 8, 12}));
  // Without a way around its buffer a beat waits for a cycle.
  join.buffers[0].bypass = false;
  EXPECT_EQ(times_of(join, {{0, 1, 9}, {4, 5, 6}}), (Cycles{7, 8, 13}));
  EXPECT_THROW(times_of(join, {{0, 1}, {4}}), InternalError);
}

TEST(StageTimes, AMapDelaysEveryBeatAlike) {
  EXPECT_EQ(times_of(stage_of(MapStage{}, 4), {{0, 3, 4}}), (Cycles{4, 7, 8}));
}

/// A stream that splits in two: one way takes `beats` beats together and gives them again.
Circuit split_and_joined(int64_t beats) {
  const StreamType stream = vector_of(beats, 1);
  Circuit circuit;
  circuit.name = "split";
  circuit.inputs = {{.name = "x", .stream = 0, .type = stream}};
  Stage late = stage_of(
      RelayoutStage{.input = stream, .in_beats = beats, .out_beats = beats, .sources = {}});
  late.output = stream;
  late.latency_cycles = 1;
  Stage join = stage_of(MapStage{}, 1);
  join.inputs = {0, 1};
  join.buffers.resize(2);
  join.output = stream;
  circuit.stages = {late, join};
  circuit.outputs = {{.name = "y", .stream = 2, .type = stream}};
  return circuit;
}

TEST(SizeBuffers, TheEarlySideKeepsWhatTheLateOneHasNotGivenYet) {
  for (const int64_t beats : {1, 2, 5}) {
    Circuit circuit = split_and_joined(beats);
    size_buffers(circuit);
    const Stage& join = circuit.stages[1];
    EXPECT_FALSE(join.buffers[0].bypass);
    // Beat i arrives in cycle i and is taken in cycle beats + i; a place is free for the next beat
    // in the cycle in which its beat is taken.
    EXPECT_EQ(join.buffers[0].depth, beats);
    EXPECT_EQ(join.buffers[1].depth, 0);
    EXPECT_TRUE(join.buffers[1].bypass);
    EXPECT_EQ(circuit.interval_cycles, beats);
  }
}

TEST(SizeBuffers, ARelayoutKeepsOneGroupWhileItIssuesAsFastAsItGathers) {
  Circuit circuit = split_and_joined(4);
  size_buffers(circuit);
  EXPECT_EQ(std::get<RelayoutStage>(circuit.stages[0].kind).depth, 1);
}

TEST(SizeBuffers, ASlowRelayoutKeepsTheGroupsOfABurst) {
  Circuit circuit = split_and_joined(6);
  RelayoutStage& stage = std::get<RelayoutStage>(circuit.stages[0].kind);
  stage.groups = 6;
  stage.in_beats = stage.out_beats = 1;
  stage.pace = 2;
  size_buffers(circuit);
  EXPECT_EQ(circuit.interval_cycles, 12);
  // Group i arrives in cycle i and is on the lines until cycle 2 i + 2: the last one meets 2 to 4.
  EXPECT_EQ(stage.depth, 4);
}

TEST(SizeBuffers, InputsThatComeOneAfterTheOtherWaitForEachOther) {
  const StreamType stream = vector_of(5, 1);
  Circuit circuit;
  circuit.name = "two_inputs";
  circuit.inputs = {{.name = "a", .stream = 0, .type = stream},
                    {.name = "b", .stream = 1, .type = stream}};
  Stage join = stage_of(MapStage{}, 1);
  join.inputs = {0, 1};
  join.buffers.resize(2);
  join.output = stream;
  circuit.stages = {join};
  circuit.outputs = {{.name = "y", .stream = 2, .type = stream}};
  size_buffers(circuit);
  for (const JoinBuffer& buffer : circuit.stages[0].buffers) {
    EXPECT_EQ(buffer.depth, 5);
    EXPECT_TRUE(buffer.bypass);
  }
}

TEST(SizeBuffers, AStageThatIsBusyLongerThanAFrameLastsStretchesTheInterval) {
  Circuit circuit = split_and_joined(4);
  std::get<RelayoutStage>(circuit.stages[0].kind).pace = 3;
  size_buffers(circuit);
  EXPECT_EQ(circuit.interval_cycles, 12);
  const Schedule times = schedule(circuit);
  EXPECT_EQ(times.interval_cycles, 12);
  EXPECT_DOUBLE_EQ(times.stages[0].utilisation, 1);
  EXPECT_DOUBLE_EQ(times.stages[1].utilisation, 4.0 / 12);
}

TEST(Schedule, StatesTheFirstAndLastBeatOfEveryStage) {
  Circuit circuit = split_and_joined(4);
  size_buffers(circuit);
  const Schedule times = schedule(circuit);
  EXPECT_EQ(times.stages[0].first_in, 0);
  EXPECT_EQ(times.stages[0].last_in, 3);
  EXPECT_EQ(times.stages[0].first_out, 4);
  EXPECT_EQ(times.stages[0].last_out, 7);
  EXPECT_EQ(times.stages[1].first_in, 0);
  EXPECT_EQ(times.stages[1].last_in, 7);
  EXPECT_EQ(times.stages[1].last_out, 8);
  EXPECT_EQ(times.latency_cycles, 8);
}

TEST(Schedule, AnIntervalThatIsTooShortIsAFault) {
  Circuit circuit = split_and_joined(4);
  std::get<RelayoutStage>(circuit.stages[0].kind).pace = 3;
  size_buffers(circuit);
  circuit.interval_cycles = 8;
  EXPECT_THROW(schedule(circuit), InternalError);
}

}  // namespace
}  // namespace millrace::dataflow
