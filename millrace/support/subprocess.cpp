// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/subprocess.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "millrace/support/check.h"
#include "millrace/support/messages.h"
#include "millrace/support/process_groups.h"

// glibc 2.36 forgets the language linkage of its C function.
extern "C" {
#include <sys/pidfd.h>
}

namespace millrace {

namespace fs = std::filesystem;
namespace messages = support::messages;
using Clock = std::chrono::steady_clock;

namespace {

/// Debian's package for a program, where its name does not say it.
struct PackageRow {
  std::string_view program, package;
};
constexpr std::array Packages{
    PackageRow{"verilator", "verilator"},
    PackageRow{"verilator_bin", "verilator"},
    PackageRow{"yosys", "yosys"},
    PackageRow{"iverilog", "iverilog"},
    PackageRow{"vvp", "iverilog"},
    PackageRow{"ninja", "ninja-build"},
    PackageRow{"make", "make"},
    PackageRow{"g++", "g++"},
    PackageRow{"c++", "g++"},
    PackageRow{"ccache", "ccache"},
};

std::string package_hint(const std::string& program) {
  for (const PackageRow& row : Packages)
    if (row.program == fs::path(program).filename().string())
      return fmt::format(" (Debian and Ubuntu: apt install {})", row.package);
  return {};
}

bool is_executable_file(const fs::path& path) {
  std::error_code code;
  return fs::is_regular_file(path, code) && ::access(path.c_str(), X_OK) == 0;
}

std::string error_text(int number) {
  return std::generic_category().message(number);
}

/// A file descriptor that is closed at the end.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  int get() const { return number_; }

private:
  int number_;
};

/// Cuts output into lines and hands them to a callback.
class LineSplitter {
public:
  explicit LineSplitter(const std::function<bool(std::string_view)>& on_line) : on_line_(on_line) {}

  /// Takes more output; false when the callback asked to stop.
  bool add(std::string_view text) {
    if (!on_line_)
      return true;
    pending_ += text;
    size_t start = 0;
    for (size_t end; (end = pending_.find('\n', start)) != std::string::npos; start = end + 1)
      if (!on_line_(std::string_view(pending_).substr(start, end - start)))
        return false;
    pending_.erase(0, start);
    return true;
  }
  /// The output is complete: a last line without newline counts, too.
  bool finish() { return pending_.empty() || on_line_(std::exchange(pending_, {})); }

private:
  const std::function<bool(std::string_view)>& on_line_;
  std::string pending_;
};

/// A started program; ends its whole process group when it goes out of scope.
class Child {
public:
  explicit Child(pid_t pid) : pid_(pid), exited_(::pidfd_open(pid, 0)), group_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!reaped_)
      end();
  }

  /// Becomes readable when the program itself has ended.
  int exit_descriptor() const { return exited_.get(); }

  /// Collects the exit code of a program that has ended; ends what it left running.
  int reap() {
    // The process group keeps its number until the wait, so this cannot reach a stranger.
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  /// Ends the group: kindly, so that compilers remove their temporary files, then at once.
  void end() {
    constexpr int GraceMs = 500;
    ::kill(-pid_, SIGTERM);
    pollfd waiting{.fd = exited_.get(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, GraceMs);
    reap();
  }

private:
  pid_t pid_;
  Descriptor exited_;
  RunningProcessGroup group_;
  bool reaped_ = false;
};

/// What posix_spawn is told: output into `output`, no input, a new group, default signals.
class SpawnPlan {
public:
  SpawnPlan(int output, const fs::path& working_directory) {
    check(::posix_spawn_file_actions_init(&actions_) == 0, "posix_spawn cannot be prepared");
    check(::posix_spawnattr_init(&attributes_) == 0, "posix_spawn cannot be prepared");
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    if (!working_directory.empty())
      ::posix_spawn_file_actions_addchdir_np(&actions_, working_directory.c_str());
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  /// Starts the program. Errors   the error number of the system.
  int start(pid_t& pid, const fs::path& path, const std::string& name,
            const std::vector<std::string>& arguments) const {
    std::vector<char*> argv{const_cast<char*>(name.c_str())};
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    return ::posix_spawn(&pid, path.c_str(), &actions_, &attributes_, argv.data(), environ);
  }

private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// Reads what is there now. False at the end of the output.
bool read_available(int descriptor, std::string& into) {
  std::array<char, 65536> block;
  while (true) {
    const ssize_t count = ::read(descriptor, block.data(), block.size());
    if (count > 0)
      into.append(block.data(), static_cast<size_t>(count));
    else if (count == 0 || errno != EINTR)
      return count < 0 && errno == EAGAIN;
  }
}

}  // namespace

std::optional<fs::path> find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty() && !program.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    const fs::path candidate = fs::path(folder) / program;
    if (!folder.empty() && is_executable_file(candidate))
      return candidate;
  }
  return std::nullopt;
}

Result<ProcessResult> run_process(const std::string& program,
                                  const std::vector<std::string>& arguments,
                                  const ProcessOptions& options) {
  fs::path path;
  if (program.find('/') != std::string::npos)
    path = is_executable_file(program) ? fs::absolute(program) : fs::path();
  else if (const auto found = find_program(program))
    path = fs::absolute(*found);
  if (path.empty())
    return error(messages::ProgramMissing, program, package_hint(program));

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return error(messages::ProgramNotStarted, program, error_text(errno));
  const Descriptor output(ends[0]);
  Descriptor child_output(ends[1]);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);

  pid_t pid = -1;
  const int problem =
      SpawnPlan(child_output.get(), options.working_directory).start(pid, path, program, arguments);
  if (problem != 0)
    return error(messages::ProgramNotStarted, program, error_text(problem));
  Child child(pid);
  child_output = Descriptor();

  const Clock::time_point start = Clock::now();
  LineSplitter lines(options.on_line);
  ProcessResult result;
  constexpr int AskEveryMs = 100;
  for (bool output_open = true, running = true; running;) {
    std::array<pollfd, 2> waiting{
        pollfd{.fd = child.exit_descriptor(), .events = POLLIN, .revents = 0},
        pollfd{.fd = output_open ? output.get() : -1, .events = POLLIN, .revents = 0}};
    ::poll(waiting.data(), waiting.size(), AskEveryMs);
    running = waiting[0].revents == 0;
    const size_t known = result.output.size();
    // Also after the end: the last words may have arrived together with the exit.
    if (output_open)
      output_open = read_available(output.get(), result.output);
    if (!lines.add(std::string_view(result.output).substr(known)))
      return error(messages::ProgramStopped, program);
    if (!running)
      break;
    if (options.keep_going && !options.keep_going())
      return error(messages::ProgramStopped, program);
    if (options.timeout_seconds &&
        Clock::now() - start >= std::chrono::seconds(*options.timeout_seconds))
      return error(messages::ProgramTimeout, program, *options.timeout_seconds);
  }
  result.exit_code = child.reap();
  if (!lines.finish())
    return error(messages::ProgramStopped, program);
  return result;
}

}  // namespace millrace
