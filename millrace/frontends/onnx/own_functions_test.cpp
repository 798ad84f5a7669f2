// SPDX-License-Identifier: Apache-2.0
// Models with Millrace's own functions: valid ONNX, and refused where they mean something else.
#include "millrace/frontends/onnx/own_functions.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <onnx/checker.h>

#include "millrace/frontends/onnx/export.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/graph/text.h"

namespace millrace::frontends::onnx {
namespace {

::onnx::ModelProto written(const std::string& ops) {
  const auto graph = graph::parse("graph @g {\n" + ops + "}\n", "test");
  if (!graph)
    throw std::runtime_error(graph.error().to_string());
  const auto bytes = export_onnx(*graph);
  if (!bytes)
    throw std::runtime_error(bytes.error().to_string());
  ::onnx::ModelProto model;
  if (!model.ParseFromString(*bytes))
    throw std::runtime_error("not a model");
  return model;
}

const std::string Wrapped =
    "%x = input : tensor<3 x real>\n"
    "%y = requantize %x {rounding = RND, overflow = WRAP} : tensor<3 x fixed<4,2>>\n"
    "output %y\n";
const std::string Looked =
    "%x = input : tensor<3 x ufixed<1,1>>\n"
    "%y = table %x {value = [3, -1]} : tensor<3 x fixed<4,2>>\noutput %y\n";

::onnx::NodeProto& node(::onnx::ModelProto& model, const std::string& name) {
  for (auto& node : *model.mutable_graph()->mutable_node())
    if (node.name() == name)
      return node;
  throw std::out_of_range(name);
}

void set_number(::onnx::ModelProto& model, const std::string& name, float number) {
  for (auto& tensor : *model.mutable_graph()->mutable_initializer())
    if (tensor.name() == name)
      tensor.set_float_data(0, number);
}

using Change = std::function<void(::onnx::ModelProto&)>;

std::string refusal(const std::string& ops, const Change& change) {
  ::onnx::ModelProto model = written(ops);
  change(model);
  const auto graph = import_onnx_bytes(model.SerializeAsString(), "m.onnx");
  return graph ? "imported" : graph.error().code;
}

TEST(OwnFunctions, EveryNameOfTwoModesIsReadAsThem) {
  const RequantizeModes modes{Rounding::HalfDown, Overflow::SaturateSymmetric};
  EXPECT_EQ(modes.name(), "Requantize_RND_MIN_INF_SAT_SYM");
  const auto again = RequantizeModes::of(modes.name());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->rounding, modes.rounding);
  EXPECT_EQ(again->overflow, modes.overflow);
  EXPECT_FALSE(RequantizeModes::of("Requantize_RND"));
  EXPECT_FALSE(RequantizeModes::of("Requantize_RND_WRAP_SM"));
}

TEST(OwnFunctions, ModelsPassOnnxsOwnChecker) {
  for (const std::string& ops : {Wrapped, Looked}) {
    const ::onnx::ModelProto model = written(ops);
    ASSERT_EQ(model.functions_size(), 1);
    EXPECT_NO_THROW(::onnx::checker::check_model(model));
  }
}

TEST(OwnFunctions, OneDefinitionServesAllNodes) {
  const ::onnx::ModelProto model = written(
      "%x = input : tensor<3 x real>\n"
      "%y = requantize %x {rounding = RND, overflow = WRAP} : tensor<3 x fixed<4,2>>\n"
      "%z = requantize %y {rounding = RND, overflow = WRAP} : tensor<3 x fixed<3,2>>\n"
      "output %z\n");
  EXPECT_EQ(model.functions_size(), 1);
}

/// What a function gives for single numbers, node by node by ONNX's definitions.
double evaluated(const ::onnx::FunctionProto& function, const std::vector<double>& operands) {
  std::map<std::string, double> values;
  for (int i = 0; i < function.input_size(); ++i)
    values[function.input(i)] = operands[static_cast<size_t>(i)];
  const std::map<std::string, std::function<double(double, double)>> operators = {
      {"Cast", [](double a, double) { return a; }},
      {"Sign", [](double a, double) { return a > 0   ? 1.0
                                             : a < 0 ? -1.0
                                                     : 0.0; }},
      {"Abs", [](double a, double) { return std::abs(a); }},
      {"Neg", [](double a, double) { return -a; }},
      {"Floor", [](double a, double) { return std::floor(a); }},
      {"Ceil", [](double a, double) { return std::ceil(a); }},
      {"Round", [](double a, double) { return std::nearbyint(a); }},
      {"Add", [](double a, double b) { return a + b; }},
      {"Sub", [](double a, double b) { return a - b; }},
      {"Mul", [](double a, double b) { return a * b; }},
      {"Div", [](double a, double b) { return a / b; }},
      {"Pow", [](double a, double b) { return std::pow(a, b); }},
      {"Max", [](double a, double b) { return std::max(a, b); }},
      {"Min", [](double a, double b) { return std::min(a, b); }},
      {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }},
      {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
      {"Or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }},
  };
  for (const auto& node : function.node()) {
    const auto operand = [&](int i) {
      return i < node.input_size() ? values.at(node.input(i)) : 0.0;
    };
    double& result = values[node.output(0)];
    if (node.op_type() == "Constant")
      result = node.attribute(0).t().double_data(0);
    else if (node.op_type() == "Where")
      result = operand(0) != 0 ? operand(1) : operand(2);
    else
      result = operators.at(node.op_type())(operand(0), operand(1));
  }
  return values.at(function.output(0));
}

TEST(OwnFunctions, BodiesComputeWhatTheGraphDoes) {
  for (const Rounding rounding :
       {Rounding::Floor, Rounding::TowardsZero, Rounding::HalfUp, Rounding::HalfDown,
        Rounding::HalfTowardsZero, Rounding::HalfAwayFromZero, Rounding::HalfEven})
    for (const Overflow overflow :
         {Overflow::Wrap, Overflow::Saturate, Overflow::SaturateZero, Overflow::SaturateSymmetric})
      for (const FixedType& type : {FixedType{true, 3, 1}, FixedType{false, 2, 1}}) {
        const auto function = own_function(RequantizeModes{rounding, overflow}.name(), 13);
        ASSERT_TRUE(function);
        const double unit = 0.5;
        for (const double steps : {1.0, 0.75})
          for (int sixteenth = -80; sixteenth <= 80; ++sixteenth) {
            const double x = sixteenth / 16.0;
            const double expected =
                type.to_double(requantize_steps(x, steps, {type, rounding, overflow}));
            ASSERT_EQ(evaluated(*function, {x, steps * unit, unit, double(type.width),
                                            type.is_signed ? 1.0 : 0.0}),
                      expected)
                << function->name() << " of " << x << " in steps of " << steps;
          }
      }
}

TEST(OwnFunctions, AnotherBodyIsRefused) {
  EXPECT_EQ(refusal(Wrapped, [](auto&) {}), "imported");
  EXPECT_EQ(refusal(Wrapped,
                    [](auto& model) {
                      auto& body = *model.mutable_functions(0)->mutable_node();
                      for (auto& step : body)
                        if (step.op_type() == "Floor")
                          step.set_op_type("Ceil");
                    }),
            messages::OwnFunction.code);
  EXPECT_EQ(refusal(Wrapped, [](auto& model) { model.mutable_functions(0)->set_name("Other"); }),
            messages::OwnFunction.code);
}

TEST(OwnFunctions, OperatorsOfOnnxCannotBeReplaced) {
  EXPECT_EQ(refusal(Wrapped,
                    [](auto& model) {
                      auto& function = *model.add_functions();
                      function.set_name("Relu");
                      function.set_domain("");
                    }),
            messages::FunctionOperator.code);
}

TEST(OwnFunctions, WrongOperandsAreRefused) {
  const auto with = [](const char* name, float number) {
    return [=](::onnx::ModelProto& model) { set_number(model, name, number); };
  };
  EXPECT_EQ(refusal(Wrapped, with("y.unit", 0.3F)), messages::QuantScale.code);
  EXPECT_EQ(refusal(Wrapped, with("y.step", 0)), messages::QuantScale.code);
  EXPECT_EQ(refusal(Wrapped, with("y.bit_width", 0)), messages::QuantWidth.code);
  EXPECT_EQ(refusal(Wrapped, with("y.bit_width", 2.5F)), messages::QuantWidth.code);
  EXPECT_EQ(refusal(Wrapped, with("y.sign", 2)), messages::QuantSign.code);
  EXPECT_EQ(refusal(Wrapped, [](auto& model) { node(model, "y").set_op_type("Requantize"); }),
            messages::UnsupportedOperator.code);
  EXPECT_EQ(refusal(Looked, with("y.first", 1)), messages::OwnTable.code);
  EXPECT_EQ(refusal(Looked, with("y.unit", 0.5F)), messages::OwnTable.code);
  EXPECT_EQ(refusal(Looked, with("y.values", 0.3F)), messages::OwnTable.code);
  EXPECT_EQ(refusal(Looked, [](auto& model) { node(model, "y").mutable_attribute()->Clear(); }),
            messages::QuantWidth.code);
}

TEST(OwnFunctions, StepsOfWeightsAreRefused) {
  const std::string weights =
      "%x = input : tensor<1 x real>\n%w = constant {value = [1.5]} : tensor<1x1 x real>\n"
      "%q = requantize %w {rounding = RND, overflow = WRAP} : tensor<1x1 x fixed<4,2>>\n"
      "%b = constant {value = [1]} : tensor<1 x real>\n"
      "%y = dense %x, %q, %b : tensor<1 x real>\noutput %y\n";
  EXPECT_EQ(refusal(weights, [](auto&) {}), "imported");
  EXPECT_EQ(refusal(weights, [](auto& model) { set_number(model, "q.step", 0.3F); }),
            messages::NotComputed.code);
}

}  // namespace
}  // namespace millrace::frontends::onnx
