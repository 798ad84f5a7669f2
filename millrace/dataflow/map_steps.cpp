// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/map_steps.h"

#include <algorithm>
#include <optional>

#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Op;

/// The number that makes `rq` a truncation when it is added in front, if there is one.
std::optional<Int128> rounding_offset(const graph::Requantize& rq, int dropped) {
  const Quantizer& to = rq.to;
  // Whatever negative numbers are rounded to, they become 0.
  const bool negatives_vanish = !to.type.is_signed && to.overflow != Overflow::Wrap &&
                                to.overflow != Overflow::WrapSignMagnitude;
  const Int128 half = Int128{1} << (dropped - 1);
  switch (to.rounding) {
    case Rounding::Floor: return 0;
    case Rounding::HalfUp:
    case Rounding::HalfEven: return half;
    case Rounding::HalfDown: return half - 1;
    case Rounding::TowardsZero: return negatives_vanish ? std::optional<Int128>(0) : std::nullopt;
    case Rounding::HalfTowardsZero:
      return negatives_vanish ? std::optional(half - 1) : std::nullopt;
    case Rounding::HalfAwayFromZero: return negatives_vanish ? std::optional(half) : std::nullopt;
  }
  return std::nullopt;
}

/// True when a rectifier in front of `rq` changes nothing.
bool rectifies(const graph::Requantize& rq) {
  return !rq.to.type.is_signed && rq.to.overflow != Overflow::Wrap &&
         rq.to.overflow != Overflow::WrapSignMagnitude;
}

/// The operand of a quantiser whose rounding has been added in front.
NodeId append_rounded(Datapath& path, NodeId x, int from_frac_bits, const Quantizer& to) {
  Quantizer cut = to;
  cut.rounding = Rounding::Floor;
  if (to.rounding != Rounding::HalfEven)
    return path.requantize({.x = x, .from_frac_bits = from_frac_bits, .to = cut});
  const NodeId even = path.half_even({.x = x, .dropped = from_frac_bits - to.type.frac_bits});
  return path.requantize({.x = even, .from_frac_bits = to.type.frac_bits, .to = cut});
}

/// Fills a region with the pixels of `x`, which begin at (pad_top, pad_left) of it.
void pick(BeatVector& region, const BeatVector& x, int64_t pad_top, int64_t pad_left,
          std::span<const NodeId> padding) {
  const BeatWindows& own = x.windows;
  for (int64_t i = 0; i < region.windows.region_h(); ++i)
    for (int64_t j = 0; j < region.windows.span(); ++j)
      for (int64_t channel = 0; channel < own.channels; ++channel) {
        const int64_t row = i - pad_top;
        const int64_t lane = j - pad_left;
        const bool is_inside = 0 <= row && row < own.rows && 0 <= lane && lane < own.lanes;
        region.elements.push_back(
            is_inside
                ? x.elements[static_cast<size_t>((row * own.lanes + lane) * own.channels + channel)]
                : padding[static_cast<size_t>(channel)]);
      }
}

}  // namespace

graph::Window MapStep::window() const {
  const auto* conv = op->as<graph::Conv2D>();
  const auto* pool = op->as<graph::MaxPool>();
  graph::Window window = conv ? conv->window : pool ? pool->window : graph::Window{};
  if (part == Part::Columns) {
    window.kernel_h = window.stride_h = window.dilation_h = 1;
    window.pad_top = window.pad_bottom = 0;
  } else if (part == Part::Rows) {
    window.kernel_w = window.stride_w = window.dilation_w = 1;
    window.pad_left = window.pad_right = 0;
  }
  return window;
}

void share_rounding(std::span<MapStep> steps) {
  constexpr int MostBits = 60;  // room for the offset
  for (size_t i = 1; i < steps.size(); ++i) {
    const auto* rq = steps[i].op->as<graph::Requantize>();
    if (rq == nullptr)
      continue;
    size_t before = i - 1;
    if (steps[before].op->as<graph::Relu>() && rectifies(*rq)) {
      steps[before].is_subsumed = true;
      if (before == 0)
        continue;
      --before;
    }
    const Op& linear = *steps[before].op;
    const int dropped = linear.type.fixed().frac_bits - rq->to.type.frac_bits;
    if (!is_linear(linear) || dropped < 1 || linear.type.fixed().width + 1 > MostBits ||
        dropped > MostBits || rq->to.rounding == Rounding::Floor)
      continue;
    if (const auto offset = rounding_offset(*rq, dropped)) {
      steps[before].offset = *offset;
      steps[i].is_rounded = true;
    }
  }
}

std::vector<NodeId> padding_of(Datapath& path, const BeatVector& x, const Op& op) {
  std::vector<NodeId> padding;
  for (int64_t channel = 0; channel < x.windows.channels; ++channel) {
    Int128 value = 0;
    if (op.as<graph::MaxPool>())
      for (size_t i = static_cast<size_t>(channel); i < x.elements.size();
           i += static_cast<size_t>(x.windows.channels))
        value = std::min(value, path.node(x.elements[i]).lo);
    padding.push_back(path.constant(value));
  }
  return padding;
}

BeatVector covered_region(const BeatVector& x, const MapStep& step,
                          std::span<const NodeId> padding) {
  const graph::Window window = step.window();
  const BeatWindows& own = x.windows;
  BeatVector region{.windows = {.lanes = step.out_lanes,
                                .channels = own.channels,
                                .kernel_h = window.kernel_h,
                                .kernel_w = window.kernel_w,
                                .stride_w = window.stride_w,
                                .rows = step.out_rows,
                                .stride_h = window.stride_h,
                                .dilation_h = window.dilation_h,
                                .dilation_w = window.dilation_w},
                    .elements = {},
                    .type = x.type};
  pick(region, x, window.pad_top, window.pad_left, padding);
  return region;
}

BeatVector covered_columns(const BeatVector& x, const BeatWindows& windows, int64_t pad_left,
                           std::span<const NodeId> padding) {
  BeatVector region{.windows = windows, .elements = {}, .type = x.type};
  pick(region, x, 0, pad_left, padding);
  return region;
}

void append_step(Datapath& path, BeatVector& x, const MapStep& step,
                 std::span<const BeatVector> /*sources*/) {
  const Op& op = *step.op;
  if (step.is_subsumed)
    return;
  BeatWindows results{.lanes = step.out_lanes, .channels = x.windows.channels, .rows = step.out_rows};
  if (op.as<graph::Flatten>()) {
    if (op.type.shape[0] == std::ssize(x.elements))  // the beat is the whole map
      results = {.lanes = 1, .channels = std::ssize(x.elements)};
  } else if (op.as<graph::MaxPool>()) {
    x.elements = append_max_pool(path, x);
  } else if (const auto* rq = op.as<graph::Requantize>(); rq && step.is_rounded) {
    for (NodeId& id : x.elements)
      id = append_rounded(path, id, x.type.frac_bits, rq->to);
  } else {
    x.elements = append_elementwise(path, x, op);
  }
  x.windows = results;
  x.type = op.type.fixed();
}

}  // namespace millrace::dataflow
