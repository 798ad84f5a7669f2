// SPDX-License-Identifier: Apache-2.0
// HGQ2's layers with weights: a quantiser before the layer (iq), one each for kernel and bias (kq,
// bq), and maybe one behind it (oq).
// Source   hgq2 0.2.0, layers/core, layers/conv.py, layers/batch_normalization.py
#include <cmath>

#include "millrace/frontends/keras/folding.h"
#include "millrace/frontends/keras/hgq2_quantizer.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

/// Reads the options and quantisers of a layer with kernel and bias.
Status add_quantizers(LayerCall& call, TrainedLayer& layer, bool use_bias) {
  MR_TRY_STATUS(layer.add_input_and_output());
  MR_TRY_STATUS(layer.add("kq", "kq_conf"));
  if (use_bias)
    return layer.add("bq", "bq_conf");
  return call.config.refuse("bq_conf");
}

/// Product of quantised numbers, bias, activation, oq.
Result<Value> add_layer(LayerCall& call, TrainedLayer& layer, const graph::OpKind& kind,
                        FloatTensor kernel_numbers, std::optional<FloatTensor> bias_numbers,
                        Shape shape) {
  const int64_t outputs = shape.back();
  MR_TRY(const Value x, layer.quantized("iq", "iq", call.x()));
  MR_TRY(const graph::ValueId kernel, call.constant("kernel", std::move(kernel_numbers)));
  MR_TRY(const Value y, add_product(call, "", kind, x, Kernel{kernel, {}}, std::move(bias_numbers),
                                    {}, outputs, std::move(shape)));
  MR_TRY(const Value activated, activate(call, y));
  return layer.quantized("oq", "oq", activated);
}

Result<Value> product_layer(LayerCall& call, const graph::OpKind& kind, Shape kernel_shape,
                            Shape graph_kernel, Shape shape) {
  MR_TRY(const bool use_bias, call.config.boolean("use_bias", true));
  TrainedLayer layer(call);
  MR_TRY_STATUS(add_quantizers(call, layer, use_bias));
  // HGQ2 quantises causal padding, too, which then is no longer 0.
  const Json* padding = call.config.get("padding");
  if (padding && *padding == "causal" && layer.has("iq") &&
      layer.parameters("iq").quantizer->affine)
    return call.config.bad("padding", "'valid' or 'same' where iq has an offset");
  layer.add_weight("kernel", std::move(kernel_shape));
  if (use_bias)
    layer.add_weight("bias", {shape.back()});
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(FloatTensor kernel, layer.quantized("kq", std::move(layer.weight("kernel"))));
  kernel.shape = std::move(graph_kernel);
  std::optional<FloatTensor> bias;
  if (use_bias) {
    MR_TRY(bias, layer.quantized("bq", std::move(layer.weight("bias"))));
  }
  return add_layer(call, layer, kind, std::move(kernel), std::move(bias), std::move(shape));
}

/// A dense layer over the last extent: on sequences and maps a convolution of one pixel.
struct DenseForm {
  graph::OpKind kind;
  Shape kernel;  ///< of the graph
  Shape shape;   ///< of the result
};

DenseForm dense_form(const Value& x, int64_t units) {
  Shape shape = x.shape;
  shape.back() = units;
  if (x.shape.size() == 1)
    return {graph::Dense{}, {x.channels(), units}, std::move(shape)};
  return {graph::Conv2D{}, {1, 1, x.channels(), units}, std::move(shape)};
}

Result<Value> dense(LayerCall& call) {
  MR_TRY(const int64_t units, call.config.integer("units"));
  DenseForm form = dense_form(call.x(), units);
  return product_layer(call, form.kind, {call.x().channels(), units}, std::move(form.kernel),
                       std::move(form.shape));
}

/// 1 / sqrt(variance + epsilon) times gamma, in float32.
/// Errors   not finite.
Result<std::vector<float>> scales(LayerCall& call, const std::vector<double>* gamma,
                                  const std::vector<double>& variance, double epsilon) {
  std::vector<float> result;
  for (size_t i = 0; i < variance.size(); ++i) {
    const float sum = static_cast<float>(variance[i]) + static_cast<float>(epsilon);
    result.push_back((gamma ? static_cast<float>((*gamma)[i]) : 1.0F) / std::sqrt(sum));
    if (!std::isfinite(result.back()))
      return error(messages::Normalization, call.where(), i, variance[i]);
  }
  return result;
}

