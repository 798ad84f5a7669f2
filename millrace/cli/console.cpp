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
constexpr std::chrono::milliseconds BarPause{80};
constexpr std::chrono::seconds LinePause{5};

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

Console::Console() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

Console::~Console() {
  finish();
}

void Console::heading(std::string_view text) {
  finish();
  fmt::print(stderr, "{}\n", text);
}

ProgressFunction Console::progress() {
  return [this](std::string_view step, double fraction) {
    const Clock::time_point now = Clock::now();
    const bool is_new = step != step_;
    if (is_new) {
      finish();
      step_ = step;
      step_began_ = now;
    }
    const double seconds = std::chrono::duration<double>(now - step_began_).count();
    const auto pause = now - last_shown_;
    if (is_terminal_) {
      if (is_new || fraction >= 1 || pause >= BarPause)
        draw_bar(step, std::clamp(fraction, 0.0, 1.0), seconds);
    } else if (is_new || pause >= LinePause) {
      print_line(step, std::clamp(fraction, 0.0, 1.0), seconds);
    }
    return !was_interrupted();
  };
}

void Console::finish() {
  if (bar_is_shown_)
    fmt::print(stderr, "\n");
  bar_is_shown_ = false;
  step_.clear();
}

void Console::draw_bar(std::string_view step, double fraction, double seconds) {
  const int full = static_cast<int>(fraction * BarWidth);
  std::string bar;
  for (int i = 0; i < BarWidth; ++i)
    bar += i < full ? "\u2588" : "\u2591";
  fmt::print(stderr, "\r\x1b[K  {} {:3.0f} %  {:4.0f} s  {}", bar, 100 * fraction, seconds, step);
  std::fflush(stderr);
  bar_is_shown_ = true;
  last_shown_ = Clock::now();
}

void Console::print_line(std::string_view step, double fraction, double seconds) {
  fmt::print(stderr, "  {:3.0f} %  {:4.0f} s  {}\n", 100 * fraction, seconds, step);
  last_shown_ = Clock::now();
}

}  // namespace millrace::cli
