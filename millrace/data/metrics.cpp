// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "millrace/support/check.h"

namespace millrace::data {
namespace {

/// How many images of each class have one particular score.
struct ScoreCount {
  double score;
  int64_t signal;
  int64_t background;
};

/// The distinct scores in falling order.
std::vector<ScoreCount> count_by_score(std::span<const double> scores,
                                       std::span<const uint8_t> labels) {
  check(scores.size() == labels.size(), "as many scores as labels");
  check(std::ranges::none_of(scores, [](double score) { return std::isnan(score); }),
        "no score is NaN");
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, std::ranges::greater{}, [&](size_t i) { return scores[i]; });
  std::vector<ScoreCount> counts;
  for (size_t i : order) {
    if (counts.empty() || counts.back().score != scores[i])
      counts.push_back({scores[i], 0, 0});
    ++(labels[i] ? counts.back().signal : counts.back().background);
  }
  return counts;
}

}  // namespace

double accuracy(std::span<const double> scores, std::span<const uint8_t> labels, double threshold) {
  check(scores.size() == labels.size(), "as many scores as labels");
  if (scores.empty())
    return 0;
  int64_t right = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    right += (scores[i] >= threshold) == (labels[i] != 0);
  return static_cast<double>(right) / static_cast<double>(scores.size());
}

double top1_accuracy(std::span<const double> scores, std::span<const uint8_t> labels,
                     size_t classes) {
  check(scores.size() == labels.size() * classes, "a score for each image and class");
  if (labels.empty())
    return 0;
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto own = scores.subspan(i * classes, classes);
    right += std::ranges::max_element(own) - own.begin() == labels[i];
  }
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

std::vector<RocPoint> roc_curve(std::span<const double> scores, std::span<const uint8_t> labels) {
  const std::vector<ScoreCount> counts = count_by_score(scores, labels);
  const auto signals = std::ranges::count_if(labels, [](uint8_t label) { return label != 0; });
  const auto backgrounds = std::ssize(labels) - signals;
  if (signals == 0 || backgrounds == 0)
    return {};
  std::vector<RocPoint> points{{std::numeric_limits<double>::infinity(), 0, 0}};
  int64_t signals_above = 0, backgrounds_above = 0;
  for (const ScoreCount& count : counts) {
    signals_above += count.signal;
    backgrounds_above += count.background;
    points.push_back({count.score,
                      static_cast<double>(backgrounds_above) / static_cast<double>(backgrounds),
                      static_cast<double>(signals_above) / static_cast<double>(signals)});
  }
  return points;
}

std::optional<double> auc(std::span<const double> scores, std::span<const uint8_t> labels) {
  // Twice the number of pairs in the right order, ties counting half, is an integer.
  int64_t doubled_pairs = 0, signals_above = 0, backgrounds = 0;
  for (const ScoreCount& count : count_by_score(scores, labels)) {
    doubled_pairs += count.background * (2 * signals_above + count.signal);
    signals_above += count.signal;
    backgrounds += count.background;
  }
  if (signals_above == 0 || backgrounds == 0)
    return std::nullopt;
  return static_cast<double>(doubled_pairs) / static_cast<double>(2 * signals_above * backgrounds);
}

}  // namespace millrace::data
