// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/certificate.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <optional>

#include "millrace/support/check.h"

namespace millrace::adders {
namespace {

/// What is wrong; nothing is the good answer.
using Failure = std::optional<std::string>;

constexpr int MaxShift = 63;

bool is_shift(int shift) {
  return shift >= 0 && shift <= MaxShift;
}

bool is_constant(const Range& range) {
  return range.lo == range.hi;
}

Int128 scale(int shift) {
  return Int128{1} << shift;
}

/// Every operand is there before it is read, and every shift is one that the emitter can print.
Failure check_structure(const AdderGraph& graph, const Matrix& matrix, size_t num_inputs) {
  if (static_cast<size_t>(graph.num_inputs) != num_inputs || matrix.columns != graph.num_inputs)
    return fmt::format("{} inputs for {} columns", graph.num_inputs, matrix.columns);
  if (std::ssize(graph.rows) != matrix.rows)
    return fmt::format("{} rows instead of {}", graph.rows.size(), matrix.rows);
  int next = graph.num_inputs;
  for (const Adder& adder : graph.adders) {
    if (adder.a < 0 || adder.a >= next || adder.b < 0 || adder.b >= next)
      return fmt::format("value {} reads a value that is not there", next);
    if (!is_shift(adder.shift_a) || !is_shift(adder.shift_b) ||
        std::min(adder.shift_a, adder.shift_b) != 0)
      return fmt::format("value {} is shifted by {} and {}", next, adder.shift_a, adder.shift_b);
    ++next;
  }
  for (size_t row = 0; row < graph.rows.size(); ++row) {
    const RowSum& sum = graph.rows[row];
    if (sum.value != RowSum::Zero && (sum.value < 0 || sum.value >= next || !is_shift(sum.shift)))
      return fmt::format("row {} reads a value that is not there", row);
  }
  return std::nullopt;
}

/// The largest number that the proof can meet: a value's coefficients, each weighted with the
/// largest magnitude of its input, added up. None when that is beyond all use.
std::optional<Int128> largest_magnitude(const AdderGraph& graph, std::span<const Range> inputs) {
  constexpr Int128 Limit = Int128{1} << 100;
  std::vector<Int128> magnitudes;
  const auto shifted = [&](int value, int shift) {
    const Int128 magnitude = magnitudes[static_cast<size_t>(value)];
    return magnitude > Limit >> shift ? Limit : magnitude * scale(shift);
  };
  for (const Range& range : inputs)
    magnitudes.push_back(std::max<Int128>({1, range.hi, -range.lo}));
  for (const Adder& adder : graph.adders)
    magnitudes.push_back(
        std::min(Limit, shifted(adder.a, adder.shift_a) + shifted(adder.b, adder.shift_b)));
  Int128 largest = 1;
  for (const Int128 magnitude : magnitudes)
    largest = std::max(largest, magnitude);
  for (const RowSum& row : graph.rows)
    if (row.value != RowSum::Zero)
      largest = std::max(largest, shifted(row.value, row.shift));
  return largest < Limit ? std::optional(largest) : std::nullopt;
}

/// Computes the coefficients of all values for some inputs at a time: few enough for the values to
/// stay in the cache, and each value only where one of these inputs reaches it.
template <class Number>
class Propagation {
public:
  static constexpr size_t BlockSize = 16;
  using Block = std::array<Number, BlockSize>;

  Propagation(const AdderGraph& graph, const Matrix& matrix, std::span<const Range> inputs)
      : graph_(graph),
        matrix_(matrix),
        inputs_(inputs),
        exact_(inputs.size() + graph.adders.size()) {
    for (size_t input = 0; input < inputs.size(); ++input)
      (is_constant(inputs[input]) ? constants_ : variables_).push_back(input);
  }

  Failure run() {
    for (size_t first = 0; first < variables_.size(); first += BlockSize) {
      const size_t count = std::min(BlockSize, variables_.size() - first);
      propagate_variables(std::span(variables_).subspan(first, count));
      if (const Failure failure = check_rows(std::span(variables_).subspan(first, count)))
        return failure;
    }
    if (constants_.empty())
      return std::nullopt;
    propagate_constants();
    return check_constant_rows();
  }

