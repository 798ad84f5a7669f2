// SPDX-License-Identifier: Apache-2.0
// What is wrong with a file or a model: one diagnostic each.
#include <cmath>
#include <gmock/gmock.h>
#include <hdf5.h>
#include <random>
#include <zip.h>

#include "millrace/frontends/keras/archive.h"
#include "millrace/frontends/keras/hdf5_file.h"
#include "millrace/frontends/keras/import.h"
#include "millrace/frontends/keras/test_files.h"

namespace millrace::frontends::keras::testing {
namespace {

/// The code of what is wrong with a file.
std::string refusal(const std::string& bytes) {
  const auto graph = import_keras_bytes(bytes, "test");
  return graph ? "imported" : graph.error().code;
}
std::string refusal(const Json& model, const WeightList& weights = {}) {
  return refusal(h5_file(model, weights));
}
std::string where(const Json& model, const WeightList& weights = {}) {
  const auto graph = import_keras_bytes(h5_file(model, weights), "test");
  return graph ? "imported" : graph.error().where;
}

const Json Dense = layer("Dense", "fc", {{"units", 2}});
const WeightList DenseWeights = {{"fc/kernel", numbers({3, 2})}, {"fc/bias", numbers({2})}};
const Json DenseModel = sequential({input({3}), Dense});

/// A model of one layer on an input of that shape.
std::string refused_layer(const Shape& shape, const std::string& class_name, const Json& config,
                          const WeightList& weights = {}) {
  return refusal(sequential({input(shape), layer(class_name, "it", config)}), weights);
}

TEST(KerasFileErrors, OtherFilesAreNotModels) {
  EXPECT_EQ(refusal(std::string("hello")), "frontends.keras.not_keras");
  EXPECT_EQ(refusal(std::string()), "frontends.keras.not_keras");
  EXPECT_EQ(refusal(weights_file(DenseWeights)), "frontends.keras.no_config");
}

TEST(KerasFileErrors, CutHdf5FilesAreRefused) {
  const std::string whole = h5_file(DenseModel, DenseWeights);
  ASSERT_EQ(refusal(whole), "imported");
  for (const size_t size : {8, 100, 1000})
    EXPECT_EQ(refusal(whole.substr(0, size)), "frontends.keras.not_hdf5") << size;
  EXPECT_EQ(refusal(whole.substr(0, whole.size() - 1)), "frontends.keras.not_hdf5");
}

// libhdf5 crashes on some of these: a copy of the process does, in its place.
TEST(KerasFileErrors, DamagedHdf5FilesEndNothing) {
  const std::string whole = h5_file(DenseModel, DenseWeights);
  std::mt19937_64 random(1);
  int refused = 0;
  for (int file = 0; file < 300; ++file) {
    std::string damaged = whole;
    for (int i = 0; i < 8; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    refused += refusal(damaged) != "imported";
  }
  EXPECT_GT(refused, 10);
}

TEST(KerasFileErrors, ConfigurationsThatAreNoJson) {
  Hdf5Builder file;
  file.text("", "model_config", "{");
  EXPECT_EQ(refusal(file.bytes()), "frontends.keras.json");
  Hdf5Builder deep;
  deep.text("", "model_config", std::string(101, '[') + std::string(101, ']'));
  EXPECT_EQ(refusal(deep.bytes()), "frontends.keras.json_depth");
  Hdf5Builder list;
  list.texts("", "model_config", {"{}", "{}"});
  EXPECT_EQ(refusal(list.bytes()), "frontends.keras.attribute");
}

TEST(KerasArchiveErrors, MembersAreMissing) {
  EXPECT_EQ(refusal(archive({{"other", "x"}})), "frontends.keras.archive_member");
  EXPECT_EQ(refusal(archive({{"config.json", DenseModel.dump()}})),
            "frontends.keras.archive_member");
  EXPECT_EQ(refusal(archive({{"config.json", DenseModel.dump()}, {"model.weights.h5", "x"}})),
            "frontends.keras.not_hdf5");
  EXPECT_EQ(refusal(archive(
                {{"config.json", DenseModel.dump()}, {"model.weights.h5", Hdf5Builder().bytes()}})),
            "frontends.keras.no_weights");
}

TEST(KerasArchiveErrors, PathsThatLeadOutAreRefused) {
  for (const char* const name : {"/etc/passwd", "../config.json", "a/../../b", "C:/x", "a\\b"})
    EXPECT_EQ(refusal(archive({{"config.json", "{}"}, {name, "x"}})),
              "frontends.keras.archive_path")
        << name;
}

TEST(KerasArchiveErrors, CutAndDamagedArchivesAreRefused) {
  std::string bytes = archive({{"config.json", std::string(1000, ' ') + DenseModel.dump()}});
  EXPECT_EQ(refusal(bytes.substr(0, bytes.size() / 2)), "frontends.keras.archive");
  bytes[60] = static_cast<char>(~bytes[60]);
  EXPECT_EQ(refusal(bytes), "frontends.keras.archive");
}

TEST(KerasArchiveErrors, BombsAreRefused) {
  // A member of zeros is small in the archive.
  const std::string bytes = archive({{"config.json", std::string(10'000, ' ')}});
  const auto opened = Archive::open(bytes, "test");
  ASSERT_TRUE(opened);
  const auto member = opened->read("config.json", 9'999);
  ASSERT_FALSE(member);
  EXPECT_EQ(member.error().code, "frontends.keras.too_large");
  // The sizes that the directory states: more than deflate can make of what is there.
  std::string lying = bytes;
  const size_t directory = lying.rfind("PK\x01\x02");
  lying[directory + 24 + 3] = 0x0f;
  EXPECT_EQ(refusal(lying), "frontends.keras.archive");
}

TEST(KerasWeightErrors, MissingExtraAndMisshapenWeightsNameTheLayer) {
  EXPECT_EQ(refusal(DenseModel, {{"fc/kernel", numbers({3, 2})}}),
            "frontends.keras.missing_weight");
  EXPECT_EQ(refusal(DenseModel, {{"other/kernel", numbers({3, 2})}}),
            "frontends.keras.missing_weight");
  EXPECT_EQ(refusal(DenseModel, {{"fc/kernel", numbers({2, 3})}, {"fc/bias", numbers({2})}}),
            "frontends.keras.weight_shape");
  WeightList extra = DenseWeights;
  extra.emplace_back("fc/lora_kernel_a", numbers({2}));
  EXPECT_EQ(refusal(DenseModel, extra), "frontends.keras.extra_weight");
  EXPECT_EQ(where(DenseModel, extra), "test: layer 'fc' (Dense)");
  WeightList twice = DenseWeights;
  twice.emplace_back("fc/inner/kernel", numbers({3, 2}));
  EXPECT_EQ(refusal(DenseModel, twice), "frontends.keras.duplicate_weight");
}

TEST(KerasWeightErrors, NumberedWeightsAreCounted) {
  const auto with = [](const std::vector<std::string>& names) {
    Hdf5Builder file;
    for (const std::string& name : names)
      file.array("layers/dense/vars/" + name, name == "0" ? numbers({3, 2}) : numbers({2}));
    return archive({{"config.json", DenseModel.dump()}, {"model.weights.h5", file.bytes()}});
  };
  EXPECT_EQ(refusal(with({"0", "1"})), "imported");
  EXPECT_EQ(refusal(with({"0"})), "frontends.keras.missing_weight");
  EXPECT_EQ(refusal(with({"0", "1", "2"})), "frontends.keras.extra_weight");
  EXPECT_EQ(refusal(with({"0", "1", "x"})), "frontends.keras.extra_weight");
}

TEST(KerasWeightErrors, NumbersMustBeFinite) {
  WeightList weights = DenseWeights;
  weights[0].second.data[1] = NAN;
  EXPECT_EQ(refusal(DenseModel, weights), "frontends.keras.not_finite");
  weights[0].second.data[1] = INFINITY;
  EXPECT_EQ(refusal(DenseModel, weights), "frontends.keras.not_finite");
}

/// The error of one array of a file.
std::string array_error(Hdf5Builder& builder, const std::string& path) {
  const auto file = Hdf5File::open_bytes(builder.bytes(), "test");
  if (!file)
    return file.error().code;
  const auto array = file->array(path);
  return array ? "read" : array.error().code;
}

TEST(KerasWeightErrors, ArraysMustLieInTheFileAsWhatTheyAre) {
  Hdf5Builder file;
  file.array("group/array", numbers({3}));
  EXPECT_EQ(array_error(file, "group/array"), "read");
  EXPECT_EQ(array_error(file, "group"), "frontends.keras.missing_array");
  EXPECT_EQ(array_error(file, "group/array/more"), "frontends.keras.missing_array");
  file.external_link("group/link", "../elsewhere.h5");
  EXPECT_EQ(array_error(file, "group/link"), "frontends.keras.missing_array");
  file.empty_array("group/empty", {1 << 20});
  EXPECT_EQ(array_error(file, "group/empty"), "frontends.keras.not_stored");
  file.empty_array("group/huge", {1 << 20, 1 << 20});
  EXPECT_EQ(array_error(file, "group/huge"), "frontends.keras.too_large");

  const hid_t space = H5Screate(H5S_SCALAR);
  H5Dclose(H5Dcreate2(file.id(), "text", H5T_C_S1, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  EXPECT_EQ(array_error(file, "text"), "frontends.keras.array_type");
}

TEST(KerasWeightErrors, DamagedNumbersAreRefused) {
  // A compressed array of which some bytes are others.
  Hdf5Builder file;
  const hsize_t extent = 1000;
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, 1, &extent);
  H5Pset_deflate(properties, 9);
  const hid_t array = H5Dcreate2(file.id(), "packed", H5T_NATIVE_FLOAT, space, H5P_DEFAULT,
                                 properties, H5P_DEFAULT);
  const FloatTensor values = numbers({1000});
  H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data.data());
  H5Dclose(array);
  H5Pclose(properties);
  H5Sclose(space);
  std::string bytes = file.bytes();
  ASSERT_EQ(array_error(file, "packed"), "read");
  const size_t packed = bytes.find("\x78\xda");
  ASSERT_NE(packed, std::string::npos);
  bytes.replace(packed, 2, "zz");
  const auto damaged = Hdf5File::open_bytes(bytes, "test");
  ASSERT_TRUE(damaged);
  EXPECT_EQ(damaged->array("packed").error().code, "frontends.keras.damaged");
}

TEST(KerasModelErrors, OtherConfigurations) {
  EXPECT_EQ(refusal(Json{{"class_name", "MyModel"}, {"config", Json::object()}}),
            "frontends.keras.not_model");
  EXPECT_EQ(refusal(Json::array()), "frontends.keras.not_model");
  EXPECT_EQ(refusal(sequential({})), "frontends.keras.no_layers");
  EXPECT_EQ(refusal(sequential({Dense})), "frontends.keras.no_input");
  EXPECT_EQ(refusal(sequential({input({3}), input({3}, "second")})), "frontends.keras.no_input");
  EXPECT_EQ(refusal(sequential({input({3}), Json{{"class_name", "Dense"}}})),
            "frontends.keras.layer_form");
  EXPECT_EQ(refusal(sequential({input({3}), Dense, Dense})), "frontends.keras.duplicate_layer");
  EXPECT_EQ(refusal(sequential({input({3}), layer("Sequential", "inner")})),
            "frontends.keras.model_within");
}

TEST(KerasModelErrors, InputsWithoutAKnownShape) {
  const auto with_shape = [](const Json& shape) {
    return refusal(sequential({layer("InputLayer", "in", {{"batch_input_shape", shape}}), Dense}));
  };
  EXPECT_EQ(with_shape({nullptr, nullptr}), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape({8, 3}), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape({nullptr, 1, 1, 1, 1}), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape(Json::array({nullptr})), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape({nullptr, 1 << 20, 1 << 20}), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape({nullptr, -3}), "frontends.keras.input_shape");
  EXPECT_EQ(with_shape("x"), "frontends.keras.input_shape");
}

TEST(KerasModelErrors, FunctionalModelsThatDoNotHangTogether) {
  const Json in = connected(input({3}), {});
  const auto model = [&](std::vector<Json> layers, const std::string& output = "b") {
    layers.insert(layers.begin(), in);
    return functional(layers, {"input"}, {output});
  };
  const Json a = layer("ReLU", "a"), b = layer("ReLU", "b");
  EXPECT_EQ(refusal(model({connected(a, {"input"}), connected(b, {"a"})})), "imported");
  const Json cyclic = model({connected(a, {"b"}), connected(b, {"a"})});
  EXPECT_EQ(refusal(cyclic), "frontends.keras.cycle");
  EXPECT_EQ(where(cyclic), "test: layer 'a' (ReLU)");
  EXPECT_EQ(refusal(model({connected(b, {"b"})})), "frontends.keras.cycle");
  EXPECT_EQ(refusal(model({connected(b, {"nobody"})})), "frontends.keras.missing_call");
  EXPECT_EQ(refusal(model({connected(b, {"input"})}, "nobody")), "frontends.keras.missing_call");
  EXPECT_EQ(refusal(model({connected(b, {"input", "input"})})), "frontends.keras.num_inputs");
  EXPECT_EQ(refusal(model({b})), "frontends.keras.layer_form");
  Json masked = b;
  masked["inbound_nodes"] = Json::parse(R"([[["input", 0, 0, {"training": true}]]])");
  EXPECT_EQ(refusal(model({masked})), "frontends.keras.call_form");
  Json second = b;
  second["inbound_nodes"] = Json::parse(R"([[["input", 0, 1, {}]]])");
  EXPECT_EQ(refusal(model({second})), "frontends.keras.call_form");
  Json ports = model({connected(b, {"input"})});
  ports["config"]["output_layers"] = 7;
  EXPECT_EQ(refusal(ports), "frontends.keras.ports");
  ports["config"]["output_layers"] = Json::array({{"b", 0, 0}});
  ports["config"]["input_layers"] = Json::array({{"b", 0, 0}});
  EXPECT_EQ(refusal(ports), "frontends.keras.no_input");
}

TEST(KerasLayerErrors, UnknownClassesAreRefusedFirst) {
  const Json model = sequential({input({3}), layer("Dense", "fc"), layer("LSTM", "rnn")});
  EXPECT_EQ(refusal(model), "frontends.keras.unknown_layer");
  EXPECT_EQ(where(model), "test: layer 'rnn' (LSTM)");
  Json foreign = Dense;
  foreign["module"] = "mine.layers";
  EXPECT_EQ(refusal(sequential({input({3}), foreign})), "frontends.keras.unknown_layer");
  Json registered = Dense;
  registered["registered_name"] = "Mine>Dense";
  Json newer = layer("QLayerNormalization", "norm");
  newer["registered_name"] = "hgq>QLayerNormalization";
  EXPECT_EQ(refusal(sequential({input({3}), newer})), "frontends.keras.unknown_layer");
  EXPECT_EQ(refusal(sequential({input({3}), registered})), "frontends.keras.unknown_layer");
}

TEST(KerasLayerErrors, OptionsAreReadOrRefused) {
  const auto dense = [](Json config) {
    config["units"] = config.value("units", Json(2));
    return refused_layer({3}, "Dense", config,
                         {{"it/kernel", numbers({3, 2})}, {"it/bias", numbers({2})}});
  };
  EXPECT_EQ(dense(Json::object()), "imported");
  EXPECT_EQ(dense({{"colour", "red"}}), "frontends.keras.unknown_option");
  EXPECT_EQ(dense({{"units", "two"}}), "frontends.keras.option");
  EXPECT_EQ(dense({{"units", 2.5}}), "frontends.keras.option");
  EXPECT_EQ(dense({{"use_bias", "yes"}}), "frontends.keras.option");
  EXPECT_EQ(dense({{"lora_rank", 4}}), "frontends.keras.option");
  EXPECT_EQ(dense({{"lora_rank", nullptr}}), "imported");
  EXPECT_EQ(dense({{"activation", 7}}), "frontends.keras.option");
  EXPECT_EQ(dense({{"activation", "log_softmax"}}), "frontends.keras.activation");
  EXPECT_EQ(dense({{"dtype", "mixed_float16"}}), "frontends.keras.arithmetic");
  EXPECT_EQ(dense({{"dtype", {{"class_name", "DTypePolicy"}, {"config", {{"name", "float32"}}}}}}),
            "imported");
  EXPECT_EQ(refused_layer({3}, "Dense", Json::object()), "frontends.keras.missing_option");
  EXPECT_EQ(refused_layer({3}, "Activation", Json::object()), "frontends.keras.missing_option");
}

TEST(KerasLayerErrors, MapsAreChannelsLast) {
  const Json first{{"filters", 1}, {"kernel_size", 1}, {"data_format", "channels_first"}};
  EXPECT_EQ(refused_layer({4, 4, 1}, "Conv2D", first), "frontends.keras.channels_first");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Flatten", {{"data_format", "channels_first"}}),
            "frontends.keras.channels_first");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Flatten", {{"data_format", "sideways"}}),
            "frontends.keras.option");
}

TEST(KerasLayerErrors, WindowsMustFit) {
  const auto conv = [](const Json& config) { return refused_layer({4, 4, 1}, "Conv2D", config); };
  EXPECT_EQ(conv({{"filters", 1}, {"kernel_size", 5}}), "frontends.keras.window");
  EXPECT_EQ(conv({{"filters", 1}, {"kernel_size", {1, 1, 1}}}), "frontends.keras.option");
  EXPECT_EQ(conv({{"filters", 1}, {"kernel_size", 1}, {"strides", 0}}), "frontends.keras.option");
  EXPECT_EQ(conv({{"filters", 1}, {"kernel_size", 1}, {"padding", "full"}}),
            "frontends.keras.option");
  EXPECT_EQ(conv({{"filters", 3}, {"kernel_size", 1}, {"groups", 2}}), "frontends.keras.option");
  EXPECT_EQ(refused_layer({4}, "Conv2D", {{"filters", 1}, {"kernel_size", 1}}),
            "frontends.keras.rank");
  EXPECT_EQ(refused_layer({4, 4, 1}, "MaxPooling1D", Json::object()), "frontends.keras.rank");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Conv2DTranspose",
                          {{"filters", 1}, {"kernel_size", 2}, {"output_padding", {1, 1}}}),
            "frontends.keras.option");
}

TEST(KerasLayerErrors, ShapesMustFit) {
  EXPECT_EQ(refused_layer({4, 4, 1}, "Reshape", {{"target_shape", {3, -1}}}),
            "frontends.keras.shapes");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Reshape", {{"target_shape", {4, 4, 1, 1}}}),
            "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Permute", {{"dims", {1, 2, 2}}}), "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 1}, "Cropping2D", {{"cropping", 2}}), "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 1}, "UpSampling2D", {{"interpolation", "bilinear"}}),
            "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 1}, "ZeroPadding2D", {{"padding", -1}}), "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 2}, "Softmax", {{"axis", 1}}), "frontends.keras.option");
  const auto merged = [](const std::string& class_name, const Shape& a, const Shape& b,
                         Json config = Json::object()) {
    return refusal(functional({connected(input(a, "a"), {}), connected(input(b, "b"), {}),
                               connected(layer(class_name, "it", std::move(config)), {"a", "b"})},
                              {"a", "b"}, {"it"}));
  };
  EXPECT_EQ(merged("Add", {4, 4, 2}, {4, 4, 3}), "frontends.keras.shapes");
  EXPECT_EQ(merged("Add", {4, 4, 2}, {2}), "frontends.keras.shapes");
  EXPECT_EQ(merged("Concatenate", {4, 4, 2}, {4, 3, 2}), "frontends.keras.shapes");
  EXPECT_EQ(merged("Concatenate", {4, 4, 2}, {4, 4, 2}, {{"axis", 1}}), "frontends.keras.option");
}

