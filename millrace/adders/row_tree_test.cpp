// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/row_tree.h"

#include <algorithm>
#include <bit>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

#include "millrace/adders/random_matrix_test.h"
#include "millrace/adders/signed_digits.h"

namespace millrace::adders {
namespace {

/// The terms of a row when it is written so: its rest's digits, and the other row.
int num_terms(const Matrix& matrix, int row, const RowStart& start) {
  int terms = start.from ? 1 : 0;
  for (int column = 0; column < matrix.columns; ++column) {
    const int64_t from = start.from ? matrix.at(*start.from, column) << start.shift : 0;
    terms += num_signed_digits(matrix.at(row, column) - (start.negative ? -from : from));
  }
  return terms;
}

int num_terms(const Matrix& matrix, const RowTree& tree) {
  int terms = 0;
  for (int row = 0; row < matrix.rows; ++row)
    terms += num_terms(matrix, row, tree.starts[static_cast<size_t>(row)]);
  return terms;
}

/// The depth of each row's sum by Kraft's inequality.
std::vector<int> depths(const Matrix& matrix, const RowTree& tree) {
  std::vector<int> result(static_cast<size_t>(matrix.rows));
  for (const int row : tree.order) {
    const RowStart& start = tree.starts[static_cast<size_t>(row)];
    auto kraft = static_cast<uint64_t>(num_terms(matrix, row, start));
    if (start.from)
      kraft += (uint64_t{1} << result[static_cast<size_t>(*start.from)]) - 1;
    result[static_cast<size_t>(row)] = static_cast<int>(std::bit_width(kraft - 1));
  }
  return result;
}

void expect_valid(const Matrix& matrix, const RowTree& tree) {
  std::vector<int> sorted = tree.order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> all(static_cast<size_t>(matrix.rows));
  std::iota(all.begin(), all.end(), 0);
  ASSERT_EQ(sorted, all);
  ASSERT_EQ(tree.starts.size(), all.size());
  std::vector<bool> is_done(all.size(), false);
  for (const int row : tree.order) {
    const RowStart& start = tree.starts[static_cast<size_t>(row)];
    if (start.from) {
      EXPECT_TRUE(is_done[static_cast<size_t>(*start.from)]);
    }
    is_done[static_cast<size_t>(row)] = true;
  }
}

/// The fewest terms of all trees, by trying every start of every row.
class AllTrees {
public:
  AllTrees(const Matrix& matrix, int max_shift) : matrix_(matrix), max_shift_(max_shift) {
    starts_.resize(static_cast<size_t>(matrix.rows));
  }

  int fewest_terms() {
    best_ = std::numeric_limits<int>::max();
    try_row(0, 0);
    return best_;
  }

private:
  void try_row(int row, int terms) {
    if (terms >= best_)
      return;
    if (row == matrix_.rows) {
      if (is_tree())
        best_ = terms;
      return;
    }
    RowStart& start = starts_[static_cast<size_t>(row)];
    start = {};
    try_row(row + 1, terms + num_terms(matrix_, row, start));
    for (int from = 0; from < matrix_.rows; ++from)
      for (int choice = 0; from != row && choice < 2 * (max_shift_ + 1); ++choice) {
        start = {.from = from, .shift = choice / 2, .negative = choice % 2 == 1};
        try_row(row + 1, terms + num_terms(matrix_, row, start));
      }
  }

  bool is_tree() const {
    for (int row = 0; row < matrix_.rows; ++row) {
      int place = row;
      for (int steps = 0; starts_[static_cast<size_t>(place)].from; ++steps) {
        if (steps == matrix_.rows)
          return false;
        place = *starts_[static_cast<size_t>(place)].from;
      }
    }
    return true;
  }

