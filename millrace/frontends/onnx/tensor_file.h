// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::frontends {

/// Reads a file of one ONNX TensorProto (.pb), as ONNX's tests have them for inputs and outputs.
/// Shapes   as stored, with the batch.
/// Errors   unreadable; no TensorProto; a type or numbers that decode_tensor() refuses.
Result<FloatTensor> read_onnx_tensor(const std::filesystem::path& path);

}  // namespace millrace::frontends
