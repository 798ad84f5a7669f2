// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/tensor_file.h"

#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/tensor_decoder.h"
#include "millrace/support/files.h"

namespace millrace::frontends {

Result<FloatTensor> read_onnx_tensor(const std::filesystem::path& path) {
  MR_TRY(const std::string bytes, read_file(path, uint64_t{1} << 30));
  ::onnx::TensorProto tensor;
  if (bytes.empty() || !tensor.ParseFromString(bytes))
    return error(onnx::messages::NotATensor, path.string());
  MR_TRY(onnx::ModelTensor decoded, onnx::decode_tensor(tensor, path.string()));
  return std::move(decoded.numbers);
}

}  // namespace millrace::frontends
