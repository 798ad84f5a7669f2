// SPDX-License-Identifier: Apache-2.0
// Batch normalisation at inference.
#include "millrace/frontends/keras/folding.h"

#include <cmath>

#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {

Result<Normalization> read_normalization(LayerCall& call, size_t rank) {
  Config& config = call.config;
  Normalization result;
  MR_TRY(const auto axis, config.integers("axis", 1, std::vector<int64_t>{-1}));
  if (axis[0] != -1 && axis[0] != static_cast<int64_t>(rank) - 1)
    return config.bad("axis", "the last");
  MR_TRY(result.epsilon, config.number("epsilon", 1e-3));
  MR_TRY(result.has_center, config.boolean("center", true));
  MR_TRY(result.has_scale, config.boolean("scale", true));
  for (const std::string_view key : {"renorm", "virtual_batch_size", "adjustment"})
    MR_TRY_STATUS(config.refuse(key));
  config.ignore({"momentum", "fused", "renorm_clipping", "renorm_momentum", "synchronized",
                 "ema_freeze_delay", "folding_mode"});
  return result;
}

void append_weights(const Normalization& normalization, int64_t channels, std::string_view owner,
                    std::vector<WeightSpec>& specs) {
  if (normalization.has_scale)
    specs.push_back({"gamma", {channels}, owner});
  if (normalization.has_center)
    specs.push_back({"beta", {channels}, owner});
  specs.push_back({"moving_mean", {channels}, owner});
  specs.push_back({"moving_variance", {channels}, owner});
}

Result<ScaleAndOffset> scale_and_offset(LayerCall& call, const Normalization& normalization,
                                        const LayerWeights& weights, int64_t channels,
                                        const FloatTensor* bias) {
  const auto number = [&](std::string_view name, size_t i, double fallback) {
    const auto found = weights.find(name);
    return found == weights.end() ? fallback : found->second.data[i];
  };
  ScaleAndOffset result{{{channels}, {}}, {{channels}, {}}};
  for (size_t i = 0; i < static_cast<size_t>(channels); ++i) {
    const double variance = number("moving_variance", i, 1);
    const double scale = number("gamma", i, 1) / std::sqrt(variance + normalization.epsilon);
    const double shift = (bias ? bias->data[i] : 0) - number("moving_mean", i, 0);
    const double offset = number("beta", i, 0) + shift * scale;
    result.scale.data.push_back(static_cast<float>(scale));
    result.offset.data.push_back(static_cast<float>(offset));
    if (!std::isfinite(result.scale.data.back()) || !std::isfinite(result.offset.data.back()))
      return error(messages::Normalization, call.where(), i, variance);
  }
  return result;
}

bool is_folded(const LayerCall& call) {
  return call.is_quantized() && call.class_name().ends_with("Batchnorm");
}

Result<FoldedWeights> read_folded(LayerCall& call, std::string_view kernel_name,
                                  const Shape& kernel_shape, int64_t outputs, bool use_bias,
                                  size_t rank) {
  std::vector<WeightSpec> specs = {
      {.name = kernel_name, .shape = kernel_shape, .owner = {}, .other_name = "kernel"}};
  if (use_bias)
    specs.push_back({"bias", {outputs}});
  std::optional<Normalization> normalization;
  if (is_folded(call)) {
    MR_TRY(normalization, read_normalization(call, rank));
    append_weights(*normalization, outputs, "batchnorm", specs);
  }
  MR_TRY(LayerWeights weights, call.read_weights(specs));
  FoldedWeights result{std::move(weights.find(kernel_name)->second), {}};
  if (use_bias)
    result.bias = std::move(weights.find("bias")->second);
  if (!normalization)
    return result;
  MR_TRY(ScaleAndOffset folded, scale_and_offset(call, *normalization, weights, outputs,
                                                 result.bias ? &*result.bias : nullptr));
  for (size_t i = 0; i < result.kernel.data.size(); ++i) {
    double& number = result.kernel.data[i];
    number = static_cast<float>(number * folded.scale.data[i % folded.scale.data.size()]);
  }
  result.bias = std::move(folded.offset);
  return result;
}

}  // namespace millrace::frontends::keras
