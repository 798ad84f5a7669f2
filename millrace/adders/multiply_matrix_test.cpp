// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/multiply_matrix.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "millrace/adders/certificate.h"
#include "millrace/adders/random_matrix_test.h"

namespace millrace::adders {
namespace {

constexpr Range Byte{-128, 127};

std::vector<Range> bytes(int columns) {
  return std::vector<Range>(static_cast<size_t>(columns), Byte);
}

Matrix matrix_of(const std::vector<std::vector<int64_t>>& rows) {
  Matrix matrix{.rows = static_cast<int>(rows.size()),
                .columns = static_cast<int>(rows[0].size()),
                .entries = {}};
  for (const std::vector<int64_t>& row : rows)
    matrix.entries.insert(matrix.entries.end(), row.begin(), row.end());
  return matrix;
}

/// The graph, after a check that it is right on corners and random inputs and has a certificate.
AdderGraph right_graph(const Matrix& matrix, const std::vector<Range>& ranges,
                       const SearchOptions& options = {}) {
  const Result<AdderGraph> graph = multiply_matrix(matrix, ranges, options);
  if (!graph) {
    ADD_FAILURE() << graph.error().to_string();
    return {};
  }
  const Certificate certificate = certify(*graph, matrix, ranges);
  EXPECT_TRUE(certificate.holds()) << certificate.failure;
  Random random(options.seed);
  for (int round = 0; round < 6; ++round) {
    std::vector<Int128> inputs;
    for (const Range& range : ranges) {
      const auto size = static_cast<double>(range.hi - range.lo);
      const auto inside = range.lo + static_cast<int64_t>(random.unit() * size);
      inputs.push_back(round == 0   ? range.lo
                       : round == 1 ? range.hi
                       : round == 2 ? (random.chance(1, 2) ? range.lo : range.hi)
                                    : inside);
    }
    EXPECT_TRUE(evaluate(*graph, inputs) == product(matrix, inputs));
  }
  return *graph;
}

/// The adders that a matrix takes for bytes, without a depth limit.
int64_t num_adders(const Matrix& matrix) {
  const std::vector<Range> ranges = bytes(matrix.columns);
  return cost(right_graph(matrix, ranges), ranges).adders;
}

std::string code_of(const Matrix& matrix, const std::vector<Range>& ranges,
                    const SearchOptions& options = {}) {
  const Result<AdderGraph> graph = multiply_matrix(matrix, ranges, options);
  return graph ? "no error" : graph.error().code;
}

// --- what is refused -----------------------------------------------------------------------------

TEST(MultiplyMatrix, RefusesMatricesThatAreNone) {
  EXPECT_EQ(code_of({.rows = 0, .columns = 3, .entries = {}}, bytes(3)), "adders.empty_matrix");
  EXPECT_EQ(code_of({.rows = 2, .columns = 0, .entries = {}}, bytes(0)), "adders.empty_matrix");
  EXPECT_EQ(code_of({.rows = 2, .columns = 2, .entries = {1, 2, 3}}, bytes(2)),
            "adders.ragged_matrix");
  EXPECT_EQ(code_of({.rows = 1, .columns = 2, .entries = {1, 2, 3}}, bytes(2)),
            "adders.ragged_matrix");
}

TEST(MultiplyMatrix, RefusesEntriesThatAreTooWide) {
  constexpr int64_t Limit = int64_t{1} << MaxEntryBits;
  const std::vector<Range> bit = {{0, 1}};
  EXPECT_EQ(code_of(matrix_of({{Limit - 1}, {1 - Limit}}), bit), "no error");
  for (const int64_t entry : {Limit, -Limit, INT64_MIN, INT64_MAX})
    EXPECT_EQ(code_of(matrix_of({{1}, {entry}}), bit), "adders.entry_too_wide");
  const Result<AdderGraph> refused = multiply_matrix(matrix_of({{1, 2}, {3, Limit}}), bytes(2));
  EXPECT_EQ(refused.error().where, "row 1, column 1");
}

TEST(MultiplyMatrix, RefusesRangesThatDoNotFitTheMatrix) {
  EXPECT_EQ(code_of(matrix_of({{1, 2}}), bytes(1)), "adders.wrong_number_of_ranges");
  EXPECT_EQ(code_of(matrix_of({{1, 2}}), bytes(3)), "adders.wrong_number_of_ranges");
}

TEST(MultiplyMatrix, RefusesRangesThatAreEmptyOrTooWide) {
  const Matrix one = matrix_of({{1}});
  constexpr Int128 Limit = Int128{1} << 63;
  EXPECT_EQ(code_of(one, {{1, 0}}), "adders.reversed_range");
  EXPECT_EQ(code_of(one, {{-5, -6}}), "adders.reversed_range");
  EXPECT_EQ(code_of(one, {{-Limit, Limit - 1}}), "no error");
  EXPECT_EQ(code_of(one, {{-Limit - 1, 0}}), "adders.range_too_wide");
  EXPECT_EQ(code_of(one, {{0, Limit * 2}}), "adders.range_too_wide");
}

TEST(MultiplyMatrix, RefusesSumsThatAreTooWide) {
  const Range wide{-(Int128{1} << 40), Int128{1} << 40};
  EXPECT_EQ(code_of(matrix_of({{1 << 22}}), {wide}), "no error");
  // 2^63 itself is found by the certificate: it takes an unsigned type, its opposite a signed one.
  EXPECT_EQ(code_of(matrix_of({{1 << 22, 1 << 22}}), {wide, wide}), "adders.sum_too_wide");
  const Result<AdderGraph> refused = multiply_matrix(matrix_of({{1}, {1 << 24}}), {&wide, 1});
  EXPECT_EQ(refused.error().code, "adders.sum_too_wide");
  EXPECT_EQ(refused.error().where, "row 1");
  EXPECT_EQ(code_of(matrix_of({{1 << 22, 1 << 22, 1}}), {wide, wide, wide}), "adders.sum_too_wide");
  EXPECT_EQ(code_of(matrix_of({{-(1 << 24)}}), {wide}), "adders.sum_too_wide");
}

TEST(MultiplyMatrix, RefusesDepthsBelowTheMinimum) {
  const Matrix matrix = matrix_of({{1, 1, 1, 1, 1}, {1, 2, 0, 0, 0}});
  EXPECT_EQ(code_of(matrix, bytes(5), {.max_depth = 3}), "no error");
  EXPECT_EQ(code_of(matrix, bytes(5), {.max_depth = 2}), "adders.depth_below_minimum");
  EXPECT_EQ(code_of(matrix, bytes(5), {.max_depth = -1}), "adders.depth_below_minimum");
  EXPECT_EQ(code_of(matrix, bytes(5), {.extra_depth = -1}), "adders.depth_below_minimum");
  EXPECT_EQ(code_of(matrix, bytes(5), {.max_depth = 3, .extra_depth = 0}),
            "adders.two_depth_limits");
  const Result<AdderGraph> refused = multiply_matrix(matrix, bytes(5), {.max_depth = 2});
  EXPECT_EQ(refused.error().message, "a depth of 2 adders is not enough: the minimum is 3");
  EXPECT_EQ(code_of(matrix_of({{8, 0}, {0, 0}}), bytes(2), {.max_depth = 0}), "no error");
  EXPECT_EQ(code_of(matrix_of({{-8, 0}}), bytes(2), {.max_depth = 0}),
            "adders.depth_below_minimum");
}

TEST(MultiplyMatrix, TakesAnyLargerDepth) {
  const Matrix matrix = matrix_of({{3, 5}, {-7, -9}});
  for (const int depth : {5, 40, 41, 1000, INT32_MAX}) {
    EXPECT_EQ(code_of(matrix, bytes(2), {.max_depth = depth}), "no error");
    EXPECT_EQ(code_of(matrix, bytes(2), {.extra_depth = depth}), "no error");
  }
}

TEST(MultiplyMatrix, RefusesEffortsOutOfRange) {
  for (const int effort : {-1, SearchOptions::MaxEffort + 1})
    EXPECT_EQ(code_of(matrix_of({{1}}), bytes(1), {.effort = effort}),
              "adders.effort_out_of_range");
  EXPECT_EQ(code_of(matrix_of({{1}}), bytes(1), {.effort = SearchOptions::MaxEffort}), "no error");
}

TEST(MultiplyMatrix, StopsWhereverItIsAskedTo) {
  Random random(1);
  const Matrix matrix = random_matrix(random, 4, 3, -255, 255);
  int told = 0;
  std::set<std::string> steps;
  const ProgressFunction count = [&](std::string_view step, double) {
    steps.emplace(step);
    ++told;
    return true;
  };
  const AdderGraph graph = multiply_matrix(matrix, bytes(3), {.progress = count}).value();
  EXPECT_EQ(steps, (std::set<std::string>{"searching", "sharing"}));
  EXPECT_GT(told, 3);
  EXPECT_EQ(graph, multiply_matrix(matrix, bytes(3)).value());
  for (const int last : {1, 2, 3, told / 2, told}) {
    const ProgressFunction stop = [&, left = last](std::string_view, double) mutable {
      return --left > 0;
    };
    EXPECT_EQ(code_of(matrix, bytes(3), {.progress = stop}), "adders.stopped");
  }
}

// --- matrices with structure ---------------------------------------------------------------------

TEST(MultiplyMatrix, ZerosAndPowersOfTwoTakeNoAdder) {
  EXPECT_EQ(num_adders(matrix_of({{0}})), 0);
  EXPECT_EQ(num_adders(matrix_of({{0, 0, 0}, {0, 0, 0}})), 0);
  EXPECT_EQ(num_adders(matrix_of({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}})), 0);
  EXPECT_EQ(num_adders(matrix_of({{0, 1, 0}, {0, 0, 1}, {1, 0, 0}})), 0);
  EXPECT_EQ(num_adders(matrix_of({{0, 0}, {8, 0}, {0, 1024}, {2, 0}})), 0);
  const AdderGraph graph = right_graph(matrix_of({{0, 0}, {8, 0}, {0, -4}}), bytes(2));
  EXPECT_TRUE(graph.adders.empty());
  EXPECT_EQ(graph.rows[0].value, RowSum::Zero);
  EXPECT_EQ(graph.rows[1], (RowSum{.value = 0, .shift = 3}));
  EXPECT_EQ(graph.rows[2], (RowSum{.value = 1, .shift = 2, .negate = true}));
}

TEST(MultiplyMatrix, SingleEntriesTakeAnAdderForEachDigitButOne) {
  const std::vector<std::pair<int64_t, int64_t>> cases = {{1, 0},  {-1, 1}, {64, 0}, {3, 1},
                                                          {-3, 1}, {5, 1},  {7, 1},  {-5, 2},
                                                          {11, 2}, {45, 2}, {-7, 1}, {1 << 20, 0}};
  for (const auto& [entry, adders] : cases)
    EXPECT_EQ(num_adders(matrix_of({{entry}})), adders) << entry;
}

TEST(MultiplyMatrix, RepeatedRowsTakeNoMoreAdders) {
  const std::vector<int64_t> row = {3, -5, 7, 11};
  const int64_t once = num_adders(matrix_of({row}));
  EXPECT_EQ(num_adders(matrix_of({row, row})), once);
  EXPECT_EQ(num_adders(matrix_of({row, {6, -10, 14, 22}, row, {48, -80, 112, 176}})), once);
  EXPECT_EQ(num_adders(matrix_of({{0, 0, 0, 0}, row, {0, 0, 0, 0}})), once);
  EXPECT_EQ(num_adders(matrix_of({{3, 0, -5, 7, 0, 11}})), once);
}

TEST(MultiplyMatrix, NegatedRowsTakeOneMoreAdder) {
  const std::vector<int64_t> row = {3, 5, 7, 11};
  const int64_t once = num_adders(matrix_of({row}));
  EXPECT_EQ(num_adders(matrix_of({row, {-3, -5, -7, -11}})), once + 1);
  EXPECT_EQ(num_adders(matrix_of({row, {-12, -20, -28, -44}})), once + 1);
  const std::vector<int64_t> mixed = {3, -5, 7, -11};
  EXPECT_EQ(num_adders(matrix_of({mixed, {-3, 5, -7, 11}})), num_adders(matrix_of({mixed})) + 1);
}

TEST(MultiplyMatrix, RepeatedAndNegatedColumnsTakeOneMoreAdder) {
  const int64_t once = num_adders(matrix_of({{3, 5}, {7, 9}, {11, -13}}));
  EXPECT_EQ(num_adders(matrix_of({{3, 3, 5}, {7, 7, 9}, {11, 11, -13}})), once + 1);
  EXPECT_EQ(num_adders(matrix_of({{3, -3, 5}, {7, -7, 9}, {11, -11, -13}})), once + 1);
  EXPECT_EQ(num_adders(matrix_of({{3, 5, 6}, {7, 9, 14}, {11, -13, 22}})), once + 1);
}

TEST(MultiplyMatrix, SmallEntriesTakeNoMoreAddersThanTheyAre) {
  Random random(4);
  for (int round = 0; round < 40; ++round) {
    const bool is_binary = round % 2 == 0;
    Matrix matrix = random_matrix(random, 1 + round % 9, 2 + round % 7, is_binary ? 0 : -1, 1);
    int64_t most = 0;
    for (int row = 0; row < matrix.rows; ++row) {
      // A row without a positive entry would take a negation.
      matrix.entries[static_cast<size_t>(row * matrix.columns + row % matrix.columns)] = 1;
      for (int column = 0; column < matrix.columns; ++column)
        most += matrix.at(row, column) != 0 ? 1 : 0;
    }
    most -= matrix.rows;
    const std::vector<Range> ranges = bytes(matrix.columns);
    for (const int effort : {0, 1}) {
      const Cost found = cost(right_graph(matrix, ranges, {.effort = effort}), ranges);
      EXPECT_LE(found.adders, most);
    }
  }
}

TEST(MultiplyMatrix, ConstantInputsAreInputsButZeroIsNone) {
  const Matrix matrix = matrix_of({{1, 1, 1}, {1, 3, -1}});
  std::vector<Range> ranges = {Byte, {5, 5}, {0, 0}};
  const AdderGraph graph = right_graph(matrix, ranges);
  EXPECT_EQ(cost(graph, ranges).adders, 2);
  for (const Adder& adder : graph.adders)
    EXPECT_TRUE(adder.a != 2 && adder.b != 2);
  ranges[1] = {0, 0};
  EXPECT_EQ(cost(right_graph(matrix, ranges), ranges).adders, 0);
  EXPECT_EQ(minimum_depth(matrix, ranges), 0);
  ranges[0] = {0, 0};
  EXPECT_EQ(right_graph(matrix, ranges).rows, std::vector<RowSum>(2));
}

// --- random matrices -----------------------------------------------------------------------------

TEST(MultiplyMatrix, TheSameSeedGivesTheSameGraph) {
  Random random(6);
  const Matrix matrix = random_matrix(random, 4, 4, -255, 255);
  int num_different = 0;
  for (const std::optional<int> extra : {std::optional<int>(), std::optional<int>(1)}) {
    const AdderGraph first = right_graph(matrix, bytes(4), {.extra_depth = extra});
    EXPECT_EQ(right_graph(matrix, bytes(4), {.extra_depth = extra}), first);
    num_different +=
        right_graph(matrix, bytes(4), {.extra_depth = extra, .seed = 2}) != first ? 1 : 0;
  }
  EXPECT_GT(num_different, 0);
}

/// The entries' bits and shape change from round to round.
Matrix sweep(Random& random, int round) {
  const int bits = 1 + (round * 7) % 24;
  const int64_t limit = int64_t{1} << bits;
  Matrix matrix =
      random_matrix(random, 1 + round % 8, 1 + round % 9, -limit, round % 5 == 0 ? 0 : limit);
  if (round % 3 == 0)
    thin_out(matrix, random, 1, 2);
  return matrix;
}

TEST(MultiplyMatrix, IsRightForAllShapesAndMeetsTheDepthLimit) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    const Matrix matrix = sweep(random, round);
    const std::vector<Range> ranges = bytes(matrix.columns);
    const int least = minimum_depth(matrix, ranges);
    SearchOptions options{.effort = round % 45 == 0 ? 1 : 0};
    right_graph(matrix, ranges, options);
    for (int extra = 0; extra <= 3; ++extra) {
      options.extra_depth = extra;
      const int depth = cost(right_graph(matrix, ranges, options), ranges).depth;
      EXPECT_LE(depth, least + extra);
      if (extra == 0) {
        EXPECT_EQ(depth, least);
      }
    }
  }
}

