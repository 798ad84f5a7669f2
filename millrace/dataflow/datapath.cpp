// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/datapath.h"

#include <algorithm>

#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Overloaded;

Int128 shifted(Int128 value, int shift) {
  return value * (Int128{1} << shift);
}

/// What a HalfEvenNode computes.
Int128 made_even(Int128 x, int dropped) {
  const Int128 kept = x >> dropped;
  const bool half_way = (x & ((Int128{1} << dropped) - 1)) == 0;
  return half_way ? kept & ~Int128{1} : kept;
}

FixedType integer_type(Int128 lo, Int128 hi) {
  const std::optional<FixedType> type = narrowest_type(lo, hi, 0);
  check(type.has_value(), "a datapath value needs more than 64 bits");
  return *type;
}

Int128 digit_value(const std::array<Int128, 3>& bits) {
  return bits[1] + bits[0] - 2 * bits[2];
}

/// The least and greatest of d * x, plus 0 or less the digit's bit 2, for all digits that the bits'
/// ranges allow.
std::pair<Int128, Int128> multiple_range(const Datapath& path, NodeId x, const BoothDigit& digit,
                                         bool is_term) {
  const Node& number = path.node(x);
  std::optional<std::pair<Int128, Int128>> range;
  for (int code = 0; code < 8; ++code) {
    std::array<Int128, 3> bits{};
    bool is_possible = true;
    for (size_t i = 0; i < 3; ++i) {
      const Node& bit = path.node(digit[i]);
      check(bit.lo >= 0 && bit.hi <= 1, "a digit consists of bits");
      bits[i] = (code >> i) & 1;
      is_possible = is_possible && bit.lo <= bits[i] && bits[i] <= bit.hi;
      for (size_t k = 0; k < i; ++k)
        is_possible = is_possible && (digit[i] != digit[k] || bits[i] == bits[k]);
    }
    if (!is_possible)
      continue;
    const Int128 d = digit_value(bits);
    const Int128 correction = is_term ? bits[2] : Int128{0};
    const Int128 lo = std::min(d * number.lo, d * number.hi) - correction;
    const Int128 hi = std::max(d * number.lo, d * number.hi) - correction;
    range = range ? std::pair(std::min(range->first, lo), std::max(range->second, hi))
                  : std::pair(lo, hi);
  }
  return range.value();
}

}  // namespace

bool RequantizeNode::rounds_by_adder() const {
  return from_frac_bits > to.type.frac_bits && to.rounding != Rounding::Floor;
}

bool RequantizeNode::may_overflow(Int128 lo, Int128 hi) const {
  // A type two bits wider at the same place holds every rounded value that the narrow one
  // saturates by little; saturated or not, one that differs has overflowed.
  const auto overflows = [&](Int128 value) {
    Quantizer wide = to;
    wide.overflow = Overflow::Saturate;
    const Int128 clamped = millrace::requantize(value, from_frac_bits, wide);
    wide.type.is_signed = true;
    wide.type.width = FixedType::MaxWidth;
    const Int128 rounded = millrace::requantize(value, from_frac_bits, wide);
    const bool symmetric_floor = to.overflow == Overflow::SaturateSymmetric && to.type.is_signed &&
                                 rounded == to.type.min_raw();
    return rounded != clamped || symmetric_floor;
  };
  return overflows(lo) || overflows(hi);
}

FixedType Node::type() const {
  return integer_type(lo, hi);
}

