// SPDX-License-Identifier: Apache-2.0
// The operations of a map stage, in order, and how each is appended to its datapath.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "millrace/dataflow/layer_datapath.h"

namespace millrace::dataflow {

/// One operation of a map, or a part of one.
struct MapStep {
  /// A maximum over windows splits into one along rows and one along columns; a mean that does not
  /// count padding needs a channel of ones in front of its windows; one of a whole map is a
  /// quotient behind the sums.
  enum class Part { Whole, Columns, Rows, Ones, Quotient };

  const graph::Op* op = nullptr;
  Part part = Part::Whole;
  int64_t out_rows = 1, out_lanes = 1;  ///< of its result's beat
  bool is_covered = false;              ///< the map's beat is what its windows cover already
  std::vector<int> sources;    ///< further operands: which of the map's streams, -1 for constants;
                               ///< of concat: all operands
  bool is_swapped = false;     ///< x is the second operand, the first one is a constant
  std::vector<int64_t> picks;  ///< a move: the beat's element behind each of its own, Zero for 0
  static constexpr int64_t Zero = -1;

  // What a quantiser and the operations in front of it leave to one another: see share_rounding().
  Int128 offset = 0;         ///< a linear operation adds this to every sum
  bool is_rounded = false;   ///< a quantiser's operand has the rounding's offset already
  bool is_subsumed = false;  ///< a later step does what this one does

  /// The window that it reads of its operand's beat; rows or columns only, for a part.
  graph::Window window() const;
};

/// The number that makes a quantiser a truncation when it is added in front of it, if there is one.
std::optional<Int128> rounding_offset(const graph::Requantize& rq, int from_frac_bits);

/// True when a rectifier in front of a quantiser changes nothing.
bool rectifies(const graph::Requantize& rq);

/// Lets the constants of linear operations take over the additions of the rounding behind them, and
/// unsigned saturation the rectifiers in front of it. No result changes.
void share_rounding(std::span<MapStep> steps);

/// True for moves, which only put elements elsewhere: pad, slice, upsample, transpose, reshape.
bool is_move(const graph::Op& op);

/// Appends a step that is not linear; `x` becomes its result. `sources` are the map's streams; a
/// further operand without one is a constant, or `x` where a step has too few of them.
void append_step(Datapath& path, BeatVector& x, const MapStep& step, const graph::Graph& graph,
                 std::span<const BeatVector> sources);

/// The beat as the region that a step's windows cover, where the beat holds all of it: pixels
/// outside the map are `padding`, one a channel.
BeatVector covered_region(const BeatVector& x, const MapStep& step,
                          std::span<const NodeId> padding);

/// What `windows` cover of a beat that holds all their rows, and columns from `pad_left` columns
/// behind their first one on.
BeatVector covered_columns(const BeatVector& x, const BeatWindows& windows, int64_t pad_left,
                           std::span<const NodeId> padding);

/// What stands for pixels outside the map in front of an operation: 0, or for a maximum what never
/// wins.
std::vector<NodeId> padding_of(Datapath& path, const BeatVector& x, const graph::Op& op);

}  // namespace millrace::dataflow
