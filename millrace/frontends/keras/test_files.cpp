// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/test_files.h"

#include <fmt/core.h>
#include <hdf5.h>
#include <stdexcept>
#include <zip.h>

namespace millrace::frontends::keras::testing {
namespace {

hid_t checked(hid_t id) {
  if (id < 0)
    throw std::runtime_error("HDF5");
  return id;
}

/// Properties that make missing groups.
hid_t making_groups() {
  const hid_t properties = checked(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(properties, 1);
  return properties;
}

std::string layer_of(const std::string& weight) {
  return weight.substr(0, weight.find('/'));
}

void append_weights(Hdf5Builder& file, const std::string& root, const WeightList& weights) {
  std::vector<std::string> layers;
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& [path, value] : weights) {
    const std::string name = layer_of(path);
    if (names[name].empty())
      layers.push_back(name);
    names[name].push_back(path + ":0");
    file.array(fmt::format("{}{}/{}:0", root, name, path), value);
  }
  file.group(root.empty() ? "/" : root);
  file.texts(root, "layer_names", layers);
  for (const auto& [name, list] : names)
    file.texts(root + name, "weight_names", list);
}

}  // namespace

Hdf5Builder::Hdf5Builder() {
  constexpr size_t Increment = 4096;
  const hid_t access = checked(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access, Increment, 0);
  static int number = 0;  // files that are open at a time have names of their own
  const std::string name = "test" + std::to_string(number++);
  file_ = checked(H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access));
  H5Pclose(access);
}

Hdf5Builder::~Hdf5Builder() {
  H5Fclose(file_);
}

Hdf5Builder& Hdf5Builder::group(const std::string& path) {
  const std::string name = path.empty() ? "/" : path;
  if (name == "/" || H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0)
    return *this;
  const hid_t properties = making_groups();
  H5Gclose(checked(H5Gcreate2(file_, name.c_str(), properties, H5P_DEFAULT, H5P_DEFAULT)));
  H5Pclose(properties);
  return *this;
}

Hdf5Builder& Hdf5Builder::array(const std::string& path, const FloatTensor& value) {
  const std::vector<hsize_t> extents(value.shape.begin(), value.shape.end());
  const hid_t space =
      checked(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const hid_t properties = making_groups();
  const hid_t array = checked(H5Dcreate2(file_, path.c_str(), H5T_NATIVE_FLOAT, space, properties,
                                         H5P_DEFAULT, H5P_DEFAULT));
  H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.data.data());
  H5Dclose(array);
  H5Pclose(properties);
  H5Sclose(space);
  return *this;
}

Hdf5Builder& Hdf5Builder::text(const std::string& path, const std::string& name,
                               const std::string& value) {
  group(path);
  const hid_t type = checked(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, H5T_VARIABLE);
  const hid_t space = checked(H5Screate(H5S_SCALAR));
  const hid_t attribute =
      checked(H5Acreate_by_name(file_, path.empty() ? "/" : path.c_str(), name.c_str(), type, space,
                                H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  const char* const pointer = value.c_str();
  H5Awrite(attribute, type, static_cast<const void*>(&pointer));
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return *this;
}

Hdf5Builder& Hdf5Builder::texts(const std::string& path, const std::string& name,
                                const std::vector<std::string>& values) {
  group(path);
  size_t size = 1;
  for (const std::string& value : values)
    size = std::max(size, value.size());
  std::string padded;
  for (const std::string& value : values)
    padded += value + std::string(size - value.size(), '\0');
  const hid_t type = checked(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, size);
  const hsize_t count = values.size();
  const hid_t space = checked(H5Screate_simple(1, &count, nullptr));
  const hid_t attribute =
      checked(H5Acreate_by_name(file_, path.empty() ? "/" : path.c_str(), name.c_str(), type, space,
                                H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Awrite(attribute, type, padded.data());
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return *this;
}

Hdf5Builder& Hdf5Builder::external_link(const std::string& path, const std::string& file) {
  const hid_t properties = making_groups();
  H5Lcreate_external(file.c_str(), "/array", file_, path.c_str(), properties, H5P_DEFAULT);
  H5Pclose(properties);
  return *this;
}

Hdf5Builder& Hdf5Builder::empty_array(const std::string& path, const Shape& shape) {
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const hid_t space =
      checked(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const hid_t links = making_groups();
  H5Dclose(checked(
      H5Dcreate2(file_, path.c_str(), H5T_NATIVE_FLOAT, space, links, H5P_DEFAULT, H5P_DEFAULT)));
  H5Pclose(links);
  H5Sclose(space);
  return *this;
}

std::string Hdf5Builder::bytes() {
  H5Fflush(file_, H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file_, nullptr, 0);
  std::string image(static_cast<size_t>(size), '\0');
  H5Fget_file_image(file_, image.data(), image.size());
  return image;
}

std::string archive(const std::vector<std::pair<std::string, std::string>>& members) {
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(target);
  zip_t* const zip = zip_open_from_source(target, ZIP_TRUNCATE, nullptr);
  for (const auto& [name, bytes] : members)
    zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
  if (zip_close(zip) != 0)
    throw std::runtime_error("zip");
  zip_stat_t stat;
  zip_source_stat(target, &stat);
  std::string result(stat.size, '\0');
  zip_source_open(target);
  zip_source_read(target, result.data(), result.size());
  zip_source_close(target);
  zip_source_free(target);
  return result;
}

Json layer(const std::string& class_name, const std::string& name, Json config) {
  config["name"] = name;
  return {{"class_name", class_name}, {"name", name}, {"config", std::move(config)}};
}

Json input(const Shape& shape, const std::string& name) {
  Json extents = Json::array({nullptr});
  for (const int64_t extent : shape)
    extents.push_back(extent);
  return layer("InputLayer", name, {{"batch_input_shape", extents}, {"dtype", "float32"}});
}

Json connected(Json layer, const std::vector<std::string>& inputs) {
  Json node = Json::array();
  for (const std::string& name : inputs)
    node.push_back({name, 0, 0, Json::object()});
  layer["inbound_nodes"] = inputs.empty() ? Json::array() : Json::array({node});
  return layer;
}

Json sequential(const std::vector<Json>& layers) {
  return {{"class_name", "Sequential"}, {"config", {{"name", "net"}, {"layers", layers}}}};
}

Json functional(const std::vector<Json>& layers, const std::vector<std::string>& inputs,
                const std::vector<std::string>& outputs) {
  const auto ports = [](const std::vector<std::string>& names) {
    Json list = Json::array();
    for (const std::string& name : names)
      list.push_back({name, 0, 0});
    return list;
  };
  return {{"class_name", "Functional"},
          {"config",
           {{"name", "net"},
            {"layers", layers},
            {"input_layers", ports(inputs)},
            {"output_layers", ports(outputs)}}}};
}

std::string h5_file(const Json& model, const WeightList& weights, const std::string& version) {
  Hdf5Builder file;
  append_weights(file, "model_weights/", weights);
  file.text("", "model_config", model.dump());
  if (!version.empty())
    file.text("", "keras_version", version);
  return file.bytes();
}

std::string weights_file(const WeightList& weights) {
  Hdf5Builder file;
  append_weights(file, "", weights);
  return file.bytes();
}

FloatTensor numbers(const Shape& shape, int64_t seed) {
  FloatTensor tensor{shape, {}};
  for (int64_t i = 0; i < num_elements(shape); ++i)
    tensor.data.push_back(static_cast<double>((i * 7 + 3 + seed) % 11 - 5) / 8);
  return tensor;
}

}  // namespace millrace::frontends::keras::testing
