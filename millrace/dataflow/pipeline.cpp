// SPDX-License-Identifier: Apache-2.0
// The part of Datapath that knows the clock: delays, and the placement of nodes in cycles.
#include <algorithm>
#include <cmath>

#include "millrace/dataflow/datapath.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/retime.h"
#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Overloaded;

int max_width(const Datapath& path, std::initializer_list<NodeId> ids) {
  int width = 1;
  for (const NodeId id : ids)
    width = std::max(width, path.node(id).type().width);
  return width;
}

/// Bits of a sum that need the carry chain: those above the low bits that pass through.
int chain_width(const Datapath& path, const Node& sum, const AddNode& add) {
  const bool a_low = add.shift_b > 0;                   // a's low bits are the sum's
  const bool b_low = add.shift_a > 0 && !add.subtract;  // b's low bits are the sum's
  const int passed = a_low ? add.shift_b : b_low ? add.shift_a : 0;
  const int low_width = max_width(path, {a_low ? add.a : add.b});
  return std::max(1, sum.type().width - std::min(passed, low_width));
}

/// True for 0 + (b << shift): a shift takes no logic.
bool is_wiring(const Datapath& path, const AddNode& add) {
  const Node& a = path.node(add.a);
  return a.is_constant() && a.lo == 0 && !add.subtract;
}

std::string_view node_name(const NodeKind& kind) {
  return std::visit(
      Overloaded{
          [](const InputNode&) { return "input"; }, [](const ConstantNode&) { return "constant"; },
          [](const AddNode&) { return "addition"; },
          [](const Add3Node&) { return "addition of three"; },
          [](const BoothNode&) { return "multiplication by a digit"; },
          [](const BoothTermNode&) { return "multiplication by a digit"; },
          [](const ReluNode&) { return "rectifier"; }, [](const MaxNode&) { return "comparison"; },
          [](const GreaterNode&) { return "comparison"; },
          [](const SelectNode&) { return "choice"; },
          [](const RequantizeNode&) { return "requantisation"; },
          [](const HalfEvenNode&) { return "rounding"; }, [](const TableNode&) { return "table"; }},
      kind);
}

int64_t femtoseconds(double ps) {
  return std::llround(ps * 1000);
}

/// When the slowest output settles in the last cycle, 0 where all outputs come from registers.
int64_t output_ready_fs(const RetimeNetwork& network, const Placement& placement) {
  int64_t ready_fs = 0;
  for (const int id : network.outputs) {
    const auto index = static_cast<size_t>(id);
    if (placement.cycles[index] == placement.latency_cycles)
      ready_fs = std::max(ready_fs, placement.ready_fs[index]);
  }
  return ready_fs;
}

}  // namespace

double delay_ps(const Datapath& path, const Node& node, const DelayModel& delays) {
  return std::visit(
      Overloaded{[&](const InputNode&) { return 0.0; }, [&](const ConstantNode&) { return 0.0; },
                 [&](const AddNode& add) {
                   return is_wiring(path, add) ? 0 : delays.adder_ps(chain_width(path, node, add));
                 },
                 [&](const Add3Node& add) {
                   // The LUT that compresses a bit stands before that of the bit above.
                   const int row = std::max(1, node.type().width - row_begin(path, add));
                   return delays.lut_ps + delays.adder_ps(row);
                 },
                 [&](const BoothNode& booth) {
                   return delays.adder_ps(std::max(1, node.type().width - booth.shift));
                 },
                 [&](const BoothTermNode&) { return delays.lut_ps; },
                 [&](const ReluNode&) { return delays.lut_ps; },
                 [&](const MaxNode& max) {
                   return delays.adder_ps(max_width(path, {max.a, max.b})) + delays.lut_ps;
                 },
                 [&](const GreaterNode& greater) {
                   return delays.adder_ps(max_width(path, {greater.a, greater.b}));
                 },
                 [&](const SelectNode&) { return delays.lut_ps; },
                 [&](const RequantizeNode& rq) {
                   const Node& x = path.node(rq.x);
                   const int dropped = std::max(0, rq.from_frac_bits - rq.to.type.frac_bits);
                   double sum = 0;
                   if (rq.rounds_by_adder())
                     sum += delays.adder_ps(std::max(1, x.type().width - dropped + 1));
                   if (rq.may_overflow(x.lo, x.hi))
                     sum += 2 * delays.lut_ps;
                   return sum;
                 },
                 [&](const HalfEvenNode& even) {
                   return even.dropped <= 5 ? delays.lut_ps : 2 * delays.lut_ps;
                 },
                 [&](const TableNode& table) {
                   // A LUT holds 6 address bits; multiplexers of 2 bits a level choose among LUTs.
                   const int levels = std::max(0, table.from.width - 6) / 2;
                   return delays.memory_read_ps + delays.lut_ps * levels;
                 }},
      node.kind);
}

