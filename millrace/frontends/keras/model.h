// SPDX-License-Identifier: Apache-2.0
// A Keras model as plain data: its layers, and which reads what.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/frontends/keras/config.h"

namespace millrace::frontends::keras {

/// Which Keras wrote the configuration, where that matters.
enum class Dialect { Unknown, Keras2, Keras3 };

/// One result of a layer: a layer that is called several times has several.
struct CallRef {
  size_t layer = 0;
  size_t call = 0;
  friend auto operator<=>(const CallRef&, const CallRef&) = default;
};

/// One layer.
struct Layer {
  std::string class_name;  ///< "Conv2D", without the package it is registered under
  std::string name;
  std::string where;  ///< "FILE: layer 'NAME' (CLASS)"
  Json config;
  std::vector<std::vector<CallRef>> calls;  ///< what each call reads; none for inputs
};

struct Model {
  std::string name;
  Dialect dialect = Dialect::Unknown;
  std::vector<Layer> layers;             ///< in the order of the file
  std::vector<CallRef> inputs, outputs;  ///< in the model's own order
  std::vector<CallRef> order;            ///< every call behind those whose results it reads
};

/// "2.4.0" or "3.14.1" as a dialect.
Dialect dialect_of(std::string_view keras_version);

/// Reads a configuration: Sequential or functional, of Keras 2 or 3.
/// Errors   other models; layers without class or name, names that stand twice; layers of unknown
///          packages; calls of layers that there are not; cycles; no input shape; models within.
Result<Model> read_model(const Json& json, Dialect dialect, const std::string& file);

}  // namespace millrace::frontends::keras
