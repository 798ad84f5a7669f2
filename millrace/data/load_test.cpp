// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <zlib.h>

#include "millrace/data/idx.h"
#include "millrace/support/temporary_directory.h"

namespace millrace::data {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift : {24, 16, 8, 0})
    bytes.push_back(static_cast<char>(value >> shift & 255));
  return bytes;
}

std::string idx_images(uint32_t count, uint32_t height, uint32_t width, const std::string& pixels) {
  return big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width) + pixels;
}

std::string idx_labels(const std::string& labels) {
  return big_endian(0x801) + big_endian(static_cast<uint32_t>(labels.size())) + labels;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_plain(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_gzip(const fs::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

/// A directory of its own for each test.
class LoadImages : public ::testing::Test {
protected:
  fs::path path(const std::string& name) const { return directory_ / name; }

  /// Four 2 x 3 images with the labels 1, 2, 9, 1; the pixels count on from image to image.
  void write_set(const std::string& train = "x-train", const std::string& test = "x-test") {
    std::string pixels;
    for (char pixel = 0; pixel < 4 * 6; ++pixel)
      pixels.push_back(pixel);
    for (const std::string& part : {train, test}) {
      write_gzip(path(part + "-images-idx3-ubyte.gz"), idx_images(4, 2, 3, pixels));
      write_gzip(path(part + "-labels-idx1-ubyte.gz"), idx_labels("\1\2\11\1"));
    }
  }

  void expect_error(const std::string& code, const std::string& text, const std::string& where,
                    const std::string& signal = {}, const std::string& background = {}) const {
    const auto loaded = load_images(directory_.string(), signal, background);
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code, code);
    EXPECT_THAT(loaded.error().message, HasSubstr(text));
    EXPECT_THAT(loaded.error().where, HasSubstr(where));
    EXPECT_FALSE(loaded.error().help.empty());
  }

  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-load").value();
  const fs::path directory_ = temporary_.path();
};

TEST_F(LoadImages, APlainPrefixHasTheClasses1And2) {
  write_set();
  const auto set = load_images(directory_.string());
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(set->name, "x");
  EXPECT_EQ(set->signal, "1");
  EXPECT_EQ(set->background, "2");
  EXPECT_EQ(set->train.labels, (std::vector<uint8_t>{1, 0, 1}));
  EXPECT_EQ(set->train.height, 2);
  EXPECT_EQ(set->train.width, 3);
  EXPECT_EQ(set->train.pixels, (std::vector<uint8_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,  //
                                                     18, 19, 20, 21, 22, 23}));
  EXPECT_EQ(set->test.labels, set->train.labels);
}

TEST_F(LoadImages, EmnistImagesAreTurnedUprightAndClassesAreLetters) {
  write_set("emnist-letters-train", "emnist-letters-test");
  for (const auto& [signal, background] :
       {std::pair{"I", "a"}, std::pair{"i", "A"}, std::pair{"9", "1"}}) {
    const auto set = load_images(directory_.string(), signal, background);
    ASSERT_TRUE(set.has_value()) << set.error().to_string();
    EXPECT_EQ(set->name, "emnist-letters");
    EXPECT_EQ(set->signal, "I");
    EXPECT_EQ(set->background, "A");
    EXPECT_EQ(set->train.labels, (std::vector<uint8_t>{0, 1, 0}));
    EXPECT_EQ(set->train.height, 3);
    EXPECT_EQ(set->train.width, 2);
    EXPECT_EQ(std::vector<uint8_t>(set->train.image(0), set->train.image(1)),
              (std::vector<uint8_t>{0, 3, 1, 4, 2, 5}));
  }
}

TEST_F(LoadImages, MnistsLayoutHasDigits) {
  write_set("train", "t10k");
  const auto set = load_images(directory_.string(), "9", "2");
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(set->name, "mnist");
  EXPECT_EQ(set->train.labels, (std::vector<uint8_t>{0, 1}));
}

TEST_F(LoadImages, FilesNeedNotBeZipped) {
  write_set();
  const std::string zipped = path("x-train-labels-idx1-ubyte.gz").string();
  write_plain(zipped.substr(0, zipped.size() - 3), idx_labels("\1\2\2\1"));
  fs::remove(zipped);
  const auto set = load_images(directory_.string());
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(set->train.labels, (std::vector<uint8_t>{1, 0, 0, 1}));
}

TEST_F(LoadImages, APrefixBehindTheDirectoryChoosesOneOfSeveral) {
  write_set("one-train", "one-test");
  write_set("two-train", "two-test");
  expect_error("data.several_data_sets", "one, two", directory_.string());
  const auto set = load_images(path("two").string());
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(set->name, "two");
}

TEST_F(LoadImages, AMissingDirectoryIsRefused) {
  const auto set = load_images(path("nowhere").string());
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code, "data.no_such_path");
  EXPECT_EQ(load_images("").error().code, "data.no_such_path");
}

