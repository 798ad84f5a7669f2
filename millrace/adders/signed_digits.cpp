// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/signed_digits.h"

#include "millrace/fixed/fixed_type.h"

namespace millrace::adders {

std::vector<SignedDigit> canonical_signed_digits(int64_t value) {
  std::vector<SignedDigit> digits;
  Int128 rest = value;
  for (int shift = 0; rest != 0; ++shift, rest >>= 1) {
    if (rest % 2 == 0)
      continue;
    const bool negative = (rest & 3) == 3;  // ...11: -1 here carries into the zero above
    digits.push_back({shift, negative});
    rest += negative ? 1 : -1;
  }
  return digits;
}

}  // namespace millrace::adders
