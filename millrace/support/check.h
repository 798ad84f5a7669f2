// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <source_location>
#include <stdexcept>
#include <string_view>

namespace millrace {

/// A broken promise inside Millrace itself: never the user's fault. The command line answers it
/// with exit code 3 and asks for a bug report.
class InternalError : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

/// Throws InternalError with `what` and the caller's place when `condition` is false.
void check(bool condition, std::string_view what,
           std::source_location place = std::source_location::current());

}  // namespace millrace