TEST_F(LoadImages, ADirectoryWithoutImagesIsRefused) {
  write_plain(path("readme.txt"), "nothing here");
  expect_error("data.no_data_set", "no IDX image files", directory_.string());
}

TEST_F(LoadImages, EachOfTheFourFilesMustBeThere) {
  for (const std::string name :
       {"train-labels-idx1-ubyte.gz", "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz"}) {
    write_set();
    fs::remove(path("x-" + name));
    expect_error("data.file_missing", "lacks", name);
  }
}

TEST_F(LoadImages, ATruncatedGzipFileIsRefusedAtEveryLength) {
  write_set();
  const fs::path file = path("x-train-images-idx3-ubyte.gz");
  const std::string whole = bytes_of(file);
  for (size_t length = 0; length < whole.size(); ++length) {
    write_plain(file, whole.substr(0, length));
    const auto set = load_images(directory_.string());
    ASSERT_FALSE(set.has_value()) << length;
    EXPECT_THAT(set.error().where, HasSubstr(file.string()));
  }
}

TEST_F(LoadImages, TooFewAndTooManyPixelsAreRefused) {
  write_set();
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_images(4, 2, 3, std::string(23, 'a')));
  expect_error("data.wrong_size", "24 bytes of data, the file holds 23", "x-train-images");
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_images(4, 2, 3, std::string(25, 'a')));
  expect_error("data.wrong_size", "24 bytes of data, the file holds 25", "x-train-images");
  // 2^32 - 1 images of the largest size: no overflow, no allocation.
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_images(0xffffffff, 4096, 4096, "abc"));
  expect_error("data.wrong_size", "the file holds 3", "x-train-images");
}

TEST_F(LoadImages, TooFewAndTooManyLabelsAreRefused) {
  write_set();
  for (const std::string labels : {"\1\2\1", "\1\2\1\2\1"}) {
    write_gzip(path("x-test-labels-idx1-ubyte.gz"), big_endian(0x801) + big_endian(4) + labels);
    expect_error("data.wrong_size", "4 bytes", "x-test-labels");
  }
}

TEST_F(LoadImages, AHeaderThatEndsEarlyIsRefused) {
  write_set();
  const std::string header = idx_images(4, 2, 3, "");
  for (size_t length = 0; length < header.size(); ++length) {
    write_plain(path("x-train-images-idx3-ubyte.gz"), header.substr(0, length));
    expect_error("data.no_header", "of 16", "x-train-images");
  }
}

TEST_F(LoadImages, AnotherMagicIsRefused) {
  write_set();
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_labels("\1\2\1\2"));
  expect_error("data.wrong_magic", "0x00000801 instead of 0x00000803", "x-train-images");
  write_set();
  write_gzip(path("x-train-labels-idx1-ubyte.gz"), idx_images(1, 1, 1, "a"));
  expect_error("data.wrong_magic", "0x00000803 instead of 0x00000801", "x-train-labels");
}

TEST_F(LoadImages, ImagesWithoutPixelsOrOfHugeSizeAreRefused) {
  write_set();
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_images(4, 0, 3, ""));
  expect_error("data.bad_image_size", "0 x 3", "x-train-images");
  write_gzip(path("x-train-images-idx3-ubyte.gz"), idx_images(4, 2, 4097, ""));
  expect_error("data.bad_image_size", "2 x 4097", "x-train-images");
}

TEST_F(LoadImages, LabelsAndImagesOfDifferentCountsAreRefused) {
  write_set();
  write_gzip(path("x-test-labels-idx1-ubyte.gz"), idx_labels("\1\2\1\2\1"));
  expect_error("data.counts_differ", "5 labels for 4 images", "x-test-labels");
}

TEST_F(LoadImages, TrainingAndTestImagesOfDifferentSizesAreRefused) {
  write_set();
  write_gzip(path("x-test-images-idx3-ubyte.gz"), idx_images(4, 3, 2, std::string(24, 'a')));
  expect_error("data.sizes_differ", "2 x 3 pixels, the test images 3 x 2", "x-test-images");
}

TEST_F(LoadImages, AClassThatIsNotThereIsRefusedWithThoseThatAre) {
  write_set();
  for (const std::string name : {"3", "I", "banana", "256", "-1", "1 "})
    expect_error("data.no_such_class", "'" + name + "'; the classes that are there: 1, 2, 9",
                 directory_.string(), name, "2");
  write_gzip(path("x-test-labels-idx1-ubyte.gz"), idx_labels("\1\2\1\2"));
  expect_error("data.no_such_class", "no test images of class '9'", directory_.string(), "9", "2");
}

TEST_F(LoadImages, MissingLettersAreListedAsLetters) {
  write_set("emnist-letters-train", "emnist-letters-test");
  expect_error("data.no_such_class", "'Z'; the classes that are there: A, B, I",
               directory_.string(), "Z", "A");
}

TEST_F(LoadImages, ClassesMustBeNamedWhereTheDataSetHasNoDefault) {
  write_set("train", "t10k");
  expect_error("data.class_not_named", "1, 2, 9", directory_.string());
  expect_error("data.class_not_named", "1, 2, 9", directory_.string(), "1");
}

