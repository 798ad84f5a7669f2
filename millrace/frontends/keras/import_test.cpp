// SPDX-License-Identifier: Apache-2.0
// The forms in which models and weights come.
#include "millrace/frontends/keras/import.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <unistd.h>

#include "millrace/frontends/keras/test_files.h"
#include "millrace/frontends/keras/weights.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate_real.h"
#include "millrace/support/files.h"

namespace millrace::frontends::keras::testing {
namespace {

namespace fs = std::filesystem;

/// dense 3 -> 2 with a relu.
const Json Dense = layer("Dense", "fc", {{"units", 2}, {"activation", "relu"}});
const WeightList DenseWeights = {{"fc/kernel", numbers({3, 2})}, {"fc/bias", numbers({2}, 1)}};

std::vector<double> run(const Result<graph::Graph>& graph, const std::vector<double>& input) {
  if (!graph)
    throw std::runtime_error(graph.error().to_string());
  return reference::evaluate_real(*graph, {input}).at(0);
}

std::string printed(const Result<graph::Graph>& graph) {
  return graph ? graph::print(*graph) : graph.error().to_string();
}

/// A folder of its own for each test.
class Files : public ::testing::Test {
protected:
  Files() { fs::create_directories(folder_); }
  ~Files() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder_ / name;
    if (!write_file(path, bytes))
      throw std::runtime_error(name);
    return path;
  }

private:
  fs::path folder_ = fs::temp_directory_path() / ("millrace-keras-" + std::to_string(getpid()));
};

TEST_F(Files, JsonFindsItsWeightsBesideIt) {
  const Json model = sequential({input({3}), Dense});
  const auto whole = import_keras(write("whole.h5", h5_file(model, DenseWeights)));
  const fs::path json = write("model.json", model.dump());
  EXPECT_EQ(import_keras(json).error().code, "frontends.keras.no_weights_file");
  for (const char* const name : {"model_weights.h5", "model.weights.h5", "model.h5"}) {
    const fs::path weights = write(name, weights_file(DenseWeights));
    EXPECT_EQ(printed(import_keras(json)), printed(whole)) << name;
    fs::remove(weights);
  }
  const fs::path elsewhere = write("other.h5", weights_file(DenseWeights));
  EXPECT_EQ(printed(import_keras(json, elsewhere)), printed(whole));
  EXPECT_EQ(printed(import_keras(write("whole.hdf5", h5_file(model, DenseWeights)))),
            printed(whole));
}

TEST_F(Files, ModelsWithoutWeightsNeedNoFileOfThem) {
  const Json model = sequential({input({3}), layer("Softmax", "s")});
  EXPECT_TRUE(import_keras(write("softmax.json", model.dump())));
}

TEST_F(Files, MissingFilesAreSaidToBeMissing) {
  EXPECT_EQ(import_keras("nowhere.h5").error().code, "support.file_missing");
  EXPECT_EQ(import_keras("nowhere.keras").error().code, "support.file_missing");
  EXPECT_EQ(import_keras("nowhere.json").error().code, "support.file_missing");
  const fs::path json = write("model.json", sequential({input({3}), Dense}).dump());
  EXPECT_EQ(import_keras(json, "nowhere.h5").error().code, "support.file_missing");
}

/// An archive whose weights are in groups of those names, one layer after another.
std::string named_archive(const Json& model, const std::string& root,
                          const std::vector<std::string>& groups,
                          const std::vector<std::string>& attributes = {}) {
  Hdf5Builder file;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string vars = root + "/" + groups[i] + "/vars";
    file.array(vars + "/0", numbers({2, 2}, static_cast<int64_t>(i)));
    file.array(vars + "/1", numbers({2}, static_cast<int64_t>(i)));
    if (!attributes.empty())
      file.text(vars, "name", attributes[i]);
  }
  return archive({{"config.json", model.dump()}, {"model.weights.h5", file.bytes()}});
}

TEST(KerasArchive, GroupsAreNamedByClassByLayerOrByAttribute) {
  const auto dense = [](const std::string& name) { return layer("Dense", name, {{"units", 2}}); };
  const Json model = sequential({input({2}), dense("first"), dense("second")});
  const auto expected = import_keras_bytes(h5_file(model, {{"first/kernel", numbers({2, 2}, 0)},
                                                           {"first/bias", numbers({2}, 0)},
                                                           {"second/kernel", numbers({2, 2}, 1)},
                                                           {"second/bias", numbers({2}, 1)}}),
                                           "x");
  ASSERT_TRUE(expected);
  for (const std::string root : {"layers", "_layer_checkpoint_dependencies"}) {
    const auto by_class = import_keras_bytes(named_archive(model, root, {"dense", "dense_1"}), "x");
    const auto by_name = import_keras_bytes(named_archive(model, root, {"first", "second"}), "x");
    const auto by_attribute = import_keras_bytes(
        named_archive(model, root, {"dense_7", "dense_5"}, {"first", "second"}), "x");
    EXPECT_EQ(printed(by_class), printed(expected));
    EXPECT_EQ(printed(by_name), printed(expected));
    EXPECT_EQ(printed(by_attribute), printed(expected));
  }
}

