// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/accumulate.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include "millrace/dataflow/accumulate_cost.h"
#include "millrace/dataflow/digit_rows.h"
#include "millrace/dataflow/messages.h"
#include "millrace/fixed/requantize.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using adders::Range;

/// A chain of more rows than this is cut, as its weights would wait for too many cycles.
constexpr int MaxChainRows = 12;

/// A digit row of one result: of one place of the chunk, with the nodes of the digit.
struct PlacedRow {
  DigitRow row;
  size_t place = 0;
  BoothDigit digit{};
};

class AccumulateMaker {
public:
  explicit AccumulateMaker(const AccumulateRequest& request) : request_(request) {
    stage_.elements = request.elements;
    stage_.beats = std::ssize(request.columns);
    stage_.phases = request.phases;
    stage_.held = request.held;
    stage_.bias = request.map.bias;
    stage_.sum_type = request.sum_type;
  }

  /// The product in rows of LUTs.
  Result<AccumulateStage> run(const std::string& where) {
    begin();
    for (const ChunkPlace& place : stage_.chunk)
      places_.push_back(stage_.products.input(place.range.lo, place.range.hi));
    std::vector<std::vector<PlacedRow>> rows;
    for (int result = 0; result < request_.map.rows; ++result)
      rows.push_back(rows_of(result));
    std::vector<NodeId> carries;
    for (std::vector<PlacedRow>& of_result : rows)
      append_sum(std::move(of_result), carries);
    return finish(carries, chunk_ready_ps(), where);
  }

  /// The product in DSP blocks; none where they cannot compute it.
  Result<std::optional<AccumulateStage>> run_in_blocks(const std::string& where) {
    begin();
    const bool is_in_time = request_.clock_ns >= LeastDspClockNs &&
                            chunk_ready_ps() <= budget_ps() &&
                            request_.delays.adder_ps(stage_.sum_type.width) <= budget_ps();
    if (!is_in_time || stage_.steps() == 1)  // then no weight changes
      return std::nullopt;
    auto chains =
        make_dsp_chains({.results = request_.map.rows,
                         .places = stage_.chunk.size(),
                         .steps = stage_.steps(),
                         .weight =
                             [this](int result, size_t place, int64_t step) {
                               return weight(result, step / stage_.phases, element_at(place, step));
                             },
                         .range =
                             [this](size_t place, int64_t step) {
                               return stage_.elements[static_cast<size_t>(element_at(place, step))];
                             }});
    if (!chains || chains->empty())
      return std::nullopt;
    stage_.chains = *std::move(chains);
    MR_TRY(AccumulateStage stage, finish(append_chain_sums(), 0, where));
    return stage;
  }

private:
  void begin() {
    check(stage_.beats >= 1 && stage_.phases >= 1, "a result has beats, a beat has phases");
    cut_into_chunks();
  }

  /// What a clock period leaves for logic.
  double budget_ps() const { return request_.clock_ns * 1000 - request_.delays.register_ps; }

  /// When the chunk has settled.
  double chunk_ready_ps() const {
    return request_.input_ready_ps + choice_levels(stage_.phases) * request_.delays.lut_ps;
  }

  /// Appends what the sums lack, and places the datapath's nodes.
  Result<AccumulateStage> finish(const std::vector<NodeId>& carries, double ready_ps,
                                 const std::string& where) {
    for (const NodeId carry : carries)
      stage_.products.outputs.push_back({carry, {.is_signed = false, .width = 1, .frac_bits = 0}});
    const double deadline_ps = budget_ps() - request_.delays.adder_ps(stage_.sum_type.width);
    MR_TRY_STATUS(stage_.products.pipeline(request_.delays, request_.clock_ns, ready_ps,
                                           std::max(0.0, deadline_ps), where));
    return std::move(stage_);
  }

  /// The column of the map that element `element` stands for, if some weight there is not 0.
  std::optional<int> column(int64_t beat, int element) const {
    if (element < 0)
      return std::nullopt;
    const std::vector<int>& columns = request_.columns[static_cast<size_t>(beat)];
    check(columns.size() == request_.elements.size(), "a column for each element");
    const Range& range = request_.elements[static_cast<size_t>(element)];
    const int column = columns[static_cast<size_t>(element)];
    if (column < 0 || (range.lo == 0 && range.hi == 0))
      return std::nullopt;
    return column;
  }

  int64_t weight(int result, int64_t beat, int element) const {
    const std::optional<int> at = column(beat, element);
    if (!at)
      return 0;
    return request_.map
        .entries[static_cast<size_t>(result) * static_cast<size_t>(request_.map.columns) +
                 static_cast<size_t>(*at)];
  }

