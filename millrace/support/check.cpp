// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/check.h"

#include <fmt/core.h>

namespace millrace {

void check(bool condition, std::string_view what, std::source_location place) {
  if (!condition)
    throw InternalError(fmt::format("{}:{}: {}", place.file_name(), place.line(), what));
}

}  // namespace millrace
