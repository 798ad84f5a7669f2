// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "millrace/support/diagnostics.h"

namespace millrace::cli {

/// The clock period, in nanoseconds, that "5ns", "5000ps", "200MHz" or "0.2GHz" stands for.
/// Errors   another form; not positive.
Result<double> parse_clock(const std::string& text);

}  // namespace millrace::cli
