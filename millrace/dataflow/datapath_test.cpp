// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/datapath.h"

#include <gtest/gtest.h>
#include <random>

namespace millrace::dataflow {
namespace {

const DelayModel Delays{.family = "test",
                        .register_ps = 600,
                        .lut_ps = 450,
                        .adder_base_ps = 1000,
                        .adder_per_bit_ps = 15,
                        .memory_read_ps = 900};
constexpr FixedType Byte{.is_signed = true, .width = 8, .frac_bits = 0};

/// A chain of additions: x0 + x1 + ... + x(n-1).
Datapath adder_chain(int inputs) {
  Datapath path;
  NodeId sum = path.input(Byte);
  for (int i = 1; i < inputs; ++i) {
    const NodeId x = path.input(Byte);
    sum = path.add({.a = sum, .b = x});
  }
  path.outputs.push_back({sum, path.node(sum).type()});
  return path;
}

TEST(Datapath, RangesAreExact) {
  Datapath path;
  const NodeId a = path.input(Byte);
  const NodeId b = path.input(0, 10);
  const NodeId difference = path.add({.a = a, .b = b, .shift_b = 2, .subtract = true});
  EXPECT_TRUE(path.node(difference).lo == -128 - 40);
  EXPECT_TRUE(path.node(difference).hi == 127);
  EXPECT_EQ(path.node(difference).type(), (FixedType{true, 9, 0}));
  const NodeId rectified = path.relu(difference);
  EXPECT_EQ(path.node(rectified).type(), (FixedType{false, 7, 0}));
  const NodeId largest = path.max(a, b);
  EXPECT_TRUE(path.node(largest).lo == 0 && path.node(largest).hi == 127);
}

TEST(Datapath, AThreeInputAdderSumsItsTerms) {
  Datapath path;
  const NodeId a = path.input(Byte);
  const NodeId b = path.input(0, 10);
  const NodeId c = path.input(-3, 5);
  const NodeId sum =
      path.add3({{{{.node = a, .shift = 1}, {b, 2, true}, {.node = c, .shift = 0}}}});
  EXPECT_TRUE(path.node(sum).lo == -256 - 40 - 3 && path.node(sum).hi == 254 + 5);
  path.outputs.push_back({sum, path.node(sum).type()});
  const std::vector<Int128> inputs{-100, 7, 5};
  EXPECT_TRUE(path.evaluate(inputs).front() == -200 - 28 + 5);
}

TEST(Datapath, ADigitsBitsMakeItsRange) {
  Datapath path;
  const NodeId x = path.input(0, 10);
  const NodeId bit = path.input(0, 1);
  const NodeId sign = path.input(0, 1);
  const NodeId zero = path.constant(0);
  const NodeId all =
      path.booth({.a = x, .x = x, .shift = 2, .digit = {bit, path.input(0, 1), sign}});
  EXPECT_TRUE(path.node(all).lo == -80 && path.node(all).hi == 90);
  const NodeId selected = path.booth({.a = zero, .x = x, .digit = {bit, zero, zero}});
  EXPECT_TRUE(path.node(selected).lo == 0 && path.node(selected).hi == 10);
  const NodeId with_sign = path.booth({.a = zero, .x = x, .digit = {bit, sign, sign}});
  EXPECT_TRUE(path.node(with_sign).lo == -10 && path.node(with_sign).hi == 10);
  const NodeId term = path.booth_term({.x = x, .digit = {zero, bit, sign}});
  EXPECT_TRUE(path.node(term).lo == -21 && path.node(term).hi == 10);
}

TEST(Datapath, MultipliesByDigits) {
  Datapath path;
  const NodeId a = path.input(Byte);
  const NodeId x = path.input(Byte);
  const BoothDigit digit{path.input(0, 1), path.input(0, 1), path.input(0, 1)};
  const NodeId sum = path.booth({.a = a, .x = x, .shift = 3, .digit = digit});
  const NodeId term = path.booth_term({.x = x, .digit = {digit[2], digit[0], digit[2]}});
  path.outputs = {{sum, path.node(sum).type()}, {term, path.node(term).type()}};
  const std::vector<Int128> digits{0, 1, 1, 2, -2, -1, -1, 0};
  for (int code = 0; code < 8; ++code)
    for (const Int128 value : {-128, -3, 0, 127}) {
      const Int128 low = code & 1;
      const Int128 high = (code >> 2) & 1;
      const std::vector<Int128> results =
          path.evaluate(std::vector<Int128>{5, value, low, (code >> 1) & 1, high});
      EXPECT_TRUE(results[0] == 5 + digits[static_cast<size_t>(code)] * value * 8);
      EXPECT_TRUE(results[1] == (high + low - 2 * high) * value - high);
    }
}

TEST(Datapath, ATermsDigitHasACodeOfTwoBits) {
  Datapath path;
  const NodeId low = path.input(0, 1);
  const NodeId high = path.input(0, 1);
  const DigitCode code = digit_code(path, {path.constant(0), low, high});
  EXPECT_EQ(code.bits, (std::array{low, high}));
  EXPECT_EQ(code.digits, 06420);
  EXPECT_EQ(digit_code(path, {low, low, path.constant(1)}).digits, 07474);
}

TEST(Datapath, AThreeInputAddersRowBeginsWhereTwoTermsHaveBits) {
  Datapath path;
  const NodeId x = path.input(Byte);
  const NodeId zero = path.constant(0);
  using Term = Add3Node::Term;
  const auto begin = [&](Term a, Term b, Term c) { return row_begin(path, {{a, b, c}}); };
  EXPECT_EQ(begin({x, 0}, {x, 0}, {x, 0}), 0);
  EXPECT_EQ(begin({x, 5}, {x, 0}, {x, 3}), 3);
  EXPECT_EQ(begin({x, 5}, {x, 3, true}, {x, 0}), 3);
  EXPECT_EQ(begin({x, 5}, {x, 0, true}, {x, 3}), 0) << "the subtrahend's lowest bit may carry";
  EXPECT_EQ(begin({x, 5}, {x, 2}, {zero, 0}), 5) << "0 has no bits";
}

TEST(Datapath, RequantisationsThatSaturateNarrowTheRangeOthersFillTheType) {
  Datapath path;
  const NodeId x = path.input(-100, 60);
  const FixedType nibble{.is_signed = true, .width = 4, .frac_bits = 0};
  const NodeId saturated = path.requantize(
      {.x = x, .from_frac_bits = 4, .to = {nibble, Rounding::Floor, Overflow::Saturate}});
  EXPECT_TRUE(path.node(saturated).lo == -7 && path.node(saturated).hi == 3);
  const NodeId wrapped = path.requantize(
      {.x = x, .from_frac_bits = 2, .to = {nibble, Rounding::Floor, Overflow::Wrap}});
  EXPECT_TRUE(path.node(wrapped).lo == -8 && path.node(wrapped).hi == 7);
  // The lowest number is out of a symmetric range although it fits the type.
  const NodeId y = path.input(-8, 7);
  const NodeId symmetric = path.requantize(
      {.x = y, .from_frac_bits = 0, .to = {nibble, Rounding::Floor, Overflow::SaturateSymmetric}});
  EXPECT_NE(symmetric, y);
  EXPECT_TRUE(path.node(symmetric).lo == -7);
}

TEST(Datapath, WhatHasOneValueBecomesAConstant) {
  Datapath path;
  const NodeId five = path.constant(5);
  const NodeId sum = path.add({.a = five, .b = path.constant(-7), .shift_a = 1});
  EXPECT_TRUE(path.node(sum).is_constant());
  EXPECT_TRUE(path.node(sum).lo == 3);
  EXPECT_TRUE(path.node(path.relu(path.constant(-1))).is_constant());
  const FixedType bit{.is_signed = false, .width = 1, .frac_bits = 0};
  const NodeId wrapped = path.requantize(
      {.x = five, .from_frac_bits = 0, .to = {bit, Rounding::Floor, Overflow::Wrap}});
  EXPECT_TRUE(path.node(wrapped).is_constant());
  EXPECT_TRUE(path.node(wrapped).lo == 1);
  EXPECT_TRUE(
      path
          .node(path.table(
              {.x = five, .from = {false, 3, 0}, .to = bit, .values = {0, 0, 0, 0, 0, 1, 0, 0}}))
          .lo == 1);
}

TEST(Datapath, EveryNodeSettlesWithinThePeriodAndAfterItsOperands) {
  for (const double clock_ns : {2.5, 3.3, 5.0, 10.0}) {
    Datapath path = adder_chain(20);
    ASSERT_TRUE(path.pipeline(Delays, clock_ns, 300, 1000, "test").has_value());
    for (const Node& node : path.nodes()) {
      EXPECT_LE(node.ready_ps, clock_ns * 1000 - Delays.register_ps);
      for (const NodeId id : operands(node.kind))
        EXPECT_LE(path.node(id).cycle, node.cycle);
    }
    EXPECT_LE(path.output_ready_ps(), 1000);
  }
}

TEST(Datapath, ThreeAdderLevelsFitFiveNanosecondsAndFourDoNot) {
  Datapath three = adder_chain(4);
  ASSERT_TRUE(three.pipeline(Delays, 5, 0, 4400, "test").has_value());
  EXPECT_EQ(three.latency_cycles(), 0);
  Datapath four = adder_chain(5);
  ASSERT_TRUE(four.pipeline(Delays, 5, 0, 4400, "test").has_value());
  EXPECT_EQ(four.latency_cycles(), 1);
}

TEST(Datapath, RegisteredOutputsCostACycleUnlessTheyAreRegistersAlready) {
  Datapath wires;
  const NodeId x = wires.input(Byte);
  wires.outputs.push_back({x, Byte});
  ASSERT_TRUE(wires.pipeline(Delays, 5, 0, 0, "test").has_value());
  EXPECT_EQ(wires.latency_cycles(), 0);
  Datapath sum = adder_chain(2);
  ASSERT_TRUE(sum.pipeline(Delays, 5, 0, 0, "test").has_value());
  EXPECT_EQ(sum.latency_cycles(), 1);
  EXPECT_EQ(sum.output_ready_ps(), 0);
}

TEST(Datapath, AClockThatNoAdderMeetsIsRefused) {
  Datapath path = adder_chain(2);
  const Status status = path.pipeline(Delays, 1.5, 0, 0, "layer 'conv1'");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, "dataflow.clock_too_fast");
  EXPECT_EQ(status.error().where, "layer 'conv1'");
}

TEST(Datapath, EvaluatesWhatItsNodesSay) {
  Datapath path;
  const NodeId a = path.input(Byte);
  const NodeId b = path.input(Byte);
  const NodeId sum = path.add({.a = a, .b = b, .shift_a = 1, .subtract = true});
  const FixedType nibble{.is_signed = true, .width = 4, .frac_bits = 0};
  path.outputs = {{path.relu(sum), {false, 9, 0}},
                  {path.max(a, b), Byte},
                  {sum, nibble}};  // keeps the low bits
  for (int64_t x = -128; x < 128; x += 5) {
    for (int64_t y = -128; y < 128; ++y) {
      const std::vector<Int128> inputs = {x, y};
      const std::vector<Int128> results = path.evaluate(inputs);
      const int64_t difference = 2 * x - y;
      ASSERT_TRUE(results[0] == std::max<int64_t>(0, difference));
      ASSERT_TRUE(results[1] == std::max(x, y));
      ASSERT_TRUE(results[2] == ((difference % 16) + 24) % 16 - 8);
    }
  }
}

}  // namespace
}  // namespace millrace::dataflow
