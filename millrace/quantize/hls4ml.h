// SPDX-License-Identifier: Apache-2.0
// Types and sums as hls4ml's circuits have them.
#pragma once

#include "millrace/quantize/type_rules.h"

namespace millrace::quantize {

/// Gives every value the type that it has in a circuit of hls4ml by the same rules, and every layer
/// its arithmetic: the graph computes what that circuit computes, bit for bit.
///
///  - Dense layers, convolutions and average poolings add in an accumulator (the attribute
///    `accumulate`): its type is the rules' Role::Accumulator. The result of a maximum pooling goes
///    through that type once.
///  - Sigmoid, tanh, softplus, softsign and softmax become hls4ml's tables (hls4ml_tables.h).
///  - Every layer's result has a type, also where it needs none here: a rule's, or, where that is
///    "auto", what hls4ml infers (hls4ml_types.h), or the model's default.
///  - Batch normalisation goes into the layer before it only where that layer's result is "auto".
///  - A layer of Keras without an activation has one in hls4ml, NAME_linear, whose result has a
///    type of its own, unless that of the layer is "auto".
///
/// The model's own quantisers stay. Other operations are exact, and their results are rounded once.
///
/// Errors   quantize.unknown_layer; quantize.no_rule: also where "auto" needs the model's default;
///          those of hls4ml_tables.h.
/// Source   hls4ml 1.3.0, Vivado backend, io_parallel, strategy Latency
///          (docs/decisions/0019-hls4ml-accumulators.md).
Result<graph::Graph> quantize_as_hls4ml(const graph::Graph& graph, const TypeRules& rules,
                                        bool is_keras);

}  // namespace millrace::quantize
