// SPDX-License-Identifier: Apache-2.0
// run_trainer() against small scripts that play the trainer.
#include "millrace/train/trainer.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/support/check.h"
#include "millrace/support/temporary_directory.h"
#include "millrace/train/protocol.h"

namespace millrace::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RunTrainer : public ::testing::Test {
protected:
  void SetUp() override { request_.output = "x.onnx"; }

  /// A trainer that runs `script`; `$1` is the request.
  fs::path fake(const std::string& script) const {
    const fs::path path = directory_ / "millrace-train";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  static std::string print_line(const Event& event) {
    return "cat <<'EOF'\n" + format_event(event) + "\nEOF\n";
  }

  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-trainer").value();
  const fs::path directory_ = temporary_.path();
  TrainRequest request_;
};

TEST_F(RunTrainer, PassesTheRequestAndReturnsTheResult) {
  TrainResult expected;
  expected.auc = 0.875;
  request_.data = "a 'quoted' folder";
  const auto result = run_trainer(request_, {},
                                  fake("printf '%s' \"$1\" > " + (directory_ / "request").string() +
                                       "\necho noise\n" + print_line(expected)));
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(*result, expected);
  std::ifstream file(directory_ / "request");
  std::string received;
  std::getline(file, received);
  EXPECT_EQ(parse_request(received).value(), request_);
}

TEST_F(RunTrainer, StartsTheTrainerWithOneThread) {
  const auto result =
      run_trainer(request_, {}, fake("echo \"$OMP_NUM_THREADS$OPENBLAS_NUM_THREADS\""));
  EXPECT_THAT(result.error().message, HasSubstr(": 11"));
}

TEST_F(RunTrainer, ReportsProgressByPhase) {
  std::vector<std::string> seen;
  const auto listen = [&seen](std::string_view step, double fraction) {
    seen.push_back(std::string(step) + " " + std::to_string(fraction));
    return true;
  };
  const auto result = run_trainer(
      request_, listen,
      fake(print_line(ProgressEvent{"float", 1, 2, 0.5}) +
           print_line(ProgressEvent{"quantised", 2, 2, 0.5}) + print_line(TrainResult{})));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(seen, (std::vector<std::string>{"training (float) 0.500000",
                                            "training (fixed<9,5>) 1.000000"}));
}

TEST_F(RunTrainer, StopsTheTrainerWhenAsked) {
  const auto result = run_trainer(
      request_, [](std::string_view, double) { return false; },
      fake(print_line(ProgressEvent{"float", 1, 2, 0.5}) + "sleep 60"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "support.program_stopped");
}

TEST_F(RunTrainer, PassesTheTrainersDiagnosticsOnUnchanged) {
  const Diagnostic diagnostic{"data.no_such_class", "no class", "here", "help"};
  const auto result = run_trainer(request_, {}, fake(print_line(diagnostic) + "exit 1"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().to_json(), diagnostic.to_json());
}

TEST_F(RunTrainer, ThrowsTheTrainersInternalErrors) {
  const fs::path trainer = fake(print_line(InternalErrorEvent{"broken promise"}) + "exit 3");
  EXPECT_THROW(run_trainer(request_, {}, trainer).has_value(), InternalError);
}

TEST_F(RunTrainer, ATrainerWithoutAResultIsAnError) {
  const auto result =
      run_trainer(request_, {}, fake("echo first\necho 'libtorch.so: not found' >&2\nexit 127"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "train.trainer_failed");
  EXPECT_THAT(result.error().message, HasSubstr("127"));
  EXPECT_THAT(result.error().message, HasSubstr("libtorch.so: not found"));
  EXPECT_THAT(run_trainer(request_, {}, fake("exit 0")).error().message, HasSubstr("said nothing"));
}

TEST_F(RunTrainer, AMissingTrainerIsAnErrorThatSaysHowToGetIt) {
  const auto result = run_trainer(request_, {}, directory_ / "nowhere");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "train.no_trainer");
  EXPECT_THAT(result.error().help, HasSubstr("libtorch-dev"));
}

TEST_F(RunTrainer, TheTrainerIsFoundBesideAndOnPath) {
  fs::create_directories(directory_ / "cli");
  const fs::path beside = directory_ / "cli/millrace-train";
  const fs::path on_path = fake("");
  const std::string before = std::getenv("PATH");
  setenv("PATH", (directory_.string() + ":" + before).c_str(), 1);
  EXPECT_EQ(find_trainer(directory_ / "cli"), on_path);
  std::ofstream(beside) << "";
  EXPECT_EQ(find_trainer(directory_ / "cli"), beside);
  setenv("PATH", (directory_ / "cli/nowhere").c_str(), 1);
  EXPECT_EQ(find_trainer(directory_ / "elsewhere/cli"), std::nullopt);
  setenv("PATH", before.c_str(), 1);
}

TEST_F(RunTrainer, ABadQuantizerIsRefusedBeforeTheTrainerStarts) {
  request_.quantizer = "nine bits";
  EXPECT_EQ(run_trainer(request_, {}, directory_ / "nowhere").error().code, "train.bad_quantizer");
}

}  // namespace
}  // namespace millrace::train
