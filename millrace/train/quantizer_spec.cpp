// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/quantizer_spec.h"

#include <charconv>
#include <string_view>

#include "millrace/train/messages.h"

namespace millrace::train {
namespace {

struct TwoNumbers {
  int first;
  int second;
};

/// Reads "NAME OPEN first , second CLOSE" without blanks.
std::optional<TwoNumbers> parse_call(std::string_view text, std::string_view name, char open,
                                     char close) {
  if (text.size() < name.size() + 2 || !text.starts_with(name) || text[name.size()] != open ||
      text.back() != close)
    return std::nullopt;
  const char* const end = text.data() + text.size() - 1;
  TwoNumbers numbers{};
  auto read = std::from_chars(text.data() + name.size() + 1, end, numbers.first);
  if (read.ec != std::errc{} || read.ptr == end || *read.ptr != ',')
    return std::nullopt;
  read = std::from_chars(read.ptr + 1, end, numbers.second);
  if (read.ec != std::errc{} || read.ptr != end)
    return std::nullopt;
  return numbers;
}

}  // namespace

Result<std::optional<QuantizerSpec>> parse_quantizer(const std::string& text) {
  std::string compact = text;
  std::erase(compact, ' ');
  if (compact == "float")
    return std::nullopt;
  std::optional<TwoNumbers> numbers;
  int sign_bits = 1;
  for (const std::string_view name : {"fixed", "ap_fixed"})
    if (!numbers)
      numbers = parse_call(compact, name, '<', '>');
  if (!numbers) {
    numbers = parse_call(compact, "quantized_bits", '(', ')');
    sign_bits = 0;
  }
  if (!numbers)
    return error(messages::BadQuantizer, "quantizer", text);
  const auto [bits, counted_integer] = *numbers;
  // Compared before the subtraction: the number may be the smallest int.
  if (bits < 2 || bits > 16 || counted_integer < sign_bits ||
      counted_integer > bits - 1 + sign_bits)
    return error(messages::QuantizerRange, "quantizer", text, bits, counted_integer);
  return QuantizerSpec{bits, counted_integer - sign_bits};
}

}  // namespace millrace::train
