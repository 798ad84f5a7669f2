// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::report {

/// "24,930".
std::string with_thousands(int64_t value);
/// "240 ns", "7.9 µs", "1.25 ms", "3 s": three significant digits.
std::string duration(double nanoseconds);
/// "2.3 %"; "< 0.1 %" for less that is not nothing.
std::string percent(double share);

}  // namespace millrace::report
