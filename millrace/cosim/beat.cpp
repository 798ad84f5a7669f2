// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/beat.h"

#include <algorithm>
#include <iterator>

#include "millrace/support/check.h"

namespace millrace::cosim {

using dataflow::StreamType;

namespace {

constexpr int WordBits = 64;
constexpr int DigitBits = 4;

constexpr uint64_t low_bits(int width) {
  return width == WordBits ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
}

std::optional<uint64_t> digit_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return std::nullopt;
}

/// Calls `visit(element index in the frame, beat index, lsb)` for each element that a frame has.
template <class Visit>
void for_each_element(const StreamType& type, Visit visit) {
  for (int64_t row = 0; row < type.height; ++row)
    for (int64_t column = 0; column < type.width; ++column)
      for (int64_t channel = 0; channel < type.channels; ++channel) {
        const int64_t element = (row * type.width + column) * type.channels + channel;
        const int64_t beat = row / type.rows * type.beats_per_row() + column / type.lanes;
        const int64_t pixel = row % type.rows * type.lanes + column % type.lanes;
        visit(element, beat, (pixel * type.channels + channel) * type.element.width);
      }
}

}  // namespace

Beat::Beat(int64_t num_bits) : num_bits_(num_bits), words_((num_bits + WordBits - 1) / WordBits) {}

Beat Beat::random(int64_t num_bits, std::mt19937_64& generator) {
  Beat beat(num_bits);
  for (int64_t lsb = 0; lsb < num_bits; lsb += WordBits)
    beat.set(lsb, static_cast<int>(std::min<int64_t>(WordBits, num_bits - lsb)), generator());
  return beat;
}

std::optional<Beat> Beat::from_hex(std::string_view text, int64_t num_bits) {
  Beat beat(num_bits);
  int64_t lsb = 0;
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, lsb += DigitBits) {
    const auto value = digit_value(*digit);
    const auto width = static_cast<int>(std::clamp<int64_t>(num_bits - lsb, 0, DigitBits));
    if (!value || *value > low_bits(width))
      return std::nullopt;
    if (width > 0)
      beat.set(lsb, width, *value);
  }
  return beat;
}

void Beat::set(int64_t lsb, int width, uint64_t value) {
  value &= low_bits(width);
  const int64_t word = lsb / WordBits;
  const int shift = static_cast<int>(lsb % WordBits);
  words_[word] = (words_[word] & ~(low_bits(width) << shift)) | value << shift;
  if (const int in_first = WordBits - shift; width > in_first) {
    const uint64_t mask = low_bits(width - in_first);
    words_[word + 1] = (words_[word + 1] & ~mask) | value >> in_first;
  }
}

uint64_t Beat::get(int64_t lsb, int width) const {
  const int64_t word = lsb / WordBits;
  const int shift = static_cast<int>(lsb % WordBits);
  uint64_t value = words_[word] >> shift;
  if (const int in_first = WordBits - shift; width > in_first)
    value |= words_[word + 1] << in_first;
  return value & low_bits(width);
}

std::string Beat::to_hex() const {
  const int64_t num_digits = (num_bits_ + DigitBits - 1) / DigitBits;
  std::string text(num_digits, '0');
  for (int64_t digit = 0; digit < num_digits; ++digit) {
    const int64_t lsb = digit * DigitBits;
    const uint64_t value = words_[lsb / WordBits] >> (lsb % WordBits) & low_bits(DigitBits);
    text[num_digits - 1 - digit] = "0123456789abcdef"[value];
  }
  return text;
}

std::vector<Beat> pack_frame(const IntTensor& frame, const StreamType& type,
                             std::mt19937_64& generator) {
  check(std::ssize(frame.data) == type.num_elements(), "a frame has the size of its stream");
  check(type.rows == 1 || type.lanes == type.width, "a beat of several rows holds whole rows");
  std::vector<Beat> beats;
  std::generate_n(std::back_inserter(beats), type.beats_per_frame(),
                  [&] { return Beat::random(type.beat_bits(), generator); });
  for_each_element(type, [&](int64_t element, int64_t beat, int64_t lsb) {
    const int64_t raw = frame.data[element];
    const bool is_huge_unsigned = type.element.width == WordBits && !type.element.is_signed;
    check(is_huge_unsigned || (raw >= type.element.min_raw() && raw <= type.element.max_raw()),
          "a frame's values fit the type of its stream");
    beats[beat].set(lsb, type.element.width, static_cast<uint64_t>(raw));
  });
  return beats;
}

IntTensor unpack_frame(const Beat* beats, const StreamType& type) {
  IntTensor frame{{type.height, type.width, type.channels}, {}};
  frame.data.resize(type.num_elements());
  const int unused = WordBits - type.element.width;
  for_each_element(type, [&](int64_t element, int64_t beat, int64_t lsb) {
    const uint64_t bits = beats[beat].get(lsb, type.element.width);
    frame.data[element] = type.element.is_signed ? static_cast<int64_t>(bits << unused) >> unused
                                                 : static_cast<int64_t>(bits);
  });
  return frame;
}

}  // namespace millrace::cosim
