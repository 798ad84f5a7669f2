// SPDX-License-Identifier: Apache-2.0
// Writes graphs as QONNX models.
#pragma once

#include <string>

#include "millrace/graph/graph.h"

namespace millrace::frontends {

/// The bytes of a QONNX model (opset 13, IR 8) with the graph's results, bit for bit.
///
/// Maps are written as NCHW with a batch of 1, a fixed `input` as a float input with a `Quant`
/// behind it, a `requantize` as a `Quant`, a fixed constant as a float initialiser with a `Quant`.
/// import_onnx_bytes() gives the same graph again, except that a fixed constant comes back as a
/// real one with a quantiser. The same graph gives the same bytes.
///
/// Errors   what QONNX cannot say: rounding to nearest with ties up or down (it has only ties to
///          even, to zero and away from zero), overflow other than saturation, signed 1-bit types,
///          tables, scales outside float32, more than one input or output.
Result<std::string> export_onnx(const graph::Graph& graph);

}  // namespace millrace::frontends
