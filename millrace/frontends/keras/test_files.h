// SPDX-License-Identifier: Apache-2.0
// Makes Keras' files for tests, right and wrong ones.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::keras::testing {

using Json = nlohmann::json;

/// An HDF5 file under construction; groups appear as they are needed.
class Hdf5Builder {
public:
  Hdf5Builder();
  Hdf5Builder(const Hdf5Builder&) = delete;
  Hdf5Builder& operator=(const Hdf5Builder&) = delete;
  ~Hdf5Builder();

  Hdf5Builder& group(const std::string& path);
  /// An array of float32 numbers.
  Hdf5Builder& array(const std::string& path, const FloatTensor& value);
  /// A text attribute of a group, as h5py writes it.
  Hdf5Builder& text(const std::string& path, const std::string& name, const std::string& value);
  Hdf5Builder& texts(const std::string& path, const std::string& name,
                     const std::vector<std::string>& values);
  /// A link to an array of another file.
  Hdf5Builder& external_link(const std::string& path, const std::string& file);
  /// An array of the shape that stores nothing.
  Hdf5Builder& empty_array(const std::string& path, const Shape& shape);

  /// The id of the file, for whatever else a test wants.
  int64_t id() const { return file_; }
  std::string bytes();

private:
  int64_t file_;
};

/// A zip archive of members by name.
std::string archive(const std::vector<std::pair<std::string, std::string>>& members);

/// The weights of layers by "LAYER/WEIGHT", in an order.
using WeightList = std::vector<std::pair<std::string, FloatTensor>>;

/// A layer of a Sequential model.
Json layer(const std::string& class_name, const std::string& name, Json config = Json::object());
/// An input of that shape, without the batch.
Json input(const Shape& shape, const std::string& name = "input");
/// The same in a functional model: what it reads, by name.
Json connected(Json layer, const std::vector<std::string>& inputs);
Json sequential(const std::vector<Json>& layers);
Json functional(const std::vector<Json>& layers, const std::vector<std::string>& inputs,
                const std::vector<std::string>& outputs);

/// A .h5 file as Keras 2 writes it. `version`: of Keras; empty: none is noted.
std::string h5_file(const Json& model, const WeightList& weights = {},
                    const std::string& version = "2.13.1");
/// The same without the model: what save_weights() writes.
std::string weights_file(const WeightList& weights);

/// Numbers of either sign that are the same every time: ((7i + 3 + seed) mod 11 - 5) / 8.
FloatTensor numbers(const Shape& shape, int64_t seed = 0);

}  // namespace millrace::frontends::keras::testing