// Keras counts the layers of a class in the order of the model, whatever their names are.
TEST(KerasArchive, ACounterOfTheClassComesBeforeALayerOfThatName) {
  const auto dense = [](const std::string& name) { return layer("Dense", name, {{"units", 2}}); };
  const Json model = sequential({input({2}), dense("dense_1"), dense("dense")});
  const auto graph = import_keras_bytes(named_archive(model, "layers", {"dense", "dense_1"}), "x");
  ASSERT_TRUE(graph);
  for (const graph::Op& op : graph->ops())
    if (op.name == "dense_1.kernel") {
      EXPECT_EQ(op.as<graph::Constant>()->real(), numbers({2, 2}, 0).data);
    }
}

TEST(KerasNames, ClassesBecomeSnakeCaseAsKerasDoesIt) {
  EXPECT_EQ(snake_case("QConv2DBatchnorm"), "q_conv2d_batchnorm");
  EXPECT_EQ(snake_case("PReLU"), "p_re_lu");
  EXPECT_EQ(snake_case("MaxPooling2D"), "max_pooling2d");
  EXPECT_EQ(snake_case("Conv1DTranspose"), "conv1d_transpose");
}

TEST(KerasModel, KerasThreeWritesCallsAsObjects) {
  const auto tensor = [](const std::string& name) {
    return Json{{"class_name", "__keras_tensor__"},
                {"config", {{"shape", {nullptr, 3}}, {"keras_history", {name, 0, 0}}}}};
  };
  const auto call = [](Json layer_json, Json arguments) {
    layer_json["inbound_nodes"] = Json::array(
        {{{"args", Json::array({std::move(arguments)})}, {"kwargs", {{"mask", nullptr}}}}});
    layer_json["module"] = "keras.layers";
    layer_json["registered_name"] = nullptr;
    return layer_json;
  };
  Json in = layer("InputLayer", "in", {{"batch_shape", {nullptr, 3}}});
  in["inbound_nodes"] = Json::array();
  Json model = functional({in, call(layer("ReLU", "relu"), tensor("in")),
                           call(layer("Add", "sum"), Json::array({tensor("in"), tensor("relu")}))},
                          {}, {});
  model["config"]["input_layers"] = {"in", 0, 0};
  model["config"]["output_layers"] = Json::array({{"sum", 0, 0}});
  EXPECT_THAT(run(import_keras_bytes(h5_file(model, {}, "3.4.0"), "x"), {-1, 0, 2}),
              ::testing::ElementsAre(-1, 0, 4));
}

TEST(KerasModel, ALayerMayBeCalledTwice) {
  Json shared = layer("Dense", "fc", {{"units", 2}});
  shared["inbound_nodes"] = Json::parse(R"([[["a", 0, 0, {}]], [["b", 0, 0, {}]]])");
  Json sum = layer("Subtract", "difference");
  sum["inbound_nodes"] = Json::parse(R"([[["fc", 0, 0, {}], ["fc", 1, 0, {}]]])");
  const Json model =
      functional({connected(input({3}, "a"), {}), connected(input({3}, "b"), {}), shared, sum},
                 {"b", "a"}, {"difference"});
  const auto graph = import_keras_bytes(h5_file(model, DenseWeights), "x");
  ASSERT_TRUE(graph) << graph.error().to_string();
  ASSERT_EQ(graph->inputs().size(), 2U);
  EXPECT_EQ(graph->op(graph->inputs()[0]).name, "b");
  const auto same = reference::evaluate_real(*graph, {{1, 2, 3}, {1, 2, 3}}).at(0);
  EXPECT_THAT(same, ::testing::ElementsAre(0, 0));
}

TEST(KerasModel, LayersMayStandInAnyOrder) {
  const Json model =
      functional({connected(layer("Softmax", "b"), {"a"}), connected(layer("ReLU", "a"), {"input"}),
                  connected(input({3}), {})},
                 {"input"}, {"b"});
  EXPECT_TRUE(import_keras_bytes(h5_file(model), "x"));
}

