// SPDX-License-Identifier: Apache-2.0
// millrace-train: the part of Millrace that needs LibTorch. protocol.h says what it reads and
// writes.
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fmt/core.h>
#include <unistd.h>

#include "millrace/train/messages.h"
#include "millrace/train/run.h"

namespace {

using namespace millrace;

void say(const train::Event& event) {
  fmt::print("{}\n", train::format_event(event));
  std::fflush(stdout);
}

/// Starts the program again with one thread where that is not already set: OpenMP and OpenBLAS read
/// these variables before main(), and only one thread gives the same network every time.
void ensure_one_thread(char** arguments) {
  constexpr const char* Variables[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"};
  bool is_set = true;
  for (const char* variable : Variables) {
    const char* const value = std::getenv(variable);
    is_set = is_set && value && std::strcmp(value, "1") == 0;
    setenv(variable, "1", 1);
  }
  if (!is_set)
    execv("/proc/self/exe", arguments);  // when it fails, training is only slower
}

int run(int count, char** arguments) {
  if (count != 2) {
    say(error(train::messages::BadRequest, {}, fmt::format("{} arguments", count - 1)).value());
    return 2;
  }
  auto request = train::parse_request(arguments[1]);
  if (!request) {
    say(request.error());
    return 2;
  }
  auto result = train::train(*request, say);
  if (!result) {
    say(result.error());
    return 1;
  }
  say(*result);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  ensure_one_thread(arguments);
  try {
    return run(count, arguments);
  } catch (const std::exception& failure) {
    say(train::InternalErrorEvent{failure.what()});
    return 3;
  }
}
