// SPDX-License-Identifier: Apache-2.0
// What operators cannot do, and what is said about it.
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/model_test_builder.h"

namespace millrace::frontends::onnx {
namespace {

using ::testing::HasSubstr;
using testing::TestModel;
using Ints = std::vector<int64_t>;
constexpr auto QuantDomain = "qonnx.custom_op.general";

/// A node that cannot be read, in a model with the input x: 1x2x4x4, and the node's place.
struct Case {
  std::string name;
  const Message& message;
  std::string op;
  std::function<void(TestModel&)> build;
  std::string text = "";
};

void PrintTo(const Case& test_case, std::ostream* out) {
  *out << test_case.name;
}

class OnnxOperatorError : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxOperatorError, IsOneDiagnosticWithItsPlace) {
  TestModel model({1, 2, 4, 4});
  GetParam().build(model);
  model.graph().add_output()->set_name("y");
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, GetParam().message.code) << graph.error().to_string();
  EXPECT_EQ(graph.error().where, "m.onnx: node 'y' (" + GetParam().op + ")");
  EXPECT_THAT(graph.error().message, HasSubstr(GetParam().text));
}

TestModel& trunc(TestModel& m, const std::string& input, float zero) {
  m.tensor("s", {}, {0.5F}).tensor("z", {}, {zero}).tensor("in", {}, {8}).tensor("out", {}, {4});
  m.node("Trunc", "y", {input, "s", "z", "in", "out"}).last_node().set_domain(QuantDomain);
  return m;
}

