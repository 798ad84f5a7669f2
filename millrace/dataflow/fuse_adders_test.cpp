// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/fuse_adders.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <random>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/dataflow/adder_datapath.h"
#include "millrace/dataflow/messages.h"

namespace millrace::dataflow {
namespace {

using Random = std::mt19937_64;

const DelayModel Delays{.family = "test",
                        .register_ps = 600,
                        .lut_ps = 450,
                        .adder_base_ps = 1000,
                        .adder_per_bit_ps = 15,
                        .memory_read_ps = 900};
constexpr FixedType Byte{.is_signed = true, .width = 8, .frac_bits = 0};

PipelineTarget at_clock(double clock_ns) {
  return {.delays = Delays, .clock_ns = clock_ns, .input_ready_ps = 0, .output_deadline_ps = 0};
}

int latency_of(Datapath path, const PipelineTarget& target) {
  EXPECT_TRUE(path.pipeline(target.delays, target.clock_ns, target.input_ready_ps,
                            target.output_deadline_ps, "test")
                  .has_value());
  return path.latency_cycles();
}

template <class Kind>
int64_t count(const Datapath& path) {
  return std::ranges::count_if(
      path.nodes(), [](const Node& node) { return std::holds_alternative<Kind>(node.kind); });
}

int64_t luts_of(const Datapath& path) {
  int64_t luts = 0;
  for (const Node& node : path.nodes())
    luts += row_luts(path, node);
  return luts;
}

void append_output(Datapath& path, NodeId id) {
  path.outputs.push_back({id, path.node(id).type()});
}

/// Inputs added up one after the other.
Datapath adder_chain(int inputs) {
  Datapath path;
  NodeId sum = path.input(Byte);
  for (int i = 1; i < inputs; ++i)
    sum = path.add({.a = sum, .b = path.input(Byte)});
  append_output(path, sum);
  return path;
}

void expect_equal_results(const Datapath& x, const Datapath& y, Random& random) {
  ASSERT_EQ(x.num_inputs(), y.num_inputs());
  for (int round = 0; round < 20; ++round) {
    std::vector<Int128> inputs;
    for (const Node& node : x.nodes())
      if (std::holds_alternative<InputNode>(node.kind))
        inputs.push_back(node.lo + static_cast<Int128>(random()) % (node.hi - node.lo + 1));
    ASSERT_TRUE(x.evaluate(inputs) == y.evaluate(inputs));
  }
}

TEST(FuseAdders, OnlyFamiliesWithTheCarryChainAreTaken) {
  EXPECT_TRUE(check_three_input_adders("xcu", "--part"));
  EXPECT_TRUE(check_three_input_adders("xcup", "--part"));
  const Status refused = check_three_input_adders("ecp5", "--part");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, messages::NoThreeInputAdders.code);
}

TEST(FuseAdders, TwoAddersBecomeOneRow) {
  const Datapath path = adder_chain(3);
  const Datapath fused = fuse_adders(path, at_clock(5));
  EXPECT_EQ(count<AddNode>(fused), 0);
  EXPECT_EQ(count<Add3Node>(fused), 1);
  EXPECT_EQ(luts_of(path), 8 + 9);
  EXPECT_EQ(luts_of(fused), 10);
  EXPECT_EQ(latency_of(fused, at_clock(5)), latency_of(path, at_clock(5)));
}

TEST(FuseAdders, AFastClockNeedsFewerCyclesWithThreeInputAdders) {
  const Datapath path = adder_chain(5);
  EXPECT_EQ(latency_of(path, at_clock(2.4)), 4);
  const Datapath fused = fuse_adders(path, at_clock(2.4));
  EXPECT_EQ(count<Add3Node>(fused), 2);
  EXPECT_EQ(latency_of(fused, at_clock(2.4)), 2);
}

TEST(FuseAdders, ASumThatLogicReadsInTheSameCycleIsLeftAlone) {
  Datapath path = adder_chain(3);
  const NodeId sum = path.outputs.front().node;
  path.outputs.clear();
  append_output(path, path.relu(sum));
  EXPECT_EQ(count<Add3Node>(fuse_adders(path, at_clock(5))), 0) << "it would cost a cycle";
}

TEST(FuseAdders, ASumWithTwoReadersIsLeftAlone) {
  Datapath path = adder_chain(2);
  const NodeId shared = path.outputs.front().node;
  path.outputs.clear();
  append_output(path, path.add({.a = shared, .b = path.input(Byte)}));
  append_output(path, path.add({.a = shared, .b = path.input(Byte)}));
  EXPECT_EQ(count<Add3Node>(fuse_adders(path, at_clock(5))), 0);
  // Twice by the same reader is twice.
  Datapath twice = adder_chain(2);
  const NodeId sum = twice.outputs.front().node;
  twice.outputs.clear();
  append_output(twice, twice.add({.a = sum, .b = sum, .shift_b = 3}));
  EXPECT_EQ(count<Add3Node>(fuse_adders(twice, at_clock(5))), 0);
}

TEST(FuseAdders, AReaderThatNobodyReadsDoesNotCount) {
  Datapath path = adder_chain(3);
  const NodeId inner = path.outputs.front().node - 2;
  ASSERT_TRUE(std::holds_alternative<AddNode>(path.node(inner).kind));
  path.add({.a = inner, .b = path.input(Byte)});
  const Datapath fused = fuse_adders(path, at_clock(5));
  EXPECT_EQ(count<Add3Node>(fused), 1);
  EXPECT_EQ(count<AddNode>(fused), 0);
  Random random(1);
  expect_equal_results(path, fused, random);
}

TEST(FuseAdders, RowsThatTogetherAreShorterStayApart) {
  // The inner sum has no position in common with the outer operand but one.
  Datapath path;
  const NodeId low = path.add({.a = path.input(0, 7), .b = path.input(0, 7)});
  append_output(path, path.add({.a = low, .b = path.input(Byte), .shift_b = 3}));
  EXPECT_EQ(luts_of(path), 3 + 8);
  EXPECT_EQ(count<Add3Node>(fuse_adders(path, at_clock(5))), 0);
}

TEST(FuseAdders, SubtractionsAndShiftsKeepTheirMeaning) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    Datapath path;
    const auto add = [&](NodeId a, NodeId b) {
      const int shift = static_cast<int>(random() % 4);
      const bool shifts_a = random() % 2 == 0;
      return path.add({.a = a,
                       .b = b,
                       .shift_a = shifts_a ? shift : 0,
                       .shift_b = shifts_a ? 0 : shift,
                       .subtract = random() % 2 == 0});
    };
    const NodeId x = path.input(Byte);
    const NodeId inner = add(x, random() % 3 == 0 ? path.constant(5) : path.input(0, 9));
    const NodeId z = path.input(-3, 12);
    append_output(path, random() % 2 == 0 ? add(inner, z) : add(z, inner));
    const Datapath fused = fuse_adders(path, at_clock(5));
    expect_equal_results(path, fused, random);
    EXPECT_TRUE(fused.node(fused.outputs[0].node).lo == path.node(path.outputs[0].node).lo);
    EXPECT_TRUE(fused.node(fused.outputs[0].node).hi == path.node(path.outputs[0].node).hi);
  }
}

