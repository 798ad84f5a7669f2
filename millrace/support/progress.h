// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace millrace {

/// Told how far a long task has come: the step's name and the fraction done, 0 to 1. An empty
/// function means that nobody listens. Returning false asks the task to stop.
using ProgressFunction = std::function<bool(std::string_view step, double fraction)>;

/// Calls `progress` when there is one; false when the task should stop.
inline bool report_progress(const ProgressFunction& progress, std::string_view step,
                            double fraction) {
  return !progress || progress(step, fraction);
}

}  // namespace millrace
