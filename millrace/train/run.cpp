// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/run.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "millrace/data/load.h"
#include "millrace/frontends/onnx/export.h"
#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/train/adder_cost.h"
#include "millrace/train/exact_check.h"
#include "millrace/train/fit.h"
#include "millrace/train/messages.h"

namespace millrace::train {
namespace {

constexpr int MaxEpochs = 10'000;
constexpr double MaxSparsity = 100;
constexpr int64_t MinTrainImages = 10;  // of each class: two validate

Status check_request(const TrainRequest& request) {
  if (request.network != "letters")
    return error(messages::UnknownNetwork, "network", request.network);
  if (request.epochs < 0 || request.epochs > MaxEpochs)
    return error(messages::BadEpochs, "epochs", request.epochs);
  if (!(request.sparsity >= 0 && request.sparsity <= MaxSparsity))
    return error(messages::BadSparsity, "sparsity", request.sparsity);
  if (request.output.empty())
    return error(messages::NoOutput, "output");
  return {};
}

Status check_images(const data::DataSet& set, const std::string& where) {
  constexpr int64_t Size = LetterNetwork::InputSize;
  if (set.train.height != Size || set.train.width != Size)
    return error(messages::WrongImageSize, where, set.train.height, set.train.width, Size, Size);
  for (const uint8_t label : {uint8_t{1}, uint8_t{0}}) {
    const std::string& name = label ? set.signal : set.background;
    const int64_t train = std::ranges::count(set.train.labels, label);
    const int64_t test = std::ranges::count(set.test.labels, label);
    if (train < MinTrainImages)
      return error(messages::TooFewImages, where, train, "training", name);
    if (test < 1)
      return error(messages::TooFewImages, where, test, "test", name);
  }
  return {};
}

/// Small sets need more epochs: about 90,000 images seen in each phase, where it converges.
int choose_epochs(int64_t train_images) {
  return static_cast<int>(
      std::clamp<int64_t>(90'000 / std::max<int64_t>(train_images, 1), 10, 150));
}

double auc_of(std::span<const double> scores, const data::ImageSet& images) {
  const auto auc = data::auc(scores, images.labels);
  check(auc.has_value(), "both classes are among the test images");
  return *auc;
}

}  // namespace

Result<TrainResult> train(const TrainRequest& request,
                          const std::function<void(const ProgressEvent&)>& on_epoch) {
  const auto start = std::chrono::steady_clock::now();
  MR_TRY_STATUS(check_request(request));
  FitOptions options;
  options.seed = request.seed;
  options.sparsity = request.sparsity;
  MR_TRY(options.quantizer, parse_quantizer(request.quantizer));
  const data::GlyphOptions glyphs{request.glyph_seed, request.train_glyphs, request.test_glyphs};
  MR_TRY(const data::DataSet images,
         data::load_images(request.data, request.signal, request.background, glyphs));
  MR_TRY_STATUS(check_images(images, request.data));
  options.epochs = request.epochs > 0 ? request.epochs : choose_epochs(images.train.count());
  if (on_epoch)
    options.on_epoch = [&](const EpochReport& report) {
      on_epoch({std::string(report.phase), report.epoch, report.epochs, report.validation_auc});
    };

  const FittedNetwork fitted = fit_letters(images.train, options);
  const auto float_scores = forward_letters(fitted.float_parameters, std::nullopt, images.test);
  const auto scores = forward_letters(fitted.quantised_parameters, options.quantizer, images.test);
  MR_TRY(const std::string qonnx, frontends::export_onnx(build_letter_graph(
                                      fitted.quantised_parameters, options.quantizer)));
  if (options.quantizer) {
    MR_TRY(const std::vector<double> exact, exact_logits(qonnx, images.test));
    check_equal(scores, exact);
  }
  MR_TRY_STATUS(write_file(request.output, qonnx));

  TrainResult result;
  result.network = request.network;
  result.data = images.name;
  result.signal = images.signal;
  result.background = images.background;
  result.quantizer = request.quantizer;
  result.output = request.output.string();
  result.auc = auc_of(scores, images.test);
  result.accuracy = data::accuracy(scores, images.test.labels, 0);
  result.roc = data::roc_curve(scores, images.test.labels);
  result.float_auc = auc_of(float_scores, images.test);
  result.float_accuracy = data::accuracy(float_scores, images.test.labels, 0);
  result.float_roc = data::roc_curve(float_scores, images.test.labels);
  result.parameters = num_parameters(fitted.quantised_parameters);
  result.train_images = images.train.count();
  result.test_images = images.test.count();
  result.compared_images = options.quantizer ? images.test.count() : 0;
  result.seed = request.seed;
  result.epochs = options.epochs;
  result.sparsity = request.sparsity;
  if (options.quantizer)
    result.weights = count_digits(fitted.quantised_parameters, *options.quantizer);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace millrace::train
