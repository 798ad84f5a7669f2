// SPDX-License-Identifier: Apache-2.0
// Pooling layers.
#include <algorithm>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/window.h"

namespace millrace::frontends::onnx {
namespace {

/// With ceil_mode the last window may reach beyond the padded map: by this much more padding.
Status round_up(const Node& node, const Map& map, graph::Window& window) {
  const auto missing = [](int64_t padded, int64_t extent, int64_t stride) {
    const int64_t rest = (padded - extent) % stride;
    return rest == 0 ? 0 : stride - rest;
  };
  window.pad_bottom +=
      missing(map.height + window.pad_top + window.pad_bottom, window.extent_h(), window.stride_h);
  window.pad_right +=
      missing(map.width + window.pad_left + window.pad_right, window.extent_w(), window.stride_w);
  // Frameworks disagree about windows that hold nothing but padding.
  if (!window.is_valid())
    return error(messages::CeilMode, node.where);
  return {};
}

}  // namespace

Status Importer::max_pool(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  MR_TRY(const auto kernel, read_kernel(node, map.is_1d));
  MR_TRY(PaddedWindow padded, read_window(node, kernel, map, false));
  graph::Window& window = padded.window;
  MR_TRY(const int64_t ceil_mode, int_attribute(node, "ceil_mode", 0));
  if (ceil_mode != 0)
    MR_TRY_STATUS(round_up(node, map, window));
  MR_TRY(const graph::ValueId id, emit(node, "", graph::MaxPool{window}, {map.id}));
  define(node.outputs.front(),
         map.with(id, map.channels, window.out_height(map.height), window.out_width(map.width)));
  return {};
}

Status Importer::average_pool(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  MR_TRY(const auto kernel, read_kernel(node, map.is_1d));
  MR_TRY(PaddedWindow padded, read_window(node, kernel, map, false));
  graph::Window& window = padded.window;
  MR_TRY(const int64_t ceil_mode, int_attribute(node, "ceil_mode", 0));
  MR_TRY(const int64_t include, int_attribute(node, "count_include_pad", 0));
  if (ceil_mode != 0) {
    const graph::Window before = window;
    MR_TRY_STATUS(round_up(node, map, window));
    // Whether the rows beyond the padding count has changed between versions of ONNX.
    if (include != 0 && window != before)
      return error(messages::CeilMode, node.where);
  }
  MR_TRY(const graph::ValueId id,
         emit(node, "", graph::AvgPool{window, include != 0 && window.is_padded(), {}}, {map.id}));
  define(node.outputs.front(),
         map.with(id, map.channels, window.out_height(map.height), window.out_width(map.width)));
  return {};
}

Status Importer::global_pool(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  const graph::Window window{.kernel_h = map.height, .kernel_w = map.width};
  graph::OpKind kind = graph::MaxPool{window};
  if (node.op == "GlobalAveragePool")
    kind = graph::AvgPool{window, false, {}};
  MR_TRY(const graph::ValueId id, emit(node, "", std::move(kind), {map.id}));
  define(node.outputs.front(), map.with(id, map.channels, 1, 1));
  return {};
}

}  // namespace millrace::frontends::onnx