FixedType Node::signal_type() const {
  if (const auto* requantize = std::get_if<RequantizeNode>(&kind))
    return requantize->to.type;
  if (const auto* table = std::get_if<TableNode>(&kind))
    return table->to;
  return type();
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

void Datapath::narrow(NodeId newest, Int128 lo, Int128 hi) {
  check(newest + 1 == std::ssize(nodes_), "only the newest node can be narrowed");
  Node& node = nodes_.back();
  node.lo = std::max(node.lo, lo);
  node.hi = std::min(node.hi, hi);
  check(node.lo <= node.hi, "a datapath value has an empty range");
  if (node.lo == node.hi && !std::holds_alternative<InputNode>(node.kind))
    node.kind = ConstantNode{node.lo};
}

NodeId Datapath::add3(Add3Node add) {
  Int128 lo = 0;
  Int128 hi = 0;
  int subtrahends = 0;
  for (const auto& [id, shift, subtract] : add.terms) {
    const Node& term = node(id);
    lo += shifted(subtract ? -term.hi : term.lo, shift);
    hi += shifted(subtract ? -term.lo : term.hi, shift);
    subtrahends += subtract ? 1 : 0;
  }
  check(subtrahends <= 2, "a three-input adder negates all its terms");
  return append(add, lo, hi);
}

NodeId Datapath::booth(BoothNode booth) {
  const auto [lo, hi] = multiple_range(*this, booth.x, booth.digit, /*is_term=*/false);
  const Node& a = node(booth.a);
  return append(booth, a.lo + shifted(lo, booth.shift), a.hi + shifted(hi, booth.shift));
}

NodeId Datapath::booth_term(BoothTermNode term) {
  digit_code(*this, term.digit);
  const auto [lo, hi] = multiple_range(*this, term.x, term.digit, /*is_term=*/true);
  return append(term, lo, hi);
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

NodeId Datapath::min(NodeId a, NodeId b) {
  if (node(a).hi <= node(b).lo)
    return a;
  if (node(b).hi <= node(a).lo)
    return b;
  return append(MaxNode{a, b, /*is_min=*/true}, std::min(node(a).lo, node(b).lo),
                std::min(node(a).hi, node(b).hi));
}

NodeId Datapath::greater(NodeId a, NodeId b) {
  const bool always = node(a).lo > node(b).hi;
  const bool never = node(a).hi <= node(b).lo;
  return append(GreaterNode{a, b}, always ? 1 : 0, never ? 0 : 1);
}

NodeId Datapath::select(SelectNode select) {
  const Node& control = node(select.control);
  check(select.bit < control.type().width, "a choice is made by a bit that does not exist");
  if (control.lo == control.hi)
    return ((control.lo >> select.bit) & 1) != 0 ? select.then : select.otherwise;
  return append(select, std::min(node(select.then).lo, node(select.otherwise).lo),
                std::max(node(select.then).hi, node(select.otherwise).hi));
}

NodeId Datapath::requantize(RequantizeNode rq) {
  const Node& x = node(rq.x);
  if (!rq.may_overflow(x.lo, x.hi) && rq.from_frac_bits == rq.to.type.frac_bits)
    return rq.x;
  if (rq.rounds_by_adder() && rq.may_overflow(x.lo, x.hi)) {
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
                        !rq.may_overflow(x.lo, x.hi);
  if (!monotone && x.lo != x.hi) {
    lo = rq.to.type.min_raw();
    hi = rq.to.type.max_raw();
  }
  // Clamped at bounds that no result reaches, the results are the same.
  const bool may_overflow = rq.may_overflow(x.lo, x.hi);
  if (rq.to.overflow == Overflow::Saturate || !may_overflow)
    rq.to.type = narrowest_type(lo, hi, rq.to.type.frac_bits).value();
  if (!may_overflow)
    rq.to.overflow = Overflow::Wrap;  // a symmetric limit of the narrow type would be another
  return append(rq, lo, hi);
}

NodeId Datapath::half_even(HalfEvenNode even) {
  check(even.dropped >= 1, "rounding drops no bits");
  return append(even, made_even(node(even.x).lo, even.dropped),
                made_even(node(even.x).hi, even.dropped));
}

NodeId Datapath::table(TableNode table) {
  const Node& x = node(table.x);
  const auto entry = [&](Int128 raw) {
    return table.values.begin() + static_cast<ptrdiff_t>(raw - table.from.min_raw());
  };
  check(static_cast<Int128>(table.values.size()) == table.from.max_raw() - table.from.min_raw() + 1,
        "a table needs one value for each code");
  const auto [least, largest] = std::minmax_element(entry(x.lo), entry(x.hi) + 1);
  const int64_t lo = *least;
  const int64_t hi = *largest;
  // Codes that never come need no width.
  for (int64_t& value : table.values)
    value = std::clamp(value, lo, hi);
  table.to = narrowest_type(lo, hi, table.to.frac_bits).value();
  return append(table, lo, hi);
}

std::vector<NodeId> operands(const NodeKind& kind) {
  using Ids = std::vector<NodeId>;
  return std::visit(
      Overloaded{
          [](const InputNode&) { return Ids{}; }, [](const ConstantNode&) { return Ids{}; },
          [](const AddNode& n) { return Ids{n.a, n.b}; },
          [](const Add3Node& n) { return Ids{n.terms[0].node, n.terms[1].node, n.terms[2].node}; },
          [](const BoothNode& n) { return Ids{n.a, n.x, n.digit[0], n.digit[1], n.digit[2]}; },
          [](const BoothTermNode& n) { return Ids{n.x, n.digit[0], n.digit[1], n.digit[2]}; },
          [](const ReluNode& n) { return Ids{n.x}; },
          [](const MaxNode& n) { return Ids{n.a, n.b}; },
          [](const GreaterNode& n) { return Ids{n.a, n.b}; },
          [](const SelectNode& n) { return Ids{n.control, n.then, n.otherwise}; },
          [](const RequantizeNode& n) { return Ids{n.x}; },
          [](const HalfEvenNode& n) { return Ids{n.x}; },
          [](const TableNode& n) { return Ids{n.x}; }},
      kind);
}

DigitCode digit_code(const Datapath& path, const BoothDigit& digit) {
  DigitCode code;
  size_t num_bits = 0;
  for (const NodeId id : digit) {
    const bool is_known = id == code.bits[0] || id == code.bits[1];
    if (path.node(id).is_constant() || is_known)
      continue;
    check(num_bits < code.bits.size(), "a term's digit depends on three bits");
    code.bits[num_bits++] = id;
  }
  for (int value = 0; value < 4; ++value)
    for (size_t i = 0; i < digit.size(); ++i) {
      const bool is_set = digit[i] == code.bits[0]   ? (value & 1) != 0
                          : digit[i] == code.bits[1] ? (value & 2) != 0
                                                     : path.node(digit[i]).lo != 0;
      code.digits |= static_cast<int>(is_set) << (3 * value + static_cast<int>(i));
    }
  return code;
}

bool chooses_in_pairs(const Datapath& path, const MaxNode& max) {
  return !path.node(max.a).is_constant() && !path.node(max.b).is_constant();
}

int row_begin(const Datapath& path, const Add3Node& add) {
  // A term without bits, the constant 0, begins nowhere.
  std::vector<std::pair<int, bool>> begins;  // and whether the term is subtracted
  for (const auto& [id, shift, subtract] : add.terms)
    if (path.node(id).lo != 0 || path.node(id).hi != 0)
      begins.emplace_back(shift, subtract);
  std::sort(begins.begin(), begins.end());
  // A subtrahend's lowest bit may carry; any other lowest bits are the sum's.
  return begins.size() < 2 || begins[0].second ? begins.at(0).first : begins[1].first;
}

std::vector<Int128> Datapath::evaluate(std::span<const Int128> inputs) const {
  check(inputs.size() == static_cast<size_t>(num_inputs_), "one value for each datapath input");
  std::vector<Int128> values;
  const auto value = [&](NodeId id) { return values[static_cast<size_t>(id)]; };
  const auto digit = [&](const BoothDigit& bits) {
    return digit_value({value(bits[0]), value(bits[1]), value(bits[2])});
  };
  for (const Node& node : nodes_) {
    values.push_back(std::visit(
        Overloaded{
            [&](const InputNode& n) { return inputs[static_cast<size_t>(n.index)]; },
            [&](const ConstantNode& n) { return n.value; },
            [&](const AddNode& n) {
              const Int128 b = shifted(value(n.b), n.shift_b);
              return shifted(value(n.a), n.shift_a) + (n.subtract ? -b : b);
            },
            [&](const Add3Node& n) {
              Int128 sum = 0;
              for (const auto& [id, shift, subtract] : n.terms)
                sum += shifted(subtract ? -value(id) : value(id), shift);
              return sum;
            },
            [&](const BoothNode& n) {
              return value(n.a) + shifted(digit(n.digit) * value(n.x), n.shift);
            },
            [&](const BoothTermNode& n) { return digit(n.digit) * value(n.x) - value(n.digit[2]); },
            [&](const ReluNode& n) { return std::max<Int128>(0, value(n.x)); },
            [&](const MaxNode& n) {
              return n.is_min ? std::min(value(n.a), value(n.b)) : std::max(value(n.a), value(n.b));
            },
            [&](const GreaterNode& n) { return Int128{value(n.a) > value(n.b) ? 1 : 0}; },
            [&](const SelectNode& n) {
              return value(((value(n.control) >> n.bit) & 1) != 0 ? n.then : n.otherwise);
            },
            [&](const RequantizeNode& n) {
              return millrace::requantize(value(n.x), n.from_frac_bits, n.to);
            },
            [&](const HalfEvenNode& n) { return made_even(value(n.x), n.dropped); },
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
