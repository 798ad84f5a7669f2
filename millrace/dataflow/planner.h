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

/// The windows of a beat that holds `rows` x `lanes` of them.
BeatWindows windows_of(const graph::Window& window, int64_t channels, int64_t rows, int64_t lanes);

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
  /// Where the products of a layer that shares multipliers may use DSP blocks.
  BlockUse dsp_use(const graph::Op& op);
  bool uses_block_ram(const WindowGeometry& geometry) const;
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
  StreamId append_relayout(const std::string& name, StreamId stream, const StreamType& out,
                           RelayoutStage relayout);
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
  Stage window_stage(const graph::Op& op, StreamId stream, const WindowGeometry& geometry) const;
  double window_ready_ps(const WindowGeometry& geometry) const;
  int64_t row_cycles(StreamId stream) const;

  // planner_maps.cpp: maps and dense layers
  /// The value as a stream: closes its open map.
  Result<StreamId> stream_of(graph::ValueId value);
  /// The same for a part of its operation, which another part continues.
  Result<StreamId> stream_of_part(graph::ValueId value);
  Result<StreamId> close(OpenMap& map, graph::ValueId value, bool is_output);
  Status append_linear_step(Datapath& path, BeatVector& x, const MapStep& step, int spare_depth);
  adders::SearchOptions search_options(const graph::Op& op, int spare_depth);

  // planner_fold.cpp: matrix products that take several cycles for a beat
  /// The rounding behind a matrix product, which its sums can begin with.
  struct SharedRounding {
    Int128 offset = 0;
    const graph::Op* quantiser = nullptr;
    const graph::Op* rectifier = nullptr;  ///< in front of it, and not needed then
  };
  /// A matrix product over the beats of a stream.
  struct Product {
    LinearMap map;
    std::vector<adders::Range> elements;    ///< of a beat
    std::vector<std::vector<int>> columns;  ///< as AccumulateRequest's
    ElementRange sums;                      ///< all that results can be
    double ready_ps = 0;                    ///< when the beat settles
    BlockUse dsp = BlockUse::Never;
  };
  /// Where a product of single beats may take several cycles.
  struct FoldSite {
    std::vector<adders::Range> elements = {};  ///< of a beat
    double ready_ps = 0;                       ///< when it settles
    int64_t beat_bits = 0;
    int64_t gap = 1;   ///< cycles from beat to beat, at least
    int64_t held = 1;  ///< cycles for which a beat stays on the lines
    int64_t even = 1;  ///< cycles from beat to beat if a buffer in front evens them out
    std::optional<int> wanted = {};  ///< phases
  };
  struct Fold {
    AccumulateStage stage;
    int64_t pace = 0;  ///< of a buffer in front, or 0
  };
  /// Cycles from a beat to the next, at least.
  int64_t gap(StreamId stream) const;
  /// The most cycles a beat may take by default: each one more is a cycle of latency.
  int64_t most_phases() const {
    if (!options_.fold)
      return 1;
    return std::min<int64_t>(16, 1 + interval() / IntervalOfACycle);  // more save little
  }
  /// The gap that a buffer can give to a frame's beats, without much latency more.
  int64_t even_gap(const Cycles& cycles, int64_t gap) const;
  Product beat_product(const graph::Op& op, const BeatWindows& windows,
                       std::vector<adders::Range> elements) const;
  /// The phases that the user wishes for, refused where they are more than `most`.
  Result<std::optional<int>> wanted_phases(const graph::Op& op, int64_t most);
  /// Of the first elements of a beat, channel by channel.
  static std::vector<adders::Range> element_ranges(const StreamType& stream, int64_t elements);
  /// Which place of the map, row-major, each element of each beat is; -1 behind the edges.
  static std::vector<std::vector<int>> columns_of_map(const StreamType& stream);
  Product product(const graph::Op& op, LinearMap map, std::vector<adders::Range> elements,
                  std::vector<std::vector<int>> columns) const;
  /// The linear map of an operation; its sums begin with what the rounding behind them adds.
  LinearMap rounded_map(const graph::Op& op) const;
  Result<AccumulateStage> accumulate(const graph::Op& op, const Product& product, int phases,
                                     bool held) const;
  void append_accumulate(const graph::Op& op, AccumulateStage stage, StreamId stream,
                         StreamType output, const ElementRange& sums);
  SharedRounding shared_rounding(const graph::Op& op) const;
  void take(const SharedRounding& rounding);
  Status add_dense_over_map(const graph::Op& op, StreamId stream);
  /// The mean of a whole map: the sums of its channels, beat by beat, then their quotient.
  Status add_mean_of_map(const graph::Op& op, StreamId stream);
  /// The cheapest way to take several cycles for a beat; none where an adder graph costs less.
  Result<std::optional<Fold>> choose_fold(const graph::Op& op, const FoldSite& site,
                                          const Product& product) const;
  /// Puts a product where `site` says if that pays; `source` appends what stands in front of it.
  Result<bool> fold(const graph::Op& op, const BeatWindows& windows, FoldSite site,
                    StreamType result, const std::function<Result<StreamId>()>& source);
  /// A convolution over windows.
  Result<bool> fold_windows(const graph::Op& op, StreamId stream, WindowGeometry geometry,
                            int64_t channels);
  /// An operation on beats as they are.
  Result<bool> fold_beats(const graph::Op& op, const StreamType& result);
  /// The beats of a stream, `pace` cycles apart or more. Its elements are those of a single pixel.
  StreamId paced(const graph::Op& op, StreamId stream, std::span<const adders::Range> elements,
                 int64_t pace);
  /// Cycles that the longest input takes for a frame.
  int64_t interval() const;
  /// What saves area may cost a cycle of latency in so many of the interval.
  static constexpr int64_t IntervalOfACycle = 28;
  /// What a buffer that evens beats out may add to the latency: the interval over this.
  static constexpr int64_t LatencyShare = 8;
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
  std::vector<int64_t> gaps_;            // of each stream: least_gap()
  std::vector<AreaEstimate> areas_;      // of each stage, without its buffers' depths
  std::set<std::pair<std::string, std::string>> used_options_;  // layer, option
  int num_searches_ = 0;  // operations that multiply by constants, for the progress
  int num_searched_ = 0;
};

}  // namespace millrace::dataflow
