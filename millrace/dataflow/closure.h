// SPDX-License-Identifier: Apache-2.0
// The closure problem: which items to choose when some bring a gain, some cost, and some require
// others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace millrace::dataflow {

/// Items, what each gains, and which require which.
class Closure {
public:
  /// Appends an item; it costs where `gain` is negative. Items are numbered from 0.
  int add_item(int64_t gain);
  /// Adds to an item's gain.
  void add_gain(int item, int64_t gain) { gains_[static_cast<size_t>(item)] += gain; }
  /// Whoever chooses `item` chooses `other` too.
  void require(int item, int other) { requirements_.emplace_back(item, other); }

  /// The set of items with the highest gain together, for each item whether it is in the set;
  /// among equal sets the smallest one, which is part of all others.
  ///
  /// Source   Picard, Maximal closure of a graph and applications to combinatorial problems,
  ///          Management Science 22 (1976): the closure as a minimum cut.
  std::vector<bool> best() const;

private:
  std::vector<int64_t> gains_;
  std::vector<std::pair<int, int>> requirements_;
};

}  // namespace millrace::dataflow
