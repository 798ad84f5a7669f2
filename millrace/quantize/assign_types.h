// SPDX-License-Identifier: Apache-2.0
// Types for the numbers of a network that was trained in floating point.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::quantize {

/// What a number is to the layer that reads or makes it.
enum class Role { Weights, Bias, Accumulator, Result };

/// "weight", "bias", "accum", "result": hls4ml's names.
std::string_view to_string(Role role);

/// A value that may be given a type. The ids are those of the graph in hand.
struct Site {
  graph::ValueId layer;  ///< the operation that reads or makes the value
  Role role;
  graph::ValueId value;  ///< a constant, or the layer's own result
  bool needs_type;       ///< it would not become exact, or would grow, without one
};

/// A type, and who asked for it: the place that `inspect` and diagnostics show.
struct ChosenType {
  Quantizer quantizer;
  std::string origin;
};

/// The type of a value; none leaves it as it is.
using TypeChooser = std::function<Result<std::optional<ChosenType>>(const Site&)>;

/// Every value that may be given a type: the real constants of layers, and the results of all
/// operations but constants, `table` and `top_k`, in the order of the operations.
///
/// A value needs a type where it is real and
///  - a constant operand of a layer that is not exact in MaxExactWeightBits bits (those that are,
///    were quantised by the model),
///  - an input, or the result of an operation that computes (products, sums, means, functions),
///    unless all that reads it is a quantiser of the model, possibly behind operations that only
///    choose or move;
/// and where a function reads it that has more bits than a table's input may have.
std::vector<Site> find_sites(const graph::Graph& graph);

/// Puts a `requantize` behind each of find_sites() that `choose` gives a type. A quantiser of the
/// model that is given a type takes it; others stay.
/// Errors   those of `choose`; the numbered constraints of the operations.
Result<graph::Graph> assign_types(const graph::Graph& graph, const TypeChooser& choose);

/// Folds an `affine` of constants into the unquantised weights and the bias of the layer before it,
/// which nothing else uses: batch normalisation before types are chosen. The numbers are rounded as
/// doubles are. Where `folds` is given, only into the layers for which it is true.
Result<graph::Graph> fold_real_affine(
    const graph::Graph& graph, const std::function<bool(const graph::Op& layer)>& folds = {});

}  // namespace millrace::quantize
