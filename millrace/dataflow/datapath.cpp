// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/datapath.h"

#include <algorithm>

#include "millrace/dataflow/messages.h"
#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Overloaded;

Int128 shifted(Int128 value, int shift) {
  return value * (Int128{1} << shift);
}

FixedType integer_type(Int128 lo, Int128 hi) {
  const std::optional<FixedType> type = narrowest_type(lo, hi, 0);
  check(type.has_value(), "a datapath value needs more than 64 bits");
  return *type;
}

/// True when rounding moves results by an addition.
bool rounds_by_adder(const RequantizeNode& node) {
  return node.from_frac_bits > node.to.type.frac_bits && node.to.rounding != Rounding::Floor;
}

/// True when some value of [lo, hi] leaves the range of the quantiser's type.
bool may_overflow(const RequantizeNode& node, Int128 lo, Int128 hi) {
  // A type two bits wider at the same place holds every rounded value that the narrow one
  // saturates by little; saturated or not, one that differs has overflowed.
  const auto overflows = [&](Int128 value) {
    Quantizer wide = node.to;
    wide.overflow = Overflow::Saturate;
    const Int128 clamped = requantize(value, node.from_frac_bits, wide);
    wide.type.is_signed = true;
    wide.type.width = FixedType::MaxWidth;
    const Int128 rounded = requantize(value, node.from_frac_bits, wide);
    const bool symmetric_floor = node.to.overflow == Overflow::SaturateSymmetric &&
                                 node.to.type.is_signed && rounded == node.to.type.min_raw();
    return rounded != clamped || symmetric_floor;
  };
  return overflows(lo) || overflows(hi);
}

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

double delay_ps(const Datapath& path, const Node& node, const DelayModel& delays) {
  return std::visit(
      Overloaded{[&](const InputNode&) { return 0.0; }, [&](const ConstantNode&) { return 0.0; },
                 [&](const AddNode& add) { return delays.adder_ps(chain_width(path, node, add)); },
                 // The AND of a gate shares the LUT of the adder behind it.
                 [&](const GateNode&) { return 0.0; },
                 [&](const ReluNode&) { return delays.lut_ps; },
                 [&](const MaxNode& max) {
                   return delays.adder_ps(max_width(path, {max.a, max.b})) + delays.lut_ps;
                 },
                 [&](const RequantizeNode& rq) {
                   const Node& x = path.node(rq.x);
                   const int dropped = std::max(0, rq.from_frac_bits - rq.to.type.frac_bits);
                   double sum = 0;
                   if (rounds_by_adder(rq))
                     sum += delays.adder_ps(std::max(1, x.type().width - dropped + 1));
                   if (may_overflow(rq, x.lo, x.hi))
                     sum += 2 * delays.lut_ps;
                   return sum;
                 },
                 [&](const TableNode& table) {
                   // A LUT holds 6 address bits; multiplexers of 2 bits a level choose among LUTs.
                   const int levels = std::max(0, table.from.width - 6) / 2;
                   return delays.memory_read_ps + delays.lut_ps * levels;
                 }},
      node.kind);
}

std::string_view node_name(const NodeKind& kind) {
  return std::visit(
      Overloaded{
          [](const InputNode&) { return "input"; }, [](const ConstantNode&) { return "constant"; },
          [](const AddNode&) { return "addition"; }, [](const GateNode&) { return "gate"; },
          [](const ReluNode&) { return "rectifier"; }, [](const MaxNode&) { return "comparison"; },
          [](const RequantizeNode&) { return "requantisation"; },
          [](const TableNode&) { return "table"; }},
      kind);
}

}  // namespace

FixedType Node::type() const {
  return integer_type(lo, hi);
}

NodeId Datapath::append(NodeKind kind, Int128 lo, Int128 hi) {
  for (const NodeId id : operands(kind))
    check(id >= 0 && id < static_cast<NodeId>(nodes_.size()), "a datapath node is used early");
  integer_type(lo, hi);
  if (lo == hi && !std::holds_alternative<InputNode>(kind))
    kind = ConstantNode{lo};
  nodes_.push_back({.kind = std::move(kind), .lo = lo, .hi = hi});
  return static_cast<NodeId>(nodes_.size()) - 1;
}

