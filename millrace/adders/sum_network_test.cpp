// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/sum_network.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "millrace/adders/random_matrix_test.h"
#include "millrace/adders/search.h"
#include "millrace/adders/signed_digits.h"

namespace millrace::adders {
namespace {

using Vector = std::vector<Int128>;
using TermKey = std::tuple<ValueId, int, bool>;

TermKey key(Term term) {
  return {term.value(), term.shift(), term.negative()};
}

/// What a network is, by the plainest code: coefficients, adders, uses.
class Reading {
public:
  explicit Reading(const SumNetwork& network) : network_(network) {}

  /// The coefficients of a value over the inputs; a cycle fails the test.
  const Vector& coefficients(ValueId value) {
    const auto [place, is_new] = known_.try_emplace(value);
    Vector& result = place->second;
    if (!is_new) {
      EXPECT_FALSE(result.empty()) << "a cycle through value " << value;
      return result;
    }
    Vector sum(static_cast<size_t>(network_.num_inputs()), 0);
    if (network_.is_input(value)) {
      sum[value] = 1;
    } else {
      EXPECT_TRUE(network_.is_sum(value));
      for (const Term term : network_.terms(value)) {
        const Vector part = coefficients(term.value());
        for (size_t i = 0; i < part.size(); ++i)
          sum[i] += (term.negative() ? -1 : 1) * (part[i] << term.shift());
      }
    }
    return known_[value] = sum;
  }

  /// The fewest levels of adders for each value, by Kraft's inequality.
  int depth(ValueId value) {
    if (network_.is_input(value))
      return 0;
    uint64_t kraft = 0;
    for (const Term term : network_.terms(value))
      kraft += uint64_t{1} << depth(term.value());
    return static_cast<int>(std::bit_width(kraft - 1));
  }

private:
  const SumNetwork& network_;
  std::map<ValueId, Vector> known_;
};

void expect_outputs(const SumNetwork& network, const Matrix& matrix) {
  Reading reading(network);
  for (int row = 0; row < matrix.rows; ++row) {
    const SumNetwork::Output& output = network.outputs()[static_cast<size_t>(row)];
    const Vector& value = reading.coefficients(output.value);
    for (int column = 0; column < matrix.columns; ++column)
      ASSERT_TRUE((value[static_cast<size_t>(column)] << output.shift) *
                      (output.negative ? -1 : 1) ==
                  matrix.at(row, column))
          << "row " << row << ", column " << column;
  }
}

/// Compares what the network says of itself with a recount.
void expect_consistent(SumNetwork& network) {
  const ValueId num_values = network.num_values();
  std::vector<int> uses(num_values, 0);
  std::vector<int> outputs(num_values, 0);
  std::vector<std::set<ValueId>> readers(num_values);
  int64_t adders = 0;
  for (const SumNetwork::Output& output : network.outputs())
    ++outputs[output.value];
  for (ValueId sum = 0; sum < num_values; ++sum) {
    if (!network.is_sum(sum)) {
      EXPECT_TRUE(network.terms(sum).empty());
      continue;
    }
    const std::vector<Term>& terms = network.terms(sum);
    ASSERT_GE(terms.size(), 2U);
    adders += static_cast<int64_t>(terms.size()) - 1;
    std::set<std::pair<ValueId, int>> places;
    for (const Term term : terms) {
      ++uses[term.value()];
      readers[term.value()].insert(sum);
      EXPECT_TRUE(places.emplace(term.value(), term.shift()).second)
          << "two terms that could be one";
    }
  }
  EXPECT_EQ(network.num_adders(), adders);
  for (ValueId value = 0; value < num_values; ++value) {
    EXPECT_EQ(network.is_output(value), outputs[value] > 0);
    EXPECT_EQ(network.is_term(value), uses[value] > 0);
    if (network.is_sum(value)) {
      EXPECT_TRUE(outputs[value] > 0 || uses[value] >= 2) << "a sum that is used once stays";
    }
    if (!network.is_input(value) && !network.is_sum(value)) {
      EXPECT_EQ(uses[value] + outputs[value], 0) << "a sum that is gone is used";
    }
    const std::vector<ValueId>& found = network.readers(value);
    EXPECT_EQ(std::set<ValueId>(found.begin(), found.end()), readers[value]);
    EXPECT_EQ(found.size(), readers[value].size());
  }
}

void expect_depths(const SumNetwork& network) {
  Reading reading(network);
  for (ValueId value = 0; value < network.num_values(); ++value) {
    if (!network.is_sum(value) && !network.is_input(value))
      continue;
    ASSERT_EQ(network.depth(value), reading.depth(value));
    ASSERT_LE(network.depth(value), network.depth_limit());
  }
}

/// All that undo() must restore.
struct Snapshot {
  std::map<ValueId, std::set<TermKey>> sums;
  std::vector<TermKey> outputs;
  std::vector<int> depths;
  int64_t adders = 0;

