// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/numbers.h"

#include <cstdlib>
#include <fmt/format.h>

namespace millrace::report {

std::string with_thousands(int64_t value) {
  std::string digits = fmt::format("{}", value);
  const size_t first = value < 0 ? 1 : 0;
  for (size_t end = digits.size(); end > first + 3;) {
    end -= 3;
    digits.insert(end, 1, ',');
  }
  return digits;
}

std::string duration(double nanoseconds) {
  if (nanoseconds < 999.5)
    return fmt::format("{:.3g} ns", nanoseconds);
  if (nanoseconds < 999.5e3)
    return fmt::format("{:.3g} \u00b5s", nanoseconds / 1e3);
  if (nanoseconds < 999.5e6)
    return fmt::format("{:.3g} ms", nanoseconds / 1e6);
  return fmt::format("{:.3g} s", nanoseconds / 1e9);
}

std::string percent(double share) {
  if (share > 0 && share < 0.0005)
    return "< 0.1 %";
  return fmt::format("{:.1f} %", 100 * share);
}

}  // namespace millrace::report
