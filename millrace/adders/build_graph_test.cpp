// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/build_graph.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "millrace/adders/certificate.h"
#include "millrace/adders/random_matrix_test.h"
#include "millrace/adders/search.h"
#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

constexpr Range Byte{-128, 127};

std::vector<Range> bytes(const Matrix& matrix) {
  return std::vector<Range>(static_cast<size_t>(matrix.columns), Byte);
}

int minimum_depth_of_rows(const Matrix& matrix) {
  int depth = 0;
  for (int row = 0; row < matrix.rows; ++row)
    depth = std::max(depth, minimum_row_depth(matrix, row));
  return depth;
}

/// The network of a matrix after all pairs have been shared.
SumNetwork shared_network(const Matrix& matrix, std::optional<int> limit, Random& random) {
  SumNetwork network = write_sums(matrix, minimum_row_tree(matrix, limit),
                                  std::vector<int>(static_cast<size_t>(matrix.columns), 0),
                                  limit.value_or(SumNetwork::NoLimit));
  while (network.share_pair(random)) {
  }
  network.exact_depths();
  return network;
}

/// Builds the graph of a matrix as it stands, a term for each signed digit.
AdderGraph plain_graph(const Matrix& matrix, std::optional<int> limit,
                       const std::vector<Range>& ranges) {
  SumNetwork network = write_sums(matrix, trivial_row_tree(matrix),
                                  std::vector<int>(static_cast<size_t>(matrix.columns), 0),
                                  limit.value_or(SumNetwork::NoLimit));
  return build_graph(network, matrix, ranges);
}

void expect_all_adders_used(const AdderGraph& graph) {
  std::vector<bool> is_used(static_cast<size_t>(graph.num_inputs) + graph.adders.size(), false);
  for (const Adder& adder : graph.adders)
    is_used[static_cast<size_t>(adder.a)] = is_used[static_cast<size_t>(adder.b)] = true;
  for (const RowSum& row : graph.rows)
    if (row.value != RowSum::Zero)
      is_used[static_cast<size_t>(row.value)] = true;
  EXPECT_TRUE(std::all_of(is_used.begin() + graph.num_inputs, is_used.end(),
                          [](bool used) { return used; }));
}

int64_t num_negated(const AdderGraph& graph) {
  return std::count_if(graph.rows.begin(), graph.rows.end(),
                       [](const RowSum& row) { return row.negate; });
}

/// Each row has one entry that is not zero at least.
Matrix random_rows(Random& random, int64_t lo, int64_t hi) {
  const int rows = 1 + static_cast<int>(random.below(6));
  const int columns = 1 + static_cast<int>(random.below(6));
  Matrix matrix = random_matrix(random, rows, columns, lo, hi);
  thin_out(matrix, random, 3, 4);
  for (int row = 0; row < rows; ++row)
    matrix.entries[static_cast<size_t>(row * columns + row % columns)] = lo;
  return matrix;
}

TEST(BuildGraph, WritesTheMatrixWithoutMoreAddersThanTheNetworkHas) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    const int64_t limit = int64_t{1} << random.below(9);
    const Matrix matrix = random_rows(random, -limit, round % 3 == 0 ? -1 : limit);
    SumNetwork network = shared_network(matrix, std::nullopt, random);
    const AdderGraph graph = build_graph(network, matrix, bytes(matrix));
    const Certificate certificate = certify(graph, matrix, bytes(matrix));
    ASSERT_TRUE(certificate.holds()) << certificate.failure;
    // A row that needs the other sign costs an adder at most.
    EXPECT_LE(cost(graph, bytes(matrix)).adders, network.num_adders() + matrix.rows);
    EXPECT_GE(static_cast<int64_t>(graph.adders.size()) + num_negated(graph), network.num_adders());
    expect_all_adders_used(graph);
  }
}

TEST(BuildGraph, KeepsToTheDepthLimit) {
  Random random(2);
  for (int round = 0; round < 300; ++round) {
    const int64_t bound = int64_t{1} << random.below(9);
    const Matrix matrix = random_rows(random, -bound, round % 3 == 0 ? -1 : bound);
    const int limit = minimum_depth_of_rows(matrix) + round % 4;
    SumNetwork network = shared_network(matrix, limit, random);
    const AdderGraph graph = build_graph(network, matrix, bytes(matrix));
    const Certificate certificate = certify(graph, matrix, bytes(matrix));
    ASSERT_TRUE(certificate.holds()) << certificate.failure;
    ASSERT_LE(cost(graph, bytes(matrix)).depth, limit);
    expect_all_adders_used(graph);
  }
}

