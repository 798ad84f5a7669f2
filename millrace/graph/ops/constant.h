// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <variant>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// A tensor known at compile time: raw integers of a fixed-point type, or real numbers.
///
///     %w = constant {value = [1, -3, 0, 7]} : tensor<2x2 x fixed<4,4>>
///     %s = constant {value = [0.5, -1.25]} : tensor<2 x real>
///
/// Constraints  C1  the value has as many elements as the shape
///              C2  every raw integer lies in the type's range; every real number is finite
///              C3  no operands
struct Constant {
  static constexpr std::string_view Mnemonic = "constant";
  TensorType type;
  std::variant<std::vector<int64_t>, std::vector<double>> value;  ///< raw where type is fixed

  const std::vector<int64_t>& raw() const { return std::get<std::vector<int64_t>>(value); }
  const std::vector<double>& real() const { return std::get<std::vector<double>>(value); }

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("value", self.value);
  }
  friend bool operator==(const Constant&, const Constant&) = default;
};

}  // namespace millrace::graph