NodeId Datapath::input(FixedType type) {
  return input(type.min_raw(), type.max_raw());
}

NodeId Datapath::input(Int128 lo, Int128 hi) {
  return append(InputNode{num_inputs_++}, lo, hi);
}

NodeId Datapath::constant(Int128 value) {
  return append(ConstantNode{value}, value, value);
}

NodeId Datapath::add(AddNode add) {
  const Node& a = node(add.a);
  const Node& b = node(add.b);
  const Int128 b_lo = shifted(add.subtract ? -b.hi : b.lo, add.shift_b);
  const Int128 b_hi = shifted(add.subtract ? -b.lo : b.hi, add.shift_b);
  return append(add, shifted(a.lo, add.shift_a) + b_lo, shifted(a.hi, add.shift_a) + b_hi);
}

NodeId Datapath::gate(GateNode gate) {
  const Node& value = node(gate.value);
  return append(gate, std::min<Int128>(0, value.lo), std::max<Int128>(0, value.hi));
}

NodeId Datapath::relu(NodeId x) {
  if (node(x).lo >= 0)
    return x;
  return append(ReluNode{x}, 0, std::max<Int128>(0, node(x).hi));
}

NodeId Datapath::max(NodeId a, NodeId b) {
  if (node(a).lo >= node(b).hi)
    return a;
  if (node(b).lo >= node(a).hi)
    return b;
  return append(MaxNode{a, b}, std::max(node(a).lo, node(b).lo), std::max(node(a).hi, node(b).hi));
}

NodeId Datapath::requantize(RequantizeNode rq) {
  const Node& x = node(rq.x);
  if (!may_overflow(rq, x.lo, x.hi) && rq.from_frac_bits == rq.to.type.frac_bits)
    return rq.x;
  if (rounds_by_adder(rq) && may_overflow(rq, x.lo, x.hi)) {
    // Two nodes, so that a register can stand between rounding and the overflow test.
    RequantizeNode round = rq;
    round.to.overflow = Overflow::Saturate;
    round.to.type = {
        .is_signed = true, .width = FixedType::MaxWidth, .frac_bits = rq.to.type.frac_bits};
    round.to.type = narrowest_type(millrace::requantize(x.lo, rq.from_frac_bits, round.to),
                                   millrace::requantize(x.hi, rq.from_frac_bits, round.to),
                                   rq.to.type.frac_bits)
                        .value();
    const NodeId rounded = requantize(round);
    return requantize({.x = rounded, .from_frac_bits = rq.to.type.frac_bits, .to = rq.to});
  }
  Int128 lo = millrace::requantize(x.lo, rq.from_frac_bits, rq.to);
  Int128 hi = millrace::requantize(x.hi, rq.from_frac_bits, rq.to);
  const bool monotone = rq.to.overflow == Overflow::Saturate ||
                        rq.to.overflow == Overflow::SaturateSymmetric ||
                        !may_overflow(rq, x.lo, x.hi);
  if (!monotone && x.lo != x.hi) {
    lo = rq.to.type.min_raw();
    hi = rq.to.type.max_raw();
  }
  return append(rq, lo, hi);
}

NodeId Datapath::table(TableNode table) {
  const Node& x = node(table.x);
  const auto entry = [&](Int128 raw) {
    return table.values.begin() + static_cast<ptrdiff_t>(raw - table.from.min_raw());
  };
  check(static_cast<Int128>(table.values.size()) == table.from.max_raw() - table.from.min_raw() + 1,
        "a table needs one value for each code");
  const auto [lo, hi] = std::minmax_element(entry(x.lo), entry(x.hi) + 1);
  return append(table, *lo, *hi);
}