TEST(BuildGraph, JoinsTheNarrowestOperandsFirst) {
  const Matrix matrix{.rows = 1, .columns = 3, .entries = {1, 1, 1}};
  const AdderGraph graph =
      plain_graph(matrix, std::nullopt, {Range{0, 255}, Range{0, 3}, Range{0, 3}});
  ASSERT_EQ(graph.adders.size(), 2U);
  EXPECT_EQ(graph.adders[0], (Adder{1, 2, 0, 0, false}));
  EXPECT_EQ(cost(graph, std::vector<Range>{{0, 255}, {0, 3}, {0, 3}}).bits, 2 + 8);
}

TEST(BuildGraph, JoinsLongSumsOfManyTermsAtTheirLeastDepth) {
  constexpr int Columns = 100;  // more terms than are searched pair by pair
  const Matrix matrix{.rows = 1, .columns = Columns, .entries = std::vector<int64_t>(Columns, 1)};
  const AdderGraph graph = plain_graph(matrix, 7, bytes(matrix));
  EXPECT_TRUE(certify(graph, matrix, bytes(matrix)).holds());
  EXPECT_EQ(cost(graph, bytes(matrix)).adders, Columns - 1);
  EXPECT_EQ(cost(graph, bytes(matrix)).depth, 7);
}

TEST(BuildGraph, SwapsASubtractionForARowOfTheOppositeSign) {
  const Matrix matrix{.rows = 1, .columns = 2, .entries = {-1, 2}};
  const AdderGraph graph = plain_graph(matrix, std::nullopt, bytes(matrix));
  EXPECT_EQ(graph.adders, (std::vector<Adder>{{1, 0, 1, 0, true}}));
  EXPECT_FALSE(graph.rows[0].negate);
}

// -x + 2y - 4z is (2y - x) - 4z, whichever two are joined first.
TEST(BuildGraph, SwapsSubtractionsFurtherUpWhenNothingElseNeedsThem) {
  for (const std::vector<int64_t>& row : std::vector<std::vector<int64_t>>{
           {-1, 2, -4}, {-1, 4, -2, -8}, {-1, -3, 8, -16}, {3, -5, 7, 11}, {-1, 2, -4, 8, -16}}) {
    const Matrix matrix{.rows = 1, .columns = static_cast<int>(row.size()), .entries = row};
    const AdderGraph graph = plain_graph(matrix, std::nullopt, bytes(matrix));
    EXPECT_TRUE(certify(graph, matrix, bytes(matrix)).holds());
    EXPECT_EQ(num_negated(graph), 0);
    expect_all_adders_used(graph);
    SumNetwork network = write_sums(matrix, trivial_row_tree(matrix),
                                    std::vector<int>(row.size(), 0), SumNetwork::NoLimit);
    EXPECT_EQ(static_cast<int64_t>(graph.adders.size()), network.num_adders());
  }
}

TEST(BuildGraph, TakesBothSignsOfADifferenceFromTwoSubtractions) {
  const Matrix matrix{.rows = 2, .columns = 2, .entries = {4, -1, -4, 1}};
  Random random(1);
  for (const std::optional<int> limit : {std::optional<int>(), std::optional<int>(1)}) {
    const AdderGraph graph =
        build_graph(shared_network(matrix, limit, random), matrix, bytes(matrix));
    EXPECT_TRUE(certify(graph, matrix, bytes(matrix)).holds());
    EXPECT_EQ(graph.adders.size(), 2U);
    EXPECT_EQ(num_negated(graph), 0);
  }
}

TEST(BuildGraph, NegatesSumsOfOneSignAtTheLeastDepth) {
  const std::vector<std::vector<int64_t>> rows = {
      {-1}, {-4}, {-5}, {-21}, {-85}, {-341}, {-1, -1}, {-5, -1}, {-5, -5}, {-1, -2, -4, -8}};
  for (const std::vector<int64_t>& row : rows) {
    // Alone, and beside the row of the opposite sign, which needs no negation.
    for (const bool is_alone : {true, false}) {
      Matrix matrix{.rows = 1, .columns = static_cast<int>(row.size()), .entries = row};
      if (!is_alone) {
        ++matrix.rows;
        for (const int64_t entry : row)
          matrix.entries.push_back(-entry);
      }
      const int least = minimum_depth_of_rows(matrix);
      for (int limit = least; limit <= least + 2; ++limit) {
        Random random(1);
        const AdderGraph graph =
            build_graph(shared_network(matrix, limit, random), matrix, bytes(matrix));
        EXPECT_TRUE(certify(graph, matrix, bytes(matrix)).holds());
        EXPECT_LE(cost(graph, bytes(matrix)).depth, limit);
      }
    }
  }
}

