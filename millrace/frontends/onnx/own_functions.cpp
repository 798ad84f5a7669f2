// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/own_functions.h"

#include <array>

#include "millrace/fixed/quantizer_text.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::onnx {
namespace {

constexpr std::string_view RequantizePrefix = "Requantize_";

constexpr std::array Roundings = {
    Rounding::Floor,           Rounding::TowardsZero,      Rounding::HalfUp,   Rounding::HalfDown,
    Rounding::HalfTowardsZero, Rounding::HalfAwayFromZero, Rounding::HalfEven,
};
constexpr std::array Overflows = {Overflow::Wrap, Overflow::Saturate, Overflow::SaturateZero,
                                  Overflow::SaturateSymmetric};

/// Writes a function body node by node; each result has a name of its own.
class Body {
public:
  Body(std::string_view name, std::initializer_list<const char*> inputs, int opset) {
    function_.set_name(std::string(name));
    function_.set_domain(std::string(OwnDomain));
    for (const char* input : inputs)
      function_.add_input(input);
    function_.add_output("y");
    auto& import = *function_.add_opset_import();
    import.set_domain("");
    import.set_version(opset);
  }

  std::string add(const char* op, std::initializer_list<std::string> operands) {
    return add(op, operands, "v" + std::to_string(function_.node_size()));
  }
  std::string number(double value) {
    const std::string result = add("Constant", {});
    auto& tensor = *attribute("value", ::onnx::AttributeProto::TENSOR).mutable_t();
    tensor.set_data_type(::onnx::TensorProto::DOUBLE);
    tensor.add_double_data(value);
    return result;
  }
  std::string cast(const std::string& operand, ::onnx::TensorProto::DataType type) {
    std::string result = add("Cast", {operand});
    attribute("to", ::onnx::AttributeProto::INT).set_i(type);
    return result;
  }
  std::string exact(const std::string& operand) {
    return cast(operand, ::onnx::TensorProto::DOUBLE);
  }
  /// The last node's result is the function's.
  ::onnx::FunctionProto finish() {
    function_.mutable_node()->rbegin()->set_output(0, "y");
    return std::move(function_);
  }

private:
  std::string add(const char* op, std::initializer_list<std::string> operands, std::string result) {
    auto& node = *function_.add_node();
    node.set_op_type(op);
    for (const std::string& operand : operands)
      node.add_input(operand);
    node.add_output(result);
    return result;
  }
  ::onnx::AttributeProto& attribute(const char* name, ::onnx::AttributeProto::AttributeType type) {
    auto& attribute = *function_.mutable_node()->rbegin()->add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
  }

