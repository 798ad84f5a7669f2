// SPDX-License-Identifier: Apache-2.0
// A value as an expression of integers: scales on their way to the quantiser that takes them in.
#pragma once

#include <optional>
#include <vector>

#include "millrace/graph/graph.h"
#include "millrace/passes/rational.h"

namespace millrace::passes {

/// factor * code; a factor for all elements, or for each channel (the last extent).
struct CarriedTerm {
  graph::ValueId code = -1;  ///< a fixed-point value of the new graph
  std::vector<Rational> factor = {1};

  bool is_uniform() const { return factor.size() == 1; }
  bool is_positive() const;
};

/// function(clamp(leak(sum of terms + offset), least, most)), where leak(v) is v >= 0 ? v : slope *
/// v
struct Carried {
  std::vector<CarriedTerm> terms;
  std::vector<Rational> offset = {0};  ///< for all elements, or for each channel
  std::vector<Rational> slope = {};    ///< of negative numbers, for all or each channel; empty: 1
  std::optional<Rational> least = {}, most = {};
  std::optional<graph::Unary> function = {};

  /// One term, and no function behind it.
  bool is_single() const { return terms.size() == 1 && !function; }
  /// A sum that no other function has been applied to.
  bool is_linear() const { return !function && !least && !most && slope.empty(); }
  bool is_clamped() const { return least || most; }
  bool has_offset() const;
  /// factor * code, the same positive factor for all elements: operations that are linear, or
  /// only compare, commute with it.
  bool is_scaled_code() const;

  void scale(const std::vector<Rational>& factors);
  void shift(const std::vector<Rational>& offsets);
  void raise_to(const Rational& bound);  ///< max(value, bound)
  void lower_to(const Rational& bound);  ///< min(value, bound)
};

/// The value's requantisation, without any of its scales: a sum with short multipliers, rounded
/// down (passes/rounded_sum.h), or a table of the function. Adds to the builder what it needs.
///
/// No value where there is none: more stairs or longer multipliers than rounded_sum.h allows, a
/// code of more than 16 bits before a function, overflow other than saturation.
Result<std::optional<graph::ValueId>> absorb(graph::Builder& builder, const Carried& x,
                                             const graph::Op& requantize);

}  // namespace millrace::passes
