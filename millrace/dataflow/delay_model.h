// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "millrace/support/diagnostics.h"

namespace millrace::dataflow {

/// What logic costs in time on one device family, nets included: enough to place pipeline
/// registers. From data/delays/FAMILY.json, which names its sources.
struct DelayModel {
  std::string family;
  double register_ps = 0;       ///< clock-to-out + setup + skew: taken off every period
  double lut_ps = 0;            ///< one LUT level
  double adder_base_ps = 0;     ///< entry, exit and net of a carry chain
  double adder_per_bit_ps = 0;  ///< ripple through one bit
  double memory_read_ps = 0;    ///< asynchronous read of a small LUT memory or ROM

  double adder_ps(int width) const { return adder_base_ps + adder_per_bit_ps * width; }
};

/// Reads the model of a family ("xcu").
/// Errors   no such file; a value missing or not positive.
Result<DelayModel> load_delay_model(const std::string& family);

/// Refuses clock periods for which no delay model is meant; `where` names the option.
/// Errors   a period outside 0.5 to 1000 ns.
Status check_clock(double clock_ns, const std::string& where);

}  // namespace millrace::dataflow
