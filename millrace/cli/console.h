// SPDX-License-Identifier: Apache-2.0
// Progress on standard error, and Ctrl-C.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "millrace/support/progress.h"

namespace millrace::cli {

/// Makes Ctrl-C (and SIGTERM) set a flag; a second one ends the program at once.
void catch_interrupts();
bool was_interrupted();

/// Shows how far long work has come: a bar that moves on a terminal, now and then a line elsewhere.
class Console {
public:
  Console();
  /// Ends the bar.
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Announces a part of a longer job: "2/6 compile".
  void heading(std::string_view text);
  /// Shows progress, and asks the task to stop once the user has pressed Ctrl-C.
  ProgressFunction progress();
  /// Ends the bar, if one is shown.
  void finish();

private:
  using Clock = std::chrono::steady_clock;

  void draw_bar(std::string_view step, double fraction, double seconds);
  void print_line(std::string_view step, double fraction, double seconds);

  bool is_terminal_;
  bool bar_is_shown_ = false;
  std::string step_;
  Clock::time_point step_began_;
  Clock::time_point last_shown_;
};

}  // namespace millrace::cli