TEST_F(LoadImages, SignalAndBackgroundMustDiffer) {
  write_set("emnist-letters-train", "emnist-letters-test");
  expect_error("data.same_class", "'i'", directory_.string(), "i", "9");
}

TEST(LoadGlyphs, EitherLetterMayBeTheSignal) {
  const GlyphOptions few{.seed = 1, .train_count = 4, .test_count = 2};
  const auto gamma = load_images("glyphs", "", "", few);
  const auto perp = load_images("glyphs", "perp", "", few);
  ASSERT_TRUE(gamma.has_value() && perp.has_value());
  EXPECT_EQ(gamma->signal, "gamma");
  EXPECT_EQ(perp->signal, "perp");
  EXPECT_EQ(perp->background, "gamma");
  EXPECT_EQ(gamma->train.pixels, perp->train.pixels);
  for (size_t i = 0; i < gamma->train.labels.size(); ++i)
    EXPECT_NE(gamma->train.labels[i], perp->train.labels[i]);
  EXPECT_EQ(load_images("glyphs", "", "gamma", few)->signal, "perp");
  EXPECT_EQ(load_images("glyphs", "1", "2", few)->train.labels, gamma->train.labels);
}

TEST(LoadGlyphs, OtherClassesAreRefused) {
  EXPECT_EQ(load_images("glyphs", "I", "L").error().code, "data.no_such_class");
  EXPECT_EQ(load_images("glyphs", "gamma", "gamma").error().code, "data.same_class");
}

/// The real files beside the project.
fs::path shared_data(const std::string& name) {
  return fs::path(MILLRACE_SOURCE_DIR) / "../shared/data" / name;
}

TEST(RealImages, TheEmnistSubsetHasItsKnownCounts) {
  if (!fs::exists(shared_data("emnist-letters-subset")))
    GTEST_SKIP() << "the shared data are absent";
  const auto set = load_images(shared_data("emnist-letters-subset").string(), "I", "L");
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(std::ranges::count(set->train.labels, 1), 298);
  EXPECT_EQ(std::ranges::count(set->train.labels, 0), 481);
  EXPECT_EQ(std::ranges::count(set->test.labels, 1), 304);
  EXPECT_EQ(std::ranges::count(set->test.labels, 0), 503);
  // Upright, an L or an I is taller than wide; transposed, it is not.
  int64_t taller = 0;
  for (int64_t i = 0; i < set->train.count(); ++i) {
    int rows = 0, columns = 0;
    for (int a = 0; a < 28; ++a) {
      bool in_row = false, in_column = false;
      for (int b = 0; b < 28; ++b) {
        in_row |= set->train.image(i)[a * 28 + b] > 127;
        in_column |= set->train.image(i)[b * 28 + a] > 127;
      }
      rows += in_row;
      columns += in_column;
    }
    taller += rows > columns;
  }
  EXPECT_GT(taller, set->train.count() * 9 / 10);
}

TEST(RealImages, TheHasySubsetHasItsKnownCounts) {
  if (!fs::exists(shared_data("hasy-gamma-perp")))
    GTEST_SKIP() << "the shared data are absent";
  const auto set = load_images(shared_data("hasy-gamma-perp").string());
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(set->name, "gamma-perp");
  EXPECT_EQ(std::ranges::count(set->train.labels, 1), 493);
  EXPECT_EQ(std::ranges::count(set->train.labels, 0), 1433);
  EXPECT_EQ(std::ranges::count(set->test.labels, 1), 125);
  EXPECT_EQ(std::ranges::count(set->test.labels, 0), 367);
}

TEST(RealImages, MnistHasItsKnownCounts) {
  if (!fs::exists(shared_data("mnist")))
    GTEST_SKIP() << "the shared data are absent";
  const auto set = load_images(shared_data("mnist").string(), "0", "1");
  ASSERT_TRUE(set.has_value()) << set.error().to_string();
  EXPECT_EQ(std::ranges::count(set->train.labels, 1), 5923);
  EXPECT_EQ(std::ranges::count(set->train.labels, 0), 6742);
  EXPECT_EQ(set->test.count(), 980 + 1135);
}

TEST_F(LoadImages, AllClassesAreRankedByTheirNumbers) {
  write_set();
  const auto set = load_all_classes(path("x").string());
  ASSERT_TRUE(set) << set.error().to_string();
  EXPECT_THAT(set->classes, ::testing::ElementsAre("1", "2", "9"));
  EXPECT_THAT(set->test.labels, ::testing::ElementsAre(0, 1, 2, 0));
  EXPECT_EQ(set->test.pixels.size(), 24U);
}

TEST_F(LoadImages, ATestImageOfAnUnknownClassIsAnError) {
  write_set();
  write_gzip(path("x-test-labels-idx1-ubyte.gz"), idx_labels("\x01\x02\x07\x01"));
  const auto set = load_all_classes(path("x").string());
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, "data.no_such_class");
}

}  // namespace
}  // namespace millrace::data