  /// The exact range of every value, after run().
  const std::vector<Range>& exact_ranges() const { return exact_; }

private:
  static constexpr int Nothing = -1;  // all coefficients of the block are zero

  const Block& block(int value) const {
    static constexpr Block zeros = {};
    const int slot = slots_[static_cast<size_t>(value)];
    return slot == Nothing ? zeros : blocks_[static_cast<size_t>(slot)];
  }

  void begin() {
    slots_.assign(inputs_.size(), Nothing);
    blocks_.clear();
  }

  Block& append_block(size_t input) {
    slots_[input] = static_cast<int>(blocks_.size());
    return blocks_.emplace_back(Block{});
  }

  /// One column of the block an input: its coefficient in the input itself is 1.
  void propagate_variables(std::span<const size_t> variables) {
    begin();
    Block lowest = {}, highest = {};
    for (size_t i = 0; i < variables.size(); ++i) {
      append_block(variables[i])[i] = 1;
      lowest[i] = static_cast<Number>(inputs_[variables[i]].lo);
      highest[i] = static_cast<Number>(inputs_[variables[i]].hi);
    }
    propagate_adders();
    for (size_t value = 0; value < slots_.size(); ++value)
      if (slots_[value] != Nothing)
        add_range(blocks_[static_cast<size_t>(slots_[value])], lowest, highest, exact_[value]);
  }

  /// One column for all constant inputs: in it, values stand for what the constants contribute.
  void propagate_constants() {
    begin();
    for (const size_t input : constants_)
      append_block(input)[0] = static_cast<Number>(inputs_[input].lo);
    propagate_adders();
    for (size_t value = 0; value < slots_.size(); ++value) {
      exact_[value].lo += block(static_cast<int>(value))[0];
      exact_[value].hi += block(static_cast<int>(value))[0];
    }
  }

  void propagate_adders() {
    slots_.reserve(exact_.size());
    for (const Adder& adder : graph_.adders) {
      const bool is_reached = slots_[static_cast<size_t>(adder.a)] != Nothing ||
                              slots_[static_cast<size_t>(adder.b)] != Nothing;
      if (!is_reached) {
        slots_.push_back(Nothing);
        continue;
      }
      slots_.push_back(static_cast<int>(blocks_.size()));
      blocks_.push_back(sum(block(adder.a), block(adder.b), static_cast<Number>(scale_a(adder)),
                            static_cast<Number>(scale_b(adder))));
    }
  }

  static Int128 scale_a(const Adder& adder) { return scale(adder.shift_a); }
  static Int128 scale_b(const Adder& adder) {
    return adder.subtract ? -scale(adder.shift_b) : scale(adder.shift_b);
  }

  static Block sum(const Block& a, const Block& b, Number factor_a, Number factor_b) {
    Block result;
    for (size_t i = 0; i < BlockSize; ++i)
      result[i] = a[i] * factor_a + b[i] * factor_b;
    return result;
  }

  /// Widens `range` by what the inputs of this block add to a value with these coefficients.
  static void add_range(const Block& coefficients, const Block& lowest, const Block& highest,
                        Range& range) {
    Number lo = 0, hi = 0;
    for (size_t i = 0; i < BlockSize; ++i) {
      const Number x = coefficients[i] * lowest[i];
      const Number y = coefficients[i] * highest[i];
      lo += std::min(x, y);
      hi += std::max(x, y);
    }
    range.lo += lo;
    range.hi += hi;
  }

  Int128 row_coefficient(const RowSum& row, size_t column) const {
    if (row.value == RowSum::Zero)
      return 0;
    const Int128 value = Int128{block(row.value)[column]} * scale(row.shift);
    return row.negate ? -value : value;
  }

