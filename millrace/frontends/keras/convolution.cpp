// SPDX-License-Identifier: Apache-2.0
// Convolutions of sequences and maps: plain, by channel, separable and transposed.
#include <algorithm>

#include "millrace/frontends/keras/folding.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

/// The options that all convolutions have.
struct Options {
  WindowOptions window;
  bool use_bias = true;
};

int dimensions_of(const LayerCall& call) {
  return call.class_name().find("1D") != std::string::npos ? 1 : 2;
}

Status check_rank(const LayerCall& call, int dimensions) {
  if (call.x().shape.size() != static_cast<size_t>(dimensions) + 1)
    return error(messages::Rank, call.where(), to_string(call.x().shape),
                 dimensions == 1 ? "steps x channels" : "rows x columns x channels");
  return {};
}

Result<Options> read_options(LayerCall& call) {
  Config& config = call.config;
  Options options;
  WindowOptions& window = options.window;
  window.dimensions = dimensions_of(call);
  MR_TRY_STATUS(check_rank(call, window.dimensions));
  MR_TRY_STATUS(check_data_format(call));
  const auto count = static_cast<size_t>(window.dimensions);
  const std::vector<int64_t> ones(count, 1);
  MR_TRY(window.kernel, config.integers("kernel_size", count));
  MR_TRY(window.stride, config.integers("strides", count, ones));
  MR_TRY(window.dilation, config.integers("dilation_rate", count, ones));
  MR_TRY(window.padding, config.text("padding", "valid"));
  MR_TRY(options.use_bias, config.boolean("use_bias", true));
  return options;
}

/// A kernel's shape in Keras: the window and what follows.
Shape kernel_shape(const WindowOptions& window, Shape rest) {
  Shape shape = window.kernel;
  shape.insert(shape.end(), rest.begin(), rest.end());
  return shape;
}

/// Gives a kernel the shape KH x KW x inputs x outputs, of the same numbers in the same order.
Arrangement as_kernel(const graph::Window& window, int64_t inputs, int64_t outputs) {
  return [=](FloatTensor numbers) {
    numbers.shape = {window.kernel_h, window.kernel_w, inputs, outputs};
    return numbers;
  };
}

Result<Value> convolution(LayerCall& call) {
  MR_TRY(const ConvolutionOptions options, read_convolution(call));
  MR_TRY(const bool use_bias, call.config.boolean("use_bias", true));
  const auto& [window, extents, filters, groups] = options;
  std::optional<QuantizerSpec> kernel_quantizer, bias_quantizer;
  if (call.is_quantized()) {
    MR_TRY(kernel_quantizer, call.quantizer("kernel_quantizer"));
    MR_TRY(bias_quantizer, call.quantizer("bias_quantizer"));
  }
  const Value& x = call.x();
  const int64_t inputs = x.channels() / groups;
  Shape shape = extents;
  shape.push_back(inputs);
  shape.push_back(filters);
  MR_TRY(FoldedWeights weights,
         read_folded(call, "kernel", shape, filters, use_bias, x.shape.size() + 1));
  MR_TRY(const Kernel kernel,
         add_kernel(call, "kernel", std::move(weights.kernel), kernel_quantizer, filters,
                    as_kernel(window, inputs, filters)));
  MR_TRY(const Value y,
         add_product(call, "", graph::Conv2D{window, groups}, x, kernel, std::move(weights.bias),
                     bias_quantizer, filters, window_shape(window, x, filters)));
  return activate(call, y);
}

/// Output channel c * multiplier + m is that of channel c and kernel m, in Keras' order and ours.
Result<Value> depthwise(LayerCall& call) {
  MR_TRY(const Options options, read_options(call));
  MR_TRY(const int64_t multiplier, call.config.integer("depth_multiplier", 1));
  // Left over from the class that it is derived from.
  call.config.ignore({"filters", "groups"});
  const Value& x = call.x();
  const int64_t channels = x.channels();
  if (multiplier < 1 || multiplier > graph::Window::Limit / channels)
    return call.config.bad("depth_multiplier", "at least 1");
  MR_TRY(const graph::Window window, place_window(call, options.window, x));
  std::optional<QuantizerSpec> kernel_quantizer, bias_quantizer;
  if (call.is_quantized()) {
    MR_TRY(kernel_quantizer, call.quantizer("depthwise_quantizer"));
    MR_TRY(bias_quantizer, call.quantizer("bias_quantizer"));
  }
  const int64_t outputs = channels * multiplier;
  MR_TRY(FoldedWeights weights,
         read_folded(call, "depthwise_kernel", kernel_shape(options.window, {channels, multiplier}),
                     outputs, options.use_bias, x.shape.size() + 1));
  MR_TRY(const Kernel kernel, add_kernel(call, "depthwise_kernel", std::move(weights.kernel),
                                         kernel_quantizer, outputs, as_kernel(window, 1, outputs)));
  MR_TRY(const Value y,
         add_product(call, "", graph::Conv2D{window, channels}, x, kernel, std::move(weights.bias),
                     bias_quantizer, outputs, window_shape(window, x, outputs)));
  return activate(call, y);
}

