// SPDX-License-Identifier: Apache-2.0
// Technology mapping in the manner of Chaudhary and Pedram, A near optimal algorithm for technology
// mapping minimizing area under delay constraints, DAC 1992: adders that nobody but one other adder
// reads form trees; each node of a tree has a list of its ways to be built, the faster the larger;
// each root takes the smallest way that is in time.
//
// A time is a cycle and a delay within it, as in retime.h. A three-input adder's sum is there for
// its readers only when the next cycle begins.
#include "millrace/dataflow/fuse_adders.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <deque>
#include <limits>
#include <tuple>

#include "millrace/adders/adder_graph.h"
#include "millrace/dataflow/messages.h"
#include "millrace/graph/op.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

struct Time {
  int cycle = 0;
  int64_t fs = 0;

  friend auto operator<=>(const Time&, const Time&) = default;
};
constexpr Time Never{std::numeric_limits<int>::max(), 0};

/// How an adder is built.
enum class Form { Plain, TakesA, TakesB };

/// A way to build an adder and the tree below it.
struct Way {
  NodeId node = 0;
  Form form = Form::Plain;
  Time ready;  // when its readers may begin
  int64_t luts = 0;
  std::vector<const Way*> below;  // of the adders of the tree that it reads
};

/// A way to provide some operands.
struct Supply {
  Time ready;
  int64_t luts = 0;
  std::vector<const Way*> ways;
};

/// So many ways of a node are kept; more hardly ever exist.
constexpr size_t MaxWays = 16;

/// Keeps those that are not both later and larger than another; the fastest first.
template <class T>
void prune(std::vector<T>& list) {
  std::vector<std::tuple<Time, int64_t, size_t>> order;  // of equals, the first is kept
  for (size_t i = 0; i < list.size(); ++i)
    order.emplace_back(list[i].ready, list[i].luts, i);
  std::sort(order.begin(), order.end());
  std::vector<T> kept;
  for (const auto& [ready, luts, i] : order)
    if (kept.empty() || luts < kept.back().luts)
      kept.push_back(std::move(list[i]));
  if (kept.size() > MaxWays) {  // the fastest and the smallest stay
    kept[MaxWays - 1] = std::move(kept.back());
    kept.resize(MaxWays);
  }
  list = std::move(kept);
}

std::vector<Supply> both(const std::vector<Supply>& a, const std::vector<Supply>& b) {
  std::vector<Supply> result;
  for (const Supply& x : a)
    for (const Supply& y : b) {
      Supply sum{std::max(x.ready, y.ready), x.luts + y.luts, x.ways};
      sum.ways.insert(sum.ways.end(), y.ways.begin(), y.ways.end());
      result.push_back(std::move(sum));
    }
  prune(result);
  return result;
}

/// An adder's terms: a, and b with its sign.
std::array<Add3Node::Term, 2> terms(const AddNode& add) {
  return {{{add.a, add.shift_a, false}, {add.b, add.shift_b, add.subtract}}};
}

/// The adder `sum` with the adder that its term 0 (a) or 1 (b) names.
Add3Node fused(const AddNode& sum, size_t taken, const AddNode& inner) {
  const auto outer_terms = terms(sum);
  const Add3Node::Term outer = outer_terms[taken];
  Add3Node add{.terms = {outer_terms[1 - taken]}};
  size_t next = 1;
  for (const auto& [node, shift, subtract] : terms(inner))
    add.terms[next++] = {node, shift + outer.shift, subtract != outer.subtract};
  return add;
}

class Fuser {
public:
  Fuser(const Datapath& path, const PipelineTarget& target)
      : path_(path),
        target_(target),
        budget_fs_(femtoseconds(target.clock_ns * 1000 - target.delays.register_ps)),
        deadline_fs_(std::min(femtoseconds(target.output_deadline_ps), budget_fs_)),
        ready_(path.nodes().size()),
        ways_(path.nodes().size()),
        forms_(path.nodes().size(), Form::Plain) {
    find_trees();
  }

