// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/clock.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

TEST(ParseClock, ReadsPeriodsAndFrequencies) {
  EXPECT_EQ(parse_clock("5ns"), 5.0);
  EXPECT_EQ(parse_clock("3.125 ns"), 3.125);
  EXPECT_EQ(parse_clock("2500ps"), 2.5);
  EXPECT_EQ(parse_clock("200MHz"), 5.0);
  EXPECT_EQ(parse_clock("0.25GHz"), 4.0);
}

TEST(ParseClock, RefusesAnythingElse) {
  for (const char* text : {"", "5", "ns", "5s", "5 nanoseconds", "-5ns", "0ns", "0MHz", "infns",
                           "nanns", "5ns 200MHz", "1e999ns"}) {
    const auto clock = parse_clock(text);
    ASSERT_FALSE(clock.has_value()) << text;
    EXPECT_EQ(clock.error().code, "cli.bad_clock");
  }
}

}  // namespace
}  // namespace millrace::cli
