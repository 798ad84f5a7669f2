// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/build_graph.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <tuple>

#include "millrace/adders/signed_digits.h"
#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

/// A term of a sum by the numbers of the graph: +-(value << shift).
struct Operand {
  int value = 0;
  int shift = 0;
  bool negative = false;
};

/// The signed digits of a row. One that has only negative digits gets a positive one, since
/// -x = x - 2x, so that its sum needs no negation.
std::vector<Operand> digits_of_row(const Matrix& matrix, int row) {
  std::vector<Operand> operands;
  bool has_positive = false;
  for (int column = 0; column < matrix.columns; ++column) {
    for (const SignedDigit& digit : canonical_signed_digits(matrix.at(row, column))) {
      operands.push_back({column, digit.shift, digit.negative});
      has_positive = has_positive || !digit.negative;
    }
  }
  if (!has_positive && !operands.empty()) {
    operands[0].negative = false;
    operands.push_back({operands[0].value, operands[0].shift + 1, true});
  }
  return operands;
}

/// The graph without the adders that no row needs.
AdderGraph without_unused(const AdderGraph& graph) {
  const auto num_inputs = static_cast<size_t>(graph.num_inputs);
  std::vector<bool> is_used(num_inputs + graph.adders.size(), false);
  for (const RowSum& row : graph.rows)
    if (row.value != RowSum::Zero)
      is_used[static_cast<size_t>(row.value)] = true;
  for (size_t i = graph.adders.size(); i-- > 0;) {
    if (!is_used[num_inputs + i])
      continue;
    is_used[static_cast<size_t>(graph.adders[i].a)] = true;
    is_used[static_cast<size_t>(graph.adders[i].b)] = true;
  }
  AdderGraph result{.num_inputs = graph.num_inputs, .adders = {}, .rows = graph.rows};
  std::vector<int> numbers(is_used.size());
  std::iota(numbers.begin(), numbers.begin() + graph.num_inputs, 0);
  for (size_t i = 0; i < graph.adders.size(); ++i) {
    if (!is_used[num_inputs + i])
      continue;
    Adder adder = graph.adders[i];
    adder.a = numbers[static_cast<size_t>(adder.a)];
    adder.b = numbers[static_cast<size_t>(adder.b)];
    numbers[num_inputs + i] = graph.num_inputs + static_cast<int>(result.adders.size());
    result.adders.push_back(adder);
  }
  for (RowSum& row : result.rows)
    if (row.value != RowSum::Zero)
      row.value = numbers[static_cast<size_t>(row.value)];
  return result;
}

/// Above so many terms, the narrowest of the shallowest are joined without looking at all pairs.
constexpr size_t MaxSearchedTerms = 32;

class GraphBuilder {
public:
  GraphBuilder(const SumNetwork& network, const Matrix& matrix, std::span<const Range> inputs)
      : network_(network),
        matrix_(matrix),
        ranges_(inputs.begin(), inputs.end()),
        depths_(inputs.size(), 0),
        nodes_(network.num_values()) {
    graph_.num_inputs = static_cast<int>(inputs.size());
    for (int input = 0; input < graph_.num_inputs; ++input)
      nodes_[static_cast<size_t>(input)] = Operand{input};
  }

  AdderGraph run() {
    for (const SumNetwork::Output& output : network_.outputs())
      build_with_operands(output.value);
    count_uses();
    for (int row = 0; row < matrix_.rows; ++row)
      append_row(row);
    return without_unused(graph_);
  }

private:
  /// Builds a sum after those that it is made of.
  void build_with_operands(ValueId wanted) {
    std::vector<ValueId> stack{wanted};
    while (!stack.empty()) {
      const ValueId value = stack.back();
      const size_t size = stack.size();
      if (!nodes_[value])
        for (const Term term : network_.terms(value))
          if (!nodes_[term.value()])
            stack.push_back(term.value());
      if (stack.size() > size)
        continue;
      stack.pop_back();
      if (!nodes_[value])
        build(value);
    }
  }

  void build(ValueId value) {
    std::vector<Operand> operands;
    for (const Term term : network_.terms(value)) {
      const Operand& node = *nodes_[term.value()];
      operands.push_back({node.value, node.shift + term.shift(), node.negative != term.negative()});
    }
    nodes_[value] = add_up(std::move(operands), network_.depth_limit() == SumNetwork::NoLimit
                                                    ? std::nullopt
                                                    : std::optional(allowed_depth(value)));
  }

