// SPDX-License-Identifier: Apache-2.0
// What goes wrong, in three kinds: the user's fault is a Diagnostic inside a Result, ours is an
// InternalError (check.h), and "there is none" is a std::optional.
#pragma once

#include <fmt/core.h>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace millrace {

/// One row of a folder's message table (`messages.h` of each folder): the wording of a diagnostic.
struct Message {
  std::string_view code;  ///< stable name, "folder.what_is_wrong"
  std::string_view text;  ///< what is wrong, with {} for the arguments in order
  std::string_view help;  ///< what the user can do, with no arguments
};

/// One thing that is wrong with what the user gave.
struct Diagnostic {
  std::string code;     ///< stable name from the message table
  std::string message;  ///< what is wrong
  std::string where;    ///< file, line, node or option; may be empty
  std::string help;     ///< what to do about it

  /// Text for a terminal: "error: WHERE: MESSAGE [CODE]\n  help: HELP".
  std::string to_string() const;
  /// The object that `--json` prints: {"error": {code, message, where, help}}.
  std::string to_json() const;
};

template <class T>
using Result = tl::expected<T, Diagnostic>;
using Status = Result<void>;

/// Builds the error value of a Result from a message row, a place and the row's arguments.
template <class... Args>
tl::unexpected<Diagnostic> error(const Message& message, std::string where, const Args&... args) {
  return tl::unexpected(Diagnostic{std::string(message.code),
                                   fmt::format(fmt::runtime(message.text), args...),
                                   std::move(where), std::string(message.help)});
}

}  // namespace millrace

// Evaluates an expression of type Result<T> and returns its Diagnostic from this function, or
// goes on: MR_TRY(auto graph, read_graph(path)); MR_TRY_STATUS(verify(graph));
#define MR_CONCAT_INNER(a, b) a##b
#define MR_CONCAT(a, b) MR_CONCAT_INNER(a, b)
#define MR_TRY(declaration, ...) \
  MR_TRY_IMPL(MR_CONCAT(mr_result_, __LINE__), declaration, __VA_ARGS__)
#define MR_TRY_IMPL(result, declaration, ...)                                   \
  auto result = (__VA_ARGS__);                                                  \
  if (!result)                                                                  \
    return ::tl::unexpected<::millrace::Diagnostic>(std::move(result).error()); \
  declaration = *std::move(result)
#define MR_TRY_STATUS(...)                        \
  if (auto mr_status = (__VA_ARGS__); !mr_status) \
  return ::tl::unexpected<::millrace::Diagnostic>(std::move(mr_status).error())
