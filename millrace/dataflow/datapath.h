// SPDX-License-Identifier: Apache-2.0
// A feed-forward network of scalar operations on raw integers, pipelined to a clock. Everything
// that a layer computes between two memories is one datapath: constant multiplications, rounding,
// activation functions, comparisons.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "millrace/dataflow/delay_model.h"
#include "millrace/fixed/requantize.h"

namespace millrace::dataflow {

/// Names a node of a datapath: its index in Datapath::nodes().
using NodeId = int;

/// An element of the input vector.
struct InputNode {
  int index = 0;
};
/// A constant.
struct ConstantNode {
  Int128 value = 0;
};
/// (a << shift_a) + (b << shift_b), or minus.
struct AddNode {
  NodeId a = 0, b = 0;
  int shift_a = 0, shift_b = 0;
  bool subtract = false;
};
/// The sum of +-(node << shift) over three terms, of which at most two are subtracted, in one row
/// of LUTs: rtl/mr_add3.sv. The row is free only where registers take its sum.
struct Add3Node {
  struct Term {
    NodeId node = 0;
    int shift = 0;
    bool subtract = false;
  };
  std::array<Term, 3> terms;
};
/// A digit d = digit[1] + digit[0] - 2 * digit[2] of {-2, ..., 2}: three neighbouring bits of a
/// weight in two's complement, the lowest first. Each is a node of one bit.
using BoothDigit = std::array<NodeId, 3>;
/// a + (d * x << shift), in one row of LUTs: rtl/mr_booth_add.sv.
struct BoothNode {
  NodeId a = 0, x = 0;
  int shift = 0;
  BoothDigit digit{};
};
/// d * x - digit[2], in half a row of LUTs: rtl/mr_booth_term.sv. At most two of the digit's bits
/// are different nodes other than constants.
struct BoothTermNode {
  NodeId x = 0;
  BoothDigit digit{};
};
/// max(x, 0).
struct ReluNode {
  NodeId x = 0;
};
/// max(a, b), or min(a, b).
struct MaxNode {
  NodeId a = 0, b = 0;
  bool is_min = false;
};
/// 1 where a > b, else 0.
struct GreaterNode {
  NodeId a = 0, b = 0;
};
/// `then` where bit `bit` of `control` is set, else `otherwise`.
struct SelectNode {
  NodeId control = 0, then = 0, otherwise = 0;
  int bit = 0;
};
/// requantize(x, from_frac_bits, to).
struct RequantizeNode {
  NodeId x = 0;
  int from_frac_bits = 0;
  Quantizer to;

  /// True when rounding moves results by an addition.
  bool rounds_by_adder() const;
  /// True when some value of [lo, hi] leaves the range of the quantiser's type.
  bool may_overflow(Int128 lo, Int128 hi) const;
};
/// floor(x / 2^dropped), made even where the dropped bits are all 0: rounds x - 2^(dropped - 1) to
/// the nearest integer, half-way cases to even ones.
struct HalfEvenNode {
  NodeId x = 0;
  int dropped = 1;  ///< >= 1
};
/// values[x - min_raw of x's type].
struct TableNode {
  NodeId x = 0;
  FixedType from;  ///< the type whose codes the table lists
  FixedType to;
  std::vector<int64_t> values;  ///< 2^from.width results
};

using NodeKind =
    std::variant<InputNode, ConstantNode, AddNode, Add3Node, BoothNode, BoothTermNode, ReluNode,
                 MaxNode, GreaterNode, SelectNode, RequantizeNode, HalfEvenNode, TableNode>;

/// One operation with the exact range of its results and its place in the pipeline.
struct Node {
  NodeKind kind;
  Int128 lo = 0, hi = 0;  ///< every result lies in [lo, hi]
  int cycle = 0;          ///< its result is computed in this cycle after the input's
  double ready_ps = 0;    ///< and has settled this long after that cycle's clock edge