  bool is_needed(int element) const {
    for (int64_t beat = 0; beat < stage_.beats; ++beat)
      for (int result = 0; result < request_.map.rows; ++result)
        if (weight(result, beat, element) != 0)
          return true;
    return false;
  }

  void cut_into_chunks() {
    std::vector<int> needed;
    for (int element = 0; element < std::ssize(stage_.elements); ++element)
      if (is_needed(element))
        needed.push_back(element);
    const auto phases = static_cast<size_t>(stage_.phases);
    const size_t size = (needed.size() + phases - 1) / phases;
    for (size_t i = 0; i < size; ++i) {
      ChunkPlace place{.range = stage_.elements[static_cast<size_t>(needed[i])], .elements = {}};
      for (size_t phase = 0; phase < phases; ++phase) {
        const size_t index = phase * size + i;
        place.elements.push_back(index < needed.size() ? needed[index] : -1);
        if (index >= needed.size())
          continue;
        const Range& range = stage_.elements[static_cast<size_t>(needed[index])];
        place.range = {std::min(place.range.lo, range.lo), std::max(place.range.hi, range.hi)};
      }
      stage_.chunk.push_back(std::move(place));
    }
  }

  /// The element in `place` at a step, -1 where there is none.
  int element_at(size_t place, int64_t step) const {
    return stage_.chunk[place].elements[static_cast<size_t>(step % stage_.phases)];
  }

  // --- digits ------------------------------------------------------------------------------

  /// The node of one bit that has these values, step by step; equal lines are one.
  NodeId line(const std::vector<bool>& values) {
    if (std::find(values.begin(), values.end(), !values.front()) == values.end())
      return constant(values.front());
    const auto [place, is_new] = lines_.try_emplace(values, 0);
    if (is_new) {
      place->second = stage_.products.input(0, 1);
      stage_.lines.push_back(values);
    }
    return place->second;
  }

  NodeId constant(bool value) {
    std::optional<NodeId>& node = value ? one_ : zero_;
    if (!node)
      node = stage_.products.constant(value ? 1 : 0);
    return *node;
  }

  std::vector<PlacedRow> rows_of(int result) {
    std::vector<PlacedRow> rows;
    for (size_t place = 0; place < stage_.chunk.size(); ++place) {
      std::vector<int64_t> weights;
      for (int64_t step = 0; step < stage_.steps(); ++step)
        weights.push_back(weight(result, step / stage_.phases, element_at(place, step)));
      for (DigitRow& row : digit_rows(weights)) {
        const BoothDigit digit{line(row.bits[0]), line(row.bits[1]), line(row.bits[2])};
        rows.push_back({std::move(row), place, digit});
      }
    }
    return rows;
  }

  // --- sums --------------------------------------------------------------------------------

  /// The range of some rows' sum over all steps, less the bit that a term in front lacks.
  Range range_of(std::span<const PlacedRow> rows, bool begins_with_term) const {
    std::optional<Range> range;
    for (int64_t step = 0; step < stage_.steps(); ++step) {
      Range sum;
      for (const PlacedRow& row : rows) {
        const Int128 digit = row.row.digit(static_cast<size_t>(step));
        if (digit == 0)
          continue;
        const Range& x = stage_.elements[static_cast<size_t>(element_at(row.place, step))];
        const Int128 factor = digit * (Int128{1} << row.row.shift);
        sum.lo += std::min(factor * x.lo, factor * x.hi);
        sum.hi += std::max(factor * x.lo, factor * x.hi);
      }
      if (begins_with_term && rows.front().row.bits[2][static_cast<size_t>(step)]) {
        sum.lo -= 1;
        sum.hi -= 1;
      }
      range = range ? Range{std::min(range->lo, sum.lo), std::max(range->hi, sum.hi)} : sum;
    }
    return range.value();
  }

