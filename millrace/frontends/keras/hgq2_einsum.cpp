// SPDX-License-Identifier: Apache-2.0
// HGQ2's einsum layers whose equation is that of a dense layer over the last axes.
// Source   hgq2 0.2.0, layers/core/einsum_dense.py, layers/einsum_dense_batchnorm.py; Keras 3,
//          layers/core/einsum_dense.py
#include <algorithm>
#include <cmath>
#include <map>

#include "millrace/frontends/keras/hgq2_quantizer.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

/// An equation "bpc,cd->bpd": each letter an axis; `contracted` (c), `outputs` (d) and `places` (p)
/// are lists of them.
struct Equation {
  std::string places, contracted, outputs;
  std::string kernel;  ///< its axes, in the order of the weight
  std::string result;  ///< places, outputs
  std::map<char, int64_t> extents;

  Shape shape(std::string_view axes) const {
    Shape shape;
    for (const char axis : axes)
      shape.push_back(extents.at(axis));
    return shape;
  }
  int64_t size(std::string_view axes) const { return num_elements(shape(axes)); }

  /// The element of an array of the axes `to` that element i of one of the axes `from` meets.
  size_t meets(int64_t i, std::string_view from, std::string_view to) const {
    std::map<char, int64_t> place;
    for (size_t k = from.size(); k-- > 0; i /= extents.at(from[k]))
      place[from[k]] = i % extents.at(from[k]);
    int64_t index = 0;
    for (const char axis : to)
      index = index * extents.at(axis) + place.at(axis);
    return static_cast<size_t>(index);
  }
};

bool are_distinct(std::string axes) {
  std::ranges::sort(axes);
  return std::ranges::adjacent_find(axes) == axes.end();
}

bool has(std::string_view axes, char axis) {
  return axes.find(axis) != std::string_view::npos;
}

/// Takes equations apart. None where it is not that of a dense layer over the last axes.
std::optional<Equation> parse_equation(const std::string& text, const Shape& x) {
  const size_t comma = text.find(','), arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow)
    return std::nullopt;
  std::string input = text.substr(0, comma), result = text.substr(arrow + 2);
  Equation equation;
  equation.kernel = text.substr(comma + 1, arrow - comma - 1);
  constexpr std::string_view Dots = "...";
  const size_t rank = x.size() + 1;
  if (input.starts_with(Dots) && result.starts_with(Dots)) {
    input.erase(0, Dots.size());
    result.erase(0, Dots.size());
    if (input.size() >= rank)
      return std::nullopt;
    const std::string elided = std::string("0123456789").substr(0, rank - input.size());
    input.insert(0, elided);
    result.insert(0, elided);
  }
  const auto is_axis = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (input.size() != rank || result.empty() || !std::ranges::all_of(input, is_axis) ||
      !std::ranges::all_of(result, is_axis) || !std::ranges::all_of(equation.kernel, is_axis) ||
      !are_distinct(input) || !are_distinct(result) || !are_distinct(equation.kernel) ||
      input[0] != result[0])
    return std::nullopt;
  // The batch, then what stays, then what is summed over.
  size_t kept = 1;
  while (kept < input.size() && kept < result.size() && input[kept] == result[kept])
    ++kept;
  equation.places = input.substr(1, kept - 1);
  equation.contracted = input.substr(kept);
  equation.outputs = result.substr(kept);
  equation.result = result.substr(1);
  std::string axes = equation.contracted + equation.outputs, kernel = equation.kernel;
  std::ranges::sort(axes);
  std::ranges::sort(kernel);
  if (axes != kernel || equation.contracted.empty() || equation.result.empty())
    return std::nullopt;
  for (size_t i = 1; i < rank; ++i)
    equation.extents[input[i]] = x[i - 1];
  return equation;
}