TEST(FuseAdders, WhatIsKnownOfASumIsNotForgotten) {
  // (x + y) - y is x; the operands' ranges do not show it.
  Datapath path;
  const NodeId x = path.input(Byte);
  const NodeId y = path.input(Byte);
  const NodeId sum = path.add({.a = x, .b = y});
  const NodeId difference = path.add({.a = sum, .b = y, .subtract = true});
  path.narrow(difference, -128, 127);
  append_output(path, difference);
  EXPECT_EQ(luts_of(path), 8 + 8);
  const Datapath fused = fuse_adders(path, at_clock(5));
  EXPECT_EQ(count<Add3Node>(fused), 1);
  EXPECT_EQ(fused.node(fused.outputs[0].node).type(), Byte);
  EXPECT_EQ(luts_of(fused), 8);
  Random random(1);
  expect_equal_results(path, fused, random);
}

TEST(FuseAdders, OtherNodesStayAsTheyAre) {
  Datapath path = adder_chain(4);
  const NodeId sum = path.outputs.front().node;
  path.outputs.clear();
  const FixedType nibble{.is_signed = true, .width = 4, .frac_bits = 0};
  const NodeId small = path.requantize(
      {.x = sum, .from_frac_bits = 3, .to = {nibble, Rounding::HalfUp, Overflow::Saturate}});
  std::vector<int64_t> squares;
  for (int64_t x = -8; x < 8; ++x)
    squares.push_back(x * x);
  append_output(path, path.table({.x = small,
                                  .from = nibble,
                                  .to = {.is_signed = false, .width = 7, .frac_bits = 0},
                                  .values = squares}));
  const NodeId bit = path.input(0, 1);
  const NodeId sign = path.input(0, 1);
  const NodeId term = path.booth_term({.x = path.input(Byte), .digit = {bit, sign, sign}});
  append_output(path, path.booth({.a = term, .x = path.relu(small), .digit = {sign, bit, sign}}));
  const Datapath fused = fuse_adders(path, at_clock(2.4));
  EXPECT_GT(count<Add3Node>(fused), 0);
  EXPECT_EQ(fused.nodes().size() + static_cast<size_t>(count<Add3Node>(fused)),
            path.nodes().size());
  Random random(1);
  expect_equal_results(path, fused, random);
}

// --- against enumeration --------------------------------------------------------------------

/// A random tree of adders over inputs of all kinds.
Datapath random_tree(Random& random, int adders) {
  Datapath path;
  std::vector<NodeId> roots;
  for (int i = 0; i <= adders; ++i) {
    const auto hi = static_cast<int64_t>(random() % 200);
    roots.push_back(path.input(random() % 3 == 0 ? 0 : -hi, hi + 1));
  }
  while (roots.size() > 1) {
    std::ranges::shuffle(roots, random);
    const NodeId b = roots.back();
    roots.pop_back();
    const int shift = static_cast<int>(random() % 5);
    const bool shifts_a = random() % 2 == 0;
    roots.back() = path.add({.a = roots.back(),
                             .b = b,
                             .shift_a = shifts_a ? shift : 0,
                             .shift_b = shifts_a ? 0 : shift,
                             .subtract = random() % 3 == 0});
  }
  append_output(path, roots.front());
  return path;
}

