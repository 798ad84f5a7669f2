// SPDX-License-Identifier: Apache-2.0
// Translates a decoded model node by node. Constants come first, so that a layer finds its weights
// and biases whatever the order of the nodes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/layout.h"
#include "millrace/frontends/onnx/model.h"
#include "millrace/graph/graph.h"

namespace millrace::frontends::onnx {

struct ElementQuantizers;
struct LinearQuantizer;
struct QuantParameters;

/// A value computed from the model's inputs.
struct Activation {
  graph::ValueId id = -1;
  Shape shape;    ///< as ONNX sees it, the batch included
  Layout layout;  ///< of `shape`, in the graph
};

/// The same elements with ONNX's axes in another order: result axis i is axis order[i] of x.
Activation transposed(const Activation& x, const std::vector<int64_t>& order);

/// An operand of an operator with two of them.
using Operand = std::variant<ConstantValue, Activation>;

/// A feature map in the graph: HxWxC, of an ONNX tensor 1xCxHxW, or 1xCxL where H is 1.
struct Map {
  graph::ValueId id = -1;
  int64_t channels = 1, height = 1, width = 1;
  bool is_1d = false;

  /// A map of other extents as ONNX sees it.
  Activation with(graph::ValueId result, int64_t new_channels, int64_t new_height,
                  int64_t new_width) const;
};

class Importer {
public:
  Importer(Model model, std::string file) : model_(std::move(model)), file_(std::move(file)) {}

  /// The model as a graph. To be called once.
  Result<ImportedModel> run();

  /// The operators of ONNX's own domain that some node of can be read, in alphabetical order.
  static std::vector<std::string_view> operators();

private:
  using Value = Operand;
  using Handler = Status (Importer::*)(const Node&);
  struct Rule;

  // importer.cpp: the order of things.
  Status check_operators() const;
  Status import_constants();
  Status import_input(const Port& port);
  Status import_activations();
  Status import_output(const Port& port);
  Status fold(const Node& node);
  /// True when what alone reads the model's input has the channels last.
  bool is_channels_last(const Port& port) const;
  const Node* find_input_quantizer(const Port& port) const;
  const Node* only_user(const std::string& tensor) const;
  bool is_used(const Node& node, size_t output) const;

  // rules.cpp: the table of operators.
  static const Rule* find_rule(const Node& node);
  static const std::vector<Rule>& onnx_rules();
  static const std::vector<Rule>& quant_rules();
  static const std::vector<Rule>& own_rules();
  static const std::vector<Rule>& channels_last_rules();

  // operands.cpp: operands, by position in the node's inputs, and what is done to all of them.
  Result<const ConstantValue*> constant(const Node& node, size_t index, std::string_view role);
  /// With a factor for each element, if it has one.
  Result<const ConstantValue*> scaled_constant(const Node& node, size_t index,
                                               std::string_view role);
  Result<const Activation*> computed(const Node& node, size_t index, std::string_view role);
  /// A constant without quantisers.
  Result<const ConstantValue*> real_constant(const Node& node, size_t index, std::string_view role);
  /// The whole numbers of a constant vector or scalar.
  Result<std::vector<int64_t>> integers(const Node& node, size_t index, std::string_view role);
  /// The same from an attribute, where older operator sets have one, or from input `index`; none
  /// where the node has neither.
  Result<std::optional<std::vector<int64_t>>> integers(const Node& node, std::string_view attribute,
                                                       size_t index);
  Operand operand(const Node& node, size_t index) const;
  bool has_input(const Node& node, size_t index) const;
  void define(const std::string& tensor, Value value);
  /// Adds an operation named after the node and a suffix.
  Result<graph::ValueId> emit(const Node& node, std::string_view suffix, graph::OpKind kind,
                              std::vector<graph::ValueId> operands);
  Result<graph::ValueId> real_value(const Node& node, std::string_view suffix, FloatTensor value);
  /// Adds an operation for `node` and defines the node's output as its result.
  Status add(const Node& node, graph::OpKind kind, std::vector<graph::ValueId> operands,
             Shape shape, Layout layout);
  /// The same, of one operand, element by element.
  Status add_elementwise(const Node& node, graph::OpKind kind, const Activation& x);
  /// Adds a constant with its quantisers, or finds it where the same was added before. `layout`
  /// names what `arrange` does; the numbers are multiplied, and their unit is 2^shift.
  Result<graph::ValueId> materialise(const ConstantValue& constant, const std::string& layout,
                                     const Arrangement& arrange, int shift = 0,
                                     double multiplier = 1);
  /// A constant as a value of the graph in ONNX's own order.
  Result<Activation> lifted(const Node& node, const Operand& operand);

  // arrange.cpp: values in the order and shape that an operation needs.
  Result<graph::ValueId> shaped(const Node& node, graph::ValueId id, const Shape& shape);
  Result<Activation> reordered(const Node& node, const Activation& x, std::vector<size_t> order);
  /// The value as a tensor whose extents are products of ONNX's axes, each group outermost first.
  Result<graph::ValueId> grouped(const Node& node, const Activation& x,
                                 const std::vector<std::vector<size_t>>& groups);
  /// The value with the given axes as its last extent, in the relative order that they have, or in
  /// ONNX's: of rank 1 where it has no others, else 1 x others x axes.
  Result<Activation> with_last(const Node& node, const Activation& x, std::vector<size_t> axes,
                               bool in_order);
  Result<graph::ValueId> flattened(const Node& node, const Activation& x);
  Result<Map> map_operand(const Node& node, size_t index);
  /// The axis that a number names, counted from the end where it is negative.
  Result<size_t> axis_of(const Node& node, std::string_view name, int64_t axis, size_t rank);
  Result<std::vector<size_t>> axes_of(const Node& node, std::string_view name,
                                      const std::vector<int64_t>& axes, size_t rank);

