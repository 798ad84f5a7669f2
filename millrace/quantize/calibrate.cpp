// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/calibrate.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "millrace/passes/real_function.h"
#include "millrace/quantize/assign_types.h"
#include "millrace/quantize/messages.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::ValueId;

struct Range {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();

  void include(double x) {
    lo = std::min(lo, x);
    hi = std::max(hi, x);
  }
};

// What samples cause: the range of each value, and the outputs.
struct Observation {
  std::vector<Range> ranges;                              // by ValueId
  std::vector<std::vector<std::vector<double>>> outputs;  // by sample
  double largest_output = 0;
};

Result<Observation> observe(const Graph& graph, std::span<const Sample> samples) {
  Observation seen{std::vector<Range>(graph.ops().size()), {}, 0};
  for (size_t sample = 0; sample < samples.size(); ++sample) {
    const auto values = reference::evaluate_real_all(graph, samples[sample]);
    for (size_t i = 0; i < values.size(); ++i)
      for (const double x : values[i]) {
        if (!std::isfinite(x))
          return error(messages::NotFinite, graph.ops()[i].where, graph.ops()[i].name, x, sample);
        seen.ranges[i].include(x);
      }
    auto& outputs = seen.outputs.emplace_back();
    for (const ValueId output : graph.outputs()) {
      outputs.push_back(values[static_cast<size_t>(output)]);
      for (const double y : outputs.back())
        seen.largest_output = std::max(seen.largest_output, std::abs(y));
    }
  }
  return seen;
}

bool feeds_function(const Graph& graph, ValueId value) {
  return std::any_of(graph.ops().begin(), graph.ops().end(), [&](const Op& op) {
    return (op.as<graph::Unary>() || op.as<graph::Softmax>()) && op.operands[0] == value;
  });
}

Result<Graph> typed(const Graph& graph, const Observation& seen, int width) {
  const auto choose = [&](const Site& site) -> Result<std::optional<ChosenType>> {
    if (!site.needs_type)
      return std::nullopt;
    const Range& range = seen.ranges[static_cast<size_t>(site.value)];
    const bool is_looked_up = site.role == Role::Result && feeds_function(graph, site.layer);
    const int bits = is_looked_up ? std::min(width, graph::Table::MaxInputWidth) : width;
    return ChosenType{
        {type_for_range(range.lo, range.hi, bits), Rounding::HalfEven, Overflow::Saturate},
        fmt::format("calibrated to [{:.4g}, {:.4g}]", range.lo, range.hi)};
  };
  return assign_types(graph, choose);
}

// The largest difference of an output, as a part of the largest output.
double error_of(const Graph& graph, std::span<const Sample> samples, const Observation& seen) {
  double largest = 0;
  for (size_t sample = 0; sample < samples.size(); ++sample) {
    const auto outputs = reference::evaluate_real(graph, samples[sample]);
    for (size_t output = 0; output < outputs.size(); ++output)
      for (size_t i = 0; i < outputs[output].size(); ++i)
        largest = std::max(largest, std::abs(outputs[output][i] - seen.outputs[sample][output][i]));
  }
  return seen.largest_output > 0 ? largest / seen.largest_output : largest;
}

}  // namespace

FixedType type_for_range(double lo, double hi, int width) {
  FixedType type{.is_signed = lo < 0, .width = width, .frac_bits = passes::MaxTableFracBits};
  const auto holds = [&](double x) {
    const double raw = std::nearbyint(std::ldexp(x, type.frac_bits));
    return raw >= static_cast<double>(type.min_raw()) && raw <= static_cast<double>(type.max_raw());
  };
  while (type.frac_bits > -FixedType::MaxFracBits && !(holds(lo) && holds(hi)))
    --type.frac_bits;
  return type;
}

Result<Calibration> calibrate(const Graph& graph, std::span<const Sample> samples,
                              const CalibrationOptions& options) {
  if (samples.empty())
    return error(messages::NoSamples, "");
  MR_TRY(const Graph folded, fold_real_affine(graph));
  MR_TRY(const Observation seen, observe(folded, samples));
  int width = options.error_budget ? 2 : options.width;
  for (;; ++width) {
    MR_TRY(Graph quantized, typed(folded, seen, width));
    const double error_there = error_of(quantized, samples, seen);
    if (!options.error_budget || error_there <= *options.error_budget)
      return Calibration{std::move(quantized), width, error_there};
    if (width == MaxCalibratedWidth)
      return error(messages::BudgetTooSmall, "", *options.error_budget, width, error_there);
  }
}

}  // namespace millrace::quantize
