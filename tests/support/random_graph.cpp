// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_graph.h"

#include <algorithm>
#include <utility>

#include "tests/support/draw.h"

#include "millrace/support/check.h"

namespace millrace::testing {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

class NetworkMaker {
public:
  NetworkMaker(std::mt19937_64& random, const RandomNetworkOptions& options)
      : draw_(random), options_(options) {}

  Graph make() {
    const Shape shape = {draw_.between(1, options_.max_height),
                         draw_.between(1, options_.max_width),
                         draw_.between(1, options_.max_channels)};
    const int width = draw_.width(options_.max_value_bits);
    add("image", Input{{shape, FixedType{draw_.chance(40), width, draw_.small(-3, width + 3)}}});

    for (int layer = draw_.small(0, options_.max_map_layers); layer > 0; --layer)
      map_layer();
    if (options_.with_dense && draw_.chance(60)) {
      add("flat", Flatten{});
      for (int layer = draw_.small(1, 2); layer > 0; --layer)
        dense_layer();
    }
    if (draw_.chance(20))
      table();
    builder_.output(value_);
    auto graph = std::move(builder_).finish();
    check(graph.has_value(), graph ? "" : graph.error().to_string());
    return *std::move(graph);
  }

private:
  const Shape& shape() const { return builder_.type(value_).shape; }
  const FixedType& type() const { return builder_.type(value_).fixed(); }

  /// Appends an operation on the newest value, which its result becomes.
  void add(const char* name, const OpKind& kind, std::vector<ValueId> more_operands = {}) {
    if (!std::holds_alternative<Input>(kind))
      more_operands.insert(more_operands.begin(), value_);
    const auto value = builder_.add(name, kind, std::move(more_operands));
    check(value.has_value(), value ? "" : value.error().to_string());
    value_ = *value;
  }

  ValueId constant(const char* name, const Shape& extents, const FixedType& format,
                   int zero_percent) {
    IntTensor raw{extents, draw_.raws(format, num_elements(extents), zero_percent)};
    const auto value = builder_.constant(name, std::move(raw), format);
    check(value.has_value(), value ? "" : value.error().to_string());
    return *value;
  }

  ValueId weights(const Shape& extents) {
    const int width = draw_.width(options_.max_weight_bits);
    return constant("w", extents, {draw_.chance(80), width, draw_.small(-1, width + 2)}, 30);
  }

  /// A bias whose binary point lies near that of the products.
  ValueId bias(int64_t count, ValueId weights) {
    const int product_frac_bits = type().frac_bits + builder_.type(weights).fixed().frac_bits;
    return constant("b", {count},
                    {draw_.chance(80), draw_.small(1, 10), product_frac_bits + draw_.small(-4, 3)},
                    20);
  }

  Window window(int64_t max_kernel) {
    Window chosen;
    const auto choose = [&](int64_t extent, int64_t& kernel, int64_t& stride, int64_t& before,
                            int64_t& after) {
      kernel = draw_.between(1, max_kernel);
      stride = draw_.chance(50) ? 1 : draw_.between(1, options_.max_stride);
      const int64_t padding = draw_.chance(50) ? 0 : draw_.between(0, kernel - 1);
      // At least as much as makes the kernel fit.
      const int64_t total = std::max(padding, kernel - extent);
      before = draw_.between(0, total);
      after = total - before;
    };
    choose(shape()[0], chosen.kernel_h, chosen.stride_h, chosen.pad_top, chosen.pad_bottom);
    choose(shape()[1], chosen.kernel_w, chosen.stride_w, chosen.pad_left, chosen.pad_right);
    return chosen;
  }

  void map_layer() {
    switch (draw_.between(0, 9)) {
      case 0:
        return add("pool", MaxPool{window(3)});
      case 1:
        return add("relu", Relu{});
      case 2:
        return requantize();
      case 3:
        return table();
      case 4:
        affine();
        break;
      default:
        conv2d();
    }
    if (draw_.chance(40))
      add("relu", Relu{});
    if (draw_.chance(20))
      add("pool", MaxPool{window(3)});
    requantize();
  }

  void conv2d() {
    const Window chosen = window(options_.max_kernel);
    const int64_t filters = draw_.between(1, options_.max_channels);
    const ValueId w = weights({chosen.kernel_h, chosen.kernel_w, shape()[2], filters});
    const ValueId b = bias(filters, w);
    add("conv", Conv2D{chosen}, {w, b});
  }

  void affine() {
    const int64_t channels = shape().back();
    const ValueId scale = weights({channels});
    const ValueId offset = bias(channels, scale);
    add("affine", Affine{}, {scale, offset});
  }

  void dense_layer() {
    const int64_t neurons = draw_.between(1, options_.max_neurons);
    const ValueId w = weights({shape()[0], neurons});
    const ValueId b = bias(neurons, w);
    add("dense", Dense{}, {w, b});
    if (draw_.chance(30))
      add("relu", Relu{});
    requantize();
  }

  void requantize() {
    FixedType to{draw_.chance(type().is_signed ? 70 : 40), draw_.width(options_.max_value_bits), 0};
    // Mostly the new range ends a few bits around where the old one does; sometimes far away.
    const int int_bits = draw_.chance(95) ? type().int_bits() - draw_.small(-1, 4)
                                          : type().int_bits() + draw_.small(-70, 70);
    to.frac_bits = std::clamp(to.width - int_bits, -100, 100);
    add("q", Requantize{{to, draw_.one_of(AllRoundings), draw_.one_of(AllOverflows)}});
  }

  void table() {
    if (type().width > 8)
      return requantize();
    const int width = draw_.width(options_.max_value_bits);
    const FixedType to{draw_.chance(50), width, draw_.small(-3, width + 3)};
    add("table", Table{to, draw_.raws(to, int64_t{1} << type().width, 10)});
  }

  Draw draw_;
  const RandomNetworkOptions& options_;
  Builder builder_{"random"};
  ValueId value_ = 0;
};

}  // namespace

Graph random_network(std::mt19937_64& random, const RandomNetworkOptions& options) {
  return NetworkMaker(random, options).make();
}

IntTensor random_tensor(std::mt19937_64& random, const TensorType& type) {
  return {type.shape, Draw(random).raws(type.fixed(), num_elements(type.shape), 10)};
}

}  // namespace millrace::testing
