// SPDX-License-Identifier: Apache-2.0
// Numbers instead of structure: models evaluated here in ONNX's own layout, by the definitions of
// its operators, against the imported graphs. Whole numbers, so that every sum is exact.
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/model_test_builder.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::onnx {
namespace {

using testing::TestModel;
using Ints = std::vector<int64_t>;

/// A tensor without its batch: C x H x W, or N.
struct Tensor3 {
  int64_t channels, height, width;
  std::vector<double> data;

  Tensor3(int64_t c, int64_t h, int64_t w)
      : channels(c), height(h), width(w), data(static_cast<size_t>(c * h * w)) {}
  double& at(int64_t c, int64_t h, int64_t w) {
    return data[static_cast<size_t>((c * height + h) * width + w)];
  }
  bool holds(int64_t h, int64_t w) const { return h >= 0 && h < height && w >= 0 && w < width; }
  /// The same numbers as the graph orders them.
  std::vector<double> hwc() {
    std::vector<double> result;
    for (int64_t h = 0; h < height; ++h)
      for (int64_t w = 0; w < width; ++w)
        for (int64_t c = 0; c < channels; ++c)
          result.push_back(at(c, h, w));
    return result;
  }
};

/// Kernel, strides and pads in ONNX's order: top, left, bottom, right.
struct Sliding {
  Ints kernel, strides, pads;

  Tensor3 result(const Tensor3& x, int64_t channels) const {
    return {channels, (x.height + pads[0] + pads[2] - kernel[0]) / strides[0] + 1,
            (x.width + pads[1] + pads[3] - kernel[1]) / strides[1] + 1};
  }
  void describe(TestModel& model) const {
    model.attribute("kernel_shape", kernel).attribute("strides", strides).attribute("pads", pads);
  }
};

Tensor3 convolve(Tensor3 x, const std::vector<float>& weights, const std::vector<float>& bias,
                 const Sliding& window) {
  Tensor3 y = window.result(x, static_cast<int64_t>(bias.size()));
  for (int64_t f = 0; f < y.channels; ++f)
    for (int64_t r = 0; r < y.height; ++r)
      for (int64_t s = 0; s < y.width; ++s) {
        double sum = bias[static_cast<size_t>(f)];
        for (int64_t c = 0; c < x.channels; ++c)
          for (int64_t i = 0; i < window.kernel[0]; ++i)
            for (int64_t j = 0; j < window.kernel[1]; ++j) {
              const int64_t h = r * window.strides[0] + i - window.pads[0];
              const int64_t w = s * window.strides[1] + j - window.pads[1];
              const int64_t weight =
                  ((f * x.channels + c) * window.kernel[0] + i) * window.kernel[1] + j;
              if (x.holds(h, w))
                sum += weights[static_cast<size_t>(weight)] * x.at(c, h, w);
            }
        y.at(f, r, s) = sum;
      }
  return y;
}

Tensor3 pool(Tensor3 x, const Sliding& window) {
  Tensor3 y = window.result(x, x.channels);
  for (int64_t c = 0; c < y.channels; ++c)
    for (int64_t r = 0; r < y.height; ++r)
      for (int64_t s = 0; s < y.width; ++s) {
        y.at(c, r, s) = -std::numeric_limits<double>::infinity();
        for (int64_t i = 0; i < window.kernel[0]; ++i)
          for (int64_t j = 0; j < window.kernel[1]; ++j) {
            const int64_t h = r * window.strides[0] + i - window.pads[0];
            const int64_t w = s * window.strides[1] + j - window.pads[1];
            if (x.holds(h, w))
              y.at(c, r, s) = std::max(y.at(c, r, s), x.at(c, h, w));
          }
      }
  return y;
}

void relu(Tensor3& x) {
  for (double& number : x.data)
    number = std::max(number, 0.0);
}

/// QONNX's formula, unsigned: clamp, then round.
void quantise(Tensor3& x, double scale, int bits) {
  for (double& number : x.data)
    number = std::nearbyint(std::clamp(number / scale, 0.0, std::exp2(bits) - 1)) * scale;
}

/// Gemm with transB = 1: weights are outputs x inputs.
std::vector<double> gemm(const std::vector<double>& x, const std::vector<float>& weights,
                         const std::vector<float>& bias) {
  std::vector<double> y(bias.begin(), bias.end());
  for (size_t m = 0; m < y.size(); ++m)
    for (size_t n = 0; n < x.size(); ++n)
      y[m] += weights[m * x.size() + n] * x[n];
  return y;
}

class Numbers {
public:
  explicit Numbers(unsigned seed) : random_(seed) {}
  std::vector<float> weights(int64_t count) {
    std::vector<float> numbers(static_cast<size_t>(count));
    for (float& number : numbers)
      number = static_cast<float>(below(15)) - 7;
    return numbers;
  }
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }

private:
  std::mt19937_64 random_;
};

/// A random network: Quant -> Conv -> Relu -> Quant -> MaxPool -> Flatten -> Gemm.
struct RandomNetwork {
  explicit RandomNetwork(unsigned seed)
      : numbers(seed), x(1 + numbers.below(3), 5 + numbers.below(4), 5 + numbers.below(4)) {
    const Sliding conv = window(4);
    const Sliding max = window(3);
    const int64_t filters = 1 + numbers.below(4);
    const int64_t outputs = 1 + numbers.below(3);
    const auto w1 = numbers.weights(filters * x.channels * conv.kernel[0] * conv.kernel[1]);
    const auto b1 = numbers.weights(filters);
    for (double& pixel : x.data)
      pixel = static_cast<double>(numbers.below(16));

    Tensor3 map = convolve(x, w1, b1, conv);
    relu(map);
    quantise(map, 4, 6);
    map = pool(map, max);
    const auto count = static_cast<int64_t>(map.data.size());
    const auto w2 = numbers.weights(outputs * count);
    const auto b2 = numbers.weights(outputs);
    expected = gemm(map.data, w2, b2);

    model.graph().clear_input();
    model = TestModel({1, x.channels, x.height, x.width});
    model.tensor("w1", {filters, x.channels, conv.kernel[0], conv.kernel[1]}, w1)
        .tensor("b1", {filters}, b1)
        .tensor("w2", {outputs, count}, w2)
        .tensor("b2", {outputs}, b2)
        .quant("xq", "x", 1, 4, false)
        .node("Conv", "conv", {"xq", "w1", "b1"});
    conv.describe(model);
    model.node("Relu", "relu", {"conv"}).quant("q", "relu", 4, 6, false);
    model.node("MaxPool", "pool", {"q"});
    max.describe(model);
    model.node("Flatten", "flat", {"pool"})
        .node("Gemm", "y", {"flat", "w2", "b2"})
        .attribute("transB", int64_t{1})
        .output("y", {1, outputs});
  }

  Sliding window(int64_t max_kernel) {
    Sliding result;
    for (int i = 0; i < 2; ++i) {
      result.kernel.push_back(1 + numbers.below(max_kernel));
      result.strides.push_back(1 + numbers.below(2));
    }
    for (size_t i = 0; i < 4; ++i)
      result.pads.push_back(numbers.below(result.kernel[i % 2]));
    return result;
  }

  Numbers numbers;
  Tensor3 x;
  TestModel model{{1, 1}};
  std::vector<double> expected;
};

TEST(OnnxLayout, ImportedGraphsComputeWhatOnnxComputes) {
  int checked = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    RandomNetwork network(seed);
    const auto graph = import_onnx_bytes(network.model.bytes(), "m.onnx");
    // The pool's kernel may be larger than what is left of a small map.
    if (!graph && graph.error().code == "frontends.onnx.kernel_too_large")
      continue;
    ASSERT_TRUE(graph) << graph.error().to_string();
    EXPECT_EQ(reference::evaluate_real(*graph, {network.x.hwc()}).at(0), network.expected) << seed;
    ++checked;
  }
  EXPECT_GE(checked, 50);
}

