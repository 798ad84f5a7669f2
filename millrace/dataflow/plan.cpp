// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

#include <algorithm>
#include <cmath>

#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/layer_datapath.h"
#include "millrace/dataflow/messages.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Graph;
using graph::Op;
using graph::ValueId;

std::string place(const Op& op) {
  return op.where.empty() ? "operation '" + op.name + "'" : op.where;
}

/// The operations between input and output, in order.
Result<std::vector<const Op*>> chain(const Graph& graph) {
  const std::vector<ValueId> inputs = graph.inputs();
  if (inputs.size() != 1 || graph.outputs().size() != 1)
    return error(messages::OneInputOneOutput, graph.name(), inputs.size(), graph.outputs().size());
  const auto users = graph.users();
  std::vector<const Op*> ops;
  for (ValueId value = inputs[0]; value != graph.outputs()[0];) {
    const auto& uses = users[static_cast<size_t>(value)];
    const Op& op = graph.op(value);
    if (uses.size() != 1)
      return error(messages::Branch, place(op), op.name, uses.size());
    value = uses[0];
    ops.push_back(&graph.op(value));
  }
  const auto& uses_of_output = users[static_cast<size_t>(graph.outputs()[0])];
  if (!uses_of_output.empty()) {
    const Op& op = graph.op(graph.outputs()[0]);
    return error(messages::Branch, place(op), op.name, uses_of_output.size() + 1);
  }
  return ops;
}

/// Walks along the chain and lowers each operation to the stage that is open, or to new ones.
class Planner {
public:
  Planner(const Graph& graph, const PlanOptions& options, DelayModel delays)
      : graph_(graph), delays_(std::move(delays)) {
    circuit_.name = module_identifier(graph.name());
    circuit_.clock_ns = options.clock_ns;
  }

  Result<Circuit> run(int64_t lanes) {
    MR_TRY(const auto ops, chain(graph_));
    MR_TRY_STATUS(start(graph_.op(graph_.inputs()[0]), lanes));
    for (const Op* op : ops)
      MR_TRY_STATUS(lower(*op));
    MR_TRY_STATUS(close_map(0));
    circuit_.output = stream_;
    return std::move(circuit_);
  }

private:
  /// Room left behind a datapath for the multiplexer in front of a window's memory.
  double memory_deadline_ps() const {
    return circuit_.clock_ns * 1000 - delays_.register_ps - 2 * delays_.lut_ps;
  }

  Status start(const Op& input, int64_t lanes) {
    const Shape& shape = input.type.shape;
    if (!input.type.is_fixed())
      return error(messages::NotExact, place(input), input.name);
    stream_ = {.height = 1, .width = 1, .channels = shape.back(), .element = input.type.fixed()};
    if (shape.size() == 3) {
      stream_.height = shape[0];
      stream_.width = shape[1];
    }
    if (lanes < 1 || lanes > stream_.width)
      return error(messages::LanesOutOfRange, "--lanes", lanes, stream_.width);
    stream_.lanes = lanes;
    circuit_.input = stream_;
    return {};
  }

  Status lower(const Op& op) {
    if (!op.type.is_fixed())
      return error(messages::NotExact, place(op), op.name);
    if (const auto* conv = op.as<graph::Conv2D>())
      return lower_window(op, conv->window, 0);
    if (const auto* pool = op.as<graph::MaxPool>())
      return lower_window(op, pool->window, static_cast<int64_t>(stream_.element.min_raw()));
    if (op.as<graph::Dense>())
      return lower_dense(op);
    if (op.as<graph::Flatten>())
      return {};  // the stream's order is the vector's order already
    return lower_elementwise(op);
  }

  // --- maps -------------------------------------------------------------------------------

  /// Starts a datapath on `count` elements a lane, unless one is open.
  void open_map(const std::string& name, int64_t count) {
    if (map_open_)
      return;
    map_open_ = true;
    map_ = {};
    layers_.clear();
    name_ = name;
    has_layer_name_ = false;
    vector_ = {.elements = {}, .type = stream_.element};
    for (int64_t i = 0; i < count; ++i)
      vector_.elements.push_back(map_.input(stream_.element));
  }

  /// Notes that the open datapath computes `op`, giving `elements`.
  void advance_map(const Op& op, std::vector<NodeId> elements) {
    // A stage is called after its first layer with weights or windows.
    const bool is_elementwise =
        op.as<graph::Relu>() || op.as<graph::Requantize>() || op.as<graph::Table>();
    if (!is_elementwise && !has_layer_name_) {
      name_ = op.name;
      has_layer_name_ = true;
    }
    layers_.push_back(op.name);
    vector_ = {.elements = std::move(elements), .type = op.type.fixed()};
    stream_.channels = static_cast<int64_t>(vector_.elements.size());
    stream_.element = vector_.type;
  }

