// SPDX-License-Identifier: Apache-2.0
// The layers of HGQ2, from files as Keras 3 writes them.
#include <gmock/gmock.h>

#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/keras/test_files.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"
#include "millrace/reference/evaluate_real.h"

namespace millrace::frontends::keras::testing {
namespace {

using ::testing::ElementsAre;

/// The configuration of a quantiser.
Json quantizer(const std::string& type, const std::string& overflow, Json more = Json::object()) {
  Json config = {{"q_type", type}, {"round_mode", "RND"}, {"overflow_mode", overflow}};
  config.update(more);
  return {{"class_name", "QuantizerConfig"}, {"config", std::move(config)}};
}

/// A layer of HGQ2 without quantisers and counters, but for those in `config`.
Json hgq2_layer(const std::string& class_name, const Json& config) {
  Json options = {{"enable_iq", false}, {"enable_oq", false}, {"enable_ebops", false}};
  options.update(config);
  Json result = layer(class_name, "l", std::move(options));
  result["registered_name"] = "hgq>" + class_name;
  return result;
}

/// Arrays by their names in the layer's group, "vars/0".
using Arrays = std::vector<std::pair<std::string, FloatTensor>>;

Result<graph::Graph> imported(const Json& model, const std::string& group, const Arrays& arrays) {
  Hdf5Builder file;
  file.group("layers");
  const std::string root = "layers/" + group + "/";
  for (const auto& [name, array] : arrays)
    file.array(root + name, array);
  return import_keras_bytes(
      archive({{"config.json", model.dump()}, {"model.weights.h5", file.bytes()}}), "x");
}

/// A kif quantiser of one type that saturates: integers, fractions, sign.
Arrays kif(const std::string& owner, double integers, double fractions, double sign = 1) {
  return {{owner + "quantizer/vars/0", {{1}, {integers}}},
          {owner + "quantizer/vars/1", {{1}, {fractions}}},
          {owner + "quantizer/vars/2", {{1}, {sign}}}};
}

/// A kbi quantiser of one type that saturates, of 8 bits of which 3 are integers.
Arrays kbi(const std::string& owner) {
  return {{owner + "quantizer/vars/0", {{1}, {8}}},
          {owner + "quantizer/vars/1", {{1}, {3}}},
          {owner + "quantizer/vars/2", {{1}, {1}}}};
}

Arrays joined(std::initializer_list<Arrays> lists) {
  Arrays all;
  for (const Arrays& list : lists)
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<double> run(const Result<graph::Graph>& graph,
                        const std::vector<std::vector<double>>& inputs) {
  EXPECT_TRUE(graph) << graph.error().to_string();
  return graph ? reference::evaluate_real(*graph, inputs)[0] : std::vector<double>();
}

std::string code_of(const Result<graph::Graph>& graph) {
  return graph ? "none" : graph.error().code;
}

// Quantises halves of numbers, then turns them into 1 - 2y.
TEST(KerasHgq2, AQuantiserScalesAndShifts) {
  const Json options = {
      {"scaler", 2}, {"affine", {-2, 1}}, {"qnoise_factor", nullptr}, {"bw_mapper", nullptr}};
  Json layer_json = layer("Quantizer", "l", {{"config", quantizer("kif", "SAT", options)}});
  layer_json["registered_name"] = "hgq>Quantizer";
  const Json model = sequential({input({3}), layer_json});
  const auto graph = imported(model, "quantizer", kif("", 1, 1));
  // Steps of 1 up to 3.
  EXPECT_THAT(run(graph, {{1.4, 2.5, 9}}), ElementsAre(-1, -5, -5));
}

TEST(KerasHgq2, HardSigmoidAndTanhDoNotStoreTheirModes) {
  for (const bool is_sigmoid : {true, false}) {
    Json config = quantizer("kif", "");
    config["class_name"] = is_sigmoid ? "HardSigmoidConfig" : "HardTanhConfig";
    config["config"].erase("overflow_mode");
    Json layer_json = layer("Quantizer", "l", {{"config", config}});
    layer_json["registered_name"] = "hgq>Quantizer";
    const auto graph =
        imported(sequential({input({3}), layer_json}), "quantizer", kif("", is_sigmoid ? 1 : 0, 2));
    if (is_sigmoid)
      EXPECT_THAT(run(graph, {{-9, 0.5, 9}}), ElementsAre(0, 0.625, 0.9375));
    else
      EXPECT_THAT(run(graph, {{-9, 0.5, 9}}), ElementsAre(-1, 0.5, 0.75));
  }
}

// An element without bits does not keep the input from getting its type.
TEST(KerasHgq2, AnInputMayHaveElementsWithoutBits) {
  Json layer_json = layer("Quantizer", "l", {{"config", quantizer("kif", "SAT")}});
  layer_json["registered_name"] = "hgq>Quantizer";
  const auto graph = imported(sequential({input({2}), layer_json}), "quantizer",
                              {{"quantizer/vars/0", {{1, 2}, {2, -3}}},
                               {"quantizer/vars/1", {{1, 2}, {1, 1}}},
                               {"quantizer/vars/2", {{1, 2}, {1, 1}}}});
  EXPECT_THAT(run(graph, {{1.3, 2}}), ElementsAre(1.5, 0));
  const auto lowered = passes::lower(*graph);
  EXPECT_TRUE(lowered) << lowered.error().to_string();
}

TEST(KerasHgq2, OperandsHaveQuantisersOfTheirOwn) {
  Json add = hgq2_layer("QAdd", {{"enable_iq", true},
                                 {"iq_confs", {quantizer("kif", "SAT"), quantizer("kif", "SAT")}}});
  const Json model = functional(
      {connected(input({2}, "a"), {}), connected(input({2}, "b"), {}), connected(add, {"a", "b"})},
      {"a", "b"}, {"l"});
  const Arrays arrays =
      joined({kif("iq/quantizers/quantizer/", 2, 0), kif("iq/quantizers/quantizer_1/", 2, 1)});
  EXPECT_THAT(run(imported(model, "q_add", arrays), {{1.4, 9}, {1.4, -9}}), ElementsAre(2.5, -1));
  Json one = model;
  one["config"]["layers"][2]["config"]["iq_confs"].erase(1);
  EXPECT_EQ(code_of(imported(one, "q_add", arrays)), "frontends.keras.option");
}

// The sum of three, times the power of two next to a third.
TEST(KerasHgq2, AnAverageIsAPowerOfTwoOfTheSum) {
  const Json average = hgq2_layer("QAveragePow2", Json::object());
  const Json model = functional(
      {connected(input({1}, "a"), {}), connected(average, {"a", "a", "a"})}, {"a"}, {"l"});
  EXPECT_THAT(run(imported(model, "q_average_pow2", {}), {{2}}), ElementsAre(1.5));
}

TEST(KerasHgq2, SumsLeaveAxesOut) {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6};
  const auto sums = [&](const std::string& name, const Json& options) {
    return imported(sequential({input({2, 3}), hgq2_layer(name, options)}), "q_sum", {});
  };
  EXPECT_THAT(run(sums("QSum", {{"axes", {1}}, {"scale", 0.5}}), {x}), ElementsAre(2.5, 3.5, 4.5));
  EXPECT_THAT(run(sums("QSum", {{"axes", -1}}), {x}), ElementsAre(6, 15));
  EXPECT_THAT(run(sums("QMeanPow2", {{"axes", {1, 2}}, {"keepdims", true}}), {x}),
              ElementsAre(21.0 / 8));
  EXPECT_EQ(code_of(sums("QSum", {{"axes", {1, 2}}})), "frontends.keras.option");
  EXPECT_EQ(code_of(sums("QSum", {{"axes", 0}})), "frontends.keras.option");
  EXPECT_EQ(code_of(sums("QSum", {{"axes", 1}, {"scale", 3}})), "frontends.keras.option");
}

// gamma / sqrt(variance + epsilon) is 2; without a centre the offset starts from 1.
TEST(KerasHgq2, ANormalisationQuantisesScaleAndOffset) {
  const Json model = sequential(
      {input({1}), hgq2_layer("QBatchNormalization", {{"epsilon", 0},
                                                      {"center", false},
                                                      {"kq_conf", quantizer("kbi", "SAT")},
                                                      {"bq_conf", quantizer("kbi", "SAT")}})});
  const auto graph = imported(
      model, "q_batch_normalization",
      joined({{{"vars/0", {{1}, {1}}}, {"vars/1", {{1}, {0.25}}}, {"vars/2", {{1}, {0.25}}}},
              kbi("kq/"),
              kbi("bq/")}));
  EXPECT_THAT(run(graph, {{3}}), ElementsAre(3 * 2 + 0.5));
}

// The kernel's inputs are scaled by 2, the bias loses mean times the kernel without that scale.
TEST(KerasHgq2, ADenseLayerNormalisesItsInputs) {
  const Json model = sequential(
      {input({1}), hgq2_layer("QBatchNormDense", {{"units", 1},
                                                  {"epsilon", 0},
                                                  {"scale", false},
                                                  {"kq_conf", quantizer("kbi", "SAT")},
                                                  {"bq_conf", quantizer("kbi", "SAT")}})});
  const auto graph = imported(model, "q_batch_norm_dense",
                              joined({{{"vars/0", {{1, 1}, {0.5}}},
                                       {"vars/1", {{1}, {1}}},
                                       {"vars/2", {{1}, {0.5}}},
                                       {"vars/3", {{1}, {0.25}}}},
                                      kbi("kq/"),
                                      kbi("bq/")}));
  EXPECT_THAT(run(graph, {{3}}), ElementsAre(3 * 1 + 1 - 0.25));
}

TEST(KerasHgq2, EinsumsAreDenseOverTheLastAxes) {
  const auto einsum = [](const std::string& equation, const Json& shape, const Shape& kernel,
                         const std::vector<double>& numbers) {
    const Json model = sequential(
        {input({2, 2}), hgq2_layer("QEinsumDense", {{"equation", equation},
                                                    {"output_shape", shape},
                                                    {"kq_conf", quantizer("kbi", "SAT")}})});
    return imported(model, "q_einsum_dense", joined({{{"vars/0", {kernel, numbers}}}, kbi("kq/")}));
  };
  const std::vector<double> x = {1, 2, 3, 4};
  EXPECT_THAT(run(einsum("...x,xy->...y", {1}, {2, 1}, {1, -1}), {x}), ElementsAre(-1, -1));
  EXPECT_THAT(run(einsum("abc,dc->abd", {2, 2}, {2, 2}, {1, 0, 1, 1}), {x}),
              ElementsAre(1, 3, 3, 7));
  EXPECT_THAT(run(einsum("abc,cbd->ad", {1}, {2, 2, 1}, {1, 0, 0, 2}), {x}), ElementsAre(1 + 8));
  // A kernel for each place, and a result without axes.
  EXPECT_EQ(code_of(einsum("abc,bcd->abd", {2, 1}, {2, 2, 1}, {1, 0, 0, 1})),
            "frontends.keras.option");
  EXPECT_EQ(code_of(einsum("abc,cb->a", Json::array(), {2, 2}, {1, 0, 0, 1})),
            "frontends.keras.option");
}

// Trained weights that wrap are only rounded, whatever their widths; kif in every mode. Widths may
// be those of channels.
TEST(KerasHgq2, TrainedWeightsThatWrapAreOnlyRounded) {
  const Json down = {{"is_weight", true}, {"round_mode", "TRN"}};
  const auto kernel = [&](const Json& more) {
    Json options = down;
    options.update(more);
    const Json dense = hgq2_layer(
        "QDense",
        {{"units", 2}, {"use_bias", false}, {"kq_conf", quantizer("kif", "WRAP", options)}});
    return imported(sequential({input({1}), dense}), "q_dense",
                    {{"vars/0", {{1, 2}, {9.8, 9.8}}},
                     {"kq/quantizer/vars/0", {{1, 2}, {1, -1}}},
                     {"kq/quantizer/vars/1", {{1, 2}, {1, 1}}},
                     {"kq/quantizer/vars/2", {{1, 2}, {-2, 3}}},
                     {"kq/quantizer/vars/3", {{}, {0}}}});
  };
  EXPECT_THAT(run(kernel(Json::object()), {{1}}), ElementsAre(9.5, 8));
  // Others have no bits, or wrap 8 to -8.
  EXPECT_THAT(run(kernel({{"trainable", false}}), {{1}}), ElementsAre(0, -8));
}

// Rounding to odd keeps results of a table exact for each of the types behind it.
TEST(KerasHgq2, ATableMayHaveResultsOfSeveralTypes) {
  const Json lut = hgq2_layer("QUnaryFunctionLUT", {{"activation", "sigmoid"},
                                                    {"enable_iq", true},
                                                    {"enable_oq", true},
                                                    {"iq_conf", quantizer("kif", "SAT")},
                                                    {"oq_conf", quantizer("kif", "SAT")}});
  const auto graph = imported(sequential({input({2}), lut}), "q_unary_function_lut",
                              joined({kif("iq/", 2, 2),
                                      {{"oq/quantizer/vars/0", {{1, 2}, {1, 1}}},
                                       {"oq/quantizer/vars/1", {{1, 2}, {1, 4}}},
                                       {"oq/quantizer/vars/2", {{1, 2}, {0, 0}}}}}));
  // 1 / (1 + exp(-1.25)) = 0.777...
  EXPECT_THAT(run(graph, {{1.25, 1.25}}), ElementsAre(1, 0.75));
}

// exp of the distance from the largest, 1 / (1 + 1/2) of the sum, and their product.
TEST(KerasHgq2, ASoftmaxIsTwoTables) {
  const Json softmax = hgq2_layer("QSoftmax", {{"axes", {1}},
                                               {"stable", true},
                                               {"exp_iq_conf", quantizer("kif", "SAT")},
                                               {"exp_oq_conf", quantizer("kif", "SAT")},
                                               {"inv_iq_conf", quantizer("kif", "SAT")},
                                               {"inv_oq_conf", quantizer("kif", "SAT")}});
  const auto graph = imported(sequential({input({2}), softmax}), "q_softmax",
                              joined({kif("exp_table/iq/", 3, 2), kif("exp_table/oq/", 1, 1, 0),
                                      kif("inv_table/iq/", 3, 2), kif("inv_table/oq/", 1, 2, 0)}));
  EXPECT_THAT(run(graph, {{4, 3.25}}), ElementsAre(0.75, 0.375));
}

TEST(KerasHgq2, WhatIsNotSupportedIsRefused) {
  const auto refused = [](const std::string& name, const Json& options,
                          const Arrays& arrays = Arrays()) {
    return code_of(imported(sequential({input({2}), hgq2_layer(name, options)}), "q_sum", arrays));
  };
  EXPECT_EQ(refused("QGRU", Json::object()), "frontends.keras.unknown_layer");
  EXPECT_EQ(refused("QEinsum", {{"equation", "ab,ac->abc"}}), "frontends.keras.unknown_layer");
  EXPECT_EQ(refused("QUnaryFunctionLUT", {{"activation", "my_function"}}),
            "frontends.keras.activation");
  EXPECT_EQ(refused("QSum", {{"axes", 1}, {"keepdims", true}, {"new", 1}}),
            "frontends.keras.unknown_option");
  const auto of = [&](const Json& conf, const Arrays& arrays = Arrays()) {
    return refused(
        "QSum", {{"axes", 1}, {"keepdims", true}, {"enable_iq", true}, {"iq_conf", conf}}, arrays);
  };
  EXPECT_EQ(of(quantizer("float", "SAT")), "frontends.keras.unknown_quantizer");
  EXPECT_EQ(of(quantizer("kif", "SAT", {{"scaler", 3}})), "frontends.keras.option");
  EXPECT_EQ(of(quantizer("kif", "SAT", {{"new", 3}})), "frontends.keras.unknown_option");
  EXPECT_EQ(of(quantizer("kif", "WRAP_SM")), "frontends.keras.option");
  Json other = quantizer("kif", "SAT");
  other["class_name"] = "OtherConfig";
  EXPECT_EQ(of(other), "frontends.keras.unknown_quantizer");
  other = quantizer("kif", "SAT");
  other["config"].erase("overflow_mode");
  EXPECT_EQ(of(other), "frontends.keras.missing_option");
  EXPECT_EQ(of(quantizer("kif", "SAT"), kif("iq/", 1, 1, 2)), "frontends.keras.quantizer_type");
  // Numbers of a quantiser of weights have no range.
  EXPECT_EQ(
      of(quantizer("kif", "WRAP", {{"is_weight", true}}), {{"iq/quantizer/vars/0", {{1}, {1}}},
                                                           {"iq/quantizer/vars/1", {{1}, {1}}},
                                                           {"iq/quantizer/vars/2", {{1}, {1}}},
                                                           {"iq/quantizer/vars/3", {{}, {1}}}}),
      "frontends.keras.option");
}

}  // namespace
}  // namespace millrace::frontends::keras::testing
