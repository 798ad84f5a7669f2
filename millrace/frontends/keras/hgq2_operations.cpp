// SPDX-License-Identifier: Apache-2.0
// HGQ2's layers without weights of their own: Keras' operations between quantisers, and sums.
// Source   hgq2 0.2.0, quantizer/quantizer.py, layers/ops, layers/pooling.py
#include <cmath>

#include "millrace/frontends/keras/hgq2_quantizer.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/support/check.h"

namespace millrace::frontends::keras {
namespace {

/// The layer that is a quantiser.
Result<Value> quantizer(LayerCall& call) {
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add("", "config"));
  if (!layer.has(""))
    return error(messages::MissingOption, call.where(), "config");
  MR_TRY_STATUS(layer.read());
  return layer.quantized("", "", call.x());
}

/// What Keras' own class of that name computes: "hgq>QAdd" is an Add.
Result<Value> plain_layer(LayerCall& call) {
  constexpr std::string_view Prefix = "hgq>Q";
  const LayerRule* rule = find_layer(std::string_view(call.class_name()).substr(Prefix.size()));
  check(rule, "a layer of HGQ2 has the name of one of Keras");
  return rule->translate(call);
}

/// iq, Keras' pool, oq.
Result<Value> pool(LayerCall& call) {
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(call.inputs[0], layer.quantized("iq", "iq", call.x()));
  MR_TRY(const Value y, plain_layer(call));
  return layer.quantized("oq", "oq", y);
}

/// Quantises each operand by its own quantiser.
Status quantize_operands(LayerCall& call, TrainedLayer& layer) {
  Config& config = call.config;
  MR_TRY_STATUS(layer.add_output());
  MR_TRY(const bool has_iq, config.boolean("enable_iq", true));
  const Json* list = config.get("iq_confs");
  const size_t count = call.inputs.size();
  if (has_iq != (list != nullptr) || (list && (!list->is_array() || list->size() != count)))
    return config.bad("iq_confs", has_iq ? "a quantiser for each input" : "none");
  const auto owner = [](size_t i) {
    return i == 0 ? std::string("iq/quantizers/quantizer")
                  : fmt::format("iq/quantizers/quantizer_{}", i);
  };
  for (size_t i = 0; list && i < count; ++i) {
    if ((*list)[i].is_null())
      return config.bad("iq_confs", "a quantiser for each input");
    MR_TRY_STATUS(layer.add(owner(i), "iq_confs", &(*list)[i]));
  }
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  for (size_t i = 0; list && i < count; ++i) {
    MR_TRY(call.inputs[i], layer.quantized(owner(i), fmt::format("iq{}", i), call.inputs[i]));
  }
  return {};
}

Result<Value> merge(LayerCall& call) {
  TrainedLayer layer(call);
  MR_TRY_STATUS(quantize_operands(call, layer));
  MR_TRY(const Value y, plain_layer(call));
  return layer.quantized("oq", "oq", y);
}

/// The power of two next to 1 / count by its logarithm, half to even.
double nearest_reciprocal(int64_t count) {
  return std::exp2(std::nearbyint(std::log2(1.0 / static_cast<double>(count))));
}

/// The sum, times the power of two next to the reciprocal of the number of inputs.
Result<Value> average(LayerCall& call) {
  TrainedLayer layer(call);
  MR_TRY_STATUS(quantize_operands(call, layer));
  const LayerRule* add = find_layer("Add");
  check(add, "Add is a layer of Keras");
  MR_TRY(const Value sum, add->translate(call));
  MR_TRY(const Value y,
         call.with_number<graph::Mul>(
             "mean", sum, nearest_reciprocal(static_cast<int64_t>(call.inputs.size()))));
  return layer.quantized("oq", "oq", y);
}

/// The axes of a sum, the batch not counted, as a mask.
Result<std::vector<bool>> read_axes(LayerCall& call) {
  const auto rank = static_cast<int64_t>(call.x().shape.size());
  const Json* json = call.config.get("axes");
  const size_t count = json && json->is_array() ? json->size() : 1;
  MR_TRY(const auto axes, call.config.integers("axes", count));
  std::vector<bool> summed(static_cast<size_t>(rank), false);
  for (const int64_t axis : axes) {
    const int64_t index = axis < 0 ? axis + rank : axis - 1;
    if (index < 0 || index >= rank || summed[static_cast<size_t>(index)])
      return call.config.bad("axes", "axes of the input other than the batch");
    summed[static_cast<size_t>(index)] = true;
  }
  return summed;
}

}  // namespace