  /// Pipelines the open datapath and makes it a stage.
  Status close_map(double output_deadline_ps) {
    if (!map_open_)
      return {};
    map_open_ = false;
    for (const NodeId id : vector_.elements)
      map_.outputs.push_back({id, stream_.element});
    if (options_.three_input_adders)
      map_ = fuse_adders(map_, {delays_, circuit_.clock_ns, input_ready_ps_, output_deadline_ps});
    MR_TRY_STATUS(map_.pipeline(delays_, circuit_.clock_ns, input_ready_ps_, output_deadline_ps,
                                "layer '" + name_ + "'"));
    input_ready_ps_ = map_.output_ready_ps();
    append_stage(map_.latency_cycles(), MapStage{std::move(map_), stream_.lanes});
    return {};
  }

  void append_stage(int latency_cycles, StageKind kind) {
    circuit_.stages.push_back({.name = identifier(name_),
                               .layers = layers_,
                               .kind = std::move(kind),
                               .output = stream_,
                               .latency_cycles = latency_cycles});
  }

  Status lower_elementwise(const Op& op) {
    open_map(op.name, stream_.channels);
    if (op.as<graph::Affine>()) {
      advance_map(op, append_linear(map_, vector_.elements, linear_map(graph_, op)));
      return {};
    }
    advance_map(op, append_elementwise(map_, vector_, op));
    return {};
  }

  // --- windows ----------------------------------------------------------------------------

  /// Output lanes: as many as the input rate asks for, or, where rows pause between windows
  /// (stride, pooling), the fewest that still keep up, if that about halves the hardware.
  std::optional<WindowGeometry> choose_lanes(const graph::Window& window) const {
    const int64_t natural = std::min((stream_.lanes + window.stride_w - 1) / window.stride_w,
                                     std::max<int64_t>(1, window.out_width(stream_.width)));
    for (int64_t lanes = 1; lanes < natural && lanes <= (natural + 1) / 2; ++lanes)
      if (const auto geometry = window_geometry(stream_, window, lanes))
        return geometry;
    return window_geometry(stream_, window, natural);
  }

  Status lower_window(const Op& op, const graph::Window& window, int64_t pad_raw) {
    const bool is_pointwise = window == graph::Window{};
    if (!is_pointwise) {
      MR_TRY_STATUS(close_map(memory_deadline_ps()));
      MR_TRY_STATUS(append_window(op, window, pad_raw));
    }
    open_map(op.name, window.kernel_h * window.kernel_w * stream_.channels);
    if (op.as<graph::MaxPool>())
      advance_map(op, append_max_pool(map_, vector_.elements, stream_.channels));
    else
      advance_map(op, append_linear(map_, vector_.elements, linear_map(graph_, op)));
    return {};
  }

  Status append_window(const Op& op, const graph::Window& window, int64_t pad_raw) {
    if (window.pad_top + window.pad_bottom >= window.kernel_h && window.stride_h == 1)
      return error(messages::TooMuchPadding, place(op), window.pad_top + window.pad_bottom,
                   "above and below", window.kernel_h);
    const std::optional<WindowGeometry> geometry = choose_lanes(window);
    if (!geometry)
      return error(messages::TooMuchPadding, place(op), window.pad_left + window.pad_right,
                   "left and right", window.kernel_w);
    stream_.height = geometry->out_height;
    stream_.width = geometry->out_width;
    stream_.lanes = geometry->out_lanes;
    name_ = op.name;
    layers_ = {};
    append_stage(1, WindowStage{*geometry, pad_raw});

    // The window's multiplexers and padding masks stand behind its registers.
    int levels = window.is_padded() ? 1 : 0;
    if (geometry->skew() != 0 && geometry->out_beats > 1)
      levels +=
          static_cast<int>(std::ceil(std::log2(static_cast<double>(geometry->out_beats)) / 2));
    if (geometry->separate_tail)
      levels += 1;
    input_ready_ps_ = levels * delays_.lut_ps;
    return {};
  }

  // --- dense layers -----------------------------------------------------------------------

