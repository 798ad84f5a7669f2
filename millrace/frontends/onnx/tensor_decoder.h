// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace onnx {
class TensorProto;
}

namespace millrace::frontends::onnx {

/// The numbers of a tensor as doubles, exactly.
/// Errors   external data, a type other than float, double or integer, another count than the
///          shape needs, numbers that are not finite or not exact.
Result<FloatTensor> decode_tensor(const ::onnx::TensorProto& tensor, const std::string& where);

}  // namespace millrace::frontends::onnx
