// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/importer.h"

#include <algorithm>
#include <array>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/support/check.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// Options of any layer that say nothing about its results: training, names, and what Keras notes
/// about how the layer came to be.
constexpr std::array<std::string_view, 35> IrrelevantOptions = {
    "name", "trainable", "batch_input_shape", "batch_shape", "batch_size", "input_dtype",
    // How weights start and what training keeps them to.
    "kernel_initializer", "bias_initializer", "depthwise_initializer", "pointwise_initializer",
    "gamma_initializer", "beta_initializer", "moving_mean_initializer",
    "moving_variance_initializer", "alpha_initializer", "kernel_regularizer", "bias_regularizer",
    "depthwise_regularizer", "pointwise_regularizer", "gamma_regularizer", "beta_regularizer",
    "alpha_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint",
    "depthwise_constraint", "pointwise_constraint", "gamma_constraint", "beta_constraint",
    "alpha_constraint",
    // Of QKeras: deprecated, and read by nothing.
    "kernel_range", "bias_range", "depthwise_range", "gamma_range", "beta_range"};

/// Options that change results where they are set.
constexpr std::array<std::string_view, 5> RefusedOptions = {
    "quantization_config", "lora_rank", "lora_alpha", "quantization_mode", "mask"};

/// Refuses arithmetic other than that of float32 and float64.
Status check_dtype(Config& config) {
  const Json* dtype = config.get("dtype");
  if (!dtype)
    return {};
  if (dtype->is_object()) {  // a policy
    const auto options = dtype->find("config");
    if (options != dtype->end() && options->is_object() && options->contains("name"))
      dtype = &*options->find("name");
  }
  if (*dtype == "float32" || *dtype == "float64")
    return {};
  return error(messages::Arithmetic, config.where(),
               printable(dtype->is_string() ? dtype->get<std::string>() : dtype->dump()));
}

Result<Shape> read_input_shape(LayerCall& call) {
  const Json* json = nullptr;
  for (const std::string_view key : {"batch_shape", "batch_input_shape"})
    if (const Json* found = call.config.get(key))
      json = found;
  call.config.ignore({"sparse", "ragged", "optional"});
  for (const std::string_view key : {"sparse", "ragged", "optional"})
    MR_TRY_STATUS(call.config.refuse(key));
  if (!json)
    return error(messages::MissingOption, call.where(), "batch_shape");
  const std::string shown = printable(json->dump());
  Shape shape;
  if (!json->is_array() || json->empty() || json->size() > 4 ||
      !((*json)[0].is_null() || (*json)[0] == 1))
    return error(messages::InputShape, call.where(), shown);
  int64_t elements = 1;
  for (size_t i = 1; i < json->size(); ++i) {
    const Json& extent = (*json)[i];
    const int64_t size = extent.is_number_integer() ? extent.get<int64_t>() : 0;
    if (size < 1 || size > graph::TensorType::MaxElements / elements)
      return error(messages::InputShape, call.where(), shown);
    elements *= size;
    shape.push_back(size);
  }
  if (shape.empty())
    return error(messages::InputShape, call.where(), shown);
  return shape;
}

/// The value of one call.
Result<Value> translate_call(LayerCall& call) {
  MR_TRY_STATUS(check_dtype(call.config));
  call.config.ignore(IrrelevantOptions);
  for (const std::string_view key : RefusedOptions)
    MR_TRY_STATUS(call.config.refuse(key));
  if (call.class_name() == "InputLayer") {
    MR_TRY(Shape shape, read_input_shape(call));
    MR_TRY_STATUS(call.config.check_all_read());
    const graph::TensorType type{graph_shape(shape), std::nullopt};
    return call.add("", graph::Input{type}, {}, std::move(shape));
  }
  const LayerRule* rule = find_layer(call.class_name());
  check(rule, "a layer of an unknown class was not found before");
  const size_t count = call.inputs.size();
  if (count < rule->min_inputs || count > rule->max_inputs)
    return error(messages::NumInputs, call.where(), count,
                 rule->max_inputs == rule->min_inputs
                     ? fmt::format("{}", rule->min_inputs)
                     : fmt::format("{} or more", rule->min_inputs));
  MR_TRY(Value value, rule->translate(call));
  MR_TRY_STATUS(call.config.check_all_read());
  return value;
}

}  // namespace

bool needs_weights(const Model& model) {
  return std::ranges::any_of(model.layers, [](const Layer& layer) {
    const auto has_part = [&](std::string_view part) {
      return layer.class_name.find(part) != std::string::npos;
    };
    return has_part("Dense") || has_part("Conv") || has_part("Normalization") ||
           has_part("PReLU") || has_part("FixedPointQuantizer") || has_part("UnaryLUT") ||
           layer.class_name.starts_with("hgq>");
  });
}

Result<graph::Graph> translate(const Model& model, const Weights* weights) {
  // Before anything else, so that the first thing a user hears of is what cannot be helped.
  for (const Layer& layer : model.layers)
    if (layer.class_name != "InputLayer" && !find_layer(layer.class_name))
      return error(messages::UnknownLayer, layer.where, printable(layer.class_name));
  graph::Builder builder(model.name.empty() ? "model" : model.name);
  std::map<CallRef, Value> values;
  const auto run = [&](const CallRef& ref) -> Status {
    if (values.contains(ref))
      return {};
    const Layer& layer = model.layers[ref.layer];
    std::vector<Value> inputs;
    for (const CallRef& operand : layer.calls[ref.call])
      inputs.push_back(values.at(operand));
    LayerCall call(layer, std::move(inputs), {model.dialect, weights, builder});
    MR_TRY(Value value, translate_call(call));
    values.emplace(ref, std::move(value));
    return {};
  };
  // The graph's inputs are in the model's order.
  for (const CallRef& input : model.inputs) {
    if (model.layers[input.layer].class_name != "InputLayer")
      return error(messages::NoInput, model.layers[input.layer].where);
    MR_TRY_STATUS(run(input));
  }
  for (const CallRef& ref : model.order)
    MR_TRY_STATUS(run(ref));
  for (const CallRef& output : model.outputs)
    builder.output(values.at(output).id);
  return std::move(builder).finish();
}

}  // namespace millrace::frontends::keras
