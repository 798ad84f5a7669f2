// SPDX-License-Identifier: Apache-2.0
// Places the operations of a feed-forward network in clock cycles. A value that is read in a later
// cycle than its own passes through registers; where the cycle boundaries fall decides how many.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace millrace::dataflow {

/// One operation. Times are integers, so that a chain's delay does not depend on the order in which
/// it is summed up.
struct RetimeNode {
  std::vector<int> operands;   ///< the nodes that it reads; each stands before it in the network
  int64_t delay_fs = 0;        ///< of an input: when it settles
  int width = 0;               ///< bits of a register that carries its result over a clock edge
  bool is_input = false;       ///< stands in cycle 0, whatever happens
  bool is_registered = false;  ///< its result may only be read in later cycles
};

/// What is to be placed, and the clock that it must meet.
struct RetimeNetwork {
  std::vector<RetimeNode> nodes;
  std::vector<int> outputs;        ///< nodes that leave, all in the same, last cycle
  int64_t budget_fs = 0;           ///< what a chain of operations within a cycle may take together
  int64_t output_deadline_fs = 0;  ///< when the outputs must have settled in the last cycle
};

/// Where the nodes stand.
struct Placement {
  std::vector<int> cycles;
  std::vector<int64_t> ready_fs;  ///< when each result has settled after its cycle's clock edge
  int latency_cycles = 0;         ///< the last cycle
};

/// Places every node in the earliest cycle in which it settles within the budget. No placement has
/// a lower latency.
///
/// Range    no node alone takes longer than the budget.
Placement place_early(const RetimeNetwork& network);

/// Finds the placement with the fewest register bits among those of the least latency; among equal
/// ones it is the one with the earliest cycles.
///
/// Range    no node alone takes longer than the budget.
/// Source   Leiserson and Saxe, Retiming synchronous circuitry, Algorithmica 6 (1991): the clock
///          as constraints on pairs of nodes. Murota and Shioura, Exact bounds for steepest descent
///          algorithms of L-convex function minimization, Oper. Res. Lett. 42 (2014).
/// Complexity  one minimum cut for each cycle that some node moves.
Placement place_with_fewest_registers(const RetimeNetwork& network);

/// The last cycle in which each node is read, -1 where nobody reads it that an output depends on.
std::vector<int> last_uses(const RetimeNetwork& network, const Placement& placement);

/// Bits of all registers together. A value has one line of registers for all its readers.
int64_t register_bits(const RetimeNetwork& network, const Placement& placement);

}  // namespace millrace::dataflow
