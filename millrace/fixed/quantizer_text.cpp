// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/quantizer_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "millrace/fixed/messages.h"

namespace millrace {

namespace messages = fixed::messages;

namespace {

/// "name<argument,argument>", without blanks.
struct Call {
  std::string name;
  std::vector<std::string> arguments;
};

std::optional<Call> parse_call(std::string_view text) {
  std::string compact(text);
  std::erase_if(compact, [](char letter) { return letter == ' ' || letter == '\t'; });
  const size_t open = compact.find('<');
  if (open == std::string::npos || compact.back() != '>')
    return std::nullopt;
  Call call{compact.substr(0, open), {}};
  std::string rest = compact.substr(open + 1, compact.size() - open - 2);
  for (size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    call.arguments.push_back(rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  call.arguments.push_back(std::move(rest));
  return call;
}

}  // namespace

Result<Quantizer> parse_quantizer(std::string_view text, const std::string& where) {
  const auto call = parse_call(text);
  if (!call)
    return error(messages::QuantizerSyntax, where, text);
  std::string_view name = call->name;
  if (name.starts_with("ap_"))
    name.remove_prefix(3);
  const bool is_integer = name == "int" || name == "uint";
  const auto& arguments = call->arguments;
  const size_t most = is_integer ? 1 : 5;
  if ((!is_integer && name != "fixed" && name != "ufixed") || arguments.size() > most ||
      (!is_integer && arguments.size() < 2) || (arguments.size() == 5 && arguments[4] != "0"))
    return error(messages::QuantizerSyntax, where, text);
  const std::string type_text =
      is_integer
          ? fmt::format("{}fixed<{},{}>", name == "uint" ? "u" : "", arguments[0], arguments[0])
          : fmt::format("{}<{},{}>", name, arguments[0], arguments[1]);
  MR_TRY(const FixedType type, parse_fixed_type(type_text, where));
  Quantizer quantizer{type, Rounding::Floor, Overflow::Wrap};
  if (arguments.size() > 2) {
    const auto rounding = parse_rounding(arguments[2]);
    if (!rounding)
      return error(messages::UnknownMode, where, text, "'" + arguments[2] + "'", "rounding");
    quantizer.rounding = *rounding;
  }
  if (arguments.size() > 3) {
    const auto overflow = parse_overflow(arguments[3]);
    if (!overflow)
      return error(messages::UnknownMode, where, text, "'" + arguments[3] + "'", "overflow");
    quantizer.overflow = *overflow;
  }
  return quantizer;
}

std::string to_string(const Quantizer& quantizer) {
  std::string text = quantizer.type.to_string();
  text.pop_back();
  return fmt::format("{},{},{}>", text, to_string(quantizer.rounding),
                     to_string(quantizer.overflow));
}

}  // namespace millrace
