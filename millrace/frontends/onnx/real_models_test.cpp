// SPDX-License-Identifier: Apache-2.0
// Models that others wrote: each imports, or is refused for the reason stated here.
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/tensor_decoder.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
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
  EXPECT_EQ(refusal("qonnx/residual_block_clean.onnx"), "frontends.onnx.add at node 'Add_0' (Add)");
}

TEST_F(RealModels, JetTaggerEndsInSoftmax) {
  EXPECT_EQ(refusal("qonnx/qkeras_jettagging.onnx"),
            "frontends.onnx.unsupported_operator at node 'Softmax_0' (Softmax)");
}

TEST_F(RealModels, BrevitasExportsComputeShapes) {
  EXPECT_EQ(refusal("qonnx/TFC_1W1A.onnx"),
            "frontends.onnx.unsupported_operator at node 'Shape_0' (Shape)");
  EXPECT_EQ(refusal("qonnx/TFC_2W2A.onnx"),
            "frontends.onnx.unsupported_operator at node 'Shape_0' (Shape)");
}

TEST_F(RealModels, FinnModelsDivideAndCompareWithThresholds) {
  EXPECT_EQ(refusal("finn/tfc/model.onnx"),
            "frontends.onnx.unsupported_operator at node 'Div_0' (Div)");
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

}  // namespace
}  // namespace millrace::frontends::onnx
