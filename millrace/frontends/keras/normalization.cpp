// SPDX-License-Identifier: Apache-2.0
// Batch normalisation, plain and quantised, and scaling by constants.
#include "millrace/frontends/keras/folding.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

Result<Value> batch_normalization(LayerCall& call) {
  const Value& x = call.x();
  const int64_t channels = x.channels();
  MR_TRY(const Normalization normalization, read_normalization(call, x.shape.size() + 1));
  std::vector<WeightSpec> specs;
  append_weights(normalization, channels, {}, specs);
  MR_TRY(LayerWeights weights, call.read_weights(specs));
  if (call.is_quantized()) {
    MR_TRY_STATUS(call.config.refuse("inverse_quantizer"));
    constexpr struct {
      std::string_view weight, role;
      bool is_trainable;
    } Roles[] = {{"gamma", "gamma_quantizer", true},
                 {"beta", "beta_quantizer", false},
                 {"moving_mean", "mean_quantizer", false},
                 {"moving_variance", "variance_quantizer", true}};
    for (const auto& [weight, role, is_trainable] : Roles) {
      MR_TRY(const auto quantizer, call.quantizer(role));
      const auto found = weights.find(weight);
      if (quantizer && found != weights.end()) {
        MR_TRY(found->second, quantized_values(*quantizer, std::move(found->second), is_trainable));
      }
    }
    call.config.ignore({"activation"});  // stored, never applied
  }
  MR_TRY(ScaleAndOffset numbers, scale_and_offset(call, normalization, weights, channels));
  MR_TRY(const graph::ValueId scale, call.constant("scale", std::move(numbers.scale)));
  MR_TRY(const graph::ValueId offset, call.constant("offset", std::move(numbers.offset)));
  return call.add("", graph::Affine{}, {x.id, scale, offset}, x.shape);
}

/// x * scale + offset by two numbers.
Result<Value> rescaling(LayerCall& call) {
  MR_TRY(const double scale, call.config.number("scale"));
  MR_TRY(const double offset, call.config.number("offset", 0));
  MR_TRY(const Value y, call.with_number<graph::Mul>(offset == 0 ? "" : "product", call.x(),
                                                     static_cast<float>(scale)));
  if (offset == 0)
    return y;
  return call.with_number<graph::Add>("", y, static_cast<float>(offset));
}

}  // namespace

std::span<const LayerRule> normalization_layers() {
  static constexpr LayerRule Rules[] = {
      {"BatchNormalization", &batch_normalization},
      {"BatchNormalizationV1", &batch_normalization},
      {"QBatchNormalization", &batch_normalization},
      {"Rescaling", &rescaling},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
