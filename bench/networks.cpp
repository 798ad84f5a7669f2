// SPDX-License-Identifier: Apache-2.0
#include "bench/networks.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "millrace/support/check.h"

namespace millrace::bench {

namespace {

using graph::ValueId;

constexpr FixedType Pixel = {.is_signed = true, .width = 9, .frac_bits = 8};        // fixed<9,1>
constexpr FixedType Activation = {.is_signed = false, .width = 6, .frac_bits = 4};  // ufixed<6,2>
constexpr FixedType Sum = {.is_signed = true, .width = 7, .frac_bits = 4};          // fixed<7,3>

/// Adds layers with weights drawn by seed, the same on every platform.
class NetworkMaker {
public:
  NetworkMaker(const std::string& name, uint64_t seed) : builder_(name), random_(seed) {}

  ValueId input(const Shape& shape, const FixedType& type) {
    return add("input", graph::Input{{shape, type}}, {});
  }
  ValueId conv2d(const std::string& name, ValueId x, const graph::Window& window, int64_t filters,
                 const FixedType& weights, int64_t groups = 1) {
    const int64_t channels = shape(x)[2] / groups;
    const ValueId w =
        draw(name + ".w", {window.kernel_h, window.kernel_w, channels, filters}, weights);
    const ValueId b = draw(name + ".b", {filters}, weights);
    return add(name, graph::Conv2D{window, groups}, {x, w, b});
  }
  ValueId dense(const std::string& name, ValueId x, int64_t outputs, const FixedType& weights) {
    const ValueId w = draw(name + ".w", {shape(x)[0], outputs}, weights);
    const ValueId b = draw(name + ".b", {outputs}, weights);
    return add(name, graph::Dense{}, {x, w, b});
  }
  ValueId requantize(const std::string& name, ValueId x, const FixedType& type) {
    return add(name, graph::Requantize{{type, Rounding::HalfEven, Overflow::Saturate}}, {x});
  }
  /// A ReLU and its quantiser.
  ValueId activation(const std::string& name, ValueId x) {
    return requantize(name + ".act", add(name + ".relu", graph::Relu{}, {x}), Activation);
  }
  ValueId add(const std::string& name, const graph::OpKind& kind, std::vector<ValueId> operands) {
    const auto value = builder_.add(name, kind, std::move(operands));
    check(value.has_value(), value ? "" : value.error().to_string());
    return *value;
  }
  graph::Graph finish(ValueId output) {
    builder_.output(output);
    auto graph = std::move(builder_).finish();
    check(graph.has_value(), graph ? "" : graph.error().to_string());
    return *std::move(graph);
  }
  const Shape& shape(ValueId value) const { return builder_.type(value).shape; }

private:
  /// Uniform over the type's range without its lowest number: as many positive as negative ones.
  ValueId draw(const std::string& name, const Shape& shape, const FixedType& type) {
    const auto limit = static_cast<int64_t>(type.max_raw());
    IntTensor raw{shape, {}};
    for (int64_t i = num_elements(shape); i > 0; --i)
      raw.data.push_back(static_cast<int64_t>(random_() % static_cast<uint64_t>(2 * limit + 1)) -
                         limit);
    const auto value = builder_.constant(name, std::move(raw), type);
    check(value.has_value(), value ? "" : value.error().to_string());
    return *value;
  }

