// SPDX-License-Identifier: Apache-2.0
// Trainings from end to end, as short as they can be.
#include "millrace/train/run.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "millrace/data/glyphs.h"
#include "millrace/frontends/onnx/import.h"
#include "millrace/passes/lower.h"
#include "millrace/support/files.h"
#include "millrace/support/temporary_directory.h"
#include "millrace/train/exact_check.h"
#include "millrace/train/fit.h"

namespace millrace::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Train : public ::testing::Test {
protected:
  void SetUp() override {
    request_.train_glyphs = 120;
    request_.test_glyphs = 60;
    request_.epochs = 2;
    request_.output = directory_ / "network.onnx";
  }

  void expect_error(const std::string& code, const std::string& text) const {
    const auto result = train(request_);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, code);
    EXPECT_THAT(result.error().message, HasSubstr(text));
    EXPECT_TRUE(fs::is_empty(directory_)) << "nothing is left behind";
  }

  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-train").value();
  const fs::path directory_ = temporary_.path();
  TrainRequest request_;
};

TEST_F(Train, WritesANetworkWhoseExactGraphGivesTheReportedResult) {
  std::vector<std::string> epochs;
  const auto result = train(request_, [&epochs](const ProgressEvent& event) {
    epochs.push_back(event.phase + " " + std::to_string(event.epoch));
    EXPECT_EQ(event.epochs, 2);
  });
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(epochs, (std::vector<std::string>{"float 1", "float 2", "quantised 1", "quantised 2"}));
  EXPECT_EQ(result->parameters, 1005);
  EXPECT_EQ(result->compared_images, 60);
  EXPECT_EQ(result->train_images, 120);
  EXPECT_EQ(result->signal, "gamma");
  EXPECT_GT(result->seconds, 0);

  // The same figures from the file alone.
  const data::DataSet images = data::make_glyphs({1, 120, 60});
  const auto logits = exact_logits(read_file(request_.output).value(), images.test);
  ASSERT_TRUE(logits.has_value()) << logits.error().to_string();
  EXPECT_EQ(result->auc, data::auc(*logits, images.test.labels));
  EXPECT_EQ(result->accuracy, data::accuracy(*logits, images.test.labels, 0));
  EXPECT_EQ(result->roc, data::roc_curve(*logits, images.test.labels));
}

TEST_F(Train, TheSameSeedGivesTheSameBytesAndAnotherSeedOthers) {
  request_.sparsity = 2;
  const auto train_with = [this](uint64_t seed) {
    request_.seed = seed;
    EXPECT_TRUE(train(request_).has_value());
    return read_file(request_.output).value();
  };
  const std::string one = train_with(1), two = train_with(2), one_again = train_with(1);
  EXPECT_EQ(one, one_again);
  EXPECT_NE(one, two);
}

TEST_F(Train, SparsityMakesTheAddersFewer) {
  request_.epochs = 12;
  const auto digits_at = [this](double sparsity) {
    request_.sparsity = sparsity;
    const auto result = train(request_);
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    EXPECT_EQ(result->sparsity, sparsity);
    EXPECT_EQ(result->weights.size(), 4u);
    return result->weights[0].signed_digits + result->weights[1].signed_digits;
  };
  EXPECT_LT(digits_at(20), digits_at(0));
}

TEST_F(Train, EveryQuantizerGivesAnExactGraph) {
  request_.sparsity = 2;
  request_.epochs = 1;
  // The narrowest, no fraction bits, no integer bits, and the widest: train() itself compares.
  for (const std::string quantizer :
       {"fixed<2,1>", "fixed<8,8>", "quantized_bits(6,0)", "quantized_bits(8,4)", "fixed<16,6>"}) {
    request_.quantizer = quantizer;
    const auto result = train(request_);
    ASSERT_TRUE(result.has_value()) << quantizer << ": " << result.error().to_string();
    EXPECT_EQ(result->compared_images, 60);
  }
}

TEST_F(Train, WithoutAQuantizerItWritesARealNetwork) {
  request_.quantizer = "float";
  const auto result = train(request_);
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  EXPECT_EQ(result->auc, result->float_auc);
  EXPECT_EQ(result->compared_images, 0);
  EXPECT_TRUE(result->weights.empty()) << "real numbers have no digits";
  const auto network = frontends::import_onnx(request_.output);
  ASSERT_TRUE(network.has_value()) << network.error().to_string();
  EXPECT_FALSE(network->is_exact());
}

TEST_F(Train, RequestsThatCannotBeMetAreRefused) {
  const TrainRequest good = request_;
  request_.network = "words";
  expect_error("train.unknown_network", "'words'");
  request_ = good;
  request_.epochs = -1;
  expect_error("train.bad_epochs", "-1");
  request_.epochs = 10'001;
  expect_error("train.bad_epochs", "10001");
  request_ = good;
  for (const double sparsity : {-0.5, 100.5}) {
    request_.sparsity = sparsity;
    expect_error("train.bad_sparsity", std::to_string(sparsity).substr(0, 4));
  }
  request_ = good;
  request_.quantizer = "fixed<99,5>";
  expect_error("train.quantizer_range", "99 bits");
  request_ = good;
  request_.data = directory_ / "nowhere";
  expect_error("data.no_such_path", "no directory");
  request_ = good;
  request_.signal = "I";
  expect_error("data.no_such_class", "'I'");
  request_ = good;
  request_.train_glyphs = 18;
  expect_error("train.too_few_images", "9 training images");
  request_ = good;
  request_.test_glyphs = 0;
  expect_error("train.too_few_images", "0 test images");
  request_ = good;
  request_.output.clear();
  expect_error("train.no_output", "no file");
}

TEST_F(Train, AFolderThatIsNotThereIsRefused) {
  request_.output = directory_ / "nowhere" / "network.onnx";
  expect_error("support.file_not_writable", "cannot be written");
}

void write_idx(const fs::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

TEST_F(Train, ImagesOfAnotherSizeAreRefused) {
  using namespace std::string_literals;
  const fs::path folder = directory_ / "data";
  fs::create_directory(folder);
  for (const std::string part : {"x-train", "x-test"}) {
    write_idx(folder / (part + "-images-idx3-ubyte.gz"),
              "\0\0\x08\x03\0\0\0\2\0\0\0\2\0\0\0\3"s + std::string(12, 'a'));
    write_idx(folder / (part + "-labels-idx1-ubyte.gz"), "\0\0\x08\x01\0\0\0\2\1\2"s);
  }
  request_.data = folder;
  const auto result = train(request_);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, "train.wrong_image_size");
  EXPECT_THAT(result.error().message, HasSubstr("2 x 3"));
}

TEST(FitLetters, LearnsEasyImages) {
  // A bright upper half against a bright lower half.
  data::ImageSet images{28, 28, {}, {}};
  for (int i = 0; i < 60; ++i) {
    const bool upper = i % 2;
    for (int p = 0; p < 28 * 28; ++p)
      images.pixels.push_back((p < 14 * 28) == upper ? static_cast<uint8_t>(150 + i) : 0);
    images.labels.push_back(upper);
  }
  FitOptions options;
  options.epochs = 15;
  options.quantizer = QuantizerSpec{9, 4};
  const FittedNetwork fitted = fit_letters(images, options);
  EXPECT_EQ(
      data::auc(forward_letters(fitted.float_parameters, std::nullopt, images), images.labels),
      1.0);
  EXPECT_EQ(data::auc(forward_letters(fitted.quantised_parameters, options.quantizer, images),
                      images.labels),
            1.0);
}

}  // namespace
}  // namespace millrace::train
