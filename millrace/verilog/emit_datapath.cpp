// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_datapath.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include "millrace/graph/op.h"

namespace millrace::verilog {
namespace {

using dataflow::Add3Node;
using dataflow::AddNode;
using dataflow::BoothNode;
using dataflow::BoothTermNode;
using dataflow::ConstantNode;
using dataflow::Datapath;
using dataflow::GreaterNode;
using dataflow::HalfEvenNode;
using dataflow::InputNode;
using dataflow::MaxNode;
using dataflow::Node;
using dataflow::NodeId;
using dataflow::ReluNode;
using dataflow::RequantizeNode;
using dataflow::SelectNode;
using dataflow::TableNode;
using graph::Overloaded;

Expr cast(int width, Expr operand) {
  return expr(Cast{width, std::move(operand)});
}

Expr as_signed(Expr operand) {
  return expr(Call{"$signed", {std::move(operand)}});
}

class DatapathEmitter {
public:
  explicit DatapathEmitter(const Datapath& datapath)
      : path_(datapath), last_use_(datapath.last_uses()) {}

  Module run(const std::string& module_name, const std::string& comment) {
    module_.name = module_name;
    module_.comment = comment;
    int64_t in_bits = 0;
    int64_t out_bits = 0;
    for (const Node& node : path_.nodes())
      if (std::holds_alternative<InputNode>(node.kind))
        in_bits += node.type().width;
    for (const Datapath::Output& output : path_.outputs)
      out_bits += output.type.width;
    if (has_registers(path_))
      module_.ports.push_back({Direction::Input, "clk_i", 0});
    module_.ports.push_back({Direction::Input, "in_data_i", in_bits});
    module_.ports.push_back({Direction::Output, "out_data_o", out_bits});

    for (int cycle = 0; cycle <= path_.latency_cycles(); ++cycle)
      emit_cycle(cycle);
    emit_outputs();
    emit_unused(in_bits);
    return std::move(module_);
  }

private:
  bool is_used(NodeId id) const { return last_use_[static_cast<size_t>(id)] >= 0; }

  /// The signal that carries node `id` in `cycle`.
  Expr signal(NodeId id, int cycle) const {
    const int age = cycle - path_.node(id).cycle;
    return name(age == 0 ? fmt::format("n{}", id) : fmt::format("n{}_q{}", id, age));
  }

  /// Node `id` as an operand of `width` bits in `cycle`.
  Expr operand(NodeId id, int cycle, int width) {
    const Node& node = path_.node(id);
    if (const auto* constant = std::get_if<ConstantNode>(&node.kind))
      return expr(Literal{width, constant->value, node.lo < 0});
    if (node.signal_type().width > width) {
      truncated_.insert({id, cycle});
      return select(signal(id, cycle), 0, width);
    }
    return node.signal_type().width == width ? signal(id, cycle) : cast(width, signal(id, cycle));
  }

  /// Node `id` shifted right by `shift`, as an operand of `width` bits.
  Expr high_part(NodeId id, int cycle, int shift, int width) {
    const Node& node = path_.node(id);
    if (const auto* constant = std::get_if<ConstantNode>(&node.kind))
      return expr(Literal{width, constant->value >> shift, node.lo < 0});
    if (shift == 0)
      return operand(id, cycle, width);
    const FixedType type = node.signal_type();
    if (shift >= type.width)  // nothing but the sign is left
      return type.is_signed ? expr(Repeat{width, bit(signal(id, cycle), type.width - 1)})
                            : expr(Literal{width, 0, false});
    const Expr high = select(signal(id, cycle), shift, type.width - shift);
    return cast(width, type.is_signed ? as_signed(high) : high);
  }

