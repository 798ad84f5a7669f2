// SPDX-License-Identifier: Apache-2.0
// Retiming for minimum area, on a network without loops.
//
// Let c(v) be v's cycle. Three kinds of inequalities say that a placement is right:
//   bounds   early(v) <= c(v) <= late(v), from the inputs' and the outputs' times;
//   order    c(u) <= c(v) where v reads u;
//   pairs    c(u) + 1 <= c(v) where the slowest chain from u to v does not fit the budget, and
//            where v reads u that must be registered.
// Registers cost width(v) * (max of c(w) over v's readers w - c(v)), summed up over v. This sum is
// L-natural-convex under these inequalities, all differences of two variables. Hence steepest
// descent is exact: begin with c = early, and as long as that pays, move that set of nodes by one
// cycle which saves most. The sets' number is at most that of the cycles, since no set ever
// overshoots the least optimum. Which set saves most is a minimum cut.
#include "millrace/dataflow/retime.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "millrace/dataflow/closure.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

template <class Values>
decltype(auto) at(Values& values, int index) {
  return values[static_cast<size_t>(index)];
}

/// Places every node in the earliest cycle not before `floor` in which it settles.
Placement place_not_before(const RetimeNetwork& network, const std::vector<int>& floor) {
  const size_t count = network.nodes.size();
  Placement placement{
      .cycles = floor, .ready_fs = std::vector<int64_t>(count, 0), .latency_cycles = 0};
  for (int id = 0; id < static_cast<int>(count); ++id) {
    const RetimeNode& node = at(network.nodes, id);
    check(node.delay_fs <= network.budget_fs, "a node to place does not fit the clock");
    int& cycle = at(placement.cycles, id);
    int64_t start_fs = 0;
    for (const int operand : node.operands) {
      check(operand < id && !node.is_input, "a node to place reads a later one");
      const bool is_registered = at(network.nodes, operand).is_registered;
      const int readable = at(placement.cycles, operand) + (is_registered ? 1 : 0);
      if (readable > cycle)
        start_fs = 0;
      if (readable >= cycle) {
        cycle = readable;
        start_fs = std::max(start_fs, is_registered ? 0 : at(placement.ready_fs, operand));
      }
    }
    if (start_fs + node.delay_fs > network.budget_fs) {
      ++cycle;
      start_fs = 0;
    }
    at(placement.ready_fs, id) = start_fs + node.delay_fs;
  }
  for (const int id : network.outputs) {
    const bool is_late = at(network.nodes, id).is_registered ||
                         at(placement.ready_fs, id) > network.output_deadline_fs;
    placement.latency_cycles =
        std::max(placement.latency_cycles, at(placement.cycles, id) + (is_late ? 1 : 0));
  }
  return placement;
}

/// u must stand in an earlier cycle than v.
struct Pair {
  int u = 0, v = 0;
};

class Retimer {
public:
  explicit Retimer(const RetimeNetwork& network)
      : network_(network), early_(place_early(network)), cycles_(early_.cycles) {}

  Placement run() {
    find_readers();
    find_late();
    find_pairs();
    while (move_best_set()) {
    }
    // Nodes that nobody reads follow their operands.
    for (int id = 0; id < num_nodes(); ++id)
      if (!is_live(id))
        at(cycles_, id) = at(early_.cycles, id);
    Placement placement = place_not_before(network_, cycles_);
    check(placement.latency_cycles == early_.latency_cycles, "retiming changed the latency");
    for (int id = 0; id < num_nodes(); ++id)
      check(!is_live(id) || at(placement.cycles, id) == at(cycles_, id),
            "retiming missed the clock");
    return placement;
  }

private:
  int num_nodes() const { return static_cast<int>(network_.nodes.size()); }
  const RetimeNode& node(int id) const { return at(network_.nodes, id); }
  bool is_live(int id) const { return at(is_output_, id) || !at(readers_, id).empty(); }
  bool is_movable(int id) const { return at(cycles_, id) < at(late_, id); }

  /// Notes who reads each node, among the nodes that some output depends on.
  void find_readers() {
    readers_.resize(network_.nodes.size());
    is_output_.assign(network_.nodes.size(), false);
    for (const int id : network_.outputs)
      at(is_output_, id) = true;
    for (int id = num_nodes() - 1; id >= 0; --id)
      if (is_live(id))
        for (const int operand : node(id).operands)
          if (at(readers_, operand).empty() || at(readers_, operand).back() != id)
            at(readers_, operand).push_back(id);
  }

  /// The mirror image of place_early(): the latest cycles that lead to the same latency.
  void find_late() {
    late_ = early_.cycles;
    std::vector<int64_t> tail_fs(network_.nodes.size(), 0);  // until the cycle's end
    for (int id = num_nodes() - 1; id >= 0; --id) {
      if (!is_live(id) || node(id).is_input)
        continue;
      int cycle = early_.latency_cycles;
      int64_t end_fs = at(is_output_, id)
                           ? std::max<int64_t>(0, network_.budget_fs - network_.output_deadline_fs)
                           : 0;
      for (const int reader : at(readers_, id)) {
        if (at(late_, reader) < cycle)
          end_fs = 0;
        if (at(late_, reader) <= cycle) {
          cycle = at(late_, reader);
          end_fs = std::max(end_fs, at(tail_fs, reader));
        }
      }
      if (node(id).is_registered || end_fs + node(id).delay_fs > network_.budget_fs) {
        --cycle;
        end_fs = 0;
      }
      at(late_, id) = cycle;
      at(tail_fs, id) = end_fs + node(id).delay_fs;
      check(cycle >= at(early_.cycles, id), "a node has no cycle to stand in");
    }
  }

