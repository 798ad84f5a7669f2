// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/subprocess.h"

#include <chrono>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "millrace/support/messages.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
namespace messages = support::messages;
using Clock = std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

Result<ProcessResult> shell(const std::string& script, const ProcessOptions& options = {}) {
  return run_process("sh", {"-c", script}, options);
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "no error" : result.error().code;
}

/// True once no process of that number is left, or only a zombie that its new parent forgot.
bool ends_soon(pid_t pid) {
  for (int i = 0; i < 200; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    if (!(stat >> number >> name >> state) || state == "Z" || state == "X")
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

TEST(Subprocess, GivesOutputAndExitCode) {
  const auto result = shell("echo one; echo two >&2; echo three; exit 7");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->output, "one\ntwo\nthree\n");
}

TEST(Subprocess, PassesArgumentsAsTheyAre) {
  const auto result = run_process("printf", {"[%s]", "a b", "$HOME", "", "'"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "[a b][$HOME][][']");
}

TEST(Subprocess, HasNoInput) {
  const auto result = run_process("cat", {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "");
}

TEST(Subprocess, RunsInTheFolderAskedFor) {
  const auto result = run_process("pwd", {"-P"}, {.working_directory = "/usr"});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "/usr\n");
}

TEST(Subprocess, KeepsLargeOutput) {
  const auto result = shell("head -c 3000000 /dev/zero | tr '\\0' x");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, std::string(3'000'000, 'x'));
}

TEST(Subprocess, SignalsBecomeExitCodesAsInShells) {
  const auto result = shell("kill -SEGV $$");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 128 + SIGSEGV);
}

TEST(Subprocess, HandsOverLinesAsTheyCome) {
  std::vector<std::string> lines;
  const auto note = [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  };
  ASSERT_TRUE(shell("printf 'a\\n\\nb'; sleep 0.1; printf 'c\\nlast'", {.on_line = note}));
  EXPECT_THAT(lines, ElementsAre("a", "", "bc", "last"));
}

TEST(Subprocess, ACallbackCanStopTheProgram) {
  const auto start = Clock::now();
  const auto result = shell("echo ready; sleep 60", {.on_line = [](auto) { return false; }});
  EXPECT_EQ(code_of(result), messages::ProgramStopped.code);
  const auto last_words = shell("printf end", {.on_line = [](auto) { return false; }});
  EXPECT_EQ(code_of(last_words), messages::ProgramStopped.code);
  const auto silent = shell("sleep 60", {.keep_going = [] { return false; }});
  EXPECT_EQ(code_of(silent), messages::ProgramStopped.code);
  EXPECT_LT(seconds_since(start), 10);
}

TEST(Subprocess, ATimeoutEndsTheProgramAndItsChildren) {
  const auto start = Clock::now();
  pid_t grandchild = 0;
  const auto note = [&](std::string_view line) {
    grandchild = static_cast<pid_t>(std::stol(std::string(line)));
    return true;
  };
  const auto result = shell("sleep 60 & echo $!; wait", {.timeout_seconds = 1, .on_line = note});
  EXPECT_EQ(code_of(result), messages::ProgramTimeout.code);
  EXPECT_THAT(result.error().message, HasSubstr("1 s"));
  EXPECT_LT(seconds_since(start), 10);
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(ends_soon(grandchild));
}

TEST(Subprocess, ATimeoutEndsProgramsThatIgnoreTermination) {
  const auto start = Clock::now();
  const auto result = shell("trap '' TERM; sleep 60; sleep 60", {.timeout_seconds = 1});
  EXPECT_EQ(code_of(result), messages::ProgramTimeout.code);
  EXPECT_LT(seconds_since(start), 10);
}

TEST(Subprocess, ATimeoutHoldsForProgramsThatCloseTheirOutput) {
  const auto result = shell("exec >&- 2>&-; sleep 60", {.timeout_seconds = 1});
  EXPECT_EQ(code_of(result), messages::ProgramTimeout.code);
}

TEST(Subprocess, ProgramsLeftInTheBackgroundAreEnded) {
  const auto start = Clock::now();
  const auto result = shell("sleep 60 & echo $!");
  ASSERT_TRUE(result);
  EXPECT_LT(seconds_since(start), 10);
  EXPECT_TRUE(ends_soon(static_cast<pid_t>(std::stol(result->output))));
}

TEST(Subprocess, AnExceptionInACallbackEndsTheProgram) {
  pid_t child = 0;
  const auto fail = [&](std::string_view line) -> bool {
    child = static_cast<pid_t>(std::stol(std::string(line)));
    throw std::runtime_error("callback");
  };
  EXPECT_THROW((void)shell("echo $$; exec sleep 60", {.on_line = fail}), std::runtime_error);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(ends_soon(child));
}

TEST(Subprocess, MissingProgramsAreNamedWithTheirPackage) {
  const auto result = run_process("no-such-program-here", {});
  EXPECT_EQ(code_of(result), messages::ProgramMissing.code);
  EXPECT_EQ(result.error().where, "no-such-program-here");
  const auto verilator = run_process("/nowhere/verilator", {});
  EXPECT_EQ(code_of(verilator), messages::ProgramMissing.code);
  EXPECT_THAT(verilator.error().message, HasSubstr("apt install verilator"));
}

TEST(Subprocess, ProgramsThatCannotStartAreRefused) {
  EXPECT_EQ(code_of(run_process("true", {}, {.working_directory = "/nowhere"})),
            messages::ProgramNotStarted.code);
}

TEST(Subprocess, FindsProgramsOnThePath) {
  const auto found = find_program("sh");
  ASSERT_TRUE(found);
  EXPECT_TRUE(fs::exists(*found));
  EXPECT_FALSE(find_program("no-such-program-here"));
  EXPECT_FALSE(find_program(""));
}

TEST(Subprocess, AFatalSignalEndsTheRunningPrograms) {
  // A copy of this program runs a child; Ctrl-C for the copy must end the child as well.
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t copy = ::fork();
  if (copy == 0) {
    const auto tell = [&](std::string_view line) {
      return ::write(ends[1], line.data(), line.size()) > 0;
    };
    (void)shell("echo $$; exec sleep 60", {.on_line = tell});
    ::_exit(0);
  }
  char digits[32] = {};
  ASSERT_GT(::read(ends[0], digits, sizeof digits - 1), 0);
  const auto child = static_cast<pid_t>(std::stol(digits));
  ::kill(copy, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(copy, &status, 0), copy);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  EXPECT_TRUE(ends_soon(child));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Subprocess, SignalsAreGivenBackAfterwards) {
  ASSERT_TRUE(shell("true"));
  struct sigaction current{};
  ASSERT_EQ(::sigaction(SIGINT, nullptr, &current), 0);
  EXPECT_EQ(current.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace millrace
