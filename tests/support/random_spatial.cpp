// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_spatial.h"

#include <algorithm>
#include <utility>

#include "tests/support/random_graph.h"

#include "millrace/support/check.h"

namespace millrace::testing {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

class SpatialMaker {
public:
  SpatialMaker(std::mt19937_64& random, const RandomSpatialOptions& options)
      : random_(random), options_(options) {}

  Graph make() {
    const Shape shape = {between(1, options_.max_extent), between(1, options_.max_extent),
                         between(1, options_.max_channels)};
    add(Input{{shape, any_type(-2)}}, {});
    for (int64_t layer = between(1, options_.max_layers); layer > 0; --layer)
      append_layer();
    if (chance(30))
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

  int64_t between(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(random_() % static_cast<uint64_t>(hi - lo + 1));
  }
  bool chance(int percent) { return between(0, 99) < percent; }
  FixedType any_type(int64_t least_frac_bits) {
    const auto width = static_cast<int>(between(1, options_.max_value_bits));
    return {chance(60), width, static_cast<int>(between(least_frac_bits, width + 2))};
  }

  void add(const OpKind& kind, std::vector<ValueId> operands) {
    const auto value = builder_.add("v", kind, std::move(operands));
    check(value.has_value(), value ? "" : value.error().to_string());
    value_ = *value;
    values_.push_back(value_);
  }
  void add(const OpKind& kind) { add(kind, {value_}); }
  ValueId constant(const Shape& extents, const FixedType& format) {
    return builder_.constant("c", random_tensor(random_, {extents, format}), format).value();
  }
  void add_linear(const OpKind& kind, const Shape& weights) {
    const FixedType format{chance(80), static_cast<int>(between(1, options_.max_weight_bits)),
                           static_cast<int>(between(-1, 4))};
    const ValueId w = constant(weights, format);
    const ValueId b = constant(
        {weights.back()}, {chance(80), static_cast<int>(between(1, 8)),
                           type().frac_bits + format.frac_bits + static_cast<int>(between(-3, 2))});
    add(kind, {value_, w, b});
    requantize();
  }
  Quantizer any_quantizer() {
    Quantizer to{any_type(-2), AllRoundings[random_() % AllRoundings.size()],
                 AllOverflows[random_() % AllOverflows.size()]};
    const auto int_bits = type().int_bits() - static_cast<int>(between(-1, 4));
    to.type.frac_bits = std::clamp(to.type.width - int_bits, -60, 60);
    return to;
  }
  void requantize() { add(Requantize{any_quantizer()}); }

  /// A window that fits the map and never steps over it.
  Window any_window() {
    Window window;
    do {
      window = {.kernel_h = between(1, 3),
                .kernel_w = between(1, 3),
                .stride_h = between(1, 2),
                .stride_w = between(1, 2),
                .dilation_h = chance(60) ? 1 : between(1, 3),
                .dilation_w = chance(60) ? 1 : between(1, 3)};
      const auto padding = [&](int64_t extent) { return chance(50) ? 0 : between(0, extent - 1); };
      window.pad_top = padding(window.extent_h());
      window.pad_left = padding(window.extent_w());
      window.pad_bottom = padding(window.extent_h());
      window.pad_right = padding(window.extent_w());
    } while (window.out_height(shape()[0]) < 1 || window.out_width(shape()[1]) < 1 ||
             !window.reaches_map(shape()[0], shape()[1]));
    return window;
  }

  void append_layer() {
    const bool may_grow = elements() * 4 <= options_.max_elements;
    switch (between(0, 9)) {
      case 0:
        return append_conv();
      case 1:
        return may_grow ? append_conv_transpose() : append_conv();
      case 2:
        return add(AvgPool{any_window(), chance(50), any_quantizer()});
      case 3:
        return add(MaxPool{any_window()});
      case 4:
        return may_grow ? add(Upsample{between(1, 2), between(1, 2)}) : append_slice();
      case 5:
        return add(Pad{between(0, 1), between(0, 2), between(0, 1), between(0, 1)});
      case 6:
        return append_slice();
      case 7: {
        Transpose transpose;
        std::swap(transpose.permutation[0], transpose.permutation[random_() % 3]);
        std::swap(transpose.permutation[1], transpose.permutation[1 + random_() % 2]);
        return add(transpose);
      }
      case 8:
        return add(Reshape{{shape()[1], shape()[2], shape()[0]}});
      default:
        return may_grow ? append_concat() : append_slice();
    }
  }

  void append_conv() {
    const Window window = any_window();
    const int64_t channels = shape()[2];
    int64_t groups = between(1, channels);
    while (channels % groups != 0)
      --groups;
    const int64_t filters = groups * between(1, std::max<int64_t>(1, 4 / groups));
    add_linear(Conv2D{window, groups},
               {window.kernel_h, window.kernel_w, channels / groups, filters});
  }

  void append_conv_transpose() {
    ConvTranspose2D conv{.kernel_h = between(1, 3),
                         .kernel_w = between(1, 3),
                         .stride_h = between(1, 2),
                         .stride_w = between(1, 2)};
    const Shape map = shape();
    do {
      conv.pad_top = between(0, conv.kernel_h - 1);
      conv.pad_left = between(0, conv.kernel_w - 1);
      conv.pad_bottom = between(1 - conv.stride_h, conv.kernel_h - 1);
      conv.pad_right = between(1 - conv.stride_w, conv.kernel_w - 1);
    } while ((map[0] - 1) * conv.stride_h + conv.kernel_h <= conv.pad_top + conv.pad_bottom ||
             (map[1] - 1) * conv.stride_w + conv.kernel_w <= conv.pad_left + conv.pad_right);
    add_linear(conv, {conv.kernel_h, conv.kernel_w, map[2], between(1, 3)});
  }

  void append_slice() {
    Slice slice;
    for (const int64_t extent : shape()) {
      slice.begin.push_back(between(0, (extent - 1) / 2));
      slice.size.push_back(between(std::min<int64_t>(extent - slice.begin.back(), extent / 2 + 1),
                                   extent - slice.begin.back()));
    }
    add(slice);
  }

  void append_concat() {
    const Shape map = shape();
    std::vector<ValueId> operands;
    for (int64_t count = between(2, 3); count > 0; --count) {
      // Any earlier map that fits, or a constant.
      const ValueId earlier = values_[random_() % values_.size()];
      const Shape& other = builder_.type(earlier).shape;
      if (other[0] == map[0] && other[1] == map[1])
        operands.push_back(earlier);
      else if (chance(30))
        operands.push_back(constant({map[0], map[1], 1}, any_type(-2)));
      else
        operands.push_back(value_);
    }
    operands[random_() % operands.size()] = value_;
    const auto value = builder_.add("v", Concat{}, std::move(operands));
    if (!value)  // their binary points lie too far apart
      return append_slice();
    value_ = *value;
    values_.push_back(value_);
    if (type().width > options_.max_value_bits || chance(50))
      requantize();
  }

  void append_vectors() {
    add(Flatten{});
    const ValueId vector = value_;
    const int64_t size = between(1, shape()[0]);
    add(Slice{{between(0, shape()[0] - size)}, {size}});
    if (chance(70))
      add(Concat{}, {value_, vector});
  }

  std::mt19937_64& random_;
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
