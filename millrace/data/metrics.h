// SPDX-License-Identifier: Apache-2.0
// How well scores tell signal (label 1) from background (label 0).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace millrace::data {

/// The share of images on the right side: signal when score >= threshold. 0 without images.
/// Shapes   `scores` and `labels` have the same length.
double accuracy(std::span<const double> scores, std::span<const uint8_t> labels, double threshold);

/// The share of images whose own class has the highest score, the first of equal ones. 0 without
/// images.
/// Shapes   scores: images x classes; labels: images, each less than `classes`.
double top1_accuracy(std::span<const double> scores, std::span<const uint8_t> labels,
                     size_t classes);

/// One point of a ROC curve: the rates when all scores >= threshold count as signal.
struct RocPoint {
  double threshold = 0;
  double false_positive_rate = 0;
  double true_positive_rate = 0;

  friend bool operator==(const RocPoint&, const RocPoint&) = default;
};

/// The ROC curve: (0, 0) at threshold +infinity, then one point for each distinct score, in falling
/// order. Empty when one of the two classes is absent.
/// Shapes   `scores` and `labels` have the same length; no score is NaN.
std::vector<RocPoint> roc_curve(std::span<const double> scores, std::span<const uint8_t> labels);

/// The area under the ROC curve: the chance that a signal image scores above a background image,
/// equal scores counting half. Exact up to one rounding. No value when a class is absent.
/// Shapes       `scores` and `labels` have the same length; no score is NaN.
/// Complexity   O(n log n)
std::optional<double> auc(std::span<const double> scores, std::span<const uint8_t> labels);

}  // namespace millrace::data
