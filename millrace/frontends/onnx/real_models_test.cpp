// SPDX-License-Identifier: Apache-2.0
// Models that others wrote: each imports, or is refused for the reason stated here.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <random>

#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/onnx/export.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/tensor_decoder.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"
#include "millrace/reference/evaluate_real.h"
#include "millrace/support/files.h"

namespace millrace::frontends::onnx {
namespace {

namespace fs = std::filesystem;

const fs::path Models = fs::path(MILLRACE_SOURCE_DIR) / "../shared/models";

/// "CODE at WHERE" of a model's diagnostic, with the file's name alone; "imported" without one.
std::string refusal(const fs::path& name) {
  const fs::path path = Models / name;
  const auto graph = import_onnx(path);
  if (graph)
    return "imported";
  return graph.error().code + " at " + graph.error().where.substr(path.string().size() + 2);
}

FloatTensor read_tensor(const fs::path& path) {
  const auto bytes = read_file(path);
  ::onnx::TensorProto proto;
  if (!bytes || !proto.ParseFromString(*bytes))
    throw std::runtime_error(path.string());
  return decode_tensor(proto, path.string()).value().numbers;
}

class RealModels : public ::testing::Test {
protected:
  void SetUp() override {
    if (!fs::exists(Models))
      GTEST_SKIP() << "no models at " << Models;
  }
};

// A float CNN with SAME_UPPER padding, biases as Add, a Reshape of weights and of a map, and the
// result that the framework computed in float32.
TEST_F(RealModels, MnistConvComputesTheResultThatCameWithIt) {
  const auto graph = import_onnx(Models / "qonnx/mnist-conv/model.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  const FloatTensor input = read_tensor(Models / "qonnx/mnist-conv/test_data_set_0/input_0.pb");
  const FloatTensor output = read_tensor(Models / "qonnx/mnist-conv/test_data_set_0/output_0.pb");
  ASSERT_EQ(input.shape, (Shape{1, 1, 28, 28}));  // one channel: CHW and HWC order agree
  const auto computed = reference::evaluate_real(*graph, {input.data}).at(0);
  ASSERT_EQ(computed.size(), output.data.size());
  double largest = 0;
  for (double logit : output.data)
    largest = std::max(largest, std::abs(logit));
  for (size_t i = 0; i < computed.size(); ++i)
    EXPECT_NEAR(computed[i], output.data[i], 1e-5 * largest) << i;
}

TEST_F(RealModels, MnistConvHasNoQuantisersToLower) {
  const auto graph = import_onnx(Models / "qonnx/mnist-conv/model.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_FALSE(passes::lower(*graph));
}

TEST_F(RealModels, ResidualBlockAddsTwoComputedMaps) {
  const auto graph = import_onnx(Models / "qonnx/residual_block_clean.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  const graph::Op& pool = graph->op(graph->outputs()[0]);
  EXPECT_EQ(pool.type.shape, (Shape{12, 12, 14}));
  EXPECT_TRUE(graph->op(pool.operands[0]).as<graph::Add>());
}

TEST_F(RealModels, JetTaggerEndsInSoftmax) {
  const auto graph = import_onnx(Models / "qonnx/qkeras_jettagging.onnx");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_TRUE(graph->op(graph->outputs()[0]).as<graph::Softmax>());
}

/// The model with its input quantised: whole numbers of 8 bits, in steps of `scale`.
Result<graph::Graph> import_with_quantised_input(const fs::path& path, float scale) {
  const auto bytes = read_file(path);
  ::onnx::ModelProto proto;
  if (!bytes || !proto.ParseFromString(*bytes))
    throw std::runtime_error(path.string());
  auto& graph = *proto.mutable_graph();
  const std::string input = graph.input(0).name();
  for (auto& node : *graph.mutable_node())
    for (auto& operand : *node.mutable_input())
      if (operand == input)
        operand = "input_quantised";
  auto& quant = *graph.add_node();
  quant.set_name("input_quantiser");
  quant.set_op_type("Quant");
  quant.set_domain("qonnx.custom_op.general");
  quant.add_output("input_quantised");
  quant.add_input(input);
  const std::array<float, 3> numbers = {scale, 0, 8};
  for (float number : numbers) {
    auto& tensor = *graph.add_initializer();
    tensor.set_name("input_quantiser." + std::to_string(graph.initializer_size()));
    tensor.set_data_type(::onnx::TensorProto::FLOAT);
    tensor.add_float_data(number);
    quant.add_input(tensor.name());
  }
  auto& is_signed = *quant.add_attribute();
  is_signed.set_name("signed");
  is_signed.set_type(::onnx::AttributeProto::INT);
  is_signed.set_i(0);
  return import_onnx_bytes(proto.SerializeAsString(), path.string());
}

// FINN's streamlined network in its MultiThreshold form, with the images and classes that came with
// it: the exact graph gives the classes.
TEST_F(RealModels, FinnNetworkGivesTheClassesThatCameWithIt) {
  const auto imported = import_with_quantised_input(Models / "finn/tfc/model.onnx", 1);
  ASSERT_TRUE(imported) << imported.error().to_string();
  const auto exact = passes::lower(*imported);
  ASSERT_TRUE(exact) << exact.error().to_string();
  constexpr size_t Images = 4, Pixels = 784;
  const auto file = read_file(Models / "finn/tfc/input.npy");
  ASSERT_TRUE(file);
  std::vector<float> pixels(Images * Pixels);
  const size_t num_bytes = pixels.size() * sizeof(float);
  ASSERT_GT(file->size(), num_bytes);
  std::memcpy(pixels.data(), file->data() + file->size() - num_bytes, num_bytes);
  const double scale = *std::ranges::max_element(pixels) <= 1 ? 255 : 1;
  std::vector<int64_t> classes;
  for (size_t image = 0; image < Images; ++image) {
    IntTensor input{{28, 28, 1}, {}};
    for (size_t i = 0; i < Pixels; ++i)
      input.data.push_back(std::lround(pixels[image * Pixels + i] * scale));
    classes.push_back(reference::evaluate(*exact, {input}).at(0).data.at(0));
  }
  EXPECT_EQ(classes, (std::vector<int64_t>{7, 2, 1, 0}));
}

TEST_F(RealModels, BrevitasNetworksAreExact) {
  for (const std::string name : {"TFC_1W1A", "TFC_2W2A"}) {
    EXPECT_EQ(refusal("qonnx/" + name + ".onnx"), "imported");
    const auto imported =
        import_with_quantised_input(Models / ("qonnx/" + name + ".onnx"), 1.0F / 256);
    ASSERT_TRUE(imported) << imported.error().to_string();
    const auto exact = passes::lower(*imported);
    ASSERT_TRUE(exact) << exact.error().to_string();
    EXPECT_EQ(exact->type(exact->outputs()[0]).shape, Shape{10});
    // The same logits in double as bit for bit.
    IntTensor image{{28, 28, 1}, {}};
    std::vector<double> numbers;
    for (int64_t i = 0; i < 784; ++i) {
      image.data.push_back(i * i % 256);
      numbers.push_back(static_cast<double>(image.data.back()) / 256);
    }
    const auto raw = reference::evaluate(*exact, {image}).at(0).data;
    const auto real = reference::evaluate_real(*imported, {numbers}).at(0);
    for (size_t i = 0; i < raw.size(); ++i)
      EXPECT_NEAR(exact->type(exact->outputs()[0]).fixed().to_double(raw[i]), real[i], 1e-9);
  }
}

// The jet tagger without its Softmax and with a quantised input: QKeras layers as tf2onnx and QONNX
// write them.
TEST_F(RealModels, JetTaggerUpToItsLogitsIsExact) {
  const auto bytes = read_file(Models / "qonnx/qkeras_jettagging.onnx");
  ASSERT_TRUE(bytes);
  ::onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(*bytes));
  auto& graph = *proto.mutable_graph();
  graph.mutable_node()->RemoveLast();
  graph.mutable_output(0)->set_name("Add_3_out0");
  for (auto& node : *graph.mutable_node()) {
    if (node.name() == "MatMul_0")
      node.set_input(0, "input_quantised");
  }
  auto& quant = *graph.add_node();
  quant.CopyFrom(graph.node(0));
  quant.set_name("input_quantiser");
  quant.set_input(0, "global_in");
  quant.set_output(0, "input_quantised");

  const auto imported = import_onnx_bytes(proto.SerializeAsString(), "jets.onnx");
  ASSERT_TRUE(imported) << imported.error().to_string();
  const auto exact = passes::lower(*imported);
  ASSERT_TRUE(exact) << exact.error().to_string();
  EXPECT_TRUE(exact->is_exact());
  EXPECT_EQ(exact->type(exact->outputs()[0]).shape, Shape{5});
}

/// The operations that compute, in order: without names, constants and what only brings elements
/// into another order.
std::vector<std::pair<graph::OpKind, graph::TensorType>> operations(const graph::Graph& graph) {
  std::vector<std::pair<graph::OpKind, graph::TensorType>> result;
  for (const graph::Op& op : graph.ops())
    if (!op.as<graph::Constant>() && !op.as<graph::Reshape>() && !op.as<graph::Transpose>() &&
        !op.as<graph::Flatten>())
      result.emplace_back(op.kind, op.type);
  return result;
}

/// Whether a model and what convert writes of it are the same network with the same results.
void expect_to_come_back(const Result<graph::Graph>& graph, const std::string& name) {
  ASSERT_TRUE(graph) << name << ": " << graph.error().to_string();
  const auto bytes = export_onnx(*graph);
  ASSERT_TRUE(bytes) << name << ": " << bytes.error().to_string();
  const auto again = import_onnx_bytes(*bytes, "again.onnx");
  ASSERT_TRUE(again) << name << ": " << again.error().to_string();
  EXPECT_TRUE(operations(*again) == operations(*graph)) << name << "\n" << graph::print(*again);
  std::mt19937_64 random(1);
  std::vector<double> x;
  for (int64_t i = 0; i < num_elements(graph->type(graph->inputs()[0]).shape); ++i)
    x.push_back(static_cast<double>(random() % 64) / 32 - 0.5);
  EXPECT_EQ(reference::evaluate_real(*again, {x}), reference::evaluate_real(*graph, {x})) << name;
}

TEST_F(RealModels, ComeBackFromWhatIsWrittenOfThem) {
  for (const std::string name : {"finn/tfc/model.onnx", "qonnx/TFC_1W1A.onnx",
                                 "qonnx/TFC_2W2A.onnx", "qonnx/qkeras_jettagging.onnx",
                                 "qonnx/mnist-conv/model.onnx", "qonnx/residual_block_clean.onnx"})
    expect_to_come_back(import_onnx(Models / name), name);
  for (const std::string name :
       {"keras/hgq_mnist_homogeneous.h5", "keras/qkeras-v3_3layer.keras",
        "keras/qkeras_3layer.json", "keras/qkeras_mnist_cnn.json", "keras/KERAS_3layer.json",
        "vectors/conv2d_1layer/conv2d_1layer.h5", "vectors/leaky_relu/leaky_relu.h5",
        "vectors/sigmoid/sigmoid.h5", "vectors/softmax/softmax.h5"})
    expect_to_come_back(import_keras(Models / name), name);
}

}  // namespace
}  // namespace millrace::frontends::onnx
