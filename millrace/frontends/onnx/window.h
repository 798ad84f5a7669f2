// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/onnx/model.h"
#include "millrace/graph/window.h"

namespace millrace::frontends::onnx {

/// Reads strides, pads, dilations and auto_pad of a Conv or MaxPool with the given kernel over a
/// map of height x width.
///
/// Source   ONNX operators Conv-11, MaxPool-12: SAME_* gives ceil(extent / stride) positions.
/// Errors   dilations, strides or pads out of range, a kernel that does not fit.
Result<graph::Window> read_window(const Node& node, int64_t kernel_h, int64_t kernel_w,
                                  int64_t height, int64_t width);

}  // namespace millrace::frontends::onnx
