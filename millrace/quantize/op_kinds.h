// SPDX-License-Identifier: Apache-2.0
// What operations do to the types of numbers, as those who assign types see it.
#pragma once

#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::quantize {

/// What an operation does to the types of numbers.
enum class Kind {
  Source,     ///< an input or a constant
  Computes,   ///< its results have more bits than its operands, or are no fixed-point numbers
  Chooses,    ///< its results are numbers of its operands, or 0: quantising before and behind agree
  Quantizes,  ///< a requantize
  Coded,      ///< its results have their type by what it is: table, top_k
};

Kind kind_of(const graph::Op& op);

/// True where an operand is a factor (weights), false where it is added.
bool is_factor(const graph::Op& layer, size_t operand);

/// For each value whether all that becomes of it are numbers of a quantiser.
std::vector<char> find_quantized(const graph::Graph& graph);

}  // namespace millrace::quantize