const std::vector<Case> Cases = {
    {"not_integers", messages::NotIntegers, "Reshape",
     [](TestModel& m) { m.tensor("s", {2}, {1, 2.5F}).node("Reshape", "y", {"x", "s"}); }, "shape"},
    {"not_finite", messages::NotFiniteResult, "Div",
     [](TestModel& m) { m.tensor("z", {}, {0}).node("Div", "y", {"x", "z"}); }},
    {"gather", messages::GatherIndex, "Gather",
     [](TestModel& m) {
       m.integers("v", {3}, {1, 2, 3}).integers("i", {1}, {3}).node("Gather", "y", {"v", "i"});
     },
     "3 is not one of 3"},
    {"cast", messages::CastChanges, "Cast",
     [](TestModel& m) { m.node("Cast", "y", {"x"}).attribute("to", int64_t{6}); }, "INT32"},
    {"training", messages::Training, "Dropout",
     [](TestModel& m) {
       m.tensor("r", {}, {0.5F}).integers("t", {}, {1}).node("Dropout", "y", {"x", "r", "t"});
     }},
    // A constant is not spared: what it became in training is random.
    {"training_of_a_constant", messages::Training, "Dropout",
     [](TestModel& m) {
       m.tensor("c", {}, {2}).tensor("r", {}, {0.5F}).integers("t", {}, {1});
       m.node("Dropout", "y", {"c", "r", "t"});
     }},
    {"old_dropout", messages::OldOperator, "Dropout",
     [](TestModel& m) {
       m.proto.mutable_opset_import(0)->set_version(6);
       m.node("Dropout", "y", {"x"});
     }},
    {"exponent", messages::Exponent, "Pow",
     [](TestModel& m) { m.tensor("e", {}, {7}).node("Pow", "y", {"x", "e"}); }, "7"},
    {"quant_linear_type", messages::QuantLinearType, "QuantizeLinear",
     [](TestModel& m) {
       m.tensor("s", {}, {1}).tensor("z", {}, {0}).node("QuantizeLinear", "y", {"x", "s", "z"});
     }},
    {"quant_per_channel", messages::QuantPerChannel, "Trunc",
     [](TestModel& m) {
       trunc(m, "x", 0).graph().mutable_node(0)->set_input(1, "two");
       m.tensor("two", {2, 1, 1}, {1, 2});
     }},
    {"trunc_zero", messages::TruncZeroPoint, "Trunc", [](TestModel& m) { trunc(m, "x", 1); }},
    {"trunc_input", messages::TruncInput, "Trunc", [](TestModel& m) { trunc(m, "x", 0); }, "0.5"},
    {"trunc_scale", messages::TruncScale, "Trunc",
     [](TestModel& m) {
       trunc(m, "x", 0).graph().mutable_node(0)->set_input(1, "odd");
       m.tensor("odd", {}, {0.3F});
     },
     "0.3"},
    {"trunc_range", messages::TruncRange, "Trunc",
     [](TestModel& m) {
       m.quant("q", "x", 0.5, 8);
       trunc(m, "q", 0);
       auto& node = m.last_node();
       node.set_input(4, "s2");
       node.add_input("out");
       m.tensor("s2", {}, {4}).attribute("narrow", int64_t{1}).attribute("signed", int64_t{0});
     }},
    {"thresholds", messages::Thresholds, "MultiThreshold",
     [](TestModel& m) {
       m.tensor("t", {1, 300}, std::vector<float>(300, 1)).node("MultiThreshold", "y", {"x", "t"});
       m.last_node().set_domain(QuantDomain);
     },
     "300"},
    {"slice_axes", messages::SliceAxes, "Slice",
     [](TestModel& m) {
       m.integers("four", {4}, {2, 2, 2, 4}).integers("a", {4}, {0, 0, 0, 0});
       m.integers("b", {4}, {1, 1, 1, 1}).node("Reshape", "r", {"x", "four"});
       m.node("Slice", "y", {"r", "a", "b"});
     }},
    {"slice_empty", messages::SliceEmpty, "Slice",
     [](TestModel& m) {
       m.integers("a", {2}, {0, 1}).integers("b", {2}, {1, 1}).node("Slice", "y", {"x", "a", "b"});
     },
     "axis 1"},
    {"slice_step", messages::SliceStep, "Slice",
     [](TestModel& m) {
       m.integers("a", {1}, {0}).integers("b", {1}, {4}).integers("c", {1}, {2});
       m.integers("d", {1}, {2}).node("Slice", "y", {"x", "a", "b", "c", "d"});
     },
     "2"},
    {"pad_value", messages::PadValue, "Pad",
     [](TestModel& m) {
       m.integers("p", {8}, {0, 0, 1, 1, 0, 0, 1, 1}).tensor("v", {}, {3});
       m.node("Pad", "y", {"x", "p", "v"});
     },
     "3"},
    {"resize_factor", messages::ResizeFactor, "Resize",
     [](TestModel& m) {
       m.tensor("s", {4}, {1, 1, 1.5F, 2}).node("Resize", "y", {"x", "", "s"});
       m.attribute("mode", std::string("nearest"));
     }},
    {"resize_mode", messages::ResizeMode, "Resize",
     [](TestModel& m) {
       m.tensor("s", {4}, {1, 1, 2, 2}).node("Resize", "y", {"x", "", "s"});
       m.attribute("nearest_mode", std::string("ceil"));
     }},
    {"top_k_values", messages::TopKValues, "TopK",
     [](TestModel& m) {
       m.integers("k", {1}, {2}).node("TopK", "y", {"x", "k"}).last_node().add_output("indices");
     },
     "2"},
    {"pads_of_a_pool", messages::BadAttribute, "MaxPool",
     [](TestModel& m) {
       m.node("MaxPool", "y", {"x"}).attribute("kernel_shape", Ints{2, 2});
       m.attribute("pads", Ints{2, 2, 2, 2});
     }},
};
INSTANTIATE_TEST_SUITE_P(All, OnnxOperatorError, ::testing::ValuesIn(Cases),
                         [](const auto& test) { return test.param.name; });

// Small files that ask for a lot: refused before memory is taken, or read without it.

TEST(OnnxImportLimits, OuterProductsOfConstantsAreNotComputed) {
  TestModel model({16384, 1});
  model.tensor("rows", {16384, 1}, std::vector<float>(16384, 2))
      .tensor("columns", {1, 16384}, std::vector<float>(16384, 3))
      .node("Mul", "a", {"x", "columns"})
      .node("Mul", "y", {"a", "rows"});
  model.graph().add_output()->set_name("y");
  EXPECT_TRUE(import_onnx_bytes(model.bytes(), "m.onnx"));
}

