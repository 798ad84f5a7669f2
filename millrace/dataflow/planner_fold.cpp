// SPDX-License-Identifier: Apache-2.0
// Folding: a matrix product whose beats come seldom works on each for several cycles, with fewer
// multipliers. Dense layers over streamed maps, convolutions behind strides and pooling, means.
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "millrace/adders/signed_digits.h"
#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/dataflow/identifier.h"
#include "millrace/dataflow/messages.h"
#include "millrace/dataflow/planner.h"

namespace millrace::dataflow {

using graph::Op;
using graph::ValueId;

namespace {

/// LUTs and flip-flops as one number: a slice holds twice as many of the latter.
int64_t weighed(int64_t lut, int64_t ff) {
  return lut + ff / 2;
}

/// About what an adder graph for the map takes, weighed. Searching for it in order to compare would
/// be most of the planning time.
///
/// Source   the layers of the residual network of bench/networks.cpp: of the additions of signed
///          digits, three in ten are left where sums are shared, and six registers for ten LUTs.
int64_t adder_graph_cost(const LinearMap& map, std::span<const adders::Range> elements) {
  constexpr double Shared = 0.3;
  constexpr double Registers = 0.6;
  constexpr int GrowthBits = 4;  // by which sums are wider than what they are of
  double bits = 0;
  for (size_t i = 0; i < map.entries.size(); ++i) {
    const adders::Range& range = elements[i % static_cast<size_t>(map.columns)];
    if (map.entries[i] != 0 && beat_width(range) > 0)
      bits += adders::num_signed_digits(map.entries[i]) * (beat_width(range) + GrowthBits);
  }
  return static_cast<int64_t>(Shared * bits * (1 + Registers / 2));
}

/// The range of all results of a map whose columns have these ranges.
ElementRange result_range(const LinearMap& map, std::span<const adders::Range> columns) {
  ElementRange all;
  for (size_t row = 0; row < static_cast<size_t>(map.rows); ++row) {
    Int128 lo = map.bias[row];
    Int128 hi = map.bias[row];
    for (size_t column = 0; column < columns.size(); ++column) {
      const Int128 weight = map.entries[row * columns.size() + column];
      const Int128 a = weight * columns[column].lo;
      const Int128 b = weight * columns[column].hi;
      lo += std::min(a, b);
      hi += std::max(a, b);
    }
    all.include(lo, hi);
  }
  return all;
}

ElementRange type_range(const FixedType& type) {
  return {type.min_raw(), type.max_raw()};
}

/// The sum of each channel over a whole map.
LinearMap channel_sums(const StreamType& stream) {
  LinearMap map{.rows = static_cast<int>(stream.channels),
                .columns = static_cast<int>(stream.num_elements()),
                .entries = {},
                .bias = {}};
  map.entries.assign(static_cast<size_t>(map.rows) * static_cast<size_t>(map.columns), 0);
  map.bias.assign(static_cast<size_t>(map.rows), 0);
  for (size_t column = 0; column < static_cast<size_t>(map.columns); ++column)
    map.entries[column % static_cast<size_t>(map.rows) * static_cast<size_t>(map.columns) +
                column] = 1;
  return map;
}

}  // namespace

int64_t Planner::gap(StreamId stream) const {
  const int64_t gap = gaps_[static_cast<size_t>(stream)];
  // A frame of one beat is followed by the next no sooner than the longest input takes.
  return circuit_.stream(stream).beats_per_frame() == 1 ? std::max(gap, interval()) : gap;
}

Planner::SharedRounding Planner::shared_rounding(const Op& op) const {
  constexpr int MostBits = 60;  // room for the offset
  if (op.type.fixed().width > MostBits || !is_used_once(value_of(op)))
    return {};
  const Op* next = &graph_.op(users_[static_cast<size_t>(value_of(op))][0]);
  const Op* rectifier = nullptr;
  if (next->as<graph::Relu>() && is_used_once(value_of(*next))) {
    rectifier = next;
    next = &graph_.op(users_[static_cast<size_t>(value_of(*next))][0]);
  }
  const auto* rq = next->as<graph::Requantize>();
  if (rq == nullptr || rq->to.rounding == Rounding::Floor || (rectifier && !rectifies(*rq)))
    return {};
  const auto offset = rounding_offset(*rq, op.type.fixed().frac_bits);
  return offset ? SharedRounding{*offset, next, rectifier} : SharedRounding{};
}

Result<AccumulateStage> Planner::accumulate(const Op& op, const Product& product, int phases,
                                            bool held) const {
  return make_accumulate({.map = product.map,
                          .elements = product.elements,
                          .columns = product.columns,
                          .sum_type = product.sums.type(),
                          .phases = phases,
                          .held = held,
                          .delays = delays_,
                          .clock_ns = circuit_.clock_ns,
                          .input_ready_ps = product.ready_ps,
                          .dsp = product.dsp,
                          .luts_per_dsp = options_.luts_per_dsp},
                         "layer '" + op.name + "'");
}

Planner::Product Planner::product(const Op& op, LinearMap map, std::vector<adders::Range> elements,
                                  std::vector<std::vector<int>> columns) const {
  std::vector<adders::Range> of_columns(static_cast<size_t>(map.columns));
  for (const std::vector<int>& beat : columns)
    for (size_t element = 0; element < beat.size(); ++element)
      if (beat[element] >= 0)
        of_columns[static_cast<size_t>(beat[element])] = elements[element];
  const bool leaves = graph_.is_output(value_of(op)) && is_linear(op);  // in its type's whole width
  ElementRange sums = leaves ? type_range(op.type.fixed()) : result_range(map, of_columns);
  if (sums.width() == 0)  // a stream has a bit at least
    sums.hi = 1;
  return {std::move(map), std::move(elements), std::move(columns), sums};
}

void Planner::append_accumulate(const Op& op, AccumulateStage stage, StreamId stream,
                                StreamType output, const ElementRange& sums) {
  const int latency = latency_cycles(stage);
  output.ranges.clear();
  if (sums != type_range(output.element))
    output.ranges.assign(static_cast<size_t>(output.channels), sums);
  places_[static_cast<size_t>(value_of(op))] = {.stream = append_stage({.name = identifier(op.name),
                                                                        .layers = {op.name},
                                                                        .kind = std::move(stage),
                                                                        .inputs = {stream},
                                                                        .buffers = {},
                                                                        .output = std::move(output),
                                                                        .latency_cycles = latency},
                                                                       0)};
}

std::vector<std::vector<int>> Planner::columns_of_map(const StreamType& stream) {
  const int64_t elements = stream.pixels_per_beat() * stream.channels;
  std::vector<std::vector<int>> columns;
  for (int64_t beat = 0; beat < stream.beats_per_frame(); ++beat) {
    std::vector<int>& of_beat = columns.emplace_back(static_cast<size_t>(elements), -1);
    for (int64_t element = 0; element < elements; ++element) {
      const int64_t pixel = element / stream.channels;
      const int64_t column = (beat % stream.beats_per_row()) * stream.lanes + pixel % stream.lanes;
      const int64_t row = (beat / stream.beats_per_row()) * stream.rows + pixel / stream.lanes;
      if (column < stream.width && row < stream.height)  // behind the edges stands anything
        of_beat[static_cast<size_t>(element)] = static_cast<int>(
            (row * stream.width + column) * stream.channels + element % stream.channels);
    }
  }
  return columns;
}

LinearMap Planner::rounded_map(const Op& op) const {
  LinearMap map = linear_map(graph_, op);
  for (Int128& bias : map.bias)
    bias += shared_rounding(op).offset;
  return map;
}

Planner::Product Planner::beat_product(const Op& op, const BeatWindows& windows,
                                       std::vector<adders::Range> elements) const {
  std::vector<int> columns(elements.size());
  std::iota(columns.begin(), columns.end(), 0);
  return product(op, beat_map(rounded_map(op), windows), std::move(elements), {std::move(columns)});
}

Result<std::optional<int>> Planner::wanted_phases(const Op& op, int64_t most) {
  const auto wanted = layer_option(op, &LayerOptions::phases, "phases");
  if (wanted && (*wanted < 1 || *wanted > most))
    return error(messages::LayerOptionOutOfRange, place_of(op), "phases", *wanted, 1, most);
  return wanted;
}

std::vector<adders::Range> Planner::element_ranges(const StreamType& stream, int64_t elements) {
  std::vector<adders::Range> ranges;
  for (int64_t element = 0; element < elements; ++element) {
    const ElementRange range = stream.range(element % stream.channels);
    ranges.push_back({range.lo, range.hi});
  }
  return ranges;
}

Status Planner::add_dense_over_map(const Op& op, StreamId id) {
  constexpr int64_t MostPhases = 4;  // more save little: the sums stay as they are
  const StreamType& stream = circuit_.stream(id);
  const int64_t gap = this->gap(id);
  MR_TRY(const std::optional<int> wanted, wanted_phases(op, gap));
  const int phases = wanted.value_or(static_cast<int>(std::min({gap, MostPhases, most_phases()})));
  Product of_map = product(op, rounded_map(op),
                           element_ranges(stream, stream.pixels_per_beat() * stream.channels),
                           columns_of_map(stream));
  of_map.ready_ps = ready_ps_[static_cast<size_t>(id)];
  of_map.dsp = dsp_use(op);
  MR_TRY(AccumulateStage stage, accumulate(op, of_map, phases, /*held=*/false));
  take(shared_rounding(op));
  append_accumulate(
      op, std::move(stage), id,
      {.height = 1, .width = 1, .channels = of_map.map.rows, .element = op.type.fixed()},
      of_map.sums);
  ++num_searched_;
  return {};
}

Status Planner::add_mean_of_map(const Op& op, StreamId id) {
  const StreamType& stream = circuit_.stream(id);
  Product sums = product(op, channel_sums(stream),
                         element_ranges(stream, stream.pixels_per_beat() * stream.channels),
                         columns_of_map(stream));
  sums.ready_ps = ready_ps_[static_cast<size_t>(id)];
  MR_TRY(AccumulateStage stage, accumulate(op, sums, /*phases=*/1, /*held=*/false));
  append_accumulate(
      op, std::move(stage), id,
      {.height = 1, .width = 1, .channels = stream.channels, .element = stream.element}, sums.sums);
  MapStep step{.op = &op, .sources = {}, .picks = {}};
  step.part = MapStep::Part::Quotient;
  const StreamId summed = places_[static_cast<size_t>(value_of(op))].stream;
  open_on_stream(op, step, summed, circuit_.stream(summed));
  return {};
}

int64_t Planner::even_gap(const Cycles& cycles, int64_t gap) const {
  const auto delay_at = [&](int64_t pace) -> std::optional<int64_t> {
    int64_t out = cycles.front();
    for (const int64_t cycle : cycles)
      out = std::max(cycle, out + pace);
    const bool is_in_time = out <= cycles.front() + interval();  // for the next frame
    return is_in_time ? std::optional(out - cycles.back()) : std::nullopt;
  };
  for (int64_t pace = interval() / std::ssize(cycles); pace > gap; --pace)
    if (const auto delay = delay_at(pace); delay && *delay <= interval() / LatencyShare)
      return pace;
  return gap;
}

Result<std::optional<Planner::Fold>> Planner::choose_fold(const Op& op, const FoldSite& site,
                                                          const Product& product) const {
  std::set<int64_t> candidates = {site.held, site.gap, site.even};
  int64_t least = adder_graph_cost(product.map, product.elements) * 3 / 4;
  if (site.wanted) {
    candidates = {*site.wanted};
    least = std::numeric_limits<int64_t>::max();
  }
  std::optional<Fold> best;
  for (const int64_t candidate : candidates) {
    const int64_t phases = site.wanted ? candidate : std::min(candidate, most_phases());
    if (phases == 1)
      continue;
    Fold fold{.stage = {}, .pace = candidate > site.gap ? candidate : 0};
    const bool is_held = fold.pace > 0 || phases <= site.held;
    MR_TRY(fold.stage, accumulate(op, product, static_cast<int>(phases), is_held));
    const AccumulateCost cost = accumulate_cost(fold.stage);
    int64_t weight = weighed(cost.lut, cost.flip_flops);
    if (product.dsp == BlockUse::Auto)  // who prefers blocks has them to spare
      weight += cost.dsp * options_.luts_per_dsp;
    if (fold.pace > 0)  // a buffer of up to 32 beats: 14 bits in 8 LUTs
      weight += site.beat_bits * 8 / 14;
    if (weight < least) {
      least = weight;
      best = std::move(fold);
    }
  }
  return best;
}

Result<bool> Planner::fold(const Op& op, const BeatWindows& windows, FoldSite site,
                           StreamType result, const std::function<Result<StreamId>()>& source) {
  MR_TRY(site.wanted, wanted_phases(op, site.even));
  if (site.even == 1 || site.wanted == 1 || (!site.wanted && most_phases() == 1))
    return false;
  Product before = beat_product(op, windows, site.elements);
  before.ready_ps = site.ready_ps;
  before.dsp = dsp_use(op);
  MR_TRY(std::optional<Fold> fold, choose_fold(op, site, before));
  if (!fold)
    return false;
  MR_TRY(StreamId stream, source());
  // A map that is closed now may turn out to give less than its type holds.
  Product product =
      beat_product(op, windows, element_ranges(circuit_.stream(stream), windows.num_elements()));
  product.ready_ps = fold->pace > 0 ? 0 : ready_ps_[static_cast<size_t>(stream)];
  product.dsp = before.dsp;
  MR_TRY(AccumulateStage stage, accumulate(op, product, fold->stage.phases, fold->stage.held));
  if (fold->pace > 0)
    stream = paced(op, stream, product.elements, fold->pace);
  take(shared_rounding(op));
  result.element = op.type.fixed();
  append_accumulate(op, std::move(stage), stream, std::move(result), product.sums);
  ++num_searched_;
  return true;
}

void Planner::take(const SharedRounding& rounding) {
  if (rounding.quantiser != nullptr)
    rounded_.insert(rounding.quantiser);
  if (rounding.rectifier != nullptr)
    subsumed_.insert(rounding.rectifier);
}

StreamId Planner::paced(const Op& op, StreamId stream, std::span<const adders::Range> elements,
                        int64_t pace) {
  const StreamType& in = circuit_.stream(stream);
  StreamType flat{.height = in.height,
                  .width = in.beats_per_row(),
                  .channels = std::ssize(elements),
                  .element = in.element};
  for (const adders::Range& range : elements)
    flat.ranges.push_back({range.lo, range.hi});
  RelayoutStage buffer = make_relayout(flat, flat, [](const MapPlace& place) { return place; });
  buffer.pace = pace;
  return append_relayout(op.name, stream, flat, std::move(buffer));
}

Result<bool> Planner::fold_windows(const Op& op, StreamId stream, WindowGeometry geometry,
                                   int64_t channels) {
  if (!is_linear(op))
    return false;
  const int64_t in_gap = gap(stream);
  geometry.pace = in_gap;
  Stage window = window_stage(op, stream, geometry);
  const StreamType covered = window.output;
  const BeatWindows windows = windows_of(geometry.window, covered.channels, 1, covered.lanes);
  const double ready_ps = window_ready_ps(geometry);
  FoldSite site{.elements = element_ranges(covered, windows.num_elements()), .ready_ps = ready_ps};
  site.beat_bits = windows.region_h() * windows.span() * covered.pixel_bits();
  site.gap = least_gap(window, std::array{in_gap});
  site.held = geometry.tail_steps == 0 ? std::min(in_gap, site.gap) : 1;
  site.even = even_gap(stage_times(window, {&times_[static_cast<size_t>(stream)]}), site.gap);
  StreamType result = covered;
  result.channels = channels;
  return fold(op, windows, std::move(site), std::move(result),
              [&]() -> Result<StreamId> { return append_stage(std::move(window), ready_ps); });
}

Result<bool> Planner::fold_beats(const Op& op, const StreamType& result) {
  if (!is_linear(op) || op.as<graph::Affine>() || result.rows > 1)
    return false;
  // The map that gives the operand passes its streams' beats on at their pace.
  const ValueId operand = main_operand(op);
  const Place& place = places_[static_cast<size_t>(operand)];
  std::vector<StreamId> streams = {place.stream};
  if (place.map >= 0) {
    streams.clear();
    for (const Source& source : maps_[static_cast<size_t>(place.map)].sources)
      streams.push_back(source.stream);
  }
  Cycles cycles = times_[static_cast<size_t>(streams.front())];
  int64_t least = gap(streams.front());
  for (const StreamId stream : streams) {
    least = std::min(least, gap(stream));
    for (size_t i = 0; i < cycles.size(); ++i)
      cycles[i] = std::max(cycles[i], times_[static_cast<size_t>(stream)][i]);
  }
  const StreamType in = shape_of(operand);
  const bool is_vector = op.as<graph::Dense>() != nullptr;
  const BeatWindows windows =
      is_vector ? BeatWindows{.lanes = 1, .channels = in.pixels_per_beat() * in.channels}
                : BeatWindows{.lanes = in.lanes, .channels = in.channels};
  FoldSite site{.elements = element_ranges(in, windows.num_elements())};
  site.beat_bits = in.beat_bits();
  site.gap = least;
  site.even = even_gap(cycles, least);
  return fold(op, windows, std::move(site), result, [&] { return stream_of(operand); });
}

}  // namespace millrace::dataflow
