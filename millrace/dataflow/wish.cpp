// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/wish.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <tuple>

#include "millrace/adders/messages.h"
#include "millrace/dataflow/area_estimate.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

/// A planned circuit, and what it reaches.
struct Candidate {
  BeatShape shape;
  Circuit circuit;
  Schedule schedule;
  AreaEstimate area;
};

/// One thing that is wished for, and what a candidate has of it.
struct Measure {
  const char* option;
  int64_t wanted = 0, found = 0;

  double ratio() const {
    return static_cast<double>(found) / static_cast<double>(std::max<int64_t>(wanted, 1));
  }
};

std::vector<Measure> measures(const Wish& wish, const Candidate& candidate) {
  std::vector<Measure> result;
  if (wish.latency_cycles)
    result.push_back({"--latency", *wish.latency_cycles, candidate.schedule.latency_cycles});
  if (wish.interval_cycles)
    result.push_back({"--interval", *wish.interval_cycles, candidate.schedule.interval_cycles});
  if (wish.max_lut)
    result.push_back({"--max-lut", *wish.max_lut, candidate.area.lut});
  return result;
}

bool meets(const Wish& wish, const Candidate& candidate) {
  const std::vector<Measure> all = measures(wish, candidate);
  return std::all_of(all.begin(), all.end(),
                     [](const Measure& measure) { return measure.found <= measure.wanted; });
}

/// The measure by which the candidate is farthest from the wish.
Measure worst(const Wish& wish, const Candidate& candidate) {
  const std::vector<Measure> all = measures(wish, candidate);
  return *std::max_element(all.begin(), all.end(), [](const Measure& a, const Measure& b) {
    return a.ratio() < b.ratio();
  });
}

/// What is made as small as possible, the most important first.
std::tuple<int64_t, int64_t, int64_t> price(const Wish& wish, const Candidate& candidate) {
  const int64_t lut = candidate.area.lut;
  const int64_t latency = candidate.schedule.latency_cycles;
  const int64_t interval = candidate.schedule.interval_cycles;
  const bool is_timed = wish.latency_cycles || wish.interval_cycles;
  return is_timed ? std::tuple(lut, latency, interval) : std::tuple(latency, interval, lut);
}

std::string cycles(int64_t count, double clock_ns) {
  return fmt::format("{} cycles ({:.6g} ns)", count, static_cast<double>(count) * clock_ns);
}

std::string pixels(const BeatShape& shape) {
  return shape.rows > 1 ? fmt::format("{}x{} pixels", shape.rows, shape.lanes)
                        : fmt::format("{} pixels", shape.lanes);
}

std::string name_of(const Stage& stage) {
  return fmt::format("the {} of layer '{}'", kind_name(stage.kind), stage.name);
}

/// The last beat's way from an input to an output: the stage that adds most to its time.
std::string limit_of_latency(const Candidate& candidate) {
  const Circuit& circuit = candidate.circuit;
  const auto inputs = static_cast<StreamId>(circuit.inputs.size());
  const auto last = [&](StreamId id) {
    return id < inputs ? circuit.inputs[static_cast<size_t>(id)].type.beats_per_frame() - 1
                       : candidate.schedule.stages[static_cast<size_t>(id - inputs)].last_out;
  };
  StreamId id = circuit.outputs.front().stream;
  for (const Port& port : circuit.outputs)
    id = last(port.stream) > last(id) ? port.stream : id;
  int64_t longest = 0;
  std::string name;
  for (; id >= inputs;) {
    const Stage& stage = circuit.stages[static_cast<size_t>(id - inputs)];
    StreamId latest = stage.inputs.front();
    for (const StreamId input : stage.inputs)
      latest = last(input) > last(latest) ? input : latest;
    if (const int64_t added = last(id) - last(latest); added > longest) {
      longest = added;
      name = name_of(stage);
    }
    id = latest;
  }
  if (last(id) > longest)
    return fmt::format("its input takes {} cycles to arrive", last(id) + 1);
  return fmt::format("{} adds most: {} cycles", name, longest);
}

std::string limit_of_interval(const Candidate& candidate) {
  const int64_t interval = candidate.schedule.interval_cycles;
  for (const Port& port : candidate.circuit.inputs)
    if (port.type.beats_per_frame() == interval)
      return fmt::format("input '{}' arrives in {} beats", port.name, interval);
  const auto& stages = candidate.schedule.stages;
  const auto busiest = std::max_element(
      stages.begin(), stages.end(),
      [](const StageTimes& a, const StageTimes& b) { return a.utilisation < b.utilisation; });
  return fmt::format(
      "{} is busy in {:.0f} % of the cycles",
      name_of(candidate.circuit.stages[static_cast<size_t>(busiest - stages.begin())]),
      100 * busiest->utilisation);
}

