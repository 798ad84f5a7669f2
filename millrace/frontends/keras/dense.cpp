// SPDX-License-Identifier: Apache-2.0
// Fully connected layers, and layers without effect at inference.
#include "millrace/frontends/keras/folding.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

/// Dense: over the last extent, so that on maps it is a convolution with a kernel of one pixel.
Result<Value> dense(LayerCall& call) {
  Config& config = call.config;
  const Value& x = call.x();
  const int64_t inputs = x.channels();
  MR_TRY(const int64_t units, config.integer("units"));
  MR_TRY(const bool use_bias, config.boolean("use_bias", true));
  std::optional<QuantizerSpec> kernel_quantizer, bias_quantizer;
  if (call.is_quantized()) {
    MR_TRY(kernel_quantizer, call.quantizer("kernel_quantizer"));
    MR_TRY(bias_quantizer, call.quantizer("bias_quantizer"));
  }
  MR_TRY(FoldedWeights weights,
         read_folded(call, "kernel", {inputs, units}, units, use_bias, x.shape.size() + 1));
  const bool is_vector = x.shape.size() == 1;
  MR_TRY(const Kernel kernel, add_kernel(call, "kernel", std::move(weights.kernel),
                                         kernel_quantizer, units, [&](FloatTensor numbers) {
                                           if (!is_vector)
                                             numbers.shape = {1, 1, inputs, units};
                                           return numbers;
                                         }));
  Shape shape = x.shape;
  shape.back() = units;
  const graph::OpKind kind =
      is_vector ? graph::OpKind(graph::Dense{}) : graph::OpKind(graph::Conv2D{});
  MR_TRY(const Value y, add_product(call, "", kind, x, kernel, std::move(weights.bias),
                                    bias_quantizer, units, std::move(shape)));
  return activate(call, y);
}

}  // namespace

std::span<const LayerRule> dense_layers() {
  static constexpr LayerRule Rules[] = {
      {"Dense", &dense}, {"QDense", &dense}, {"QDenseBatchnorm", &dense}};
  return Rules;
}

}  // namespace millrace::frontends::keras
