// SPDX-License-Identifier: Apache-2.0
// Progress on standard error, and Ctrl-C.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "millrace/support/progress.h"

namespace millrace::cli {

/// Makes Ctrl-C (and SIGTERM) set a flag; a second one ends the program at once.
void catch_interrupts();
bool was_interrupted();

/// Shows how far long work has come: a bar that moves on a terminal, now and then a line elsewhere.
/// It shows that time passes even while a task has nothing to report.
class Console {
public:
  Console();
  /// Ends the bar.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Announces a part of a longer job: "2/6 compile".
  void heading(std::string_view text);
  /// Shows progress, and asks the task to stop once the user has pressed Ctrl-C. With a `label`,
  /// that is shown instead of the names that the task gives its steps.
  ProgressFunction progress(std::string label = {});
  /// Ends the bar, if one is shown.
  void finish();

private:
  using Clock = std::chrono::steady_clock;

  void show(std::string_view step, double fraction);
  void tick(const std::stop_token& stop);
  // With the mutex held.
  void draw();
  void end_bar();

  const bool is_terminal_;
  const Clock::time_point began_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::string step_;  // empty: nothing is under way
  double fraction_ = 0;
  bool bar_is_shown_ = false;
  Clock::time_point last_drawn_;
  std::jthread ticker_;  // last: it uses all the others
};

}  // namespace millrace::cli
