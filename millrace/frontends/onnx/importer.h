// SPDX-License-Identifier: Apache-2.0
// Translates a decoded model node by node. Constants come first, so that a layer finds its weights
// and biases whatever the order of the nodes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/model.h"
#include "millrace/graph/graph.h"

namespace millrace::frontends::onnx {

/// A value computed from the model's input.
struct Activation {
  graph::ValueId id = -1;
  Shape shape;      ///< as ONNX sees it, without the batch: C x H x W, or N
  Shape flattened;  ///< C x H x W where a vector is a map that ONNX flattened in this order and the
                    ///< graph in HWC order, and the two differ; otherwise empty

  bool is_map() const { return shape.size() == 3; }
};

class Importer {
public:
  Importer(Model model, std::string file) : model_(std::move(model)), file_(std::move(file)) {}

  /// The model as a graph. To be called once.
  Result<graph::Graph> run();

private:
  using Value = std::variant<ConstantValue, Activation>;
  using Handler = Status (Importer::*)(const Node&);
  struct Rule;

  // importer.cpp: the order of things.
  static const Rule* find_rule(const Node& node);
  Status check_operators() const;
  Status import_constants();
  Status import_input();
  Status import_activations();
  Status import_output();
  const Node* find_input_quantizer() const;

  // Operands, by position in the node's inputs.
  Result<const ConstantValue*> constant(const Node& node, size_t index, std::string_view role);
  Result<const Activation*> computed(const Node& node, size_t index, std::string_view role);
  /// A constant without quantisers.
  Result<const ConstantValue*> real_constant(const Node& node, size_t index, std::string_view role);
  bool has_input(const Node& node, size_t index) const;
  void define(const std::string& tensor, Value value);
  /// Adds an operation for `node` and defines the node's output as its result.
  Status add(const Node& node, graph::OpKind kind, std::vector<graph::ValueId> operands,
             Shape shape, Shape flattened, const std::string& output);

  /// Adds a constant with its quantisers, or finds it where the same was added before. `layout`
  /// names what `arrange` does to the numbers; their unit is 2^shift.
  Result<graph::ValueId> materialise(const ConstantValue& constant, const std::string& layout,
                                     const std::function<FloatTensor(const FloatTensor&)>& arrange,
                                     int shift = 0);

  // importer.cpp and constants.cpp: nodes that are constants, and operators without weights.
  Status constant_node(const Node& node);
  Status constant_identity(const Node& node);
  Status constant_quant(const Node& node);
  Status constant_reshape(const Node& node);
  Status constant_transpose(const Node& node);
  Status identity(const Node& node);
  Status quant(const Node& node);
  Status relu(const Node& node);
  Status sigmoid(const Node& node);
  Status flatten(const Node& node);
  Status reshape(const Node& node);
  Status flatten_to_vector(const Node& node, const Activation& x);
  Status max_pool(const Node& node);
  Status add_constant(const Node& node);
  Result<Quantizer> quantizer(const Node& node, const Shape& shape);

  // layers.cpp: operators with weights.
  struct Bias;
  Status conv(const Node& node);
  Status gemm(const Node& node);
  Status mat_mul(const Node& node);
  Status dense(const Node& node, const Activation& x, const ConstantValue& weights,
               bool is_transposed, double alpha, const Bias& bias);
  Status batch_normalization(const Node& node);
  /// The bias of a layer: an input, or the Add behind it.
  Result<Bias> find_bias(const Node& node, size_t index, int inner);
  /// The value of a layer's bias; zeros where there is none.
  Result<graph::ValueId> bias_value(const Node& node, const Bias& bias, int64_t channels,
                                    graph::ValueId x, graph::ValueId weights);

  Model model_;
  std::string file_;
  graph::Builder builder_{""};
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, std::vector<const Node*>, std::less<>> users_;  ///< null: the output
  std::map<std::string, graph::ValueId> materialised_;
  std::set<const Node*> done_;  ///< translated with an earlier node
  const Node* input_quantizer_ = nullptr;
};

}  // namespace millrace::frontends::onnx
