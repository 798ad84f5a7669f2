// SPDX-License-Identifier: Apache-2.0
#include "millrace/fixed/requantize.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

#include "millrace/support/check.h"

namespace millrace {
namespace {

constexpr Int128 Max64 = std::numeric_limits<int64_t>::max();
constexpr Int128 Min64 = std::numeric_limits<int64_t>::min();
constexpr Int128 MaxU64 = std::numeric_limits<uint64_t>::max();

// The independent model: it works on the numbers themselves (small enough to be exact doubles) and
// searches, where the implementation works on bits.

/// The grid point, of those around `x` (in output steps), that the mode's definition names.
double search_rounded(double x, Rounding rounding) {
  const double candidates[] = {std::floor(x) - 1, std::floor(x), std::floor(x) + 1,
                               std::floor(x) + 2};
  if (rounding == Rounding::Floor || rounding == Rounding::TowardsZero) {
    double best = std::numeric_limits<double>::quiet_NaN();
    for (const double y : candidates) {
      const bool allowed = rounding == Rounding::Floor ? y <= x : std::abs(y) <= std::abs(x);
      if (allowed && !(std::abs(y - x) >= std::abs(best - x)))
        best = y;
    }
    return best;
  }
  std::vector<double> nearest;
  double distance = 2;
  for (const double y : candidates) {
    if (std::abs(y - x) < distance) {
      nearest.clear();
      distance = std::abs(y - x);
    }
    if (std::abs(y - x) == distance)
      nearest.push_back(y);
  }
  if (nearest.size() == 1)
    return nearest[0];
  const double lower = nearest[0], upper = nearest[1];
  switch (rounding) {
    case Rounding::HalfUp:
      return upper;
    case Rounding::HalfDown:
      return lower;
    case Rounding::HalfTowardsZero:
      return std::abs(lower) < std::abs(upper) ? lower : upper;
    case Rounding::HalfAwayFromZero:
      return std::abs(lower) > std::abs(upper) ? lower : upper;
    default:
      return std::fmod(lower, 2) == 0 ? lower : upper;
  }
}

/// Walks one step at a time from the number into the range.
double walk_into_range(double y, const FixedType& type, Overflow overflow) {
  const auto lo = static_cast<double>(type.min_raw());
  const auto hi = static_cast<double>(type.max_raw());
  const double span = hi - lo + 1;
  const bool symmetric = overflow == Overflow::SaturateSymmetric && type.is_signed;
  if (lo <= y && y <= hi)
    return symmetric && y < -hi ? -hi : y;
  if (overflow == Overflow::SaturateZero)
    return 0;
  if (overflow == Overflow::Wrap) {
    while (y > hi)
      y -= span;
    while (y < lo)
      y += span;
    return y;
  }
  if (overflow == Overflow::WrapSignMagnitude && type.is_signed) {
    // A triangle wave: reflected at each end of the range, each end visited twice.
    while (y > hi || y < lo)
      y = y > hi ? 2 * hi + 1 - y : 2 * lo - 1 - y;
    return y;
  }
  return y > hi ? hi : symmetric ? -hi : lo;
}

std::vector<FixedType> small_types() {
  std::vector<FixedType> types;
  for (const bool is_signed : {false, true})
    for (int width = 1; width <= 5; ++width)
      for (int frac_bits = -3; frac_bits <= 8; ++frac_bits)
        types.push_back({is_signed, width, frac_bits});
  return types;
}

/// Calls `test` for every mode pair and target type.
template <class Test>
void for_all_quantizers(Test test) {
  for (const FixedType& type : small_types())
    for (const Rounding rounding : AllRoundings)
      for (const Overflow overflow : AllOverflows)
        test(Quantizer{type, rounding, overflow});
}

std::string describe(const Quantizer& to) {
  return to.type.to_string() + " " + std::string(to_string(to.rounding)) + " " +
         std::string(to_string(to.overflow));
}

TEST(Requantize, AgreesWithASearchOnAllSmallTypes) {
  // Sources of up to 8 bits with 3 fraction bits: targets drop up to 6 bits and gain up to 5.
  constexpr int FromFracBits = 3;
  int overflows = 0;
  for_all_quantizers([&](const Quantizer& to) {
    for (int raw = -128; raw <= 255; ++raw) {
      const double x = std::ldexp(raw, to.type.frac_bits - FromFracBits);
      const double rounded = search_rounded(x, to.rounding);
      const double expected = walk_into_range(rounded, to.type, to.overflow);
      overflows += rounded != expected;
      ASSERT_EQ(static_cast<double>(requantize(Int128{raw}, FromFracBits, to)), expected)
          << raw << "/8 to " << describe(to);
    }
  });
  EXPECT_GT(overflows, 100000);  // the test reaches what it is about
}

TEST(Requantize, AgreesWithASearchOnDoubles) {
  for_all_quantizers([&](const Quantizer& to) {
    for (int sixteenths = -200; sixteenths <= 200; ++sixteenths) {
      const double value = sixteenths / 16.0;
      const double x = std::ldexp(value, to.type.frac_bits);
      const double expected = walk_into_range(search_rounded(x, to.rounding), to.type, to.overflow);
      ASSERT_EQ(static_cast<double>(requantize(value, to)), expected)
          << value << " to " << describe(to);
    }
  });
}

TEST(Requantize, TheSameNumberInAnyFormatGivesTheSameResult) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> any(-(int64_t{1} << 60), int64_t{1} << 60);
  for_all_quantizers([&](const Quantizer& to) {
    const Int128 raw = any(random) >> (random() % 60);
    for (const int zeros : {1, 17, 39})
      ASSERT_EQ(requantize(raw << zeros, 20 + zeros, to), requantize(raw, 20, to))
          << to_string(raw) << " to " << describe(to);
  });
}

/// A case of UG1399's chapters on quantisation and overflow modes, or of the same kind.
struct Golden {
  FixedType type;
  Rounding rounding;
  Overflow overflow;
  double value;
  double expected;
};

TEST(Requantize, GivesTheResultsThatUg1399Documents) {
  const FixedType half_steps{true, 3, 1};
  const FixedType int4{true, 4, 0};
  const FixedType uint4{false, 4, 0};
  const std::vector<Golden> cases = {
      {half_steps, Rounding::HalfUp, Overflow::Saturate, 1.25, 1.5},
      {half_steps, Rounding::HalfUp, Overflow::Saturate, -1.25, -1.0},
      {half_steps, Rounding::HalfTowardsZero, Overflow::Saturate, 1.25, 1.0},
      {half_steps, Rounding::HalfTowardsZero, Overflow::Saturate, -1.25, -1.0},
      {half_steps, Rounding::HalfDown, Overflow::Saturate, 1.25, 1.0},
      {half_steps, Rounding::HalfDown, Overflow::Saturate, -1.25, -1.5},
      {half_steps, Rounding::HalfAwayFromZero, Overflow::Saturate, 1.25, 1.5},
      {half_steps, Rounding::HalfAwayFromZero, Overflow::Saturate, -1.25, -1.5},
      {half_steps, Rounding::HalfEven, Overflow::Saturate, 0.75, 1.0},
      {half_steps, Rounding::HalfEven, Overflow::Saturate, -1.25, -1.0},
      {half_steps, Rounding::Floor, Overflow::Saturate, 1.25, 1.0},
      {half_steps, Rounding::Floor, Overflow::Saturate, -1.25, -1.5},
      {half_steps, Rounding::TowardsZero, Overflow::Saturate, 1.25, 1.0},
      {half_steps, Rounding::TowardsZero, Overflow::Saturate, -1.25, -1.0},
      {int4, Rounding::HalfUp, Overflow::Saturate, 19, 7},
      {int4, Rounding::HalfUp, Overflow::Saturate, -19, -8},
      {uint4, Rounding::HalfUp, Overflow::Saturate, 19, 15},
      {uint4, Rounding::HalfUp, Overflow::Saturate, -19, 0},
      {int4, Rounding::HalfUp, Overflow::SaturateZero, 19, 0},
      {int4, Rounding::HalfUp, Overflow::SaturateZero, -19, 0},
      {uint4, Rounding::HalfUp, Overflow::SaturateZero, 19, 0},
      {uint4, Rounding::HalfUp, Overflow::SaturateZero, -19, 0},
      {int4, Rounding::HalfUp, Overflow::SaturateSymmetric, 19, 7},
      {int4, Rounding::HalfUp, Overflow::SaturateSymmetric, -19, -7},
      {int4, Rounding::HalfUp, Overflow::SaturateSymmetric, -8, -7},
      {uint4, Rounding::HalfUp, Overflow::SaturateSymmetric, 19, 15},
      {uint4, Rounding::HalfUp, Overflow::SaturateSymmetric, -19, 0},
      {int4, Rounding::HalfUp, Overflow::Wrap, 31, -1},
      {int4, Rounding::HalfUp, Overflow::Wrap, -19, -3},
      {uint4, Rounding::HalfUp, Overflow::Wrap, 19, 3},
      {uint4, Rounding::HalfUp, Overflow::Wrap, -19, 13},
      {int4, Rounding::HalfUp, Overflow::WrapSignMagnitude, 19, -4},
      {int4, Rounding::HalfUp, Overflow::WrapSignMagnitude, -19, 2},
  };
  for (const Golden& golden : cases) {
    const Quantizer to{golden.type, golden.rounding, golden.overflow};
    EXPECT_EQ(golden.type.to_double(requantize(golden.value, to)), golden.expected)
        << golden.value << " to " << describe(to);
  }
}

TEST(Requantize, RoundsBeforeItLooksForOverflow) {
  const FixedType int4{true, 4, 0};
  const auto from_fifteen_halves = [&](Overflow overflow) {
    return requantize(Int128{15}, 1, {int4, Rounding::HalfUp, overflow});
  };
  EXPECT_EQ(from_fifteen_halves(Overflow::Wrap), -8);
  EXPECT_EQ(from_fifteen_halves(Overflow::Saturate), 7);
  EXPECT_EQ(from_fifteen_halves(Overflow::SaturateZero), 0);
  EXPECT_EQ(from_fifteen_halves(Overflow::WrapSignMagnitude), 7);
  // Rounding may also lead back into the range.
  EXPECT_EQ(requantize(Int128{-1}, 1, {{false, 4, 0}, Rounding::HalfUp, Overflow::SaturateZero}),
            0);
  EXPECT_EQ(requantize(Int128{-17}, 1, {int4, Rounding::HalfUp, Overflow::SaturateZero}), -8);
}

TEST(Requantize, SignMagnitudeWrappingIsATriangleWave) {
  const Quantizer to{{true, 3, 0}, Rounding::Floor, Overflow::WrapSignMagnitude};
  std::vector<int> wave;
  for (int raw = -6; raw <= 13; ++raw)
    wave.push_back(static_cast<int>(requantize(Int128{raw}, 0, to)));
  EXPECT_EQ(wave,
            (std::vector{-3, -4, -4, -3, -2, -1, 0, 1, 2, 3, 3, 2, 1, 0, -1, -2, -3, -4, -4, -3}));
}

TEST(Requantize, KeepsAll64Bits) {
  for (const Rounding rounding : AllRoundings)
    for (const Overflow overflow : AllOverflows) {
      const Quantizer to_signed{{true, 64, 5}, rounding, overflow};
      const Quantizer to_unsigned{{false, 64, 5}, rounding, overflow};
      EXPECT_EQ(requantize(Max64, 5, to_signed), Max64);
      EXPECT_EQ(requantize(Min64 + 1, 5, to_signed), Min64 + 1);
      EXPECT_EQ(requantize(Min64, 5, to_signed),
                overflow == Overflow::SaturateSymmetric ? -Max64 : Min64);
      EXPECT_EQ(requantize(MaxU64, 5, to_unsigned), MaxU64);
      EXPECT_EQ(requantize(Max64 + 1, 5, to_unsigned), Max64 + 1);
    }
}

TEST(Requantize, OverflowsJustOutside64Bits) {
  const auto to = [](bool is_signed, Overflow overflow) {
    return Quantizer{{is_signed, 64, 0}, Rounding::Floor, overflow};
  };
  EXPECT_EQ(requantize(Max64 + 1, 0, to(true, Overflow::Wrap)), Min64);
  EXPECT_EQ(requantize(Max64 + 1, 0, to(true, Overflow::WrapSignMagnitude)), Max64);
  EXPECT_EQ(requantize(Min64 - 1, 0, to(true, Overflow::Wrap)), Max64);
  EXPECT_EQ(requantize(Min64 - 1, 0, to(true, Overflow::WrapSignMagnitude)), Min64);
  EXPECT_EQ(requantize(MaxU64 + 1, 0, to(false, Overflow::Wrap)), 0);
  EXPECT_EQ(requantize(Int128{-1}, 0, to(false, Overflow::Wrap)), MaxU64);
  EXPECT_EQ(requantize(MaxU64 + 1, 0, to(false, Overflow::Saturate)), MaxU64);
}

TEST(Requantize, ShiftsBeyond128BitsAreExact) {
  const Int128 large = (Int128{1} << 100) - 1;
  for (const int dropped : {101, 102, 127, 128, 129, 500, 2000}) {
    const int from = 7 + dropped;
    const auto to = [](Rounding rounding) {
      return Quantizer{{true, 8, 7}, rounding, Overflow::Wrap};
    };
    for (const Int128 raw : {Int128{1}, large}) {
      EXPECT_EQ(requantize(raw, from, to(Rounding::Floor)), 0);
      EXPECT_EQ(requantize(-raw, from, to(Rounding::Floor)), -1);
      EXPECT_EQ(requantize(-raw, from, to(Rounding::TowardsZero)), 0);
      EXPECT_EQ(requantize(raw, from, to(Rounding::HalfUp)), 0);
      for (const Rounding nearest :
           {Rounding::HalfTowardsZero, Rounding::HalfDown, Rounding::HalfAwayFromZero,
            Rounding::HalfEven, Rounding::HalfUp})
        EXPECT_EQ(requantize(-raw, from, to(nearest)), 0) << dropped;
    }
  }
  for (const int gained : {64, 65, 66, 100, 127, 128, 129, 500, 2000})
    for (const Int128 raw : {Int128{1}, Int128{3}, Int128{1} << 70, large}) {
      const auto to = [&](bool is_signed, Overflow overflow) {
        return Quantizer{{is_signed, 64, gained - 9}, Rounding::Floor, overflow};
      };
      const bool odd_bit = gained == 64 && (raw & 1) != 0;
      EXPECT_EQ(requantize(raw, -9, to(true, Overflow::Wrap)), 0);
      EXPECT_EQ(requantize(raw, -9, to(true, Overflow::Saturate)), Max64);
      EXPECT_EQ(requantize(-raw, -9, to(true, Overflow::Saturate)), Min64);
      EXPECT_EQ(requantize(-raw, -9, to(true, Overflow::SaturateSymmetric)), -Max64);
      EXPECT_EQ(requantize(raw, -9, to(false, Overflow::Saturate)), MaxU64);
      EXPECT_EQ(requantize(-raw, -9, to(false, Overflow::Saturate)), 0);
      EXPECT_EQ(requantize(raw, -9, to(true, Overflow::SaturateZero)), 0);
      EXPECT_EQ(requantize(raw, -9, to(true, Overflow::WrapSignMagnitude)), odd_bit ? -1 : 0);
      EXPECT_EQ(requantize(Int128{0}, -9, to(true, Overflow::Saturate)), 0);
    }
}

TEST(Requantize, LargeNumbersShiftedLittleKeepTheirLowBits) {
  const Quantizer to{{false, 64, 0}, Rounding::Floor, Overflow::Wrap};
  const Int128 raw = (Int128{0x1234} << 80) + 0x0fed'cba9'8765'4321;
  EXPECT_EQ(requantize(raw, 0, to), 0x0fed'cba9'8765'4321);
  EXPECT_EQ(requantize(raw, -4, to), Int128{0xfedc'ba98'7654'3210});
  EXPECT_EQ(requantize(-raw, 0, to), MaxU64 - 0x0fed'cba9'8765'4321 + 1);
}

TEST(Requantize, NumbersBeyond128BitsOverflowWithTheirOwnSign) {
  const Int128 raw = (Int128{1} << 99) + 1;
  const Quantizer to{{true, 64, 40}, Rounding::Floor, Overflow::Saturate};
  EXPECT_EQ(requantize(raw, 0, to), Max64);
  EXPECT_EQ(requantize(-raw, 0, to), Min64);
  EXPECT_EQ(requantize(-raw, 0, {to.type, to.rounding, Overflow::Wrap}), -(Int128{1} << 40));
}

TEST(Requantize, DoublesAreNotRoundedTwice) {
  const Quantizer to{{true, 64, 0}, Rounding::HalfEven, Overflow::Saturate};
  // The next double below 0.5 would become 0.5, then 1, if a half were added in double.
  EXPECT_EQ(requantize(std::nextafter(0.5, 0.0), {to.type, Rounding::HalfUp, to.overflow}), 0);
  EXPECT_EQ(requantize(0.5, {to.type, Rounding::HalfUp, to.overflow}), 1);
  EXPECT_EQ(requantize(0x1p52 + 0.5, to), Int128{1} << 52);  // already the tie's even side
  EXPECT_EQ(requantize(0x1p51 + 0.5, {to.type, Rounding::HalfUp, to.overflow}),
            (Int128{1} << 51) + 1);
  EXPECT_EQ(requantize(0x1p62 + 0x1p10, to), (Int128{1} << 62) + 1024);
}

TEST(Requantize, TakesTheSmallestAndTheLargestDoubles) {
  constexpr double Smallest = std::numeric_limits<double>::denorm_min();
  constexpr double Largest = std::numeric_limits<double>::max();
  const FixedType type{true, 16, 8};
  EXPECT_EQ(requantize(Smallest, {type, Rounding::HalfEven, Overflow::Saturate}), 0);
  EXPECT_EQ(requantize(-Smallest, {type, Rounding::Floor, Overflow::Saturate}), -1);
  EXPECT_EQ(requantize(Largest, {type, Rounding::HalfEven, Overflow::Saturate}), 32767);
  EXPECT_EQ(requantize(-Largest, {type, Rounding::HalfEven, Overflow::Saturate}), -32768);
  EXPECT_EQ(requantize(Largest, {type, Rounding::HalfEven, Overflow::Wrap}), 0);
  EXPECT_EQ(requantize(-0.0, {type, Rounding::HalfEven, Overflow::Saturate}), 0);
  EXPECT_EQ(requantize(0x1p-1024, {{true, 16, 1024}, Rounding::Floor, Overflow::Saturate}), 1);
}

TEST(Requantize, NumbersThatAreNotFiniteAreInternalErrors) {
  EXPECT_THROW(requantize(std::nan(""), Quantizer{}), InternalError);
  EXPECT_THROW(requantize(std::numeric_limits<double>::infinity(), Quantizer{}), InternalError);
}

TEST(Modes, NamesRoundTrip) {
  for (const Rounding rounding : AllRoundings) {
    EXPECT_EQ(parse_rounding(to_string(rounding)), rounding);
    EXPECT_EQ(parse_rounding("AP_" + std::string(to_string(rounding))), rounding);
  }
  for (const Overflow overflow : AllOverflows) {
    EXPECT_EQ(parse_overflow(to_string(overflow)), overflow);
    EXPECT_EQ(parse_overflow("AP_" + std::string(to_string(overflow))), overflow);
  }
  EXPECT_FALSE(parse_rounding("ROUND"));
  EXPECT_FALSE(parse_rounding("AP_"));
  EXPECT_FALSE(parse_overflow("TRN"));
}

}  // namespace
}  // namespace millrace
