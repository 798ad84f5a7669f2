// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/layer_call.h"

#include <algorithm>

#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {

Shape graph_shape(const Shape& shape) {
  return shape.size() == 2 ? Shape{1, shape[0], shape[1]} : shape;
}

Result<Value> LayerCall::add(std::string_view suffix, graph::OpKind kind,
                             std::vector<graph::ValueId> operands, Shape shape) {
  const std::string name = suffix.empty() ? layer_.name : fmt::format("{}.{}", layer_.name, suffix);
  MR_TRY(const graph::ValueId id,
         builder_.add(name, std::move(kind), std::move(operands), where()));
  return Value{id, std::move(shape)};
}

Result<graph::ValueId> LayerCall::constant(std::string_view suffix, FloatTensor value) {
  MR_TRY(const Value added,
         add(suffix, graph::Constant{{std::move(value.shape), std::nullopt}, std::move(value.data)},
             {}, {}));
  return added.id;
}

Result<LayerWeights> LayerCall::read_weights(const std::vector<WeightSpec>& specs) const {
  if (!weights_)
    return error(messages::MissingWeight, where(), specs.front().name, "any file");
  return weights_->read(layer_, specs);
}

Result<std::optional<QuantizerSpec>> LayerCall::quantizer(std::string_view role) {
  return read_quantizer(config.get(role), role, where());
}

Status check_data_format(LayerCall& call) {
  MR_TRY(const std::string format, call.config.text("data_format", "channels_last"));
  if (format == "channels_first")
    return error(messages::ChannelsFirst, call.where());
  if (format != "channels_last")
    return call.config.bad("data_format", "channels_last");
  return {};
}

Result<Kernel> add_kernel(LayerCall& call, std::string_view name, FloatTensor numbers,
                          const std::optional<QuantizerSpec>& quantizer, int64_t outputs,
                          const Arrangement& arrange, bool scales_inputs) {
  if (!quantizer) {
    MR_TRY(const graph::ValueId id, call.constant(name, arrange(std::move(numbers))));
    return Kernel{id, {}};
  }
  if (scales_inputs) {
    MR_TRY(FloatTensor values, quantized_values(*quantizer, std::move(numbers), true));
    MR_TRY(const graph::ValueId id, call.constant(name, arrange(std::move(values))));
    return Kernel{id, {}};
  }
  MR_TRY(QuantizedWeights quantized, quantize_weights(*quantizer, std::move(numbers), true));
  Kernel kernel;
  MR_TRY(kernel.id, call.constant(name, arrange(std::move(quantized.numbers))));
  const auto size = static_cast<size_t>(outputs);
  if (quantized.step) {
    graph::Requantize step = *std::move(quantized.step);
    if (!step.types.empty()) {
      std::vector<FixedType> types(size);
      for (size_t i = 0; i < size; ++i)
        types[i] = step.types[i % step.types.size()];
      step.types = std::move(types);
    }
    MR_TRY(const Value value,
           call.add(fmt::format("{}.{}", name, quantizer->role), std::move(step), {kernel.id}, {}));
    kernel.id = value.id;
  }
  if (!quantized.scale.empty())
    for (size_t i = 0; i < size; ++i)
      kernel.scale.push_back(quantized.scale[i % quantized.scale.size()]);
  return kernel;
}

Result<Value> add_product(LayerCall& call, std::string_view suffix, graph::OpKind kind,
                          const Value& x, const Kernel& kernel, std::optional<FloatTensor> bias,
                          const std::optional<QuantizerSpec>& bias_quantizer, int64_t outputs,
                          Shape shape) {
  const std::string prefix = suffix.empty() ? "" : std::string(suffix) + ".";
  const FloatTensor zeros{{outputs}, std::vector<double>(static_cast<size_t>(outputs), 0)};
  graph::ValueId bias_id = -1;
  if (bias && bias_quantizer) {
    MR_TRY(QuantizedWeights quantized, quantize_weights(*bias_quantizer, *std::move(bias), false));
    MR_TRY(bias_id, call.constant(prefix + "bias", std::move(quantized.numbers)));
    if (quantized.step) {
      MR_TRY(const Value value, call.add(fmt::format("{}bias.{}", prefix, bias_quantizer->role),
                                         *std::move(quantized.step), {bias_id}, {}));
      bias_id = value.id;
    }
  } else {
    MR_TRY(bias_id, call.constant(prefix + "bias", bias ? *std::move(bias) : zeros));
  }
  if (kernel.scale.empty())
    return call.add(suffix, std::move(kind), {x.id, kernel.id, bias_id}, std::move(shape));
  MR_TRY(const graph::ValueId none, call.constant(prefix + "zeros", zeros));
  MR_TRY(const Value product,
         call.add(prefix + "product", std::move(kind), {x.id, kernel.id, none}, shape));
  MR_TRY(const graph::ValueId scale,
         call.constant(prefix + "scale", FloatTensor{{outputs}, kernel.scale}));
  return call.add(suffix, graph::Affine{}, {product.id, scale, bias_id}, std::move(shape));
}

}  // namespace millrace::frontends::keras