Status Datapath::pipeline(const DelayModel& delays, double clock_ns, double input_ready_ps,
                          double output_deadline_ps, const std::string& where,
                          OutputTime output_time) {
  const double budget_ps = clock_ns * 1000 - delays.register_ps;
  // Constants are not placed: nodes are numbered without them.
  RetimeNetwork network{.nodes = {},
                        .outputs = {},
                        .budget_fs = femtoseconds(budget_ps),
                        .output_deadline_fs = femtoseconds(output_deadline_ps)};
  std::vector<int> places(nodes_.size(), -1);
  for (size_t id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.is_constant())
      continue;
    const bool is_input = std::holds_alternative<InputNode>(node.kind);
    const double delay = is_input ? input_ready_ps : delay_ps(*this, node, delays);
    RetimeNode placed{.operands = {},
                      .delay_fs = femtoseconds(delay),
                      .width = node.signal_type().width,
                      .is_input = is_input,
                      .is_registered = std::holds_alternative<Add3Node>(node.kind)};
    if (placed.delay_fs > network.budget_fs)
      return error(messages::ClockTooFast, where, node_name(node.kind), node.type().width, delay,
                   budget_ps);
    for (const NodeId operand : operands(node.kind))
      if (!this->node(operand).is_constant())
        placed.operands.push_back(places[static_cast<size_t>(operand)]);
    places[id] = static_cast<int>(network.nodes.size());
    network.nodes.push_back(std::move(placed));
  }
  for (const Output& output : outputs)
    if (!node(output.node).is_constant())
      network.outputs.push_back(places[static_cast<size_t>(output.node)]);

  const Placement early = place_early(network);
  early_flip_flops_ = register_bits(network, early);
  if (output_time == OutputTime::Earliest)
    network.output_deadline_fs = output_ready_fs(network, early);
  const Placement placement = place_with_fewest_registers(network);
  for (size_t id = 0; id < nodes_.size(); ++id) {
    const bool is_placed = places[id] >= 0;
    const auto place = static_cast<size_t>(places[id]);
    nodes_[id].cycle = is_placed ? placement.cycles[place] : 0;
    nodes_[id].ready_ps = is_placed ? static_cast<double>(placement.ready_fs[place]) / 1000 : 0;
  }
  latency_cycles_ = placement.latency_cycles;
  output_ready_ps_ = static_cast<double>(output_ready_fs(network, placement)) / 1000;
  check(flip_flops() == register_bits(network, placement), "a datapath's registers are miscounted");
  return {};
}

std::vector<int> Datapath::last_uses() const {
  std::vector<int> last(nodes_.size(), -1);
  for (const Output& output : outputs)
    last[static_cast<size_t>(output.node)] = latency_cycles_;
  for (size_t id = nodes_.size(); id-- > 0;)
    if (last[id] >= 0)
      for (const NodeId operand : operands(nodes_[id].kind)) {
        int& use = last[static_cast<size_t>(operand)];
        use = std::max(use, nodes_[id].cycle);
      }
  return last;
}

int64_t Datapath::flip_flops() const {
  const std::vector<int> last = last_uses();
  int64_t bits = 0;
  for (size_t id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (!node.is_constant() && last[id] >= 0)
      bits += int64_t{node.signal_type().width} * (last[id] - node.cycle);
  }
  return bits;
}

PipelineCost Datapath::pipeline_cost() const {
  return {.flip_flops = flip_flops(),
          .early_flip_flops = early_flip_flops_,
          .latency_cycles = latency_cycles_};
}

}  // namespace millrace::dataflow
