// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/stimulus.h"

#include <array>
#include <gtest/gtest.h>
#include <sstream>

#include "millrace/cosim/messages.h"
#include "millrace/support/check.h"

namespace millrace::cosim {
namespace {

const dataflow::StreamType ThreeBytes{3, 1, 1, {false, 8, 0}, 1};
const dataflow::StreamType TwoBytes{2, 1, 1, {false, 8, 0}, 1};

// 3 beats of 8 bits in, 2 beats of 4 bits out.
Design small_design() {
  Design design;
  design.inputs = {{"in", ThreeBytes}};
  design.outputs = {{"out", {2, 1, 1, {true, 4, 0}, 1}}};
  return design;
}

// 3 and 2 beats in, a frame every 5 cycles.
Design two_input_design() {
  Design design = small_design();
  design.inputs = {{"in_a", ThreeBytes}, {"in_b", TwoBytes}};
  design.interval_cycles = 5;
  return design;
}

const Frames TwoFrames{{{{3, 1, 1}, {1, 2, 3}}}, {{{3, 1, 1}, {16, 32, 255}}}};
const Frames TwoPairs{{{{3, 1, 1}, {1, 2, 3}}, {{2, 1, 1}, {4, 5}}},
                      {{{3, 1, 1}, {16, 32, 255}}, {{2, 1, 1}, {64, 80}}}};

struct BeatLine {
  int64_t gap, port, is_first, needed;
  std::string data;
  int64_t cycle = 0;  ///< when nothing has to be waited for
};

std::vector<BeatLine> read_beats(const std::string& stimulus) {
  std::istringstream text(stimulus);
  std::string header;
  std::getline(text, header);
  std::vector<BeatLine> beats;
  int64_t cycle = 0;
  for (BeatLine beat; text >> beat.gap >> beat.port >> beat.is_first >> beat.needed >> beat.data;) {
    cycle += beat.gap;
    beat.cycle = cycle;
    beats.push_back(beat);
  }
  return beats;
}

TEST(Stimulus, BackToBackHasNoGaps) {
  const std::string text = make_stimulus(small_design(), TwoFrames, Arrival::BackToBack, 1);
  EXPECT_TRUE(text.starts_with("2 6 4 10048 206 ")) << text;
  const auto beats = read_beats(text);
  ASSERT_EQ(beats.size(), 6u);
  std::string data;
  for (size_t i = 0; i < beats.size(); ++i) {
    EXPECT_EQ(beats[i].cycle, static_cast<int64_t>(i));
    EXPECT_EQ(beats[i].port, 0);
    EXPECT_EQ(beats[i].needed, 0);
    data += beats[i].data + (beats[i].is_first ? "f " : " ");
  }
  EXPECT_EQ(data, "01f 02 03 10f 20 ff ");
}

TEST(Stimulus, BackToBackBeginsFramesAtAllInputsEveryInterval) {
  const std::string text = make_stimulus(two_input_design(), TwoPairs, Arrival::BackToBack, 1);
  EXPECT_TRUE(text.starts_with("2 10 4 10080 210 ")) << text;
  std::string found;
  for (const BeatLine& beat : read_beats(text))
    found += std::to_string(beat.cycle) + (beat.port == 0 ? "a" : "b") + beat.data +
             (beat.is_first ? "f " : " ");
  EXPECT_EQ(found, "0a01f 0b04f 1a02 1b05 2a03 5a10f 5b40f 6a20 6b50 7aff ");
}

TEST(Stimulus, AloneWaitsForAllOutputsOfTheFramesBefore) {
  const auto beats = read_beats(make_stimulus(small_design(), TwoFrames, Arrival::Alone, 1));
  EXPECT_EQ(beats[2].needed, 0);
  EXPECT_EQ(beats[3].needed, 2);
  Design design = two_input_design();
  design.outputs.push_back({"out_more", TwoBytes});
  const auto pairs = read_beats(make_stimulus(design, TwoPairs, Arrival::Alone, 1));
  EXPECT_EQ(pairs[4].needed, 0);
  for (size_t i = 5; i < 10; ++i)
    EXPECT_EQ(pairs[i].needed, 4);
  EXPECT_EQ(pairs[5].cycle, 5) << "the interval is kept even where the answer is there before";
}

TEST(Stimulus, RandomGapsFallWithinFramesAndBetweenThem) {
  const Frames frames(50, TwoFrames.front());
  const auto beats = read_beats(make_stimulus(small_design(), frames, Arrival::RandomGaps, 1));
  int within = 0, between = 0, none = 0;
  for (const BeatLine& beat : beats)
    ++(beat.gap <= 1 ? none : beat.is_first ? between : within);
  EXPECT_GT(within, 10);
  EXPECT_GT(between, 10);
  EXPECT_GT(none, 10);
}

TEST(Stimulus, RandomGapsLetInputsDriftByLessThanAFrame) {
  const Frames frames(200, TwoPairs.front());
  const auto beats = read_beats(make_stimulus(two_input_design(), frames, Arrival::RandomGaps, 1));
  std::array<std::vector<int64_t>, 2> begins, ends;
  std::array<int64_t, 2> count{}, last{-1, -1};
  const std::array<int64_t, 2> frame_beats{3, 2};
  for (const BeatLine& beat : beats) {
    const auto port = static_cast<size_t>(beat.port);
    EXPECT_GT(beat.cycle, last[port]) << "one beat a cycle at each input";
    last[port] = beat.cycle;
    EXPECT_EQ(beat.is_first, count[port] % frame_beats[port] == 0);
    if (beat.is_first)
      begins[port].push_back(beat.cycle);
    if (++count[port] % frame_beats[port] == 0)
      ends[port].push_back(beat.cycle);
  }
  ASSERT_EQ(ends[0].size(), 200u);
  ASSERT_EQ(ends[1].size(), 200u);
  int apart = 0, at_interval = 0;
  for (size_t frame = 1; frame < 200; ++frame)
    for (size_t port = 0; port < 2; ++port) {
      // An interval of 5 and 3 beats of the longer frame: two cycles more behind the last beat.
      const int64_t end = std::max(ends[0][frame - 1], ends[1][frame - 1]);
      EXPECT_GE(begins[port][frame], end + 3);
      apart += begins[0][frame] != begins[1][frame];
      at_interval += begins[port][frame] == end + 3;
    }
  EXPECT_GT(apart, 50);
  EXPECT_GT(at_interval, 50);
}

TEST(Stimulus, RefusesFramesThatDoNotFit) {
  Design design = two_input_design();
  EXPECT_THROW(make_stimulus(design, TwoFrames, Arrival::BackToBack, 1), InternalError);
  design.interval_cycles = 2;
  EXPECT_THROW(make_stimulus(design, TwoPairs, Arrival::BackToBack, 1), InternalError);
}

TEST(Stimulus, IsDecidedByTheSeed) {
  const auto text = [](uint64_t seed) {
    return make_stimulus(small_design(), TwoFrames, Arrival::RandomGaps, seed);
  };
  EXPECT_EQ(text(7), text(7));
  EXPECT_NE(text(7), text(8));
}

TEST(Record, GivesOutputsAndCycles) {
  const auto measurement = read_record(
      small_design(), 2, "in 0 0\nin 3 0\nout 4 0 f\nout 5 0 1\nout 7 0 8\nout 8 0 7 0\nend\n");
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_EQ(measurement->outputs[0][0], (IntTensor{{2, 1, 1}, {-1, 1}}));
  EXPECT_EQ(measurement->outputs[1][0], (IntTensor{{2, 1, 1}, {-8, 7}}));
  EXPECT_EQ(measurement->latency_cycles(0), 5);
  EXPECT_EQ(measurement->latency_cycles(), 5);
  EXPECT_EQ(measurement->interval_cycles(), 3);
}

TEST(Record, UnequalCyclesHaveNoCommonValue) {
  const auto measurement = read_record(
      small_design(), 2, "in 0 0\nin 3 0\nout 4 0 f\nout 5 0 1\nout 7 0 8\nout 9 0 7\nend\n");
  ASSERT_TRUE(measurement);
  EXPECT_EQ(measurement->latency_cycles(), std::nullopt);
  EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
}

TEST(Record, SeveralInputsAndOutputsHaveTheirOwnCycles) {
  Design design = two_input_design();
  design.outputs.push_back({"out_more", {1, 1, 1, {false, 8, 0}, 1}});
  const auto measurement =
      read_record(design, 2,
                  "in 0 0\nin 2 1\nout 4 1 7\nout 4 0 f\nout 5 0 1\nin 6 1\nin 7 0\nout 8 0 8\n"
                  "out 9 0 2\nout 12 1 9\nend\n");
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_EQ(measurement->outputs, (Frames{{{{2, 1, 1}, {-1, 1}}, {{1, 1, 1}, {7}}},
                                          {{{2, 1, 1}, {-8, 2}}, {{1, 1, 1}, {9}}}}));
  EXPECT_EQ(measurement->first_in, (std::vector<int64_t>{0, 6}));
  EXPECT_EQ(measurement->last_out, (std::vector<std::vector<int64_t>>{{5, 4}, {9, 12}}));
  EXPECT_EQ(measurement->latency_cycles(0), 5);
  EXPECT_EQ(measurement->latency_cycles(0, 1), 4);
  EXPECT_EQ(measurement->latency_cycles(1), 6);
  EXPECT_EQ(measurement->latency_cycles(), std::nullopt);
  EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
}

TEST(Record, OneFrameHasNoInterval) {
  const auto measurement = read_record(small_design(), 1, "in 0 0\nout 4 0 f\nout 5 0 1\nend\n");
  ASSERT_TRUE(measurement);
  EXPECT_EQ(measurement->latency_cycles(), 5);
  EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
}

std::string fault_of(std::string_view record, size_t num_frames = 1) {
  const auto measurement = read_record(small_design(), num_frames, record);
  return measurement ? "none" : measurement.error().code;
}

TEST(Record, FaultsAreTold) {
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 f\nend\n"), messages::MissingOutput.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 f\nout 5 0 f\nout 6 0 f\nend\n"),
            messages::SurplusOutput.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 f\nout 5 0 f\nout 6 0 f\nin 7 0\n", 2),
            messages::EarlyOutput.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 0 0\nout 5 0 0 4\nend\n"), messages::UndefinedOutput.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 f\nout 5 0 f\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 0 fff\nout 5 0 f\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in zero 0\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in 0 1\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in 0 0\nout 4 1 f\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("what 0 0\nend\n"), messages::DamagedRecord.code);
}

TEST(Record, UndefinedBitsBehindTheRowsEndDoNotMatter) {
  Design design = small_design();
  design.outputs[0].stream = {1, 3, 1, {true, 4, 0}, 2};
  EXPECT_TRUE(read_record(design, 1, "in 0 0\nout 4 0 21 00\nout 5 0 03 f0\nend\n"));
  EXPECT_FALSE(read_record(design, 1, "in 0 0\nout 4 0 21 00\nout 5 0 30 0f\nend\n"));
}

}  // namespace
}  // namespace millrace::cosim
