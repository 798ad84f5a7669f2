// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/augment.h"

#include <gtest/gtest.h>
#include <numeric>
#include <vector>

namespace millrace::train {
namespace {

std::vector<uint8_t> bright_spot() {
  std::vector<uint8_t> image(28 * 28, 0);
  for (int row = 9; row < 19; ++row)
    for (int column = 9; column < 19; ++column)
      image[row * 28 + column] = 200;
  return image;
}

std::vector<uint8_t> changed(const Augmentation& limits, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> out(28 * 28, 77);
  augment(bright_spot(), out, 28, 28, limits, random);
  return out;
}

TEST(Augment, WithoutLimitsNothingChanges) {
  EXPECT_EQ(changed({0, 0, 0, 0}, 1), bright_spot());
}

TEST(Augment, TheSeedDecides) {
  EXPECT_EQ(changed({}, 1), changed({}, 1));
  EXPECT_NE(changed({}, 1), changed({}, 2));
}

TEST(Augment, TheInkStaysRoughlyWhereItWas) {
  const auto ink = [](const std::vector<uint8_t>& image) {
    return std::accumulate(image.begin(), image.end(), 0.0);
  };
  for (uint64_t seed = 1; seed < 50; ++seed) {
    const std::vector<uint8_t> image = changed({}, seed);
    EXPECT_NEAR(ink(image) / ink(bright_spot()), 1.0, 0.5);
    EXPECT_GT(image[14 * 28 + 14], 0) << seed;
    EXPECT_EQ(image[0], 0) << seed;
  }
}

TEST(Augment, AShiftMovesTheInkByUpToItsLimit) {
  for (uint64_t seed = 1; seed < 50; ++seed) {
    const std::vector<uint8_t> image = changed({0, 0, 0, 2.0}, seed);
    for (int i = 0; i < 28 * 28; ++i) {
      const int row = i / 28, column = i % 28;
      if (row < 7 || row > 20 || column < 7 || column > 20) {
        ASSERT_EQ(image[i], 0) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace millrace::train
