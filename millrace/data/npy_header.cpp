// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/npy_header.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "millrace/data/messages.h"

namespace millrace::data {
namespace {

/// Takes tokens off the front of the header's text. Each take_...() leaves the text where it is
/// when what it looks for is not there.
class HeaderReader {
public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  bool take(std::string_view token) {
    skip_spaces();
    if (!rest_.starts_with(token))
      return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  /// A string in either kind of quotes. Escapes do not occur in headers that NumPy writes.
  std::optional<std::string> take_string() {
    skip_spaces();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"'))
      return std::nullopt;
    const size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos)
      return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text.find('\\') == std::string::npos ? std::optional(text) : std::nullopt;
  }

  std::optional<bool> take_truth() {
    if (take("True"))
      return true;
    if (take("False"))
      return false;
    return std::nullopt;
  }

  /// Numbers in parentheses: (), (3,), (3, 4) or (3, 4,).
  std::optional<std::vector<int64_t>> take_shape() {
    if (!take("("))
      return std::nullopt;
    std::vector<int64_t> shape;
    while (!take(")")) {
      const std::optional<int64_t> extent = take_extent();
      if (!extent)
        return std::nullopt;
      shape.push_back(*extent);
      if (!take(",") && !(shape.size() > 1 && rest_.starts_with(')')))
        return std::nullopt;
    }
    return shape;
  }

  /// A list, however deep, without what stands in it.
  bool take_list() {
    if (!take("["))
      return false;
    for (int depth = 1; depth > 0; rest_.remove_prefix(1)) {
      if (rest_.empty())
        return false;
      depth += rest_.front() == '[' ? 1 : rest_.front() == ']' ? -1 : 0;
    }
    return true;
  }

  bool is_at_end() {
    skip_spaces();
    return rest_.empty();
  }

private:
  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  std::optional<int64_t> take_extent() {
    skip_spaces();
    int64_t value = 0;
    const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (status != std::errc() || value < 0)
      return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  std::string_view rest_;
};

/// Reads the value that belongs to `key`; false when it is of another kind.
bool take_value(HeaderReader& reader, const std::string& key, NpyHeader& header) {
  if (key == "descr") {
    if (reader.take_list()) {
      header.type = "[...]";
      return true;
    }
    const std::optional<std::string> type = reader.take_string();
    header.type = type.value_or("");
    return type.has_value();
  }
  if (key == "fortran_order") {
    const std::optional<bool> order = reader.take_truth();
    header.fortran_order = order.value_or(false);
    return order.has_value();
  }
  const std::optional<std::vector<int64_t>> shape = reader.take_shape();
  header.shape = shape.value_or(std::vector<int64_t>());
  return shape.has_value();
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::string_view text, const std::string& where) {
  HeaderReader reader(text);
  NpyHeader header;
  std::set<std::string> missing = {"descr", "fortran_order", "shape"};
  if (!reader.take("{"))
    return error(messages::NpyHeader, where, "it is not a dictionary");
  while (!reader.take("}")) {
    const std::optional<std::string> key = reader.take_string();
    if (!key || missing.erase(*key) == 0)
      return error(messages::NpyHeader, where,
                   "each of 'descr', 'fortran_order' and 'shape' is needed once");
    if (!reader.take(":") || !take_value(reader, *key, header))
      return error(messages::NpyHeader, where, fmt::format("the value of '{}'", *key));
    if (reader.take(","))
      continue;
    if (!reader.take("}"))
      return error(messages::NpyHeader, where, "it does not end");
    break;
  }
  if (!missing.empty())
    return error(messages::NpyHeader, where, fmt::format("it lacks '{}'", *missing.begin()));
  if (!reader.is_at_end())
    return error(messages::NpyHeader, where, "something follows the dictionary");
  return header;
}

}  // namespace millrace::data
