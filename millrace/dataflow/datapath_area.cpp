// SPDX-License-Identifier: Apache-2.0
// Follows verilog/emit_datapath.cpp node by node. What the primitives of each operation are is
// taken from the maps of Yosys 0.23, share/xilinx/arith_map.v and share/cmp2lcu.v.
#include "millrace/dataflow/datapath_area.h"

#include <algorithm>
#include <map>

#include "millrace/graph/op.h"

namespace millrace::dataflow {
namespace {

using Bits = std::vector<BitId>;  // the lowest first

class Counter {
public:
  Counter(const Datapath& path, int first_registered)
      : path_(path), first_registered_(first_registered), bits_(path.nodes().size()) {}

  BitNetworkArea run() {
    for (size_t id = 0; id < path_.nodes().size(); ++id) {
      const Node& node = path_.nodes()[id];
      bits_[id] = fitted(bits_of(node), node.signal_type().width, node.signal_type().is_signed);
    }
    for (const Datapath::Output& output : path_.outputs)
      for (const BitId bit : operand(output.node, output.type.width))
        network_.output(bit, path_.latency_cycles());
    return network_.area();
  }

private:
  static Bits fitted(Bits bits, int width, bool is_signed) {
    const BitId above = is_signed && !bits.empty() ? bits.back() : ZeroBit;
    bits.resize(static_cast<size_t>(width), above);
    return bits;
  }

  /// Bits [begin, begin + width) of a node, its sign repeated above.
  Bits part(NodeId id, int begin, int width) const {
    const Bits& all = bits_[static_cast<size_t>(id)];
    const BitId above = path_.node(id).signal_type().is_signed ? all.back() : ZeroBit;
    Bits result;
    for (int i = begin; i < begin + width; ++i)
      result.push_back(i < 0 ? ZeroBit : i < std::ssize(all) ? all[static_cast<size_t>(i)] : above);
    return result;
  }
  Bits operand(NodeId id, int width) const { return part(id, 0, width); }

  Bits bits_of(const Node& node) {
    const int width = node.signal_type().width;
    return std::visit(
        graph::Overloaded{
            [&](const InputNode& n) {
              const int cycle = n.index >= first_registered_ ? node.cycle - 1 : node.cycle;
              Bits bits;
              for (int i = 0; i < width; ++i)
                bits.push_back(network_.source(cycle));
              return bits;
            },
            [&](const ConstantNode& n) {
              Bits bits;
              for (int i = 0; i < width; ++i)
                bits.push_back((n.value >> i & 1) != 0 ? OneBit : ZeroBit);
              return bits;
            },
            [&](const AddNode& n) { return added(node, n); },
            [&](const Add3Node& n) { return added3(node, n); },
            [&](const BoothNode& n) {
              Bits read = digit_bits(n.digit);
              append(read, operand(n.x, std::max(0, width - n.shift)));
              return row(node, operand(n.a, width), std::min(n.shift, width - 1), read);
            },
            [&](const BoothTermNode& n) {
              // Two bits of the term in one LUT: rtl/mr_booth_term.sv.
              Bits read = digit_bits(n.digit);
              append(read, operand(n.x, width));
              Bits bits;
              for (int i = 0; i < width; ++i)
                bits.push_back(network_.cell(node.cycle, read, i % 2 == 0 ? 1 : 0));
              return bits;
            },
            [&](const ReluNode& n) {
              const BitId sign = bits_[static_cast<size_t>(n.x)].back();
              Bits bits = operand(n.x, width);
              for (BitId& bit : bits)
                bit = network_.cleared(node.cycle, sign, bit);
              return bits;
            },
            [&](const MaxNode& n) {
              const BitId a_is_larger = greater(node.cycle, n.a, n.b);
              const Bits then = operand(n.is_min ? n.b : n.a, width);
              const Bits otherwise = operand(n.is_min ? n.a : n.b, width);
              return chooses_in_pairs(path_, n)
                         ? paired_choices(node.cycle, a_is_larger, then, otherwise)
                         : choices(node.cycle, a_is_larger, then, otherwise);
            },
            [&](const GreaterNode& n) { return Bits{greater(node.cycle, n.a, n.b)}; },
            [&](const SelectNode& n) {
              const BitId control =
                  bits_[static_cast<size_t>(n.control)][static_cast<size_t>(n.bit)];
              return choices(node.cycle, control, operand(n.then, width),
                             operand(n.otherwise, width));
            },
            [&](const RequantizeNode& n) { return requantized(node, n); },
            [&](const HalfEvenNode& n) {
              const Bits& x = bits_[static_cast<size_t>(n.x)];
              const int x_width = static_cast<int>(x.size());
              Bits dropped = part(n.x, 0, std::min(n.dropped, x_width));
              const BitId any = network_.reduced(node.cycle, dropped);
              Bits bits = part(n.x, n.dropped, width);
              bits[0] = network_.logic(
                  node.cycle, {x[static_cast<size_t>(std::min(n.dropped, x_width - 1))], any});
              return bits;
            },
            [&](const TableNode& n) { return looked_up(node, n); }},
        node.kind);
  }

