// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/spare_depth.h"

#include <algorithm>
#include <optional>

#include "millrace/adders/multiply_matrix.h"
#include "millrace/graph/op.h"

namespace millrace::dataflow {
namespace {

using adders::Range;
using graph::Op;

/// No graph becomes smaller by more depth than this: a slow clock has room for any number.
constexpr int MaxSpareDepth = 16;

/// A range that holds every row of the map when all inputs lie in `x`.
Range range_of_rows(const LinearMap& map, const Range& x) {
  std::optional<Range> all;
  for (int row = 0; row < map.rows; ++row) {
    const Int128 bias = map.bias[static_cast<size_t>(row)];
    Range sum{bias, bias};
    for (int column = 0; column < map.columns; ++column) {
      const Int128 weight =
          map.entries[static_cast<size_t>(row) * static_cast<size_t>(map.columns) +
                      static_cast<size_t>(column)];
      sum.lo += weight * (weight < 0 ? x.hi : x.lo);
      sum.hi += weight * (weight < 0 ? x.lo : x.hi);
    }
    all = all ? Range{std::min(all->lo, sum.lo), std::max(all->hi, sum.hi)} : sum;
  }
  return all.value_or(Range{});
}

int fewest_adders(const LinearMap& map, const Range& x) {
  const Multiplication problem = multiplication(map);
  std::vector<Range> ranges(static_cast<size_t>(map.columns), x);
  for (const Int128 constant : problem.constants)
    ranges.push_back({constant, constant});
  return adders::minimum_depth(problem.matrix, ranges);
}

/// What a linear operation is in one lane, as far as its delay is concerned.
struct LinearDelay {
  Range range;
  int fewest_adders = 0;
};

/// A map with one lane and one channel, and a chain of adders in place of each linear operation.
class Probe {
public:
  Probe(const graph::Graph& graph, std::span<const MapStep> steps, const BeatWindows& windows,
        FixedType x, const PipelineTarget& target)
      : graph_(graph), steps_(steps), windows_(windows.first(1, 1)), type_(x), target_(target) {
    windows_.channels = 1;
    linear_.resize(steps.size());
  }

  /// The map's latency with so many adders more than the fewest in each operation; none where the
  /// clock is too fast for it.
  std::optional<int> latency_cycles(const std::vector<int>& extra) {
    Datapath path;
    BeatVector x{.windows = windows_, .elements = {}, .type = type_};
    for (int64_t i = 0; i < windows_.num_elements(); ++i)
      x.elements.push_back(path.input(type_));
    for (size_t i = 0; i < steps_.size(); ++i) {
      MapStep step = steps_[i];
      step.out_rows = step.out_lanes = 1;
      if (is_linear(*step.op)) {
        x.elements = {append_chain(path, x.elements.front(), i, extra[i])};
        x.type = step.op->type.fixed();
        x.windows = {};
        continue;
      }
      append_probe_step(path, x, step);
    }
    for (const NodeId id : x.elements)
      path.outputs.push_back({id, path.node(id).type()});
    if (!path.pipeline(target_.delays, target_.clock_ns, target_.input_ready_ps,
                       target_.output_deadline_ps, ""))
      return std::nullopt;
    return path.latency_cycles();
  }

private:
  /// A step that is not linear, on the only element.
  void append_probe_step(Datapath& path, BeatVector& x, const MapStep& step) {
    const Op& op = *step.op;
    const bool is_simple =
        op.as<graph::Relu>() || op.as<graph::Table>() ||
        (op.as<graph::Requantize>() && op.as<graph::Requantize>()->types.empty()) ||
        op.as<graph::MaxPool>();
    if (!is_simple) {
      // The estimate leaves out what is rare.
      x.elements = {path.input(op.type.fixed())};
      x.windows = {};
      x.type = op.type.fixed();
      return;
    }
    if (op.as<graph::MaxPool>() && !step.is_covered) {
      const graph::Window window = step.window();
      x.windows.kernel_h = window.kernel_h;
      x.windows.kernel_w = window.kernel_w;
      x.elements.assign(static_cast<size_t>(x.windows.num_elements()), x.elements.front());
    }
    append_step(path, x, step, graph_, {});
  }

  /// Adders one behind another, behind `x`: each as wide as the widest sum of operation `i`.
  NodeId append_chain(Datapath& path, NodeId x, size_t i, int extra) {
    const Range in{path.node(x).lo, path.node(x).hi};
    if (!linear_[i]) {
      const LinearMap map = linear_map(graph_, *steps_[i].op);
      linear_[i] = {range_of_rows(map, in), fewest_adders(map, in)};
    }
    const auto& [range, fewest] = *linear_[i];
    int adders = fewest + extra;
    NodeId sum = x;
    // The first adder brings the sum to its range, unless that is smaller than the input's.
    if (adders == 0 || range.hi - range.lo < in.hi - in.lo) {
      sum = path.input(range.lo, range.hi);
    } else {
      sum = path.add({.a = x, .b = path.input(range.lo - in.lo, range.hi - in.hi)});
      --adders;
    }
    const NodeId nothing = path.input(0, 0);
    for (; adders > 0; --adders)
      sum = path.add({.a = sum, .b = nothing});
    return sum;
  }

  const graph::Graph& graph_;
  const std::span<const MapStep> steps_;
  BeatWindows windows_;
  const FixedType type_;
  const PipelineTarget& target_;
  std::vector<std::optional<LinearDelay>> linear_;  // of each operation, once it was looked at
};

}  // namespace

std::vector<int> spare_depths(const graph::Graph& graph, std::span<const MapStep> steps,
                              const BeatWindows& windows, FixedType x,
                              const PipelineTarget& target) {
  const auto is_search = [](const MapStep& step) { return is_linear(*step.op); };
  std::vector<int> extra(steps.size(), 0);
  if (std::none_of(steps.begin(), steps.end(), is_search))
    return extra;
  Probe probe(graph, steps, windows, x, target);
  const std::optional<int> fewest_cycles = probe.latency_cycles(extra);
  for (size_t i = 0; fewest_cycles && i < steps.size(); ++i)
    while (is_search(steps[i]) && extra[i] < MaxSpareDepth) {
      ++extra[i];
      if (probe.latency_cycles(extra) != fewest_cycles) {
        --extra[i];
        break;
      }
    }
  return extra;
}

}  // namespace millrace::dataflow
