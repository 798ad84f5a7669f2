// SPDX-License-Identifier: Apache-2.0
// One wrong model for each thing that can be wrong, and what is said about it.
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/model_test_builder.h"
#include "millrace/graph/messages.h"

namespace millrace::frontends::onnx {
namespace {

using ::testing::HasSubstr;
using testing::TestModel;
using Ints = std::vector<int64_t>;

/// The right model that each case breaks: x -> xq -> conv (w, b) -> relu -> q -> pool -> y.
TestModel good_model() {
  TestModel model({1, 1, 4, 4});
  model.tensor("w", {2, 1, 3, 3}, std::vector<float>(18, 0.5F))
      .tensor("b", {2}, {1, -1})
      .quant("xq", "x", 0.25, 8)
      .quant("wq", "w", 0.25, 6)
      .quant("bq", "b", 0.0625, 8)
      .node("Conv", "conv", {"xq", "wq", "bq"})
      .node("Relu", "relu", {"conv"})
      .quant("q", "relu", 0.5, 6, false)
      .node("MaxPool", "y", {"q"})
      .attribute("kernel_shape", Ints{2, 2})
      .output("y", {1, 2, 1, 1});
  return model;
}

::onnx::NodeProto& node(TestModel& model, const std::string& name) {
  for (auto& candidate : *model.graph().mutable_node()) {
    if (candidate.name() == name)
      return candidate;
  }
  throw std::out_of_range(name);
}

::onnx::TensorProto& tensor(TestModel& model, const std::string& name) {
  for (auto& candidate : *model.graph().mutable_initializer()) {
    if (candidate.name() == name)
      return candidate;
  }
  throw std::out_of_range(name);
}

void set_number(TestModel& model, const std::string& name, float number) {
  tensor(model, name).set_raw_data(&number, sizeof number);
}

void set_attribute(TestModel& model, const std::string& name, const std::string& attribute,
                   const Ints& values) {
  auto& added = *node(model, name).add_attribute();
  added.set_name(attribute);
  added.set_type(::onnx::AttributeProto::INTS);
  added.mutable_ints()->Assign(values.begin(), values.end());
}

void set_attribute(TestModel& model, const std::string& name, const std::string& attribute,
                   int64_t value) {
  auto& added = *node(model, name).add_attribute();
  added.set_name(attribute);
  added.set_type(::onnx::AttributeProto::INT);
  added.set_i(value);
}

/// Replaces the last attribute of that node which has that name.
void change_attribute(TestModel& model, const std::string& name, const std::string& attribute,
                      int64_t value) {
  for (auto& candidate : *node(model, name).mutable_attribute()) {
    if (candidate.name() == attribute)
      candidate.set_i(value);
  }
}

::onnx::TensorShapeProto& shape_of(::onnx::ValueInfoProto& port) {
  return *port.mutable_type()->mutable_tensor_type()->mutable_shape();
}

/// x -> fc, a layer on vectors, for which the cases add operands.
TestModel vector_model() {
  TestModel model({1, 2});
  model.tensor("w", {2, 3}, {1, 2, 3, 4, 5, 6}).tensor("c", {3}, {1, 2, 3});
  model.output("y", {1, 3});
  return model;
}

struct Case {
  std::string name;
  const Message& message;
  std::string where;  ///< behind "m.onnx"
  std::function<void(TestModel&)> spoil;
  std::string text = "";  ///< part of the message
  TestModel (*start)() = good_model;
};

void PrintTo(const Case& test_case, std::ostream* out) {
  *out << test_case.name;
}

class OnnxImportError : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxImportError, IsOneDiagnosticWithItsPlace) {
  TestModel model = GetParam().start();
  GetParam().spoil(model);
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().message.code) << graph.error().to_string();
  EXPECT_EQ(graph.error().where, "m.onnx" + GetParam().where);
  EXPECT_THAT(graph.error().message, HasSubstr(GetParam().text));
  EXPECT_EQ(graph.error().help, GetParam().message.help);
}

TEST(OnnxImportErrors, StartFromARightModel) {
  const auto graph = import_onnx_bytes(good_model().bytes(), "m.onnx");
  EXPECT_TRUE(graph) << graph.error().to_string();
  TestModel model = vector_model();
  model.node("Gemm", "y", {"x", "w", "c"});
  EXPECT_TRUE(import_onnx_bytes(model.bytes(), "m.onnx"));
}

