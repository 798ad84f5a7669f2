// SPDX-License-Identifier: Apache-2.0
// Typed access to a node's attributes.
#pragma once

#include <span>

#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {

/// The attribute, or `fallback` where the node does not have it.
/// Errors   onnx.attribute when it is of another type.
Result<int64_t> int_attribute(const Node& node, std::string_view name, int64_t fallback);
Result<double> float_attribute(const Node& node, std::string_view name, double fallback);
Result<std::string> string_attribute(const Node& node, std::string_view name, std::string fallback);
Result<std::vector<int64_t>> ints_attribute(const Node& node, std::string_view name,
                                            std::vector<int64_t> fallback);

/// Errors   onnx.unsupported_attribute for the first attribute that is not among `known`.
Status check_attributes(const Node& node, std::span<const std::string_view> known);

/// The error that attribute `name` has a value other than the one expected.
tl::unexpected<Diagnostic> bad_attribute(const Node& node, std::string_view name, int64_t value,
                                         std::string_view expected);
tl::unexpected<Diagnostic> bad_attribute(const Node& node, std::string_view name,
                                         const std::vector<int64_t>& value,
                                         std::string_view expected);

}  // namespace millrace::frontends::onnx
