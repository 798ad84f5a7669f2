// SPDX-License-Identifier: Apache-2.0
// A layer with weights and inputs that a formula gives, and what a framework computed from them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "millrace/support/shape.h"

namespace millrace::frontends::keras::testing {

/// What is kept of a result y: its number of elements, sum y, sum (i mod 7 + 1) * y and sum y * y.
struct ResultSums {
  double count, plain, weighted, squares;
};

/// One layer. Weight k is numbers(shape, k), a variance its magnitude + 1/2; element i of an input
/// is ((5i + 2) mod 13 - 6) / 4.
struct LayerResult {
  std::string class_name;
  std::string config;  ///< JSON
  std::vector<Shape> inputs;
  std::vector<std::pair<std::string, Shape>> weights;
  ResultSums sums;
};

/// Imports the layer from a file of each form of weights, and compares.
void expect_results(const LayerResult& result);

}  // namespace millrace::frontends::keras::testing