  explicit Snapshot(const SumNetwork& network) : adders(network.num_adders()) {
    for (ValueId value = 0; value < network.num_values(); ++value) {
      if (!network.is_sum(value))
        continue;
      for (const Term term : network.terms(value))
        sums[value].insert(key(term));
      if (network.depth_limit() != SumNetwork::NoLimit)
        depths.push_back(network.depth(value));
    }
    for (const SumNetwork::Output& output : network.outputs())
      outputs.emplace_back(output.value, output.shift, output.negative);
  }

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

std::vector<Term> digits_of(const Vector& coefficients) {
  std::vector<Term> terms;
  for (size_t input = 0; input < coefficients.size(); ++input)
    for (const SignedDigit& digit :
         canonical_signed_digits(static_cast<int64_t>(coefficients[input])))
      terms.emplace_back(static_cast<ValueId>(input), digit.shift, digit.negative);
  return terms;
}

/// Takes random steps in a network.
class Walker {
public:
  Walker(SumNetwork& network, Random& random) : network_(network), random_(random) {}

  void step() {
    switch (random_.below(8)) {
      case 0:
        write_out();
        break;
      case 1:
        rewrite();
        break;
      default:
        num_shared += network_.share_pair(random_) ? 1 : 0;
    }
  }

  int num_shared = 0, num_written_out = 0, num_rewritten = 0;

private:
  std::optional<ValueId> any_sum() {
    std::vector<ValueId> sums;
    for (ValueId value = 0; value < network_.num_values(); ++value)
      if (network_.is_sum(value))
        sums.push_back(value);
    return sums.empty() ? std::nullopt : std::optional(sums[random_.below(sums.size())]);
  }

  void write_out() {
    const std::optional<ValueId> sum = any_sum();
    if (!sum || !network_.is_term(*sum))
      return;
    const bool stays = network_.is_output(*sum);
    network_.write_out(*sum);
    EXPECT_FALSE(network_.is_term(*sum));
    EXPECT_EQ(network_.is_sum(*sum), stays);
    ++num_written_out;
  }

  /// Writes a sum over the inputs where its depth allows it. With several groups, an output shows
  /// in part only.
  void rewrite() {
    const std::optional<ValueId> sum = any_sum();
    if (!sum || (network_.num_groups() > 1 && network_.is_output(*sum)))
      return;
    network_.exact_depths();
    const std::vector<Term> terms = digits_of(Reading(network_).coefficients(*sum));
    const int limit = network_.is_term(*sum) ? network_.depth(*sum) : network_.depth_limit();
    if (network_.depth_limit() != SumNetwork::NoLimit && terms.size() > size_t{1} << limit)
      return;
    network_.rewrite(*sum, terms);
    ++num_rewritten;
  }

