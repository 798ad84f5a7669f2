// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/diagnostics.h"

#include <nlohmann/json.hpp>

namespace millrace {

std::string Diagnostic::to_string() const {
  std::string text = "error: ";
  if (!where.empty())
    text += where + ": ";
  text += message + " [" + code + "]";
  if (!help.empty())
    text += "\n  help: " + help;
  return text;
}

std::string Diagnostic::to_json() const {
  const nlohmann::ordered_json fields = {
      {"code", code}, {"message", message}, {"where", where}, {"help", help}};
  return nlohmann::ordered_json{{"error", fields}}.dump(
      2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace millrace
