// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/closure.h"

#include <gtest/gtest.h>
#include <optional>
#include <random>

namespace millrace::dataflow {
namespace {

struct Items {
  std::vector<int64_t> gains;
  std::vector<std::pair<int, int>> requirements;

  bool is_closed(unsigned set) const {
    for (const auto& [item, other] : requirements)
      if (((set >> item) & 1) != 0 && ((set >> other) & 1) == 0)
        return false;
    return true;
  }

  int64_t gain(unsigned set) const {
    int64_t sum = 0;
    for (size_t item = 0; item < gains.size(); ++item)
      sum += ((set >> item) & 1) != 0 ? gains[item] : 0;
    return sum;
  }

  /// The best closed set, and the intersection of all that are as good.
  unsigned best() const {
    int64_t highest = 0;
    unsigned smallest = 0;
    for (unsigned set = 1; set < 1U << gains.size(); ++set) {
      if (!is_closed(set) || gain(set) < highest)
        continue;
      smallest = gain(set) > highest ? set : smallest & set;
      highest = gain(set);
    }
    return smallest;
  }
};

TEST(Closure, FindsTheSmallestOfTheBestSets) {
  std::mt19937_64 random(1);
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  int non_empty = 0;
  for (int round = 0; round < 2000; ++round) {
    const int num_items = draw(1, 9);
    Items items;
    Closure closure;
    for (int item = 0; item < num_items; ++item) {
      items.gains.push_back(draw(-4, 5));
      ASSERT_EQ(closure.add_item(items.gains.back() - 3), item);
      closure.add_gain(item, 3);
    }
    for (int count = draw(0, 2 * num_items); count > 0; --count) {
      // Rings and doubled requirements are welcome.
      items.requirements.emplace_back(draw(0, num_items - 1), draw(0, num_items - 1));
      closure.require(items.requirements.back().first, items.requirements.back().second);
    }
    const std::vector<bool> chosen = closure.best();
    ASSERT_EQ(chosen.size(), items.gains.size());
    unsigned set = 0;
    for (size_t item = 0; item < chosen.size(); ++item)
      set |= chosen[item] ? 1U << item : 0;
    ASSERT_EQ(set, items.best()) << "round " << round;
    non_empty += set != 0 ? 1 : 0;
  }
  EXPECT_GT(non_empty, 1000);
}

TEST(Closure, NothingIsChosenWhereNothingGains) {
  EXPECT_TRUE(Closure().best().empty());
  Closure even;
  even.add_item(5);
  even.add_item(-5);
  even.require(0, 1);
  EXPECT_EQ(even.best(), (std::vector<bool>{false, false}));
}

TEST(Closure, LargeGainsAreNotRounded) {
  Closure closure;
  const int64_t large = int64_t{1} << 40;
  closure.add_item(large + 1);
  closure.add_item(-large);
  closure.require(0, 1);
  EXPECT_EQ(closure.best(), (std::vector<bool>{true, true}));
}

}  // namespace
}  // namespace millrace::dataflow
