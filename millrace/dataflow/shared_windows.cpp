// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/shared_windows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "millrace/support/ceil_divide.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

/// Entries other than 0 in a matrix that is searched as a whole. Sharing reaches only as far as a
/// kernel does, so that little is lost between parts that are several kernels wide.
constexpr int64_t MaxWeightsTogether = int64_t{1} << 14;

/// The inputs of a part in the numbers of the whole: the elements that some lanes read together,
/// from row `first_row` and lane `first_lane` on, and the constants.
std::vector<int> inputs_of_part(const BeatWindows& windows, int64_t first_row, int64_t first_lane,
                                const BeatWindows& part, size_t num_inputs) {
  std::vector<int> inputs;
  for (int64_t row = 0; row < part.region_h(); ++row)
    for (int64_t i = 0; i < part.span() * part.channels; ++i)
      inputs.push_back(static_cast<int>(
          ((first_row * windows.stride_h + row) * windows.span() + first_lane * windows.stride_w) *
              windows.channels +
          i));
  for (auto constant = static_cast<size_t>(windows.num_elements()); constant < num_inputs;
       ++constant)
    inputs.push_back(static_cast<int>(constant));
  return inputs;
}

/// Appends the adders and rows of a part; `numbers` are those of its inputs in the whole.
void append_part(adders::AdderGraph& whole, const adders::AdderGraph& part,
                 std::vector<int> numbers) {
  for (adders::Adder adder : part.adders) {
    adder.a = numbers[static_cast<size_t>(adder.a)];
    adder.b = numbers[static_cast<size_t>(adder.b)];
    numbers.push_back(whole.num_inputs + static_cast<int>(whole.adders.size()));
    whole.adders.push_back(adder);
  }
  for (adders::RowSum row : part.rows) {
    if (row.value != adders::RowSum::Zero)
      row.value = numbers[static_cast<size_t>(row.value)];
    whole.rows.push_back(row);
  }
}

/// The adders for all lanes, some lanes at a time. Parts that are alike are searched once.
Result<adders::AdderGraph> multiply_in_parts(const LinearMap& lane_map, const BeatWindows& windows,
                                             std::span<const adders::Range> ranges,
                                             const LaneBlock& block,
                                             const adders::SearchOptions& search) {
  adders::AdderGraph whole{.num_inputs = static_cast<int>(ranges.size()), .adders = {}, .rows = {}};
  adders::AdderGraph graph;
  std::vector<adders::Range> solved;  // the ranges for which `graph` was found
  for (int64_t row = 0; row < windows.rows; row += block.rows)
    for (int64_t lane = 0; lane < windows.lanes; lane += block.lanes) {
      const BeatWindows part = windows.first(std::min(block.rows, windows.rows - row),
                                             std::min(block.lanes, windows.lanes - lane));
      std::vector<int> inputs = inputs_of_part(windows, row, lane, part, ranges.size());
      std::vector<adders::Range> needed;
      for (const int input : inputs)
        needed.push_back(ranges[static_cast<size_t>(input)]);
      if (needed != solved) {
        adders::SearchOptions part_search = search;
        part_search.progress = [&](std::string_view step, double fraction) {
          const double done = static_cast<double>(row * windows.lanes + lane) +
                              fraction * static_cast<double>(part.num_lanes());
          return report_progress(search.progress, step,
                                 done / static_cast<double>(windows.num_lanes()));
        };
        const Multiplication problem = multiplication(beat_map(lane_map, part));
        MR_TRY(graph, adders::multiply_matrix(problem.matrix, needed, part_search));
        solved = std::move(needed);
      }
      append_part(whole, graph, std::move(inputs));
    }
  return whole;
}

}  // namespace

int64_t BeatWindows::element(int64_t lane, int64_t index) const {
  const int64_t row_size = kernel_w * channels;
  const int64_t row = lane / lanes * stride_h + index / row_size * dilation_h;
  const int64_t column = lane % lanes * stride_w + index % row_size / channels * dilation_w;
  return (row * span() + column) * channels + index % channels;
}

BeatWindows BeatWindows::first(int64_t row_count, int64_t lane_count) const {
  BeatWindows part = *this;
  part.rows = row_count;
  part.lanes = lane_count;
  return part;
}