  graph::Builder builder_;
  std::mt19937_64 random_;
};

/// A convolution's window whose stride is the same along both axes, padded as ONNX's SAME_UPPER
/// pads maps of even size.
graph::Window same_window(int64_t kernel, int64_t stride) {
  const int64_t padding = std::max<int64_t>(kernel - stride, 0);
  return {.kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = padding / 2,
          .pad_left = padding / 2,
          .pad_bottom = padding - padding / 2,
          .pad_right = padding - padding / 2};
}

/// Weights of that many bits that keep the size of values: the standard deviation of a sum over
/// `fan_in` values of size 1 is about 1.
FixedType weights_for(int64_t fan_in, int bits) {
  const double deviation = std::ldexp(1.0, bits - 1) / std::sqrt(3.0);  // of the raw weights
  return {.is_signed = true,
          .width = bits,
          .frac_bits = static_cast<int>(
              std::lround(std::log2(deviation * std::sqrt(static_cast<double>(fan_in)))))};
}

/// The layers of resnet_network().
class ResnetMaker : NetworkMaker {
public:
  explicit ResnetMaker(uint64_t seed) : NetworkMaker("resnet", seed) {}

  graph::Graph make() {
    ValueId x = input({32, 32, 3}, {.is_signed = false, .width = 8, .frac_bits = 8});
    x = activation("stem", convolution("stem", x, 3, 1, 12));
    x = block("block1", x, 1, 12);
    x = block("block2", x, 2, 24);
    x = block("block3", x, 2, 48);
    const graph::Window whole{.kernel_h = 8, .kernel_w = 8, .stride_h = 8, .stride_w = 8};
    x = add("mean", graph::AvgPool{whole, false, Quantizer{Activation}}, {x});
    x = add("flatten", graph::Flatten{}, {x});
    return finish(dense("dense", x, 10, weights_for(48, WeightBits)));
  }

private:
  static constexpr int WeightBits = 4;

  ValueId convolution(const std::string& name, ValueId x, int64_t kernel, int64_t stride,
                      int64_t filters) {
    const FixedType weights = weights_for(kernel * kernel * shape(x)[2], WeightBits);
    return conv2d(name, x, same_window(kernel, stride), filters, weights);
  }
  ValueId block(const std::string& name, ValueId x, int64_t stride, int64_t filters) {
    const ValueId first =
        activation(name + ".conv1", convolution(name + ".conv1", x, 3, stride, filters));
    const ValueId second =
        requantize(name + ".sum2", convolution(name + ".conv2", first, 3, 1, filters), Sum);
    const ValueId shortcut =
        stride == 1 ? x
                    : requantize(name + ".sum",
                                 convolution(name + ".shortcut", x, 1, stride, filters), Sum);
    return activation(name, add(name + ".add", graph::Add{}, {second, shortcut}));
  }
};

}  // namespace

graph::Graph conv2d_network(const ConvolutionOptions& options) {
  NetworkMaker maker("conv2d", options.seed);
  const ValueId x = maker.input({options.size, options.size, options.channels}, Pixel);
  return maker.finish(
      maker.conv2d("conv", x, {.kernel_h = 3, .kernel_w = 3}, options.filters, Pixel));
}

graph::Graph separable_network(const ConvolutionOptions& options) {
  NetworkMaker maker("separable", options.seed);
  ValueId x = maker.input({options.size, options.size, options.channels}, Pixel);
  x = maker.conv2d("depthwise", x, {.kernel_h = 3, .kernel_w = 3}, options.channels, Pixel,
                   options.channels);
  x = maker.requantize("depthwise.act", x, Pixel);
  return maker.finish(maker.conv2d("pointwise", x, {}, options.filters, Pixel));
}

graph::Graph resnet_network(uint64_t seed) {
  return ResnetMaker(seed).make();
}

graph::Graph mlp_network(uint64_t seed) {
  constexpr int WeightBits = 6;
  NetworkMaker maker("mlp", seed);
  ValueId x = maker.input({16}, {.is_signed = true, .width = 8, .frac_bits = 4});
  int layer = 1;
  for (const int64_t outputs : {64, 32, 32}) {
    const std::string name = "dense" + std::to_string(layer++);
    x = maker.activation(name,
                         maker.dense(name, x, outputs, weights_for(maker.shape(x)[0], WeightBits)));
  }
  return maker.finish(maker.dense("dense4", x, 5, weights_for(32, WeightBits)));
}

}  // namespace millrace::bench