TEST(KerasModel, TheInputMayBeToldByTheFirstLayerOrTheModel) {
  Json first = Dense;
  first["config"]["batch_input_shape"] = {nullptr, 3};
  const auto whole = import_keras_bytes(h5_file(sequential({first}), DenseWeights), "x");
  ASSERT_TRUE(whole) << whole.error().to_string();
  EXPECT_EQ(whole->op(whole->inputs()[0]).name, "fc_input");
  Json model = sequential({Dense});
  model["config"]["build_input_shape"] = {nullptr, 3};
  EXPECT_EQ(printed(import_keras_bytes(h5_file(model, DenseWeights), "x")), printed(whole));
  // The oldest files have the layers where newer ones have the configuration.
  Json oldest{{"class_name", "Sequential"}, {"config", Json::array({first})}};
  EXPECT_TRUE(import_keras_bytes(h5_file(oldest, DenseWeights, "2.0.5"), "x"));
}

TEST(KerasDialect, HardSigmoidIsTwoFunctions) {
  const Json activation = layer("Activation", "hard", {{"activation", "hard_sigmoid"}});
  const Json two = sequential({input({1}), activation});
  EXPECT_DOUBLE_EQ(run(import_keras_bytes(h5_file(two, {}, "2.13.1"), "x"), {1})[0], 0.7);
  EXPECT_DOUBLE_EQ(run(import_keras_bytes(h5_file(two, {}, "3.4.1"), "x"), {1})[0], 0.5 + 1.0 / 6);
  // Without a version, the name of the input's shape tells.
  EXPECT_DOUBLE_EQ(run(import_keras_bytes(h5_file(two, {}, ""), "x"), {1})[0], 0.7);
  Json first = activation;
  first["config"]["batch_input_shape"] = {nullptr, 1};
  const auto unknown = import_keras_bytes(h5_file(sequential({first}), {}, ""), "x");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "frontends.keras.hard_sigmoid");
}

TEST(KerasQuantizers, StayVisibleAndBecomeExact) {
  const Json bits{{"class_name", "quantized_bits"},
                  {"config", {{"bits", 4}, {"integer", 0}, {"alpha", 1}}}};
  const Json model =
      sequential({input({3}), layer("QActivation", "in", {{"activation", "quantized_relu(8,0)"}}),
                  layer("QDense", "fc",
                        {{"units", 2},
                         {"kernel_quantizer", bits},
                         {"bias_quantizer", bits},
                         {"activation", "quantized_relu(6,1)"}})});
  const auto graph = import_keras_bytes(h5_file(model, DenseWeights), "x");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_THAT(graph::print(*graph),
              ::testing::HasSubstr("%fc.kernel.kernel_quantizer = requantize"));
  const auto exact = passes::lower(*graph);
  ASSERT_TRUE(exact) << exact.error().to_string();
  EXPECT_EQ(exact->type(exact->inputs()[0]).fixed().to_string(), "ufixed<8,0>");
}

TEST(KerasQuantizers, AScaleThatIsNoPowerOfTwoFollowsTheProduct) {
  const Json model =
      sequential({input({3}), layer("QActivation", "in", {{"activation", "quantized_relu(4,0)"}}),
                  layer("QDense", "fc",
                        {{"units", 2},
                         {"kernel_quantizer", "quantized_bits(4,0,1,alpha='auto')"},
                         {"bias_quantizer", "quantized_bits(4,0)"},
                         {"activation", "quantized_relu(6,1)"}})});
  const auto graph = import_keras_bytes(h5_file(model, DenseWeights), "x");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_THAT(graph::print(*graph), ::testing::HasSubstr("affine %fc.product"));
  EXPECT_TRUE(passes::lower(*graph));
}

TEST(KerasHgq, TypesOfChannelsAndElementsAreKept) {
  const auto quantizer = [](const Shape& shape) {
    return layer("FixedPointQuantizer", "q",
                 {{"shape", shape},
                  {"RND", "RND"},
                  {"SAT", "WRAP"},
                  {"overrides", Json::object()},
                  {"fusible", false}});
  };
  const auto weights = [](const Shape& shape, std::vector<double> bits) {
    const std::vector<double> ones(bits.size(), 1), zeros(bits.size(), 0);
    return WeightList{{"q/keep_negative", {shape, ones}},
                      {"q/bits", {shape, std::move(bits)}},
                      {"q/integers", {shape, ones}}};
  };
  // By channel: 3 bits, none, 1 bit; one of them is the sign.
  const auto channels = import_keras_bytes(
      h5_file(sequential({input({2, 3}), quantizer({1, 1, 3})}), weights({1, 1, 3}, {3, 0, 1})),
      "x");
  EXPECT_THAT(run(channels, {0.3, 0.3, -1, 1, 1, 1}),
              ::testing::ElementsAre(0.25, 0, -1, -1, 0, -1));
  // By row.
  const auto rows = import_keras_bytes(
      h5_file(sequential({input({2, 3}), quantizer({1, 2, 1})}), weights({1, 2, 1}, {3, 4})), "x");
  EXPECT_THAT(run(rows, {0.3, 0.6, 0, 0.3, 0.6, 0}),
              ::testing::ElementsAre(0.25, 0.5, 0, 0.25, 0.625, 0));
  const auto one =
      import_keras_bytes(h5_file(sequential({input({3}), quantizer({1})}), weights({1}, {3})), "x");
  EXPECT_THAT(run(one, {0.375, 1, -1}), ::testing::ElementsAre(0.5, -1, -1));
}

