// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/retime.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <random>

namespace millrace::dataflow {
namespace {

using Random = std::mt19937_64;

int draw(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

/// True when `cycles` keep all that a placement promises; plainly, one node after the other.
bool is_valid(const RetimeNetwork& network, const std::vector<int>& cycles, int latency) {
  std::vector<int64_t> ready;
  for (size_t id = 0; id < cycles.size(); ++id) {
    const RetimeNode& node = network.nodes[id];
    int64_t start = 0;
    for (const int operand : node.operands) {
      const auto from = static_cast<size_t>(operand);
      if (cycles[from] > cycles[id])
        return false;
      if (network.nodes[from].is_registered && cycles[from] == cycles[id])
        return false;
      if (cycles[from] == cycles[id])
        start = std::max(start, ready[from]);
    }
    ready.push_back(start + node.delay_fs);
    if (ready[id] > network.budget_fs || (node.is_input && cycles[id] != 0))
      return false;
  }
  for (const int output : network.outputs) {
    const auto id = static_cast<size_t>(output);
    const bool is_late = network.nodes[id].is_registered || ready[id] > network.output_deadline_fs;
    if (cycles[id] > latency || (cycles[id] == latency && is_late))
      return false;
  }
  return true;
}

/// The bits that some output depends on, from the definition: a register for each node and each
/// cycle edge that one of its readers is behind.
int64_t count_bits(const RetimeNetwork& network, const std::vector<int>& cycles, int latency) {
  std::vector<bool> live(cycles.size(), false);
  for (const int output : network.outputs)
    live[static_cast<size_t>(output)] = true;
  for (size_t id = cycles.size(); id-- > 0;)
    if (live[id])
      for (const int operand : network.nodes[id].operands)
        live[static_cast<size_t>(operand)] = true;
  int64_t bits = 0;
  for (size_t id = 0; id < cycles.size(); ++id) {
    for (int edge = cycles[id]; live[id] && edge < latency; ++edge) {
      bool crossed = std::ranges::count(network.outputs, static_cast<int>(id)) > 0;
      for (size_t reader = 0; reader < cycles.size(); ++reader)
        crossed |= live[reader] && cycles[reader] > edge &&
                   std::ranges::count(network.nodes[reader].operands, static_cast<int>(id)) > 0;
      bits += crossed ? network.nodes[id].width : 0;
    }
  }
  return bits;
}

/// The fewest bits of all assignments of cycles 0 to `latency`; none when no assignment is valid.
std::optional<int64_t> fewest_by_enumeration(const RetimeNetwork& network, int latency) {
  std::optional<int64_t> fewest;
  std::vector<int> cycles(network.nodes.size(), 0);
  for (;;) {
    if (is_valid(network, cycles, latency)) {
      const int64_t bits = count_bits(network, cycles, latency);
      fewest = std::min(fewest.value_or(bits), bits);
    }
    size_t id = 0;
    while (id < cycles.size() && (network.nodes[id].is_input || cycles[id] == latency))
      cycles[id++] = 0;
    if (id == cycles.size())
      return fewest;
    ++cycles[id];
  }
}

/// Inputs, then operations on one to three of the nodes before them.
RetimeNetwork random_network(Random& random, int num_inputs, int num_operations) {
  RetimeNetwork network;
  network.budget_fs = draw(random, 8, 20);
  network.output_deadline_fs = draw(random, 0, 1) * draw(random, 0, 22);
  const int max_delay = std::min(8, static_cast<int>(network.budget_fs));
  for (int i = 0; i < num_inputs; ++i)
    network.nodes.push_back({.operands = {},
                             .delay_fs = draw(random, 0, 1) * draw(random, 0, 8),
                             .width = draw(random, 1, 12),
                             .is_input = true});
  for (int i = 0; i < num_operations; ++i) {
    RetimeNode node{.operands = {},
                    .delay_fs = draw(random, 0, 3) == 0 ? 0 : draw(random, 1, max_delay),
                    .width = draw(random, 1, 16),
                    .is_registered = draw(random, 0, 4) == 0};
    const int last = num_inputs + i - 1;
    for (int count = draw(random, 1, 3); count > 0; --count)
      node.operands.push_back(draw(random, std::max(0, last - 3), last));
    network.nodes.push_back(std::move(node));
  }
  const int last = num_inputs + num_operations - 1;
  for (int count = draw(random, 1, 3); count > 0; --count)
    network.outputs.push_back(draw(random, std::max(num_inputs, last - 3), last));
  return network;
}

/// A chain of operations of delay 1 behind an input.
RetimeNetwork chain(const std::vector<int>& widths, int64_t budget_fs) {
  RetimeNetwork network{.nodes = {{.operands = {}, .width = widths[0], .is_input = true}},
                        .outputs = {static_cast<int>(widths.size()) - 1},
                        .budget_fs = budget_fs,
                        .output_deadline_fs = budget_fs};
  for (size_t i = 1; i < widths.size(); ++i)
    network.nodes.push_back(
        {.operands = {static_cast<int>(i) - 1}, .delay_fs = 1, .width = widths[i]});
  return network;
}

TEST(Retime, IsAsGoodAsTheBestOfAllPlacements) {
  Random random(1);
  int improved = 0;
  for (int round = 0; round < 4000; ++round) {
    const RetimeNetwork network = random_network(random, draw(random, 1, 3), draw(random, 3, 8));
    const Placement early = place_early(network);
    const int latency = early.latency_cycles;
    if (latency > 4)
      continue;
    ASSERT_TRUE(is_valid(network, early.cycles, latency) || network.outputs.empty());
    const Placement placement = place_with_fewest_registers(network);
    ASSERT_EQ(placement.latency_cycles, latency);
    // Nodes that nobody reads may stand behind the last cycle, and enumeration need not know.
    RetimeNetwork live = network;
    const std::vector<int> last = last_uses(network, placement);
    std::vector<int> cycles = placement.cycles;
    for (size_t id = 0; id < last.size(); ++id) {
      if (last[id] < 0) {
        cycles[id] = 0;
        live.nodes[id] = {.operands = {}, .is_input = true};
      }
    }
    ASSERT_TRUE(is_valid(live, cycles, latency)) << round;
    const int64_t bits = register_bits(network, placement);
    ASSERT_EQ(bits, count_bits(live, cycles, latency)) << round;
    ASSERT_EQ(bits, fewest_by_enumeration(live, latency)) << round;
    if (latency > 0) {
      ASSERT_EQ(fewest_by_enumeration(live, latency - 1), std::nullopt) << round;
    }
    improved += bits < register_bits(network, early) ? 1 : 0;
  }
  EXPECT_GT(improved, 1000);
}

TEST(Retime, CutsAChainWhereItIsNarrowest) {
  const RetimeNetwork network = chain({9, 9, 9, 3, 9, 2, 9}, 4);
  const Placement early = place_early(network);
  EXPECT_EQ(early.cycles, (std::vector<int>{0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(register_bits(network, early), 9);
  // The cut at 2 would leave a chain of five behind the input.
  const Placement placement = place_with_fewest_registers(network);
  EXPECT_EQ(placement.cycles, (std::vector<int>{0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(placement.ready_fs, (std::vector<int64_t>{0, 1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(register_bits(network, placement), 3);
}

TEST(Retime, AmongEqualPlacementsTheEarliestIsTaken) {
  const RetimeNetwork network = chain({5, 5, 5, 5, 5}, 3);
  EXPECT_EQ(place_with_fewest_registers(network).cycles, place_early(network).cycles);
}

TEST(Retime, LeavesWithoutOutputsOrNodesNothingToDo) {
  EXPECT_EQ(place_with_fewest_registers({}).latency_cycles, 0);
  RetimeNetwork network = chain({5, 5, 5, 5, 5}, 3);
  network.outputs.clear();
  const Placement placement = place_with_fewest_registers(network);
  EXPECT_EQ(placement.cycles, (std::vector<int>{0, 0, 0, 0, 1}));
  EXPECT_EQ(register_bits(network, placement), 0);
}

TEST(Retime, PlacesTenThousandNodes) {
  // Layers of sums of 8 bits and more; each reads the layer below it and an older one.
  Random random(1);
  RetimeNetwork network{
      .nodes = {}, .outputs = {}, .budget_fs = 4'400'000, .output_deadline_fs = 0};
  for (int i = 0; i < 100; ++i)
    network.nodes.push_back({.operands = {}, .delay_fs = 300'000, .width = 8, .is_input = true});
  for (int layer = 1; layer <= 14; ++layer) {
    const int end = static_cast<int>(network.nodes.size());
    const int begin = layer == 1 ? 0 : end - 750;
    for (int i = 0; i < 750; ++i) {
      const int width = draw(random, 8, 8 + layer);
      network.nodes.push_back({.operands = {draw(random, begin, end - 1), draw(random, 0, end - 1)},
                               .delay_fs = 1'000'000 + 15'000 * width,
                               .width = width});
    }
  }
  for (int i = 0; i < 750; ++i)
    network.outputs.push_back(static_cast<int>(network.nodes.size()) - 1 - i);
  const Placement early = place_early(network);
  const Placement placement = place_with_fewest_registers(network);
  EXPECT_EQ(placement.latency_cycles, early.latency_cycles);
  EXPECT_TRUE(is_valid(network, placement.cycles, placement.latency_cycles));
  EXPECT_LT(register_bits(network, placement), register_bits(network, early));
}

TEST(Retime, CountsOneLineOfRegistersForAllReaders) {
  // The sum of two wide values waits for a slow third one, and is read before that too.
  RetimeNetwork network{.nodes = {{.operands = {}, .width = 8, .is_input = true},
                                  {.operands = {0}, .delay_fs = 5, .width = 20},
                                  {.operands = {1}, .delay_fs = 5, .width = 20},
                                  {.operands = {0}, .delay_fs = 1, .width = 4},
                                  {.operands = {2, 3}, .delay_fs = 5, .width = 1},
                                  {.operands = {1, 3}, .delay_fs = 5, .width = 1}},
                        .outputs = {4, 5},
                        .budget_fs = 5,
                        .output_deadline_fs = 5};
  const Placement placement = place_with_fewest_registers(network);
  EXPECT_EQ(placement.latency_cycles, 2);
  EXPECT_EQ(placement.cycles[3], 0);
  EXPECT_EQ(register_bits(network, placement),
            count_bits(network, placement.cycles, placement.latency_cycles));
  EXPECT_EQ(register_bits(network, placement), fewest_by_enumeration(network, 2));
}

}  // namespace
}  // namespace millrace::dataflow
