// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/stimulus.h"

#include <gtest/gtest.h>
#include <sstream>

#include "millrace/cosim/messages.h"

namespace millrace::cosim {
namespace {

// 3 beats of 8 bits in, 2 beats of 4 bits out.
Design small_design() {
  Design design;
  design.input = {3, 1, 1, {false, 8, 0}, 1};
  design.output = {2, 1, 1, {true, 4, 0}, 1};
  return design;
}

const std::vector<IntTensor> TwoFrames{{{3, 1, 1}, {1, 2, 3}}, {{3, 1, 1}, {16, 32, 255}}};

struct BeatLine {
  int64_t gap, is_first, needed;
  std::string data;
};

std::vector<BeatLine> read_beats(const std::string& stimulus) {
  std::istringstream text(stimulus);
  std::string header;
  std::getline(text, header);
  std::vector<BeatLine> beats;
  for (BeatLine beat; text >> beat.gap >> beat.is_first >> beat.needed >> beat.data;)
    beats.push_back(beat);
  return beats;
}

TEST(Stimulus, BackToBackHasNoGaps) {
  const std::string text = make_stimulus(small_design(), TwoFrames, Arrival::BackToBack, 1);
  EXPECT_TRUE(text.starts_with("2 6 4 10012 206 ")) << text;
  const auto beats = read_beats(text);
  ASSERT_EQ(beats.size(), 6u);
  std::string data;
  for (const BeatLine& beat : beats) {
    EXPECT_EQ(beat.gap, 0);
    EXPECT_EQ(beat.needed, 0);
    data += beat.data + (beat.is_first ? "f " : " ");
  }
  EXPECT_EQ(data, "01f 02 03 10f 20 ff ");
}

TEST(Stimulus, AloneWaitsForAllOutputsOfTheFramesBefore) {
  const auto beats = read_beats(make_stimulus(small_design(), TwoFrames, Arrival::Alone, 1));
  EXPECT_EQ(beats[2].needed, 0);
  EXPECT_EQ(beats[3].needed, 2);
}

TEST(Stimulus, RandomGapsFallWithinFramesAndBetweenThem) {
  const std::vector<IntTensor> frames(50, TwoFrames.front());
  const auto beats = read_beats(make_stimulus(small_design(), frames, Arrival::RandomGaps, 1));
  int within = 0, between = 0, none = 0;
  for (const BeatLine& beat : beats)
    ++(beat.gap == 0 ? none : beat.is_first ? between : within);
  EXPECT_GT(within, 10);
  EXPECT_GT(between, 10);
  EXPECT_GT(none, 10);
}

TEST(Stimulus, IsDecidedByTheSeed) {
  const auto text = [](uint64_t seed) {
    return make_stimulus(small_design(), TwoFrames, Arrival::RandomGaps, seed);
  };
  EXPECT_EQ(text(7), text(7));
  EXPECT_NE(text(7), text(8));
}

TEST(Record, GivesOutputsAndCycles) {
  const auto measurement =
      read_record(small_design(), 2, "in 0\nin 3\nout 4 f\nout 5 1\nout 7 8\nout 8 7 0\nend\n");
  ASSERT_TRUE(measurement) << measurement.error().to_string();
  EXPECT_EQ(measurement->outputs[0], (IntTensor{{2, 1, 1}, {-1, 1}}));
  EXPECT_EQ(measurement->outputs[1], (IntTensor{{2, 1, 1}, {-8, 7}}));
  EXPECT_EQ(measurement->latency_cycles(0), 5);
  EXPECT_EQ(measurement->latency_cycles(), 5);
  EXPECT_EQ(measurement->interval_cycles(), 3);
}

TEST(Record, UnequalCyclesHaveNoCommonValue) {
  const auto measurement =
      read_record(small_design(), 2, "in 0\nin 3\nout 4 f\nout 5 1\nout 7 8\nout 9 7\nend\n");
  ASSERT_TRUE(measurement);
  EXPECT_EQ(measurement->latency_cycles(), std::nullopt);
  EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
}

TEST(Record, OneFrameHasNoInterval) {
  const auto measurement = read_record(small_design(), 1, "in 0\nout 4 f\nout 5 1\nend\n");
  ASSERT_TRUE(measurement);
  EXPECT_EQ(measurement->latency_cycles(), 5);
  EXPECT_EQ(measurement->interval_cycles(), std::nullopt);
}

std::string fault_of(std::string_view record, size_t num_frames = 1) {
  const auto measurement = read_record(small_design(), num_frames, record);
  return measurement ? "none" : measurement.error().code;
}

TEST(Record, FaultsAreTold) {
  EXPECT_EQ(fault_of("in 0\nout 4 f\nend\n"), messages::MissingOutput.code);
  EXPECT_EQ(fault_of("in 0\nout 4 f\nout 5 f\nout 6 f\nend\n"), messages::SurplusOutput.code);
  EXPECT_EQ(fault_of("in 0\nout 4 f\nout 5 f\nout 6 f\nin 7\n", 2), messages::EarlyOutput.code);
  EXPECT_EQ(fault_of("in 0\nout 4 0 0\nout 5 0 4\nend\n"), messages::UndefinedOutput.code);
  EXPECT_EQ(fault_of("in 0\nout 4 f\nout 5 f\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in 0\nout 4 fff\nout 5 f\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("in zero\nend\n"), messages::DamagedRecord.code);
  EXPECT_EQ(fault_of("what 0\nend\n"), messages::DamagedRecord.code);
}

TEST(Record, UndefinedBitsBehindTheRowsEndDoNotMatter) {
  Design design = small_design();
  design.output = {1, 3, 1, {true, 4, 0}, 2};
  EXPECT_TRUE(read_record(design, 1, "in 0\nout 4 21 00\nout 5 03 f0\nend\n"));
  EXPECT_FALSE(read_record(design, 1, "in 0\nout 4 21 00\nout 5 30 0f\nend\n"));
}

}  // namespace
}  // namespace millrace::cosim
