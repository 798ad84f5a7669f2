// SPDX-License-Identifier: Apache-2.0
// The windows of one beat, taken together: neighbouring lanes read many of the same pixels, so one
// constant multiplication for all of them shares what they have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "millrace/adders/multiply_matrix.h"

namespace millrace::dataflow {

/// Which of a beat's pixels each lane reads. The lanes are `rows` x `lanes` windows; the one in row
/// r and lane l reads the columns l * stride_w + j * dilation_w of the rows r * stride_h + i *
/// dilation_h, for i < kernel_h and j < kernel_w. Without a window each lane reads its own pixel.
///
/// Layout   the beat's elements are region_h() x span() x channels, row-major; a lane's window is
///          kernel_h x kernel_w x channels, row-major; lane r * lanes + l is that of row r, lane l.
struct BeatWindows {
  int64_t lanes = 1, channels = 1;
  int64_t kernel_h = 1, kernel_w = 1, stride_w = 1;
  int64_t rows = 1, stride_h = 1;
  int64_t dilation_h = 1, dilation_w = 1;

  int64_t region_h() const { return (rows - 1) * stride_h + (kernel_h - 1) * dilation_h + 1; }
  int64_t span() const { return (lanes - 1) * stride_w + (kernel_w - 1) * dilation_w + 1; }
  int64_t num_elements() const { return region_h() * span() * channels; }
  int64_t num_lanes() const { return rows * lanes; }
  int64_t window_size() const { return kernel_h * kernel_w * channels; }
  /// True when some pixel stands in several lanes' windows.
  bool overlap() const {
    return (lanes > 1 && (kernel_w - 1) * dilation_w >= stride_w) ||
           (rows > 1 && (kernel_h - 1) * dilation_h >= stride_h);
  }
  /// The beat's element that stands at `index` of the window of `lane`.
  int64_t element(int64_t lane, int64_t index) const;
  /// The windows of the first `row_count` x `lane_count` lanes.
  BeatWindows first(int64_t row_count, int64_t lane_count) const;
};

/// rows x columns integers and one constant a row: y = matrix * x + bias, in raw integers of y's
/// type.
struct LinearMap {
  int rows = 0;
  int columns = 0;
  std::vector<int64_t> entries;  ///< row-major
  std::vector<Int128> bias;
};

/// The linear map of all lanes together, from that of one: a block-Toeplitz matrix. Its columns are
/// the beat's elements; its rows are lanes x rows of `lane_map`.
LinearMap beat_map(const LinearMap& lane_map, const BeatWindows& windows);

/// A linear map as a multiplication by a constant matrix alone.
struct Multiplication {
  adders::Matrix matrix;          ///< the map's columns, then one for each of `constants`
  std::vector<Int128> constants;  ///< the magnitudes of the bias, each once, without 0
};

Multiplication multiplication(const LinearMap& map);

/// Rows and lanes of a beat.
struct LaneBlock {
  int64_t rows = 1, lanes = 1;
  friend bool operator==(const LaneBlock&, const LaneBlock&) = default;
};

/// How many lanes are multiplied together where their windows overlap: all of them, or equal parts
/// of a row where the matrix would become too large to search. A single lane where nothing is
/// shared.
LaneBlock lanes_together(const LinearMap& lane_map, const BeatWindows& windows);

/// The adders for all lanes of a beat.
struct BeatGraph {
  adders::AdderGraph graph;       ///< its inputs: the beat's elements, then `constants`
  std::vector<Int128> constants;  ///< as Multiplication's
};

/// Searches the adders for all lanes together, and for one lane to be repeated; gives what costs
/// fewer bits.
///
/// Shapes   `elements` has a range for each of the beat's elements; the graph has lanes x rows of
///          `lane_map`.
/// Errors   those of adders::multiply_matrix().
Result<BeatGraph> multiply_beat(const LinearMap& lane_map, const BeatWindows& windows,
                                std::span<const adders::Range> elements,
                                const adders::SearchOptions& search);

}  // namespace millrace::dataflow