  /// The same for an adder: a sign is repeated bit by bit. Signed types would say it shorter, but
  /// Yosys then joins adders that have one reader into sums of several operands, which take more
  /// LUTs than the adders; a bit that is read twice keeps them apart.
  Expr addend(NodeId id, int cycle, int shift, int width) {
    const Node& node = path_.node(id);
    const FixedType type = node.signal_type();
    const int kept = type.width - shift;
    if (node.is_constant() || !type.is_signed || kept <= 0 || kept >= width)
      return high_part(id, cycle, shift, width);
    const Expr high = shift == 0 ? signal(id, cycle) : select(signal(id, cycle), shift, kept);
    return expr(Concat{{expr(Repeat{width - kept, bit(signal(id, cycle), type.width - 1)}), high}});
  }

  void declare(const std::string& signal_name, const FixedType& type) {
    module_.items.push_back({Signal{signal_name, type.width, type.is_signed}});
  }

  /// The net of a node, with its value.
  void define(const std::string& net, const FixedType& type, Expr value) {
    module_.items.push_back({Wire{net, type.width, type.is_signed, std::move(value)}});
  }

  void emit_cycle(int cycle) {
    const auto count = static_cast<NodeId>(path_.nodes().size());
    std::vector<std::pair<Expr, Expr>> updates;
    std::vector<Signal> registers;
    for (NodeId id = 0; id < count; ++id) {
      const Node& node = path_.node(id);
      const bool kept = is_used(id) && !node.is_constant() && node.cycle < cycle &&
                        cycle <= last_use_[static_cast<size_t>(id)];
      if (!kept)
        continue;
      const FixedType type = node.signal_type();
      registers.push_back(
          {fmt::format("n{}_q{}", id, cycle - node.cycle), type.width, type.is_signed});
      updates.emplace_back(signal(id, cycle), signal(id, cycle - 1));
    }
    if (path_.latency_cycles() > 0) {
      module_.items.push_back({Comment{""}});
      module_.items.push_back({Comment{fmt::format("Cycle {}", cycle)}});
    }
    for (Signal& signal : registers)
      module_.items.push_back({std::move(signal)});
    if (!updates.empty())
      module_.items.push_back({Registers{std::move(updates)}});

    int64_t in_offset = 0;
    for (NodeId id = 0; id < count; ++id) {
      const Node& node = path_.node(id);
      const int64_t offset = in_offset;
      if (std::holds_alternative<InputNode>(node.kind))
        in_offset += node.type().width;
      if (is_used(id) && !node.is_constant() && node.cycle == cycle)
        emit_node(id, node, offset);
    }
  }

  void emit_node(NodeId id, const Node& node, int64_t in_offset) {
    const std::string target = fmt::format("n{}", id);
    const FixedType type = node.signal_type();
    const auto assign = [&](Expr value) { define(target, type, std::move(value)); };
    std::visit(
        Overloaded{
            [&](const InputNode&) { assign(select(name("in_data_i"), in_offset, type.width)); },
            [](const ConstantNode&) {},
            [&](const AddNode& add) { assign(sum(add, node.cycle, type.width)); },
            [&](const Add3Node& add) { emit_add3(target, node, add); },
            [&](const BoothNode& booth) { emit_booth(target, node, booth); },
            [&](const BoothTermNode& term) { emit_booth_term(target, node, term); },
            [&](const ReluNode& relu) { assign(rectified(relu, node.cycle, type.width)); },
            [&](const MaxNode& max) { emit_max(target, node, max); },
            [&](const GreaterNode& n) { assign(greater(n.a, n.b, node.cycle)); },
            [&](const SelectNode& n) {
              assign(expr(Conditional{control_bit(n, node.cycle),
                                      operand(n.then, node.cycle, type.width),
                                      operand(n.otherwise, node.cycle, type.width)}));
            },
            [&](const RequantizeNode& rq) {
              declare(target, type);
              emit_requantize(target, node, rq);
            },
            [&](const HalfEvenNode& even) { assign(made_even(even, node.cycle, type.width)); },
            [&](const TableNode& table) {
              declare(target, type);
              emit_table(target, node, table);
            }},
        node.kind);
  }