TEST(KerasLayerErrors, Normalisations) {
  WeightList weights;
  for (const char* const name : {"gamma", "beta", "moving_mean", "moving_variance"})
    weights.emplace_back(std::string("it/") + name, FloatTensor{{2}, {1, 1}});
  EXPECT_EQ(refused_layer({4, 4, 2}, "BatchNormalization", {{"axis", 1}}, weights),
            "frontends.keras.option");
  EXPECT_EQ(refused_layer({4, 4, 2}, "BatchNormalization", {{"axis", {3}}}, weights), "imported");
  weights.back().second.data[1] = -1;
  EXPECT_EQ(refused_layer({4, 4, 2}, "BatchNormalization", Json::object(), weights),
            "frontends.keras.normalization");
}

TEST(KerasLayerErrors, Quantisers) {
  const WeightList weights = {{"it/kernel", numbers({3, 2})}, {"it/bias", numbers({2})}};
  const auto dense = [&](const Json& quantizer) {
    return refused_layer({3}, "QDense", {{"units", 2}, {"kernel_quantizer", quantizer}}, weights);
  };
  EXPECT_EQ(dense("quantized_bits(4,0,alpha=1)"), "imported");
  EXPECT_EQ(dense("quantized_bits(1,0,alpha='auto')"), "frontends.keras.option");
  EXPECT_EQ(dense("quantized_tanh(4)"), "frontends.keras.unknown_quantizer");
  EXPECT_EQ(dense("linear"), "frontends.keras.unknown_quantizer");
  EXPECT_EQ(refused_layer({2}, "FixedPointQuantizer", {{"shape", {3}}}), "frontends.keras.shapes");
  const auto fixed = [](double keep, double bits, const std::string& overflow = "WRAP") {
    return refused_layer({2}, "FixedPointQuantizer",
                         {{"shape", {1}}, {"RND", "TRN"}, {"SAT", overflow}},
                         {{"it/keep_negative", {{1}, {keep}}},
                          {"it/bits", {{1}, {bits}}},
                          {"it/integers", {{1}, {1}}}});
  };
  EXPECT_EQ(fixed(1, 4), "imported");
  EXPECT_EQ(fixed(1, -4), "frontends.keras.quantizer_type");
  EXPECT_EQ(fixed(2, 4), "frontends.keras.quantizer_type");
  EXPECT_EQ(fixed(1, 100), "frontends.keras.quantizer_type");
  EXPECT_EQ(fixed(1, 4, "BOUNCE"), "frontends.keras.option");
  EXPECT_EQ(fixed(0, 4, "WRAP_SM"), "frontends.keras.option");
}

}  // namespace
}  // namespace millrace::frontends::keras::testing