  /// The narrowest integer type that holds [lo, hi].
  FixedType type() const;
  /// The type in which its signal is declared: requantised values keep their quantiser's type.
  FixedType signal_type() const;
  bool is_constant() const { return std::holds_alternative<ConstantNode>(kind); }
};

/// When the outputs of a pipeline settle in its last cycle.
enum class OutputTime {
  ByDeadline,  ///< when the deadline asks for it, so that registers can stand where they are few
  Earliest,    ///< as early as they can: for outputs that more logic follows in the same cycle
};

/// What a pipeline costs.
struct PipelineCost {
  int64_t flip_flops = 0;        ///< bits of all registers
  int64_t early_flip_flops = 0;  ///< the same, if every node stood in its earliest cycle
  int latency_cycles = 0;
};

/// The network, in order of definition.
class Datapath {
public:
  /// Appends a node; its range follows from its operands' ranges.
  NodeId input(FixedType type);
  NodeId input(Int128 lo, Int128 hi);
  NodeId constant(Int128 value);
  NodeId add(AddNode node);
  NodeId add3(Add3Node node);
  NodeId booth(BoothNode node);
  NodeId booth_term(BoothTermNode node);
  NodeId relu(NodeId x);
  NodeId max(NodeId a, NodeId b);
  NodeId min(NodeId a, NodeId b);
  NodeId greater(NodeId a, NodeId b);
  NodeId select(SelectNode node);
  /// The quantiser's type becomes as narrow as its results allow.
  NodeId requantize(RequantizeNode node);
  NodeId half_even(HalfEvenNode node);
  NodeId table(TableNode node);

  /// Notes that the results of the newest node also lie in [lo, hi], which its operands' ranges do
  /// not show: as where a part of one cancels a part of the other.
  void narrow(NodeId newest, Int128 lo, Int128 hi);

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  int num_inputs() const { return num_inputs_; }

  /// The outputs, in order, each with the type in which it leaves.
  struct Output {
    NodeId node = 0;
    FixedType type;  ///< a narrower one than the node's range keeps the low bits
  };
  std::vector<Output> outputs;

  /// Places every node in a cycle in which it settles within the period: the latency is the least
  /// possible one, and no placement with that latency has fewer register bits (see retime.h).
  ///
  /// Units    input_ready_ps: when the inputs settle after the clock edge of cycle 0;
  ///          output_deadline_ps: when the outputs must have settled, 0 for registered outputs.
  /// Errors   an input or a single node that does not fit the period at all: too fast a clock.
  Status pipeline(const DelayModel& delays, double clock_ns, double input_ready_ps,
                  double output_deadline_ps, const std::string& where,
                  OutputTime output_time = OutputTime::ByDeadline);

  /// Cycles from the inputs to all outputs: they leave together, in this cycle.
  int latency_cycles() const { return latency_cycles_; }
  /// When the slowest output settles after the clock edge of the cycle in which outputs leave.
  double output_ready_ps() const { return output_ready_ps_; }
  /// The last cycle in which each node is read, -1 for nodes that nobody reads.
  std::vector<int> last_uses() const;
  /// Bits of all registers of the pipeline. A value has one line of registers for all its readers.
  int64_t flip_flops() const;
  PipelineCost pipeline_cost() const;

  /// Evaluates the network: the golden model of the emitted module.
  std::vector<Int128> evaluate(std::span<const Int128> inputs) const;

private:
  NodeId append(NodeKind kind, Int128 lo, Int128 hi);

  std::vector<Node> nodes_;
  int num_inputs_ = 0;
  int latency_cycles_ = 0;
  int64_t early_flip_flops_ = 0;
  double output_ready_ps_ = 0;
};

/// The nodes that `kind` reads.
std::vector<NodeId> operands(const NodeKind& kind);

/// How long a node's result takes to settle behind its last operand. An input's time is the
/// pipeline's affair: 0.
double delay_ps(const Datapath& path, const Node& node, const DelayModel& delays);

/// Digits of four codes, three bits each, and the nodes of the code's bits (-1: no such bit),
/// lowest first: a digit's bits as a function of what they depend on.
struct DigitCode {
  std::array<NodeId, 2> bits{-1, -1};
  int digits = 0;  ///< the digit of code 0 in the lowest three bits
};

/// The code of a term's digit.
DigitCode digit_code(const Datapath& path, const BoothDigit& digit);

/// The position at which a three-input adder's row begins: lower bits of the sum are those of its
/// lowest term, or 0.
int row_begin(const Datapath& path, const Add3Node& add);

/// Whether the choice of a maximum or minimum is rtl/mr_choice.sv: neither operand is constant.
bool chooses_in_pairs(const Datapath& path, const MaxNode& max);

}  // namespace millrace::dataflow