TEST(OnnxImportLimits, ConstantsOfAnyShapeAreBounded) {
  TestModel model({1, 1});
  model.integers("s", {3}, {1 << 20, 1 << 20, 1}).node("ConstantOfShape", "y", {"s"});
  model.graph().add_output()->set_name("y");
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, messages::TooLarge.code);
}

TEST(OnnxImportLimits, EmptyConstantsAreFolded) {
  TestModel model({1, 1});
  model.tensor("e", {0, 2}, {}).node("Concat", "c", {"e", "e"}).attribute("axis", int64_t{1});
  model.tensor("w", {0, 2}, {}).quant("q", "w", 1, 4);
  auto& scale = *model.graph().mutable_initializer(2);
  ASSERT_EQ(scale.name(), "q.scale");
  const std::vector<float> scales = {0.25, 1};
  scale.add_dims(2);
  scale.set_raw_data(scales.data(), 2 * sizeof(float));
  model.node("Relu", "y", {"x"}).output("y", {1, 1});
  const auto graph = import_onnx_bytes(model.bytes(), "m.onnx");
  EXPECT_TRUE(graph) << graph.error().to_string();
}

// Tensors in other files.

class OnnxExternalData : public ::testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(::testing::TempDir()) /
             (std::string("millrace_external_") +  // tests run side by side
              ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder / "model");
    const std::array<float, 3> numbers = {7, 1.5F, -2};
    for (const auto& file : {folder / "model/weights.bin", folder / "outside.bin"})
      std::ofstream(file, std::ios::binary)
          .write(reinterpret_cast<const char*>(numbers.data()), sizeof numbers);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// A MatMul with weights 1x2 at that place; the code of the diagnostic, or the weights.
  std::string read(const std::string& location, const std::string& offset,
                   const std::string& length = "8") {
    TestModel model({1, 1});
    model.tensor("w", {1, 2}, {0, 0}).node("MatMul", "y", {"x", "w"}).output("y", {1, 2});
    auto& tensor = *model.graph().mutable_initializer(0);
    tensor.clear_raw_data();
    tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
    const std::array<std::pair<std::string, std::string>, 3> entries = {
        std::pair{"location", location}, {"offset", offset}, {"length", length}};
    for (const auto& [key, value] : entries) {
      auto& entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    std::ofstream(folder / "model/m.onnx", std::ios::binary) << model.bytes();
    const auto graph = import_onnx(folder / "model/m.onnx");
    if (!graph)
      return graph.error().code;
    for (const graph::Op& op : graph->ops())
      if (op.name == "w")
        return fmt::format("{}", fmt::join(op.as<graph::Constant>()->real(), " "));
    return "no weights";
  }

  std::filesystem::path folder;
};

TEST_F(OnnxExternalData, IsReadFromTheModelsFolder) {
  EXPECT_EQ(read("weights.bin", "4"), "1.5 -2");
  EXPECT_EQ(read("./weights.bin", "0"), "7 1.5");
}

TEST_F(OnnxExternalData, StaysInTheFolder) {
  const std::string path(messages::ExternalPath.code);
  EXPECT_EQ(read("../outside.bin", "0"), path);
  EXPECT_EQ(read("sub/../../outside.bin", "0"), path);
  EXPECT_EQ(read((folder / "outside.bin").string(), "0"), path);
  EXPECT_EQ(read("", "0"), path);
  EXPECT_EQ(read("missing.bin", "0"), path);
  std::filesystem::create_symlink(folder / "outside.bin", folder / "model/link.bin");
  EXPECT_EQ(read("link.bin", "0"), path);
}

TEST_F(OnnxExternalData, StaysInTheFile) {
  const std::string size(messages::ExternalSize.code);
  EXPECT_EQ(read("weights.bin", "5"), size);
  EXPECT_EQ(read("weights.bin", "18446744073709551615"), size);
  EXPECT_EQ(read("weights.bin", "-4"), size);
  EXPECT_EQ(read("weights.bin", "4", "4"), size);
}

}  // namespace
}  // namespace millrace::frontends::onnx