  Status lower_dense(const Op& op) {
    if (stream_.beats_per_frame() > 1)
      return lower_accumulate(op);
    if (stream_.width > 1) {
      // All pixels of the only beat are one vector, in the order in which the beat holds them.
      MR_TRY_STATUS(close_map(memory_deadline_ps()));
      stream_.channels *= stream_.width;
      stream_.width = stream_.lanes = 1;
    }
    open_map(op.name, stream_.channels);
    advance_map(op, append_linear(map_, vector_.elements, linear_map(graph_, op)));
    return {};
  }

  Status lower_accumulate(const Op& op) {
    MR_TRY_STATUS(close_map(memory_deadline_ps()));
    const LinearMap map = linear_map(graph_, op);
    const int64_t elements = stream_.lanes * stream_.channels;
    const auto weights_of_beat = static_cast<size_t>(elements * map.rows);

    AccumulateStage stage;
    stage.bias = map.bias;
    stage.sum_type = op.type.fixed();
    stage.sum_type.frac_bits = 0;
    for (int64_t beat = 0; beat < stream_.beats_per_frame(); ++beat) {
      std::vector<int64_t> weights(weights_of_beat, 0);
      for (int64_t element = 0; element < elements; ++element) {
        const int64_t column =
            (beat % stream_.beats_per_row()) * stream_.lanes + element / stream_.channels;
        if (column >= stream_.width)
          continue;  // behind the row's end: a weight of 0 ignores whatever stands there
        const int64_t index =
            ((beat / stream_.beats_per_row()) * stream_.width + column) * stream_.channels +
            element % stream_.channels;
        for (int64_t row = 0; row < map.rows; ++row)
          weights[static_cast<size_t>(element * map.rows + row)] =
              map.entries[static_cast<size_t>(row * map.columns + index)];
      }
      stage.weights.push_back(std::move(weights));
    }

    std::vector<NodeId> inputs;
    inputs.reserve(static_cast<size_t>(elements));
    for (int64_t element = 0; element < elements; ++element)
      inputs.push_back(stage.products.input(stream_.element));
    std::vector<NodeId> weights;
    std::vector<bool> used;
    for (size_t i = 0; i < weights_of_beat; ++i) {
      int64_t lo = 0;
      int64_t hi = 0;
      for (const auto& beat : stage.weights) {
        lo = std::min(lo, beat[i]);
        hi = std::max(hi, beat[i]);
      }
      stage.weight_types.push_back(narrowest_type(lo, hi, 0).value());
      weights.push_back(stage.products.input(stage.weight_types.back()));
      used.push_back(lo != 0 || hi != 0);
    }
    for (const NodeId sum : append_products(stage.products, inputs, weights, used))
      stage.products.outputs.push_back({sum, stage.sum_type});
    const double deadline_ps =
        circuit_.clock_ns * 1000 - delays_.register_ps - delays_.adder_ps(stage.sum_type.width);
    MR_TRY_STATUS(stage.products.pipeline(delays_, circuit_.clock_ns, input_ready_ps_,
                                          std::max(0.0, deadline_ps), "layer '" + op.name + "'"));
    input_ready_ps_ = 0;
    stream_ = {.height = 1, .width = 1, .channels = map.rows, .element = op.type.fixed()};
    name_ = op.name;
    layers_ = {op.name};
    const int latency_cycles = stage.products.latency_cycles() + 1;
    append_stage(latency_cycles, std::move(stage));
    return {};
  }

  const Graph& graph_;
  const DelayModel delays_;
  Circuit circuit_;
  StreamType stream_;          // what leaves the last stage, or the open map
  double input_ready_ps_ = 0;  // when it settles after the clock edge

  bool map_open_ = false;
  Datapath map_;
  Vector vector_;
  std::string name_;
  bool has_layer_name_ = false;
  std::vector<std::string> layers_;
};

}  // namespace

std::string_view kind_name(const StageKind& kind) {
  return std::visit(graph::Overloaded{[](const WindowStage&) { return "window"; },
                                      [](const MapStage&) { return "map"; },
                                      [](const AccumulateStage&) { return "accumulate"; }},
                    kind);
}

Result<Circuit> plan(const Graph& graph, const PlanOptions& options) {
  MR_TRY_STATUS(check_clock(options.clock_ns, "--clock"));
  MR_TRY(DelayModel delays, load_delay_model(options.delay_family));
  if (options.three_input_adders)
    MR_TRY_STATUS(check_three_input_adders(options.delay_family, "--three-input-adders"));
  return Planner(graph, options, std::move(delays)).run(options.lanes);
}

}  // namespace millrace::dataflow
