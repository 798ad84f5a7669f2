// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/model_test_builder.h"

namespace millrace::frontends::onnx::testing {
namespace {

void set_port(::onnx::ValueInfoProto& port, const std::string& name, const Shape& shape) {
  port.set_name(name);
  auto& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(::onnx::TensorProto::FLOAT);
  type.mutable_shape();
  for (int64_t extent : shape)
    type.mutable_shape()->add_dim()->set_dim_value(extent);
}

::onnx::AttributeProto& add_attribute(TestModel& model, const std::string& name,
                                      ::onnx::AttributeProto::AttributeType type) {
  auto& attribute = *model.last_node().add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

TestModel::TestModel(const Shape& input_shape) {
  proto.set_ir_version(8);
  auto& opset = *proto.add_opset_import();
  opset.set_domain("");
  opset.set_version(13);
  graph().set_name("test");
  set_port(*graph().add_input(), "x", input_shape);
}

TestModel& TestModel::tensor(const std::string& name, const Shape& shape,
                             const std::vector<float>& numbers) {
  auto& tensor = *graph().add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(::onnx::TensorProto::FLOAT);
  for (int64_t extent : shape)
    tensor.add_dims(extent);
  tensor.set_raw_data(numbers.data(), numbers.size() * sizeof(float));
  return *this;
}

TestModel& TestModel::integers(const std::string& name, const Shape& shape,
                               const std::vector<int64_t>& numbers) {
  auto& tensor = *graph().add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(::onnx::TensorProto::INT64);
  for (int64_t extent : shape)
    tensor.add_dims(extent);
  for (int64_t number : numbers)
    tensor.add_int64_data(number);
  return *this;
}

TestModel& TestModel::node(const std::string& op, const std::string& name,
                           const std::vector<std::string>& inputs) {
  auto& node = *graph().add_node();
  node.set_name(name);
  node.set_op_type(op);
  for (const std::string& input : inputs)
    node.add_input(input);
  node.add_output(name);
  return *this;
}

TestModel& TestModel::quant(const std::string& name, const std::string& input, double scale,
                            double bits, bool is_signed, bool is_narrow,
                            const std::string& rounding) {
  tensor(name + ".scale", {}, {static_cast<float>(scale)});
  tensor(name + ".zero", {}, {0});
  tensor(name + ".bits", {}, {static_cast<float>(bits)});
  node("Quant", name, {input, name + ".scale", name + ".zero", name + ".bits"});
  last_node().set_domain("qonnx.custom_op.general");
  attribute("signed", int64_t{is_signed});
  attribute("narrow", int64_t{is_narrow});
  return attribute("rounding_mode", rounding);
}

TestModel& TestModel::attribute(const std::string& name, int64_t value) {
  add_attribute(*this, name, ::onnx::AttributeProto::INT).set_i(value);
  return *this;
}

TestModel& TestModel::attribute(const std::string& name, float value) {
  add_attribute(*this, name, ::onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

TestModel& TestModel::attribute(const std::string& name, const std::string& value) {
  add_attribute(*this, name, ::onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

TestModel& TestModel::attribute(const std::string& name, const std::vector<int64_t>& values) {
  auto& attribute = add_attribute(*this, name, ::onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return *this;
}

TestModel& TestModel::output(const std::string& name, const Shape& shape) {
  set_port(*graph().add_output(), name, shape);
  return *this;
}

}  // namespace millrace::frontends::onnx::testing