  static void append(Bits& bits, const Bits& more) {
    bits.insert(bits.end(), more.begin(), more.end());
  }

  Bits digit_bits(const BoothDigit& digit) const {
    Bits bits;
    for (const NodeId id : digit)
      append(bits, operand(id, 1));
    return bits;
  }

  Bits choices(int cycle, BitId control, const Bits& then, const Bits& otherwise) {
    Bits bits;
    for (size_t i = 0; i < then.size(); ++i)
      bits.push_back(network_.choice(cycle, control, then[i], otherwise[i]));
    return bits;
  }

  /// Two bits of the choice in one LUT: rtl/mr_choice.sv.
  Bits paired_choices(int cycle, BitId control, const Bits& then, const Bits& otherwise) {
    Bits bits;
    for (size_t i = 0; i < then.size(); ++i)
      bits.push_back(network_.cell(cycle, {control, then[i], otherwise[i]}, i % 2 == 0 ? 1 : 0));
    return bits;
  }

  /// A row of the library's own primitives, a LUT for each bit from `begin` on. Below, the low bits
  /// pass.
  Bits row(const Node& node, const Bits& low, int begin, const Bits& read) {
    Bits bits(low.begin(), low.begin() + begin);
    BitId below = ZeroBit;
    for (int i = begin; i < node.signal_type().width; ++i) {
      Bits inputs = i == begin ? read : Bits{below};
      if (i == begin)
        inputs.insert(inputs.end(), low.begin() + begin, low.end());
      below = network_.cell(node.cycle, inputs, 1);
      bits.push_back(below);
    }
    return bits;
  }

  /// a + b in a carry chain: each bit has a LUT that compares the operands' bits. Where one of them
  /// is constant the other goes straight to the chain, or through an inverter. Low bits where both
  /// are constant are constant themselves, and stand before the chain.
  Bits sum_of(int cycle, const Bits& a, const Bits& b, bool subtract) {
    Bits bits;
    bool carry = subtract;
    for (size_t i = 0; i < a.size() && a[i] < 0 && b[i] < 0; ++i) {
      const int sum = (a[i] == OneBit ? 1 : 0) + ((b[i] == OneBit) != subtract ? 1 : 0) + carry;
      bits.push_back(sum % 2 != 0 ? OneBit : ZeroBit);
      carry = sum > 1;
    }
    const size_t begin = bits.size();
    BitId below = ZeroBit;
    std::pair<BitId, BitId> last{ZeroBit, ZeroBit};
    BitId last_differ = ZeroBit;
    const bool is_short = a.size() <= 2;  // then there is no chain: arith_map.v
    for (size_t i = begin; i < a.size(); ++i) {
      if (is_short) {
        bits.push_back(i == 0 ? network_.logic(cycle, {a[0], b[0]})
                              : network_.logic(cycle, {a[0], b[0], a[1], b[1]}));
        continue;
      }
      const bool is_inverted = (a[i] == OneBit) != (b[i] == (subtract ? ZeroBit : OneBit));
      BitId differ = ZeroBit;
      if (last == std::pair{a[i], b[i]} && i > begin)
        differ = last_differ;
      else if (is_inverted || (a[i] >= 0 && b[i] >= 0))
        differ = network_.logic(cycle, {a[i], b[i]});
      else
        differ = std::max(a[i], b[i]);
      last = {a[i], b[i]};
      last_differ = differ;
      below = network_.cell(cycle, {differ, a[i], below});
      bits.push_back(below);
    }
    return bits;
  }

