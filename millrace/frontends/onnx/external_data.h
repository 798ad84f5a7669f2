// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "millrace/support/diagnostics.h"

namespace onnx {
class TensorProto;
}

namespace millrace::frontends::onnx {

/// The bytes of a tensor whose numbers are in a file beside the model.
///
/// The file lies below `folder`, also when symbolic links are followed; the part that the model
/// names is `num_bytes` long and inside the file, which is checked before memory is taken.
/// Source   ONNX, "External Data": location, offset, length.
/// Errors   onnx.external_data, onnx.external_path, onnx.external_size
Result<std::string> read_external_data(const ::onnx::TensorProto& tensor, uint64_t num_bytes,
                                       const std::optional<std::filesystem::path>& folder,
                                       const std::string& where);

}  // namespace millrace::frontends::onnx
