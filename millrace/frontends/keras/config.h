// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::keras {

using Json = nlohmann::json;

/// Parses JSON whose objects and lists nest no deeper than MaxDepth.
/// Errors   not JSON; too deep.
inline constexpr int MaxDepth = 100;
Result<Json> parse_json(std::string_view text, const std::string& where);

/// A number: plain, or as Keras writes one of NumPy's ({"class_name": "__numpy__", ...}).
std::optional<double> number_in(const Json& json);
/// An array of numbers in nested lists, or as Keras writes one of NumPy's; a number has no extents.
/// None where it is something else, or the lists have several lengths.
std::optional<FloatTensor> array_in(const Json& json);

/// The options of a layer or a quantiser. Remembers which were read, so that one that nobody
/// knows is refused instead of ignored. `null` is the same as absent.
class Config {
public:
  /// `object` must outlive it; anything but an object has no options.
  Config(const Json& object, std::string where) : object_(&object), where_(std::move(where)) {}

  const std::string& where() const { return where_; }

  /// The option as it stands; null where it is absent.
  const Json* get(std::string_view key);
  bool has(std::string_view key) { return get(key) != nullptr; }

  /// An option of that type, or the fallback where it is absent.
  /// Errors   of another type; absent without a fallback; integers beyond 2^53.
  Result<int64_t> integer(std::string_view key, std::optional<int64_t> fallback = {});
  Result<double> number(std::string_view key, std::optional<double> fallback = {});
  Result<bool> boolean(std::string_view key, std::optional<bool> fallback = {});
  Result<std::string> text(std::string_view key, std::optional<std::string> fallback = {});
  /// A list of `count` integers; a single integer stands for `count` of them.
  Result<std::vector<int64_t>> integers(std::string_view key, size_t count,
                                        std::optional<std::vector<int64_t>> fallback = {});

  /// Notes that options do not matter.
  void ignore(std::span<const std::string_view> keys);
  void ignore(std::initializer_list<std::string_view> keys) {
    ignore(std::span(keys.begin(), keys.size()));
  }
  /// Errors   the option is there and not `false`, 0 or null; `why` says what to do.
  Status refuse(std::string_view key);
  /// Errors   an option that nobody read.
  Status check_all_read() const;

  /// The error for an option whose value is not supported.
  tl::unexpected<Diagnostic> bad(std::string_view key, std::string_view expected);

private:
  const Json* object_;
  std::string where_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace millrace::frontends::keras