/// A convolution by channel without bias, then one of single pixels.
Result<Value> separable(LayerCall& call) {
  MR_TRY(const Options options, read_options(call));
  MR_TRY(const int64_t multiplier, call.config.integer("depth_multiplier", 1));
  MR_TRY(const int64_t filters, call.config.integer("filters"));
  call.config.ignore({"groups"});
  const Value& x = call.x();
  const int64_t channels = x.channels();
  if (multiplier < 1 || multiplier > graph::Window::Limit / channels)
    return call.config.bad("depth_multiplier", "at least 1");
  MR_TRY(const graph::Window window, place_window(call, options.window, x));
  const int64_t between = channels * multiplier;
  std::vector<WeightSpec> specs = {
      {"depthwise_kernel", kernel_shape(options.window, {channels, multiplier})},
      {"pointwise_kernel", options.window.dimensions == 1 ? Shape{1, between, filters}
                                                          : Shape{1, 1, between, filters}}};
  if (options.use_bias)
    specs.push_back({"bias", {filters}});
  std::optional<QuantizerSpec> depthwise_quantizer, pointwise_quantizer, bias_quantizer;
  if (call.is_quantized()) {
    MR_TRY(depthwise_quantizer, call.quantizer("depthwise_quantizer"));
    MR_TRY(pointwise_quantizer, call.quantizer("pointwise_quantizer"));
    MR_TRY(bias_quantizer, call.quantizer("bias_quantizer"));
  }
  MR_TRY(LayerWeights weights, call.read_weights(specs));
  MR_TRY(const Kernel first,
         add_kernel(call, "depthwise_kernel", std::move(weights.find("depthwise_kernel")->second),
                    depthwise_quantizer, between, as_kernel(window, 1, between)));
  MR_TRY(const Value middle, add_product(call, "depthwise", graph::Conv2D{window, channels}, x,
                                         first, {}, {}, between, window_shape(window, x, between)));
  MR_TRY(const Kernel second,
         add_kernel(call, "pointwise_kernel", std::move(weights.find("pointwise_kernel")->second),
                    pointwise_quantizer, filters, as_kernel({}, between, filters)));
  std::optional<FloatTensor> bias;
  if (options.use_bias)
    bias = std::move(weights.find("bias")->second);
  Shape shape = middle.shape;
  shape.back() = filters;
  MR_TRY(const Value y, add_product(call, "", graph::Conv2D{}, middle, second, std::move(bias),
                                    bias_quantizer, filters, std::move(shape)));
  return activate(call, y);
}

/// Padding before and behind one axis of a transposed convolution, that behind maybe negative.
struct Cut {
  int64_t before = 0, behind = 0;
};

/// Source   Keras, deconv_output_length: "same" gives extent * stride, "valid" no less than that.
Cut transposed_cut(bool is_same, int64_t kernel, int64_t stride) {
  const int64_t beyond = kernel - stride;  // of what the kernels cover, beyond extent * stride
  if (!is_same)
    return {0, std::min<int64_t>(beyond, 0)};
  const int64_t before = std::max<int64_t>(beyond, 0) / 2;
  return {before, beyond - before};
}

