// SPDX-License-Identifier: Apache-2.0
// Writes a graph operation by operation. A map HxWxC is a tensor 1xCxHxW, a vector 1xN.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/frontends/onnx/model_writer.h"
#include "millrace/graph/graph.h"

namespace millrace::frontends::onnx {

class Exporter {
public:
  /// `graph` outlives the exporter.
  explicit Exporter(const graph::Graph& graph);

  /// The bytes of the model. To be called once.
  /// Errors   frontends.onnx.export_*
  Result<std::string> run();

private:
  using ValueId = graph::ValueId;
  using Op = graph::Op;
  /// Brings the numbers of a constant into ONNX's order and shape.
  using Arrange = std::function<FloatTensor(const FloatTensor&)>;

  // export.cpp: ports, constants, quantisers.
  static std::string place(const Op& op) { return "%" + op.name; }
  size_t index_of(const Op& op) const { return static_cast<size_t>(&op - graph_.ops().data()); }
  static Status unsupported(const Op& op, std::string_view what);
  bool is_constant(ValueId value) const;
  Status write(ValueId value);
  Status write_output(ValueId value);
  /// The tensor of a constant operand with its quantisers; `layout` names what `arrange` does.
  Result<std::string> constant_operand(ValueId value, const std::string& layout,
                                       const Arrange& arrange);
  Result<FloatTensor> numbers(const Op& op) const;
  bool is_dequantised(const Op& requantize) const;
  /// A quantiser as one node: Quant, times the steps where is_dequantised(), or one of Millrace's
  /// own functions where QONNX has none. The node is called as its output where it has no name.
  Status write_quant(const std::string& output, const std::string& input, const Op& requantize,
                     const Arrange& arrange, const std::string& name = {});
  static bool is_quant(const Op& requantize);
  /// The numbers of a value that is not flattened, in ONNX's order.
  static FloatTensor as_written(const FloatTensor& in);
  /// The tensor `input`, what `op` computes with: behind an Identity where the importer would else
  /// take `op` and what is before it for one operation.
  std::string apart(const Op& op, const std::string& input);
  /// An operand as its tensor; vectors that ONNX has in another order than the graph as they are.
  const std::string& tensor(const Op& op, size_t operand = 0) const;
  /// The same in the graph's order.
  std::string ordered(const Op& op, size_t operand = 0);
  /// A tensor in another shape, by a Reshape; as the last node of an operation it has its name.
  std::string reshaped(const std::string& input, const Shape& shape, const std::string& name);
  std::string transposed(const std::string& input, const std::vector<int64_t>& axes,
                         const std::string& name);
  std::string helper(const Op& op, std::string_view suffix) {
    return writer_.unique_name(op.name + std::string(suffix));
  }

  Status write_op(const Op& op, const graph::Input& input);
  Status write_op(const Op& op, const graph::Requantize& requantize);
  Status write_op(const Op&, const graph::Constant&) { return {}; }  // written where it is used

  // export_layers.cpp: operators with weights.
  Status write_op(const Op& op, const graph::Conv2D& conv);
  Status write_op(const Op& op, const graph::ConvTranspose2D& conv);
  Status write_op(const Op& op, const graph::Dense&);
  Status write_op(const Op& op, const graph::Affine&);
  Status write_op(const Op& op, const graph::Prelu&);
  /// True for the zeros that the importer gives a layer without a bias.
  bool is_implied_bias(const Op& layer) const;
  Result<std::vector<std::string>> layer_operands(const Op& op, const std::string& layout,
                                                  const Arrange& arrange);

  // export_operators.cpp: the others.
  /// Of each element, whatever the order of a vector.
  Status write_plain(const Op& op, std::string_view name);
  Status write_op(const Op& op, const graph::Relu&) { return write_plain(op, "Relu"); }
  Status write_op(const Op& op, const graph::Softmax&);
  Status write_op(const Op& op, const graph::Unary& unary);
  template <graph::ExactFunction F>
  Status write_op(const Op& op, const graph::Exact<F>&) {
    return write_exact(op, F);
  }
  Status write_exact(const Op& op, graph::ExactFunction function);
  template <graph::BinaryFunction F>
  Status write_op(const Op& op, const graph::Binary<F>&) {
    return write_binary(op, F);
  }
  Status write_binary(const Op& op, graph::BinaryFunction function);
  Result<std::string> binary_operand(const Op& op, size_t operand);
  Status write_op(const Op& op, const graph::MaxPool& pool);
  Status write_op(const Op& op, const graph::AvgPool& pool);
  Status write_op(const Op& op, const graph::Flatten&);
  Status write_op(const Op& op, const graph::Reshape& reshape);
  Status write_op(const Op& op, const graph::Transpose& transpose);
  Status write_op(const Op& op, const graph::Concat&);
  Status write_op(const Op& op, const graph::Pad& pad);
  Status write_op(const Op& op, const graph::Slice& slice);
  Status write_op(const Op& op, const graph::Upsample& upsample);
  Status write_op(const Op& op, const graph::Reduce& reduce);
  Status write_op(const Op& op, const graph::TopK& top_k);
  Status write_op(const Op& op, const graph::Table& table);

  const graph::Graph& graph_;
  ModelWriter writer_;
  std::vector<std::vector<ValueId>> users_;
  std::vector<std::string> tensors_;  ///< of each activation
  std::vector<Shape> flattened_;      ///< C x H x W where a vector is a map in ONNX's CHW order
  std::map<std::string, std::string> constants_;
  std::map<ValueId, std::string> ordered_;
  std::set<ValueId> dequantised_;  ///< quantisers that a Quant was written for
};

/// A value's shape in ONNX: a batch of 1, channels first.
Shape onnx_shape(const Shape& shape);
/// A map HxWxC as 1xCxHxW.
FloatTensor map_to_chw(const FloatTensor& in);

}  // namespace millrace::frontends::onnx