  Bits added(const Node& node, const AddNode& n) {
    const int width = node.signal_type().width;
    const bool a_low = n.shift_b > 0 && width > n.shift_b;
    const bool b_low = !a_low && n.shift_a > 0 && width > n.shift_a && !n.subtract;
    const int begin = a_low ? n.shift_b : b_low ? n.shift_a : 0;
    const int high = width - begin;
    const Bits a = part(n.a, begin - n.shift_a, high);
    const Bits b = part(n.b, begin - n.shift_b, high);
    Bits bits = begin > 0 ? operand(a_low ? n.a : n.b, begin) : Bits{};
    const auto is_zero = [](const Bits& x) {
      return std::all_of(x.begin(), x.end(), [](BitId bit) { return bit == ZeroBit; });
    };
    if (is_zero(b))
      append(bits, a);
    else if (is_zero(a) && !n.subtract)
      append(bits, b);
    else
      append(bits, sum_of(node.cycle, a, b, n.subtract));
    return bits;
  }

  Bits added3(const Node& node, const Add3Node& n) {
    const int width = node.type().width;
    const int begin = std::min(row_begin(path_, n), width - 1);
    Bits low(static_cast<size_t>(width), ZeroBit);
    Bits read;
    for (const auto& [id, shift, subtract] : n.terms) {
      const Node& term = path_.node(id);
      append(read, part(id, begin - shift, width - begin));
      if (shift < begin && (term.lo != 0 || term.hi != 0)) {
        const Bits below = part(id, -shift, begin);
        std::copy(below.begin(), below.end(), low.begin());
      }
    }
    return row(node, low, begin, read);
  }

  /// a > b: three bits of each make two LUTs before a carry chain.
  BitId greater(int cycle, NodeId id_a, NodeId id_b) {
    const Node& a = path_.node(id_a);
    const Node& b = path_.node(id_b);
    const FixedType both = narrowest_type(std::min(a.lo, b.lo), std::max(a.hi, b.hi), 0).value();
    const int width = std::max({both.width, a.signal_type().width, b.signal_type().width});
    const Bits a_bits = operand(id_a, width);
    const Bits b_bits = operand(id_b, width);
    constexpr int GroupBits = 3;
    const int groups = (width + GroupBits - 1) / GroupBits;
    BitId below = ZeroBit;
    Bits read;
    for (int group = 0; group < groups; ++group) {
      // The groups are cut from the highest bit down.
      const int end = width - (groups - 1 - group) * GroupBits;
      Bits inputs;
      for (int i = std::max(0, end - GroupBits); i < end; ++i)
        append(inputs, {a_bits[static_cast<size_t>(i)], b_bits[static_cast<size_t>(i)]});
      const BitId generate = network_.logic(cycle, inputs);
      const BitId propagate = network_.logic(cycle, inputs);
      append(read, {generate, propagate});
      below = network_.cell(cycle, {generate, propagate, below});
    }
    if (groups <= 2)  // then there is no chain: arith_map.v
      return network_.logic(cycle, groups == 1 ? Bits{read[0]} : Bits{read[0], read[2], read[3]});
    return below;
  }

  Bits requantized(const Node& node, const RequantizeNode& n) {
    const FixedType& to = n.to.type;
    const int cycle = node.cycle;
    const FixedType from = path_.node(n.x).signal_type();
    const int shift = n.from_frac_bits - to.frac_bits;
    const int dropped = std::clamp(shift, 0, from.width + 1);
    const int gained = std::clamp(-shift, 0, to.width + 1);
    // As rtl/mr_requantize.sv: two bits more than the number, and one for the carry.
    const int kept_width = std::max(from.width + 2, dropped + 1) - dropped + 1;
    Bits value = part(n.x, dropped, kept_width);
    if (n.rounds_by_adder()) {
      Bits deciding = part(n.x, 0, dropped);  // the dropped bits, and what else the mode looks at
      if (n.to.rounding == Rounding::HalfUp)
        deciding.erase(deciding.begin(), deciding.end() - 1);
      else if (n.to.rounding == Rounding::HalfEven)
        deciding.push_back(value[0]);
      else
        deciding.push_back(value.back());
      BitId up = ZeroBit;
      if (deciding.size() <= 5) {
        up = network_.logic(cycle, deciding);
      } else {
        const Bits rest(deciding.begin(), deciding.end() - 2);
        up = network_.logic(
            cycle, {deciding[deciding.size() - 2], deciding.back(), network_.reduced(cycle, rest)});
      }
      Bits one(value.size(), ZeroBit);
      one[0] = up;
      value = sum_of(cycle, value, one, false);
    }
    Bits result(static_cast<size_t>(gained), ZeroBit);
    append(result, value);
    return overflowed(cycle,
                      fitted(std::move(result), std::max(to.width + 1, kept_width + gained),
                             /*is_signed=*/true),
                      n.to);
  }