Result<Value> transposed(LayerCall& call) {
  MR_TRY(const Options options, read_options(call));
  MR_TRY(const int64_t filters, call.config.integer("filters"));
  call.config.ignore({"groups"});
  MR_TRY_STATUS(call.config.refuse("output_padding"));
  const WindowOptions& window = options.window;
  if (std::ranges::any_of(window.dilation, [](int64_t d) { return d != 1; }))
    return call.config.bad("dilation_rate", "1");
  if (window.padding != "same" && window.padding != "valid")
    return call.config.bad("padding", "'same' or 'valid'");
  for (const auto& [key, numbers] :
       {std::pair{"kernel_size", &window.kernel}, std::pair{"strides", &window.stride}})
    for (const int64_t number : *numbers)
      if (number < 1 || number > graph::Window::Limit)
        return call.config.bad(key, "at least 1");
  const bool is_same = window.padding == "same", is_sequence = window.dimensions == 1;
  graph::ConvTranspose2D op;
  op.kernel_w = window.kernel.back();
  op.stride_w = window.stride.back();
  const Cut columns = transposed_cut(is_same, op.kernel_w, op.stride_w);
  op.pad_left = columns.before;
  op.pad_right = columns.behind;
  if (!is_sequence) {
    op.kernel_h = window.kernel[0];
    op.stride_h = window.stride[0];
    const Cut rows = transposed_cut(is_same, op.kernel_h, op.stride_h);
    op.pad_top = rows.before;
    op.pad_bottom = rows.behind;
  }
  std::optional<QuantizerSpec> kernel_quantizer, bias_quantizer;
  if (call.is_quantized()) {
    MR_TRY(kernel_quantizer, call.quantizer("kernel_quantizer"));
    MR_TRY(bias_quantizer, call.quantizer("bias_quantizer"));
  }
  const Value& x = call.x();
  const int64_t channels = x.channels();
  std::vector<WeightSpec> specs = {{"kernel", kernel_shape(window, {filters, channels})}};
  if (options.use_bias)
    specs.push_back({"bias", {filters}});
  MR_TRY(LayerWeights weights, call.read_weights(specs));
  // Keras' kernel has the outputs before the inputs.
  const auto arrange = [&](const FloatTensor& numbers) {
    FloatTensor result{{op.kernel_h, op.kernel_w, channels, filters},
                       std::vector<double>(numbers.data.size())};
    const auto ins = static_cast<size_t>(channels), outs = static_cast<size_t>(filters);
    for (size_t i = 0; i < numbers.data.size(); ++i) {
      const size_t tap = i / (ins * outs), out = i / ins % outs, in = i % ins;
      result.data[(tap * ins + in) * outs + out] = numbers.data[i];
    }
    return result;
  };
  MR_TRY(const Kernel kernel, add_kernel(call, "kernel", std::move(weights.find("kernel")->second),
                                         kernel_quantizer, filters, arrange, true));
  std::optional<FloatTensor> bias;
  if (options.use_bias)
    bias = std::move(weights.find("bias")->second);
  MR_TRY(Value y,
         add_product(call, "", op, x, kernel, std::move(bias), bias_quantizer, filters, {}));
  y.shape = call.type(y).shape;
  if (is_sequence)
    y.shape.erase(y.shape.begin());
  return activate(call, y);
}

}  // namespace

Result<ConvolutionOptions> read_convolution(LayerCall& call) {
  MR_TRY(const Options options, read_options(call));
  ConvolutionOptions result{.window = {}, .kernel = options.window.kernel};
  MR_TRY(result.filters, call.config.integer("filters"));
  MR_TRY(result.groups, call.config.integer("groups", 1));
  if (result.groups < 1 || call.x().channels() % result.groups != 0 || result.filters < 1 ||
      result.filters % result.groups != 0)
    return call.config.bad("groups", "a divisor of channels and filters");
  MR_TRY(result.window, place_window(call, options.window, call.x()));
  return result;
}

std::span<const LayerRule> convolution_layers() {
  static constexpr LayerRule Rules[] = {
      {"Conv1D", &convolution},
      {"Conv2D", &convolution},
      {"Convolution1D", &convolution},
      {"Convolution2D", &convolution},
      {"QConv1D", &convolution},
      {"QConv2D", &convolution},
      {"QConv2DBatchnorm", &convolution},
      {"DepthwiseConv1D", &depthwise},
      {"DepthwiseConv2D", &depthwise},
      {"QDepthwiseConv2D", &depthwise},
      {"QDepthwiseConv2DBatchnorm", &depthwise},
      {"SeparableConv1D", &separable},
      {"SeparableConv2D", &separable},
      {"SeparableConvolution2D", &separable},
      {"QSeparableConv1D", &separable},
      {"QSeparableConv2D", &separable},
      {"Conv1DTranspose", &transposed},
      {"Conv2DTranspose", &transposed},
      {"QConv2DTranspose", &transposed},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
