// SPDX-License-Identifier: Apache-2.0
// How a graph becomes a circuit: plan() in pieces.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/map_steps.h"
#include "millrace/dataflow/plan.h"
#include "millrace/dataflow/schedule.h"

namespace millrace::dataflow {

/// How much of each value's map reaches an output: its first rows and columns.
struct Demand {
  int64_t height = 1, width = 1;
};

/// Works out the demand for every value, from the outputs back. Vectors are needed whole.
std::vector<Demand> demand(const graph::Graph& graph);

/// "operation 'conv1'", or where the user wrote it.
std::string place_of(const graph::Op& op);

/// Walks over the graph in order. Operations that need no memory between them gather in an open
/// map, which becomes a stage when something else needs its result as a stream.
class Planner {
public:
  Planner(const graph::Graph& graph, const PlanOptions& options, DelayModel delays);

  Result<Circuit> run();

private:
  /// One of the streams that a map reads.
  struct Source {
    StreamId stream = 0;
    BeatWindows windows;
    int64_t beat_columns = 1;  ///< of a row of its beat, where that is not what the windows cover
    int64_t pad_left = 0;      ///< columns of padding in front of them, then
    FixedType type;
  };
  /// A map stage to be.
  struct OpenMap {
    std::vector<Source> sources;
    std::vector<MapStep> steps;
    StreamType result;  ///< without ranges
  };
  /// Where a value is: in a stream, or the last result of an open map.
  struct Place {
    StreamId stream = -1;
    int map = -1;
  };

  // planner.cpp: the walk
  Status add_inputs();
  Status add(const graph::Op& op);
  bool is_used_once(graph::ValueId value) const;
  /// The open map whose result `value` is and which may go on; none where it must be a stream.
  OpenMap* open_map(graph::ValueId value);
  /// Appends a step to the open map of the operation's first operand, or opens one on its stream.
  Status extend(const graph::Op& op, MapStep step, const StreamType& result);
  /// Opens a map on a stream, and appends a step to it.
  void open_on_stream(const graph::Op& op, MapStep step, StreamId stream, const StreamType& result);
  graph::ValueId value_of(const graph::Op& op) const {
    return static_cast<graph::ValueId>(&op - graph_.ops().data());
  }
  int new_map(StreamId stream, const BeatWindows& windows);
  void append_to(int map, const graph::Op& op, MapStep step, const StreamType& result);
  /// What the value looks like on its way, as a stream.
  StreamType shape_of(graph::ValueId value) const;
  StreamId append_stage(Stage stage, double ready_ps);

  /// The first operand that is not a constant.
  graph::ValueId main_operand(const graph::Op& op) const;
  /// "a dense layer whose weights are not constant", where no stage computes an operation.
  std::optional<std::string> unsupported(const graph::Op& op) const;

  // planner_options.cpp: what the user wishes for single layers, and limits
  /// What the user says about a layer; notes that it counts. None where nothing is said.
  template <class T>
  std::optional<T> layer_option(const graph::Op& op, std::optional<T> LayerOptions::* option,
                                const char* name);
  bool uses_three_input_adders(std::span<const MapStep> steps);
  /// Refuses what was said about layers and never counted.
  Status check_layer_options() const;
  /// Refuses stages that take more than the limit.
  Status check_limit() const;

  // planner_moves.cpp: operations that put elements elsewhere, and what joins streams
  Status add_move(const graph::Op& op);
  Status add_transposed(const graph::Op& op);
  Status add_joined(const graph::Op& op);
  /// A stage that puts the elements of a stream into the beats of another shape.
  StreamId append_relayout(const std::string& name, StreamId stream, const StreamType& out,
                           const std::function<MapPlace(const MapPlace&)>& source);
  /// The stream in beats of `lanes` x `rows` pixels.
  StreamId relaned(const std::string& name, StreamId stream, int64_t lanes, int64_t rows);
  /// The whole map as a vector in a single beat.
  StreamId gathered(const std::string& name, StreamId stream);
  /// Where an element of the operation's result stands in its operand's map.
  static MapPlace move_source(const graph::Op& op, const Shape& from, const MapPlace& place);
  bool needs_whole_vector(const graph::Op& op) const;
  /// An operation with a constant for each element of a map: on the whole map in a beat.
  bool needs_whole_map(const graph::Op& op) const;
  Status add_on_whole_map(const graph::Op& op);
  /// A stream that leaves the circuit has the whole width of its type.
  Status widen_output(const graph::Op& op);

