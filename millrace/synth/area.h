// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/support/diagnostics.h"

namespace millrace::synth {

/// What a part of the family holds, or a circuit uses.
struct Area {
  int64_t lut = 0;  ///< LUT6 equivalents, LUTs used as memory and shift registers included
  int64_t ff = 0;
  int64_t dsp = 0;
  int64_t bram18 = 0;
  int64_t carry = 0;  ///< carry primitives as mapped (CARRY4 or CARRY8)

  friend bool operator==(const Area&, const Area&) = default;
};

/// What one primitive of the vendor's library occupies. No value for a cell that is not in the
/// table; docs/reference/synth.md explains the counts.
/// Source   AMD UG574 (logic and distributed memory), UG573 (block memory).
const Area* find_cell_cost(std::string_view cell);

/// Counts the primitives in the text of Yosys's `stat -json`.
/// Errors   a cell that it does not know; text that is not such a report.
Result<Area> parse_area(const std::string& stat_json, const std::string& top);

}  // namespace millrace::synth
