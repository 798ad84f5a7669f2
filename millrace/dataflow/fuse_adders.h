// SPDX-License-Identifier: Apache-2.0
// Three-input adders in place of pairs of adders, for devices whose carry chains add three operands
// in one row of LUTs: see docs/decisions/0011-three-input-adders.md.
#pragma once

#include <string_view>

#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/delay_model.h"
#include "millrace/support/diagnostics.h"

namespace millrace::dataflow {

/// The clock that a datapath must meet, as Datapath::pipeline() takes it.
struct PipelineTarget {
  DelayModel delays;
  double clock_ns = 5;
  double input_ready_ps = 0;
  double output_deadline_ps = 0;
};

/// True for families whose carry chains rtl/mr_add3.sv is written for.
bool has_three_input_adders(std::string_view family);

/// Refuses families whose carry chains rtl/mr_add3.sv is not written for; `where` names the option.
Status check_three_input_adders(const std::string& family, const std::string& where);

/// LUTs of an adder's row: those positions at which the carry chain works. 0 for other nodes.
int row_luts(const Datapath& path, const Node& sum);

/// Fuses adders with those of their operands that nobody else reads, so that the rows together take
/// fewer LUTs. The result computes the same; pipelined to the target its latency is at most that
/// of `path`, and lower where three-input adders make that possible. Every three-input adder's sum
/// has time to go through a register, without which its row would not be free.
///
/// Complexity  a few operations for each node: dynamic programming over trees of adders. The LUTs
///             are the fewest of each tree, for the time at which the trees around it need its sum.
Datapath fuse_adders(const Datapath& path, const PipelineTarget& target);

}  // namespace millrace::dataflow
