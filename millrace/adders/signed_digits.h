// SPDX-License-Identifier: Apache-2.0
#pragma once

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

}  // namespace millrace::adders
