// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/rehearsal.h"

#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <stdexcept>

namespace millrace {
namespace {

TEST(Rehearsal, WhatEndsSurvives) {
  int number = 0;
  EXPECT_TRUE(survives([&] { number = 1; }));
  EXPECT_EQ(number, 0) << "the copy has its own memory";
  EXPECT_TRUE(survives([] { throw std::runtime_error("seen by whoever does it in earnest"); }));
}

TEST(Rehearsal, WhatDiesDoesNot) {
  EXPECT_FALSE(survives([] { std::abort(); }));
  EXPECT_FALSE(survives([] { raise(SIGSEGV); }));
  EXPECT_FALSE(survives([] { std::_Exit(3); }));
}

TEST(Rehearsal, WhatDoesNotEndIsStopped) {
  volatile bool is_waiting = true;
  EXPECT_FALSE(survives(
      [&] {
        while (is_waiting) {
        }
      },
      1));
}

// Whoever is at the keyboard stops the copy, too, though the program itself only takes note.
TEST(Rehearsal, WhatIsInterruptedDoesNotSurvive) {
  const auto before = std::signal(SIGINT, [](int) {});
  EXPECT_FALSE(survives([] { raise(SIGINT); }));
  std::signal(SIGINT, before);
}

}  // namespace
}  // namespace millrace