  int allowed_depth(ValueId value) const {
    return network_.is_term(value) ? network_.depth(value) : network_.depth_limit();
  }

  uint64_t weight(const Operand& operand) const {
    return uint64_t{1} << depths_[static_cast<size_t>(operand.value)];
  }

  Operand add_up(std::vector<Operand> operands, std::optional<int> depth) {
    // The network gives an order that depends on the search's history; a fixed one is easier to
    // read.
    std::sort(operands.begin(), operands.end(),
              [&](const Operand& x, const Operand& y) { return key(x) < key(y); });
    uint64_t kraft = 0;
    if (depth)
      for (const Operand& operand : operands)
        kraft += weight(operand);
    while (operands.size() > 1) {
      const auto [i, j] = choose(operands, kraft, depth);
      const Operand x = operands[i];
      const Operand y = operands[j];
      operands.erase(operands.begin() + static_cast<ptrdiff_t>(j));
      operands.erase(operands.begin() + static_cast<ptrdiff_t>(i));
      const Operand sum = join(x, y);
      if (depth)
        kraft += weight(sum) - weight(x) - weight(y);
      const auto place =
          std::lower_bound(operands.begin(), operands.end(), sum,
                           [&](const Operand& a, const Operand& b) { return key(a) < key(b); });
      operands.insert(place, sum);
    }
    return operands[0];
  }

  std::tuple<int, int, int, int> key(const Operand& operand) const {
    const auto value = static_cast<size_t>(operand.value);
    return {depths_[value], width(ranges_[value]) + operand.shift, operand.shift, operand.value};
  }

  /// The two operands whose adder is shortest among those that leave the others enough levels.
  std::pair<size_t, size_t> choose(const std::vector<Operand>& operands, uint64_t kraft,
                                   std::optional<int> depth) const {
    std::pair<size_t, size_t> best{0, 1};  // the shallowest two always fit
    if (operands.size() > MaxSearchedTerms)
      return best;
    std::optional<std::tuple<int, uint64_t>> least;
    for (size_t i = 0; i < operands.size(); ++i) {
      for (size_t j = i + 1; j < operands.size(); ++j) {
        const uint64_t weight_i = depth ? weight(operands[i]) : 0;
        const uint64_t weight_j = depth ? weight(operands[j]) : 0;
        const uint64_t sum = 2 * std::max(weight_i, weight_j);
        if (depth && kraft - weight_i - weight_j + sum > uint64_t{1} << *depth)
          continue;
        const std::tuple cost{chain_bits_of(operands[i], operands[j]), sum};
        if (!least || cost < *least) {
          least = cost;
          best = {i, j};
        }
      }
    }
    return best;
  }

  /// The adder of two operands, and whether it computes their sum negated.
  std::pair<Adder, bool> adder_of(const Operand& x, const Operand& y) const {
    // Of two signs, the operand whose low bits pass is the minuend; else the positive one.
    const bool swap =
        x.negative != y.negative && (x.shift != y.shift ? y.shift < x.shift : x.negative);
    const Operand& a = swap ? y : x;
    const Operand& b = swap ? x : y;
    const int shift = std::min(a.shift, b.shift);
    return {{.a = a.value,
             .b = b.value,
             .shift_a = a.shift - shift,
             .shift_b = b.shift - shift,
             .subtract = a.negative != b.negative},
            a.negative};
  }

  int chain_bits_of(const Operand& x, const Operand& y) const {
    const Adder adder = adder_of(x, y).first;
    return chain_bits(adder, ranges_[static_cast<size_t>(adder.a)],
                      ranges_[static_cast<size_t>(adder.b)]);
  }

  Operand join(const Operand& x, const Operand& y) {
    const auto [adder, negative] = adder_of(x, y);
    return {append(adder), std::min(x.shift, y.shift), negative};
  }

  int append(const Adder& adder) {
    const Range& a = ranges_[static_cast<size_t>(adder.a)];
    const Range& b = ranges_[static_cast<size_t>(adder.b)];
    ranges_.push_back(sum_range(adder, a, b));
    depths_.push_back(
        std::max(depths_[static_cast<size_t>(adder.a)], depths_[static_cast<size_t>(adder.b)]) + 1);
    graph_.adders.push_back(adder);
    return graph_.num_inputs + static_cast<int>(graph_.adders.size()) - 1;
  }