  Datapath run() {
    // As fast as two-input adders are, and, if that is faster, as fast as three-input ones can be.
    build_all([](NodeId) { return Time{}; }, /*may_fuse=*/false);
    const int plain_latency = latency_cycles();
    build_all([](NodeId) { return Time{}; }, /*may_fuse=*/true);
    if (latency_cycles() >= plain_latency)
      build_all([](NodeId) { return Time{}; }, /*may_fuse=*/false);
    find_needed();
    build_all([this](NodeId id) { return needed_[index(id)]; }, /*may_fuse=*/true);
    return rebuild();
  }

private:
  static int64_t femtoseconds(double ps) { return std::llround(ps * 1000); }
  static size_t index(NodeId id) { return static_cast<size_t>(id); }
  NodeId count() const { return static_cast<NodeId>(path_.nodes().size()); }

  /// The adder that node `id` is; null where it is none, or one that takes no row of its own.
  const AddNode* adder(NodeId id) const {
    const auto* add = std::get_if<AddNode>(&path_.node(id).kind);
    if (add == nullptr)
      return nullptr;
    const Node& a = path_.node(add->a);
    if (a.is_constant() && a.lo == 0 && !add->subtract)
      return nullptr;
    return add;
  }

  /// An adder whose only reader is an adder belongs to that one's tree.
  void find_trees() {
    std::vector<int> reads(path_.nodes().size(), 0);
    is_live_.assign(path_.nodes().size(), false);
    in_tree_.assign(path_.nodes().size(), false);
    for (const Datapath::Output& output : path_.outputs) {
      is_live_[index(output.node)] = true;
      reads[index(output.node)] = 2;  // not by an adder alone
    }
    for (NodeId id = count(); id-- > 0;) {
      if (!is_live_[index(id)])
        continue;
      in_tree_[index(id)] = in_tree_[index(id)] && reads[index(id)] == 1;
      for (const NodeId operand : operands(path_.node(id).kind)) {
        is_live_[index(operand)] = true;
        ++reads[index(operand)];
        in_tree_[index(operand)] = adder(id) != nullptr && adder(operand) != nullptr;
      }
    }
  }

  // --- ways to build -----------------------------------------------------------------------

  /// When a node has settled whose operands are there at `start`.
  Time settled(Time start, int64_t delay_fs) const {
    if (start.fs + delay_fs > budget_fs_)
      return {start.cycle + 1, delay_fs};
    return {start.cycle, start.fs + delay_fs};
  }

  std::vector<Supply> supply(NodeId id) const {
    if (!in_tree_[index(id)])
      return {{ready_[index(id)], 0, {}}};
    std::vector<Supply> result;
    for (const Way* way : ways_[index(id)])
      result.push_back({way->ready, way->luts, {way}});
    return result;
  }

  /// Node `id` as the three-input adder `add`.
  Node as_fused(NodeId id, const Add3Node& add) const {
    Node node = path_.node(id);
    node.kind = add;
    return node;
  }

  int64_t delay_fs(const Node& node) const {
    if (std::holds_alternative<InputNode>(node.kind))
      return femtoseconds(target_.input_ready_ps);
    return femtoseconds(delay_ps(path_, node, target_.delays));
  }

  /// All ways to build an adder, from those of its operands.
  void find_ways(NodeId id, bool may_fuse) {
    const AddNode& add = *adder(id);
    std::vector<Way> found;
    for (Supply& in : both(supply(add.a), supply(add.b)))
      found.push_back({id, Form::Plain, settled(in.ready, delay_fs(path_.node(id))),
                       in.luts + row_luts(path_, path_.node(id)), std::move(in.ways)});
    for (const Form form : {Form::TakesA, Form::TakesB}) {
      const NodeId inner = form == Form::TakesA ? add.a : add.b;
      if (!may_fuse || !in_tree_[index(inner)])
        continue;
      const Add3Node add3 = fused(add, form == Form::TakesA ? 0 : 1, *adder(inner));
      const Node node = as_fused(id, add3);
      const int64_t delay = delay_fs(node);
      if (delay > budget_fs_)
        continue;
      const std::vector<Supply> two = both(supply(add3.terms[0].node), supply(add3.terms[1].node));
      for (Supply& in : both(two, supply(add3.terms[2].node)))
        found.push_back({id,
                         form,
                         {settled(in.ready, delay).cycle + 1, 0},
                         in.luts + row_luts(path_, node),
                         std::move(in.ways)});
    }
    prune(found);
    ways_[index(id)].clear();
    for (Way& way : found)
      ways_[index(id)].push_back(&store_.emplace_back(std::move(way)));
  }

