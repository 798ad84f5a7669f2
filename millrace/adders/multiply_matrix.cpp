// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/multiply_matrix.h"

#include <algorithm>
#include <bit>
#include <map>

#include "millrace/adders/build_graph.h"
#include "millrace/adders/certificate.h"
#include "millrace/adders/messages.h"
#include "millrace/adders/search.h"
#include "millrace/adders/signed_digits.h"
#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

constexpr int MaxSumBits = 64;
/// Above it, a limit on the depth is none: no graph of the search comes near.
constexpr int MaxDepthLimit = 40;
/// Pairs of terms that are counted at the start of a group's search.
constexpr int64_t MaxGroupPairs = 16'000'000;
/// Differences between rows that are tried for a minimum row tree, in entries.
constexpr int64_t MaxTreeWork = 400'000'000;
/// What effort 1 spends; each further step spends EffortFactor times as much.
constexpr int64_t FirstWork = 4'000'000;
constexpr int64_t EffortFactor = 4;

bool is_zero(const Range& range) {
  return range.lo == 0 && range.hi == 0;
}

std::string entry_name(const Matrix& matrix, size_t index) {
  const auto columns = static_cast<size_t>(matrix.columns);
  return fmt::format("row {}, column {}", index / columns, index % columns);
}

Status validate_entries(const Matrix& matrix, std::span<const Range> inputs) {
  if (matrix.rows < 1 || matrix.columns < 1)
    return error(messages::EmptyMatrix, "matrix", matrix.rows, matrix.columns);
  const auto num_entries = static_cast<size_t>(matrix.rows) * static_cast<size_t>(matrix.columns);
  if (matrix.entries.size() != num_entries)
    return error(messages::RaggedMatrix, "matrix", matrix.rows, matrix.columns, num_entries,
                 matrix.entries.size());
  for (size_t i = 0; i < num_entries; ++i)
    if (matrix.entries[i] >= int64_t{1} << MaxEntryBits ||
        matrix.entries[i] <= -(int64_t{1} << MaxEntryBits))
      return error(messages::EntryTooWide, entry_name(matrix, i), matrix.entries[i], MaxEntryBits);
  if (inputs.size() != static_cast<size_t>(matrix.columns))
    return error(messages::WrongNumberOfRanges, "input ranges", inputs.size(), matrix.columns);
  return {};
}

/// Refuses ranges that are empty, and rows whose sums leave the widest type.
Status validate_sums(const Matrix& matrix, std::span<const Range> inputs) {
  constexpr Int128 Limit = Int128{1} << (MaxSumBits - 1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].lo > inputs[i].hi)
      return error(messages::ReversedRange, fmt::format("input {}", i), to_string(inputs[i].lo),
                   to_string(inputs[i].hi));
    if (inputs[i].lo < -Limit || inputs[i].hi > Limit)
      return error(messages::RangeTooWide, fmt::format("input {}", i), MaxSumBits);
  }
  for (int row = 0; row < matrix.rows; ++row) {
    Int128 sum = 0;
    for (int column = 0; column < matrix.columns; ++column) {
      const Range& range = inputs[static_cast<size_t>(column)];
      const Int128 entry = matrix.at(row, column);
      // Both factors are below 2^64, so that a product fits; the sum is checked at once.
      sum += (entry < 0 ? -entry : entry) * std::max<Int128>(range.hi, -range.lo);
      if (sum > Limit)
        return error(messages::SumTooWide, fmt::format("row {}", row), MaxSumBits);
    }
  }
  return {};
}

/// The matrix without columns whose input is 0 and columns and rows that are 0; of rows that are
/// equal up to a power of two, one is left.
struct Reduced {
  Matrix matrix;
  std::vector<int> columns;  ///< of the whole matrix, by column of the reduced one
  struct Row {
    int row = -1;  ///< of the reduced matrix, -1 for a row of zeros
    int shift = 0;
  };
  std::vector<Row> rows;  ///< by row of the whole matrix
};

Reduced reduce(const Matrix& matrix, std::span<const Range> inputs) {
  Reduced reduced;
  for (int column = 0; column < matrix.columns; ++column) {
    bool is_used = false;
    for (int row = 0; row < matrix.rows && !is_used; ++row)
      is_used = matrix.at(row, column) != 0;
    if (is_used && !is_zero(inputs[static_cast<size_t>(column)]))
      reduced.columns.push_back(column);
  }
  reduced.matrix.columns = static_cast<int>(reduced.columns.size());
  std::map<std::vector<int64_t>, int> known;
  for (int row = 0; row < matrix.rows; ++row) {
    std::vector<int64_t> entries;
    uint64_t bits = 0;
    for (const int column : reduced.columns) {
      entries.push_back(matrix.at(row, column));
      bits |= static_cast<uint64_t>(entries.back());
    }
    if (bits == 0) {
      reduced.rows.push_back({});
      continue;
    }
    const int shift = std::countr_zero(bits);
    for (int64_t& entry : entries)
      entry >>= shift;
    const auto [place, is_new] = known.try_emplace(entries, reduced.matrix.rows);
    if (is_new) {
      ++reduced.matrix.rows;
      reduced.matrix.entries.insert(reduced.matrix.entries.end(), entries.begin(), entries.end());
    }
    reduced.rows.push_back({place->second, shift});
  }
  return reduced;
}

