// SPDX-License-Identifier: Apache-2.0
// The layers of HGQ2: a quantiser before the layer (iq), one each for kernel and bias (kq, bq), and
// maybe one behind it (oq), whose types are trained element by element.
// Source   hgq2 0.2.0, quantizer/internal/fixed_point_quantizer.py, layers/core, layers/conv.py;
//          quantizers, fixed_point/_fixed_point_ops.py
#include <algorithm>
#include <cmath>

#include "millrace/frontends/keras/hgq.h"
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// A quantiser as the configuration has it.
struct TrainedQuantizer {
  bool has_bits = false;  ///< kbi: stores bits and integers; kif: integers and fractions
  Rounding rounding = Rounding::Floor;
  Overflow overflow = Overflow::Wrap;
  bool wraps = false;
  /// Weights that wrap are only rounded: training sees to it that they fit.
  bool only_rounds = false;
};

/// The names of its arrays, in the order in which they are stored.
std::vector<std::string> parameter_names(const TrainedQuantizer& quantizer) {
  if (quantizer.has_bits)
    return quantizer.wraps ? std::vector<std::string>{"b", "k", "i", "speed"}
                           : std::vector<std::string>{"b", "i", "k"};
  return quantizer.wraps ? std::vector<std::string>{"f", "k", "i", "speed"}
                         : std::vector<std::string>{"i", "f", "k"};
}

/// Reads the option `role`; none where it is absent.
/// Errors   other kinds than kbi and kif; scalers; options that nobody knows.
Result<std::optional<TrainedQuantizer>> read_trained(LayerCall& call, std::string_view role) {
  const Json* json = call.config.get(role);
  if (!json)
    return std::nullopt;
  const std::string where = call.where() + ": " + std::string(role);
  if (!json->is_object() || !json->contains("config"))
    return call.config.bad(role, "a QuantizerConfig");
  Config config((*json)["config"], where);
  TrainedQuantizer quantizer;
  MR_TRY(const std::string kind, config.text("q_type"));
  if (kind != "kbi" && kind != "kif")
    return error(messages::UnknownQuantizer, call.where(), printable(kind), role);
  quantizer.has_bits = kind == "kbi";
  MR_TRY(quantizer.rounding, read_rounding(config, "round_mode"));
  MR_TRY(quantizer.overflow, read_overflow(config, "overflow_mode"));
  quantizer.wraps = quantizer.overflow == Overflow::Wrap;
  MR_TRY(const bool is_weight, config.boolean("is_weight", false));
  MR_TRY(const bool is_trainable, config.boolean("trainable", true));
  quantizer.only_rounds =
      is_weight && is_trainable && quantizer.wraps && quantizer.rounding == Rounding::HalfUp;
  for (const std::string_view key : {"scaler", "affine", "bw_mapper"})
    MR_TRY_STATUS(config.refuse(key));
  // Where training starts, what keeps it in bounds, and which axes share a type, which the arrays'
  // shapes say as well.
  config.ignore({"place", "qnoise_factor", "k0", "b0", "i0", "f0", "bc", "ic", "fc", "br", "ir",
                 "fr", "i_decay_speed", "homogeneous_axis", "heterogeneous_axis", "seed"});
  MR_TRY_STATUS(config.check_all_read());
  return quantizer;
}

/// One quantiser of a layer with its arrays.
struct Parameters {
  std::optional<TrainedQuantizer> quantizer;
  FixedParameters fixed;
};

/// A layer's weights and quantisers, read together so that nothing is left over.
class Reader {
public:
  explicit Reader(LayerCall& call) : call_(call) {}

  Status add(const std::string& owner, std::string_view role) {
    MR_TRY(parameters_[owner].quantizer, read_trained(call_, role));
    return {};
  }
  void add_weight(std::string_view name, Shape shape, bool is_unused = false) {
    specs_.push_back({.name = name,
                      .shape = std::move(shape),
                      .owner = {},
                      .other_name = {},
                      .is_unused = is_unused});
  }

