// SPDX-License-Identifier: Apache-2.0
// Models with Millrace's own functions: valid ONNX, and refused where they mean something else.
#include "millrace/frontends/onnx/own_functions.h"

#include <functional>
#include <gtest/gtest.h>
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