  // --- rows that need the opposite sign -------------------------------------------------------

  void count_uses() {
    num_uses_.assign(ranges_.size(), 0);
    for (const Adder& adder : graph_.adders) {
      ++num_uses_[static_cast<size_t>(adder.a)];
      ++num_uses_[static_cast<size_t>(adder.b)];
    }
    for (const SumNetwork::Output& output : network_.outputs())
      ++num_uses_[static_cast<size_t>(nodes_[output.value]->value)];
  }

  void append_row(int index) {
    const SumNetwork::Output& output = network_.outputs()[static_cast<size_t>(index)];
    const Operand& node = *nodes_[output.value];
    RowSum row{.value = node.value,
               .shift = node.shift + output.shift,
               .negate = node.negative != output.negative};
    if (row.negate)
      row = negated(row, index);
    graph_.rows.push_back(row);
  }

  /// The row with its sign changed: by swapping the operands of a subtraction that nothing else
  /// needs as it is, by swapping the row's own, by a subtraction from 0 where the depth allows it,
  /// by swapping operands further up, or by a tree of the row's own.
  RowSum negated(RowSum row, int index) {
    if (const std::optional<int> opposite = opposite_of(row.value, 1))
      return {.value = *opposite, .shift = row.shift};
    const bool is_subtraction =
        row.value >= graph_.num_inputs && adder_of_value(row.value).subtract;
    const bool may_deepen = network_.depth_limit() == SumNetwork::NoLimit ||
                            depths_[static_cast<size_t>(row.value)] < network_.depth_limit();
    if (!is_subtraction && may_deepen)
      return row;
    if (const std::optional<int> opposite = opposite_of(row.value))
      return {.value = *opposite, .shift = row.shift};
    const Operand tree = add_up(digits_of_row(matrix_, index), network_.depth_limit());
    const std::optional<int> value = tree.negative ? opposite_of(tree.value) : tree.value;
    check(value.has_value(), "a row has no tree of adders with the right sign");
    return {.value = *value, .shift = tree.shift};
  }

  const Adder& adder_of_value(int value) const {
    return graph_.adders[static_cast<size_t>(value - graph_.num_inputs)];
  }

  /// The value with its sign changed, at the same depth; none if all that it adds is positive, or
  /// all that is used at most `max_uses` times.
  std::optional<int> opposite_of(int value, int max_uses = std::numeric_limits<int>::max()) {
    const auto index = static_cast<size_t>(value);
    if (value < graph_.num_inputs || (index < num_uses_.size() && num_uses_[index] > max_uses))
      return std::nullopt;
    const Adder adder = adder_of_value(value);
    if (adder.subtract)
      return append_once({adder.b, adder.a, adder.shift_b, adder.shift_a, true});
    if (const std::optional<int> a = opposite_of(adder.a, max_uses))
      return append_once({*a, adder.b, adder.shift_a, adder.shift_b, true});
    if (const std::optional<int> b = opposite_of(adder.b, max_uses))
      return append_once({*b, adder.a, adder.shift_b, adder.shift_a, true});
    return std::nullopt;
  }

  /// Appends an adder unless it is there already.
  int append_once(const Adder& adder) {
    const auto same = std::find(graph_.adders.begin(), graph_.adders.end(), adder);
    return same == graph_.adders.end()
               ? append(adder)
               : graph_.num_inputs + static_cast<int>(same - graph_.adders.begin());
  }

  const SumNetwork& network_;
  const Matrix& matrix_;
  AdderGraph graph_;
  std::vector<Range> ranges_;                  // of the graph's values
  std::vector<int> depths_;                    // of the graph's values
  std::vector<int> num_uses_;                  // of the graph's values, by adders and rows
  std::vector<std::optional<Operand>> nodes_;  // by the network's values
};

}  // namespace

AdderGraph build_graph(const SumNetwork& network, const Matrix& matrix,
                       std::span<const Range> inputs) {
  check(static_cast<size_t>(network.num_inputs()) == inputs.size(), "one range for each input");
  check(static_cast<size_t>(matrix.rows) == network.outputs().size(), "one output for each row");
  return GraphBuilder(network, matrix, inputs).run();
}

int minimum_row_depth(const Matrix& matrix, int row) {
  const size_t digits = digits_of_row(matrix, row).size();
  return digits == 0 ? 0 : static_cast<int>(std::bit_width(digits - 1));
}

}  // namespace millrace::adders