  /// A chain of rows, of which the first may be half a row.
  NodeId append_chain(std::span<const PlacedRow> rows, bool begins_with_term) {
    Datapath& path = stage_.products;
    NodeId sum = begins_with_term ? path.booth_term({places_[rows[0].place], rows[0].digit})
                                  : constant(false);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i > 0 || !begins_with_term)
        sum = path.booth({.a = sum,
                          .x = places_[rows[i].place],
                          .shift = rows[i].row.shift,
                          .digit = rows[i].digit});
      const Range range = range_of(rows.first(i + 1), begins_with_term);
      path.narrow(sum, range.lo, range.hi);
    }
    return sum;
  }

  /// How many chains some rows are cut into: as few as possible among those numbers for which the
  /// chains and the tree of adders behind them take the fewest cycles.
  size_t num_chains(size_t rows) const {
    constexpr int TypicalWidth = 12;
    const auto levels_a_cycle = std::max<size_t>(
        1, static_cast<size_t>(budget_ps() / request_.delays.adder_ps(TypicalWidth)));
    const size_t fewest = std::max<size_t>(1, (rows + MaxChainRows - 1) / MaxChainRows);
    size_t best = fewest;
    size_t best_cycles = std::numeric_limits<size_t>::max();
    for (size_t chains = fewest; chains <= std::max<size_t>(fewest, rows / 2); ++chains) {
      size_t levels = (rows + chains - 1) / chains;
      for (size_t reach = 1; reach < chains; reach *= 2)
        ++levels;
      const size_t cycles = (levels + levels_a_cycle - 1) / levels_a_cycle;
      if (cycles < best_cycles) {
        best = chains;
        best_cycles = cycles;
      }
    }
    return best;
  }

  /// Appends the sum of a result's rows in one step, and the carry that it lacks.
  void append_sum(std::vector<PlacedRow> rows, std::vector<NodeId>& carries) {
    // Rows begin where their shift says: those of low positions first, where sums are narrow. Half
    // a row comes before all others, as it lacks a bit at position 0.
    const auto is_term = [](const PlacedRow& row) {
      return row.row.shift == 0 && row.row.num_lines() <= 2;
    };
    std::sort(rows.begin(), rows.end(), [&](const PlacedRow& a, const PlacedRow& b) {
      return std::tuple(!is_term(a), a.row.shift, a.place) <
             std::tuple(!is_term(b), b.row.shift, b.place);
    });
    const bool begins_with_term = !rows.empty() && is_term(rows.front());
    carries.push_back(begins_with_term ? rows.front().digit[2] : constant(false));

    const size_t count = num_chains(rows.size());
    std::vector<Summand> sums;
    size_t begin = 0;
    for (size_t chain = 0; chain < count; ++chain) {
      const size_t end = rows.size() * (chain + 1) / count;
      const auto part = std::span(rows).subspan(begin, end - begin);
      sums.push_back({append_chain(part, begins_with_term && chain == 0), begin, end});
      begin = end;
    }
    while (sums.size() > 1) {
      std::vector<Summand> next;
      for (size_t i = 0; i < sums.size(); i += 2)
        next.push_back(i + 1 < sums.size() ? add(rows, sums[i], sums[i + 1], begins_with_term)
                                           : sums[i]);
      sums = std::move(next);
    }
    const NodeId sum = sums.empty() ? constant(false) : sums.front().node;
    stage_.products.outputs.push_back({sum, stage_.sum_type});
  }

  /// The sum of rows [begin, end) of a result.
  struct Summand {
    NodeId node = 0;
    size_t begin = 0, end = 0;
  };

  Summand add(const std::vector<PlacedRow>& rows, const Summand& a, const Summand& b,
              bool begins_with_term) {
    const NodeId sum = stage_.products.add({.a = a.node, .b = b.node});
    const auto part = std::span(rows).subspan(a.begin, b.end - a.begin);
    const Range range = range_of(part, begins_with_term && a.begin == 0);
    stage_.products.narrow(sum, range.lo, range.hi);
    return {sum, a.begin, b.end};
  }

  // --- DSP blocks --------------------------------------------------------------------------

  /// Appends each result's sum of what its chains give. Gives a one that each lacks: the first that
  /// a low field has borrowed from it. Others take rows.
  std::vector<NodeId> append_chain_sums() {
    Datapath& path = stage_.products;
    const auto results = static_cast<size_t>(request_.map.rows);
    std::vector<std::vector<NodeId>> fields(results);
    std::vector<std::vector<NodeId>> borrowed(results);
    for (const DspChain& chain : stage_.chains) {
      fields[static_cast<size_t>(chain.low_result)].push_back(
          path.input(chain.low.lo, chain.low.hi));
      if (!chain.is_packed())
        continue;
      const auto high = static_cast<size_t>(chain.high_result);
      fields[high].push_back(path.input(chain.high.lo, chain.high.hi));
      if (chain.borrows())
        borrowed[high].push_back(path.input(0, 1));
    }
    std::vector<NodeId> carries;
    for (size_t result = 0; result < results; ++result) {
      std::vector<NodeId>& ones = borrowed[result];
      carries.push_back(ones.empty() ? constant(false) : ones.front());
      std::vector<NodeId> summands = std::move(fields[result]);
      for (size_t i = 1; i < ones.size(); ++i)
        summands.push_back(ones[i]);
      path.outputs.push_back({sum_of(std::move(summands)), stage_.sum_type});
    }
    return carries;
  }

  NodeId sum_of(std::vector<NodeId> summands) {
    if (summands.empty())
      return constant(false);
    while (summands.size() > 1) {
      std::vector<NodeId> next;
      for (size_t i = 0; i < summands.size(); i += 2)
        next.push_back(i + 1 < summands.size()
                           ? stage_.products.add({.a = summands[i], .b = summands[i + 1]})
                           : summands[i]);
      summands = std::move(next);
    }
    return summands.front();
  }

  const AccumulateRequest& request_;
  AccumulateStage stage_;
  std::vector<NodeId> places_;
  std::map<std::vector<bool>, NodeId> lines_;
  std::optional<NodeId> zero_, one_;
};

}  // namespace