/// Reads equation and output_shape.
/// Errors   equations that are no dense layer; results of more than three extents.
Result<Equation> read_equation(LayerCall& call) {
  Config& config = call.config;
  MR_TRY(const std::string text, config.text("equation"));
  auto parsed = parse_equation(text, call.x().shape);
  constexpr size_t MaxRank = 3;
  if (!parsed || parsed->result.size() > MaxRank)
    return config.bad("equation",
                      "a dense layer over the last axes, as 'abc,cd->abd', with "
                      "results of at most three extents");
  const Json* json = config.get("output_shape");
  const Json list = json && json->is_number() ? Json::array({*json}) : json ? *json : Json();
  const std::string_view outputs = parsed->outputs;
  if (!list.is_array() || list.size() < outputs.size())
    return config.bad("output_shape", "an extent for each output axis");
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Json& extent = list[list.size() - outputs.size() + i];
    if (!extent.is_number_integer() || extent <= 0 || extent > graph::Window::Limit)
      return config.bad("output_shape", "an extent for each output axis");
    parsed->extents[outputs[i]] = extent.get<int64_t>();
  }
  return *std::move(parsed);
}

/// The axes of a bias or a normalisation, in the order of the result, and its shape in Keras: from
/// its first axis on, 1 where it is the same along one.
struct Offset {
  std::string axes;
  Shape shape;
};
Result<Offset> read_offset(LayerCall& call, const Equation& equation) {
  Offset offset;
  if (!call.config.has("bias_axes"))
    return offset;
  MR_TRY(const std::string axes, call.config.text("bias_axes"));
  for (const char axis : axes)
    if (!has(equation.result, axis))
      return call.config.bad("bias_axes", "axes of the result other than the batch");
  for (const char axis : equation.result) {
    const bool is_own = has(axes, axis);
    if (is_own)
      offset.axes += axis;
    if (!offset.axes.empty())
      offset.shape.push_back(is_own ? equation.extents.at(axis) : 1);
  }
  return offset;
}

/// Appends a change of shape, where the graph's shape changes.
Result<Value> reshaped(LayerCall& call, std::string_view suffix, const Value& x, Shape shape) {
  const Shape to = graph_shape(shape);
  if (call.type(x).shape == to)
    return Value{x.id, std::move(shape)};
  if (to.size() == 1)
    return call.add(suffix, graph::Flatten{}, {x.id}, std::move(shape));
  return call.add(suffix, graph::Reshape{to}, {x.id}, std::move(shape));
}

/// The kernel in the order of contracted and output axes.
FloatTensor arranged(const Equation& equation, const FloatTensor& kernel) {
  const std::string axes = equation.contracted + equation.outputs;
  const int64_t inputs = equation.size(equation.contracted);
  const int64_t outputs = equation.size(equation.outputs);
  FloatTensor result{
      equation.places.empty() ? Shape{inputs, outputs} : Shape{1, 1, inputs, outputs}, {}};
  for (int64_t i = 0; i < inputs * outputs; ++i)
    result.data.push_back(kernel.data[equation.meets(i, axes, equation.kernel)]);
  return result;
}

/// An offset repeated along other axes.
FloatTensor repeated(const Equation& equation, const FloatTensor& offset, std::string_view own,
                     std::string_view axes) {
  FloatTensor result{equation.shape(axes), {}};
  for (int64_t i = 0; i < equation.size(axes); ++i)
    result.data.push_back(offset.data[equation.meets(i, axes, own)]);
  return result;
}

/// iq, product, bias, activation, oq.
Result<Value> add_layer(LayerCall& call, TrainedLayer& layer, const Equation& equation,
                        const FloatTensor& kernel, const FloatTensor* offset,
                        const std::string& offset_axes) {
  MR_TRY(Value x, layer.quantized("iq", "iq", call.x()));
  Shape rows = equation.shape(equation.places);
  Shape products = rows;
  rows.push_back(equation.size(equation.contracted));
  const int64_t outputs = equation.size(equation.outputs);
  products.push_back(outputs);
  MR_TRY(x, reshaped(call, "rows", x, std::move(rows)));
  MR_TRY(const graph::ValueId id, call.constant("kernel", arranged(equation, kernel)));
  // A bias that is the same everywhere is the product's; another one is added to the map.
  const bool is_by_place =
      std::ranges::any_of(offset_axes, [&](char axis) { return has(equation.places, axis); });
  std::optional<FloatTensor> bias;
  if (offset && !is_by_place) {
    bias = repeated(equation, *offset, offset_axes, equation.outputs);
    bias->shape = {outputs};
  }
  const graph::OpKind kind =
      equation.places.empty() ? graph::OpKind(graph::Dense{}) : graph::OpKind(graph::Conv2D{});
  MR_TRY(Value y, add_product(call, is_by_place ? "product" : "", kind, x, Kernel{id, {}},
                              std::move(bias), {}, outputs, std::move(products)));
  MR_TRY(y, reshaped(call, "reshaped", y, equation.shape(equation.result)));
  if (is_by_place) {
    FloatTensor map = repeated(equation, *offset, offset_axes, equation.result);
    map.shape = graph_shape(map.shape);
    MR_TRY(const graph::ValueId added, call.constant("bias", std::move(map)));
    MR_TRY(y, call.add("", graph::Add{}, {y.id, added}, y.shape));
  }
  MR_TRY(const Value activated, activate(call, y));
  return layer.quantized("oq", "oq", activated);
}