  /// The larger or the smaller one. Between numbers that both change, the row of LUTs that chooses
  /// is the library's own.
  void emit_max(const std::string& target, const Node& node, const MaxNode& max) {
    const FixedType type = node.signal_type();
    const Expr a_is_larger = greater(max.a, max.b, node.cycle);
    const Expr first = operand(max.is_min ? max.b : max.a, node.cycle, type.width);
    const Expr second = operand(max.is_min ? max.a : max.b, node.cycle, type.width);
    if (!chooses_in_pairs(path_, max)) {
      define(target, type, expr(Conditional{a_is_larger, first, second}));
      return;
    }
    declare(target, type);
    module_.items.push_back({Instance{
        .module = "mr_choice",
        .name = "u_" + target,
        .parameters = {{"Width", number(type.width)}},
        .ports = {
            {"choose_a_i", a_is_larger}, {"a_i", first}, {"b_i", second}, {"y_o", name(target)}}}});
  }

  /// A sum. Where one operand is shifted up, the other's low bits pass beside the carry chain.
  Expr sum(const AddNode& add, int cycle, int width) {
    const char* op = add.subtract ? "-" : "+";
    if (add.shift_b > 0 && width > add.shift_b) {
      const int high = width - add.shift_b;
      return expr(Concat{
          {binary(op, addend(add.a, cycle, add.shift_b, high), addend(add.b, cycle, 0, high)),
           operand(add.a, cycle, add.shift_b)}});
    }
    if (add.shift_a > 0 && width > add.shift_a && !add.subtract) {
      const int high = width - add.shift_a;
      return expr(Concat{
          {binary(op, addend(add.a, cycle, 0, high), addend(add.b, cycle, add.shift_a, high)),
           operand(add.b, cycle, add.shift_a)}});
    }
    const auto shifted = [&](NodeId id, int shift) {
      Expr value = addend(id, cycle, 0, width);
      return shift == 0 ? value : binary("<<", std::move(value), number(shift));
    };
    return binary(op, shifted(add.a, add.shift_a), shifted(add.b, add.shift_b));
  }

  /// A sum of three. The row's instance adds from the position at which the row begins.
  void emit_add3(const std::string& target, const Node& node, const Add3Node& add) {
    const FixedType type = node.type();
    const int begin = std::min(row_begin(path_, add), type.width - 1);
    const int high = type.width - begin;
    const std::string row = begin == 0 ? target : target + "_row";
    declare(row, {begin == 0 && type.is_signed, high, 0});
    Instance instance{.module = "mr_add3",
                      .name = "u_" + target,
                      .parameters = {{"Width", number(high)}},
                      .ports = {}};
    Expr low = expr(Literal{begin, 0, false});
    for (size_t i = 0; i < add.terms.size(); ++i) {
      const auto& [id, shift, subtract] = add.terms[i];
      if (subtract)
        instance.parameters.emplace_back(std::string("Subtract") + "ABC"[i],
                                         expr(Literal{1, 1, false}));
      instance.ports.emplace_back(std::string(1, "abc"[i]) + "_i",
                                  positions(id, node.cycle, shift, begin, high));
      const Node& term = path_.node(id);
      if (shift < begin && (term.lo != 0 || term.hi != 0))  // then no other term begins below
        low = positions(id, node.cycle, shift, 0, begin);
    }
    instance.ports.emplace_back("y_o", name(row));
    module_.items.push_back({std::move(instance)});
    if (begin > 0)
      define(target, type, expr(Concat{{name(row), std::move(low)}}));
  }

