// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "millrace/adders/messages.h"
#include "millrace/dataflow/fuse_adders.h"
#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/layer_datapath.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/spare_depth.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Graph;
using graph::Op;
using graph::ValueId;
using OpSpan = std::span<const Op* const>;

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

/// The sliding window that stands in front of an operation; none where it reads single pixels.
std::optional<graph::Window> sliding_window(const Op& op) {
  const auto* conv = op.as<graph::Conv2D>();
  const auto* pool = op.as<graph::MaxPool>();
  const graph::Window window = conv ? conv->window : pool ? pool->window : graph::Window{};
  return window == graph::Window{} ? std::nullopt : std::optional(window);
}

/// A stage is called after its first layer with weights or windows.
const Op& naming_op(OpSpan ops) {
  const auto named = std::find_if(ops.begin(), ops.end(), [](const Op* op) {
    return is_linear(*op) || op->as<graph::MaxPool>();
  });
  return named == ops.end() ? *ops.front() : **named;
}

/// Walks along the chain and cuts it into stages.
class Planner {
public:
  Planner(const Graph& graph, const PlanOptions& options, DelayModel delays)
      : graph_(graph), options_(options), delays_(std::move(delays)) {
    circuit_.name = module_identifier(graph.name());
    circuit_.clock_ns = options.clock_ns;
  }

  Result<Circuit> run() {
    MR_TRY(const auto ops, chain(graph_));
    MR_TRY_STATUS(start(graph_.op(graph_.inputs()[0])));
    for (const Op* op : ops) {
      if (!op->type.is_fixed())
        return error(messages::NotExact, place(*op), op->name);
      num_searches_ += is_linear(*op) ? 1 : 0;
    }
    for (OpSpan rest = ops; !rest.empty();) {
      MR_TRY(const size_t count, lower(rest));
      rest = rest.subspan(count);
    }
    circuit_.output = stream_;
    return std::move(circuit_);
  }

private:
  Status start(const Op& input) {
    const Shape& shape = input.type.shape;
    if (!input.type.is_fixed())
      return error(messages::NotExact, place(input), input.name);
    stream_ = {.height = 1, .width = 1, .channels = shape.back(), .element = input.type.fixed()};
    if (shape.size() == 3) {
      stream_.height = shape[0];
      stream_.width = shape[1];
    }
    if (options_.lanes < 1 || options_.lanes > stream_.width)
      return error(messages::LanesOutOfRange, "--lanes", options_.lanes, stream_.width);
    stream_.lanes = options_.lanes;
    circuit_.input = stream_;
    return {};
  }

  /// Makes the next stages; gives the number of operations that they compute.
  Result<size_t> lower(OpSpan rest) {
    const Op& op = *rest.front();
    if (accumulates(op)) {
      MR_TRY_STATUS(lower_accumulate(op));
      return 1;
    }
    BeatWindows windows{.lanes = stream_.lanes, .channels = stream_.channels};
    if (const auto window = sliding_window(op)) {
      const int64_t pad_raw =
          op.as<graph::MaxPool>() ? static_cast<int64_t>(stream_.element.min_raw()) : 0;
      MR_TRY_STATUS(append_window(op, *window, pad_raw));
      windows = {.lanes = stream_.lanes,
                 .channels = stream_.channels,
                 .kernel_h = window->kernel_h,
                 .kernel_w = window->kernel_w,
                 .stride_w = window->stride_w};
    }
    // What needs a memory of its own begins the next stage.
    const auto end = std::find_if(rest.begin() + 1, rest.end(), [&](const Op* next) {
      return sliding_window(*next).has_value() || accumulates(*next);
    });
    const auto count = static_cast<size_t>(end - rest.begin());
    MR_TRY_STATUS(lower_map(rest.first(count), windows, end == rest.end()));
    return count;
  }

  /// True for a dense layer whose vector does not arrive in a single beat.
  bool accumulates(const Op& op) const {
    return op.as<graph::Dense>() && stream_.beats_per_frame() > 1;
  }

  void append_stage(const Op& op, std::vector<std::string> layers, int latency_cycles,
                    StageKind kind) {
    circuit_.stages.push_back({.name = identifier(op.name),
                               .layers = std::move(layers),
                               .kind = std::move(kind),
                               .output = stream_,
                               .latency_cycles = latency_cycles});
  }

  // --- maps -------------------------------------------------------------------------------

  /// Room left behind a datapath for the multiplexer in front of a window's memory.
  double memory_deadline_ps() const {
    return circuit_.clock_ns * 1000 - delays_.register_ps - 2 * delays_.lut_ps;
  }

