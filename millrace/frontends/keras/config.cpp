// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/config.h"

#include <algorithm>
#include <cmath>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// How deep brackets nest outside of texts.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool is_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_text) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        is_text = false;
    } else if (c == '"') {
      is_text = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

/// Python writes numbers that JSON does not have, bare. They become texts, which are no numbers.
std::string with_quoted_infinities(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool is_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    size_t length = 0;
    if (!is_text)
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
        if (length == 0 && text.substr(i).starts_with(word))
          length = word.size();
    if (length > 0) {
      result.append("\"").append(text.substr(i, length)).append("\"");
      i += length - 1;
      continue;
    }
    if (text[i] == '"')
      is_text = !is_text;
    result += text[i];
    if (is_text && text[i] == '\\' && i + 1 < text.size())
      result += text[++i];
  }
  return result;
}

/// The value inside of how Keras writes NumPy's numbers and arrays, and its tensors.
const Json* unwrapped(const Json* json) {
  if (!json->is_object())
    return json;
  const auto name = json->find("class_name");
  if (name == json->end() || (*name != "__numpy__" && *name != "__tensor__"))
    return json;
  const auto config = json->find("config");
  if (config == json->end() || !config->is_object())
    return json;
  const auto value = config->find("value");
  return value == config->end() ? json : &*value;
}

bool append(const Json& json, size_t level, FloatTensor& array) {
  if (!json.is_array()) {
    array.data.push_back(json.is_number() ? json.get<double>() : NAN);
    return level == array.shape.size() && json.is_number();
  }
  if (level == array.shape.size() && array.data.empty())
    array.shape.push_back(static_cast<int64_t>(json.size()));
  if (level >= array.shape.size() || static_cast<int64_t>(json.size()) != array.shape[level])
    return false;
  return std::ranges::all_of(
      json, [&](const Json& element) { return append(element, level + 1, array); });
}

std::optional<int64_t> integer_in(const Json& json) {
  const auto number = number_in(json);
  constexpr double Limit = 0x1p53;
  if (!number || std::abs(*number) > Limit || *number != std::floor(*number))
    return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::string shown(const Json& json) {
  constexpr size_t MaxElements = 16;
  if (json.is_structured() && json.size() > MaxElements)
    return json.is_array() ? "a long list" : "an object";
  return printable(json.dump(-1, ' ', true, Json::error_handler_t::replace));
}

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& where) {
  if (depth_of(text) > MaxDepth)
    return error(messages::JsonDepth, where, MaxDepth);
  Json json = Json::parse(with_quoted_infinities(text), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return error(messages::Json, where);
  return json;
}

std::optional<double> number_in(const Json& json) {
  const Json& value = *unwrapped(&json);
  if (!value.is_number())
    return std::nullopt;
  const auto number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<FloatTensor> array_in(const Json& json) {
  FloatTensor array;
  if (!append(*unwrapped(&json), 0, array) ||
      !std::ranges::all_of(array.data, [](double x) { return std::isfinite(x); }))
    return std::nullopt;
  return array;
}

const Json* Config::get(std::string_view key) {
  read_.emplace(key);
  if (!object_->is_object())
    return nullptr;
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

Result<int64_t> Config::integer(std::string_view key, std::optional<int64_t> fallback) {
  const Json* json = get(key);
  if (!json && fallback)
    return *fallback;
  if (!json)
    return error(messages::MissingOption, where_, key);
  if (const auto value = integer_in(*json))
    return *value;
  return bad(key, "a whole number");
}

Result<double> Config::number(std::string_view key, std::optional<double> fallback) {
  const Json* json = get(key);
  if (!json && fallback)
    return *fallback;
  if (!json)
    return error(messages::MissingOption, where_, key);
  if (const auto value = number_in(*json))
    return *value;
  return bad(key, "a number");
}

Result<bool> Config::boolean(std::string_view key, std::optional<bool> fallback) {
  const Json* json = get(key);
  if (!json && fallback)
    return *fallback;
  if (!json)
    return error(messages::MissingOption, where_, key);
  if (json->is_boolean())
    return json->get<bool>();
  if (const auto value = number_in(*json); value && (*value == 0 || *value == 1))
    return *value == 1;
  return bad(key, "true or false");
}

Result<std::string> Config::text(std::string_view key, std::optional<std::string> fallback) {
  const Json* json = get(key);
  if (!json && fallback)
    return *fallback;
  if (!json)
    return error(messages::MissingOption, where_, key);
  if (json->is_string())
    return json->get<std::string>();
  return bad(key, "a text");
}

Result<std::vector<int64_t>> Config::integers(std::string_view key, size_t count,
                                              std::optional<std::vector<int64_t>> fallback) {
  const Json* json = get(key);
  if (!json && fallback)
    return *fallback;
  if (!json)
    return error(messages::MissingOption, where_, key);
  const std::string expected =
      count == 1 ? "a whole number" : fmt::format("{} whole numbers", count);
  if (const auto value = integer_in(*json))
    return std::vector<int64_t>(count, *value);
  if (!json->is_array() || json->size() != count)
    return bad(key, expected);
  std::vector<int64_t> values;
  for (const Json& element : *json) {
    const auto value = integer_in(element);
    if (!value)
      return bad(key, expected);
    values.push_back(*value);
  }
  return values;
}

void Config::ignore(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys)
    read_.emplace(key);
}

Status Config::refuse(std::string_view key) {
  const Json* json = get(key);
  if (json && *json != false && *json != 0)
    return bad(key, "none");
  return {};
}

Status Config::check_all_read() const {
  if (!object_->is_object())
    return {};
  for (const auto& [key, value] : object_->items())
    if (!read_.contains(key))
      return error(messages::UnknownOption, where_, printable(key));
  return {};
}

tl::unexpected<Diagnostic> Config::bad(std::string_view key, std::string_view expected) {
  const Json* json = get(key);
  return error(messages::BadOption, where_, key, json ? shown(*json) : "missing", expected);
}

}  // namespace millrace::frontends::keras