  Status read() {
    std::vector<std::string> names, owners;  // to which the specifications refer
    constexpr size_t Most = 32;
    names.reserve(Most);
    owners.reserve(Most);
    for (const auto& [owner, parameters] : parameters_) {
      if (!parameters.quantizer)
        continue;
      owners.push_back(owner + "/quantizer");
      for (const std::string& name : parameter_names(*parameters.quantizer)) {
        names.push_back(fmt::format("{}.{}", owner, name));
        specs_.push_back({.name = names.back(),
                          .shape = {},
                          .owner = owners.back(),
                          .other_name = {},
                          .has_any_shape = true,
                          .is_unused = name == "speed"});
      }
    }
    MR_TRY(weights_, call_.read_weights(specs_));
    for (auto& [owner, parameters] : parameters_)
      if (parameters.quantizer)
        MR_TRY_STATUS(convert(owner, parameters));
    return {};
  }

  FloatTensor& weight(std::string_view name) { return weights_.find(name)->second; }
  const Parameters& parameters(const std::string& owner) { return parameters_[owner]; }

private:
  /// Trained numbers are rounded to whole ones, half to even.
  Status convert(const std::string& owner, Parameters& parameters) {
    const auto array = [&](const char* name) -> const FloatTensor& {
      return weights_.find(owner + "." + name)->second;
    };
    const FloatTensor &keep = array("k"), &integers = array("i");
    const FloatTensor& third = array(parameters.quantizer->has_bits ? "b" : "f");
    if (keep.shape != integers.shape || third.shape != integers.shape)
      return error(messages::Shapes, call_.where(), to_string(keep.shape), to_string(third.shape));
    FixedParameters& fixed = parameters.fixed;
    fixed.shape = keep.shape.empty() ? Shape{1} : keep.shape;
    fixed.rounding = parameters.quantizer->rounding;
    fixed.overflow = parameters.quantizer->overflow;
    for (size_t i = 0; i < keep.data.size(); ++i) {
      const double sign = keep.data[i], left = std::nearbyint(integers.data[i]);
      const double stored = std::nearbyint(third.data[i]);
      const double bits = sign + stored + (parameters.quantizer->has_bits ? 0 : left);
      fixed.keep_negative.push_back(sign);
      fixed.bits.push_back(std::max(bits, 0.0));
      fixed.integers.push_back(sign + left);
    }
    return {};
  }

  LayerCall& call_;
  std::map<std::string, Parameters> parameters_;
  std::vector<WeightSpec> specs_;
  LayerWeights weights_;
};

/// Weights as their quantiser leaves them.
Result<FloatTensor> quantized(LayerCall& call, FloatTensor weights, const Parameters& parameters) {
  if (!parameters.quantizer)
    return weights;
  const FixedParameters& fixed = parameters.fixed;
  // Every array is that of the weights, or has one number.
  const bool is_one = fixed.bits.size() == 1;
  if (!is_one && fixed.shape != weights.shape)
    return error(messages::Shapes, call.where(), to_string(fixed.shape), to_string(weights.shape));
  for (size_t i = 0; i < weights.data.size(); ++i) {
    const size_t index = is_one ? 0 : i;
    double& number = weights.data[i];
    const double bits = fixed.bits[index];
    const bool is_signed = fixed.keep_negative[index] == 1;
    constexpr int MaxWidth = 62, MaxIntegers = FixedType::MaxFracBits / 2;
    if (bits > MaxWidth || std::abs(fixed.integers[index]) > MaxIntegers)
      return error(messages::QuantizerType, call.where(), bits, fixed.integers[index]);
    if (bits == 0) {
      number = 0;
      continue;
    }
    const auto width = static_cast<int>(bits);
    Quantizer to{{is_signed, width, static_cast<int>(bits - fixed.integers[index])},
                 fixed.rounding,
                 fixed.overflow};
    if (parameters.quantizer->only_rounds)
      to.type = {true, FixedType::MaxWidth, to.type.frac_bits};
    number = to.type.to_double(requantize(number, to));
  }
  return weights;
}