  // planner_windows.cpp: sliding windows
  Status add_windowed(const graph::Op& op, const Demand& out, int64_t channels);
  /// A mean that counts the pixels of the map only: with a channel of ones in front.
  Status add_counted_mean(const graph::Op& op, const Demand& out);
  /// True when every window lies within one beat.
  bool rows_fit(const StreamType& shape, const graph::Window& window) const;
  bool columns_fit(const StreamType& shape, const graph::Window& window) const;
  Status open_on_window(const graph::Op& op, MapStep step, StreamId stream, const Demand& out,
                        int64_t channels);
  Status open_on_rows(const graph::Op& op, MapStep step, StreamId stream, const Demand& out,
                      int64_t channels);
  /// Windows that do not leave in time, as with much padding: all at once, from the whole map.
  Status open_on_whole_map(const graph::Op& op, MapStep step, StreamId stream, const Demand& out,
                           int64_t channels);
  /// The lanes that a linear operation needs to keep up; none to leave them as they are.
  Result<std::optional<int64_t>> fewer_lanes(const graph::Op& op, StreamId stream, int64_t width);
  StreamId block(const graph::Op& op, StreamId stream, int64_t out_lanes, int64_t width);
  int64_t row_cycles(StreamId stream) const;

  // planner_maps.cpp: maps and dense layers
  /// The value as a stream: closes its open map.
  Result<StreamId> stream_of(graph::ValueId value);
  /// The same for a part of its operation, which another part continues.
  Result<StreamId> stream_of_part(graph::ValueId value);
  Result<StreamId> close(OpenMap& map, graph::ValueId value, bool is_output);
  Status append_linear_step(Datapath& path, BeatVector& x, const MapStep& step, int spare_depth);
  adders::SearchOptions search_options(const graph::Op& op, int spare_depth);
  Status add_accumulate(const graph::Op& op, StreamId stream);
  /// What the rounding behind a dense layer adds, which its sums can begin with; 0 if nothing.
  Int128 take_rounding(const graph::Op& op);
  /// Cycles that an accumulating stage may spend on each beat of the stream.
  Result<int> phases(const graph::Op& op, StreamId stream);
  /// Cycles that the longest input takes for a frame.
  int64_t interval() const;
  /// What saves area may cost a cycle of latency in so many of the interval.
  static constexpr int64_t IntervalOfACycle = 28;
  double memory_deadline_ps() const;

  const graph::Graph& graph_;
  const PlanOptions& options_;
  const DelayModel delays_;
  const std::vector<std::vector<graph::ValueId>> users_;
  const std::vector<Demand> demand_;
  Circuit circuit_;
  std::vector<Place> places_;  // of each value
  std::vector<OpenMap> maps_;
  std::set<const graph::Op*> rounded_;   // quantisers whose rounding is in their operand already
  std::set<const graph::Op*> subsumed_;  // rectifiers in front of them
  std::vector<double> ready_ps_;         // when each stream settles after the clock edge
  std::vector<Cycles> times_;            // of each stream, one frame
  std::vector<AreaEstimate> areas_;      // of each stage, without its buffers' depths
  std::set<std::pair<std::string, std::string>> used_options_;  // layer, option
  int num_searches_ = 0;  // operations that multiply by constants, for the progress
  int num_searched_ = 0;
};

}  // namespace millrace::dataflow