  /// Builds every tree in the smallest way that is ready when `needed` says, or else in the
  /// fastest.
  template <class Needed>
  void build_all(Needed needed, bool may_fuse) {
    store_.clear();
    for (NodeId id = 0; id < count(); ++id) {
      if (!is_live_[index(id)] || path_.node(id).is_constant())
        continue;
      if (adder(id) == nullptr) {
        Time start;
        for (const NodeId operand : operands(path_.node(id).kind))
          start = std::max(start, ready_[index(operand)]);
        ready_[index(id)] = settled(start, delay_fs(path_.node(id)));
        continue;
      }
      find_ways(id, may_fuse);
      if (in_tree_[index(id)])
        continue;
      const Way* chosen = ways_[index(id)].front();
      for (const Way* way : ways_[index(id)])
        if (way->ready <= needed(id))
          chosen = way;
      ready_[index(id)] = chosen->ready;
      take(*chosen);
    }
  }

  void take(const Way& way) {
    const AddNode& add = *adder(way.node);
    forms_[index(way.node)] = way.form;
    if (way.form != Form::Plain)
      forms_[index(way.form == Form::TakesA ? add.a : add.b)] = Form::Plain;  // and not built
    for (const Way* below : way.below)
      take(*below);
  }

  // --- times -------------------------------------------------------------------------------

  int latency_cycles() const {
    int latency = 0;
    for (const Datapath::Output& output : path_.outputs) {
      const Time& ready = ready_[index(output.node)];
      latency = std::max(latency, ready.cycle + (ready.fs > deadline_fs_ ? 1 : 0));
    }
    return latency;
  }

  /// The node in the chosen form, with its operands.
  NodeKind chosen_kind(NodeId id) const {
    const Form form = forms_[index(id)];
    if (adder(id) == nullptr || form == Form::Plain)
      return path_.node(id).kind;
    const AddNode& add = *adder(id);
    return fused(add, form == Form::TakesA ? 0 : 1, *adder(form == Form::TakesA ? add.a : add.b));
  }

  /// When each node must be ready at the latest, as things are built now, for the latency of now.
  void find_needed() {
    needed_.assign(path_.nodes().size(), Never);
    for (const Datapath::Output& output : path_.outputs)
      needed_[index(output.node)] = {latency_cycles(), deadline_fs_};
    for (NodeId id = count(); id-- > 0;) {
      Time end = needed_[index(id)];
      if (end == Never)  // nobody reads it, or it is part of another
        continue;
      const NodeKind kind = chosen_kind(id);
      int64_t delay = delay_fs(path_.node(id));
      if (const auto* add3 = std::get_if<Add3Node>(&kind)) {
        delay = delay_fs(as_fused(id, *add3));
        end = {end.cycle - 1, budget_fs_};
      }
      const Time start = end.fs >= delay ? Time{end.cycle, end.fs - delay}
                                         : Time{end.cycle - 1, budget_fs_ - delay};
      for (const NodeId operand : operands(kind))
        needed_[index(operand)] = std::min(needed_[index(operand)], start);
    }
  }

  // --- the result --------------------------------------------------------------------------

  Datapath rebuild() const {
    std::vector<bool> is_taken(path_.nodes().size(), false);
    for (NodeId id = 0; id < count(); ++id)
      if (const AddNode* add = adder(id); add != nullptr && forms_[index(id)] != Form::Plain)
        is_taken[index(forms_[index(id)] == Form::TakesA ? add->a : add->b)] = true;
    Datapath result;
    std::vector<NodeId> names(path_.nodes().size(), -1);
    for (NodeId id = 0; id < count(); ++id) {
      const Node& node = path_.node(id);
      // What nobody reads may itself read an adder that is part of another now.
      const bool is_port = std::holds_alternative<InputNode>(node.kind);
      if (is_taken[index(id)] || (!is_live_[index(id)] && !is_port))
        continue;
      const NodeId name = append(result, names, node, chosen_kind(id));
      if (name + 1 == std::ssize(result.nodes()))
        result.narrow(name, node.lo, node.hi);
      names[index(id)] = name;
    }
    for (const Datapath::Output& output : path_.outputs)
      result.outputs.push_back({names[index(output.node)], output.type});
    return result;
  }