  /// A sum with a multiple of x, whose row begins where x does.
  void emit_booth(const std::string& target, const Node& node, const BoothNode& booth) {
    const FixedType type = node.type();
    const int begin = std::min(booth.shift, type.width - 1);
    const int high = type.width - begin;
    const std::string row = begin == 0 ? target : target + "_row";
    declare(row, {begin == 0 && type.is_signed, high, 0});
    const auto& [low_bit, middle_bit, high_bit] = booth.digit;
    module_.items.push_back(
        {Instance{.module = "mr_booth_add",
                  .name = "u_" + target,
                  .parameters = {{"Width", number(high)}},
                  .ports = {{"a_i", positions(booth.a, node.cycle, 0, begin, high)},
                            {"x_i", positions(booth.x, node.cycle, booth.shift, begin, high)},
                            {"digit_i", expr(Concat{{operand(high_bit, node.cycle, 1),
                                                     operand(middle_bit, node.cycle, 1),
                                                     operand(low_bit, node.cycle, 1)}})},
                            {"y_o", name(row)}}}});
    if (begin > 0)
      define(target, type, expr(Concat{{name(row), positions(booth.a, node.cycle, 0, 0, begin)}}));
  }

  void emit_booth_term(const std::string& target, const Node& node, const BoothTermNode& term) {
    const FixedType type = node.type();
    declare(target, type);
    const dataflow::DigitCode code = digit_code(path_, term.digit);
    const auto code_bit = [&](size_t i) {
      return code.bits[i] < 0 ? expr(Literal{1, 0, false}) : operand(code.bits[i], node.cycle, 1);
    };
    module_.items.push_back(
        {Instance{.module = "mr_booth_term",
                  .name = "u_" + target,
                  .parameters = {{"Width", number(type.width)},
                                 {"Digits", expr(Literal{12, code.digits, false})}},
                  .ports = {{"x_i", operand(term.x, node.cycle, type.width)},
                            {"code_i", expr(Concat{{code_bit(1), code_bit(0)}})},
                            {"y_o", name(target)}}}});
  }

  /// Bits [begin, begin + width) of node << shift.
  Expr positions(NodeId id, int cycle, int shift, int begin, int width) {
    if (shift <= begin)
      return high_part(id, cycle, begin - shift, width);
    const int zeros = std::min(width, shift - begin);
    const Expr low = expr(Literal{zeros, 0, false});
    return zeros == width ? low : expr(Concat{{operand(id, cycle, width - zeros), low}});
  }

  Expr rectified(const ReluNode& relu, int cycle, int width) {
    const int sign = path_.node(relu.x).signal_type().width - 1;
    return expr(Conditional{bit(signal(relu.x, cycle), sign), expr(Literal{width, 0, false}),
                            operand(relu.x, cycle, width)});
  }

  /// The kept bits, the lowest one cleared where all dropped ones are 0.
  Expr made_even(const HalfEvenNode& even, int cycle, int width) {
    const Expr x = signal(even.x, cycle);
    const int x_width = path_.node(even.x).signal_type().width;
    const Expr dropped = expr(Unary{"|", select(x, 0, std::min(even.dropped, x_width))});
    const Expr lowest = binary("&", bit(x, std::min(even.dropped, x_width - 1)), dropped);
    if (width == 1)
      return lowest;
    return expr(Concat{{high_part(even.x, cycle, even.dropped + 1, width - 1), lowest}});
  }

  Expr control_bit(const SelectNode& select, int cycle) {
    const Expr control = signal(select.control, cycle);
    if (path_.node(select.control).signal_type().width > 1)
      truncated_.insert({select.control, cycle});
    return bit(control, select.bit);
  }

  /// a > b.
  Expr greater(NodeId id_a, NodeId id_b, int cycle) {
    const Node& a = path_.node(id_a);
    const Node& b = path_.node(id_b);
    const FixedType both = narrowest_type(std::min(a.lo, b.lo), std::max(a.hi, b.hi), 0).value();
    // Declared types may be wider than the ranges; equal widths keep the comparison plain.
    const int common = std::max({both.width, a.signal_type().width, b.signal_type().width});
    const auto side = [&](NodeId id) {
      const Expr value = operand(id, cycle, common);
      return both.is_signed ? as_signed(value) : value;
    };
    return binary(">", side(id_a), side(id_b));
  }

