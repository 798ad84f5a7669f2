// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/clock.h"

#include <charconv>
#include <cmath>

#include "millrace/cli/messages.h"

namespace millrace::cli {

Result<double> parse_clock(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' '));
  double period_ns = 0;
  if (unit == "ns")
    period_ns = number;
  else if (unit == "ps")
    period_ns = number / 1e3;
  else if (unit == "MHz")
    period_ns = 1e3 / number;
  else if (unit == "GHz")
    period_ns = 1 / number;
  if (status != std::errc{} || !std::isfinite(period_ns) || period_ns <= 0)
    return error(messages::BadClock, "--clock", text);
  return period_ns;
}

}  // namespace millrace::cli