Result<Value> einsum_dense(LayerCall& call) {
  MR_TRY(const Equation equation, read_equation(call));
  MR_TRY(const Offset offset, read_offset(call, equation));
  const bool use_bias = !offset.axes.empty();
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  MR_TRY_STATUS(layer.add("kq", "kq_conf"));
  MR_TRY_STATUS(use_bias ? layer.add("bq", "bq_conf") : call.config.refuse("bq_conf"));
  layer.add_weight("kernel", equation.shape(equation.kernel));
  if (use_bias)
    layer.add_weight("bias", offset.shape);
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(const FloatTensor kernel, layer.quantized("kq", std::move(layer.weight("kernel"))));
  FloatTensor bias;
  if (use_bias) {
    MR_TRY(bias, layer.quantized("bq", std::move(layer.weight("bias"))));
  }
  return add_layer(call, layer, equation, kernel, use_bias ? &bias : nullptr, offset.axes);
}

/// The normalisation's axes are those of the bias, and its epsilon is Keras' own: HGQ2 0.2.0 stores
/// no others and reads none of them.
Result<Value> normalized_einsum_dense(LayerCall& call) {
  MR_TRY(const Equation equation, read_equation(call));
  MR_TRY(const Offset offset, read_offset(call, equation));
  std::string in_kernel;
  for (const char axis : equation.kernel)
    if (has(offset.axes, axis))
      in_kernel += axis;
  if (offset.axes.empty() || in_kernel != offset.axes)
    return call.config.bad("bias_axes", "output axes, in the kernel's order");
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  MR_TRY_STATUS(layer.add("kq", "kq_conf"));
  MR_TRY_STATUS(layer.add("bq", "bq_conf"));
  const Shape channels = equation.shape(offset.axes);
  layer.add_weight("kernel", equation.shape(equation.kernel));
  layer.add_weight("bias", offset.shape);
  layer.add_weight("gamma", channels);
  if (layer.has_ebops())
    layer.add_training_weights();
  layer.add_weight("moving_mean", channels);
  layer.add_weight("moving_variance", channels);
  MR_TRY_STATUS(layer.read());
  constexpr float Epsilon = 1e-7F;
  const auto number = [&](std::string_view name, size_t i) {
    return static_cast<float>(layer.weight(name).data[i]);
  };
  FloatTensor kernel = std::move(layer.weight("kernel")), bias = std::move(layer.weight("bias"));
  std::vector<float> factors;
  for (size_t i = 0; i < bias.data.size(); ++i) {
    factors.push_back(number("gamma", i) / std::sqrt(number("moving_variance", i) + Epsilon));
    if (!std::isfinite(factors.back()))
      return error(messages::Normalization, call.where(), i, number("moving_variance", i));
    const float product = -number("moving_mean", i) * factors[i];
    bias.data[i] = static_cast<float>(bias.data[i]) + product;
  }
  for (size_t i = 0; i < kernel.data.size(); ++i)
    kernel.data[i] = static_cast<float>(kernel.data[i]) *
                     factors[equation.meets(static_cast<int64_t>(i), equation.kernel, offset.axes)];
  MR_TRY(kernel, layer.quantized("kq", std::move(kernel)));
  MR_TRY(bias, layer.quantized("bq", std::move(bias)));
  return add_layer(call, layer, equation, kernel, &bias, offset.axes);
}

}  // namespace

std::span<const LayerRule> hgq2_einsum_layers() {
  static constexpr LayerRule Rules[] = {{"hgq>QEinsumDense", &einsum_dense},
                                        {"hgq>QEinsumDenseBatchnorm", &normalized_einsum_dense}};
  return Rules;
}

}  // namespace millrace::frontends::keras
