// SPDX-License-Identifier: Apache-2.0
// Puts an ONNX model together piece by piece.
#pragma once

#include <onnx/onnx_pb.h>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/window.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// Writes one node's attributes.
class NodeWriter {
public:
  explicit NodeWriter(::onnx::NodeProto& node) : node_(node) {}

  NodeWriter& attribute(std::string_view name, int64_t value);
  NodeWriter& attribute(std::string_view name, double value);
  NodeWriter& attribute(std::string_view name, std::string_view value);
  NodeWriter& attribute(std::string_view name, const std::vector<int64_t>& values);
  /// The attributes of a convolution's or a pool's window.
  NodeWriter& window(const graph::Window& window);
  /// One more output.
  NodeWriter& output(const std::string& name);

private:
  ::onnx::AttributeProto& add(std::string_view name, ::onnx::AttributeProto::AttributeType type);

  ::onnx::NodeProto& node_;
};

/// The domain of QONNX's operators.
inline constexpr std::string_view QuantDomain = "qonnx.custom_op.general";

class ModelWriter {
public:
  ModelWriter(std::string_view graph_name, int opset);

  int opset() const { return opset_; }

  /// Keeps `name` from being given by unique_name().
  void reserve(const std::string& name) { names_.insert(name); }
  /// `wanted`, with a suffix where it is taken or reserved; then it is taken.
  std::string unique_name(const std::string& wanted);

  void input(const std::string& name, const Shape& shape);
  void output(const std::string& name, const Shape& shape, bool is_integer = false);
  /// A float32 tensor, or float64 where float32 would round.
  void initializer(const std::string& name, const FloatTensor& value);
  /// An int64 vector.
  void integers(const std::string& name, const std::vector<int64_t>& values);
  NodeWriter node(std::string_view op, const std::string& name,
                  const std::vector<std::string>& inputs, const std::string& output,
                  std::string_view domain = {});
  /// A node of one of Millrace's own functions, which the model then defines; `op` is one that
  /// own_function() knows.
  NodeWriter own_node(const std::string& op, const std::string& name,
                      const std::vector<std::string>& inputs);
  /// A Quant node whose output is named as the node, with its operands.
  /// Errors   quantisers that QONNX cannot express.
  Status quant(const std::string& name, const std::string& input, const Quantizer& to,
               const std::string& output, const std::string& where);

  /// The same with scales and widths of their own for the elements; only the modes and the sign of
  /// `to` count, and check_quantizer() has seen each type.
  Status quant(const std::string& name, const std::string& input, const Quantizer& to,
               const FloatTensor& scale, const FloatTensor& width, const std::string& output);
  /// Errors   quantisers that QONNX cannot express.
  static Status check_quantizer(const Quantizer& to, const std::string& where);

  /// The bytes of the model, always the same for the same calls.
  std::string finish() const;

private:
  ::onnx::ModelProto model_;
  int opset_;
  std::set<std::string> names_;
};

}  // namespace millrace::frontends::onnx