std::string limit_of_area(const Candidate& candidate) {
  const Stage* largest = nullptr;
  int64_t most = -1;
  for (const Stage& stage : candidate.circuit.stages)
    if (const int64_t lut = estimate_area(candidate.circuit, stage).lut; lut > most) {
      largest = &stage;
      most = lut;
    }
  return largest == nullptr ? "it has no stages"
                            : fmt::format("{} takes most: about {} LUTs", name_of(*largest), most);
}

Diagnostic unmet(const Wish& wish, const Candidate& nearest) {
  const Measure measure = worst(wish, nearest);
  const double clock_ns = nearest.circuit.clock_ns;
  const std::string option = measure.option;
  std::string wanted, limit;
  if (option == "--latency") {
    wanted = "a latency of " + cycles(measure.wanted, clock_ns) + " or less";
    limit = limit_of_latency(nearest);
  } else if (option == "--interval") {
    wanted = "an interval of " + cycles(measure.wanted, clock_ns) + " or less";
    limit = limit_of_interval(nearest);
  } else {
    wanted = fmt::format("{} LUTs or fewer", measure.wanted);
    limit = limit_of_area(nearest);
  }
  if (measures(wish, nearest).size() > 1)
    wanted += " together with what else is wished for";
  return error(messages::WishUnmet, option, wanted,
               cycles(nearest.schedule.latency_cycles, clock_ns),
               cycles(nearest.schedule.interval_cycles, clock_ns), nearest.area.lut,
               pixels(nearest.shape), limit)
      .value();
}

Result<Candidate> plan_once(const graph::Graph& graph, const PlanOptions& options,
                            const BeatShape& shape) {
  MR_TRY(Circuit circuit, plan(graph, options));
  Schedule schedule = dataflow::schedule(circuit);
  const AreaEstimate area = estimate_area(circuit);
  return Candidate{shape, std::move(circuit), std::move(schedule), area};
}

bool takes_phases(const Circuit& circuit) {
  return std::any_of(circuit.stages.begin(), circuit.stages.end(), [](const Stage& stage) {
    const auto* accumulate = std::get_if<AccumulateStage>(&stage.kind);
    return accumulate != nullptr && accumulate->phases > 1;
  });
}

/// Plans with products that take several cycles, which most often is smaller, and where something
/// is wished for also without.
Result<Candidate> plan_candidate(const graph::Graph& graph, PlanOptions options,
                                 const BeatShape& shape, const Wish& wish) {
  options.lanes = shape.lanes;
  options.rows = shape.rows;
  Result<Candidate> folded = plan_once(graph, options, shape);
  if (!folded || measures(wish, *folded).empty() || !takes_phases(folded->circuit))
    return folded;
  options.fold = false;
  Result<Candidate> unfolded = plan_once(graph, options, shape);
  if (!unfolded)
    return unfolded.error().code == adders::messages::Stopped.code ? std::move(unfolded)
                                                                   : std::move(folded);
  const bool is_better =
      meets(wish, *folded) ? meets(wish, *unfolded) && price(wish, *unfolded) < price(wish, *folded)
                           : worst(wish, *unfolded).ratio() < worst(wish, *folded).ratio();
  return is_better ? std::move(unfolded) : std::move(folded);
}

/// Numbers up to `limit` that divide it or are a power of two, in order.
std::vector<int64_t> round_numbers(int64_t limit) {
  std::vector<int64_t> numbers;
  for (int64_t i = 1; i <= limit; ++i)
    if (limit % i == 0 || (i & (i - 1)) == 0)
      numbers.push_back(i);
  return numbers;
}

/// What all inputs have in common: the least width and height, and whether the widths are the same.
struct InputShape {
  int64_t width = std::numeric_limits<int64_t>::max();
  int64_t height = std::numeric_limits<int64_t>::max();
  bool same_width = true;
};

InputShape input_shape(const graph::Graph& graph) {
  InputShape result;
  for (const graph::ValueId value : graph.inputs()) {
    const Shape& shape = graph.type(value).shape;
    const int64_t width = shape.size() == 3 ? shape[1] : 1;
    result.same_width =
        result.same_width && (value == graph.inputs().front() || width == result.width);
    result.width = std::min(result.width, width);
    result.height = std::min(result.height, shape.size() == 3 ? shape[0] : 1);
  }
  return result;
}

