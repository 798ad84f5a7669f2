// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>
#include <vector>

#include "millrace/fixed/fixed_type.h"

namespace millrace::testing {

/// Draws that are the same on every platform, as those of std::uniform_int_distribution are not.
class Draw {
public:
  explicit Draw(std::mt19937_64& random) : random_(random) {}

  int64_t between(int64_t lo, int64_t hi) {
    const uint64_t span = static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo) + 1;
    const uint64_t draw = random_();
    return static_cast<int64_t>(static_cast<uint64_t>(lo) + (span == 0 ? draw : draw % span));
  }
  int small(int lo, int hi) { return static_cast<int>(between(lo, hi)); }
  bool chance(int percent) { return between(0, 99) < percent; }
  /// A width, more often a large one: narrow values soon become constant.
  int width(int max_bits) { return std::max(small(1, max_bits), small(1, max_bits)); }
  template <class Values>
  auto one_of(const Values& values) {
    return values[static_cast<size_t>(between(0, std::ssize(values) - 1))];
  }
  int64_t raw(const FixedType& type) {
    const auto lo = static_cast<int64_t>(type.min_raw());
    const auto hi = static_cast<int64_t>(type.max_raw());
    const int64_t kind = between(0, 9);
    if (kind == 0)
      return chance(50) ? lo : hi;
    if (kind <= 2)
      return between(std::max(lo, int64_t{-2}), std::min(hi, int64_t{2}));
    return between(lo, hi);
  }
  std::vector<int64_t> raws(const FixedType& type, int64_t count, int zero_percent) {
    std::vector<int64_t> numbers;
    for (int64_t i = 0; i < count; ++i)
      numbers.push_back(chance(zero_percent) ? 0 : raw(type));
    return numbers;
  }

private:
  std::mt19937_64& random_;
};

}  // namespace millrace::testing
