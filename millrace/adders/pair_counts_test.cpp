// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/pair_counts.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

constexpr ValueId MaxValue = (ValueId{1} << Term::ValueBits) - 1;
constexpr int MaxShift = (1 << Term::ShiftBits) - 1;

TEST(Term, KeepsItsParts) {
  for (const ValueId value : {ValueId{0}, ValueId{1}, ValueId{77'777}, MaxValue})
    for (const int shift : {0, 1, 31, MaxShift})
      for (const bool negative : {false, true}) {
        const Term term(value, shift, negative);
        EXPECT_EQ(term.value(), value);
        EXPECT_EQ(term.shift(), shift);
        EXPECT_EQ(term.negative(), negative);
        EXPECT_EQ(term.negated(), Term(value, shift, !negative));
      }
}

TEST(Term, StandsWithinAnother) {
  for (const bool outer : {false, true})
    for (const bool inner : {false, true})
      EXPECT_EQ(Term(MaxValue, 5, inner).within({3, 7, outer}), Term(MaxValue, 12, inner != outer));
  EXPECT_EQ(Term(4, 2, true).shifted(3), Term(4, 5, true));
  EXPECT_EQ(Term(4, 2, true).shifted(-2), Term(4, 0, true));
}

TEST(Pair, IsTheSameForBothOrdersAndUpToShiftAndSign) {
  const std::vector<Term> terms = {{0, 0, false}, {0, 4, true},         {0, MaxShift, true},
                                   {5, 0, true},  {MaxValue, 2, false}, {MaxValue, MaxShift, true}};
  for (const Term x : terms) {
    for (const Term y : terms) {
      if (x.value() == y.value() && x.shift() == y.shift())
        continue;
      const Pair pair(x, y);
      EXPECT_EQ(pair.bits(), Pair(y, x).bits());
      EXPECT_EQ(pair.bits(), Pair(x.negated(), y.negated()).bits());
      EXPECT_NE(pair.bits(), Pair(x, y.negated()).bits());
      EXPECT_EQ(pair.bits(), Pair(pair.first(), pair.second()).bits());
      EXPECT_LT(pair.bits(), uint64_t{1} << Pair::Bits);
      EXPECT_EQ(pair.first().shift(), 0);
      EXPECT_FALSE(pair.first().negative());
      // The pair at the place of its lower term is the two terms again.
      const bool x_first =
          x.shift() < y.shift() || (x.shift() == y.shift() && x.value() < y.value());
      const Term outer(0, std::min(x.shift(), y.shift()), (x_first ? x : y).negative());
      EXPECT_EQ(pair.first().within(outer), x_first ? x : y);
      EXPECT_EQ(pair.second().within(outer), x_first ? y : x);
    }
  }
  EXPECT_EQ(Pair(terms[0], terms[3]).bits(), Pair(terms[0].shifted(9), terms[3].shifted(9)).bits());
}

/// Sums beside a table that counts their pairs, and the same counts by counting afresh.
class CountedSums {
public:
  CountedSums(uint64_t seed, size_t num_sums, ValueId num_values, int num_shifts)
      : random_(seed), sums_(num_sums), num_values_(num_values), num_shifts_(num_shifts) {}

  void grow() {
    std::vector<Term>& sum = sums_[random_.below(sums_.size())];
    const Term term(random_.below(num_values_), static_cast<int>(random_.below(num_shifts_)),
                    random_.chance(1, 2));
    if (std::any_of(sum.begin(), sum.end(), [&](Term other) {
          return other.value() == term.value() && other.shift() == term.shift();
        }))
      return;
    updates_ += static_cast<int64_t>(sum.size());
    counts_.add(term, sum);
    sum.push_back(term);
  }

  void shrink() {
    std::vector<Term>& sum = sums_[random_.below(sums_.size())];
    if (sum.empty())
      return;
    const size_t place = random_.below(sum.size());
    const Term term = sum[place];
    sum.erase(sum.begin() + static_cast<ptrdiff_t>(place));
    updates_ += static_cast<int64_t>(sum.size());
    counts_.remove(term, sum);
  }

  void clear() {
    counts_.clear();
    for (std::vector<Term>& sum : sums_)
      sum.clear();
  }

  /// Compares the counts of all pairs that stand, or stood when this was called last.
  void compare() {
    std::map<uint64_t, int> now;
    for (const std::vector<Term>& sum : sums_)
      for (size_t i = 0; i < sum.size(); ++i)
        for (size_t j = 0; j < i; ++j)
          ++now[Pair(sum[i], sum[j]).bits()];
    for (const auto& [bits, count] : now)
      ASSERT_EQ(counts_.count(Pair::from_bits(bits)), count);
    for (const auto& [bits, count] : last_)
      if (!now.contains(bits)) {
        ASSERT_EQ(counts_.count(Pair::from_bits(bits)), 0);
      }
    last_ = std::move(now);
    EXPECT_EQ(counts_.num_updates(), updates_);
  }

  /// Picks a pair and compares it with the last compare().
  void pick() {
    int most = 0;
    for (const auto& [bits, count] : last_)
      most = std::max(most, count);
    const std::optional<Pair> pair = counts_.pick(random_);
    ASSERT_EQ(pair.has_value(), most >= 2);
    if (!pair)
      return;
    EXPECT_EQ(counts_.count(*pair), most);
    EXPECT_EQ(counts_.picked_count(), most);
  }

  size_t num_pairs() const { return last_.size(); }
  Random& random() { return random_; }

private:
  Random random_;
  std::vector<std::vector<Term>> sums_;
  ValueId num_values_;
  int num_shifts_;
  PairCounts counts_;
  int64_t updates_ = 0;
  std::map<uint64_t, int> last_;
};

TEST(PairCounts, AgreeWithCountingAfresh) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CountedSums sums(seed, 12, 6, 4);
    for (int step = 0; step < 2000; ++step) {
      // Tides of growing and shrinking, so that the table's clusters come and go.
      if (sums.random().chance(step / 250 % 2 == 0 ? 6 : 4, 10))
        sums.grow();
      else
        sums.shrink();
      if (step % 1500 == 1499)
        sums.clear();
      if (step % 20 == 0) {
        ASSERT_NO_FATAL_FAILURE(sums.compare());
        ASSERT_NO_FATAL_FAILURE(sums.pick());
      }
    }
  }
}

TEST(PairCounts, GrowWithTheNumberOfPairs) {
  CountedSums sums(3, 10, MaxValue, MaxShift + 1);
  for (int step = 0; step < 1500; ++step)
    sums.grow();
  ASSERT_NO_FATAL_FAILURE(sums.compare());
  EXPECT_GT(sums.num_pairs(), 50'000U);
  for (int step = 0; step < 20'000; ++step)
    sums.shrink();
  ASSERT_NO_FATAL_FAILURE(sums.compare());
  EXPECT_EQ(sums.num_pairs(), 0U);
  for (int step = 0; step < 300; ++step)
    sums.grow();
  ASSERT_NO_FATAL_FAILURE(sums.compare());
}

TEST(PairCounts, EmptyAndClearedTablesHaveNothingToPick) {
  PairCounts counts;
  Random random(1);
  EXPECT_FALSE(counts.pick(random));
  counts.add({0, 0, false}, {{1, 0, false}});
  EXPECT_FALSE(counts.pick(random));
  counts.add({0, 0, false}, {{1, 0, false}});
  EXPECT_TRUE(counts.pick(random));
  counts.clear();
  EXPECT_FALSE(counts.pick(random));
  EXPECT_EQ(counts.count({Term(0, 0, false), Term(1, 0, false)}), 0);
}

TEST(PairCounts, PickEachOfTheMostFrequentPairsNowAndThen) {
  PairCounts counts;
  Random random(7);
  const std::vector<Term> others = {{1, 0, false}, {2, 0, true}, {3, 5, false}};
  for (int i = 0; i < 4; ++i)
    counts.add({0, 0, false}, others);
  counts.add({9, 0, false}, {{8, 0, false}});
  std::set<ValueId> seen;
  for (int i = 0; i < 100; ++i) {
    const Pair pair = counts.pick(random).value();
    EXPECT_EQ(counts.count(pair), 4);
    seen.insert(pair.second().value());
  }
  EXPECT_EQ(seen, (std::set<ValueId>{1, 2, 3}));
}

TEST(PairCounts, DeferredPairsComeLaterAndReturnWhenTheyAreCountedAgain) {
  PairCounts counts;
  Random random(1);
  const Term x(0, 0, false), often(1, 0, false), seldom(2, 0, false);
  for (int i = 0; i < 5; ++i)
    counts.add(x, {often});
  for (int i = 0; i < 3; ++i)
    counts.add(x, {seldom});
  ASSERT_EQ(counts.pick(random)->bits(), Pair(x, often).bits());
  counts.defer(4);
  ASSERT_EQ(counts.pick(random)->bits(), Pair(x, often).bits());
  EXPECT_EQ(counts.picked_count(), 4);

  // All pairs can be deferred until there is nothing left, most frequent first.
  std::set<uint64_t> seen;
  int last = counts.picked_count();
  while (const std::optional<Pair> pair = counts.pick(random)) {
    EXPECT_LE(counts.picked_count(), last);
    last = counts.picked_count();
    seen.insert(pair->bits());
    counts.defer(1);
  }
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(counts.count(Pair(x, often)), 5);

  counts.add(x, {seldom});
  ASSERT_EQ(counts.pick(random)->bits(), Pair(x, seldom).bits());
  EXPECT_EQ(counts.picked_count(), 4);
}

TEST(PairCounts, RefuseToCountBeyondTheirWidth) {
  PairCounts counts;
  const Term x(0, 0, false), y(MaxValue, MaxShift, true);
  const std::vector<Term> many(PairCounts::MaxCount, y);
  counts.add(x, many);
  EXPECT_EQ(counts.count({x, y}), PairCounts::MaxCount);
  EXPECT_THROW(counts.add(x, {y}), InternalError);
  counts.remove(x, many);
  EXPECT_EQ(counts.count({x, y}), 0);
}

}  // namespace
}  // namespace millrace::adders