  // constants.cpp and fold.cpp: nodes that are constants.
  Status constant_node(const Node& node);
  Status constant_identity(const Node& node);
  Status constant_quant(const Node& node);
  Status constant_dequantize(const Node& node);
  Status constant_reshape(const Node& node);
  Status constant_transpose(const Node& node);
  Status constant_shape(const Node& node);
  Status fold_constants(const Node& node);

  // elementwise.cpp
  Status identity(const Node& node);
  Status dropout(const Node& node);
  Status cast(const Node& node);
  Status relu(const Node& node);
  Status exact_function(const Node& node);
  Status real_function(const Node& node);
  Status clip(const Node& node);
  Status leaky_relu(const Node& node);
  Status prelu(const Node& node);
  Status power(const Node& node);

  // arithmetic.cpp, affine_chain.cpp
  Status arithmetic(const Node& node);
  Result<Activation> binary(const Node& node, std::string_view suffix,
                            graph::BinaryFunction function, Operand a, Operand b);
  Result<Activation> broadcast_up(const Node& node, const Activation& x, const Shape& shape);
  /// An operand that broadcasts to x, element by element as x lies; x may be laid out anew.
  Result<graph::ValueId> matched(const Node& node, Activation& x, const Operand& b);
  struct Chain;
  Status affine_chain(const Node& node);
  Status extend(Chain& chain, const Node& node, size_t position);
  Status normalise(Chain& chain, const Node& node);
  bool continues(const Chain& chain, const Node& node, size_t& position);
  Status batch_normalization(const Node& node);
  Result<bool> plain_normalization(const Node& node, const Activation& x);
  Status finish(Chain& chain, const Node& node);
  Result<Activation> affine(const Node& node, const Activation& x, const FloatTensor& scale,
                            const FloatTensor& offset);

  // quant_operators.cpp, linear_quantization.cpp, multi_threshold.cpp
  Status quant(const Node& node);
  Status bipolar_quant(const Node& node);
  Result<QuantParameters> quant_parameters(const Node& node, const Shape& shape);
  Result<Activation> quantised_value(const Node& node, const Activation& x,
                                     const QuantParameters& parameters);
  /// Adds the requantize of a computed value.
  Result<Activation> requantized(const Node& node, const Activation& x,
                                 const ElementQuantizers& to);
  Status constant_bipolar_quant(const Node& node);
  Status trunc(const Node& node);
  Status quantize_linear(const Node& node);
  Status dequantize_linear(const Node& node);
  Result<LinearQuantizer> linear_quantizer(const Node& node, const Shape& shape);
  Result<Activation> quantised_linearly(const Node& node, const Activation& x,
                                        const LinearQuantizer& to);
  Status multi_threshold(const Node& node);

  // own_operators.cpp: what Millrace writes where neither ONNX nor QONNX has an operator.
  Result<ElementQuantizers> own_quantizers(const Node& node, const Shape& shape);
  Status own_requantize(const Node& node);
  Status constant_own_requantize(const Node& node);
  Status own_table(const Node& node);

  // channels_last.cpp: QONNX's operators on tensors with the channels last.
  Status channels_last(const Node& node);

  // shapes.cpp, slices.cpp, resize.cpp
  Status flatten(const Node& node);
  Status reshape(const Node& node);
  Status squeeze(const Node& node);
  Status unsqueeze(const Node& node);
  Status expand_operand(const Node& node);
  Status reshaped(const Node& node, const Activation& x, const Shape& shape);
  Status transpose_axes(const Node& node);
  Status concat(const Node& node);
  Status pad(const Node& node);
  Status slice(const Node& node);
  Status split(const Node& node);
  Result<Activation> sliced(const Node& node, std::string_view suffix, const Activation& x,
                            const std::vector<int64_t>& begin, const Shape& size);
  Status resize(const Node& node);

  // pooling.cpp, reductions.cpp
  Status max_pool(const Node& node);
  Status average_pool(const Node& node);
  Status global_pool(const Node& node);
  Status reduce(const Node& node);
  Status softmax(const Node& node);
  Status arg_max(const Node& node);
  Status top_k(const Node& node);

  // layers.cpp, convolutions.cpp, products.cpp: operators with weights.
  struct Bias;
  Status conv(const Node& node);
  Status conv_transpose(const Node& node);
  Status gemm(const Node& node);
  Status mat_mul(const Node& node);
  struct Product;
  Result<Activation> product(const Node& node, const Product& product, const Bias& bias);
  /// The bias of a layer: an input, or the Add behind it.
  Result<Bias> find_bias(const Node& node, size_t index, int inner, int64_t channels);
  /// The value of a layer's bias; zeros where there is none.
  Result<graph::ValueId> bias_value(const Node& node, const Bias& bias, int64_t channels,
                                    graph::ValueId x, graph::ValueId weights);
  /// Adds a layer. Factors of its weights, one for each output, become an affine behind it.
  Result<graph::ValueId> layer(const Node& node, graph::OpKind kind, graph::ValueId x,
                               graph::ValueId weights, const Bias& bias, int64_t outputs,
                               const FloatTensor& output_scale);

  Model model_;
  std::string file_;
  graph::Builder builder_{""};
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, ConstantValue, std::less<>> settled_;  ///< constants without their factors
  std::map<std::string, std::vector<const Node*>, std::less<>> users_;  ///< null: an output
  std::map<std::string, graph::ValueId> materialised_;
  std::set<const Node*> done_;  ///< translated with an earlier node
  std::set<const Node*> input_quantizers_;
  std::deque<Node> wrapped_;  ///< the operators within those on channels-last tensors
  std::vector<PortLayout> inputs_, outputs_;
};

}  // namespace millrace::frontends::onnx