const std::vector<Case> FileCases = {
    {"no_version", messages::NotOnnx, "", [](TestModel& m) { m.proto.clear_ir_version(); }},
    {"no_graph", messages::Truncated, "", [](TestModel& m) { m.proto.clear_graph(); },
     "holds no graph"},
    {"no_opset", messages::Truncated, "", [](TestModel& m) { m.proto.clear_opset_import(); },
     "which operator set"},
    {"old_opset", messages::Opset, "",
     [](TestModel& m) { m.proto.mutable_opset_import(0)->set_version(-1); }, "version -1"},
    {"new_opset", messages::Opset, "",
     [](TestModel& m) { m.proto.mutable_opset_import(0)->set_version(99); }, "version 99"},
    {"external", messages::ExternalData, ": tensor 'w'",
     [](TestModel& m) {
       tensor(m, "w").set_data_location(::onnx::TensorProto::EXTERNAL);
       tensor(m, "w").add_external_data()->set_value("/etc/passwd");
     }},
    {"complex", messages::TensorKind, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").set_data_type(::onnx::TensorProto::COMPLEX64); },
     "type COMPLEX64"},
    {"unknown_type", messages::TensorKind, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").set_data_type(77); }, "type 77"},
    {"sparse", messages::TensorKind, "", [](TestModel& m) { m.graph().add_sparse_initializer(); },
     "SPARSE"},
    {"few_numbers", messages::TensorSize, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").mutable_raw_data()->resize(68); },
     "2x1x3x3 needs 18 numbers, the file holds 17"},
    {"odd_bytes", messages::TensorSize, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").mutable_raw_data()->resize(73); }},
    {"huge_tensor", messages::TooLarge, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").set_dims(0, int64_t{1} << 40); }},
    {"overflowing_tensor", messages::TooLarge, ": tensor 'w'",
     [](TestModel& m) {
       for (int i = 0; i < 4; ++i)
         tensor(m, "w").set_dims(i, int64_t{1} << 62);
     }},
    {"negative_extent", messages::TooLarge, ": tensor 'w'",
     [](TestModel& m) { tensor(m, "w").set_dims(0, -2); }},
    {"not_a_number", messages::NotFinite, ": tensor 'b'",
     [](TestModel& m) {
       const std::array<float, 2> numbers = {1, std::numeric_limits<float>::quiet_NaN()};
       tensor(m, "b").set_raw_data(numbers.data(), sizeof numbers);
     },
     "NaN"},
    {"infinite", messages::NotFinite, ": tensor 'b'",
     [](TestModel& m) {
       const std::array<float, 2> numbers = {1, -std::numeric_limits<float>::infinity()};
       tensor(m, "b").set_raw_data(numbers.data(), sizeof numbers);
     },
     "infinite"},
    {"infinite_constant", messages::NotFinite, ": node 'k' (Constant)",
     [](TestModel& m) {
       m.node("Constant", "k", {}).attribute("value_float", std::numeric_limits<float>::infinity());
     }},
    {"large_integer", messages::LargeInteger, ": tensor 'big'",
     [](TestModel& m) { m.integers("big", {1}, {(int64_t{1} << 53) + 1}); }, "9007199254740993"},
};

const std::vector<Case> StructureCases = {
    {"no_input", messages::NoInput, "",
     [](TestModel& m) {
       m.graph().clear_input();
       node(m, "xq").set_input(0, "w");
     }},
    {"no_output", messages::NoOutput, "", [](TestModel& m) { m.graph().clear_output(); }},
    {"integer_input", messages::InputKind, ": input 'x'",
     [](TestModel& m) {
       m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
           ::onnx::TensorProto::INT8);
     }},
    {"no_shape", messages::DynamicShape, ": input 'x'",
     [](TestModel& m) {
       m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
     },
     "the shape"},
    {"free_extent", messages::DynamicShape, ": input 'x'",
     [](TestModel& m) {
       shape_of(*m.graph().mutable_input(0)).mutable_dim(2)->set_dim_param("height");
     },
     "extent 2"},
    {"missing_extent", messages::DynamicShape, ": input 'x'",
     [](TestModel& m) { shape_of(*m.graph().mutable_input(0)).mutable_dim(3)->clear_dim_value(); },
     "extent 3"},
    {"extent_zero", messages::DynamicShape, ": input 'x'",
     [](TestModel& m) { shape_of(*m.graph().mutable_input(0)).mutable_dim(1)->set_dim_value(0); },
     "extent 1"},
    {"batch", messages::Batch, ": node 'conv' (Conv)",
     [](TestModel& m) { shape_of(*m.graph().mutable_input(0)).mutable_dim(0)->set_dim_value(64); },
     "64"},
    {"rank", messages::InputRank, ": input 'x'",
     [](TestModel& m) { shape_of(*m.graph().mutable_input(0)).add_dim()->set_dim_value(1); },
     "rank 5"},
    {"huge_input", messages::TooLarge, ": input 'x'",
     [](TestModel& m) {
       for (int i = 1; i < 4; ++i)
         shape_of(*m.graph().mutable_input(0)).mutable_dim(i)->set_dim_value(int64_t{1} << 62);
     }},
    {"missing_initialiser", messages::MissingTensor, ": node 'wq' (Quant)",
     [](TestModel& m) { m.graph().mutable_initializer()->DeleteSubrange(0, 1); }, "'w'"},
    {"missing_output", messages::MissingTensor, "",
     [](TestModel& m) { m.graph().mutable_output(0)->set_name("nowhere"); }, "'nowhere'"},
    {"two_definitions", messages::DuplicateTensor, ": node 'again' (Relu)",
     [](TestModel& m) {
       m.node("Relu", "again", {"conv"});
       m.last_node().set_output(0, "relu");
     },
     "'relu'"},
    {"two_initialisers", messages::DuplicateTensor, "",
     [](TestModel& m) { m.tensor("w", {}, {1}); }, "'w'"},
    {"cycle", messages::Cycle, ": node 'relu' (Relu)",
     [](TestModel& m) { node(m, "relu").set_input(0, "q"); }},
    {"cycle_of_one", messages::Cycle, ": node 'relu' (Relu)",
     [](TestModel& m) { node(m, "relu").set_input(0, "relu"); }},
    {"wrong_output_shape", messages::OutputShape, ": output 'y'",
     [](TestModel& m) { shape_of(*m.graph().mutable_output(0)).mutable_dim(3)->set_dim_value(7); },
     "1x2x1x7, its nodes give 1x2x1x1"},
    {"constant_output", messages::ConstantOutput, ": output 'wq'",
     [](TestModel& m) { m.graph().mutable_output(0)->set_name("wq"); }},
    {"operator", messages::UnsupportedOperator, ": node 'y' (LSTM)",
     [](TestModel& m) { node(m, "y").set_op_type("LSTM"); }, "operator LSTM"},
    {"operator_elsewhere", messages::UnsupportedOperator, ": node 'y' (Relu)",
     [](TestModel& m) {
       node(m, "y").set_op_type("Relu");
       node(m, "y").set_domain("com.example");
     },
     "com.example.Relu"},
    {"float_quant", messages::UnsupportedOperator, ": node 'q' (FloatQuant)",
     [](TestModel& m) { node(m, "q").set_op_type("FloatQuant"); },
     "qonnx.custom_op.general.FloatQuant"},
    {"computed_floor", messages::UnsupportedOperator, ": node 't' (Floor)",
     [](TestModel& m) { m.node("Floor", "t", {"conv"}); }, "Floor of a computed value"},
    {"few_operands", messages::InputCount, ": node 'conv' (Conv)",
     [](TestModel& m) { node(m, "conv").mutable_input()->DeleteSubrange(1, 2); },
     "1 inputs, expected 2 to 3"},
    {"omitted_operand", messages::InputCount, ": node 'conv' (Conv)",
     [](TestModel& m) { node(m, "conv").set_input(1, ""); }},
    {"second_output", messages::ExtraOutput, ": node 'y' (MaxPool)",
     [](TestModel& m) {
       node(m, "y").add_output("indices");
       m.node("Relu", "z", {"indices"});
     }},
    {"unknown_attribute", messages::UnsupportedAttribute, ": node 'relu' (Relu)",
     [](TestModel& m) { set_attribute(m, "relu", "alpha", 1); }, "alpha"},
    {"attribute_type", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "group", Ints{1}); },
     "group is of another type, expected an integer"},
    {"empty_constant", messages::MissingAttribute, ": node 'k' (Constant)",
     [](TestModel& m) { m.node("Constant", "k", {}); }},
    {"text_constant", messages::BadAttribute, ": node 'k' (Constant)",
     [](TestModel& m) { m.node("Constant", "k", {}).attribute("value", std::string("five")); }},
    {"computed_weights", messages::NotConstant, ": node 'conv' (Conv)",
     [](TestModel& m) { node(m, "conv").set_input(1, "xq"); }, "weight"},
    {"constant_layer", messages::NotComputed, ": node 'k' (Relu)",
     [](TestModel& m) { m.node("Relu", "k", {"b"}); }},
    {"constant_first_operand", messages::LayerShapes, ": node 'y' (MatMul)",
     [](TestModel& m) { m.node("MatMul", "y", {"w", "x"}); },
     "its weight has the shape 2x3, its input 1x2", vector_model},
};