  void emit_requantize(const std::string& target, const Node& node, const RequantizeNode& rq) {
    const FixedType from = path_.node(rq.x).signal_type();
    const auto mode = [](auto value) { return name("mr_pkg::" + std::string(to_string(value))); };
    module_.items.push_back({Instance{
        .module = "mr_requantize",
        .name = "u_" + target,
        .parameters = {{"InWidth", number(from.width)},
                       {"InSigned", expr(Literal{1, from.is_signed, false})},
                       {"Shift", number(rq.from_frac_bits - rq.to.type.frac_bits)},
                       {"OutWidth", number(rq.to.type.width)},
                       {"OutSigned", expr(Literal{1, rq.to.type.is_signed, false})},
                       {"Rounding", mode(rq.to.rounding)},
                       {"Overflow", mode(rq.to.overflow)}},
        .ports = {{"in_data_i", signal(rq.x, node.cycle)}, {"out_data_o", name(target)}}}});
  }

  void emit_table(const std::string& target, const Node& node, const TableNode& table) {
    std::map<int64_t, int> counts;
    for (const int64_t value : table.values)
      ++counts[value];
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& x, const auto& y) { return x.second < y.second; });
    const auto result = [&](int64_t value) {
      return expr(Literal{table.to.width, value, table.to.is_signed});
    };
    Lookup lookup{.selector = operand(table.x, node.cycle, table.from.width),
                  .target = name(target),
                  .rows = {},
                  .otherwise = result(most->first)};
    for (size_t i = 0; i < table.values.size(); ++i)
      if (table.values[i] != most->first)
        lookup.rows.emplace_back(
            expr(Literal{table.from.width, table.from.min_raw() + static_cast<int64_t>(i), false}),
            result(table.values[i]));
    module_.items.push_back({std::move(lookup)});
  }

  void emit_outputs() {
    module_.items.push_back({Comment{""}});
    int64_t offset = 0;
    for (const Datapath::Output& output : path_.outputs) {
      module_.items.push_back(
          {Assign{select(name("out_data_o"), offset, output.type.width),
                  operand(output.node, path_.latency_cycles(), output.type.width)}});
      offset += output.type.width;
    }
  }

  /// Names what is deliberately not read, so that a linter's "unused" always means a mistake.
  void emit_unused(int64_t in_bits) {
    int64_t read = 0;
    bool clock_idle = has_registers(path_);
    for (NodeId id = 0; id < static_cast<NodeId>(path_.nodes().size()); ++id) {
      const Node& node = path_.node(id);
      if (is_used(id) && std::holds_alternative<InputNode>(node.kind))
        read += node.type().width;
      if (is_used(id) && !node.is_constant() && last_use_[static_cast<size_t>(id)] > node.cycle)
        clock_idle = false;
    }
    std::vector<Expr> parts;
    if (clock_idle)
      parts.push_back(name("clk_i"));
    if (read < in_bits)
      parts.push_back(name("in_data_i"));
    for (const auto& [id, cycle] : truncated_)
      parts.push_back(signal(id, cycle));
    if (parts.empty())
      return;
    module_.items.push_back({Signal{"unused"}});
    module_.items.push_back(
        {Assign{name("unused"), expr(Unary{"^", expr(Concat{std::move(parts)})})}});
  }

  const Datapath& path_;
  const std::vector<int> last_use_;
  Module module_;
  std::set<std::pair<NodeId, int>>
      truncated_;  // signals (node, cycle) of which somebody drops bits
};

}  // namespace

bool has_registers(const Datapath& datapath) {
  return datapath.latency_cycles() > 0;
}

Module emit_datapath(const Datapath& datapath, const std::string& module_name,
                     const std::string& comment) {
  return DatapathEmitter(datapath).run(module_name, comment);
}

}  // namespace millrace::verilog
