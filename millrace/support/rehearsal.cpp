// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/rehearsal.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "millrace/support/check.h"

namespace millrace {
namespace {

/// In the copy: dies quietly of whatever kills it, Ctrl-C included, whoever else listens for that.
void prepare_copy(int seconds) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGINT, SIGTERM})
    std::signal(signal, SIG_DFL);
  const auto time = static_cast<rlim_t>(seconds);
  const rlimit limit{time, time};
  setrlimit(RLIMIT_CPU, &limit);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0)
    dup2(nowhere, STDERR_FILENO);
}

}  // namespace

bool survives(const std::function<void()>& work, int seconds) {
  const pid_t copy = fork();
  check(copy >= 0, "a process cannot be copied");
  if (copy == 0) {
    prepare_copy(seconds);
    try {
      work();
    } catch (...) {
      _exit(0);  // the original gets it, too
    }
    _exit(0);
  }
  int status = 0;
  while (waitpid(copy, &status, 0) < 0)
    check(errno == EINTR, "a copy of the process cannot be waited for");
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace millrace
