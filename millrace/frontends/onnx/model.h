// SPDX-License-Identifier: Apache-2.0
// An ONNX model as plain data: decoded, bounded and sorted, without a trace of protobuf.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "millrace/fixed/fixed_type.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/names.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::onnx {

/// A tensor of the model, in ONNX's layout.
struct ModelTensor {
  FloatTensor numbers;
  std::optional<FixedType> integer = std::nullopt;  ///< of whole numbers: their type in the file
};

/// The value of an attribute that Millrace can use; monostate for every other kind.
using AttributeValue = std::variant<std::monostate, int64_t, double, std::string,
                                    std::vector<int64_t>, std::vector<double>, ModelTensor>;

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

/// The name and extents of an input or output of the model; no extent where the file leaves it
/// free.
struct Port {
  std::string name;
  std::vector<std::optional<int64_t>> extents;
  bool has_shape = false;
  bool is_float = false;
  std::optional<FixedType> integer;  ///< the type that holds every number of an integer tensor
};

/// A decoded model. Extents and counts are bounded by the file's size.
struct Model {
  std::string name;
  int64_t opset = 0;        ///< version of ONNX's own operators
  int64_t quant_opset = 1;  ///< version of QONNX's operators
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::map<std::string, ModelTensor> initializers;  ///< finite numbers
  std::vector<Node> nodes;                          ///< each behind those whose values it uses
};

/// No tensor of a model may have more elements.
inline constexpr int64_t MaxElements = int64_t{1} << 28;
/// No constant that is computed at import, whatever small tensors it comes from, has more.
inline constexpr int64_t MaxFolded = int64_t{1} << 24;
/// No tensor of a model has more axes.
inline constexpr size_t MaxAxes = 64;

/// Number of elements of a shape, if no extent is negative, there are at most MaxAxes, and it is at
/// most MaxElements.
std::optional<int64_t> bounded_elements(const Shape& shape);

/// Decodes a model and checks its structure. Tensors in other files are read from below `folder`;
/// without one they are refused.
/// Errors   not ONNX, cut short, numbers that are not finite, external data outside of the folder,
///          tensors that are missing or defined twice, cycles, no input or no output.
Result<Model> read_model(std::string_view bytes, const std::string& file,
                         const std::optional<std::filesystem::path>& folder = {});

}  // namespace millrace::frontends::onnx
