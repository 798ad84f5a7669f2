// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/layer_results_test.h"

#include <cmath>
#include <gtest/gtest.h>

#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/keras/test_files.h"
#include "millrace/frontends/keras/weights.h"
#include "millrace/graph/text.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::keras::testing {
namespace {

bool is_of_inner_layer(const LayerResult& result, const std::string& name) {
  return result.class_name.ends_with("Batchnorm") &&
         (name == "gamma" || name == "beta" || name.starts_with("moving_"));
}

/// The archive that Keras 3 writes of the model.
std::string keras_archive(const LayerResult& result, const Json& model,
                          const std::vector<FloatTensor>& weights) {
  Hdf5Builder file;
  file.group("layers");
  const std::string group = "layers/" + snake_case(result.class_name) + "/";
  std::map<std::string, int> counts;
  for (size_t i = 0; i < weights.size(); ++i) {
    const std::string owner =
        is_of_inner_layer(result, result.weights[i].first) ? "batchnorm/" : "";
    file.array(group + owner + "vars/" + std::to_string(counts[owner]++), weights[i]);
  }
  return archive({{"config.json", model.dump()},
                  {"metadata.json", R"({"keras_version": "2.15.0"})"},
                  {"model.weights.h5", file.bytes()}});
}

void compare(const Result<graph::Graph>& graph, const LayerResult& result) {
  ASSERT_TRUE(graph) << graph.error().to_string();
  ASSERT_TRUE(graph::verify(*graph));
  const auto again = graph::parse(graph::print(*graph), "printed");
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *graph);
  std::vector<std::vector<double>> inputs;
  for (const Shape& shape : result.inputs) {
    auto& values = inputs.emplace_back();
    for (int64_t i = 0; i < num_elements(shape); ++i)
      values.push_back(static_cast<double>((i * 5 + 2) % 13 - 6) / 4);
  }
  const auto outputs = reference::evaluate_real(*graph, inputs);
  ASSERT_EQ(outputs.size(), 1U);
  ResultSums sums{static_cast<double>(outputs[0].size()), 0, 0, 0};
  for (size_t i = 0; i < outputs[0].size(); ++i) {
    const double y = outputs[0][i];
    sums.plain += y;
    sums.weighted += static_cast<double>(i % 7 + 1) * y;
    sums.squares += y * y;
  }
  const double tolerance = 1e-6 * (1 + sums.count);
  EXPECT_EQ(sums.count, result.sums.count);
  EXPECT_NEAR(sums.plain, result.sums.plain, tolerance);
  EXPECT_NEAR(sums.weighted, result.sums.weighted, 7 * tolerance);
  EXPECT_NEAR(sums.squares, result.sums.squares, tolerance * std::sqrt(1 + result.sums.squares));
}

}  // namespace

void expect_results(const LayerResult& result) {
  std::vector<Json> layers;
  std::vector<std::string> names;
  for (const Shape& shape : result.inputs) {
    names.push_back("input" + std::to_string(names.size()));
    layers.push_back(connected(input(shape, names.back()), {}));
  }
  layers.push_back(connected(layer(result.class_name, "it", Json::parse(result.config)), names));
  const Json model = functional(layers, names, {"it"});
  WeightList list;
  std::vector<FloatTensor> weights;
  for (const auto& [name, shape] : result.weights) {
    FloatTensor value = numbers(shape, static_cast<int64_t>(weights.size()));
    for (double& number : value.data)
      if (name == "moving_variance")
        number = std::abs(number) + 0.5;
    weights.push_back(value);
    list.emplace_back((is_of_inner_layer(result, name) ? "it/batch_normalization/" : "it/") + name,
                      value);
  }
  compare(import_keras_bytes(h5_file(model, list), "test.h5"), result);
  compare(import_keras_bytes(keras_archive(result, model, weights), "test.keras"), result);
}

}  // namespace millrace::frontends::keras::testing