TEST(BuildGraph, TakesARangeForEachInputAndAnOutputForEachRow) {
  const Matrix matrix{.rows = 1, .columns = 2, .entries = {1, 1}};
  const SumNetwork network =
      write_sums(matrix, trivial_row_tree(matrix), {0, 0}, SumNetwork::NoLimit);
  EXPECT_THROW(build_graph(network, matrix, std::vector<Range>{Byte}), InternalError);
  const Matrix taller{.rows = 2, .columns = 2, .entries = {1, 1, 1, 1}};
  EXPECT_THROW(build_graph(network, taller, bytes(matrix)), InternalError);
}

// --- the least depth by brute force --------------------------------------------------------------

using Coefficients = std::pair<int, int>;  // coefficients of two inputs

/// All values that one more level of adders makes of `values`, within a bound on coefficients.
std::set<Coefficients> next_level(const std::set<Coefficients>& values, int bound) {
  std::set<Coefficients> result = values;
  const auto add = [&](Coefficients value) {
    if (std::abs(value.first) <= bound && std::abs(value.second) <= bound)
      result.insert(value);
  };
  for (const Coefficients& a : values) {
    if (a == Coefficients{0, 0})
      continue;
    for (int scale = 1; std::max(std::abs(a.first), std::abs(a.second)) * scale <= 2 * bound;
         scale *= 2)
      for (const Coefficients& b : values) {
        const Coefficients shifted{a.first * scale, a.second * scale};
        add({shifted.first + b.first, shifted.second + b.second});
        add({shifted.first - b.first, shifted.second - b.second});
        add({b.first - shifted.first, b.second - shifted.second});
      }
  }
  return result;
}

/// The adders on the way to a row: its value shifted, or negated, which takes one more.
int least_depth(const std::vector<std::set<Coefficients>>& levels, Coefficients row) {
  for (int depth = 0; depth < static_cast<int>(levels.size()); ++depth) {
    Coefficients value = row;
    for (;;) {
      if (levels[static_cast<size_t>(depth)].contains(value) ||
          (depth > 0 &&
           levels[static_cast<size_t>(depth - 1)].contains({-value.first, -value.second})))
        return depth;
      if (value.first % 2 != 0 || value.second % 2 != 0)
        break;
      value = {value.first / 2, value.second / 2};
    }
  }
  return static_cast<int>(levels.size());
}

TEST(MinimumRowDepth, IsTheLeastOfAllGraphsOfOneInput) {
  std::vector<std::set<Coefficients>> levels = {{{1, 0}}};
  for (int depth = 1; depth <= 3; ++depth)
    levels.push_back(next_level(levels.back(), 700));
  for (int entry = -300; entry <= 300; ++entry) {
    if (entry == 0)
      continue;
    const Matrix matrix{.rows = 1, .columns = 1, .entries = {entry}};
    EXPECT_EQ(minimum_row_depth(matrix, 0), least_depth(levels, {entry, 0})) << entry;
  }
}

TEST(MinimumRowDepth, IsTheLeastOfAllGraphsOfTwoInputs) {
  std::vector<std::set<Coefficients>> levels = {{{1, 0}, {0, 1}}};
  for (int depth = 1; depth <= 2; ++depth)
    levels.push_back(next_level(levels.back(), 64));
  for (int x = -22; x <= 22; ++x)
    for (int y = -22; y <= 22; ++y) {
      if (x == 0 && y == 0)
        continue;
      const Matrix matrix{.rows = 2, .columns = 2, .entries = {1, 1, x, y}};
      EXPECT_EQ(std::min(3, minimum_row_depth(matrix, 1)), least_depth(levels, {x, y}))
          << x << " " << y;
    }
}

TEST(MinimumRowDepth, CountsTheNegationOfRowsWithoutPositiveDigits) {
  const std::vector<std::pair<std::vector<int64_t>, int>> rows = {
      {{0, 0, 0, 0}, 0},     {{8, 0, 0, 0}, 0},  {{-1, 0, 0, 0}, 1},   {{-16, 0, 0, 0}, 1},
      {{1, 1, 0, 0}, 1},     {{1, -1, 0, 0}, 1}, {{-1, -1, 0, 0}, 2},  {{1, 1, 1, 1}, 2},
      {{-1, -1, -1, 1}, 2},  {{-3, 0, 0, 0}, 1}, {{-1, -1, -1, 0}, 2}, {{-1, -1, -1, -1}, 3},
      {{-5, -1, -1, -1}, 3}, {{5, 1, 1, 1}, 3}};
  for (const auto& [entries, depth] : rows) {
    const Matrix matrix{.rows = 1, .columns = 4, .entries = entries};
    EXPECT_EQ(minimum_row_depth(matrix, 0), depth) << testing::PrintToString(entries);
  }
}

}  // namespace
}  // namespace millrace::adders
