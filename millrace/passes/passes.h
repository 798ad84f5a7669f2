// SPDX-License-Identifier: Apache-2.0
// The steps of lower(), in its order. Each keeps the numbers that the graph computes; only
// quantize_inputs() and drop_final_sigmoid() change what it reads or gives.
#pragma once

#include "millrace/graph/graph.h"

namespace millrace::passes {

using graph::Graph;

/// Outputs that are a `table`, a sigmoid or a `requantize` of a sigmoid become what it reads.
Result<Graph> drop_final_sigmoid(const Graph& graph);

/// A real input that only one kind of `requantize` reads becomes a fixed-point input of its type:
/// whoever feeds the circuit quantises. A `requantize` to types of single channels stays behind it.
Result<Graph> quantize_inputs(const Graph& graph);

/// `requantize` of a constant becomes a constant.
Result<Graph> fold_constants(const Graph& graph);

/// `affine` of constants becomes a constant; `affine` of a `conv2d`, `conv_transpose2d` or
/// `dense` that nothing else uses goes into its weights and bias.
/// Errors   passes.affine_too_wide
Result<Graph> fold_affine(const Graph& graph);

inline constexpr int MaxExactWeightBits = 16;

/// A constant of the same numbers in the narrowest fixed-point type that holds them, if there is
/// one.
std::optional<graph::Constant> exact_constant(const graph::Constant& constant);

/// True for weights that are fixed-point, or real and exact in MaxExactWeightBits bits.
bool is_quantized(const graph::Constant& weights);

/// Real weights, biases, scales, offsets and operands of operations on two values become
/// fixed-point constants of the same values. Scales and offsets of more than MaxExactWeightBits
/// bits are taken along, through operations that are linear or only compare, to the quantiser
/// behind them, which takes them in: there the shortest multiplier and offset replace them which
/// round to the same numbers (passes/carried.h). The same for quantisers with steps. Where no
/// quantiser follows, a scale stands behind a layer instead of in front of it. Errors   those of
/// exact_operand(); passes.step_remains, passes.table_*
Result<Graph> carry_scales(const Graph& graph);

/// Each constant gets the narrowest type that holds its values.
Result<Graph> narrow_constants(const Graph& graph);

/// A layer whose accumulator loses nothing becomes exact; one whose accumulator only wraps, exact
/// with a `requantize` that wraps behind it. Others stay as they are.
Result<Graph> relax_accumulators(const Graph& graph);

/// `requantize` of the real `avg_pool` of a fixed-point value becomes an `avg_pool` with that
/// quantiser, which rounds the quotient once. Between the two may stand operations that move
/// elements and that nothing else reads. A `requantize` to types of single channels stays as it is.
Result<Graph> quantize_averages(const Graph& graph);

/// `requantize` of `softmax` of a fixed-point value becomes exact operations, by two tables
/// (passes/lower_softmax.h).
/// Errors   passes.table_too_wide, passes.softmax_limit
Result<Graph> lower_softmax(const Graph& graph);

/// `requantize` of `unary` of a fixed-point value becomes a `table` (passes/real_function.h).
/// Errors   passes.table_too_wide, passes.table_fraction, passes.table_types
Result<Graph> make_tables(const Graph& graph);

/// `requantize` to the type that the value has already is dropped, unless it clamps symmetrically.
Result<Graph> drop_identities(const Graph& graph);

/// Errors   passes.missing_quantizer at the first value that is a real number.
Status check_exact(const Graph& graph);

/// Where the user finds an operation: what the frontend noted, or its name.
std::string place_of(const graph::Op& op);

}  // namespace millrace::passes
