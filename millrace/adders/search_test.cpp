// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/search.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "millrace/adders/build_graph.h"
#include "millrace/adders/certificate.h"
#include "millrace/adders/random_matrix_test.h"

namespace millrace::adders {
namespace {

std::vector<int> one_group(const Matrix& matrix) {
  return std::vector<int>(static_cast<size_t>(matrix.columns), 0);
}

SumNetwork written(const Matrix& matrix) {
  return write_sums(matrix, minimum_row_tree(matrix, std::nullopt), one_group(matrix),
                    SumNetwork::NoLimit);
}

void expect_right(const SumNetwork& network, const Matrix& matrix) {
  const std::vector<Range> ranges(static_cast<size_t>(matrix.columns), Range{-128, 127});
  const Certificate certificate = certify(build_graph(network, matrix, ranges), matrix, ranges);
  EXPECT_TRUE(certificate.holds()) << certificate.failure;
}

/// A listener that stops a search when it is told of it for the `last`-th time.
ProgressFunction stop_after(int last, std::string name = "") {
  return [last, name, told = 0](std::string_view step, double) mutable {
    return (!name.empty() && step != name) || ++told < last;
  };
}

TEST(WriteSums, HasATermForEachSignedDigitOfTheTreesRests) {
  const Matrix matrix{.rows = 2, .columns = 2, .entries = {7, 5, 14, 11}};
  const SumNetwork plain =
      write_sums(matrix, trivial_row_tree(matrix), one_group(matrix), SumNetwork::NoLimit);
  EXPECT_EQ(plain.num_adders(), 3 + 4);  // 8 - 1, 4 + 1; 16 - 2, 8 + 4 - 1
  RowTree tree = trivial_row_tree(matrix);
  tree.starts[1] = {.from = 0, .shift = 1, .negative = false};
  const SumNetwork doubled = write_sums(matrix, tree, one_group(matrix), SumNetwork::NoLimit);
  EXPECT_EQ(doubled.num_adders(), 3 + 1);
  expect_right(doubled, matrix);
  tree = trivial_row_tree(matrix);
  tree.order = {1, 0};
  tree.starts[0] = {.from = 1, .shift = 0, .negative = true};  // 21 x + 16 y more
  const SumNetwork reversed = write_sums(matrix, tree, one_group(matrix), SumNetwork::NoLimit);
  EXPECT_EQ(reversed.num_adders(), 4 + 4);
  expect_right(reversed, matrix);
}

TEST(SharePairs, FindsTheCommonPart) {
  // x + y in all rows, also doubled and negated.
  const Matrix matrix{.rows = 3, .columns = 3, .entries = {1, 1, 1, 2, 2, -1, -1, -1, 8}};
  SumNetwork network =
      write_sums(matrix, trivial_row_tree(matrix), one_group(matrix), SumNetwork::NoLimit);
  Random random(1);
  ASSERT_TRUE(share_pairs(network, {}, random));
  EXPECT_EQ(network.num_adders(), 4);
  expect_right(network, matrix);
}

TEST(SharePairs, StopsWhenItIsAskedTo) {
  Random random(1);
  const Matrix matrix = random_matrix(random, 80, 16, -255, 255);
  for (const int last : {1, 2}) {
    SumNetwork network = written(matrix);
    const Status status = share_pairs(network, stop_after(last), random);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, "adders.stopped");
    expect_right(network, matrix);
  }
}

TEST(SharePairs, ReportsItsProgress) {
  Random random(1);
  const Matrix matrix = random_matrix(random, 6, 6, -255, 255);
  SumNetwork network = written(matrix);
  int told = 0;
  const ProgressFunction listener = [&](std::string_view step, double fraction) {
    EXPECT_EQ(step, "sharing");
    EXPECT_TRUE(fraction >= 0 && fraction <= 1);
    ++told;
    return true;
  };
  EXPECT_TRUE(share_pairs(network, listener, random));
  EXPECT_GT(told, 0);
}

TEST(Improve, SavesAddersAndKeepsTheOutputs) {
  Random random(2);
  const Matrix matrix = random_matrix(random, 8, 8, -255, 255);
  SumNetwork network = written(matrix);
  ASSERT_TRUE(share_pairs(network, {}, random));
  const int64_t before = network.num_adders();
  double last = 0;
  const ProgressFunction listener = [&](std::string_view step, double fraction) {
    EXPECT_EQ(step, "searching");
    EXPECT_TRUE(fraction >= last && fraction <= 1);
    last = fraction;
    return true;
  };
  ASSERT_TRUE(improve(network, 2'000'000, listener, random));
  EXPECT_LT(network.num_adders(), before);
  EXPECT_GT(last, 0.5);
  expect_right(network, matrix);
}

TEST(Improve, KeepsToTheDepthLimit) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    Matrix matrix = random_matrix(random, 6, 5, -100, 100);
    for (int row = 0; row < matrix.rows; ++row)
      matrix.entries[static_cast<size_t>(row * matrix.columns)] = 1;
    int limit = static_cast<int>(seed % 3);
    int least = 0;
    for (int row = 0; row < matrix.rows; ++row)
      least = std::max(least, minimum_row_depth(matrix, row));
    limit += least;
    SumNetwork network =
        write_sums(matrix, minimum_row_tree(matrix, limit), one_group(matrix), limit);
    ASSERT_TRUE(share_pairs(network, {}, random));
    network.exact_depths();
    ASSERT_TRUE(improve(network, 300'000, {}, random));
    for (const SumNetwork::Output& output : network.outputs())
      EXPECT_LE(network.depth(output.value), limit);
    expect_right(network, matrix);
  }
}

TEST(Improve, StopsWhenItIsAskedTo) {
  Random random(3);
  const Matrix matrix = random_matrix(random, 6, 6, -255, 255);
  SumNetwork network = written(matrix);
  ASSERT_TRUE(share_pairs(network, {}, random));
  for (const int last : {1, 2, 5}) {
    const Status status = improve(network, 20'000'000, stop_after(last, "searching"), random);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, "adders.stopped");
    expect_right(network, matrix);
  }
}

TEST(Improve, HasNothingToDoWithoutAddersOrWork) {
  const Matrix unit{.rows = 2, .columns = 2, .entries = {1, 0, 0, 1}};
  SumNetwork network = written(unit);
  Random random(1);
  EXPECT_EQ(network.num_adders(), 0);
  EXPECT_TRUE(improve(network, 1'000'000, {}, random));
  const Matrix matrix{.rows = 1, .columns = 2, .entries = {7, 9}};
  SumNetwork idle = written(matrix);
  EXPECT_TRUE(improve(idle, 0, stop_after(1), random));
}

}  // namespace
}  // namespace millrace::adders
