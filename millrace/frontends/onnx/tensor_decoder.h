// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "millrace/frontends/onnx/model.h"

namespace onnx {
class TensorProto;
}

namespace millrace::frontends::onnx {

/// The type that holds every number of an ONNX integer or boolean type; none for other types.
std::optional<FixedType> integer_type(int data_type);

/// The numbers of a tensor as doubles, exactly; from a file below `folder` where they are not in
/// the tensor.
/// Errors   a type other than floats, booleans or integers, another count than the shape needs,
///          numbers that are not finite or not exact, external data that cannot be read.
Result<ModelTensor> decode_tensor(const ::onnx::TensorProto& tensor, const std::string& where,
                                  const std::optional<std::filesystem::path>& folder = {});

}  // namespace millrace::frontends::onnx