  void find_pairs() {
    std::vector<int64_t> longest_fs(network_.nodes.size(), 0);
    for (int id = 0; id < num_nodes(); ++id)
      if (is_live(id) && is_movable(id))
        find_pairs_to(id, longest_fs);
  }

  /// Walks back from v to the first nodes whose chain to v exceeds the budget. Ways end where the
  /// bounds alone keep u before v. Nodes come in falling order, so that a node's chain is known
  /// when its turn comes; `longest_fs` is 0 for all nodes, before and after.
  void find_pairs_to(int v, std::vector<int64_t>& longest_fs) {
    std::priority_queue<int> open;
    const auto reach = [&](int from) {
      for (const int operand : node(from).operands) {
        if (node(operand).is_input || at(late_, operand) < at(early_.cycles, v))
          continue;
        if (node(operand).is_registered) {  // stands before `from`, and hence before v
          if (from == v && is_movable(operand))
            pairs_.push_back({operand, v});
          continue;
        }
        // One more than the delay, so that 0 always means unreached.
        const int64_t chain_fs =
            (from == v ? 1 + node(v).delay_fs : at(longest_fs, from)) + node(operand).delay_fs;
        if (at(longest_fs, operand) == 0)
          open.push(operand);
        at(longest_fs, operand) = std::max(at(longest_fs, operand), chain_fs);
      }
    };
    reach(v);
    while (!open.empty()) {
      const int u = open.top();
      open.pop();
      const int64_t chain_fs = at(longest_fs, u) - 1;
      if (chain_fs <= network_.budget_fs)
        reach(u);
      else if (chain_fs - node(v).delay_fs <= network_.budget_fs && is_movable(u))
        pairs_.push_back({u, v});  // otherwise a pair that ends at v's operand says more
      at(longest_fs, u) = 0;
    }
  }

  /// Moves the set of nodes whose move by one cycle saves most; false where none saves anything.
  bool move_best_set() {
    Closure closure;
    item_.assign(network_.nodes.size(), -1);
    for (int id = 0; id < num_nodes(); ++id)
      if (is_live(id) && is_movable(id))
        at(item_, id) = closure.add_item(node(id).width);
    for (int id = 0; id < num_nodes(); ++id)
      if (is_live(id))
        add_readers(closure, id);
    for (const Pair& pair : pairs_)
      if (at(item_, pair.u) >= 0 && at(cycles_, pair.u) + 1 == at(cycles_, pair.v))
        closure.require(at(item_, pair.u), at(item_, pair.v));

    const std::vector<bool> chosen = closure.best();
    bool moved = false;
    for (int id = 0; id < num_nodes(); ++id) {
      if (at(item_, id) >= 0 && chosen[static_cast<size_t>(at(item_, id))]) {
        ++at(cycles_, id);
        moved = true;
      }
    }
    return moved;
  }

  /// A node's readers in its own cycle move with it, and its line of registers gets longer when
  /// one of its last readers moves.
  void add_readers(Closure& closure, int id) {
    int last = 0;
    for (const int reader : at(readers_, id)) {
      last = std::max(last, at(cycles_, reader));
      if (at(item_, id) >= 0 && at(cycles_, reader) == at(cycles_, id))
        closure.require(at(item_, id), at(item_, reader));
    }
    if (at(is_output_, id))
      return;  // read in the last cycle anyway
    last_readers_.clear();
    for (const int reader : at(readers_, id))
      if (at(cycles_, reader) == last && at(item_, reader) >= 0)
        last_readers_.push_back(at(item_, reader));
    if (last_readers_.size() == 1) {
      closure.add_gain(last_readers_[0], -node(id).width);
    } else if (!last_readers_.empty()) {
      const int line = closure.add_item(-node(id).width);
      for (const int reader : last_readers_)
        closure.require(reader, line);
    }
  }

  const RetimeNetwork& network_;
  const Placement early_;
  std::vector<int> cycles_;
  std::vector<int> late_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> is_output_;
  std::vector<Pair> pairs_;
  std::vector<int> item_;          // each node's item in the closure, -1 where it cannot move
  std::vector<int> last_readers_;  // storage of add_readers()
};

}  // namespace

Placement place_early(const RetimeNetwork& network) {
  return place_not_before(network, std::vector<int>(network.nodes.size(), 0));
}

Placement place_with_fewest_registers(const RetimeNetwork& network) {
  return Retimer(network).run();
}

std::vector<int> last_uses(const RetimeNetwork& network, const Placement& placement) {
  std::vector<int> last(network.nodes.size(), -1);
  for (const int id : network.outputs)
    at(last, id) = placement.latency_cycles;
  for (int id = static_cast<int>(network.nodes.size()) - 1; id >= 0; --id)
    if (at(last, id) >= 0)
      for (const int operand : at(network.nodes, id).operands)
        at(last, operand) = std::max(at(last, operand), at(placement.cycles, id));
  return last;
}

int64_t register_bits(const RetimeNetwork& network, const Placement& placement) {
  const std::vector<int> last = last_uses(network, placement);
  int64_t bits = 0;
  for (int id = 0; id < static_cast<int>(network.nodes.size()); ++id)
    if (at(last, id) >= 0)
      bits += int64_t{at(network.nodes, id).width} * (at(last, id) - at(placement.cycles, id));
  return bits;
}

}  // namespace millrace::dataflow
