// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/search.h"

#include <cmath>

#include "millrace/adders/messages.h"
#include "millrace/adders/signed_digits.h"

namespace millrace::adders {
namespace {

constexpr int64_t StepsAReport = 256;
constexpr int64_t PatienceAnAdder = 200;  // steps without gain before the search ends
constexpr int64_t WorkAStep = 32;         // what a step costs beside its pair counts
constexpr uint32_t MaxVictims = 24;       // sums written out in a step
constexpr double Temperature = 0.3;       // adders

/// Appends the signed digits of coefficient * input.
void append_digits(std::vector<Term>& terms, int64_t coefficient, int input) {
  for (const SignedDigit& digit : canonical_signed_digits(coefficient))
    terms.emplace_back(static_cast<ValueId>(input), digit.shift, digit.negative);
}

/// Writes shared sums out, up to `count` of them, walking from one to another along their uses.
class Destroyer {
public:
  Destroyer(SumNetwork& network, Random& random) : network_(network), random_(random) {}

  void run(uint32_t count) {
    ValueId place = any_sum();
    for (uint32_t i = 0; i < count; ++i) {
      const std::optional<ValueId> victim = victim_near(place);
      if (!victim) {
        place = any_sum();
        continue;
      }
      const std::vector<ValueId>& readers = network_.readers(*victim);
      place = readers[random_.below(readers.size())];
      network_.write_out(*victim);
      if (!network_.is_sum(place))
        place = any_sum();
    }
  }

private:
  ValueId any_sum() {
    const auto inputs = static_cast<ValueId>(network_.num_inputs());
    for (;;) {
      const ValueId value = inputs + random_.below(network_.num_values() - inputs);
      if (network_.is_sum(value))
        return value;
    }
  }

  /// A shared sum among the terms of `place`, or `place` itself.
  std::optional<ValueId> victim_near(ValueId place) {
    constexpr int Tries = 4;
    const std::vector<Term>& terms = network_.terms(place);
    for (int i = 0; i < Tries; ++i) {
      const ValueId value = terms[random_.below(terms.size())].value();
      if (network_.is_sum(value) && !network_.is_output(value))
        return value;
    }
    if (!network_.is_output(place))
      return place;
    return std::nullopt;
  }

  SumNetwork& network_;
  Random& random_;
};

}  // namespace

SumNetwork write_sums(const Matrix& matrix, const RowTree& tree, const std::vector<int>& groups,
                      int depth_limit) {
  SumNetwork network(groups, matrix.rows, depth_limit);
  std::vector<ValueId> sums(static_cast<size_t>(matrix.rows));
  for (const int row : tree.order) {
    const RowStart& start = tree.starts[static_cast<size_t>(row)];
    std::vector<Term> terms;
    if (start.from)
      terms.emplace_back(sums[static_cast<size_t>(*start.from)], start.shift, start.negative);
    const int64_t factor = (start.negative ? -1 : 1) * (int64_t{1} << start.shift);
    for (int column = 0; column < matrix.columns; ++column)
      append_digits(
          terms,
          matrix.at(row, column) - (start.from ? factor * matrix.at(*start.from, column) : 0),
          column);
    sums[static_cast<size_t>(row)] = network.add_output(row, terms);
  }
  network.finish();
  network.exact_depths();
  return network;
}

Status share_pairs(SumNetwork& network, const ProgressFunction& progress, Random& random) {
  for (int group = 0; group < network.num_groups(); ++group) {
    network.focus(group);
    for (int64_t step = 0; network.share_pair(random); ++step)
      if (step % StepsAReport == 0 &&
          !report_progress(progress, "sharing", static_cast<double>(group) / network.num_groups()))
        return error(messages::Stopped, "");
  }
  return {};
}

Status improve(SumNetwork& network, int64_t work, const ProgressFunction& progress,
               Random& random) {
  if (network.num_adders() == 0)
    return {};
  const int64_t begin = network.work();
  Destroyer destroyer(network, random);
  int64_t best = network.num_adders();
  int64_t last_gain = 0;
  for (int64_t step = 0;; ++step) {
    const int64_t spent = network.work() - begin + step * WorkAStep;
    if (spent >= work || step - last_gain > PatienceAnAdder * best)
      return {};
    const double done = static_cast<double>(spent) / static_cast<double>(work);
    if (step % StepsAReport == 0) {
      if (!report_progress(progress, "searching", done))
        return error(messages::Stopped, "");
      network.focus(static_cast<int>(done * network.num_groups()));
    }
    const int64_t before = network.num_adders();
    network.begin();
    destroyer.run(1 + random.below(MaxVictims));
    network.exact_depths();
    while (network.share_pair(random)) {
    }
    const auto loss = static_cast<double>(network.num_adders() - before);
    if (loss > 0 && random.unit() >= std::exp(-loss / Temperature))
      network.undo();
    else
      network.keep();
    network.exact_depths();
    if (network.num_adders() < best) {
      best = network.num_adders();
      last_gain = step;
    }
  }
}

}  // namespace millrace::adders
