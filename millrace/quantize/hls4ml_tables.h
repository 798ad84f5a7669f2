// SPDX-License-Identifier: Apache-2.0
// The tables by which hls4ml's circuits compute functions, as exact operations.
//
// Source   hls4ml 1.3.0, templates/vivado/nnet_utils/nnet_activation.h. Entries are computed in
//          single precision there, and so they are here.
#pragma once

#include "millrace/graph/graph.h"
#include "millrace/quantize/type_rules.h"

namespace millrace::quantize {

/// Appends the table of a sigmoid, tanh, softplus or softsign: the number times size / range,
/// rounded towards zero and clamped, says which entry it is. The range is -8 to 8, of tanh -4 to 4.
///
/// Shapes   x: fixed-point, any shape; the value is in table_t.
/// Errors   quantize.hls4ml_function, quantize.hls4ml_table_size
Result<graph::ValueId> add_hls4ml_table(graph::Builder& builder, const graph::Op& function,
                                        graph::ValueId x, const TableRules& rules);

/// Appends a softmax: a table of exponentials, their sum, a table of reciprocals, and the products.
/// The highest bits of a number say which entry it is. "stable", the default, takes the
/// exponentials of the distances to the largest number; "latency" those of the numbers; "argmax"
/// gives 1 for the first of the largest numbers and 0 for others.
///
/// Shapes   x: fixed-point, any shape; along its last extent.
/// Errors   quantize.hls4ml_softmax, quantize.hls4ml_table_size
Result<graph::ValueId> add_hls4ml_softmax(graph::Builder& builder, const graph::Op& softmax,
                                          graph::ValueId x, const TableRules& rules,
                                          const Quantizer& accumulator);

}  // namespace millrace::quantize
