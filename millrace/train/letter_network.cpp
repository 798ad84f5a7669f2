// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/letter_network.h"

#include <string>
#include <utility>

#include "millrace/support/check.h"

namespace millrace::train {
namespace {

using graph::ValueId;

/// A builder for a graph that cannot be wrong by the user's fault.
class NetworkBuilder {
public:
  NetworkBuilder(const LetterParameters& parameters, const std::optional<QuantizerSpec>& quantizer)
      : parameters_(parameters), quantizer_(quantizer), builder_("letters") {}

  graph::Graph build() && {
    constexpr int64_t Size = LetterNetwork::InputSize;
    constexpr FixedType Pixel{.is_signed = false,
                              .width = LetterNetwork::PixelBits,
                              .frac_bits = LetterNetwork::PixelBits};
    ValueId x = add("image", graph::Input{{Shape{Size, Size, 1}, Pixel}}, {});
    x = convolution(x, "conv1", 0);
    x = convolution(x, "conv2", 2);
    x = add("flatten", graph::Flatten{}, {x});
    x = activation("dense1", add("dense1", graph::Dense{}, {x, weights(4), weights(5)}));
    x = add("dense2", graph::Dense{}, {x, weights(6), weights(7)});
    if (quantizer_)
      x = add("logit", graph::Requantize{quantizer_->weights()}, {x});
    x = add("sigmoid", graph::Unary{graph::UnaryFunction::Sigmoid}, {x});
    if (quantizer_)
      x = add("score", graph::Requantize{{.type = Pixel}}, {x});
    builder_.output(x);
    return take(std::move(builder_).finish());
  }

private:
  template <class T>
  static T take(Result<T> result) {
    check(result.has_value(), result ? "" : result.error().to_string());
    return *std::move(result);
  }

  ValueId add(const std::string& name, graph::OpKind kind, std::vector<ValueId> operands) {
    return take(builder_.add(name, std::move(kind), std::move(operands)));
  }

  ValueId weights(size_t slot) {
    const std::string name(LetterNetwork::Slots[slot].name);
    if (!quantizer_)
      return take(builder_.constant(name, parameters_[slot]));
    const ValueId real = take(builder_.constant(name + ".real", parameters_[slot]));
    return add(name, graph::Requantize{quantizer_->weights()}, {real});
  }

  ValueId activation(const std::string& layer, ValueId x) {
    x = add(layer + ".relu", graph::Relu{}, {x});
    return quantizer_ ? add(layer + ".act", graph::Requantize{quantizer_->activations()}, {x}) : x;
  }

  ValueId convolution(ValueId x, const std::string& name, size_t slot) {
    const graph::Window kernel{.kernel_h = 3, .kernel_w = 3};
    const graph::Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
    x = add(name, graph::Conv2D{kernel}, {x, weights(slot), weights(slot + 1)});
    return add(name + ".pool", graph::MaxPool{pool}, {activation(name, x)});
  }

  const LetterParameters& parameters_;
  const std::optional<QuantizerSpec>& quantizer_;
  graph::Builder builder_;
};

}  // namespace

Shape LetterNetwork::shape(const Slot& slot) {
  Shape shape;
  for (int64_t extent : slot.extents)
    if (extent > 0)
      shape.push_back(extent);
  return shape;
}

int64_t num_parameters(const LetterParameters& parameters) {
  int64_t total = 0;
  for (const FloatTensor& parameter : parameters)
    total += num_elements(parameter.shape);
  return total;
}

graph::Graph build_letter_graph(const LetterParameters& parameters,
                                const std::optional<QuantizerSpec>& quantizer) {
  return NetworkBuilder(parameters, quantizer).build();
}

}  // namespace millrace::train
