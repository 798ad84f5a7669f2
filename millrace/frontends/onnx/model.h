// SPDX-License-Identifier: Apache-2.0
// An ONNX model as plain data: decoded, bounded and sorted, without a trace of protobuf.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// The value of an attribute that Millrace can use; monostate for every other kind.
using AttributeValue = std::variant<std::monostate, int64_t, double, std::string,
                                    std::vector<int64_t>, std::vector<double>, FloatTensor>;

/// One operator of the model.
struct Node {
  std::string name;  ///< the user's, or the name of its first output
  std::string op;    ///< "Conv", "Quant", ...
  std::string domain;
  std::string where;                 ///< "FILE: node 'NAME' (OP)"
  std::vector<std::string> inputs;   ///< tensor names; empty for an omitted optional input
  std::vector<std::string> outputs;  ///< likewise
  std::map<std::string, AttributeValue, std::less<>> attributes;
};

/// The name and extents of the model's input or output; no extent where the file leaves it free.
struct Port {
  std::string name;
  std::vector<std::optional<int64_t>> extents;
  bool has_shape = false;
  bool is_float = false;
};

/// A model with one input and one output. Extents and counts are bounded by the file's size.
struct Model {
  std::string name;
  Port input;
  Port output;
  std::map<std::string, FloatTensor> initializers;  ///< finite numbers, in ONNX's layout
  std::vector<Node> nodes;                          ///< each behind those whose values it uses
};

/// No tensor of a model may have more elements.
inline constexpr int64_t MaxElements = int64_t{1} << 28;

/// Number of elements of a shape, if no extent is negative and it is at most MaxElements.
std::optional<int64_t> bounded_elements(const Shape& shape);

/// A name from the file as it may appear in a diagnostic: short, without control characters.
std::string printable(std::string_view name);

/// Decodes a model and checks its structure.
/// Errors   not ONNX, cut short, external data, numbers that are not finite, tensors that are
///          missing or defined twice, cycles, other than one input and one output.
Result<Model> read_model(std::string_view bytes, const std::string& file);

}  // namespace millrace::frontends::onnx