/// The fewest cycles between frames that the inputs alone leave.
int64_t least_interval(const graph::Graph& graph, const BeatShape& shape) {
  int64_t beats = 1;
  for (const graph::ValueId value : graph.inputs()) {
    const Shape& size = graph.type(value).shape;
    if (size.size() == 3)
      beats = std::max(beats, StreamType{.height = size[0],
                                         .width = size[1],
                                         .element = {},
                                         .lanes = shape.lanes,
                                         .rows = shape.rows,
                                         .ranges = {}}
                                  .beats_per_frame());
  }
  return beats;
}

/// All candidates, one after the other.
class Choice {
public:
  Choice(const graph::Graph& graph, const Wish& wish, const PlanOptions& options)
      : graph_(graph), wish_(wish), options_(options) {
    options_.effort = 0;
    for (auto& [name, layer] : options_.layers)
      layer.effort.reset();
  }

  Status consider(const BeatShape& shape) {
    PlanOptions options = options_;
    const bool is_timed = wish_.latency_cycles || wish_.interval_cycles;
    if (best_)
      options.limit.lut = std::min(options.limit.lut, is_timed ? best_->area.lut : *wish_.max_lut);
    bool is_stopped = false;  // a small search may end before it notices
    options.progress = [&](std::string_view step, double fraction) {
      is_stopped = is_stopped || !report_progress(options_.progress, step, fraction);
      return !is_stopped;
    };
    options.progress("choose the lanes", 0);
    Result<Candidate> candidate = plan_candidate(graph_, options, shape, wish_);
    if (is_stopped)
      return error(adders::messages::Stopped, "");
    if (!candidate) {
      if (candidate.error().code == adders::messages::Stopped.code)
        return tl::unexpected(candidate.error());
      if (!refusal_)
        refusal_ = candidate.error();
      return {};
    }
    if (meets(wish_, *candidate)) {
      if (!best_ || price(wish_, *candidate) < price(wish_, *best_))
        best_ = *std::move(candidate);
    } else if (!best_ &&
               (!nearest_ || worst(wish_, *candidate).ratio() < worst(wish_, *nearest_).ratio())) {
      nearest_ = *std::move(candidate);
    }
    return {};
  }

  Result<Candidate> result() {
    if (best_)
      return *std::move(best_);
    if (nearest_)
      return tl::unexpected(unmet(wish_, *nearest_));
    return tl::unexpected(*refusal_);
  }

private:
  const graph::Graph& graph_;
  const Wish& wish_;
  PlanOptions options_;
  std::optional<Candidate> best_, nearest_;
  std::optional<Diagnostic> refusal_;
};

}  // namespace

BeatShape widest_beat(const graph::Graph& graph, bool whole_maps) {
  const InputShape shape = input_shape(graph);
  return {shape.width, whole_maps && shape.same_width ? shape.height : 1};
}

std::vector<BeatShape> beat_shapes(const graph::Graph& graph) {
  const InputShape shape = input_shape(graph);
  std::vector<BeatShape> shapes;
  for (const int64_t lanes : round_numbers(shape.width))
    shapes.push_back({lanes, 1});
  if (shape.same_width)
    for (const int64_t rows : round_numbers(shape.height))
      if (rows > 1)
        shapes.push_back({shape.width, rows});
  return shapes;
}

Result<Circuit> plan_for(const graph::Graph& graph, const Wish& wish, PlanOptions options,
                         std::span<const BeatShape> shapes) {
  check(!shapes.empty(), "no beats to choose from");
  std::optional<Candidate> chosen;
  if (shapes.size() > 1) {
    Choice choice(graph, wish, options);
    for (const BeatShape& shape : shapes) {
      const bool is_too_slow =
          wish.interval_cycles && least_interval(graph, shape) > *wish.interval_cycles;
      if (!is_too_slow || shape == shapes.back())
        MR_TRY_STATUS(choice.consider(shape));
    }
    MR_TRY(chosen, choice.result());
  }
  MR_TRY(Candidate planned,
         plan_candidate(graph, options, chosen ? chosen->shape : shapes.front(), wish));
  if (meets(wish, planned))
    return std::move(planned.circuit);
  if (chosen)
    return std::move(chosen->circuit);
  return tl::unexpected(unmet(wish, planned));
}

}  // namespace millrace::dataflow