  SumNetwork& network_;
  Random& random_;
};

/// The levels that a tree of adders needs for the row with the most signed digits.
int fewest_levels(const Matrix& matrix) {
  int digits = 1;
  for (int row = 0; row < matrix.rows; ++row) {
    int of_row = 0;
    for (int column = 0; column < matrix.columns; ++column)
      of_row += num_signed_digits(matrix.at(row, column));
    digits = std::max(digits, of_row);
  }
  return static_cast<int>(std::bit_width(static_cast<unsigned>(digits - 1)));
}

/// Every row gets a 1, so that none is zero.
Matrix random_rows(Random& random) {
  const int rows = 1 + static_cast<int>(random.below(7));
  const int columns = 1 + static_cast<int>(random.below(6));
  const int64_t limit = int64_t{1} << (1 + random.below(9));
  Matrix matrix = random_matrix(random, rows, columns, -limit, limit);
  for (int row = 0; row < rows; ++row)
    matrix.entries[static_cast<size_t>(row * columns + row % columns)] = 1;
  return matrix;
}

SumNetwork random_network(const Matrix& matrix, uint64_t seed, bool has_limit,
                          const std::vector<int>& groups) {
  const int limit = has_limit ? fewest_levels(matrix) + static_cast<int>(seed % 3) : -1;
  const RowTree tree =
      seed % 2 == 0 || groups.back() > 0
          ? trivial_row_tree(matrix)
          : minimum_row_tree(matrix, has_limit ? std::optional(limit) : std::nullopt);
  return write_sums(matrix, tree, groups, limit);
}

/// Takes steps, some of which are undone.
void take_steps(SumNetwork& network, Walker& walker, Random& random) {
  network.exact_depths();
  const Snapshot before(network);
  const bool is_noted = random.chance(2, 3);
  if (is_noted)
    network.begin();
  for (uint32_t steps = random.below(20); steps > 0; --steps)
    walker.step();
  if (is_noted && random.chance(1, 2)) {
    network.undo();
    network.exact_depths();
    ASSERT_TRUE(Snapshot(network) == before);
  } else {
    network.keep();
  }
  network.exact_depths();
}

void expect_right(SumNetwork& network, const Matrix& matrix) {
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
  if (network.depth_limit() != SumNetwork::NoLimit) {
    ASSERT_NO_FATAL_FAILURE(expect_depths(network));
  }
}

void walk(uint64_t seed, bool has_limit) {
  Random random(seed);
  const Matrix matrix = random_rows(random);
  SumNetwork network = random_network(matrix, seed, has_limit,
                                      std::vector<int>(static_cast<size_t>(matrix.columns), 0));
  Walker walker(network, random);
  for (int round = 0; round < 12; ++round) {
    ASSERT_NO_FATAL_FAILURE(expect_right(network, matrix)) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(take_steps(network, walker, random)) << "seed " << seed;
  }
  ASSERT_NO_FATAL_FAILURE(expect_right(network, matrix)) << "seed " << seed;
}

/// The same with the columns in groups, of which only the one in focus shows.
void walk_in_groups(uint64_t seed, bool has_limit, int num_groups) {
  Random random(seed);
  const Matrix matrix = random_rows(random);
  std::vector<int> groups;
  for (int column = 0; column < matrix.columns; ++column)
    groups.push_back(column * num_groups / matrix.columns);
  SumNetwork network = random_network(matrix, seed, has_limit, groups);
  Walker walker(network, random);
  for (int round = 0; round < 12; ++round) {
    network.focus(static_cast<int>(random.below(static_cast<size_t>(network.num_groups()))));
    ASSERT_NO_FATAL_FAILURE(take_steps(network, walker, random)) << "seed " << seed;
  }
  network.show_all();
  network.exact_depths();
  ASSERT_NO_FATAL_FAILURE(expect_right(network, matrix)) << "seed " << seed;
}

TEST(SumNetwork, KeepsItsOutputsThroughAllSteps) {
  for (uint64_t seed = 1; seed <= 300; ++seed)
    ASSERT_NO_FATAL_FAILURE(walk(seed, false));
}

TEST(SumNetwork, KeepsToItsDepthLimitThroughAllSteps) {
  for (uint64_t seed = 1; seed <= 300; ++seed)
    ASSERT_NO_FATAL_FAILURE(walk(seed, true));
}

TEST(SumNetwork, KeepsItsOutputsInSeveralGroups) {
  for (uint64_t seed = 1; seed <= 300; ++seed)
    ASSERT_NO_FATAL_FAILURE(walk_in_groups(seed, seed % 4 < 2, 2 + static_cast<int>(seed % 2)));
}

/// How often a pair of terms of two values stands, at most.
int most_frequent_pair(const SumNetwork& network) {
  std::map<uint64_t, int> counts;
  int most = 0;
  for (ValueId sum = 0; sum < network.num_values(); ++sum) {
    const std::vector<Term>& terms = network.terms(sum);
    for (size_t i = 0; i < terms.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (terms[i].value() != terms[j].value())
          most = std::max(most, ++counts[Pair(terms[i], terms[j]).bits()]);
  }
  return most;
}

// Only pairs of one value with itself can stay: their occurrences overlap.
TEST(SumNetwork, SharesUntilNoPairStandsTwice) {
  Random random(5);
  for (int round = 0; round < 100; ++round) {
    const Matrix matrix = random_rows(random);
    const std::vector<int> groups(static_cast<size_t>(matrix.columns), 0);
    SumNetwork network = write_sums(matrix, trivial_row_tree(matrix), groups, SumNetwork::NoLimit);
    Walker walker(network, random);
    for (int times = 0; times < 4; ++times) {
      network.begin();
      for (int steps = 0; steps < 10; ++steps)
        walker.step();
      if (random.chance(1, 2))
        network.undo();
      else
        network.keep();
      while (network.share_pair(random)) {
      }
      EXPECT_LT(most_frequent_pair(network), 2);
    }
  }
}

TEST(SumNetwork, SharesOnlyPairsOfTheGroupInFocus) {
  // Inputs 0 and 1 stand together in all rows, 2 and 3 too, 0 and 2 in two.
  const Matrix matrix{.rows = 3, .columns = 4, .entries = {1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 4, 4}};
  SumNetwork network =
      write_sums(matrix, trivial_row_tree(matrix), {0, 0, 1, 1}, SumNetwork::NoLimit);
  Random random(1);
  EXPECT_EQ(network.num_groups(), 2);
  EXPECT_EQ(network.num_adders(), 9);
  EXPECT_TRUE(network.share_pair(random));
  EXPECT_FALSE(network.share_pair(random));
  EXPECT_EQ(network.num_adders(), 7);
  network.focus(1);
  EXPECT_TRUE(network.share_pair(random));
  EXPECT_FALSE(network.share_pair(random));
  EXPECT_EQ(network.num_adders(), 5);
  network.show_all();
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
}

TEST(SumNetwork, RowsOfOneTermMayBeInAnyGroup) {
  const Matrix matrix{.rows = 3, .columns = 3, .entries = {0, 0, 4, 1, 1, 1, 0, -1, 0}};
  SumNetwork network = write_sums(matrix, trivial_row_tree(matrix), {0, 1, 2}, SumNetwork::NoLimit);
  network.show_all();
  EXPECT_EQ(network.num_adders(), 2);
  EXPECT_EQ(network.outputs()[0].value, ValueId{2});
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
}

TEST(SumNetwork, TakesASumThatIsThePairAsTheValueWanted) {
  // Row 0 is the pair; the others hold it doubled and negated.
  const Matrix matrix{.rows = 3, .columns = 3, .entries = {1, -1, 0, 2, -2, 1, -1, 1, 4}};
  SumNetwork network = write_sums(matrix, trivial_row_tree(matrix), {0, 0, 0}, SumNetwork::NoLimit);
  Random random(1);
  const ValueId num_values = network.num_values();
  EXPECT_TRUE(network.share_pair(random));
  EXPECT_EQ(network.num_values(), num_values);
  EXPECT_EQ(network.num_adders(), 3);
  EXPECT_EQ(network.readers(network.outputs()[0].value).size(), 2U);
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
}

TEST(SumNetwork, WritesRowsThatAreMultiplesOfOthersAsOutputsOfTheSameValue) {
  const Matrix matrix{.rows = 4, .columns = 2, .entries = {3, 5, -3, -5, 12, 20, 0, -8}};
  SumNetwork network(std::vector<int>(2, 0), 4, SumNetwork::NoLimit);
  const std::vector<Term> terms = digits_of({3, 5});
  const ValueId row = network.add_output(0, terms);
  network.add_output(1, {{row, 0, true}});
  network.add_output(2, {{row, 2, false}});
  network.add_output(3, {{1, 3, true}});
  network.finish();
  EXPECT_EQ(network.num_adders(), 3);
  EXPECT_EQ(network.outputs()[1].value, row);
  EXPECT_EQ(network.outputs()[3].value, ValueId{1});
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
}

TEST(SumNetwork, MergesTermsThatMeetWhenASumIsWrittenOut) {
  // Row 1 is row 0 with x - x = 0, row 2 with x + x = 2x, row 3 with 2x - x = x.
  const Matrix matrix{.rows = 4, .columns = 3, .entries = {1, 1, 0, 0, 1, 1, 2, 1, 1, -1, 1, 1}};
  SumNetwork network(std::vector<int>(3, 0), 4, SumNetwork::NoLimit);
  const ValueId row = network.add_output(0, {{0, 0, false}, {1, 0, false}});
  network.add_output(1, {{row, 0, false}, {0, 0, true}, {2, 0, false}});
  network.add_output(2, {{row, 0, false}, {0, 0, false}, {2, 0, false}});
  network.add_output(3, {{row, 0, false}, {0, 1, true}, {2, 0, false}});
  network.finish();
  EXPECT_EQ(network.num_adders(), 7);
  network.write_out(row);
  EXPECT_EQ(network.num_adders(), 6);
  for (const size_t i : {1U, 2U, 3U})
    EXPECT_EQ(network.terms(network.outputs()[i].value).size(), i == 1 ? 2U : 3U);
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
}

// A partner 33 places above 2^40 x0 would be beyond the shifts that a term has; it must not be
// taken for a term of x1.
TEST(SumNetwork, SharesPairsThatAreFarApart) {
  constexpr int64_t Far = int64_t{1} << 33;
  const Matrix matrix{
      .rows = 3, .columns = 2, .entries = {1 + Far, 0, 5 + 5 * Far, 1, int64_t{1} << 40, 512}};
  SumNetwork network = write_sums(matrix, trivial_row_tree(matrix), {0, 0}, SumNetwork::NoLimit);
  Random random(1);
  while (network.share_pair(random)) {
  }
  ASSERT_NO_FATAL_FAILURE(expect_outputs(network, matrix));
  ASSERT_NO_FATAL_FAILURE(expect_consistent(network));
}

TEST(SumNetwork, DoesNotShareWhatWouldBeTooDeep) {
  // Three terms fit two levels; with x1 + x2 taken first, x0 + (x1 + x2) still does. Five terms
  // with the pair on top of a shared sum of four would not.
  const Matrix matrix{.rows = 2, .columns = 4, .entries = {1, 1, 1, 1, 1, 1, 1, 2}};
  SumNetwork network = write_sums(matrix, trivial_row_tree(matrix), {0, 0, 0, 0}, 2);
  Random random(1);
  int num_shared = 0;
  while (network.share_pair(random))
    ++num_shared;
  EXPECT_EQ(num_shared, 1);  // without the limit, (x0 + x1) + x2 would be the second
  network.exact_depths();
  ASSERT_NO_FATAL_FAILURE(expect_depths(network));
  SumNetwork free_network =
      write_sums(matrix, trivial_row_tree(matrix), {0, 0, 0, 0}, SumNetwork::NoLimit);
  while (free_network.share_pair(random)) {
  }
  EXPECT_EQ(free_network.num_adders(), 4);
  EXPECT_EQ(network.num_adders(), 5);
}

// Row 2 becomes ((x0 + x1) + x2) + x3, deeper than the two levels that it had, before row 3 takes
// it for a term; ((x4 + x5) + x6) has no room there then.
TEST(SumNetwork, AnOutputThatBecomesATermHasTheDepthThatItHasGrownTo) {
  Matrix matrix{.rows = 6, .columns = 12, .entries = std::vector<int64_t>(6 * 12, 0)};
  const std::vector<std::pair<int, int>> ones = {{0, 2}, {0, 3}, {0, 4}, {0, 12}, {4, 6}, {4, 7}};
  for (size_t row = 0; row < ones.size(); ++row)
    for (int column = ones[row].first; column < ones[row].second; ++column)
      matrix.entries[row * 12 + static_cast<size_t>(column)] = 1;
  constexpr int Limit = 4;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SumNetwork network =
        write_sums(matrix, trivial_row_tree(matrix), std::vector<int>(12, 0), Limit);
    Random random(seed);
    while (network.share_pair(random)) {
    }
    network.exact_depths();
    ASSERT_NO_FATAL_FAILURE(expect_right(network, matrix));
  }
}

}  // namespace
}  // namespace millrace::adders