  /// As rtl/mr_overflow.sv.
  Bits overflowed(int cycle, const Bits& value, const Quantizer& to) {
    const auto width = static_cast<size_t>(to.type.width);
    const Bits low(value.begin(), value.begin() + to.type.width);
    const BitId negative = value.back();
    if (to.overflow == Overflow::Wrap)
      return low;
    // The bits that must agree, without repetitions.
    Bits high(value.begin() + to.type.width - (to.type.is_signed ? 1 : 0), value.end());
    high.erase(std::unique(high.begin(), high.end()), high.end());
    std::erase(high, negative);
    if (to.type.is_signed && high.empty() && to.overflow != Overflow::SaturateSymmetric)
      return low;
    constexpr size_t GroupBits = 5;  // beside the sign
    Bits deciding{negative};
    if (to.overflow == Overflow::SaturateSymmetric && to.type.is_signed)
      deciding.push_back(network_.reduced(cycle, low));
    for (size_t begin = 0; begin < high.size(); begin += GroupBits) {
      Bits group{negative};
      group.insert(
          group.end(), high.begin() + static_cast<std::ptrdiff_t>(begin),
          high.begin() + static_cast<std::ptrdiff_t>(std::min(begin + GroupBits, high.size())));
      deciding.push_back(network_.logic(cycle, group));
    }
    Bits bits;
    for (size_t i = 0; i < width; ++i) {
      if (low[i] == ZeroBit && !to.type.is_signed && high.empty()) {
        bits.push_back(ZeroBit);
        continue;
      }
      Bits inputs = deciding;
      inputs.push_back(low[i]);
      const bool clears =
          to.overflow == Overflow::SaturateZero || (!to.type.is_signed && high.size() <= 1);
      if (clears)
        bits.push_back(network_.cleared(cycle, network_.logic(cycle, deciding), low[i]));
      else
        bits.push_back(network_.logic(cycle, inputs));
    }
    return bits;
  }

  /// A table of up to 6 address bits takes a LUT for each of its results' bits; one of more as many
  /// as it has different parts, and multiplexers among them.
  Bits looked_up(const Node& node, const TableNode& n) {
    const int address_bits = n.from.width;
    const Bits address = operand(n.x, address_bits);
    Bits bits;
    for (int k = 0; k < n.to.width; ++k) {
      std::vector<bool> function;
      for (size_t code = 0; code < n.values.size(); ++code) {
        // The table's rows are in order of the raw integers; addresses are their codes.
        const size_t row = n.from.is_signed ? code ^ n.values.size() / 2 : code;
        function.push_back((n.values[row] >> k & 1) != 0);
      }
      bits.push_back(of_function(node.cycle, address, function));
    }
    return bits;
  }

  /// A function of the address, by its parts for each value of the address's high bits.
  BitId of_function(int cycle, const Bits& address, const std::vector<bool>& function) {
    if (std::find(function.begin(), function.end(), true) == function.end())
      return ZeroBit;
    if (std::find(function.begin(), function.end(), false) == function.end())
      return OneBit;
    const size_t half = function.size() / 2;
    const std::vector<bool> low(function.begin(),
                                function.begin() + static_cast<std::ptrdiff_t>(half));
    const std::vector<bool> high(function.begin() + static_cast<std::ptrdiff_t>(half),
                                 function.end());
    const Bits below(address.begin(), address.end() - 1);
    if (low == high)
      return of_function(cycle, below, low);
    const auto [known, is_new] = functions_.try_emplace({address, function}, ZeroBit);
    if (!is_new)
      return known->second;
    BitId result = ZeroBit;
    if (address.size() <= 6) {
      Bits inputs{address.back()};
      for (size_t i = 0; i + 1 < address.size(); ++i)
        if (depends(function, size_t{1} << i))
          inputs.push_back(address[i]);
      result = network_.logic(cycle, inputs);
    } else {
      const BitId otherwise = of_function(cycle, below, low);
      const BitId then = of_function(cycle, below, high);
      result = network_.logic(cycle, {address.back(), then, otherwise});
    }
    functions_[{address, function}] = result;
    return result;
  }

  static bool depends(const std::vector<bool>& function, size_t step) {
    for (size_t i = 0; i < function.size(); ++i)
      if (function[i] != function[i ^ step])
        return true;
    return false;
  }

  const Datapath& path_;
  const int first_registered_;
  BitNetwork network_;
  std::vector<Bits> bits_;  // of each node
  std::map<std::pair<Bits, std::vector<bool>>, BitId> functions_;
};

}  // namespace

BitNetworkArea datapath_area(const Datapath& path, int first_registered) {
  return Counter(path, first_registered).run();
}

}  // namespace millrace::dataflow