Result<Value> sum_axes(LayerCall& call, std::string_view suffix, const Value& x,
                       const std::vector<bool>& summed) {
  Shape shape = x.shape;
  for (size_t i = 0; i < shape.size(); ++i)
    if (summed[i])
      shape[i] = 1;
  const std::string prefix = suffix.empty() ? "" : std::string(suffix) + ".";
  const int64_t channels = x.channels();
  graph::Window window;
  const size_t rank = x.shape.size();
  if (rank >= 2 && summed[rank - 2])
    window.kernel_w = window.stride_w = x.shape[rank - 2];
  if (rank >= 3 && summed[0])
    window.kernel_h = window.stride_h = x.shape[0];
  // Sums over channels are one output of all of them, others a convolution by channel.
  const int64_t inputs = summed.back() ? channels : 1, outputs = summed.back() ? 1 : channels;
  const int64_t count = window.kernel_h * window.kernel_w;
  constexpr int64_t MaxOnes = int64_t{1} << 20;
  if (count > MaxOnes / channels)
    return error(messages::TooLarge, call.where(), "the sum", fmt::format("{} numbers", MaxOnes));
  FloatTensor ones{
      rank == 1 ? Shape{inputs, outputs} : Shape{window.kernel_h, window.kernel_w, inputs, outputs},
      std::vector<double>(static_cast<size_t>(count * channels), 1)};
  MR_TRY(const graph::ValueId kernel, call.constant(prefix + "ones", std::move(ones)));
  const graph::OpKind kind =
      rank == 1 ? graph::OpKind(graph::Dense{})
                : graph::OpKind(graph::Conv2D{window, summed.back() ? 1 : channels});
  return add_product(call, suffix, kind, x, Kernel{kernel, {}}, {}, {}, outputs, std::move(shape));
}

namespace {

/// The sum over axes times a power of two.
Result<Value> sum(LayerCall& call) {
  Config& config = call.config;
  const bool is_mean = call.class_name() == "hgq>QMeanPow2";
  TrainedLayer layer(call);
  MR_TRY_STATUS(layer.add_input_and_output());
  if (layer.has_ebops())
    layer.add_training_weights();
  MR_TRY_STATUS(layer.read());
  MR_TRY(const bool keeps, config.boolean("keepdims", false));
  MR_TRY(const auto summed, read_axes(call));
  double scale = 1;
  if (!is_mean) {
    MR_TRY(scale, config.number("scale", 1));
  }
  constexpr double Limit = 0x1p100;
  int exponent = 0;
  if (std::frexp(scale, &exponent) != 0.5 || scale > Limit || scale < 1 / Limit)
    return config.bad("scale", "a power of two");
  int64_t count = 1;
  Shape left;
  for (size_t i = 0; i < summed.size(); ++i) {
    if (summed[i])
      count *= call.x().shape[i];
    else
      left.push_back(call.x().shape[i]);
  }
  if (is_mean)
    scale = nearest_reciprocal(count);
  if (left.empty() && !keeps)
    return config.bad("axes", "one that leaves an axis, or keepdims");
  MR_TRY(const Value x, layer.quantized("iq", "iq", call.x()));
  MR_TRY(Value y, sum_axes(call, "", x, summed));
  if (!keeps) {
    const Shape to = graph_shape(left);
    if (to == call.type(y).shape) {
      y.shape = std::move(left);
    } else {
      const graph::OpKind kind =
          to.size() == 1 ? graph::OpKind(graph::Flatten{}) : graph::OpKind(graph::Reshape{to});
      MR_TRY(y, call.add("reshaped", kind, {y.id}, std::move(left)));
    }
  }
  if (scale != 1) {
    MR_TRY(y, call.with_number<graph::Mul>("scaled", y, scale));
  }
  return layer.quantized("oq", "oq", y);
}

}  // namespace

std::span<const LayerRule> hgq2_operation_layers() {
  constexpr size_t Many = 10'000;
  static constexpr LayerRule Rules[] = {
      {"hgq>Quantizer", &quantizer},
      {"hgq>QAdd", &merge, 2, Many},
      {"hgq>QSubtract", &merge, 2, 2},
      {"hgq>QMultiply", &merge, 2, Many},
      {"hgq>QMaximum", &merge, 2, Many},
      {"hgq>QMinimum", &merge, 2, Many},
      {"hgq>QAveragePow2", &average, 2, Many},
      {"hgq>QSum", &sum},
      {"hgq>QMeanPow2", &sum},
      {"hgq>QMaxPooling1D", &pool},
      {"hgq>QMaxPooling2D", &pool},
      {"hgq>QAveragePooling1D", &pool},
      {"hgq>QAveragePooling2D", &pool},
      {"hgq>QGlobalMaxPooling1D", &pool},
      {"hgq>QGlobalMaxPooling2D", &pool},
      {"hgq>QGlobalAveragePooling1D", &pool},
      {"hgq>QGlobalAveragePooling2D", &pool},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