TEST(MultiplyMatrix, IsRightForTheWidestEntries) {
  Random random(8);
  constexpr int64_t Limit = (int64_t{1} << MaxEntryBits) - 1;
  for (int round = 0; round < 20; ++round) {
    const Matrix matrix = random_matrix(random, 1 + round % 4, 1 + round % 3,
                                        round % 2 == 0 ? -Limit : Limit - 100'000, Limit);
    const std::vector<Range> ranges(static_cast<size_t>(matrix.columns), Range{-2048, 2047});
    for (const std::optional<int> extra :
         {std::optional<int>(), std::optional<int>(0), std::optional<int>(2)})
      right_graph(matrix, ranges, {.extra_depth = extra, .effort = round % 10 == 0 ? 1 : 0});
  }
}

TEST(MultiplyMatrix, KeepsWithinMixedRanges) {
  Random random(9);
  const std::vector<Range> ranges = {{0, 255}, {-128, 127}, {7, 7},     {-9, -3}, {0, 1},
                                     {-1, 0},  {0, 0},      {100, 120}, {-3, -3}};
  for (int round = 0; round < 30; ++round) {
    const Matrix matrix = random_matrix(random, 1 + round % 6, 9, -100, 100);
    right_graph(matrix, ranges, {.effort = 0});
    right_graph(negated(matrix), ranges, {.extra_depth = round % 3, .effort = 0});
  }
}

// The rows of a wide and flat matrix are long sums; those of a narrow and tall one are many.
TEST(MultiplyMatrix, IsRightForLongAndForTallMatrices) {
  Random random(10);
  for (const auto& [rows, columns] : {std::pair{2, 200}, std::pair{200, 2}}) {
    const Matrix matrix = random_matrix(random, rows, columns, -127, 127);
    for (const std::optional<int> extra : {std::optional<int>(), std::optional<int>(0)})
      right_graph(matrix, bytes(columns), {.extra_depth = extra, .effort = 0});
  }
}

}  // namespace
}  // namespace millrace::adders