  ::onnx::FunctionProto function_;
};

/// The whole number near t.
std::string rounded(Body& body, const std::string& t, Rounding rounding) {
  const auto of_magnitude = [&](const auto& function) {
    return body.add("Mul", {body.add("Sign", {t}), function(body.add("Abs", {t}))});
  };
  const auto floor = [&](const std::string& a) { return body.add("Floor", {a}); };
  const auto half_up = [&](const std::string& a) {
    return floor(body.add("Add", {a, body.number(0.5)}));
  };
  const auto half_down = [&](const std::string& a) {
    return body.add("Ceil", {body.add("Sub", {a, body.number(0.5)})});
  };
  switch (rounding) {
    case Rounding::Floor:
      return floor(t);
    case Rounding::TowardsZero:
      return of_magnitude(floor);
    case Rounding::HalfUp:
      return half_up(t);
    case Rounding::HalfDown:
      return half_down(t);
    case Rounding::HalfAwayFromZero:
      return of_magnitude(half_up);
    case Rounding::HalfTowardsZero:
      return of_magnitude(half_down);
    case Rounding::HalfEven:
      break;
  }
  return body.add("Round", {t});
}

/// An integer brought into the range of a width and a sign.
std::string in_range(Body& body, const std::string& r, const std::string& width,
                     const std::string& is_signed, Overflow overflow) {
  const std::string two = body.number(2);
  const std::string bound = body.add("Pow", {two, body.add("Sub", {width, is_signed})});
  const std::string high = body.add("Sub", {bound, body.number(1)});
  const bool is_symmetric = overflow == Overflow::SaturateSymmetric;
  const std::string low =
      body.add("Neg", {body.add("Mul", {is_signed, is_symmetric ? high : bound})});
  if (overflow == Overflow::Wrap) {
    const std::string span = body.add("Pow", {two, width});
    const std::string turns =
        body.add("Floor", {body.add("Div", {body.add("Sub", {r, low}), span})});
    return body.add("Sub", {r, body.add("Mul", {turns, span})});
  }
  if (overflow == Overflow::SaturateZero) {
    const std::string is_outside =
        body.add("Or", {body.add("Greater", {r, high}), body.add("Less", {r, low})});
    return body.add("Where", {is_outside, body.number(0), r});
  }
  return body.add("Min", {body.add("Max", {r, low}), high});
}

::onnx::FunctionProto requantize_function(const RequantizeModes& modes, int opset) {
  Body body(modes.name(), {"x", "step", "unit", "bit_width", "is_signed"}, opset);
  const std::string steps = body.add("Div", {body.exact("x"), body.exact("step")});
  const std::string integer =
      in_range(body, rounded(body, steps, modes.rounding), body.exact("bit_width"),
               body.exact("is_signed"), modes.overflow);
  body.cast(body.add("Mul", {integer, body.exact("unit")}), ::onnx::TensorProto::FLOAT);
  return body.finish();
}

::onnx::FunctionProto table_function(int opset) {
  Body body("Table", {"x", "unit", "first", "values"}, opset);
  const std::string raw = body.add("Div", {body.exact("x"), body.exact("unit")});
  const std::string place =
      body.cast(body.add("Sub", {raw, body.exact("first")}), ::onnx::TensorProto::INT64);
  body.cast(body.add("Gather", {"values", place}), ::onnx::TensorProto::FLOAT);
  return body.finish();
}

::onnx::FunctionProto silu_function(int opset) {
  Body body("Silu", {"x"}, opset);
  body.add("Mul", {"x", body.add("Sigmoid", {"x"})});
  return body.finish();
}

::onnx::FunctionProto rsqrt_function(int opset) {
  Body body("Rsqrt", {"x"}, opset);
  body.add("Reciprocal", {body.add("Sqrt", {"x"})});
  return body.finish();
}

}  // namespace

std::string RequantizeModes::name() const {
  return fmt::format("{}{}_{}", RequantizePrefix, to_string(rounding), to_string(overflow));
}

std::optional<RequantizeModes> RequantizeModes::of(std::string_view name) {
  for (const Rounding rounding : Roundings)
    for (const Overflow overflow : Overflows)
      if (RequantizeModes modes{rounding, overflow}; modes.name() == name)
        return modes;
  return std::nullopt;
}

std::optional<::onnx::FunctionProto> own_function(std::string_view name, int opset) {
  if (name == "Table")
    return table_function(opset);
  if (name == "Silu")
    return silu_function(opset);
  if (name == "Rsqrt")
    return rsqrt_function(opset);
  if (const auto modes = RequantizeModes::of(name))
    return requantize_function(*modes, opset);
  return std::nullopt;
}

Status verify_functions(const ::onnx::ModelProto& model, const std::string& file) {
  for (const ::onnx::FunctionProto& function : model.functions()) {
    const std::string& domain = function.domain();
    const std::string where = fmt::format("{}: function '{}'", file, printable(function.name()));
    if (domain.empty() || domain == "ai.onnx")
      return error(messages::FunctionOperator, where);
    if (domain != OwnDomain)
      continue;
    const int opset = function.opset_import_size() == 1
                          ? static_cast<int>(function.opset_import(0).version())
                          : 0;
    const auto own = own_function(function.name(), opset);
    if (!own || own->SerializeAsString() != function.SerializeAsString())
      return error(messages::OwnFunction, where);
  }
  return {};
}

}  // namespace millrace::frontends::onnx
