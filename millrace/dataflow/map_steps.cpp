// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/map_steps.h"

#include <algorithm>
#include <optional>

#include "millrace/dataflow/pointwise_datapath.h"
#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

using graph::Op;

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

std::optional<Int128> rounding_offset(const graph::Requantize& rq, int from_frac_bits) {
  constexpr int MostDropped = 60;
  const int dropped = from_frac_bits - rq.to.type.frac_bits;
  if (dropped < 1 || dropped > MostDropped || !rq.types.empty())
    return std::nullopt;
  const Quantizer& to = rq.to;
  // Whatever negative numbers are rounded to, they become 0.
  const bool negatives_vanish = !to.type.is_signed && to.overflow != Overflow::Wrap &&
                                to.overflow != Overflow::WrapSignMagnitude;
  const Int128 half = Int128{1} << (dropped - 1);
  switch (to.rounding) {
    case Rounding::Floor:
      return 0;
    case Rounding::HalfUp:
    case Rounding::HalfEven:
      return half;
    case Rounding::HalfDown:
      return half - 1;
    case Rounding::TowardsZero:
      return negatives_vanish ? std::optional<Int128>(0) : std::nullopt;
    case Rounding::HalfTowardsZero:
      return negatives_vanish ? std::optional(half - 1) : std::nullopt;
    case Rounding::HalfAwayFromZero:
      return negatives_vanish ? std::optional(half) : std::nullopt;
  }
  return std::nullopt;
}

bool rectifies(const graph::Requantize& rq) {
  return !rq.to.type.is_signed && rq.to.overflow != Overflow::Wrap &&
         rq.to.overflow != Overflow::WrapSignMagnitude;
}

