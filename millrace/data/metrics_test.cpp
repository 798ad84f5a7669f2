// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/metrics.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "millrace/support/check.h"

namespace millrace::data {
namespace {

using Scores = std::vector<double>;
using Labels = std::vector<uint8_t>;

/// All pairs of a signal and a background image.
double auc_by_pairs(const Scores& scores, const Labels& labels) {
  double pairs = 0, doubled_right = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    for (size_t j = 0; j < scores.size(); ++j)
      if (labels[i] && !labels[j]) {
        ++pairs;
        doubled_right += scores[i] > scores[j] ? 2 : scores[i] == scores[j] ? 1 : 0;
      }
  return doubled_right / (2 * pairs);
}

/// The trapezia under the curve.
double area(const std::vector<RocPoint>& curve) {
  double sum = 0;
  for (size_t i = 1; i < curve.size(); ++i)
    sum += (curve[i].false_positive_rate - curve[i - 1].false_positive_rate) *
           (curve[i].true_positive_rate + curve[i - 1].true_positive_rate) / 2;
  return sum;
}

TEST(Auc, EqualsTheShareOfOrderedPairsWithAndWithoutTies) {
  std::mt19937_64 random(7);
  for (int distinct : {1, 2, 3, 10, 1000000})
    for (int round = 0; round < 40; ++round) {
      Scores scores;
      Labels labels{0, 1};  // both classes are there
      while (labels.size() < 2 + random() % 60)
        labels.push_back(random() % 2);
      for (size_t i = 0; i < labels.size(); ++i)
        scores.push_back(static_cast<double>(random() % distinct) - distinct / 2.0);
      ASSERT_EQ(auc(scores, labels), auc_by_pairs(scores, labels)) << distinct << " scores";
      ASSERT_NEAR(area(roc_curve(scores, labels)), *auc(scores, labels), 1e-12);
    }
}

TEST(Auc, IsOneForPerfectZeroForReversedAndHalfForEqualScores) {
  const Labels labels{0, 0, 1, 1};
  EXPECT_EQ(auc(Scores{1, 2, 3, 4}, labels), 1.0);
  EXPECT_EQ(auc(Scores{4, 3, 2, 1}, labels), 0.0);
  EXPECT_EQ(auc(Scores{5, 5, 5, 5}, labels), 0.5);
}

TEST(Auc, HasNoValueWhenAClassIsAbsent) {
  EXPECT_EQ(auc(Scores{}, Labels{}), std::nullopt);
  EXPECT_EQ(auc(Scores{1, 2}, Labels{1, 1}), std::nullopt);
  EXPECT_EQ(auc(Scores{1, 2}, Labels{0, 0}), std::nullopt);
}

TEST(RocCurve, HasAPointForEachDistinctScore) {
  const auto curve = roc_curve(Scores{3, 1, 2, 2, 0}, Labels{1, 0, 1, 0, 0});
  const std::vector<RocPoint> expected{{std::numeric_limits<double>::infinity(), 0, 0},
                                       {3, 0, 0.5},
                                       {2, 1 / 3.0, 1},
                                       {1, 2 / 3.0, 1},
                                       {0, 1, 1}};
  EXPECT_EQ(curve, expected);
}

TEST(RocCurve, IsEmptyWhenAClassIsAbsent) {
  EXPECT_TRUE(roc_curve(Scores{1, 2}, Labels{1, 1}).empty());
  EXPECT_TRUE(roc_curve(Scores{1, 2}, Labels{0, 0}).empty());
}

TEST(Accuracy, CountsScoresAtTheThresholdAsSignal) {
  const Scores scores{-1, 0, 0, 2};
  const Labels labels{0, 0, 1, 1};
  EXPECT_EQ(accuracy(scores, labels, 0), 0.75);
  EXPECT_EQ(accuracy(scores, labels, 1), 0.75);
  EXPECT_EQ(accuracy(scores, labels, -5), 0.5);
  EXPECT_EQ(accuracy(Scores{}, Labels{}, 0), 0);
}

TEST(Metrics, DifferentLengthsAndNotANumberAreOurFault) {
  EXPECT_THROW(auc(Scores{1}, Labels{}), InternalError);
  EXPECT_THROW(accuracy(Scores{1}, Labels{}, 0), InternalError);
  EXPECT_THROW(roc_curve(Scores{std::nan(""), 1}, Labels{0, 1}), InternalError);
}

TEST(Top1Accuracy, CountsTheImagesWhoseOwnClassScoresHighest) {
  const Scores scores = {0.5, 0.25, 0, -1, 3, 3, -1, -2, -3};
  EXPECT_EQ(top1_accuracy(scores, Labels{0, 1, 0}, 3), 1);
  EXPECT_EQ(top1_accuracy(scores, Labels{1, 2, 0}, 3), 1.0 / 3);  // of equal scores the first
  EXPECT_EQ(top1_accuracy(Scores{}, Labels{}, 3), 0);
  EXPECT_THROW(top1_accuracy(scores, Labels{0}, 3), InternalError);
}

}  // namespace
}  // namespace millrace::data