TEST(OnnxLayout, ExactGraphsComputeWhatOnnxComputes) {
  for (unsigned seed = 100; seed < 130; ++seed) {
    RandomNetwork network(seed);
    const auto imported = import_onnx_bytes(network.model.bytes(), "m.onnx");
    if (!imported && imported.error().code == "frontends.onnx.kernel_too_large")
      continue;
    ASSERT_TRUE(imported) << imported.error().to_string();
    const auto exact = passes::lower(*imported);
    ASSERT_TRUE(exact) << exact.error().to_string();
    const auto image = network.x.hwc();
    const IntTensor input{{network.x.height, network.x.width, network.x.channels},
                          {image.begin(), image.end()}};
    const IntTensor output = reference::evaluate(*exact, {input}).at(0);
    std::vector<double> numbers;
    for (int64_t raw : output.data)
      numbers.push_back(exact->type(exact->outputs()[0]).fixed().to_double(raw));
    EXPECT_EQ(numbers, network.expected) << seed;
  }
}

/// A convolution, a normalisation and a pool, with the channels first or last.
TestModel small_network(bool is_channels_last) {
  TestModel model(is_channels_last ? Shape{1, 4, 5, 2} : Shape{1, 2, 4, 5});
  std::vector<float> weights(3 * 2 * 3 * 2);  // 3 filters of 2 channels, 3 x 2 taps
  for (size_t f = 0; f < 3; ++f)
    for (size_t c = 0; c < 2; ++c)
      for (size_t tap = 0; tap < 6; ++tap)
        weights[is_channels_last ? (f * 6 + tap) * 2 + c : (f * 2 + c) * 6 + tap] =
            static_cast<float>((f * 5 + c * 3 + tap * 2) % 7) - 3;
  const auto domain = [&] {
    if (is_channels_last)
      model.last_node().set_domain("qonnx.custom_op.channels_last");
  };
  model.tensor("w", is_channels_last ? Shape{3, 3, 2, 2} : Shape{3, 2, 3, 2}, weights)
      .tensor("b", {3}, {1, -2, 0.5F})
      .tensor("scale", {3}, {1, 0.5F, -2})
      .tensor("offset", {3}, {0, 1, 2})
      .tensor("mean", {3}, {0, 0, 0})
      .tensor("variance", {3}, {1, 1, 1})
      .node("Conv", "conv", {"x", "w", "b"})
      .attribute("kernel_shape", Ints{3, 2})
      .attribute("pads", Ints{1, 0, 1, 1});
  domain();
  model.node("BatchNormalization", "norm", {"conv", "scale", "offset", "mean", "variance"})
      .attribute("epsilon", 0.0F);
  domain();
  model.node("MaxPool", "y", {"norm"})
      .attribute("kernel_shape", Ints{2, 1})
      .attribute("strides", Ints{2, 1});
  domain();
  model.output("y", is_channels_last ? Shape{1, 2, 5, 3} : Shape{1, 3, 2, 5});
  return model;
}

TEST(OnnxLayout, OperatorsWithTheChannelsLastComputeWhatTheOthersDo) {
  const auto first = import_onnx_bytes(small_network(false).bytes(), "first.onnx");
  const auto last = import_onnx_bytes(small_network(true).bytes(), "last.onnx");
  ASSERT_TRUE(first) << first.error().to_string();
  ASSERT_TRUE(last) << last.error().to_string();
  std::vector<double> x;
  for (int i = 0; i < 40; ++i)
    x.push_back((i * 11) % 17 - 8);
  EXPECT_EQ(reference::evaluate_real(*last, {x}), reference::evaluate_real(*first, {x}));
  EXPECT_EQ(graph::print(*last), graph::print(*first));
}

}  // namespace
}  // namespace millrace::frontends::onnx
