// SPDX-License-Identifier: Apache-2.0
// What a layer's translation works with: its options, its operands, its weights, the graph.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/frontends/keras/config.h"
#include "millrace/frontends/keras/model.h"
#include "millrace/frontends/keras/quantized_weights.h"
#include "millrace/frontends/keras/weights.h"
#include "millrace/graph/graph.h"

namespace millrace::frontends::keras {

/// A value with the shape that Keras gives it, without the batch. In the graph, a sequence N x C
/// is a map 1 x N x C; other shapes are the same.
struct Value {
  graph::ValueId id = -1;
  Shape shape;

  int64_t channels() const { return shape.back(); }
};

/// The graph's shape of a value.
Shape graph_shape(const Shape& shape);

/// Numbers of a layer by name.
using LayerWeights = std::map<std::string, FloatTensor, std::less<>>;

/// What all layers of a model share.
struct Surroundings {
  Dialect dialect = Dialect::Unknown;
  const Weights* weights;  ///< null: there are none
  graph::Builder& builder;
};

/// One call of a layer that is being translated.
class LayerCall {
public:
  LayerCall(const Layer& layer, std::vector<Value> operands, const Surroundings& surroundings)
      : config(layer.config, layer.where),
        inputs(std::move(operands)),
        dialect(surroundings.dialect),
        layer_(layer),
        weights_(surroundings.weights),
        builder_(surroundings.builder) {}

  Config config;
  std::vector<Value> inputs;
  Dialect dialect;

  const Value& x() const { return inputs.front(); }
  const std::string& where() const { return layer_.where; }
  const std::string& class_name() const { return layer_.class_name; }
  const graph::TensorType& type(const Value& value) const { return builder_.type(value.id); }
  /// True for the layers of QKeras.
  bool is_quantized() const { return layer_.class_name.starts_with('Q'); }

  /// Appends an operation named LAYER.SUFFIX, or LAYER where the suffix is empty.
  Result<Value> add(std::string_view suffix, graph::OpKind kind,
                    std::vector<graph::ValueId> operands, Shape shape);
  /// Appends an operation that keeps the shape.
  Result<Value> map(std::string_view suffix, graph::OpKind kind, const Value& x) {
    return add(suffix, std::move(kind), {x.id}, x.shape);
  }
  /// Appends a constant of real numbers, in the graph's layout.
  Result<graph::ValueId> constant(std::string_view suffix, FloatTensor value);
  /// x op number, for each element.
  template <class Op>
  Result<Value> with_number(std::string_view suffix, const Value& x, double number) {
    MR_TRY(const graph::ValueId constant_value,
           constant(std::string(suffix) + ".number", FloatTensor{{1}, {number}}));
    return add(suffix, Op{}, {x.id, constant_value}, x.shape);
  }

  /// The layer's weights.
  /// Errors   those of Weights::read(); there is no file of weights.
  Result<LayerWeights> read_weights(const std::vector<WeightSpec>& specs) const;
  /// The quantiser that the option `role` holds, if any.
  Result<std::optional<QuantizerSpec>> quantizer(std::string_view role);

private:
  const Layer& layer_;
  const Weights* weights_;
  graph::Builder& builder_;
};

/// How a kernel gets from Keras' layout into the graph's.
using Arrangement = std::function<FloatTensor(FloatTensor)>;

/// A kernel in the graph, with what has to follow the product.
struct Kernel {
  graph::ValueId id = -1;
  /// A factor for each output that is no power of two; empty: none.
  std::vector<double> scale;
};

/// Appends a kernel with its quantiser. `outputs` is the extent of the outputs; scales of the last
/// extent of Keras' layout are those of the outputs modulo its size, unless `scales_inputs`: then
/// they go into the numbers.
Result<Kernel> add_kernel(LayerCall& call, std::string_view name, FloatTensor numbers,
                          const std::optional<QuantizerSpec>& quantizer, int64_t outputs,
                          const Arrangement& arrange, bool scales_inputs = false);

/// Appends a product (conv2d, dense, ...) of x and a kernel with a bias, and the kernel's scale
/// behind it. No bias: zeros.
Result<Value> add_product(LayerCall& call, std::string_view suffix, graph::OpKind kind,
                          const Value& x, const Kernel& kernel, std::optional<FloatTensor> bias,
                          const std::optional<QuantizerSpec>& bias_quantizer, int64_t outputs,
                          Shape shape);

/// Applies the activation that an option names or describes, if any.
Result<Value> activate(LayerCall& call, const Value& x, std::string_view option = "activation");

/// Applies a quantiser of QKeras to an activation.
Result<Value> quantize(LayerCall& call, const Value& x, const QuantizerSpec& spec);

/// Reads data_format, and refuses channels_first.
Status check_data_format(LayerCall& call);

/// Translates a layer.
using LayerFunction = Result<Value> (*)(LayerCall& call);

/// What is known about a class of layers.
struct LayerRule {
  std::string_view class_name;
  LayerFunction translate;
  size_t min_inputs = 1, max_inputs = 1;
};

}  // namespace millrace::frontends::keras