  Status lower_map(OpSpan ops, const BeatWindows& windows, bool is_last) {
    std::vector<std::string> layers;
    for (const Op* op : ops)
      if (!op->as<graph::Flatten>())  // the stream's order is the vector's order already
        layers.push_back(op->name);
    if (layers.empty())
      return {};

    const PipelineTarget target{.delays = delays_,
                                .clock_ns = circuit_.clock_ns,
                                .input_ready_ps = input_ready_ps_,
                                .output_deadline_ps = is_last ? 0 : memory_deadline_ps()};
    const std::vector<int> spare = spare_depths(graph_, ops, windows, stream_.element, target);
    Datapath path;
    BeatVector x{.windows = windows, .elements = {}, .type = stream_.element};
    for (int64_t i = 0; i < windows.num_elements(); ++i)
      x.elements.push_back(path.input(stream_.element));
    for (size_t i = 0; i < ops.size(); ++i)
      MR_TRY_STATUS(append(path, x, *ops[i], spare[i]));
    for (const NodeId id : x.elements)
      path.outputs.push_back({id, x.type});
    stream_.lanes = x.windows.lanes;
    stream_.channels = x.windows.channels;
    stream_.element = x.type;

    if (options_.three_input_adders)
      path = fuse_adders(path, target);
    const Op& name = naming_op(ops);
    MR_TRY_STATUS(path.pipeline(target.delays, target.clock_ns, target.input_ready_ps,
                                target.output_deadline_ps, "layer '" + name.name + "'"));
    input_ready_ps_ = path.output_ready_ps();
    const int latency_cycles = path.latency_cycles();
    append_stage(name, std::move(layers), latency_cycles, MapStage{std::move(path)});
    return {};
  }

  /// Appends one operation for all lanes; `x` becomes its result.
  Status append(Datapath& path, BeatVector& x, const Op& op, int spare_depth) {
    if (op.as<graph::Flatten>())
      return {};
    BeatWindows results{.lanes = x.windows.lanes, .channels = x.windows.channels};
    if (is_linear(op)) {
      const LinearMap map = linear_map(graph_, op);
      if (op.as<graph::Dense>()) {
        // All pixels of the only beat are one vector, in the order in which the beat holds them.
        x.windows = {.lanes = 1, .channels = std::ssize(x.elements)};
        stream_.width = 1;
        results.lanes = 1;
      }
      results.channels = map.rows;
      const auto name_the_operation = [&](Diagnostic diagnostic) {
        diagnostic.where = place(op);
        return diagnostic;
      };
      MR_TRY(x.elements, append_linear(path, x, map, search_options(op, spare_depth))
                             .map_error(name_the_operation));
      ++num_searched_;
    } else if (op.as<graph::MaxPool>()) {
      x.elements = append_max_pool(path, x);
    } else {
      x.elements = append_elementwise(path, x, op);
    }
    x.windows = results;
    x.type = op.type.fixed();
    return {};
  }

  adders::SearchOptions search_options(const Op& op, int spare_depth) const {
    const auto progress = [this, step = "adders of " + op.name](std::string_view, double fraction) {
      return report_progress(options_.progress, step,
                             (num_searched_ + fraction) / static_cast<double>(num_searches_));
    };
    adders::SearchOptions search;
    search.extra_depth = spare_depth;
    search.effort = options_.effort;
    search.progress = progress;
    return search;
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
    append_stage(op, {}, 1, WindowStage{*geometry, pad_raw});

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

  // --- dense layers over a streamed map ------------------------------------------------------

  Status lower_accumulate(const Op& op) {
    const LinearMap map = linear_map(graph_, op);
    const int64_t elements = stream_.lanes * stream_.channels;

    AccumulateRequest request{.map = map,
                              .elements = {},
                              .columns = {},
                              .sum_type = op.type.fixed(),
                              .delays = delays_,
                              .clock_ns = circuit_.clock_ns,
                              .input_ready_ps = input_ready_ps_};
    request.sum_type.frac_bits = 0;
    request.elements.assign(static_cast<size_t>(elements),
                            {stream_.element.min_raw(), stream_.element.max_raw()});
    for (int64_t beat = 0; beat < stream_.beats_per_frame(); ++beat) {
      std::vector<int> columns(static_cast<size_t>(elements), -1);
      for (int64_t element = 0; element < elements; ++element) {
        const int64_t x =
            (beat % stream_.beats_per_row()) * stream_.lanes + element / stream_.channels;
        if (x < stream_.width)  // behind the row's end stands anything
          columns[static_cast<size_t>(element)] = static_cast<int>(
              ((beat / stream_.beats_per_row()) * stream_.width + x) * stream_.channels +
              element % stream_.channels);
      }
      request.columns.push_back(std::move(columns));
    }
    MR_TRY(AccumulateStage stage, make_accumulate(request, "layer '" + op.name + "'"));
    input_ready_ps_ = 0;
    stream_ = {.height = 1, .width = 1, .channels = map.rows, .element = op.type.fixed()};
    const int latency = latency_cycles(stage);
    append_stage(op, {op.name}, latency, std::move(stage));
    ++num_searched_;
    return {};
  }

  const Graph& graph_;
  const PlanOptions& options_;
  const DelayModel delays_;
  Circuit circuit_;
  StreamType stream_;          // what leaves the last stage
  double input_ready_ps_ = 0;  // when it settles after the clock edge
  int num_searches_ = 0;       // operations that multiply by constants, for the progress
  int num_searched_ = 0;
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
  if (options.effort < 0 || options.effort > adders::SearchOptions::MaxEffort)
    return error(adders::messages::EffortOutOfRange, "--effort", options.effort,
                 adders::SearchOptions::MaxEffort);
  MR_TRY(DelayModel delays, load_delay_model(options.delay_family));
  if (options.three_input_adders)
    MR_TRY_STATUS(check_three_input_adders(options.delay_family, "--three-input-adders"));
  return Planner(graph, options, std::move(delays)).run();
}

}  // namespace millrace::dataflow