Result<AccumulateStage> make_accumulate(const AccumulateRequest& request,
                                        const std::string& where) {
  if (request.dsp == BlockUse::Never)
    return AccumulateMaker(request).run(where);
  MR_TRY(std::optional<AccumulateStage> blocks, AccumulateMaker(request).run_in_blocks(where));
  if (blocks && request.dsp == BlockUse::Prefer)
    return *std::move(blocks);
  MR_TRY(AccumulateStage rows, AccumulateMaker(request).run(where));
  if (!blocks)
    return rows;
  const AccumulateCost cost = accumulate_cost(*blocks);
  const bool is_worth_it = accumulate_cost(rows).lut - cost.lut >= request.luts_per_dsp * cost.dsp;
  return is_worth_it ? *std::move(blocks) : std::move(rows);
}

int beat_width(const Range& range) {
  return range.lo == 0 && range.hi == 0 ? 0 : narrowest_type(range.lo, range.hi, 0).value().width;
}

int choice_levels(int phases) {
  int levels = 0;
  for (int reach = 1; reach < phases; reach *= 4)
    ++levels;
  return levels;
}

int products_latency_cycles(const AccumulateStage& stage) {
  return cascade_latency_cycles(stage.chains) + stage.products.latency_cycles();
}

int latency_cycles(const AccumulateStage& stage) {
  return stage.phases - 1 + products_latency_cycles(stage) + 1;
}

int count_digit_rows(const AccumulateStage& stage) {
  return static_cast<int>(std::count_if(stage.products.nodes().begin(),
                                        stage.products.nodes().end(), [](const Node& node) {
                                          return std::holds_alternative<BoothNode>(node.kind) ||
                                                 std::holds_alternative<BoothTermNode>(node.kind);
                                        }));
}

int64_t count_weight_lines(const AccumulateStage& stage) {
  int64_t lines = std::ssize(stage.lines);
  for (int delay = 0; delay < cascade_depth(stage.chains); ++delay)
    lines += std::ssize(dsp_weights(stage.chains, delay).lines);
  return lines;
}

std::vector<Int128> evaluate(const AccumulateStage& stage,
                             std::span<const std::vector<Int128>> beats) {
  check(std::ssize(beats) == stage.beats, "as many beats as make up a result");
  std::vector<Int128> sums = stage.bias;
  for (int64_t step = 0; step < stage.steps(); ++step) {
    const std::vector<Int128>& beat = beats[static_cast<size_t>(step / stage.phases)];
    std::vector<Int128> places;
    for (const ChunkPlace& place : stage.chunk) {
      const int element = place.elements[static_cast<size_t>(step % stage.phases)];
      places.push_back(element < 0 ? place.range.lo : beat[static_cast<size_t>(element)]);
    }
    std::vector<Int128> inputs;
    for (const DspChain& chain : stage.chains) {
      const std::vector<Int128> fields = evaluate(chain, places, step);
      inputs.insert(inputs.end(), fields.begin(), fields.end());
    }
    if (stage.chains.empty())
      inputs = std::move(places);
    for (const std::vector<bool>& line : stage.lines)
      inputs.push_back(line[static_cast<size_t>(step)] ? 1 : 0);
    const std::vector<Int128> products = stage.products.evaluate(inputs);
    for (size_t i = 0; i < sums.size(); ++i)
      sums[i] += products[i] + products[sums.size() + i];
  }
  for (Int128& sum : sums)
    sum = requantize(
        sum, 0, {.type = stage.sum_type, .rounding = Rounding::Floor, .overflow = Overflow::Wrap});
  return sums;
}

}  // namespace millrace::dataflow
