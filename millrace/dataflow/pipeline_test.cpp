// SPDX-License-Identifier: Apache-2.0
// Where a datapath's nodes stand in the pipeline, and what that costs. retime_test.cpp shows that
// no placement costs less.
#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/dataflow/adder_datapath.h"
#include "millrace/dataflow/datapath.h"

namespace millrace::dataflow {
namespace {

const DelayModel Delays{.family = "test",
                        .register_ps = 600,
                        .lut_ps = 450,
                        .adder_base_ps = 1000,
                        .adder_per_bit_ps = 15,
                        .memory_read_ps = 900};
constexpr FixedType Byte{.is_signed = true, .width = 8, .frac_bits = 0};

void append_output(Datapath& path, NodeId id) {
  path.outputs.push_back({id, path.node(id).type()});
}

/// Four inputs added up one after the other, which takes three levels, and one more level.
NodeId append_four_levels(Datapath& path) {
  NodeId sum = path.input(Byte);
  for (int i = 0; i < 4; ++i)
    sum = path.add({.a = sum, .b = path.input(Byte)});
  return sum;
}

/// Two outputs: one that takes four levels, and 16,513 times an input, which takes two.
Datapath slow_and_wide() {
  Datapath path;
  append_output(path, append_four_levels(path));
  const NodeId x = path.input(Byte);
  const NodeId wide = path.add({.a = x, .b = x, .shift_b = 7});
  append_output(path, path.add({.a = x, .b = wide, .shift_b = 7}));
  return path;
}

/// A random product of a matrix of integers and a vector of bytes.
Datapath random_product(std::mt19937_64& random, int rows, int columns) {
  adders::Matrix matrix{.rows = rows, .columns = columns, .entries = {}};
  for (int i = 0; i < rows * columns; ++i)
    matrix.entries.push_back(static_cast<int64_t>(random() % 256) - 128);
  const std::vector<adders::Range> ranges(static_cast<size_t>(columns), {-128, 127});
  adders::SearchOptions options;
  options.effort = 0;
  return adder_datapath(adders::multiply_matrix(matrix, ranges, options).value(), ranges);
}

TEST(Pipeline, NarrowValuesWaitForSlowOnes) {
  Datapath path = slow_and_wide();
  ASSERT_TRUE(path.pipeline(Delays, 5, 0, 4400, "test").has_value());
  EXPECT_EQ(path.latency_cycles(), 1);
  // Early, the wide output waits in 23 bits; at best, its input waits in 8. The long sum waits in
  // the 10 bits of four inputs' sum, beside the fifth input, in both.
  EXPECT_EQ(path.pipeline_cost().early_flip_flops, 10 + 8 + 23);
  EXPECT_EQ(path.pipeline_cost().flip_flops, 10 + 8 + 8);
  EXPECT_EQ(path.pipeline_cost().latency_cycles, 1);
  EXPECT_EQ(path.flip_flops(), 26);
}

TEST(Pipeline, OutputsSettleByTheDeadlineOrAsEarlyAsTheyCan) {
  Datapath relaxed = slow_and_wide();
  ASSERT_TRUE(relaxed.pipeline(Delays, 5, 0, 4400, "test").has_value());
  EXPECT_GT(relaxed.output_ready_ps(), 2000);  // two levels
  EXPECT_LE(relaxed.output_ready_ps(), 4400);
  Datapath hurried = slow_and_wide();
  ASSERT_TRUE(hurried.pipeline(Delays, 5, 0, 4400, "test", OutputTime::Earliest).has_value());
  EXPECT_EQ(hurried.latency_cycles(), 1);
  EXPECT_EQ(hurried.output_ready_ps(), 1000 + 15 * 11);  // the long sum's last level
  EXPECT_GT(hurried.flip_flops(), relaxed.flip_flops());
  EXPECT_EQ(hurried.flip_flops(), hurried.pipeline_cost().early_flip_flops);
  Datapath registered = slow_and_wide();
  ASSERT_TRUE(registered.pipeline(Delays, 5, 0, 0, "test").has_value());
  EXPECT_EQ(registered.latency_cycles(), 2);
  EXPECT_EQ(registered.output_ready_ps(), 0);
}

TEST(Pipeline, AnInputThatSettlesTooLateIsRefused) {
  Datapath path;
  append_output(path, path.input(Byte));
  EXPECT_TRUE(path.pipeline(Delays, 5, 4400, 4400, "test").has_value());
  const Status status = path.pipeline(Delays, 5, 4401, 4400, "layer 'conv1'");
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, "dataflow.clock_too_fast");
  EXPECT_NE(status.error().to_string().find("input"), std::string::npos);
}

TEST(Pipeline, ConstantsAndValuesThatNobodyReadsCostNothing) {
  Datapath path;
  append_output(path, append_four_levels(path));
  ASSERT_TRUE(path.pipeline(Delays, 5, 0, 0, "test").has_value());
  const int64_t flip_flops = path.flip_flops();
  append_output(path, path.constant(1'000'000));
  const NodeId x = path.input(Byte);
  const NodeId unread = path.add({.a = x, .b = path.constant(7)});
  ASSERT_TRUE(path.pipeline(Delays, 5, 0, 0, "test").has_value());
  EXPECT_EQ(path.flip_flops(), flip_flops);
  EXPECT_EQ(path.last_uses()[static_cast<size_t>(unread)], -1);
  EXPECT_EQ(path.last_uses()[static_cast<size_t>(x)], -1);
}

TEST(Pipeline, RetimedProductsMeetTheClockAndKeepTheirValues) {
  std::mt19937_64 random(1);
  int64_t early = 0;
  int64_t best = 0;
  for (const double clock_ns : {2.0, 3.3, 5.0, 10.0}) {
    for (int round = 0; round < 5; ++round) {
      Datapath path = random_product(random, 12, 9);
      std::vector<Int128> inputs;
      for (int i = 0; i < path.num_inputs(); ++i)
        inputs.emplace_back(static_cast<int64_t>(random() % 256) - 128);
      const std::vector<Int128> expected = path.evaluate(inputs);
      ASSERT_TRUE(path.pipeline(Delays, clock_ns, 300, 0, "test").has_value());
      const std::vector<Int128> results = path.evaluate(inputs);
      EXPECT_TRUE(std::ranges::equal(results, expected));
      for (const Node& node : path.nodes()) {
        EXPECT_LE(node.ready_ps, clock_ns * 1000 - Delays.register_ps);
        for (const NodeId id : operands(node.kind))
          EXPECT_LE(path.node(id).cycle, node.cycle);
      }
      EXPECT_EQ(path.output_ready_ps(), 0);
      EXPECT_LE(path.flip_flops(), path.pipeline_cost().early_flip_flops);
      early += path.pipeline_cost().early_flip_flops;
      best += path.flip_flops();
    }
  }
  EXPECT_LT(best, early);
}

}  // namespace
}  // namespace millrace::dataflow
