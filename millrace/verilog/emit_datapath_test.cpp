// SPDX-License-Identifier: Apache-2.0
#include "millrace/verilog/emit_datapath.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace millrace::verilog {
namespace {

using dataflow::Datapath;
using dataflow::NodeId;

const dataflow::DelayModel Delays{.family = "test",
                                  .register_ps = 600,
                                  .lut_ps = 450,
                                  .adder_base_ps = 1000,
                                  .adder_per_bit_ps = 15,
                                  .memory_read_ps = 900};

class RandomDatapath {
public:
  explicit RandomDatapath(uint64_t seed) : random_(seed) {}

  /// Nodes of all kinds, each on some of the nodes before it; the last ones are outputs.
  Datapath make(int num_nodes) {
    path_ = {};
    for (int i = 0; i < 4; ++i)
      ids_.push_back(path_.input({draw(0, 1) == 1, draw(1, 10), 0}));
    ids_.push_back(path_.constant(draw(-9, 9)));
    for (int i = 0; i < num_nodes; ++i)
      ids_.push_back(append());
    for (int i = 0; i < 4; ++i) {
      const NodeId id = ids_[ids_.size() - 1 - static_cast<size_t>(draw(0, 6))];
      path_.outputs.push_back({id, path_.node(id).signal_type()});
    }
    return std::move(path_);
  }

private:
  int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  NodeId pick() { return ids_[static_cast<size_t>(draw(0, static_cast<int>(ids_.size()) - 1))]; }

  NodeId pick_narrow() {
    const NodeId id = pick();
    return path_.node(id).type().width > 40 ? ids_.front() : id;
  }

  /// A signed or unsigned type around a value's, in which some of its values may overflow.
  FixedType type_near(NodeId id) {
    return {draw(0, 1) == 1, std::max(1, path_.node(id).type().width + draw(-4, 1)), 0};
  }

  NodeId append() {
    const NodeId x = pick();
    const NodeId y = pick();
    if (path_.node(x).type().width > 40 || path_.node(y).type().width > 40)
      return x;
    switch (draw(0, 9)) {
      case 0:
        return path_.relu(x);
      case 1:
        return path_.max(x, y);
      case 2:
        if (path_.node(y).is_constant())
          return y;
        return path_.select({.control = y,
                             .then = x,
                             .otherwise = pick_narrow(),
                             .bit = draw(0, path_.node(y).signal_type().width - 1)});
      case 5:
        return path_.min(x, y);
      case 6:
        return path_.greater(x, y);
      case 3:
        return path_.requantize({.x = x,
                                 .from_frac_bits = draw(0, 3),
                                 .to = {type_near(x), Rounding::HalfUp, Overflow::Saturate}});
      case 4:
        return append_table(x);
      default:
        return path_.add(
            {.a = x, .b = y, .shift_a = 0, .shift_b = draw(0, 3), .subtract = draw(0, 1) == 1});
    }
  }

  NodeId append_table(NodeId x) {
    const FixedType from = path_.node(x).type();
    if (from.width > 6)
      return x;
    std::vector<int64_t> values(size_t{1} << from.width);
    for (int64_t& value : values)
      value = draw(0, 20);
    return path_.table({.x = x, .from = from, .to = {false, 7, 0}, .values = values});
  }

  std::mt19937_64 random_;
  Datapath path_;
  std::vector<NodeId> ids_;
};

/// Bits of all registers of a module, from its syntax tree.
int64_t register_bits(const Module& module) {
  std::map<std::string, int64_t> widths;
  int64_t bits = 0;
  for (const Item& item : module.items) {
    if (const auto* signal = std::get_if<Signal>(&item.kind))
      widths[signal->name] = signal->width;
    if (const auto* registers = std::get_if<Registers>(&item.kind))
      for (const auto& [target, value] : registers->updates)
        bits += widths.at(std::get<Name>(target->kind).text);
  }
  return bits;
}

TEST(EmitDatapath, HasAsManyFlipFlopsAsTheDatapathSays) {
  int pipelined = 0;
  int improved = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Datapath path = RandomDatapath(seed).make(static_cast<int>(5 + seed % 40));
    const double clock_ns = seed % 2 == 0 ? 3.3 : 5;
    ASSERT_TRUE(path.pipeline(Delays, clock_ns, 400, seed % 3 == 0 ? 1500 : 0, "").has_value());
    const Module module = emit_datapath(path, "random", "");
    ASSERT_EQ(path.flip_flops(), register_bits(module)) << "seed " << seed << "\n" << print(module);
    pipelined += path.flip_flops() > 0 ? 1 : 0;
    improved += path.flip_flops() < path.pipeline_cost().early_flip_flops ? 1 : 0;
  }
  EXPECT_GT(pipelined, 200);
  EXPECT_GT(improved, 100);
}

TEST(EmitDatapath, NamesTheBitsOfADelayedValueThatNoSelectionReads) {
  // The selection behind the slow sum reads one bit of a value that waits for it; the other one
  // reads another bit at once.
  Datapath path;
  const FixedType byte{.is_signed = false, .width = 8, .frac_bits = 0};
  const NodeId control = path.input(byte);
  NodeId sum = path.input(byte);
  const NodeId none = path.constant(0);
  const NodeId now = path.select({.control = control, .then = sum, .otherwise = none, .bit = 2});
  for (int i = 0; i < 4; ++i)
    sum = path.add({.a = sum, .b = path.input(byte)});
  const NodeId later = path.select({.control = control, .then = sum, .otherwise = none, .bit = 5});
  path.outputs = {{now, byte}, {path.add({.a = later, .b = sum}), byte}};
  ASSERT_TRUE(path.pipeline(Delays, 5, 0, 4400, "").has_value());
  ASSERT_EQ(path.last_uses()[static_cast<size_t>(control)], 1);
  const std::string text = print(emit_datapath(path, "selections", ""));
  EXPECT_NE(text.find("assign unused = ^{"), std::string::npos) << text;
  EXPECT_NE(text.find("n0_q1", text.find("assign unused")), std::string::npos) << text;
}

}  // namespace
}  // namespace millrace::verilog
