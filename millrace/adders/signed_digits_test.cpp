// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/signed_digits.h"

#include <gtest/gtest.h>

namespace millrace::adders {
namespace {

TEST(CanonicalSignedDigits, StandForTheValueWithoutAdjacentDigits) {
  for (int64_t value = -5000; value <= 5000; ++value) {
    int64_t sum = 0;
    int last = -2;
    for (const SignedDigit& digit : canonical_signed_digits(value)) {
      EXPECT_GT(digit.shift, last + 1);
      last = digit.shift;
      sum += (digit.negative ? -1 : 1) * (int64_t{1} << digit.shift);
    }
    EXPECT_EQ(sum, value);
  }
}

TEST(CanonicalSignedDigits, ReachTheEndsOfTheRange) {
  EXPECT_EQ(canonical_signed_digits(INT64_MIN), (std::vector<SignedDigit>{{63, true}}));
  EXPECT_EQ(canonical_signed_digits(INT64_MAX), (std::vector<SignedDigit>{{0, true}, {63, false}}));
}

}  // namespace
}  // namespace millrace::adders
