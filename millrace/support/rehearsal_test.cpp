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

}  // namespace
}  // namespace millrace