graph::Window MapStep::window() const {
  graph::Window window;
  if (const auto* conv = op->as<graph::Conv2D>())
    window = conv->window;
  else if (const auto* transposed = op->as<graph::ConvTranspose2D>())
    window = phase_window(*op, *transposed).window;
  else if (const auto* pool = op->as<graph::MaxPool>())
    window = pool->window;
  else if (const auto* mean = op->as<graph::AvgPool>())
    window = mean->window;
  if (part == Part::Ones || part == Part::Quotient)
    return {};
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
    if (rq == nullptr || steps[i].is_rounded)
      continue;
    size_t before = i - 1;
    if (rq->types.empty() && steps[before].op->as<graph::Relu>() && rectifies(*rq)) {
      steps[before].is_subsumed = true;
      if (before == 0)
        continue;
      --before;
    }
    if (!rq->types.empty())
      continue;
    const Op& linear = *steps[before].op;
    if (!is_linear(linear) || linear.type.fixed().width + 1 > MostBits ||
        rq->to.rounding == Rounding::Floor)
      continue;
    if (const auto offset = rounding_offset(*rq, linear.type.fixed().frac_bits)) {
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

bool is_move(const Op& op) {
  return op.as<graph::Pad>() || op.as<graph::Slice>() || op.as<graph::Upsample>() ||
         op.as<graph::Transpose>() || op.as<graph::Reshape>();
}

namespace {

/// A further operand, element by element of x's beat.
class SecondOperand {
public:
  SecondOperand(Datapath& path, const BeatVector& x, const MapStep& step, const graph::Graph& graph,
                std::span<const BeatVector> sources)
      : channels_(static_cast<size_t>(x.windows.channels)) {
    const graph::ValueId operand = step.op->operands[step.is_swapped ? 0 : 1];
    frac_bits_ = graph.type(operand).fixed().frac_bits;
    if (const auto* constant = graph.op(operand).as<graph::Constant>()) {
      for (const int64_t raw : constant->raw())
        elements_.push_back(path.constant(raw));
    } else if (!step.sources.empty() && static_cast<size_t>(step.sources[0]) < sources.size()) {
      elements_ = sources[static_cast<size_t>(step.sources[0])].elements;
    } else {
      elements_ = x.elements;
    }
    // One element a pixel, a channel, or for all.
    const size_t pixels = x.elements.size() / channels_;
    if (elements_.size() == x.elements.size())
      place_ = Place::Element;
    else if (elements_.size() == 1)
      place_ = Place::All;
    else if (graph.type(operand).shape.size() == 1)
      place_ = Place::Channel;
    else
      place_ = Place::Pixel;
    check(place_ != Place::Channel || elements_.size() == channels_,
          "a further operand has another number of channels");
    check(place_ != Place::Pixel || elements_.size() == pixels,
          "a further operand has another number of pixels");
  }

  FixedNode at(size_t i) const {
    const size_t index = place_ == Place::Element   ? i
                         : place_ == Place::Channel ? i % channels_
                         : place_ == Place::Pixel   ? i / channels_
                                                    : 0;
    return {elements_[index], frac_bits_};
  }

private:
  enum class Place { Element, Channel, Pixel, All };
  const size_t channels_;
  std::vector<NodeId> elements_;
  int frac_bits_ = 0;
  Place place_ = Place::All;
};

/// The elements of one pixel's channels, pixel by pixel.
template <class Function>
std::vector<NodeId> for_each_pixel(const BeatVector& x, Function function) {
  std::vector<NodeId> results;
  const auto channels = static_cast<ptrdiff_t>(x.windows.channels);
  for (auto pixel = x.elements.begin(); pixel != x.elements.end(); pixel += channels)
    for (const NodeId id : function(std::vector<NodeId>(pixel, pixel + channels)))
      results.push_back(id);
  return results;
}

/// The mean of each channel for every lane. Where padding does not count, the last channel holds
/// ones for pixels of the map.
std::vector<NodeId> append_means(Datapath& path, const BeatVector& x, const Op& op) {
  const auto& mean = *op.as<graph::AvgPool>();
  const BeatWindows& w = x.windows;
  const int64_t channels = op.type.shape.back();
  const int64_t taps = w.kernel_h * w.kernel_w;
  std::vector<NodeId> results;
  for (int64_t lane = 0; lane < w.num_lanes(); ++lane) {
    const auto sum_of_channel = [&](int64_t channel) {
      std::vector<NodeId> terms;
      for (int64_t tap = 0; tap < taps; ++tap)
        terms.push_back(
            x.elements[static_cast<size_t>(w.element(lane, tap * w.channels + channel))]);
      return append_reduction(path, graph::ReduceFunction::Sum, std::move(terms));
    };
    const bool is_counted = w.channels > channels;
    const NodeId count = is_counted ? sum_of_channel(channels) : path.constant(taps);
    for (int64_t channel = 0; channel < channels; ++channel) {
      const FixedNode sum{sum_of_channel(channel), x.type.frac_bits};
      if (path.node(count).is_constant()) {
        const auto number = static_cast<int64_t>(path.node(count).lo);
        results.push_back(number == 0 ? path.constant(0)  // a lane behind the map's edge
                                      : append_quotient(path, sum, number, *mean.to));
        continue;
      }
      // The quotient by every count, of which one is let through.
      const FixedType codes = path.node(count).signal_type();
      std::optional<NodeId> chosen;
      for (Int128 number = std::max<Int128>(1, path.node(count).lo); number <= path.node(count).hi;
           ++number) {
        const NodeId quotient = append_quotient(path, sum, static_cast<int64_t>(number), *mean.to);
        if (!chosen) {
          chosen = quotient;
          continue;
        }
        std::vector<int64_t> is_number(size_t{1} << codes.width, 0);
        is_number[static_cast<size_t>(number - codes.min_raw())] = 1;
        const NodeId control = path.table({.x = count,
                                           .from = codes,
                                           .to = {.is_signed = false, .width = 1, .frac_bits = 0},
                                           .values = std::move(is_number)});
        chosen = path.select({.control = control, .then = quotient, .otherwise = *chosen});
      }
      results.push_back(*chosen);
    }
  }
  return results;
}

}  // namespace

void append_step(Datapath& path, BeatVector& x, const MapStep& step, const graph::Graph& graph,
                 std::span<const BeatVector> sources) {
  const Op& op = *step.op;
  if (step.is_subsumed)
    return;
  BeatWindows results{
      .lanes = step.out_lanes, .channels = x.windows.channels, .rows = step.out_rows};
  const auto with_second = [&](auto function) {
    const SecondOperand second(path, x, step, graph, sources);
    for (size_t i = 0; i < x.elements.size(); ++i)
      x.elements[i] = function(FixedNode{x.elements[i], x.type.frac_bits}, second.at(i));
  };
  if (step.part == MapStep::Part::Ones) {
    x.elements = for_each_pixel(x, [&](std::vector<NodeId> pixel) {
      pixel.push_back(path.constant(1));
      return pixel;
    });
    ++x.windows.channels;
    return;
  }
  if (!step.picks.empty()) {
    std::vector<NodeId> moved;
    for (const int64_t pick : step.picks)
      moved.push_back(pick == MapStep::Zero ? path.constant(0)
                                            : x.elements[static_cast<size_t>(pick)]);
    results.channels = std::ssize(moved) / results.num_lanes();
    x.elements = std::move(moved);
    x.windows = results;
    x.type = op.type.fixed();
    return;
  }
  std::visit(
      graph::Overloaded{
          [&](const graph::Reshape&) {  // to a vector
            if (op.type.shape[0] == std::ssize(x.elements))
              results = {.lanes = 1, .channels = std::ssize(x.elements)};
          },
          [&](const graph::Flatten&) {
            if (op.type.shape[0] == std::ssize(x.elements))  // the beat is the whole map
              results = {.lanes = 1, .channels = std::ssize(x.elements)};
          },
          [&](const graph::MaxPool&) { x.elements = append_max_pool(path, x); },
          [&](const graph::AvgPool& mean) {
            if (step.part == MapStep::Part::Quotient)
              for (NodeId& sum : x.elements)
                sum = append_quotient(path, {sum, x.type.frac_bits},
                                      mean.window.kernel_h * mean.window.kernel_w, *mean.to);
            else
              x.elements = append_means(path, x, op);
            results.channels = op.type.shape.back();
          },
          [&](const graph::Requantize& rq) {
            for (size_t i = 0; i < x.elements.size(); ++i) {
              const Quantizer to = rq.at(i);
              NodeId& id = x.elements[i];
              id = step.is_rounded
                       ? append_rounded(path, id, x.type.frac_bits, to)
                       : path.requantize({.x = id, .from_frac_bits = x.type.frac_bits, .to = to});
              id = append_shift(path, id, op.type.fixed().frac_bits - to.type.frac_bits);
            }
          },
          [&](const graph::Table& table) {
            for (NodeId& id : x.elements)
              id =
                  path.table({.x = id, .from = x.type, .to = table.element, .values = table.value});
          },
          [&](const graph::Relu&) {
            for (NodeId& id : x.elements)
              id = path.relu(id);
          },
          [&]<graph::BinaryFunction F>(const graph::Binary<F>&) {
            with_second([&](const FixedNode& own, const FixedNode& other) {
              const FixedNode& a = step.is_swapped ? other : own;
              const FixedNode& b = step.is_swapped ? own : other;
              return append_binary(path, F, a, b, op.type.fixed().frac_bits);
            });
          },
          [&](const graph::Prelu&) {
            with_second([&](const FixedNode& a, const FixedNode& alpha) {
              return append_prelu(path, a, alpha, op.type.fixed().frac_bits);
            });
          },
          [&]<graph::ExactFunction F>(const graph::Exact<F>&) {
            for (NodeId& id : x.elements)
              id = append_exact(path, F, id);
          },
          [&](const graph::Reduce& reduce) {
            x.elements = for_each_pixel(x, [&](std::vector<NodeId> pixel) {
              return std::vector{append_reduction(path, reduce.function, std::move(pixel))};
            });
            results.channels = 1;
          },
          [&](const graph::TopK& top) {
            x.elements = for_each_pixel(x, [&](const std::vector<NodeId>& pixel) {
              return append_top_k(path, pixel, top.k);
            });
            results.channels = top.k;
          },
          [&](const graph::Concat&) {
            // Pixel by pixel the channels of all operands, in the fraction bits of the result.
            std::vector<NodeId> joined;
            const auto pixels = static_cast<size_t>(results.num_lanes());
            for (size_t pixel = 0; pixel < pixels; ++pixel)
              for (size_t operand = 0; operand < op.operands.size(); ++operand) {
                const int source = step.sources[operand];
                const FixedType& type = graph.type(op.operands[operand]).fixed();
                std::vector<NodeId> part;
                if (source >= 0) {
                  const std::vector<NodeId>& all = sources[static_cast<size_t>(source)].elements;
                  const size_t size = all.size() / pixels;
                  part.assign(all.begin() + static_cast<ptrdiff_t>(pixel * size),
                              all.begin() + static_cast<ptrdiff_t>((pixel + 1) * size));
                } else {
                  const auto* constant = graph.op(op.operands[operand]).as<graph::Constant>();
                  const size_t size = constant->raw().size() / pixels;
                  for (size_t i = 0; i < size; ++i)
                    part.push_back(path.constant(constant->raw()[pixel * size + i]));
                }
                for (const NodeId id : part)
                  joined.push_back(
                      append_shift(path, id, op.type.fixed().frac_bits - type.frac_bits));
              }
            x.elements = std::move(joined);
            results.channels = std::ssize(x.elements) / results.num_lanes();
          },
          [&](const auto&) { check(false, "an operation that no stage computes"); }},
      op.kind);
  x.windows = results;
  x.type = op.type.fixed();
}

}  // namespace millrace::dataflow
