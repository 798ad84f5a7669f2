// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/graph/ops/operands.h"

namespace millrace::graph {

/// The elements of a constant: integers or real numbers. Copies share them, so that a pass that
/// copies a graph does not copy its weights.
class ConstantElements {
public:
  ConstantElements() : ConstantElements(std::vector<int64_t>()) {}
  ConstantElements(std::vector<int64_t> raw)  // NOLINT(google-explicit-constructor)
      : elements_(std::make_shared<const Elements>(std::move(raw))) {}
  ConstantElements(std::vector<double> real)  // NOLINT(google-explicit-constructor)
      : elements_(std::make_shared<const Elements>(std::move(real))) {}

  bool is_raw() const { return elements_->index() == 0; }
  const std::vector<int64_t>& raw() const { return std::get<0>(*elements_); }
  const std::vector<double>& real() const { return std::get<1>(*elements_); }

  friend bool operator==(const ConstantElements& a, const ConstantElements& b) {
    return a.elements_ == b.elements_ || *a.elements_ == *b.elements_;
  }

private:
  using Elements = std::variant<std::vector<int64_t>, std::vector<double>>;
  std::shared_ptr<const Elements> elements_;
};

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
  ConstantElements value;  ///< raw where type is fixed

  const std::vector<int64_t>& raw() const { return value.raw(); }
  const std::vector<double>& real() const { return value.real(); }

  Result<TensorType> infer(Operands operands, const std::string& where) const;
  template <class Self, class Visitor>
  static void visit_attributes(Self& self, Visitor& visitor) {
    visitor("value", self.value);
  }
  friend bool operator==(const Constant&, const Constant&) = default;
};

}  // namespace millrace::graph