/// Scales the inputs of the kernel, and takes the mean times the kernel, without that scale, off
/// the bias: so HGQ2 computes it.
Result<Value> normalized_dense(LayerCall& call) {
  Config& config = call.config;
  MR_TRY(const int64_t units, config.integer("units"));
  MR_TRY(const double epsilon, config.number("epsilon", 1e-3));
  MR_TRY(const bool has_scale, config.boolean("scale", true));
  MR_TRY(const bool use_bias, config.boolean("use_bias", true));
  if (!use_bias)
    return config.bad("use_bias", "true");
  config.ignore({"momentum", "synchronized", "bn_gamma_initializer", "bn_gamma_regularizer",
                 "bn_gamma_constraint"});
  const int64_t inputs = call.x().channels();
  TrainedLayer layer(call);
  MR_TRY_STATUS(add_quantizers(call, layer, true));
  layer.add_weight("kernel", {inputs, units});
  layer.add_weight("bias", {units});
  if (has_scale)
    layer.add_weight("bn_gamma", {inputs});
  if (layer.has_ebops())
    layer.add_training_weights();
  layer.add_weight("moving_mean", {inputs});
  layer.add_weight("moving_variance", {inputs});
  MR_TRY_STATUS(layer.read());
  MR_TRY(const auto factors, scales(call, has_scale ? &layer.weight("bn_gamma").data : nullptr,
                                    layer.weight("moving_variance").data, epsilon));
  FloatTensor kernel = std::move(layer.weight("kernel"));
  FloatTensor bias = std::move(layer.weight("bias"));
  const FloatTensor& mean = layer.weight("moving_mean");
  std::vector<double> offsets(bias.data.size(), 0);
  for (size_t i = 0; i < kernel.data.size(); ++i) {
    const size_t in = i / bias.data.size(), out = i % bias.data.size();
    offsets[out] -= mean.data[in] * kernel.data[i];
    kernel.data[i] = factors[in] * static_cast<float>(kernel.data[i]);
  }
  for (size_t i = 0; i < offsets.size(); ++i)
    bias.data[i] = static_cast<float>(bias.data[i]) + static_cast<float>(offsets[i]);
  MR_TRY(kernel, layer.quantized("kq", std::move(kernel)));
  MR_TRY(bias, layer.quantized("bq", std::move(bias)));
  DenseForm form = dense_form(call.x(), units);
  kernel.shape = std::move(form.kernel);
  return add_layer(call, layer, form.kind, std::move(kernel), std::move(bias),
                   std::move(form.shape));
}

Result<Value> convolution(LayerCall& call) {
  MR_TRY(const ConvolutionOptions options, read_convolution(call));
  const graph::Window& window = options.window;
  const int64_t inputs = call.x().channels() / options.groups;
  Shape kernel = options.kernel;
  kernel.push_back(inputs);
  kernel.push_back(options.filters);
  return product_layer(call, graph::Conv2D{window, options.groups}, std::move(kernel),
                       {window.kernel_h, window.kernel_w, inputs, options.filters},
                       window_shape(window, call.x(), options.filters));
}

/// Scale and offset are quantised (kq, bq). Without `center` HGQ2's offset starts from 1.
Result<Value> batch_normalization(LayerCall& call) {
  const int64_t channels = call.x().channels();
  MR_TRY(const Normalization options, read_normalization(call, call.x().shape.size() + 1));
  TrainedLayer layer(call);
  MR_TRY_STATUS(add_quantizers(call, layer, true));
  if (options.has_scale)
    layer.add_weight("gamma", {channels});
  if (options.has_center)
    layer.add_weight("beta", {channels});
  layer.add_weight("moving_mean", {channels});
  layer.add_weight("moving_variance", {channels});
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(const auto factors, scales(call, options.has_scale ? &layer.weight("gamma").data : nullptr,
                                    layer.weight("moving_variance").data, options.epsilon));
  const FloatTensor& mean = layer.weight("moving_mean");
  FloatTensor scale{{channels}, {}}, offset{{channels}, {}};
  for (size_t i = 0; i < factors.size(); ++i) {
    const float beta = options.has_center ? static_cast<float>(layer.weight("beta").data[i]) : 1.0F;
    const float product = static_cast<float>(mean.data[i]) * factors[i];
    scale.data.push_back(factors[i]);
    offset.data.push_back(beta - product);
  }
  MR_TRY(scale, layer.quantized("kq", std::move(scale)));
  MR_TRY(offset, layer.quantized("bq", std::move(offset)));
  MR_TRY(const Value x, layer.quantized("iq", "iq", call.x()));
  MR_TRY(const graph::ValueId scale_id, call.constant("scale", std::move(scale)));
  MR_TRY(const graph::ValueId offset_id, call.constant("offset", std::move(offset)));
  MR_TRY(const Value y, call.add("", graph::Affine{}, {x.id, scale_id, offset_id}, x.shape));
  return layer.quantized("oq", "oq", y);
}

}  // namespace

std::span<const LayerRule> hgq2_layers() {
  static constexpr LayerRule Rules[] = {{"hgq>QDense", &dense},
                                        {"hgq>QBatchNormDense", &normalized_dense},
                                        {"hgq>QConv1D", &convolution},
                                        {"hgq>QConv2D", &convolution},
                                        {"hgq>QBatchNormalization", &batch_normalization}};
  return Rules;
}

}  // namespace millrace::frontends::keras