std::vector<NodeId> operands(const NodeKind& kind) {
  using Ids = std::vector<NodeId>;
  return std::visit(
      Overloaded{[](const InputNode&) { return Ids{}; }, [](const ConstantNode&) { return Ids{}; },
                 [](const AddNode& n) { return Ids{n.a, n.b}; },
                 [](const GateNode& n) { return Ids{n.value, n.control}; },
                 [](const ReluNode& n) { return Ids{n.x}; },
                 [](const MaxNode& n) { return Ids{n.a, n.b}; },
                 [](const RequantizeNode& n) { return Ids{n.x}; },
                 [](const TableNode& n) { return Ids{n.x}; }},
      kind);
}

Status Datapath::pipeline(const DelayModel& delays, double clock_ns, double input_ready_ps,
                          double output_deadline_ps, const std::string& where) {
  const double budget_ps = clock_ns * 1000 - delays.register_ps;
  for (Node& node : nodes_) {
    node.cycle = 0;
    node.ready_ps = std::holds_alternative<InputNode>(node.kind) ? input_ready_ps : 0;
    for (const NodeId id : operands(node.kind)) {
      const Node& operand = this->node(id);
      if (operand.is_constant())
        continue;
      if (operand.cycle > node.cycle)
        node.ready_ps = 0;
      if (operand.cycle >= node.cycle) {
        node.cycle = operand.cycle;
        node.ready_ps = std::max(node.ready_ps, operand.ready_ps);
      }
    }
    const double delay = delay_ps(*this, node, delays);
    if (delay > budget_ps)
      return error(messages::ClockTooFast, where, node_name(node.kind), node.type().width, delay,
                   budget_ps);
    if (node.ready_ps + delay > budget_ps) {
      ++node.cycle;
      node.ready_ps = 0;
    }
    node.ready_ps += delay;
  }

  latency_cycles_ = 0;
  for (const Output& output : outputs) {
    const Node& last = node(output.node);
    if (!last.is_constant())
      latency_cycles_ =
          std::max(latency_cycles_, last.cycle + (last.ready_ps > output_deadline_ps ? 1 : 0));
  }
  output_ready_ps_ = 0;
  for (const Output& output : outputs) {
    const Node& last = node(output.node);
    if (!last.is_constant() && last.cycle == latency_cycles_)
      output_ready_ps_ = std::max(output_ready_ps_, last.ready_ps);
  }
  return {};
}

std::vector<Int128> Datapath::evaluate(std::span<const Int128> inputs) const {
  check(inputs.size() == static_cast<size_t>(num_inputs_), "one value for each datapath input");
  std::vector<Int128> values;
  const auto value = [&](NodeId id) { return values[static_cast<size_t>(id)]; };
  for (const Node& node : nodes_) {
    values.push_back(std::visit(
        Overloaded{[&](const InputNode& n) { return inputs[static_cast<size_t>(n.index)]; },
                   [&](const ConstantNode& n) { return n.value; },
                   [&](const AddNode& n) {
                     const Int128 b = shifted(value(n.b), n.shift_b);
                     return shifted(value(n.a), n.shift_a) + (n.subtract ? -b : b);
                   },
                   [&](const GateNode& n) {
                     return ((value(n.control) >> n.bit) & 1) != 0 ? value(n.value) : Int128{0};
                   },
                   [&](const ReluNode& n) { return std::max<Int128>(0, value(n.x)); },
                   [&](const MaxNode& n) { return std::max(value(n.a), value(n.b)); },
                   [&](const RequantizeNode& n) {
                     return millrace::requantize(value(n.x), n.from_frac_bits, n.to);
                   },
                   [&](const TableNode& n) {
                     return Int128{n.values[static_cast<size_t>(value(n.x) - n.from.min_raw())]};
                   }},
        node.kind));
    check(node.lo <= values.back() && values.back() <= node.hi, "a value leaves its range");
  }
  std::vector<Int128> results;
  results.reserve(outputs.size());
  for (const Output& output : outputs)
    results.push_back(millrace::requantize(
        value(output.node), output.type.frac_bits,
        {.type = output.type, .rounding = Rounding::Floor, .overflow = Overflow::Wrap}));
  return results;
}

}  // namespace millrace::dataflow