/// The tree with the adders of `taken` fused into their readers; none where one of these is taken
/// itself, or takes another one.
std::optional<Datapath> fuse_by_hand(const Datapath& path, const std::vector<bool>& taken) {
  Datapath result;
  std::vector<NodeId> names;
  for (const Node& node : path.nodes()) {
    names.push_back(-1);
    const auto* add = std::get_if<AddNode>(&node.kind);
    if (add == nullptr) {
      names.back() = result.input(node.lo, node.hi);
      continue;
    }
    const auto is_taken = [&](NodeId id) { return taken[static_cast<size_t>(id)]; };
    const auto name = [&](NodeId id) { return names[static_cast<size_t>(id)]; };
    const bool takes = is_taken(add->a) || is_taken(add->b);
    if ((is_taken(add->a) && is_taken(add->b)) || (takes && taken[names.size() - 1]))
      return std::nullopt;
    if (taken[names.size() - 1])
      continue;
    if (!takes) {
      AddNode copy = *add;
      copy.a = name(add->a);
      copy.b = name(add->b);
      names.back() = result.add(copy);
      continue;
    }
    const bool takes_a = is_taken(add->a);
    const auto& inner = std::get<AddNode>(path.node(takes_a ? add->a : add->b).kind);
    const int shift = takes_a ? add->shift_a : add->shift_b;
    const bool negative = !takes_a && add->subtract;
    const Add3Node::Term other{name(takes_a ? add->b : add->a),
                               takes_a ? add->shift_b : add->shift_a, takes_a && add->subtract};
    names.back() =
        result.add3({{{other,
                       {name(inner.a), inner.shift_a + shift, negative},
                       {name(inner.b), inner.shift_b + shift, inner.subtract != negative}}}});
  }
  result.outputs = {{names[static_cast<size_t>(path.outputs[0].node)], path.outputs[0].type}};
  return result;
}

TEST(FuseAdders, NoFusionOfATreeIsFasterAndNoneAsFastIsSmaller) {
  Random random(1);
  int64_t fused_adders = 0;
  for (int round = 0; round < 300; ++round) {
    const Datapath path = random_tree(random, 1 + static_cast<int>(random() % 8));
    const double clocks[] = {2.4, 3.3, 5, 8};
    const PipelineTarget target = at_clock(clocks[random() % 4]);
    const Datapath fused = fuse_adders(path, target);
    expect_equal_results(path, fused, random);
    fused_adders += count<Add3Node>(fused);

    std::vector<NodeId> inner;  // adders that could be taken
    for (NodeId id = 0; id < path.outputs[0].node; ++id)
      if (std::holds_alternative<AddNode>(path.node(id).kind))
        inner.push_back(id);
    std::pair best{latency_of(path, target), luts_of(path)};
    for (uint32_t set = 1; set < uint32_t{1} << inner.size(); ++set) {
      std::vector<bool> taken(path.nodes().size(), false);
      for (size_t i = 0; i < inner.size(); ++i)
        taken[static_cast<size_t>(inner[i])] = (set >> i & 1) != 0;
      if (const auto other = fuse_by_hand(path, taken))
        best = std::min(best, {latency_of(*other, target), luts_of(*other)});
    }
    ASSERT_EQ((std::pair{latency_of(fused, target), luts_of(fused)}), best) << round;
  }
  EXPECT_GT(fused_adders, 200);
}

TEST(FuseAdders, ProductsKeepTheirValuesTheirLatencyAndTheirRegisters) {
  Random random(1);
  for (const double clock_ns : {2.4, 3.3, 5.0}) {
    adders::Matrix matrix{.rows = 6, .columns = 12, .entries = {}};
    for (int i = 0; i < 72; ++i)
      matrix.entries.push_back(static_cast<int64_t>(random() % 256) - 128);
    const std::vector<adders::Range> ranges(12, {-128, 127});
    const Datapath path = adder_datapath(adders::multiply_matrix(matrix, ranges).value(), ranges);
    const PipelineTarget target = at_clock(clock_ns);
    Datapath fused = fuse_adders(path, target);
    expect_equal_results(path, fused, random);
    EXPECT_LT(luts_of(fused), luts_of(path));
    EXPECT_GT(count<Add3Node>(fused), 0);
    EXPECT_LE(latency_of(fused, target), latency_of(path, target));
    ASSERT_TRUE(fused.pipeline(Delays, clock_ns, 0, 0, "test").has_value());
    for (const Node& node : fused.nodes())
      for (const NodeId operand : operands(node.kind))
        if (std::holds_alternative<Add3Node>(fused.node(operand).kind)) {
          ASSERT_LT(fused.node(operand).cycle, node.cycle);
        }
  }
}

}  // namespace
}  // namespace millrace::dataflow
