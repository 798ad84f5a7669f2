// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/attributes.h"

#include <algorithm>
#include <fmt/format.h>

#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

template <class T>
Result<T> attribute(const Node& node, std::string_view name, T fallback,
                    std::string_view type_name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end())
    return fallback;
  if (const T* value = std::get_if<T>(&found->second))
    return *value;
  return error(messages::BadAttribute, node.where, name, "of another type", type_name);
}

}  // namespace

Result<int64_t> int_attribute(const Node& node, std::string_view name, int64_t fallback) {
  return attribute<int64_t>(node, name, fallback, "an integer");
}

Result<double> float_attribute(const Node& node, std::string_view name, double fallback) {
  return attribute<double>(node, name, fallback, "a float");
}

Result<std::string> string_attribute(const Node& node, std::string_view name,
                                     std::string fallback) {
  return attribute<std::string>(node, name, std::move(fallback), "a string");
}

Result<std::vector<int64_t>> ints_attribute(const Node& node, std::string_view name,
                                            std::vector<int64_t> fallback) {
  return attribute<std::vector<int64_t>>(node, name, std::move(fallback), "a list of integers");
}

Status check_attributes(const Node& node, std::span<const std::string_view> known) {
  for (const auto& [name, value] : node.attributes) {
    if (std::ranges::find(known, name) == known.end())
      return error(messages::UnsupportedAttribute, node.where, printable(name));
  }
  return {};
}

tl::unexpected<Diagnostic> bad_attribute(const Node& node, std::string_view name, int64_t value,
                                         std::string_view expected) {
  return error(messages::BadAttribute, node.where, name, value, expected);
}

tl::unexpected<Diagnostic> bad_attribute(const Node& node, std::string_view name,
                                         const std::vector<int64_t>& value,
                                         std::string_view expected) {
  return error(messages::BadAttribute, node.where, name,
               printable(fmt::format("[{}]", fmt::join(value, ", "))), expected);
}

}  // namespace millrace::frontends::onnx
