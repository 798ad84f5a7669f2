// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "millrace_program.h"

#include "millrace/support/subprocess.h"

namespace millrace::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::array Commands = {"train", "inspect", "compile",   "emulate", "simulate",
                                 "synth", "report",  "reproduce", "adders"};

class Usage : public ProgramTest {};

TEST_F(Usage, HelpListsEveryCommand) {
  const Outcome run = run_program({"--help"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.errors, "");
  for (const char* command : Commands)
    EXPECT_THAT(run.output, HasSubstr(std::string("\n  ") + command));
}

TEST_F(Usage, EveryCommandHasHelpWithAnExample) {
  for (const char* command : Commands) {
    const Outcome run = run_program({command, "--help"});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.output, HasSubstr("Example:"));
    EXPECT_THAT(run.output, HasSubstr("--json"));
  }
}

TEST_F(Usage, VersionIsTheProjects) {
  const Outcome run = run_program({"--version"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.output, StartsWith("millrace "));
}

TEST_F(Usage, WrongUsageExitsWithTwoAndPrintsNothingOnStandardOutput) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"frobnicate"},
                                                       {"compile"},
                                                       {"compile", "a.onnx", "--effort", "x"},
                                                       {"report", "a", "b"}};
  for (const std::vector<std::string>& words : wrong) {
    const Outcome run = run_program(words);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(words);
    EXPECT_EQ(run.output, "");
    EXPECT_NE(run.errors, "");
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(Usage, AnAnswerThatCannotBeWrittenIsAFailure) {
  const Outcome outcome = run_program({"inspect", source("tests/text/letters.mr")},
                                      {"/bin/sh", "-c", "\"$@\" >/dev/full", "sh"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("[cli.output_lost]"));
}

TEST_F(Usage, AClosedStandardErrorIsNoFailure) {
  const Outcome outcome =
      run_program({"emulate", source("tests/text/letters.mr"), "--data", "glyphs"},
                  {"/bin/sh", "-c", "\"$@\" 2>&-", "sh"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, HasSubstr("AUC"));
}

TEST_F(Usage, TheCompilerDoesNotLinkLibTorch) {
  const auto libraries = run_process("ldd", {MILLRACE_PROGRAM});
  ASSERT_TRUE(libraries.has_value());
  EXPECT_THAT(libraries->output, Not(HasSubstr("torch")));
}

}  // namespace
}  // namespace millrace::e2e
