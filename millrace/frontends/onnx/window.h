// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/frontends/onnx/importer.h"
#include "millrace/graph/window.h"

namespace millrace::frontends::onnx {

/// Two numbers of a window attribute, for rows and columns: of one-dimensional layers the first is
/// `fallback`. Also four: top, left, bottom, right.
/// Errors   onnx.attribute where there are not as many, or one is not in [low, high].
Result<std::vector<int64_t>> read_extents(const Node& node, std::string_view name, bool is_1d,
                                          size_t per_axis, int64_t fallback, int64_t low,
                                          int64_t high);

/// The kernel of a pooling layer. Errors   onnx.attribute
Result<std::array<int64_t, 2>> read_kernel(const Node& node, bool is_1d);

/// A window, and the zeros around the map where there are more of them than a window can have.
struct PaddedWindow {
  graph::Window window;
  std::optional<graph::Pad> pad = std::nullopt;
};

/// Reads strides, pads, dilations and auto_pad of a Conv or a pooling layer with the given kernel.
/// Where `wide_padding` is allowed, padding as large as the kernel becomes a `pad` of its own.
///
/// Source   ONNX operators Conv-11, MaxPool-12: SAME_* gives ceil(extent / stride) positions.
/// Errors   dilations, strides or pads out of range, a kernel that does not fit.
Result<PaddedWindow> read_window(const Node& node, std::array<int64_t, 2> kernel, const Map& map,
                                 bool wide_padding);

}  // namespace millrace::frontends::onnx