  /// Appends a node whose operands have other names in the new datapath.
  static NodeId append(Datapath& path, const std::vector<NodeId>& names, const Node& node,
                       NodeKind kind) {
    const auto rename = [&](NodeId& id) { id = names[index(id)]; };
    return std::visit(
        graph::Overloaded{[&](const InputNode&) { return path.input(node.lo, node.hi); },
                          [&](const ConstantNode& n) { return path.constant(n.value); },
                          [&](AddNode& n) {
                            rename(n.a);
                            rename(n.b);
                            return path.add(n);
                          },
                          [&](Add3Node& n) {
                            for (Add3Node::Term& term : n.terms)
                              rename(term.node);
                            return path.add3(n);
                          },
                          [&](BoothNode& n) {
                            rename(n.a);
                            rename(n.x);
                            for (NodeId& bit : n.digit)
                              rename(bit);
                            return path.booth(n);
                          },
                          [&](BoothTermNode& n) {
                            rename(n.x);
                            for (NodeId& bit : n.digit)
                              rename(bit);
                            return path.booth_term(n);
                          },
                          [&](const ReluNode& n) { return path.relu(names[index(n.x)]); },
                          [&](const MaxNode& n) {
                            const NodeId a = names[index(n.a)];
                            const NodeId b = names[index(n.b)];
                            return n.is_min ? path.min(a, b) : path.max(a, b);
                          },
                          [&](const GreaterNode& n) {
                            return path.greater(names[index(n.a)], names[index(n.b)]);
                          },
                          [&](SelectNode& n) {
                            rename(n.control);
                            rename(n.then);
                            rename(n.otherwise);
                            return path.select(n);
                          },
                          [&](RequantizeNode& n) {
                            rename(n.x);
                            return path.requantize(n);
                          },
                          [&](HalfEvenNode& n) {
                            rename(n.x);
                            return path.half_even(n);
                          },
                          [&](TableNode& n) {
                            rename(n.x);
                            return path.table(std::move(n));
                          }},
        kind);
  }

  const Datapath& path_;
  const PipelineTarget& target_;
  const int64_t budget_fs_;
  const int64_t deadline_fs_;
  std::vector<bool> is_live_;
  std::vector<bool> in_tree_;  // adders that only another adder reads
  std::vector<Time> ready_;    // of nodes that are not in a tree
  std::vector<Time> needed_;
  std::vector<std::vector<const Way*>> ways_;  // of adders, the fastest first
  std::deque<Way> store_;
  std::vector<Form> forms_;  // of adders that are built
};

}  // namespace

int row_luts(const Datapath& path, const Node& sum) {
  const int top = adders::width({sum.lo, sum.hi});
  if (const auto* add3 = std::get_if<Add3Node>(&sum.kind))
    return std::max(1, top - row_begin(path, *add3));
  if (const auto* booth = std::get_if<BoothNode>(&sum.kind))
    return std::max(1, top - booth->shift);
  if (std::holds_alternative<BoothTermNode>(sum.kind))
    return (top + 1) / 2;
  const auto* add = std::get_if<AddNode>(&sum.kind);
  if (add == nullptr)
    return 0;
  const Node& a = path.node(add->a);
  const Node& b = path.node(add->b);
  // Operands that have no position in common need no carry chain.
  const auto ends_below = [&](const Node& low, int low_shift, int high_shift) {
    return low.lo >= 0 && low.type().width + low_shift <= high_shift;
  };
  if (!add->subtract &&
      (ends_below(a, add->shift_a, add->shift_b) || ends_below(b, add->shift_b, add->shift_a)))
    return 0;
  const int begin = add->subtract ? add->shift_b : std::max(add->shift_a, add->shift_b);
  const int chain = adders::chain_bits(
      {.shift_a = add->shift_a, .shift_b = add->shift_b, .subtract = add->subtract}, {a.lo, a.hi},
      {b.lo, b.hi});
  return std::min(chain, std::max(1, top - begin));
}

bool has_three_input_adders(std::string_view family) {
  return family == "xcu" || family == "xcup";
}

Status check_three_input_adders(const std::string& family, const std::string& where) {
  if (has_three_input_adders(family))
    return {};
  return error(messages::NoThreeInputAdders, where, family, "xcu or xcup");
}

Datapath fuse_adders(const Datapath& path, const PipelineTarget& target) {
  return Fuser(path, target).run();
}

}  // namespace millrace::dataflow
