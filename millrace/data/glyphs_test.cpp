// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/glyphs.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace millrace::data {
namespace {

/// FNV-1a: any changed byte changes it.
uint64_t fingerprint(const ImageSet& set) {
  uint64_t hash = 14695981039346656037u;
  for (const std::vector<uint8_t>* bytes : {&set.pixels, &set.labels})
    for (uint8_t byte : *bytes)
      hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

TEST(Glyphs, TheBytesOfASeedNeverChange) {
  const DataSet set = make_glyphs({.seed = 1, .train_count = 200, .test_count = 50});
  EXPECT_EQ(fingerprint(set.train), 6457499149002692005u);
  EXPECT_EQ(fingerprint(set.test), 14786461746660527208u);
}

TEST(Glyphs, DifferentSeedsDrawDifferentGlyphs) {
  const DataSet one = make_glyphs({.seed = 1, .train_count = 10, .test_count = 10});
  const DataSet two = make_glyphs({.seed = 2, .train_count = 10, .test_count = 10});
  EXPECT_NE(one.train.pixels, two.train.pixels);
  EXPECT_NE(one.test.pixels, two.test.pixels);
  EXPECT_NE(one.train.pixels, one.test.pixels);
}

TEST(Glyphs, ALongerSetBeginsLikeAShorterOne) {
  const DataSet few = make_glyphs({.seed = 3, .train_count = 10, .test_count = 4});
  const DataSet many = make_glyphs({.seed = 3, .train_count = 30, .test_count = 8});
  EXPECT_TRUE(
      std::equal(few.train.pixels.begin(), few.train.pixels.end(), many.train.pixels.begin()));
  EXPECT_TRUE(std::equal(few.test.pixels.begin(), few.test.pixels.end(), many.test.pixels.begin()));
}

TEST(Glyphs, HalfOfThemAreOfEachClass) {
  const DataSet set = make_glyphs({.seed = 4, .train_count = 100, .test_count = 60});
  EXPECT_EQ(set.train.count(), 100);
  EXPECT_EQ(set.test.count(), 60);
  EXPECT_EQ(std::ranges::count(set.train.labels, 1), 50);
  EXPECT_EQ(std::ranges::count(set.test.labels, 1), 30);
  EXPECT_EQ(set.train.pixels.size(), 100u * 28 * 28);
}

TEST(Glyphs, GammaIsHeavyAtTheTopAndPerpAtTheBottom) {
  const DataSet set = make_glyphs({.seed = 5, .train_count = 400, .test_count = 0});
  int64_t ink[2][2] = {};  // by label, by half
  for (int64_t i = 0; i < set.train.count(); ++i)
    for (int p = 0; p < 28 * 28; ++p)
      ink[set.train.labels[i]][p >= 14 * 28] += set.train.image(i)[p];
  EXPECT_GT(ink[1][0], ink[1][1]);
  EXPECT_LT(ink[0][0], ink[0][1]);
}

}  // namespace
}  // namespace millrace::data