const std::vector<Case> QuantCases = {
    {"negative_scale", messages::QuantScale, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.scale", -0.5F); }, "-0.5"},
    {"scale_zero", messages::QuantScale, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.scale", 0); }},
    {"scale_beyond_types", messages::QuantScale, ": node 'q' (Quant)",
     [](TestModel& m) {
       auto& scale = tensor(m, "q.scale");
       scale.set_data_type(::onnx::TensorProto::DOUBLE);
       scale.clear_raw_data();
       scale.add_double_data(std::ldexp(1.0, -1030));
     }},
    {"scale_per_channel", messages::QuantSpread, ": node 'wq' (Quant)",
     [](TestModel& m) {
       const std::array<float, 2> scales = {0.5, std::ldexp(1.0F, -70)};
       auto& scale = tensor(m, "wq.scale");
       for (int64_t extent : {2, 1, 1, 1})
         scale.add_dims(extent);
       scale.set_raw_data(scales.data(), sizeof scales);
     }},
    {"scale_shape", messages::LayerShapes, ": node 'wq' (Quant)",
     [](TestModel& m) {
       for (int64_t extent : {1, 1, 1, 1, 1})
         tensor(m, "wq.scale").add_dims(extent);
     }},
    {"no_scale", messages::QuantEmpty, ": node 'wq' (Quant)",
     [](TestModel& m) {
       tensor(m, "w").mutable_dims()->Set(0, 0);
       tensor(m, "w").clear_raw_data();
       tensor(m, "wq.scale").add_dims(0);
       for (int64_t extent : {1, 1, 1})
         tensor(m, "wq.scale").add_dims(extent);
       tensor(m, "wq.scale").clear_raw_data();
     }},
    {"computed_scale", messages::NotConstant, ": node 'q' (Quant)",
     [](TestModel& m) { node(m, "q").set_input(1, "relu"); }, "scale"},
    {"quantised_scale", messages::NotConstant, ": node 'q' (Quant)",
     [](TestModel& m) { node(m, "q").set_input(1, "wq"); }, "without Quant"},
    {"zero_point", messages::QuantZeroPoint, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.zero", 0.5F); }, "0.5"},
    {"no_bits", messages::QuantWidth, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.bits", 0); }, "0"},
    {"negative_bits", messages::QuantWidth, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.bits", -8); }},
    {"many_bits", messages::QuantWidth, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.bits", 65); }, "65"},
    {"fraction_of_a_bit", messages::QuantWidth, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.bits", 4.5); }, "4.5"},
    {"bipolar", messages::QuantBipolar, ": node 'wq' (Quant)",
     [](TestModel& m) {
       const std::array<float, 2> widths = {1, 2};
       auto& bits = tensor(m, "wq.bits");
       for (int64_t extent : {2, 1, 1, 1})
         bits.add_dims(extent);
       bits.set_raw_data(widths.data(), sizeof widths);
     }},
    {"flag", messages::BadAttribute, ": node 'q' (Quant)",
     [](TestModel& m) { change_attribute(m, "q", "signed", 2); }, "signed is 2, expected 0 or 1"},
    {"rounding", messages::QuantRounding, ": node 'q' (Quant)",
     [](TestModel& m) { node(m, "q").mutable_attribute(2)->set_s("CEIL"); }, "CEIL"},
    {"rounding_up", messages::QuantRounding, ": node 'q' (Quant)",
     [](TestModel& m) { node(m, "q").mutable_attribute(2)->set_s("UP"); }, "UP"},
    {"wide_unsigned", graph::messages::TensorC1, ": node 'q' (Quant)",
     [](TestModel& m) { set_number(m, "q.bits", 64); }},
    {"wide_sums", graph::messages::Conv2DC5, ": node 'conv' (Conv)",
     [](TestModel& m) { set_number(m, "wq.bits", 60); }},
};

const std::vector<Case> LayerCases = {
    {"conv_of_a_vector", messages::Rank, ": node 'y' (Conv)",
     [](TestModel& m) { m.tensor("k", {1, 1, 1, 1}, {1}).node("Conv", "y", {"x", "k"}); }, "1x2",
     vector_model},
    {"conv_of_one_dimension", messages::Rank, ": node 'conv' (Conv)",
     [](TestModel& m) {
       tensor(m, "w").mutable_dims()->Clear();
       for (int64_t extent : {2, 1, 9})
         tensor(m, "w").add_dims(extent);
     },
     "weight"},
    {"conv_without_filters", messages::Rank, ": node 'conv' (Conv)",
     [](TestModel& m) {
       tensor(m, "w").set_dims(0, 0);
       tensor(m, "w").clear_raw_data();
       node(m, "conv").set_input(1, "w");
     }},
    {"group", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "group", 2); }, "group is 2, expected a divisor"},
    {"channels", messages::LayerShapes, ": node 'conv' (Conv)",
     [](TestModel& m) {
       tensor(m, "w").set_dims(0, 1);
       tensor(m, "w").set_dims(1, 2);
     }},
    {"kernel_shape", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "kernel_shape", Ints{5, 5}); }, "[5, 5]"},
    {"dilations", messages::KernelTooLarge, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "dilations", Ints{2, 2}); }, "5x5"},
    {"strides_zero", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "strides", Ints{0, 1}); }, "strides"},
    {"strides_count", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "strides", Ints{1}); }, "strides"},
    {"strides_huge", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "strides", Ints{1, int64_t{1} << 62}); }},
    {"pads_negative", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "pads", Ints{0, 0, -1, 0}); }, "pads"},
    {"pads_huge", messages::BadAttribute, ": node 'y' (MaxPool)",
     [](TestModel& m) { set_attribute(m, "y", "pads", Ints{0, 2, 0, 0}); }, "pads"},
    {"pads_count", messages::BadAttribute, ": node 'conv' (Conv)",
     [](TestModel& m) { set_attribute(m, "conv", "pads", Ints{0, 0}); }, "pads"},
    {"auto_pad", messages::BadAttribute, ": node 'y' (MaxPool)",
     [](TestModel& m) { m.attribute("auto_pad", std::string("SAME")); }, "auto_pad is SAME"},
    {"auto_pad_and_pads", messages::BadAttribute, ": node 'y' (MaxPool)",
     [](TestModel& m) {
       m.attribute("auto_pad", std::string("VALID")).attribute("pads", Ints{1, 0, 0, 0});
     },
     "beside auto_pad"},
    {"kernel_too_large", messages::KernelTooLarge, ": node 'y' (MaxPool)",
     [](TestModel& m) {
       for (int64_t& extent : *node(m, "y").mutable_attribute(0)->mutable_ints())
         extent = 3;
     },
     "3x3 does not fit the padded map 2x2"},
    {"pool_of_a_vector", messages::Rank, ": node 'y' (MaxPool)",
     [](TestModel& m) { m.node("MaxPool", "y", {"x"}).attribute("kernel_shape", Ints{1, 1}); }, "",
     vector_model},
    {"pool_without_kernel", messages::MissingAttribute, ": node 'y' (MaxPool)",
     [](TestModel& m) { node(m, "y").clear_attribute(); }, "kernel_shape"},
    {"pool_kernel_zero", messages::BadAttribute, ": node 'y' (MaxPool)",
     [](TestModel& m) { node(m, "y").mutable_attribute(0)->set_ints(0, 0); }},
    {"ceil_mode", messages::CeilMode, ": node 'y' (AveragePool)",
     [](TestModel& m) {
       m.attribute("ceil_mode", int64_t{1}).attribute("strides", Ints{2, 2});
       m.attribute("pads", Ints{1, 0, 0, 0}).attribute("count_include_pad", int64_t{1});
       node(m, "y").set_op_type("AveragePool");
     }},
    {"bias_shape", messages::BiasShape, ": node 'conv' (Conv)",
     [](TestModel& m) { tensor(m, "b").add_dims(1); }, "2x1"},
    {"added_bias_shape", messages::LayerShapes, ": node 'y' (Add)",
     [](TestModel& m) {
       m.tensor("k", {2}, {1, 2}).node("MatMul", "fc", {"x", "w"}).node("Add", "y", {"fc", "k"});
     },
     "1x3", vector_model},
    {"weights_shape", messages::LayerShapes, ": node 'y' (MatMul)",
     [](TestModel& m) {
       tensor(m, "w").set_dims(0, 3);
       tensor(m, "w").set_dims(1, 2);
       m.node("MatMul", "y", {"x", "w"});
     },
     "3x2", vector_model},
    {"weights_rank", messages::Rank, ": node 'y' (MatMul)",
     [](TestModel& m) { m.tensor("k", {2, 2, 1}, {1, 2, 3, 4}).node("MatMul", "y", {"x", "k"}); },
     "a matrix", vector_model},
    {"dense_of_a_map", messages::Rank, ": node 'm' (MatMul)",
     [](TestModel& m) { m.node("MatMul", "m", {"conv", "wq"}); }, "2x1x3x3"},
    {"trans_a", messages::LayerShapes, ": node 'y' (Gemm)",
     [](TestModel& m) { m.node("Gemm", "y", {"x", "w", "c"}).attribute("transA", int64_t{1}); }, "",
     vector_model},
    {"alpha", messages::GemmFactor, ": node 'y' (Gemm)",
     [](TestModel& m) {
       m.quant("xq", "x", 1, 8).quant("wq", "w", 1, 8).node("Gemm", "y", {"xq", "wq"});
       m.attribute("alpha", 3.0F);
     },
     "alpha is 3", vector_model},
    {"beta", messages::GemmFactor, ": node 'y' (Gemm)",
     [](TestModel& m) {
       m.quant("xq", "x", 1, 8).quant("wq", "w", 1, 8).quant("cq", "c", 1, 8);
       m.node("Gemm", "y", {"xq", "wq", "cq"}).attribute("beta", -1.0F);
     },
     "beta is -1", vector_model},
    {"alpha_not_a_number", messages::GemmFactor, ": node 'y' (Gemm)",
     [](TestModel& m) {
       m.node("Gemm", "y", {"x", "w"});
       m.attribute("alpha", std::numeric_limits<float>::quiet_NaN());
     },
     "nan", vector_model},
    {"flatten_axis", messages::BadAttribute, ": node 'f' (Flatten)",
     [](TestModel& m) { m.node("Flatten", "f", {"conv"}).attribute("axis", int64_t{7}); },
     "axis is 7"},
    {"reshape", messages::Reshape, ": node 'r' (Reshape)",
     [](TestModel& m) {
       m.integers("shape", {3}, {1, 3, -1}).node("Reshape", "r", {"conv", "shape"});
     },
     "[1, 3, -1] does not hold the elements of 1x2x2x2"},
    {"reshape_count", messages::Reshape, ": node 'r' (Reshape)",
     [](TestModel& m) {
       m.integers("shape", {2}, {1, 9}).node("Reshape", "r", {"conv", "shape"});
     }},
    {"reshape_two_free", messages::Reshape, ": node 'r' (Reshape)",
     [](TestModel& m) {
       m.integers("shape", {2}, {-1, -1}).node("Reshape", "r", {"conv", "shape"});
     }},
    {"constant_reshape", messages::LayerShapes, ": node 'r' (Reshape)",
     [](TestModel& m) { m.integers("shape", {2}, {5, 5}).node("Reshape", "r", {"w", "shape"}); },
     "[5, 5]"},
    {"transpose", messages::BadAttribute, ": node 't' (Transpose)",
     [](TestModel& m) { m.node("Transpose", "t", {"w"}).attribute("perm", Ints{0, 1, 2, 2}); },
     "perm is [0, 1, 2, 2]"},
};

