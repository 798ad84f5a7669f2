// SPDX-License-Identifier: Apache-2.0
// HGQ2's quantisers, whose types are trained element by element, and where its layers keep them.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/frontends/keras/hgq.h"

namespace millrace::frontends::keras {

/// A quantiser as the configuration has it.
struct TrainedQuantizer {
  bool is_identity = false;  ///< of the type "dummy": has no arrays
  bool has_bits = false;     ///< kbi: stores bits and integers; kif: integers and fractions
  Rounding rounding = Rounding::Floor;
  Overflow overflow = Overflow::Wrap;
  bool wraps = false;
  /// Weights that wrap are only rounded: training sees to it that they fit.
  bool only_rounds = false;
  int scale_exponent = 0;  ///< quantises x / 2^e, then multiplies by 2^e
  /// A factor and an offset behind it.
  std::optional<std::pair<float, float>> affine;
};

/// One quantiser of a layer with its arrays.
struct TrainedParameters {
  std::optional<TrainedQuantizer> quantizer;
  FixedParameters fixed;

  /// One number as the quantiser at `index` leaves it, without `affine`, rounded in float32.
  double apply(float number, size_t index) const;
};

/// A layer's weights and quantisers, read together so that nothing is left over.
class TrainedLayer {
public:
  explicit TrainedLayer(LayerCall& call) : call_(call) {}

  /// Adds the quantiser that the option `role` describes, if it is there; its arrays are in the
  /// inner layer `owner`, "" for the layer itself.
  /// Errors   types other than kbi, kif and dummy; scalers that are no power of two; options that
  ///          nobody knows.
  Status add(const std::string& owner, std::string_view role);
  Status add(const std::string& owner, std::string_view role, const Json* json);
  /// Adds `iq` and `oq`, and reads the options that all layers have.
  /// Errors   those of add(); enable_iq and enable_oq say otherwise.
  Status add_input_and_output();
  /// Reads the options that all layers have, but for those of the inputs' quantisers.
  Status add_output();

  /// A weight of the layer itself, in the order in which they are stored.
  void add_weight(std::string_view name, Shape shape) { add_weight({}, name, std::move(shape)); }
  /// What training counts, in the layer or an inner one, where it does.
  void add_training_weights(const std::string& owner = {});
  bool has_ebops() const { return has_ebops_; }

  /// Errors   those of LayerCall::read_weights(); arrays of several shapes.
  Status read();

  FloatTensor& weight(std::string_view name) { return weights_.find(name)->second; }
  bool has(const std::string& owner) { return parameters_[owner].quantizer.has_value(); }
  const TrainedParameters& parameters(const std::string& owner) { return parameters_[owner]; }

  /// Weights as the quantiser of that owner leaves them.
  /// Errors   there is none; shapes that do not fit; types of too many bits.
  Result<FloatTensor> quantized(const std::string& owner, FloatTensor weights);
  /// x as the quantiser of that owner leaves it; x where there is none.
  /// Errors   those of quantize_fixed(); a quantiser of weights that only rounds.
  Result<Value> quantized(const std::string& owner, const std::string& suffix, const Value& x);

private:
  void add_weight(const std::string& owner, std::string_view name, Shape shape);
  Status convert(const std::string& owner, TrainedParameters& parameters);

  LayerCall& call_;
  std::map<std::string, TrainedParameters> parameters_;
  std::vector<WeightSpec> specs_;
  std::list<std::string> texts_;  // to which the specifications refer
  LayerWeights weights_;
  bool has_ebops_ = false, has_iq_ = false;
};

/// Appends the function of each element by a table over x's codes, and behind it the quantiser of
/// that owner, which may differ from element to element.
/// Range    x is fixed and has at most graph::Table::MaxInputWidth bits.
/// Errors   results that are not finite where the quantiser wraps; types of too many bits.
Result<Value> tabulate(LayerCall& call, TrainedLayer& layer, const std::string& owner,
                       const std::string& suffix, const Value& x,
                       const std::function<float(float)>& function);

}  // namespace millrace::frontends::keras
