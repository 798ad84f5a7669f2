// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "millrace/dataflow/stream.h"

namespace millrace::dataflow {

/// Puts the elements of a map into another order, or into beats of another shape or pace:
/// rtl/mr_collect.sv gathers a group of input beats, rtl/mr_issue.sv gives it as output beats.
struct RelayoutStage {
  StreamType input;
  int64_t groups = 1;            ///< of a frame
  int64_t in_beats = 1;          ///< of a group
  int64_t out_beats = 1;         ///< of a group
  std::vector<int64_t> sources;  ///< for each element of a group's output beats the element of its
                                 ///< input beats; Zero: the number 0
  int64_t pace = 1;              ///< cycles from one output beat to the next, at least
  int64_t depth = 1;             ///< groups kept

  static constexpr int64_t Zero = -1;
};

/// Where an element of the output map comes from.
struct MapPlace {
  int64_t row = 0, column = 0, channel = 0;
};

/// Works out a relayout with as many groups as possible: the smallest memory and latency.
///
/// Shapes   `source` is asked for every element of the output map, rows and lanes behind its edges
///          excluded; what it gives lies in the input map, or is RelayoutStage::Zero's place
///          (row -1).
RelayoutStage make_relayout(const StreamType& input, const StreamType& output,
                            const std::function<MapPlace(const MapPlace&)>& source);

}  // namespace millrace::dataflow
