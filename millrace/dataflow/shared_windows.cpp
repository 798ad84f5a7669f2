// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/shared_windows.h"

#include <algorithm>

#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

/// Entries other than 0 in a matrix that is searched as a whole. Sharing reaches only as far as a
/// kernel does, so that little is lost between parts that are several kernels wide.
constexpr int64_t MaxWeightsTogether = int64_t{1} << 14;

}  // namespace

int64_t BeatWindows::element(int64_t lane, int64_t index) const {
  const int64_t row_size = kernel_w * channels;
  return (index / row_size * span() + lane * stride_w) * channels + index % row_size;
}

BeatWindows BeatWindows::first(int64_t count) const {
  BeatWindows part = *this;
  part.lanes = count;
  return part;
}

LinearMap beat_map(const LinearMap& lane_map, const BeatWindows& windows) {
  check(lane_map.columns == windows.window_size(), "one column for each element of a window");
  const int64_t columns = windows.num_elements();
  LinearMap map{.rows = static_cast<int>(windows.lanes) * lane_map.rows,
                .columns = static_cast<int>(columns),
                .entries = std::vector<int64_t>(
                    static_cast<size_t>(windows.lanes * lane_map.rows * columns), 0),
                .bias = {}};
  for (int64_t lane = 0; lane < windows.lanes; ++lane) {
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

int64_t lanes_together(const LinearMap& lane_map, const BeatWindows& windows) {
  if (!windows.overlap())
    return 1;
  const int64_t weights = std::ssize(lane_map.entries) -
                          std::count(lane_map.entries.begin(), lane_map.entries.end(), int64_t{0});
  const int64_t most =
      std::clamp<int64_t>(MaxWeightsTogether / std::max<int64_t>(1, weights), 1, windows.lanes);
  const int64_t parts = (windows.lanes + most - 1) / most;
  return (windows.lanes + parts - 1) / parts;
}

}  // namespace millrace::dataflow