TestModel normalisation() {
  TestModel model({1, 2});
  model.tensor("gamma", {2}, {1, 2})
      .tensor("beta", {2}, {0, 0})
      .tensor("mean", {2}, {0, 0})
      .tensor("var", {2}, {1, 1})
      .node("BatchNormalization", "y", {"x", "gamma", "beta", "mean", "var"})
      .output("y", {1, 2});
  return model;
}

const std::vector<Case> NormalizationCases = {
    {"negative_variance", messages::Normalization, ": node 'y' (BatchNormalization)",
     [](TestModel& m) {
       const std::array<float, 2> numbers = {1, -1};
       tensor(m, "var").set_raw_data(numbers.data(), sizeof numbers);
     },
     "channel 1", normalisation},
    {"no_variance", messages::Normalization, ": node 'y' (BatchNormalization)",
     [](TestModel& m) {
       const std::array<float, 2> numbers = {0, 1};
       tensor(m, "var").set_raw_data(numbers.data(), sizeof numbers);
       m.attribute("epsilon", 0.0F);
     },
     "channel 0", normalisation},
    {"training", messages::BadAttribute, ": node 'y' (BatchNormalization)",
     [](TestModel& m) { m.attribute("training_mode", int64_t{1}); }, "training_mode",
     normalisation},
    {"not_spatial", messages::BadAttribute, ": node 'y' (BatchNormalization)",
     [](TestModel& m) { m.attribute("spatial", int64_t{0}); }, "spatial", normalisation},
    {"parameter_count", messages::BiasShape, ": node 'y' (BatchNormalization)",
     [](TestModel& m) {
       tensor(m, "mean").set_dims(0, 1);
       tensor(m, "mean").mutable_raw_data()->resize(4);
     },
     "shape 1", normalisation},
    {"quantised_scale", messages::NormalizationQuantised, ": node 'y' (BatchNormalization)",
     [](TestModel& m) {
       m.quant("gq", "gamma", 1, 8);
       node(m, "y").set_input(1, "gq");
     },
     "scale", normalisation},
    {"quantised_mean", messages::NotConstant, ": node 'y' (BatchNormalization)",
     [](TestModel& m) {
       m.quant("mq", "mean", 1, 8);
       node(m, "y").set_input(3, "mq");
     },
     "mean", normalisation},

};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(File, OnnxImportError, ::testing::ValuesIn(FileCases), case_name);
INSTANTIATE_TEST_SUITE_P(Structure, OnnxImportError, ::testing::ValuesIn(StructureCases),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Quant, OnnxImportError, ::testing::ValuesIn(QuantCases), case_name);
INSTANTIATE_TEST_SUITE_P(Layer, OnnxImportError, ::testing::ValuesIn(LayerCases), case_name);
INSTANTIATE_TEST_SUITE_P(Normalization, OnnxImportError, ::testing::ValuesIn(NormalizationCases),
                         case_name);

