// SPDX-License-Identifier: Apache-2.0
// The vectorised conversions against millrace::requantize(), where words end.
#include "millrace/emulator/conversion.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <random>

#include "millrace/emulator/kernels.h"

namespace millrace::emulator {
namespace {

constexpr std::array Widths = {1, 2, 7, 30, 31, 32, 33, 62, 63, 64};
constexpr std::array DroppedBits = {-70, -64, -63, -62, -33, -32, -31, -30, -9, -1, 0,  1,
                                    2,   3,   9,   29,  30,  31,  32,  33,  62, 63, 64, 70};

/// Raw integers at the ends of the type, around ties and anywhere.
std::array<int64_t, BlockSize> interesting_values(const FixedType& type, int dropped,
                                                  std::mt19937_64& random) {
  std::array<int64_t, BlockSize> values{};
  const int half_bit = std::clamp(dropped - 1, 0, 62);
  const Int128 half = Int128{1} << half_bit;
  const Int128 wanted[] = {
      type.min_raw(),     type.max_raw(), 0,         1,        -1,       type.min_raw() + 1,
      type.max_raw() - 1, half,           -half,     half - 1, half + 1, -half - 1,
      -half + 1,          3 * half,       -3 * half, 2 * half};
  for (size_t i = 0; i < BlockSize; ++i) {
    const auto any = static_cast<int64_t>(random()) >> (random() % 64);
    const Int128 value = i < std::size(wanted) ? wanted[i] : Int128{any};
    values[i] = static_cast<int64_t>(std::clamp(value, type.min_raw(), type.max_raw()));
  }
  return values;
}

/// Compares one conversion where W can hold it; tells whether it can.
template <class W>
bool agrees_where_possible(const FixedType& from, const Quantizer& to,
                           const std::array<int64_t, BlockSize>& values) {
  const auto conversion = make_conversion<W>(from, to);
  if (!conversion)
    return false;
  std::array<W, BlockSize> source{}, target{};
  std::transform(values.begin(), values.end(), source.begin(),
                 [](int64_t value) { return static_cast<W>(value); });
  convert(*conversion, source.data(), target.data(), 1);
  for (size_t i = 0; i < BlockSize; ++i)
    EXPECT_EQ(Int128{target[i]}, requantize(Int128{values[i]}, from.frac_bits, to))
        << values[i] << " of " << from.to_string() << " to " << to.type.to_string() << " "
        << to_string(to.rounding) << " " << to_string(to.overflow);
  return true;
}

TEST(Conversion, AgreesWithRequantizeAtTheEndsOfWords) {
  std::mt19937_64 random(3);
  int narrow = 0, wide = 0;
  for (const bool from_signed : {false, true})
    for (const bool to_signed : {false, true})
      for (const int from_width : Widths)
        for (const int to_width : Widths)
          for (const int dropped : DroppedBits) {
            const FixedType from{from_signed, from_width, 5};
            const FixedType type{to_signed, to_width, 5 - dropped};
            if (std::max(from.max_raw(), type.max_raw()) >> 63 != 0)
              continue;  // no value of a graph is that wide
            const auto values = interesting_values(from, dropped, random);
            for (const Rounding rounding : AllRoundings)
              for (const Overflow overflow : AllOverflows) {
                const Quantizer to{type, rounding, overflow};
                narrow += agrees_where_possible<int32_t>(from, to, values);
                wide += agrees_where_possible<int64_t>(from, to, values);
                ASSERT_FALSE(HasFailure());
              }
          }
  // Most of them are done by the fast way.
  EXPECT_GT(narrow, 30'000);
  EXPECT_GT(wide, 180'000);
}

TEST(Conversion, ALimitThatNothingReachesIsLeftOut) {
  const FixedType from{true, 8, 4};
  const auto limit = [&](const FixedType& type, Overflow overflow) {
    return make_conversion<int32_t>(from, {type, Rounding::HalfUp, overflow})->limit;
  };
  using Limit = Conversion<int32_t>::Limit;
  EXPECT_EQ(limit({true, 8, 4}, Overflow::Saturate), Limit::None);
  EXPECT_EQ(limit({true, 8, 4}, Overflow::SaturateSymmetric), Limit::Clamp);
  EXPECT_EQ(limit({true, 7, 2}, Overflow::Wrap), Limit::None);
  EXPECT_EQ(limit({true, 6, 2}, Overflow::Wrap), Limit::Wrap);  // 7.94 rounds up to 8
}

}  // namespace
}  // namespace millrace::emulator
