// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace millrace::adders {

/// One non-zero digit of a canonical signed-digit number.
struct SignedDigit {
  int shift = 0;
  bool negative = false;

  friend bool operator==(const SignedDigit&, const SignedDigit&) = default;
};

/// The canonical signed-digit form: no two adjacent non-zero digits, lowest first. No signed-digit
/// form has fewer non-zero digits.
/// Source   Reitwiesner, "Binary arithmetic", 1960.
std::vector<SignedDigit> canonical_signed_digits(int64_t value);

/// The number of non-zero digits of that form, for magnitudes below 2^61.
inline int num_signed_digits(int64_t value) {
  const auto magnitude = static_cast<uint64_t>(value < 0 ? -value : value);
  return std::popcount(magnitude ^ (3 * magnitude));
}

}  // namespace millrace::adders