/// Splits the columns into groups so that each has few enough pairs of terms.
std::vector<int> group_columns(const Matrix& matrix) {
  std::vector<int> groups;
  std::vector<int64_t> terms(static_cast<size_t>(matrix.rows), 0);  // in the last group
  int group = 0;
  for (int column = 0; column < matrix.columns; ++column) {
    int64_t pairs = 0;
    for (int row = 0; row < matrix.rows; ++row) {
      int64_t& count = terms[static_cast<size_t>(row)];
      count += num_signed_digits(matrix.at(row, column));
      pairs += count * count / 2;
    }
    if (pairs > MaxGroupPairs && column > 0 && groups.back() == group) {
      ++group;
      std::fill(terms.begin(), terms.end(), 0);
      for (int row = 0; row < matrix.rows; ++row)
        terms[static_cast<size_t>(row)] = num_signed_digits(matrix.at(row, column));
    }
    groups.push_back(group);
  }
  return groups;
}

int64_t work_of(int effort) {
  int64_t work = effort == 0 ? 0 : FirstWork;
  for (int step = 1; step < effort; ++step)
    work *= EffortFactor;
  return work;
}

/// The graph of a matrix without zero rows and columns.
Result<AdderGraph> search(const Matrix& matrix, std::span<const Range> inputs,
                          std::optional<int> depth_limit, const SearchOptions& options) {
  const std::vector<int> groups = group_columns(matrix);
  const bool is_whole = groups.back() == 0;
  const bool use_tree =
      is_whole && int64_t{matrix.rows} * matrix.rows * matrix.columns <= MaxTreeWork;
  const RowTree tree = use_tree ? minimum_row_tree(matrix, depth_limit) : trivial_row_tree(matrix);
  SumNetwork network = write_sums(matrix, tree, groups, depth_limit.value_or(SumNetwork::NoLimit));
  Random random(options.seed);
  MR_TRY_STATUS(share_pairs(network, options.progress, random));
  MR_TRY_STATUS(improve(network, work_of(options.effort), options.progress, random));
  network.show_all();
  network.exact_depths();
  return build_graph(network, matrix, inputs);
}

/// Puts the zero rows and columns back.
AdderGraph expand(const AdderGraph& graph, const Reduced& reduced, int num_inputs) {
  const auto number = [&](int value) {
    return value < graph.num_inputs ? reduced.columns[static_cast<size_t>(value)]
                                    : value - graph.num_inputs + num_inputs;
  };
  AdderGraph whole{.num_inputs = num_inputs, .adders = graph.adders, .rows = {}};
  for (Adder& adder : whole.adders) {
    adder.a = number(adder.a);
    adder.b = number(adder.b);
  }
  for (const Reduced::Row& row : reduced.rows) {
    if (row.row < 0) {
      whole.rows.push_back({});
      continue;
    }
    RowSum sum = graph.rows[static_cast<size_t>(row.row)];
    sum.value = number(sum.value);
    sum.shift += row.shift;
    whole.rows.push_back(sum);
  }
  return whole;
}

int minimum_depth_of(const Matrix& reduced) {
  int depth = 0;
  for (int row = 0; row < reduced.rows; ++row)
    depth = std::max(depth, minimum_row_depth(reduced, row));
  return depth;
}

Result<std::optional<int>> depth_limit_of(const SearchOptions& options, int minimum) {
  if (options.max_depth && options.extra_depth)
    return error(messages::TwoDepthLimits, "depth");
  if (options.extra_depth && *options.extra_depth < 0)
    return error(messages::DepthBelowMinimum, "extra depth", minimum + *options.extra_depth,
                 minimum);
  if (options.max_depth && *options.max_depth < minimum)
    return error(messages::DepthBelowMinimum, "largest depth", *options.max_depth, minimum);
  if (!options.max_depth && !options.extra_depth)
    return std::optional<int>();
  const int limit = options.max_depth ? *options.max_depth
                                      : minimum + std::min(*options.extra_depth, MaxDepthLimit);
  return std::optional(std::min(limit, MaxDepthLimit));
}

}  // namespace

int minimum_depth(const Matrix& matrix, std::span<const Range> inputs) {
  return minimum_depth_of(reduce(matrix, inputs).matrix);
}

Result<AdderGraph> multiply_matrix(const Matrix& matrix, std::span<const Range> inputs,
                                   const SearchOptions& options) {
  MR_TRY_STATUS(validate_entries(matrix, inputs));
  MR_TRY_STATUS(validate_sums(matrix, inputs));
  if (options.effort < 0 || options.effort > SearchOptions::MaxEffort)
    return error(messages::EffortOutOfRange, "effort", options.effort, SearchOptions::MaxEffort);
  const Reduced reduced = reduce(matrix, inputs);
  MR_TRY(const std::optional<int> depth_limit,
         depth_limit_of(options, minimum_depth_of(reduced.matrix)));
  AdderGraph graph;
  if (reduced.matrix.rows > 0) {
    std::vector<Range> ranges;
    for (const int column : reduced.columns)
      ranges.push_back(inputs[static_cast<size_t>(column)]);
    MR_TRY(graph, search(reduced.matrix, ranges, depth_limit, options));
  }
  graph = expand(graph, reduced, matrix.columns);
  const Certificate certificate = certify(graph, matrix, inputs);
  check(certificate.is_exact, certificate.failure);
  if (!certificate.fits_ranges)
    return error(messages::SumTooWide, certificate.failure, MaxSumBits);
  check(!depth_limit || depth(graph) <= *depth_limit, "a graph is deeper than its limit");
  return graph;
}

}  // namespace millrace::adders
