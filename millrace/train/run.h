// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "millrace/train/protocol.h"

namespace millrace::train {

/// What millrace-train does with a request: loads the images, trains, writes QONNX, and compares
/// the file as the compiler reads it with LibTorch on every test image.
///
/// Nothing is written unless all is well.
/// Errors   a request that cannot be met; data that cannot be loaded; an output file that cannot be
///          written. InternalError when the exact graph differs from what was trained.
Result<TrainResult> train(const TrainRequest& request,
                          const std::function<void(const ProgressEvent&)>& on_epoch = {});

}  // namespace millrace::train
