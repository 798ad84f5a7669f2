// SPDX-License-Identifier: Apache-2.0
// How often each pair of terms stands in the sums of a network, kept up to date while the sums
// change, with the most frequent pairs at hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "millrace/adders/random.h"

namespace millrace::adders {

/// Numbers the values of a SumNetwork: first its inputs, then its sums.
using ValueId = uint32_t;

/// One term of a sum: +-(value << shift), packed so that a sum is a flat array.
class Term {
public:
  static constexpr int ValueBits = 20, ShiftBits = 6;
  static constexpr int MaxShift = (1 << ShiftBits) - 1;

  Term() = default;
  Term(ValueId value, int shift, bool negative)
      : bits_(value << (ShiftBits + 1) | static_cast<uint32_t>(shift) << 1 | (negative ? 1U : 0U)) {
  }

  ValueId value() const { return bits_ >> (ShiftBits + 1); }
  int shift() const { return static_cast<int>((bits_ >> 1) & ((1U << ShiftBits) - 1)); }
  bool negative() const { return (bits_ & 1U) != 0; }

  Term negated() const { return Term(bits_ ^ 1U); }
  /// This term as it stands in +-(sum << shift), where (shift, negative) are those of `outer`.
  Term within(Term outer) const {
    return Term((bits_ + (static_cast<uint32_t>(outer.shift()) << 1)) ^ (outer.bits_ & 1U));
  }
  Term shifted(int by) const { return Term(bits_ + (static_cast<uint32_t>(by) << 1)); }

  friend bool operator==(Term, Term) = default;

private:
  explicit Term(uint32_t bits) : bits_(bits) {}

  uint32_t bits_ = 0;
};

/// Two terms up to a common shift and sign: first + second, or minus, with first.shift = 0.
class Pair {
public:
  static constexpr int Bits = 2 * Term::ValueBits + Term::ShiftBits + 1;

  /// The pair that two different terms of a sum make, lower shift first.
  Pair(Term x, Term y) {
    if (y.shift() < x.shift() || (y.shift() == x.shift() && y.value() < x.value()))
      std::swap(x, y);
    bits_ = uint64_t{x.value()} << (Term::ValueBits + Term::ShiftBits + 1) |
            uint64_t{y.value()} << (Term::ShiftBits + 1) |
            static_cast<uint64_t>(y.shift() - x.shift()) << 1 |
            (x.negative() != y.negative() ? 1U : 0U);
  }
  static Pair from_bits(uint64_t bits) { return Pair(bits); }
  uint64_t bits() const { return bits_; }

  Term first() const {
    return {static_cast<ValueId>(bits_ >> (Term::ValueBits + Term::ShiftBits + 1)), 0, false};
  }
  Term second() const {
    return {static_cast<ValueId>((bits_ >> (Term::ShiftBits + 1)) & ((1U << Term::ValueBits) - 1)),
            static_cast<int>((bits_ >> 1) & ((1U << Term::ShiftBits) - 1)), (bits_ & 1U) != 0};
  }

private:
  explicit Pair(uint64_t bits) : bits_(bits) {}

  uint64_t bits_ = 0;
};

/// A table of counts with a queue of the pairs that stand at least twice.
class PairCounts {
public:
  static constexpr int MaxCount = (1 << (63 - Pair::Bits)) - 1;

  PairCounts();

  /// Counts the pairs of `term` with each of `others` once more.
  void add(Term term, const std::vector<Term>& others);
  /// Counts them once less.
  void remove(Term term, const std::vector<Term>& others);
  int count(Pair pair) const;
  /// Forgets all pairs.
  void clear();

  /// One of the most frequent pairs, chosen at random; none when no pair stands twice. The pair
  /// stays in the queue until remove() or defer() take it out.
  std::optional<Pair> pick(Random& random);
  /// Treats the pair that pick() gave as one that stands only `count` times, until it is counted
  /// again.
  void defer(int count);
  /// The number of times that the pair that pick() gave stands, at most.
  int picked_count() const { return static_cast<int>(top_); }

  /// Updates of single pairs so far: what the search's effort is measured in.
  int64_t num_updates() const { return num_updates_; }

private:
  // A slot: the pair, whether it waits to be enqueued, its count.
  static constexpr uint64_t CountMask = MaxCount;
  static constexpr uint64_t WaitsBit = uint64_t{MaxCount} + 1;

  size_t home(uint64_t key) const;
  size_t find(uint64_t key) const;
  void locate(Term term, const std::vector<Term>& others);
  void erase(size_t slot);
  void reserve(size_t num_more);
  void enqueue(uint64_t key, size_t count);
  void enqueue_waiting();

  // Open addressing with linear probing; a free slot is 0. A pair that stands nowhere keeps its
  // slot until room is made, as it is often back soon.
  std::vector<uint64_t> slots_;
  size_t mask_ = 0;
  size_t num_used_ = 0;
  // Pairs that have been counted up since the last pick().
  std::vector<uint64_t> waiting_;
  // The pairs that once had the count of their bucket; those that no longer have are moved when
  // they are met.
  std::vector<std::vector<uint64_t>> buckets_;
  size_t top_ = 1;
  size_t picked_ = 0;
  std::vector<uint64_t> keys_;
  int64_t num_updates_ = 0;
};

}  // namespace millrace::adders
