// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/console.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

namespace millrace::cli {
namespace {

volatile sig_atomic_t g_interrupted = 0;

extern "C" void note_interrupt(int) {
  g_interrupted = 1;
}

constexpr int BarWidth = 30;
// How long a bar, or the last line, stands before it is drawn again.
constexpr std::chrono::milliseconds BarPause{100};
constexpr std::chrono::seconds LinePause{10};

// A standard error that nobody reads is no reason to stop: fmt::print() would throw.
void print(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = note_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool was_interrupted() {
  return g_interrupted != 0;
}

Console::Console()
    : is_terminal_(isatty(STDERR_FILENO) == 1),
      began_(Clock::now()),
      ticker_([this](const std::stop_token& stop) { tick(stop); }) {}

Console::~Console() {
  finish();
}

void Console::heading(std::string_view text) {
  const std::lock_guard lock(mutex_);
  end_bar();
  print(fmt::format("{}\n", text));
}

ProgressFunction Console::progress(std::string label) {
  return [this, label = std::move(label)](std::string_view step, double fraction) {
    show(label.empty() ? step : label, std::clamp(fraction, 0.0, 1.0));
    return !was_interrupted();
  };
}

void Console::finish() {
  const std::lock_guard lock(mutex_);
  end_bar();
}

void Console::show(std::string_view step, double fraction) {
  const std::lock_guard lock(mutex_);
  const bool is_new = step != step_;
  if (is_new) {
    end_bar();
    step_ = step;
  }
  fraction_ = fraction;
  const bool bar_is_full = is_terminal_ && fraction >= 1;
  if (is_new || bar_is_full)
    draw();
}

void Console::tick(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const bool is_due = is_terminal_ || Clock::now() - last_drawn_ >= LinePause;
    if (!step_.empty() && is_due)
      draw();
    stopped_.wait_for(lock, stop, BarPause, [] { return false; });
  }
}

void Console::draw() {
  last_drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(last_drawn_ - began_).count();
  if (!is_terminal_) {
    print(fmt::format("  {:4.0f} s  {:3.0f} %  {}\n", seconds, 100 * fraction_, step_));
    return;
  }
  const int full = static_cast<int>(fraction_ * BarWidth);
  std::string bar;
  for (int i = 0; i < BarWidth; ++i)
    bar += i < full ? "\u2588" : "\u2591";
  print(fmt::format("\r\x1b[K  {:4.0f} s  {} {:3.0f} %  {}", seconds, bar, 100 * fraction_, step_));
  bar_is_shown_ = true;
}

void Console::end_bar() {
  if (bar_is_shown_)
    print("\n");
  bar_is_shown_ = false;
  step_.clear();
}

}  // namespace millrace::cli
