// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

using testing::ElementsAre;

data::ImageSet four_pixels() {
  return {.height = 2, .width = 2, .pixels = {0, 1, 128, 255}, .labels = {1}};
}

graph::Input map_of(const FixedType& element, std::optional<double> step = {}) {
  return {{.shape = {2, 2, 1}, .element = element}, step};
}

TEST(QuantiseImages, EightFractionBitsKeepEveryPixel) {
  const auto raw = quantise_images(four_pixels(), 1, map_of({false, 8, 8}));
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(*raw, ElementsAre(0, 1, 128, 255));
}

TEST(QuantiseImages, FewerBitsRoundToEvenAndSaturate) {
  // 4 fraction bits: 1/16 of a step, half the range, and 255 / 16 = 15.94, which exceeds 15.
  const auto raw = quantise_images(four_pixels(), 1, map_of({false, 4, 4}));
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(*raw, ElementsAre(0, 0, 8, 15));
}

TEST(QuantiseImages, AnInputMayCountSteps) {
  // Steps of 3/256: 1/3, 128/3 and 255/3 of them.
  const auto raw = quantise_images(four_pixels(), 1, map_of({false, 7, 0}, 3.0 / 256));
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(*raw, ElementsAre(0, 0, 43, 85));
}

TEST(QuantiseImages, AVectorTakesThePixelsInRowOrder) {
  const auto raw =
      quantise_images(four_pixels(), 1, {{.shape = {4}, .element = FixedType{true, 9, 8}}});
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(*raw, ElementsAre(0, 1, 128, 255));
}

TEST(QuantiseImages, ASequenceTakesARowAStep) {
  const auto raw =
      quantise_images(four_pixels(), 1, {{.shape = {1, 2, 2}, .element = FixedType{true, 9, 8}}});
  ASSERT_TRUE(raw.has_value());
  EXPECT_THAT(*raw, ElementsAre(0, 1, 128, 255));
}

TEST(QuantiseImages, RefusesAnotherSize) {
  for (const Shape& shape : {Shape{2, 3, 1}, Shape{2, 2, 2}, Shape{5}}) {
    const auto raw = quantise_images(four_pixels(), 1, {{.shape = shape, .element = FixedType{}}});
    ASSERT_FALSE(raw.has_value());
    EXPECT_EQ(raw.error().code, "cli.image_size");
  }
}

TEST(ImageSource, WithoutDataOrTrainingThereAreNoImages) {
  const auto source = image_source({}, "there/is/no/such/build");
  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().code, "cli.no_images");
}

}  // namespace
}  // namespace millrace::cli
