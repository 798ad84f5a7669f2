// SPDX-License-Identifier: Apache-2.0
// The types that hls4ml gives to values whose precision is "auto".
//
// Source   hls4ml 1.3.0, hls4ml/model/optimizer/passes/infer_precision.py.
#pragma once

#include "millrace/fixed/fixed_type.h"
#include "millrace/graph/op.h"

namespace millrace::quantize {

/// Of accumulator and result of a layer: `terms` products of x and w, and a bias.
FixedType hls4ml_sum_type(const FixedType& x, const FixedType& w, const FixedType& bias,
                          int64_t terms);

/// Of the result of a batch normalisation.
FixedType hls4ml_affine_type(const FixedType& x, const FixedType& scale, const FixedType& bias);

/// Of the accumulator of an average pooling.
FixedType hls4ml_mean_accumulator(const FixedType& x, int64_t taps);

/// Of the result of an operation on two values.
FixedType hls4ml_binary_type(graph::BinaryFunction function, const FixedType& a,
                             const FixedType& b);

/// Of a concatenation.
FixedType hls4ml_concat_type(const FixedType& a, const FixedType& b);

}  // namespace millrace::quantize