Result<Value> with_quantizer(LayerCall& call, const std::string& suffix, const Value& x,
                             const Parameters& parameters) {
  if (!parameters.quantizer)
    return x;
  return quantize_fixed(call, suffix, x, parameters.fixed);
}

/// iq, product, bias, activation, oq.
Result<Value> product_layer(LayerCall& call, const graph::OpKind& kind, Shape kernel_shape,
                            Shape graph_kernel, int64_t outputs, Shape shape) {
  Config& config = call.config;
  MR_TRY(const bool use_bias, config.boolean("use_bias", true));
  MR_TRY(const bool has_ebops, config.boolean("enable_ebops", false));
  MR_TRY(const bool has_iq, config.boolean("enable_iq", true));
  MR_TRY(const bool has_oq, config.boolean("enable_oq", false));
  config.ignore({"ebops_factor", "beta0", "parallelization_factor"});
  Reader reader(call);
  MR_TRY_STATUS(reader.add("iq", "iq_conf"));
  MR_TRY_STATUS(reader.add("kq", "kq_conf"));
  MR_TRY_STATUS(reader.add("bq", "bq_conf"));
  MR_TRY_STATUS(reader.add("oq", "oq_conf"));
  if (has_iq != reader.parameters("iq").quantizer.has_value())
    return config.bad("enable_iq", "whether iq_conf is there");
  if (has_oq != reader.parameters("oq").quantizer.has_value())
    return config.bad("enable_oq", "whether oq_conf is there");
  reader.add_weight("kernel", std::move(kernel_shape));
  if (use_bias)
    reader.add_weight("bias", {outputs});
  if (has_ebops) {  // what training counts
    reader.add_weight("beta", {}, true);
    reader.add_weight("ebops", {}, true);
  }
  MR_TRY_STATUS(reader.read());
  MR_TRY(const Value x, with_quantizer(call, "iq", call.x(), reader.parameters("iq")));
  MR_TRY(FloatTensor numbers,
         quantized(call, std::move(reader.weight("kernel")), reader.parameters("kq")));
  numbers.shape = std::move(graph_kernel);
  MR_TRY(const graph::ValueId kernel, call.constant("kernel", std::move(numbers)));
  std::optional<FloatTensor> bias;
  if (use_bias) {
    MR_TRY(bias, quantized(call, std::move(reader.weight("bias")), reader.parameters("bq")));
  }
  MR_TRY(const Value y, add_product(call, "", kind, x, Kernel{kernel, {}}, std::move(bias), {},
                                    outputs, std::move(shape)));
  MR_TRY(const Value activated, activate(call, y));
  return with_quantizer(call, "oq", activated, reader.parameters("oq"));
}

Result<Value> dense(LayerCall& call) {
  MR_TRY(const int64_t units, call.config.integer("units"));
  const Value& x = call.x();
  const Shape kernel{x.channels(), units};
  Shape shape = x.shape;
  shape.back() = units;
  if (x.shape.size() == 1)
    return product_layer(call, graph::Dense{}, kernel, kernel, units, std::move(shape));
  return product_layer(call, graph::Conv2D{}, kernel, {1, 1, x.channels(), units}, units,
                       std::move(shape));
}

Result<Value> convolution(LayerCall& call) {
  MR_TRY(const ConvolutionOptions options, read_convolution(call));
  const graph::Window& window = options.window;
  const int64_t inputs = call.x().channels() / options.groups;
  Shape kernel = options.kernel;
  kernel.push_back(inputs);
  kernel.push_back(options.filters);
  return product_layer(call, graph::Conv2D{window, options.groups}, std::move(kernel),
                       {window.kernel_h, window.kernel_w, inputs, options.filters}, options.filters,
                       window_shape(window, call.x(), options.filters));
}

}  // namespace

std::span<const LayerRule> hgq2_layers() {
  static constexpr LayerRule Rules[] = {
      {"hgq>QDense", &dense}, {"hgq>QConv1D", &convolution}, {"hgq>QConv2D", &convolution}};
  return Rules;
}

}  // namespace millrace::frontends::keras
