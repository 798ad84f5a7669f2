// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/signed_digits.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

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

/// The fewest non-zero digits of any signed-digit form, by trying both digits at each odd place.
int fewest_digits(int64_t value) {
  if (value == 0)
    return 0;
  if (value % 2 == 0)
    return fewest_digits(value / 2);
  if (value == 1 || value == -1)
    return 1;
  return 1 + std::min(fewest_digits((value - 1) / 2), fewest_digits((value + 1) / 2));
}

TEST(CanonicalSignedDigits, AreTheFewestAndAreCountedWithoutBeingMade) {
  for (int64_t value = -1500; value <= 1500; ++value) {
    EXPECT_EQ(num_signed_digits(value), fewest_digits(value)) << value;
    EXPECT_EQ(canonical_signed_digits(value).size(), static_cast<size_t>(num_signed_digits(value)));
  }
}

TEST(CanonicalSignedDigits, AreCountedUpToTheStatedMagnitude) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    const auto magnitude = static_cast<int64_t>(random() >> (3 + round % 50));
    for (const int64_t value : {magnitude, -magnitude})
      EXPECT_EQ(canonical_signed_digits(value).size(),
                static_cast<size_t>(num_signed_digits(value)));
  }
  EXPECT_EQ(num_signed_digits((int64_t{1} << 61) - 1), 2);
}

}  // namespace
}  // namespace millrace::adders