  const Matrix& matrix_;
  int max_shift_;
  std::vector<RowStart> starts_;
  int best_ = 0;
};

/// A random matrix without rows of zeros.
Matrix random_rows(Random& random, int rows, int columns, int64_t limit) {
  for (;;) {
    Matrix matrix = random_matrix(random, rows, columns, -limit, limit);
    bool has_zero_row = false;
    for (int row = 0; row < rows; ++row)
      has_zero_row = has_zero_row || num_terms(matrix, row, {}) == 0;
    if (!has_zero_row)
      return matrix;
  }
}

TEST(MinimumRowTree, SpansAllRowsWithNoMoreTermsThanRowsByThemselves) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const Matrix matrix = random_rows(random, 1 + static_cast<int>(random.below(12)),
                                      1 + static_cast<int>(random.below(8)), 200);
    const RowTree tree = minimum_row_tree(matrix, std::nullopt);
    ASSERT_NO_FATAL_FAILURE(expect_valid(matrix, tree));
    EXPECT_LE(num_terms(matrix, tree), num_terms(matrix, trivial_row_tree(matrix)));
  }
}

// A tree without shifts is as short written from either end, and Prim's algorithm finds the
// shortest. With shifts it need not be, so that the best of all trees is a bound only.
TEST(MinimumRowTree, LiesBetweenTheBestOfAllTreesAndTheBestWithoutShifts) {
  Random random(2);
  int num_best = 0;
  constexpr int Rounds = 30;
  for (int round = 0; round < Rounds; ++round) {
    const Matrix matrix = random_rows(random, 4 + round % 2, 2, 40);
    const int terms = num_terms(matrix, minimum_row_tree(matrix, std::nullopt));
    const int best = AllTrees(matrix, 1).fewest_terms();
    EXPECT_GE(terms, best);
    EXPECT_LE(terms, AllTrees(matrix, 0).fewest_terms());
    num_best += terms == best ? 1 : 0;
  }
  EXPECT_GE(num_best, Rounds * 3 / 4);
}

TEST(MinimumRowTree, KeepsToTheDepthLimit) {
  Random random(3);
  int num_changed = 0;
  for (int round = 0; round < 200; ++round) {
    const Matrix matrix = random_rows(random, 2 + static_cast<int>(random.below(12)),
                                      1 + static_cast<int>(random.below(8)), 200);
    const std::vector<int> trivial = depths(matrix, trivial_row_tree(matrix));
    const int minimum = *std::max_element(trivial.begin(), trivial.end());
    const int free_terms = num_terms(matrix, minimum_row_tree(matrix, std::nullopt));
    for (int extra = 0; extra < 3; ++extra) {
      const RowTree tree = minimum_row_tree(matrix, minimum + extra);
      ASSERT_NO_FATAL_FAILURE(expect_valid(matrix, tree));
      const std::vector<int> found = depths(matrix, tree);
      EXPECT_LE(*std::max_element(found.begin(), found.end()), minimum + extra);
      EXPECT_LE(num_terms(matrix, tree), num_terms(matrix, trivial_row_tree(matrix)));
      num_changed += num_terms(matrix, tree) != free_terms ? 1 : 0;
    }
  }
  EXPECT_GT(num_changed, 0);  // the limit was felt
}

TEST(MinimumRowTree, WritesEqualNegatedAndDoubledRowsAsOneTerm) {
  const Matrix matrix{.rows = 4, .columns = 2, .entries = {11, 13, -11, -13, 22, 26, -22, -26}};
  const RowTree tree = minimum_row_tree(matrix, std::nullopt);
  const int first = num_terms(matrix, tree.order[0], {});
  EXPECT_EQ(num_terms(matrix, tree), first + 3);
}

TEST(TrivialRowTree, StartsEachRowFromNothing) {
  const Matrix matrix{.rows = 3, .columns = 1, .entries = {1, 2, 3}};
  const RowTree tree = trivial_row_tree(matrix);
  EXPECT_EQ(tree.order, (std::vector<int>{0, 1, 2}));
  for (const RowStart& start : tree.starts)
    EXPECT_FALSE(start.from);
}

}  // namespace
}  // namespace millrace::adders
