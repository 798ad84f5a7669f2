// SPDX-License-Identifier: Apache-2.0
// Training, as the rest of Millrace sees it: a request to the program millrace-train, which alone
// links LibTorch, and its result.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "millrace/data/metrics.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::train {

/// The weight that the adders of multiplications have in training unless it is said otherwise: off,
/// as too few data sets, seeds and number formats have been measured.
inline constexpr double DefaultSparsity = 0;

/// What to train, on what, and where to write it.
struct TrainRequest {
  std::string network = "letters";
  std::string data = "glyphs";     ///< as data::load_images() takes it
  std::string signal, background;  ///< class names; empty: the data set's own
  uint64_t glyph_seed = 1;         ///< of the generated images
  int64_t train_glyphs = 2000;
  int64_t test_glyphs = 800;
  std::string quantizer = "fixed<9,5>";  ///< or "quantized_bits(9,4)", or "float" for none
  uint64_t seed = 1;                     ///< of the initial weights, the split and the shuffles
  int epochs = 0;                        ///< of each phase; 0: chosen by the number of images
  double sparsity = DefaultSparsity;     ///< 0: weights are trained for the AUC alone
  std::filesystem::path output;          ///< the QONNX file to write

  friend bool operator==(const TrainRequest&, const TrainRequest&) = default;
};

/// The weights of one layer, as its adders see them.
struct WeightDigits {
  std::string name;  ///< "conv1.w"
  int64_t count = 0;
  int64_t zeros = 0;
  int64_t signed_digits = 0;  ///< canonical and not 0: about one adder each

  friend bool operator==(const WeightDigits&, const WeightDigits&) = default;
};

/// What a training run came to. Scores are logits; an image counts as signal from logit 0 on.
struct TrainResult {
  std::string network, data, signal, background, quantizer;
  std::string output;  ///< the file that was written
  double auc = 0;      ///< of the network as written, on the test images
  double accuracy = 0;
  double float_auc = 0;  ///< of the network before it was quantised
  double float_accuracy = 0;
  int64_t parameters = 0;
  int64_t train_images = 0;
  int64_t test_images = 0;
  int64_t compared_images =
      0;  ///< on which LibTorch's logits equal the exact graph's; 0 for "float"
  uint64_t seed = 0;
  int epochs = 0;  ///< of each phase
  double sparsity = 0;
  std::vector<WeightDigits> weights;  ///< of each layer; none for "float"
  double seconds = 0;                 ///< wall-clock time of the whole run
  std::vector<data::RocPoint> roc, float_roc;

  friend bool operator==(const TrainResult&, const TrainResult&) = default;
};

/// The object that `millrace train --json` prints: the members by their names.
std::string to_json(const TrainResult& result);

/// The program millrace-train: in `folder` or on PATH.
std::optional<std::filesystem::path> find_trainer(const std::filesystem::path& folder);

/// Starts millrace-train and waits for its result. `trainer` is the program; when empty, it is
/// what find_trainer() finds from this executable's folder.
///
/// Progress is reported by phase: "training (float)", "training (fixed<9,5>)".
/// Errors   train.no_trainer; what the trainer itself refuses: data.*, train.*, support.*; a
///          trainer that ends without a result.
Result<TrainResult> run_trainer(const TrainRequest& request, const ProgressFunction& progress = {},
                                const std::filesystem::path& trainer = {});

}  // namespace millrace::train
