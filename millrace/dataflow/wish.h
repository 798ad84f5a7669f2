// SPDX-License-Identifier: Apache-2.0
// From what a circuit must reach to the number of pixels that arrive in a clock cycle.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/dataflow/plan.h"

namespace millrace::dataflow {

/// What a circuit must reach; what is left out may be anything.
struct Wish {
  std::optional<int64_t> latency_cycles = {};   ///< first beat in to last beat out, at most
  std::optional<int64_t> interval_cycles = {};  ///< from frame to frame, at most
  std::optional<int64_t> max_lut = {};          ///< by estimate_area(), at most

  bool is_empty() const { return !latency_cycles && !interval_cycles && !max_lut; }
};

/// The pixels that arrive in a clock cycle: PlanOptions::lanes and rows.
struct BeatShape {
  int64_t lanes = 1, rows = 1;

  friend bool operator==(const BeatShape&, const BeatShape&) = default;
};

/// The beat that holds a whole row of every input; with `whole_maps` the whole image.
BeatShape widest_beat(const graph::Graph& graph, bool whole_maps);

/// The beats among which a circuit is chosen, from small to large: lanes that divide a row or are a
/// power of two, and whole rows whose number divides the map's or is a power of two.
std::vector<BeatShape> beat_shapes(const graph::Graph& graph);

/// Plans with each of the beats and chooses: of the circuits that meet the wish that of fewest
/// LUTs, or, where the wish is for few LUTs alone, that of least latency. Nothing is assumed about
/// how area or latency grow: a beat is left out only where its interval is too long, and given up
/// only where the stages planned so far take more than the best circuit or than options.limit.
///
/// The candidates are planned at effort 0, layers too; the one chosen again as `options` say.
/// Should that one miss the wish, for adder graphs are searched at random, the first is the result.
///
/// Errors   a wish that no beat meets, with the nearest circuit and what limits it; where no beat
/// can
///          be planned, what plan() says of the first.
/// Complexity  one plan() at effort 0 for each beat.
Result<Circuit> plan_for(const graph::Graph& graph, const Wish& wish, PlanOptions options,
                         std::span<const BeatShape> shapes);

}  // namespace millrace::dataflow
