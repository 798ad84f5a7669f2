// SPDX-License-Identifier: Apache-2.0
// Puts an ONNX model together piece by piece.
#pragma once

#include <onnx/onnx_pb.h>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/fixed/requantize.h"
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

private:
  ::onnx::AttributeProto& add(std::string_view name, ::onnx::AttributeProto::AttributeType type);

  ::onnx::NodeProto& node_;
};

class ModelWriter {
public:
  explicit ModelWriter(std::string_view graph_name);

  /// Keeps `name` from being given by unique_name().
  void reserve(const std::string& name) { names_.insert(name); }
  /// `wanted`, with a suffix where it is taken or reserved; then it is taken.
  std::string unique_name(const std::string& wanted);

  void input(const std::string& name, const Shape& shape);
  void output(const std::string& name, const Shape& shape);
  /// A float32 tensor, or float64 where float32 would round.
  void initializer(const std::string& name, const FloatTensor& value);
  NodeWriter node(std::string_view op, const std::string& name,
                  const std::vector<std::string>& inputs, const std::string& output,
                  std::string_view domain = {});
  /// A Quant node whose output is named as the node, with its operands.
  /// Errors   quantisers that QONNX cannot express.
  Status quant(const std::string& name, const std::string& input, const Quantizer& to,
               const std::string& output, const std::string& where);

  /// The bytes of the model, always the same for the same calls.
  std::string finish() const;

private:
  ::onnx::ModelProto model_;
  std::set<std::string> names_;
};

}  // namespace millrace::frontends::onnx
