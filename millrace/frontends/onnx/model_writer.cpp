// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/model_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/own_functions.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

constexpr int IrVersion = 8;

void set_port(::onnx::ValueInfoProto& port, const std::string& name, const Shape& shape,
              bool is_integer = false) {
  port.set_name(name);
  auto& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(is_integer ? ::onnx::TensorProto::INT64 : ::onnx::TensorProto::FLOAT);
  for (int64_t extent : shape)
    type.mutable_shape()->add_dim()->set_dim_value(extent);
}

void add_opset(::onnx::ModelProto& model, std::string_view domain, int version) {
  auto& opset = *model.add_opset_import();
  opset.set_domain(std::string(domain));
  opset.set_version(version);
}

}  // namespace

::onnx::AttributeProto& NodeWriter::add(std::string_view name,
                                        ::onnx::AttributeProto::AttributeType type) {
  auto& attribute = *node_.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

NodeWriter& NodeWriter::attribute(std::string_view name, int64_t value) {
  add(name, ::onnx::AttributeProto::INT).set_i(value);
  return *this;
}

NodeWriter& NodeWriter::attribute(std::string_view name, double value) {
  add(name, ::onnx::AttributeProto::FLOAT).set_f(static_cast<float>(value));
  return *this;
}

NodeWriter& NodeWriter::attribute(std::string_view name, std::string_view value) {
  add(name, ::onnx::AttributeProto::STRING).set_s(std::string(value));
  return *this;
}

NodeWriter& NodeWriter::attribute(std::string_view name, const std::vector<int64_t>& values) {
  auto& attribute = add(name, ::onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return *this;
}

NodeWriter& NodeWriter::window(const graph::Window& window) {
  attribute("kernel_shape", std::vector{window.kernel_h, window.kernel_w});
  attribute("pads",
            std::vector{window.pad_top, window.pad_left, window.pad_bottom, window.pad_right});
  attribute("strides", std::vector{window.stride_h, window.stride_w});
  if (window.is_dilated())
    attribute("dilations", std::vector{window.dilation_h, window.dilation_w});
  return *this;
}

NodeWriter& NodeWriter::output(const std::string& name) {
  node_.add_output(name);
  return *this;
}

ModelWriter::ModelWriter(std::string_view graph_name, int opset) : opset_(opset) {
  model_.set_ir_version(IrVersion);
  model_.set_producer_name("Millrace");
  model_.mutable_graph()->set_name(std::string(graph_name));
  add_opset(model_, "", opset);
  add_opset(model_, QuantDomain, 1);
}

std::string ModelWriter::unique_name(const std::string& wanted) {
  std::string name = wanted;
  for (int suffix = 1; !names_.insert(name).second; ++suffix)
    name = fmt::format("{}_{}", wanted, suffix);
  return name;
}

void ModelWriter::input(const std::string& name, const Shape& shape) {
  set_port(*model_.mutable_graph()->add_input(), name, shape);
}

void ModelWriter::output(const std::string& name, const Shape& shape, bool is_integer) {
  set_port(*model_.mutable_graph()->add_output(), name, shape, is_integer);
}

void ModelWriter::initializer(const std::string& name, const FloatTensor& value) {
  auto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  for (int64_t extent : value.shape)
    tensor.add_dims(extent);
  const bool is_single = std::ranges::all_of(value.data, [](double number) {
    return std::abs(number) <= std::numeric_limits<float>::max() &&
           static_cast<double>(static_cast<float>(number)) == number;
  });
  tensor.set_data_type(is_single ? ::onnx::TensorProto::FLOAT : ::onnx::TensorProto::DOUBLE);
  for (double number : value.data) {
    if (is_single)
      tensor.add_float_data(static_cast<float>(number));
    else
      tensor.add_double_data(number);
  }
}

void ModelWriter::integers(const std::string& name, const std::vector<int64_t>& values) {
  auto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.add_dims(std::ssize(values));
  tensor.set_data_type(::onnx::TensorProto::INT64);
  for (const int64_t value : values)
    tensor.add_int64_data(value);
}

NodeWriter ModelWriter::node(std::string_view op, const std::string& name,
                             const std::vector<std::string>& inputs, const std::string& output,
                             std::string_view domain) {
  auto& node = *model_.mutable_graph()->add_node();
  node.set_name(name);
  node.set_op_type(std::string(op));
  if (!domain.empty())
    node.set_domain(std::string(domain));
  for (const std::string& input : inputs)
    node.add_input(input);
  node.add_output(output);
  return NodeWriter(node);
}

NodeWriter ModelWriter::own_node(const std::string& op, const std::string& name,
                                 const std::vector<std::string>& inputs) {
  if (model_.functions().empty())
    add_opset(model_, OwnDomain, 1);
  if (std::ranges::none_of(model_.functions(), [&](const auto& f) { return f.name() == op; }))
    *model_.add_functions() = own_function(op, opset_).value();
  return node(op, name, inputs, name, OwnDomain);
}

Status ModelWriter::check_quantizer(const Quantizer& to, const std::string& where) {
  if (!rounding_name(to.rounding))
    return error(messages::ExportQuantizer, where,
                 fmt::format("rounding by {}", to_string(to.rounding)));
  if (to.overflow != Overflow::Saturate && to.overflow != Overflow::SaturateSymmetric)
    return error(messages::ExportQuantizer, where,
                 fmt::format("overflow by {}", to_string(to.overflow)));
  if (to.type.is_signed && to.type.width == 1)
    return error(messages::ExportQuantizer, where, "a signed 1-bit type");
  const double scale = std::ldexp(1.0, -to.type.frac_bits);
  if (scale > std::numeric_limits<float>::max() || scale < std::numeric_limits<float>::denorm_min())
    return error(messages::ExportQuantizer, where, fmt::format("the scale {}", scale));
  return {};
}

Status ModelWriter::quant(const std::string& name, const std::string& input, const Quantizer& to,
                          const std::string& output, const std::string& where) {
  MR_TRY_STATUS(check_quantizer(to, where));
  return quant(name, input, to, {{}, {std::ldexp(1.0, -to.type.frac_bits)}},
               {{}, {static_cast<double>(to.type.width)}}, output);
}

Status ModelWriter::quant(const std::string& name, const std::string& input, const Quantizer& to,
                          const FloatTensor& scale, const FloatTensor& width,
                          const std::string& output) {
  const std::string scale_name = unique_name(name + ".scale");
  const std::string zero_name = unique_name(name + ".zero_point");
  const std::string width_name = unique_name(name + ".bit_width");
  initializer(scale_name, scale);
  initializer(zero_name, {{}, {0}});
  initializer(width_name, width);
  // A narrow unsigned quantiser would lose its largest value; symmetric saturation does not.
  const bool is_narrow = to.overflow == Overflow::SaturateSymmetric && to.type.is_signed;
  node("Quant", name, {input, scale_name, zero_name, width_name}, output, QuantDomain)
      .attribute("signed", int64_t{to.type.is_signed})
      .attribute("narrow", int64_t{is_narrow})
      .attribute("rounding_mode", rounding_name(to.rounding).value());
  return {};
}

std::string ModelWriter::finish() const {
  std::string bytes;
  check(model_.SerializeToString(&bytes), "a model of more than 2 GiB");
  return bytes;
}

}  // namespace millrace::frontends::onnx