  Failure check_rows(std::span<const size_t> variables) const {
    for (int row = 0; row < matrix_.rows; ++row)
      for (size_t i = 0; i < variables.size(); ++i) {
        const Int128 found = row_coefficient(graph_.rows[static_cast<size_t>(row)], i);
        const int64_t wanted = matrix_.at(row, static_cast<int>(variables[i]));
        if (found != wanted)
          return fmt::format("row {} multiplies input {} by {} instead of {}", row, variables[i],
                             to_string(found), wanted);
      }
    return std::nullopt;
  }

  Failure check_constant_rows() const {
    for (int row = 0; row < matrix_.rows; ++row) {
      Int128 wanted = 0;
      for (const size_t input : constants_)
        wanted += matrix_.at(row, static_cast<int>(input)) * inputs_[input].lo;
      const Int128 found = row_coefficient(graph_.rows[static_cast<size_t>(row)], 0);
      if (found != wanted)
        return fmt::format("the constant inputs add {} to row {} instead of {}", to_string(found),
                           row, to_string(wanted));
    }
    return std::nullopt;
  }

  const AdderGraph& graph_;
  const Matrix& matrix_;
  std::span<const Range> inputs_;
  std::vector<size_t> variables_, constants_;
  std::vector<Range> exact_;
  std::vector<int> slots_;  // where each value's coefficients are in blocks_
  std::vector<Block> blocks_;
};

/// Each value's exact range lies within the one that the emitter takes its width from.
Failure check_ranges(const AdderGraph& graph, std::span<const Range> exact,
                     std::span<const Range> given) {
  const auto fits = [](const Range& range) {
    return narrowest_type(range.lo, range.hi, 0).has_value();
  };
  for (size_t value = 0; value < exact.size(); ++value) {
    if (exact[value].lo < given[value].lo || exact[value].hi > given[value].hi)
      return fmt::format("value {} reaches {} to {}, its range is {} to {}", value,
                         to_string(exact[value].lo), to_string(exact[value].hi),
                         to_string(given[value].lo), to_string(given[value].hi));
    if (!fits(given[value]))
      return fmt::format("value {} needs more than {} bits", value, FixedType::MaxWidth);
  }
  for (size_t row = 0; row < graph.rows.size(); ++row) {
    const RowSum& sum = graph.rows[row];
    if (sum.value == RowSum::Zero)
      continue;
    const Range& range = given[static_cast<size_t>(sum.value)];
    const Int128 lo = range.lo * scale(sum.shift), hi = range.hi * scale(sum.shift);
    if (!fits(sum.negate ? Range{-hi, -lo} : Range{lo, hi}))
      return fmt::format("row {} needs more than {} bits", row, FixedType::MaxWidth);
  }
  return std::nullopt;
}

template <class Number>
Certificate prove(const AdderGraph& graph, const Matrix& matrix, std::span<const Range> inputs) {
  Propagation<Number> propagation(graph, matrix, inputs);
  if (const Failure failure = propagation.run())
    return {.is_exact = false, .fits_ranges = false, .failure = *failure};
  const std::vector<Range> given = value_ranges(graph, inputs);
  if (const Failure failure = check_ranges(graph, propagation.exact_ranges(), given))
    return {.is_exact = true, .fits_ranges = false, .failure = *failure};
  return {.is_exact = true, .fits_ranges = true, .failure = ""};
}

}  // namespace

Certificate certify(const AdderGraph& graph, const Matrix& matrix, std::span<const Range> inputs) {
  check(matrix.rows >= 0 && matrix.columns >= 0 &&
            matrix.entries.size() ==
                static_cast<size_t>(matrix.rows) * static_cast<size_t>(matrix.columns),
        "a matrix has an entry for each row and column");
  if (const Failure failure = check_structure(graph, matrix, inputs.size()))
    return {.is_exact = false, .fits_ranges = false, .failure = *failure};
  const std::optional<Int128> largest = largest_magnitude(graph, inputs);
  if (!largest)
    return {.is_exact = false, .fits_ranges = false, .failure = "values grow beyond 64 bits"};
  return *largest <= std::numeric_limits<int64_t>::max() ? prove<int64_t>(graph, matrix, inputs)
                                                         : prove<Int128>(graph, matrix, inputs);
}

}  // namespace millrace::adders
