// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/fixed_type.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "millrace/fixed/messages.h"

namespace millrace {

namespace messages = fixed::messages;

namespace {

void skip_spaces(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

bool skip(std::string_view& text, std::string_view expected) {
  skip_spaces(text);
  if (!text.starts_with(expected))
    return false;
  text.remove_prefix(expected.size());
  return true;
}

bool read_integer(std::string_view& text, int64_t& value) {
  skip_spaces(text);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc())
    return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string to_string(Int128 value) {
  // The magnitude as unsigned: the smallest Int128 has no positive counterpart.
  auto rest = static_cast<UInt128>(value);
  if (value < 0)
    rest = ~rest + 1;
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0)
    digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

double FixedType::to_double(Int128 raw) const {
  return std::ldexp(static_cast<double>(raw), -frac_bits);
}

std::string FixedType::to_string() const {
  return fmt::format("{}fixed<{},{}>", is_signed ? "" : "u", width, int_bits());
}

Result<FixedType> parse_fixed_type(std::string_view text, const std::string& where) {
  std::string_view rest = text;
  int64_t width = 0;
  int64_t int_bits = 0;
  skip(rest, "ap_");
  FixedType type{.is_signed = !rest.starts_with('u')};
  if (!type.is_signed)
    rest.remove_prefix(1);
  const bool well_formed = rest.starts_with("fixed") && skip(rest, "fixed") && skip(rest, "<") &&
                           read_integer(rest, width) && skip(rest, ",") &&
                           read_integer(rest, int_bits) && skip(rest, ">");
  skip_spaces(rest);
  if (!well_formed || !rest.empty())
    return error(messages::TypeSyntax, where, text);
  if (width < 1 || width > FixedType::MaxWidth)
    return error(messages::WidthOutOfRange, where, text, width, FixedType::MaxWidth);
  // Compared before the subtraction, which could overflow.
  const int64_t limit = FixedType::MaxFracBits;
  if (int_bits < width - limit || int_bits > width + limit) {
    const auto frac_bits = to_string(Int128{width} - int_bits);
    return error(messages::FractionOutOfRange, where, text, frac_bits, limit, limit);
  }
  type.width = static_cast<int>(width);
  type.frac_bits = static_cast<int>(width - int_bits);
  return type;
}

std::optional<FixedType> narrowest_type(Int128 lo, Int128 hi, int frac_bits) {
  FixedType type{.is_signed = lo < 0, .width = 1, .frac_bits = frac_bits};
  for (; type.width <= FixedType::MaxWidth; ++type.width)
    if (type.min_raw() <= lo && hi <= type.max_raw())
      return type;
  return std::nullopt;
}

}  // namespace millrace
