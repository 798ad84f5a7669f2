// SPDX-License-Identifier: Apache-2.0
// The table of operators. Attributes that have no bearing on inference are listed with the others:
// momentum (BatchNormalization), storage_order (MaxPool: of indices, which are refused), seed
// (Dropout), sorted (TopK: sorted numbers are unsorted ones too), is_test.
#include "millrace/frontends/onnx/rules.h"

#include <algorithm>
#include <limits>

#include "millrace/frontends/onnx/own_functions.h"
#include "millrace/frontends/onnx/quantizer.h"

namespace millrace::frontends::onnx {

namespace {

/// In the table in place of the functions for each two modes; no operator has this name.
constexpr std::string_view AnyRequantize = "Requantize_*";

}  // namespace

const std::vector<Importer::Rule>& Importer::onnx_rules() {
  using I = Importer;
  constexpr size_t Any = std::numeric_limits<size_t>::max();
  static const std::vector<Rule> rules = {
      {"Abs", 1, 1, &I::fold_constants, &I::exact_function, {}},
      {"Add", 2, 2, &I::fold_constants, &I::arithmetic, {}},
      {"ArgMax", 1, 1, nullptr, &I::arg_max, {"axis", "keepdims", "select_last_index"}},
      {"ArgMin", 1, 1, nullptr, &I::arg_max, {"axis", "keepdims", "select_last_index"}},
      {"AveragePool",
       1,
       1,
       nullptr,
       &I::average_pool,
       {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads",
        "strides"}},
      {"BatchNormalization",
       5,
       5,
       nullptr,
       &I::batch_normalization,
       {"epsilon", "momentum", "spatial", "training_mode"}},
      {"Cast", 1, 1, &I::fold_constants, &I::cast, {"saturate", "to"}},
      {"Ceil", 1, 1, &I::fold_constants, nullptr, {}},
      {"Clip", 1, 3, &I::fold_constants, &I::clip, {"max", "min"}},
      {"Concat", 1, Any, &I::fold_constants, &I::concat, {"axis"}},
      {"Constant",
       0,
       0,
       &I::constant_node,
       nullptr,
       {"value", "value_float", "value_floats", "value_int", "value_ints"}},
      {"ConstantOfShape", 1, 1, &I::fold_constants, nullptr, {"value"}},
      {"Conv",
       2,
       3,
       nullptr,
       &I::conv,
       {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      {"ConvTranspose",
       2,
       3,
       nullptr,
       &I::conv_transpose,
       {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads",
        "strides"}},
      {"DequantizeLinear", 2, 3, &I::constant_dequantize, &I::dequantize_linear, {"axis"}},
      {"Div", 2, 2, &I::fold_constants, &I::arithmetic, {}},
      {"Dropout", 1, 3, &I::dropout, &I::dropout, {"ratio", "seed"}},
      {"Elu", 1, 1, nullptr, &I::real_function, {"alpha"}},
      {"Equal", 2, 2, &I::fold_constants, nullptr, {}},
      {"Erf", 1, 1, nullptr, &I::real_function, {}},
      {"Exp", 1, 1, &I::fold_constants, &I::real_function, {}},
      {"Expand", 2, 2, &I::fold_constants, &I::expand_operand, {}},
      {"Flatten", 1, 1, &I::constant_reshape, &I::flatten, {"axis"}},
      {"Floor", 1, 1, &I::fold_constants, nullptr, {}},
      {"Gather", 2, 2, &I::fold_constants, nullptr, {"axis"}},
      {"Gelu", 1, 1, nullptr, &I::real_function, {"approximate"}},
      {"Gemm", 2, 3, nullptr, &I::gemm, {"alpha", "beta", "transA", "transB"}},
      {"GlobalAveragePool", 1, 1, nullptr, &I::global_pool, {}},
      {"GlobalMaxPool", 1, 1, nullptr, &I::global_pool, {}},
      {"HardSigmoid", 1, 1, nullptr, &I::real_function, {"alpha", "beta"}},
      {"HardSwish", 1, 1, nullptr, &I::real_function, {}},
      {"Identity", 1, 1, &I::constant_identity, &I::identity, {}},
      {"LeakyRelu", 1, 1, nullptr, &I::leaky_relu, {"alpha"}},
      {"Log", 1, 1, &I::fold_constants, &I::real_function, {}},
      {"MatMul", 2, 2, nullptr, &I::mat_mul, {}},
      {"Max", 1, Any, &I::fold_constants, &I::arithmetic, {}},
      {"MaxPool",
       1,
       1,
       nullptr,
       &I::max_pool,
       {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"}},
      {"Mean", 1, Any, nullptr, &I::arithmetic, {}},
      {"Min", 1, Any, &I::fold_constants, &I::arithmetic, {}},
      {"Mish", 1, 1, nullptr, &I::real_function, {}},
      {"Mul", 2, 2, &I::fold_constants, &I::arithmetic, {}},
      {"Neg", 1, 1, &I::fold_constants, &I::exact_function, {}},
      {"PRelu", 2, 2, nullptr, &I::prelu, {}},
      {"Pad", 1, 4, nullptr, &I::pad, {"mode", "pads", "value"}},
      {"Pow", 2, 2, &I::fold_constants, &I::power, {}},
      {"QuantizeLinear", 2, 3, nullptr, &I::quantize_linear, {"axis", "saturate"}},
      {"Reciprocal", 1, 1, &I::fold_constants, &I::real_function, {}},
      {"ReduceMax", 1, 2, nullptr, &I::reduce, {"axes", "keepdims", "noop_with_empty_axes"}},
      {"ReduceMean", 1, 2, nullptr, &I::reduce, {"axes", "keepdims", "noop_with_empty_axes"}},
      {"ReduceMin", 1, 2, nullptr, &I::reduce, {"axes", "keepdims", "noop_with_empty_axes"}},
      {"ReduceProd",
       1,
       2,
       &I::fold_constants,
       nullptr,
       {"axes", "keepdims", "noop_with_empty_axes"}},
      {"ReduceSum", 1, 2, nullptr, &I::reduce, {"axes", "keepdims", "noop_with_empty_axes"}},
      {"Relu", 1, 1, nullptr, &I::relu, {}},
      {"Reshape", 2, 2, &I::constant_reshape, &I::reshape, {"allowzero"}},
      {"Resize",
       1,
       4,
       nullptr,
       &I::resize,
       {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
        "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode"}},
      {"Selu", 1, 1, nullptr, &I::real_function, {"alpha", "gamma"}},
      {"Shape", 1, 1, &I::constant_shape, &I::constant_shape, {"end", "start"}},
      {"Sigmoid", 1, 1, nullptr, &I::real_function, {}},
      {"Sign", 1, 1, nullptr, &I::exact_function, {}},
      {"Size", 1, 1, &I::constant_shape, &I::constant_shape, {}},
      {"Slice", 1, 5, &I::fold_constants, &I::slice, {"axes", "ends", "starts"}},
      {"Softmax", 1, 1, nullptr, &I::softmax, {"axis"}},
      {"Softplus", 1, 1, nullptr, &I::real_function, {}},
      {"Softsign", 1, 1, nullptr, &I::real_function, {}},
      {"Split", 1, 2, nullptr, &I::split, {"axis", "num_outputs", "split"}, true},
      {"Sqrt", 1, 1, &I::fold_constants, &I::real_function, {}},
      {"Squeeze", 1, 2, &I::constant_reshape, &I::squeeze, {"axes"}},
      {"Sub", 2, 2, &I::fold_constants, &I::arithmetic, {}},
      {"Sum", 1, Any, nullptr, &I::arithmetic, {}},
      {"Tanh", 1, 1, nullptr, &I::real_function, {}},
      {"TopK", 1, 2, nullptr, &I::top_k, {"axis", "k", "largest", "sorted"}, true},
      {"Transpose", 1, 1, &I::constant_transpose, &I::transpose_axes, {"perm"}},
      {"Unsqueeze", 1, 2, &I::constant_reshape, &I::unsqueeze, {"axes"}},
      {"Upsample", 1, 2, nullptr, &I::resize, {"mode", "scales"}},
      {"Where", 3, 3, &I::fold_constants, nullptr, {}},
  };
  return rules;
}

const std::vector<Importer::Rule>& Importer::quant_rules() {
  using I = Importer;
  static const std::vector<std::string_view> quant_attributes = {"narrow", "rounding_mode",
                                                                 "signed"};
  static const std::vector<Rule> rules = {
      {"BipolarQuant", 2, 2, &I::constant_bipolar_quant, &I::bipolar_quant, {}},
      {"IntQuant", 4, 4, &I::constant_quant, &I::quant, quant_attributes},
      {"MultiThreshold",
       2,
       2,
       nullptr,
       &I::multi_threshold,
       {"data_layout", "out_bias", "out_dtype", "out_scale"}},
      {"Quant", 4, 4, &I::constant_quant, &I::quant, quant_attributes},
      {"Trunc", 5, 6, nullptr, &I::trunc, quant_attributes},
  };
  return rules;
}

const std::vector<Importer::Rule>& Importer::own_rules() {
  using I = Importer;
  static const std::vector<Rule> rules = {
      {AnyRequantize, 5, 5, &I::constant_own_requantize, &I::own_requantize, {}},
      {"Rsqrt", 1, 1, nullptr, &I::real_function, {}},
      {"Silu", 1, 1, nullptr, &I::real_function, {}},
      {"Table", 4, 4, nullptr, &I::own_table, {"bit_width", "frac_bits", "signed"}},
  };
  return rules;
}

const std::vector<Importer::Rule>& Importer::channels_last_rules() {
  static const std::vector<Rule> rules = [] {
    std::vector<Rule> wrapped;
    for (const Rule& rule : onnx_rules()) {
      if (rule.op != "Conv" && rule.op != "MaxPool" && rule.op != "BatchNormalization")
        continue;
      wrapped.push_back(rule);
      wrapped.back().on_constants = nullptr;
      wrapped.back().on_activations = &Importer::channels_last;
    }
    return wrapped;
  }();
  return rules;
}

std::vector<std::string_view> Importer::operators() {
  std::vector<std::string_view> names;
  for (const Rule& rule : onnx_rules())
    names.push_back(rule.op);
  return names;
}

const Importer::Rule* Importer::find_rule(const Node& node) {
  const bool is_quant = is_quant_domain(node.domain), is_own = node.domain == OwnDomain;
  const bool is_channels_last = node.domain == ChannelsLastDomain;
  if (!is_quant && !is_own && !is_channels_last && !node.domain.empty())
    return nullptr;
  const auto& rules = is_quant           ? quant_rules()
                      : is_own           ? own_rules()
                      : is_channels_last ? channels_last_rules()
                                         : onnx_rules();
  const bool is_requantize = is_own && RequantizeModes::of(node.op);
  if (is_own && !is_requantize && node.op == AnyRequantize)
    return nullptr;
  const std::string_view op = is_requantize ? AnyRequantize : std::string_view(node.op);
  const auto found = std::ranges::find(rules, op, &Rule::op);
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace millrace::frontends::onnx
