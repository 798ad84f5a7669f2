// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/names.h"

#include <gtest/gtest.h>
#include <vector>

namespace millrace {
namespace {

TEST(Names, DistanceCountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("conv1", "conv1"), 0u);
  EXPECT_EQ(edit_distance("conv1", "conv2"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Names, TheNearestNameIsTheFirstOfTheNearest) {
  const std::vector<std::string> known = {"conv1", "conv2", "dense1"};
  EXPECT_EQ(nearest_name("covn2", known), "conv2");
  EXPECT_EQ(nearest_name("conv", known), "conv1");
  EXPECT_EQ(nearest_name("conv", {}), "");
}

TEST(Names, FromFilesAreShortAndWithoutControlCharacters) {
  EXPECT_EQ(printable("conv_1"), "conv_1");
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a?b?[31m?");
  EXPECT_EQ(printable(std::string(81, 'x')), std::string(80, 'x') + "...");
}

}  // namespace
}  // namespace millrace