// Quantisers of HGQ2 have their arrays in the layer's inner layers. Weights that wrap are not
// wrapped: 1.25 stays, with a bit left of the point.
TEST(KerasHgq, TrainedQuantisersStandBeforeTheLayerAndOnItsWeights) {
  const auto quantizer = [](const std::string& type, const std::string& overflow, bool is_weight) {
    return Json{{"class_name", "QuantizerConfig"},
                {"config",
                 {{"q_type", type},
                  {"round_mode", "RND"},
                  {"overflow_mode", overflow},
                  {"is_weight", is_weight},
                  {"i_decay_speed", "Infinity"}}}};
  };
  Json dense = layer("QDense", "fc",
                     {{"units", 1},
                      {"enable_iq", true},
                      {"enable_oq", false},
                      {"enable_ebops", false},
                      {"iq_conf", quantizer("kif", "SAT", false)},
                      {"kq_conf", quantizer("kbi", "WRAP", true)},
                      {"bq_conf", quantizer("kbi", "SAT_SYM", false)}});
  dense["registered_name"] = "hgq>QDense";
  const Json model = sequential({input({2}), dense});
  Hdf5Builder file;
  const std::string root = "layers/q_dense/";
  file.array(root + "vars/0", {{2, 1}, {1.25, -0.6}}).array(root + "vars/1", {{1}, {9}});
  // Integers, fractions, sign: of the second input none.
  file.array(root + "iq/quantizer/vars/0", {{1, 2}, {1, -1}})
      .array(root + "iq/quantizer/vars/1", {{1, 2}, {2, 1}})
      .array(root + "iq/quantizer/vars/2", {{1, 2}, {1, 0}});
  // Bits, sign, integers, speed.
  file.array(root + "kq/quantizer/vars/0", {{2, 1}, {2.4, 1.6}})
      .array(root + "kq/quantizer/vars/1", {{2, 1}, {1, 1}})
      .array(root + "kq/quantizer/vars/2", {{2, 1}, {0, 0}})
      .array(root + "kq/quantizer/vars/3", {{}, {0.5}});
  // Bits, integers, sign.
  file.array(root + "bq/quantizer/vars/0", {{1}, {4}})
      .array(root + "bq/quantizer/vars/1", {{1}, {2}})
      .array(root + "bq/quantizer/vars/2", {{1}, {1}});
  const std::string config = model.dump();
  const auto graph = import_keras_bytes(
      archive({{"config.json", config}, {"model.weights.h5", file.bytes()}}), "x");
  // 1.7 becomes 1.75, 1.25 is the weight, the bias is clamped to 3.75.
  EXPECT_THAT(run(graph, {1.7, 5}), ::testing::ElementsAre(1.75 * 1.25 + 3.75));
  // Python's Infinity is not JSON, and no number where one is needed.
  std::string bare = config;
  bare.replace(bare.find("\"Infinity\""), 10, "Infinity");
  EXPECT_EQ(printed(import_keras_bytes(
                archive({{"config.json", bare}, {"model.weights.h5", file.bytes()}}), "x")),
            printed(graph));
}

TEST(KerasHgq, ATableIsReadByTheCodesOfItsInput) {
  const Json lut = layer("UnaryLUT", "lut", {{"kif_in", {1, 1, 0}}, {"kif_out", {1, 1, 1}}});
  const Json model = sequential({input({4}), lut});
  const auto graph =
      import_keras_bytes(h5_file(model, {{"lut/table", {{4}, {0, 0.5, -2, -0.5}}}}), "x");
  EXPECT_THAT(run(graph, {0, 1, -2, -1}), ::testing::ElementsAre(0, 0.5, -2, -0.5));
  const auto off_grid =
      import_keras_bytes(h5_file(model, {{"lut/table", {{4}, {0, 0.25, -2, -0.5}}}}), "x");
  ASSERT_FALSE(off_grid);
  EXPECT_EQ(off_grid.error().code, "frontends.keras.table_entry");
}

}  // namespace
}  // namespace millrace::frontends::keras::testing
