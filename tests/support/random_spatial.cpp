// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_spatial.h"

#include <algorithm>
#include <utility>

#include "tests/support/draw_spatial.h"

#include "millrace/support/check.h"

namespace millrace::testing {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

constexpr int64_t MaxExtent = Window::Limit;  // max_elements keeps maps small

class SpatialMaker {
public:
  SpatialMaker(std::mt19937_64& random, const RandomSpatialOptions& options)
      : draw_(random), options_(options) {}

  Graph make() {
    const Shape shape = {draw_.between(1, options_.max_extent),
                         draw_.between(1, options_.max_extent),
                         draw_.between(1, options_.max_channels)};
    add(Input{{shape, any_type(-2)}}, {});
    for (int64_t layer = draw_.between(1, options_.max_layers); layer > 0; --layer)
      append_layer();
    if (draw_.chance(30))
      append_vectors();
    builder_.output(value_);
    auto graph = std::move(builder_).finish();
    check(graph.has_value(), graph ? "" : graph.error().to_string());
    return *std::move(graph);
  }

private:
  const Shape& shape() const { return builder_.type(value_).shape; }
  const FixedType& type() const { return builder_.type(value_).fixed(); }
  int64_t elements() const { return num_elements(shape()); }

  FixedType any_type(int least_frac_bits) {
    const auto width = draw_.small(1, options_.max_value_bits);
    return {draw_.chance(60), width, draw_.small(least_frac_bits, width + 2)};
  }

  void add(const OpKind& kind, std::vector<ValueId> operands) {
    const auto value = builder_.add("v", kind, std::move(operands));
    check(value.has_value(), value ? "" : value.error().to_string());
    value_ = *value;
    values_.push_back(value_);
  }
  void add(const OpKind& kind) { add(kind, {value_}); }
  ValueId constant(const Shape& extents, const FixedType& format) {
    IntTensor raw{extents, draw_.raws(format, num_elements(extents), 0)};
    return builder_.constant("c", std::move(raw), format).value();
  }
  void add_linear(const OpKind& kind, const Shape& weights) {
    const FixedType format{draw_.chance(80), draw_.small(1, options_.max_weight_bits),
                           draw_.small(-1, 4)};
    const ValueId w = constant(weights, format);
    const ValueId b =
        constant({weights.back()}, {draw_.chance(80), draw_.small(1, 8),
                                    type().frac_bits + format.frac_bits + draw_.small(-3, 2)});
    add(kind, {value_, w, b});
    requantize();
  }
  Quantizer any_quantizer() {
    Quantizer to{any_type(-2), draw_.one_of(AllRoundings), draw_.one_of(AllOverflows)};
    const auto int_bits = type().int_bits() - draw_.small(-1, 4);
    to.type.frac_bits = std::clamp(to.type.width - int_bits, -60, 60);
    return to;
  }
  void requantize() { add(Requantize{any_quantizer()}); }

  void append_layer() {
    const bool may_grow = elements() * 4 <= options_.max_elements;
    switch (draw_.between(0, 9)) {
      case 0:
        return append_conv();
      case 1:
        return may_grow ? append_conv_transpose() : append_conv();
      case 2:
        return add(
            AvgPool{draw_window(draw_, shape(), MaxExtent), draw_.chance(50), any_quantizer()});
      case 3:
        return add(MaxPool{draw_window(draw_, shape(), MaxExtent)});
      case 4:
        return may_grow ? add(Upsample{draw_.between(1, 2), draw_.between(1, 2)}) : append_slice();
      case 5:
        return add(Pad{draw_.between(0, 1), draw_.between(0, 2), draw_.between(0, 1),
                       draw_.between(0, 1)});
      case 6:
        return append_slice();
      case 7:
        return add(draw_transpose(draw_));
      case 8:
        return add(Reshape{{shape()[1], shape()[2], shape()[0]}});
      default:
        return may_grow ? append_concat() : append_slice();
    }
  }

  void append_conv() {
    const Window window = draw_window(draw_, shape(), MaxExtent);
    const int64_t channels = shape()[2];
    const int64_t groups = draw_groups(draw_, channels);
    const int64_t filters = groups * draw_.between(1, std::max<int64_t>(1, 4 / groups));
    add_linear(Conv2D{window, groups},
               {window.kernel_h, window.kernel_w, channels / groups, filters});
  }

  void append_conv_transpose() {
    const ConvTranspose2D conv = draw_conv_transpose(draw_, shape(), MaxExtent);
    add_linear(conv, {conv.kernel_h, conv.kernel_w, shape()[2], draw_.between(1, 3)});
  }

  void append_slice() { add(draw_slice(draw_, shape())); }

  void append_concat() {
    const Shape map = shape();
    std::vector<ValueId> operands;
    for (int64_t count = draw_.between(2, 3); count > 0; --count) {
      // Any earlier map that fits, or a constant.
      const ValueId earlier = draw_.one_of(values_);
      const Shape& other = builder_.type(earlier).shape;
      if (other[0] == map[0] && other[1] == map[1])
        operands.push_back(earlier);
      else if (draw_.chance(30))
        operands.push_back(constant({map[0], map[1], 1}, any_type(-2)));
      else
        operands.push_back(value_);
    }
    operands[static_cast<size_t>(draw_.between(0, std::ssize(operands) - 1))] = value_;
    const auto value = builder_.add("v", Concat{}, std::move(operands));
    if (!value)  // their binary points lie too far apart
      return append_slice();
    value_ = *value;
    values_.push_back(value_);
    if (type().width > options_.max_value_bits || draw_.chance(50))
      requantize();
  }

  void append_vectors() {
    add(Flatten{});
    const ValueId vector = value_;
    const int64_t size = draw_.between(1, shape()[0]);
    add(Slice{{draw_.between(0, shape()[0] - size)}, {size}});
    if (draw_.chance(70))
      add(Concat{}, {value_, vector});
  }

  Draw draw_;
  const RandomSpatialOptions& options_;
  Builder builder_{"spatial"};
  ValueId value_ = 0;
  std::vector<ValueId> values_;
};

}  // namespace

Graph random_spatial_network(std::mt19937_64& random, const RandomSpatialOptions& options) {
  return SpatialMaker(random, options).make();
}

}  // namespace millrace::testing