std::string code_of(std::string_view bytes) {
  const auto graph = import_onnx_bytes(bytes, "m.onnx");
  return graph ? "" : graph.error().code;
}

TEST(OnnxImportErrors, TextIsNotAModel) {
  EXPECT_EQ(code_of(""), messages::NotOnnx.code);
  EXPECT_EQ(code_of("import onnx\n"), messages::NotOnnx.code);
  EXPECT_EQ(code_of(std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16)), messages::NotOnnx.code);
}

// A model that ends early is never taken for another, smaller one.
TEST(OnnxImportErrors, EveryShorterFileIsRefused) {
  const std::string bytes = good_model().bytes();
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::string code = code_of(bytes.substr(0, length));
    EXPECT_TRUE(code == messages::Truncated.code || code == messages::NotOnnx.code)
        << length << ": " << code;
  }
}

TEST(OnnxImportErrors, MissingFileIsNamed) {
  const auto graph = import_onnx("no/such/model.onnx");
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().to_string(), HasSubstr("no/such/model.onnx"));
}

TEST(OnnxImportErrors, NamesAreMadePrintable) {
  TestModel model({1, 1});
  model.node("Evil", "\x1b[31m" + std::string(1000, 'a'), {"x"}).output("x", {1, 1});
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().where, "m.onnx: node '?[31m" + std::string(75, 'a') + "...' (Evil)");
}

}  // namespace
}  // namespace millrace::frontends::onnx
