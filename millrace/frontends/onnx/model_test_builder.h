// SPDX-License-Identifier: Apache-2.0
// Makes ONNX models for tests, right and wrong ones.
#pragma once

#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::onnx::testing {

/// A model under construction; `proto` is open for whatever a test wants to break.
struct TestModel {
  /// A model with a float input "x" (the batch included in the shape) and no output yet.
  explicit TestModel(const Shape& input_shape);

  /// A float32 initialiser.
  TestModel& tensor(const std::string& name, const Shape& shape, const std::vector<float>& numbers);
  /// An int64 initialiser.
  TestModel& integers(const std::string& name, const Shape& shape,
                      const std::vector<int64_t>& numbers);
  /// A node named `name` with one output of the same name.
  TestModel& node(const std::string& op, const std::string& name,
                  const std::vector<std::string>& inputs);
  /// A Quant node with initialisers "NAME.scale", "NAME.zero" and "NAME.bits".
  TestModel& quant(const std::string& name, const std::string& input, double scale, double bits,
                   bool is_signed = true, bool is_narrow = false,
                   const std::string& rounding = "ROUND");
  /// An attribute of the last node.
  TestModel& attribute(const std::string& name, int64_t value);
  TestModel& attribute(const std::string& name, float value);
  TestModel& attribute(const std::string& name, const std::string& value);
  TestModel& attribute(const std::string& name, const std::vector<int64_t>& values);
  /// Declares the output.
  TestModel& output(const std::string& name, const Shape& shape);

  std::string bytes() const { return proto.SerializeAsString(); }
  ::onnx::GraphProto& graph() { return *proto.mutable_graph(); }
  ::onnx::NodeProto& last_node() { return *graph().mutable_node(graph().node_size() - 1); }

  ::onnx::ModelProto proto;
};

}  // namespace millrace::frontends::onnx::testing
