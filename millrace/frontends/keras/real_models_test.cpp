// SPDX-License-Identifier: Apache-2.0
// Models that others wrote: each imports, or is refused for the reason stated here.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "millrace/frontends/keras/import.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::keras {
namespace {

namespace fs = std::filesystem;

const fs::path Shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared";
const fs::path Models = Shared / "models";

/// "CODE at WHERE" of a model's diagnostic, with the file's name alone; "imported" without one.
std::string refusal(const fs::path& name) {
  const fs::path path = Models / name;
  const auto graph = import_keras(path);
  if (graph)
    return "imported";
  const std::string& where = graph.error().where;
  return graph.error().code + (where.size() > path.string().size()
                                   ? " at " + where.substr(path.string().size() + 2)
                                   : "");
}

class KerasRealModels : public ::testing::Test {
protected:
  void SetUp() override {
    if (!fs::exists(Models))
      GTEST_SKIP() << "no models at " << Models;
  }
};

TEST_F(KerasRealModels, EachImportsOrIsRefusedWithAReason) {
  for (const char* const name : {"KERAS_3layer.json", "qkeras_3layer.json", "qkeras_mnist_cnn.json",
                                 "qkeras-v3_3layer.keras", "hgq_mnist_homogeneous.h5"})
    EXPECT_EQ(refusal(fs::path("keras") / name), "imported") << name;
  // A layer of the authors' own, which rounds its weights to -1, 0 and 1.
  EXPECT_EQ(refusal("keras/KERAS_3layer_ternary_small.json"),
            "frontends.keras.unknown_layer at layer 'fc1' (TernaryDense)");
  // Weights alone are no models.
  for (const char* const name : {"KERAS_3layer_weights.h5", "KERAS_3layer_ternary_small_weights.h5",
                                 "qkeras_3layer_weights.h5", "qkeras_mnist_cnn_weights.h5"})
    EXPECT_EQ(refusal(fs::path("keras") / name), "frontends.keras.no_config") << name;
}

// One line a frame, blanks between the numbers.
std::vector<std::vector<double>> read_numbers(const fs::path& path) {
  std::vector<std::vector<double>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream text(line);
    rows.emplace_back();
    for (double number = 0; text >> number;)
      rows.back().push_back(number);
    if (rows.back().empty())
      rows.pop_back();
  }
  return rows;
}

/// Compares what a model computes with numbers of which eight digits are printed.
void expect_results(const Result<graph::Graph>& graph,
                    const std::vector<std::vector<double>>& inputs,
                    const std::vector<std::vector<double>>& outputs) {
  ASSERT_TRUE(graph) << graph.error().to_string();
  ASSERT_EQ(inputs.size(), outputs.size());
  ASSERT_FALSE(inputs.empty());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto computed = reference::evaluate_real(*graph, {inputs[i]}).at(0);
    ASSERT_EQ(computed.size(), outputs[i].size());
    for (size_t j = 0; j < computed.size(); ++j)
      EXPECT_NEAR(computed[j], outputs[i][j], 1e-8 + 1e-5 * std::abs(outputs[i][j]));
  }
}

TEST_F(KerasRealModels, ComputeTheResultsThatCameWithThem) {
  for (const std::string name : {"leaky_relu", "softmax"})
    for (const char* const extension : {".h5", ".json"}) {
      const fs::path folder = Models / "vectors" / name;
      expect_results(import_keras(folder / (name + extension)),
                     read_numbers(folder / "tb_input_features.dat"),
                     read_numbers(folder / "tb_output_predictions.dat"));
    }
}

// The results of conv2d_1layer are those of the kernel 1, -1, 1, ..., which the files beside them
// do not hold, but the sigmoid's file does. Those of the sigmoid come from another network: no
// kernel of 3 x 3 with a bias gives them for the inputs beside them. So its file is held to the
// sigmoid of the former.
TEST_F(KerasRealModels, ConvolutionsComputeTheResultsOfTheKernelThatTheyAreOf) {
  const fs::path folder = Models / "vectors";
  const auto inputs = read_numbers(folder / "conv2d_1layer/tb_input_features.dat");
  auto outputs = read_numbers(folder / "conv2d_1layer/tb_output_predictions.dat");
  const fs::path weights = folder / "sigmoid/sigmoid.h5";
  expect_results(import_keras(folder / "conv2d_1layer/conv2d_1layer.json", weights), inputs,
                 outputs);
  for (auto& row : outputs)
    for (double& number : row)
      number = 1 / (1 + std::exp(-number));
  expect_results(import_keras(weights), inputs, outputs);
  expect_results(import_keras(folder / "sigmoid/sigmoid.json"), inputs, outputs);
  EXPECT_TRUE(import_keras(folder / "conv2d_1layer/conv2d_1layer.h5"));
  EXPECT_TRUE(import_keras(folder / "conv2d_1layer/conv2d_1layer.json"));
}

}  // namespace
}  // namespace millrace::frontends::keras