LinearMap beat_map(const LinearMap& lane_map, const BeatWindows& windows) {
  check(lane_map.columns == windows.window_size(), "one column for each element of a window");
  const int64_t columns = windows.num_elements();
  LinearMap map{.rows = static_cast<int>(windows.num_lanes()) * lane_map.rows,
                .columns = static_cast<int>(columns),
                .entries = std::vector<int64_t>(
                    static_cast<size_t>(windows.num_lanes() * lane_map.rows * columns), 0),
                .bias = {}};
  for (int64_t lane = 0; lane < windows.num_lanes(); ++lane) {
    for (int64_t row = 0; row < lane_map.rows; ++row)
      for (int64_t index = 0; index < lane_map.columns; ++index)
        map.entries[static_cast<size_t>((lane * lane_map.rows + row) * columns +
                                        windows.element(lane, index))] =
            lane_map.entries[static_cast<size_t>(row * lane_map.columns + index)];
    map.bias.insert(map.bias.end(), lane_map.bias.begin(), lane_map.bias.end());
  }
  return map;
}

Multiplication multiplication(const LinearMap& map) {
  const auto magnitude = [](Int128 value) { return value < 0 ? -value : value; };
  std::vector<Int128> constants;
  for (const Int128 bias : map.bias)
    constants.push_back(magnitude(bias));
  std::sort(constants.begin(), constants.end());
  constants.erase(std::unique(constants.begin(), constants.end()), constants.end());
  if (!constants.empty() && constants.front() == 0)
    constants.erase(constants.begin());

  adders::Matrix matrix{
      .rows = map.rows, .columns = map.columns + static_cast<int>(constants.size()), .entries = {}};
  matrix.entries.reserve(static_cast<size_t>(matrix.rows) * static_cast<size_t>(matrix.columns));
  for (int row = 0; row < map.rows; ++row) {
    const auto entries = map.entries.begin() + ptrdiff_t{row} * map.columns;
    matrix.entries.insert(matrix.entries.end(), entries, entries + map.columns);
    const Int128 bias = map.bias[static_cast<size_t>(row)];
    for (const Int128 constant : constants)
      matrix.entries.push_back(bias == constant ? 1 : bias == -constant ? -1 : 0);
  }
  return {std::move(matrix), std::move(constants)};
}

LaneBlock lanes_together(const LinearMap& lane_map, const BeatWindows& windows) {
  if (!windows.overlap())
    return {};
  const int64_t weights = std::ssize(lane_map.entries) -
                          std::count(lane_map.entries.begin(), lane_map.entries.end(), int64_t{0});
  const int64_t most = std::max<int64_t>(1, MaxWeightsTogether / std::max<int64_t>(1, weights));
  if (most >= windows.num_lanes())
    return {windows.rows, windows.lanes};
  const int64_t parts = ceil_divide(windows.lanes, most);
  return {1, ceil_divide(windows.lanes, parts)};
}

Result<BeatGraph> multiply_beat(const LinearMap& lane_map, const BeatWindows& windows,
                                std::span<const adders::Range> elements,
                                const adders::SearchOptions& search) {
  check(std::ssize(elements) == windows.num_elements(), "one range for each element of the beat");
  BeatGraph best{.graph = {}, .constants = multiplication(lane_map).constants};
  std::vector<adders::Range> ranges(elements.begin(), elements.end());
  for (const Int128 constant : best.constants)
    ranges.push_back({constant, constant});

  std::vector<LaneBlock> ways = {lanes_together(lane_map, windows)};
  if (ways[0] != LaneBlock{})
    ways.push_back({});
  std::optional<std::pair<int64_t, int64_t>> least;  // bits, adders
  for (size_t way = 0; way < ways.size(); ++way) {
    adders::SearchOptions way_search = search;
    way_search.progress = [&](std::string_view step, double fraction) {
      return report_progress(
          search.progress, step,
          (static_cast<double>(way) + fraction) / static_cast<double>(ways.size()));
    };
    MR_TRY(adders::AdderGraph graph,
           multiply_in_parts(lane_map, windows, ranges, ways[way], way_search));
    if (ways.size() == 1)
      return BeatGraph{std::move(graph), std::move(best.constants)};
    const adders::Cost cost = adders::cost(graph, ranges);
    if (const std::pair price = {cost.bits, cost.adders}; !least || price < *least) {
      least = price;
      best.graph = std::move(graph);
    }
  }
  return best;
}

}  // namespace millrace::dataflow
