// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// Changes the element type of a tensor. With `table` and the quantiser of `avg_pool` the only
/// operation that loses precision.
///
///     %y = requantize %x {rounding = RND_CONV, overflow = SAT} : tensor<26x26x4 x ufixed<9,4>>
///     %z = requantize %x {rounding = RND, overflow = SAT, types = [fixed<6,2>, ufixed<3,3>]}
///        : tensor<26x26x2 x fixed<8,4>>
///     %q = requantize %x {rounding = RND_CONV, overflow = SAT, steps = [0.0123]}
///        : tensor<26x26x4 x fixed<8,8>>
///
/// Shapes       types, steps: none, one for each channel (the last extent), or one for each
///              element; steps: also one for all
/// Semantics    y[i] = overflow(round(x[i] / step)), millrace::requantize_steps(), where `steps`
///              gives none: step = 1; to the element's own type where `types` gives one; the
///              number is then the same in y's type
/// Constraints  C1  one operand
///              C2  as many types as channels or as elements; steps also alone
///              C3  y's type is common_type(types)
///              C4  steps are finite and more than 0
struct Requantize {
  static constexpr std::string_view Mnemonic = "requantize";
  Quantizer to;  ///< the type is printed behind the colon, the modes as attributes
  std::vector<FixedType> types = {};  ///< of each channel or element; empty: all have to.type
  std::vector<double> steps = {};     ///< of all, each channel or element; empty: 1

  /// The quantiser of element i.
  Quantizer at(size_t i) const {
    return types.empty() ? to : Quantizer{types[i % types.size()], to.rounding, to.overflow};
  }

  double step(size_t i) const { return steps.empty() ? 1 : steps[i % steps.size()]; }

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("rounding", self.to.rounding);
    visitor("overflow", self.to.overflow);
    visitor("types", self.types);
    visitor("steps", self.steps);
  }
  friend bool operator==(const Requantize&, const Requantize&) = default;
};

/// The narrowest type that holds every number of each of `types`: the most fraction bits of them,
/// and a range around all theirs. No value when there are none, or 64 bits are not enough.
std::optional<FixedType> common_type(std::span<const FixedType> types);

}  // namespace millrace::graph
