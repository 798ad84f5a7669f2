// SPDX-License-Identifier: Apache-2.0
// Drives a stand-in for Yosys (tests/fakes/yosys), so that every answer of it can be had at once.
#include "millrace/synth/synthesize.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/support/files.h"
#include "millrace/support/messages.h"
#include "millrace/synth/messages.h"

namespace millrace::synth {
namespace {

namespace fs = std::filesystem;

class SynthesizeTest : public testing::Test {
protected:
  void SetUp() override {
    path_ = std::getenv("PATH");
    use_path(fs::path(MILLRACE_SOURCE_DIR) / "tests" / "fakes");
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    request_.work_dir = fs::path(testing::TempDir()) / "millrace-synth" / info->name();
    fs::remove_all(request_.work_dir);
    request_.sources = {"any.sv"};
    request_.top = "top";
    request_.part.family = "xcu";
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("FAKE_YOSYS");
  }

  void use_path(const fs::path& first) const {
    ::setenv("PATH", (first.string() + ":/usr/bin:/bin").c_str(), 1);
  }
  Result<Area> synthesize_with_fake(const char* behaviour,
                                    const ProgressFunction& progress = {}) const {
    ::setenv("FAKE_YOSYS", behaviour, 1);
    return synthesize(request_, progress);
  }

  std::string path_;
  SynthesisRequest request_;
};

TEST_F(SynthesizeTest, ReadsTheReport) {
  const auto area = synthesize_with_fake("good");
  ASSERT_TRUE(area) << area.error().to_string();
  EXPECT_EQ(*area, (Area{.lut = 12, .ff = 5, .carry = 2}));
}

TEST_F(SynthesizeTest, IncludeDirectoriesMayHaveSpaces) {
  const fs::path directory = request_.work_dir / "with a space";
  fs::create_directories(directory);
  std::ofstream(directory / "some.svh");
  request_.include_dirs = {directory};
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(synthesize_with_fake("good"));
    EXPECT_TRUE(fs::exists(request_.work_dir / "include_0" / "some.svh"));
  }
}

TEST_F(SynthesizeTest, TellsTheSteps) {
  std::vector<std::string> steps;
  double last = -1.0;
  ASSERT_TRUE(synthesize_with_fake("good", [&](std::string_view step, double fraction) {
    steps.emplace_back(step);
    EXPECT_GT(fraction, last);
    last = fraction;
    return true;
  }));
  EXPECT_EQ(steps.size(), 9u);
  EXPECT_EQ(steps.front(), "read");
  EXPECT_EQ(last, 1.0);
}

TEST_F(SynthesizeTest, StopsWhenAsked) {
  const auto area = synthesize_with_fake(
      "good", [](std::string_view, double fraction) { return fraction < 0.4; });
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().code, support::messages::ProgramStopped.code);
}

TEST_F(SynthesizeTest, ErrorsAreToldWithTheLog) {
  const auto area = synthesize_with_fake("bad");
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().code, messages::YosysFailed.code);
  EXPECT_THAT(area.error().message, testing::HasSubstr("ERROR: Wire top.x has no driver."));
  EXPECT_TRUE(fs::is_regular_file(area.error().where)) << area.error().where;
}

TEST_F(SynthesizeTest, ACrashIsTold) {
  const auto area = synthesize_with_fake("crash");
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().code, messages::YosysFailed.code);
}

TEST_F(SynthesizeTest, UnknownCellsAreTold) {
  const auto area = synthesize_with_fake("unknown-cell");
  ASSERT_FALSE(area);
  EXPECT_EQ(area.error().code, messages::UnknownCell.code);
}

TEST_F(SynthesizeTest, AnOldReportIsNotReadAgain) {
  ASSERT_TRUE(synthesize_with_fake("good"));
  EXPECT_FALSE(synthesize_with_fake("no-report"));
}

TEST_F(SynthesizeTest, AMissingYosysIsTold) {
  ::setenv("PATH", request_.work_dir.c_str(), 1);
  const auto area = synthesize(request_);
  const auto models = find_cell_models();
  ASSERT_FALSE(area);
  ASSERT_FALSE(models);
  EXPECT_EQ(area.error().code, support::messages::ProgramMissing.code);
  EXPECT_EQ(models.error().code, support::messages::ProgramMissing.code);
}

TEST_F(SynthesizeTest, MissingCellModelsAreTold) {
  const auto models = find_cell_models();
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, support::messages::FileMissing.code);
}

}  // namespace
}  // namespace millrace::synth
