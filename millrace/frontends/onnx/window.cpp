// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/window.h"

#include <algorithm>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

constexpr int64_t MaxStride = 65535;

/// Padding before and behind one axis.
struct Padding {
  int64_t before = 0, behind = 0;
};

Padding same_padding(int64_t extent, int64_t kernel, int64_t stride, bool is_upper) {
  const int64_t positions = (extent + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((positions - 1) * stride + kernel - extent, 0);
  const int64_t less = total / 2;
  return is_upper ? Padding{less, total - less} : Padding{total - less, less};
}

Status check_dilations(const Node& node) {
  MR_TRY(const auto dilations, ints_attribute(node, "dilations", {1, 1}));
  if (dilations != std::vector<int64_t>{1, 1})
    return bad_attribute(node, "dilations", dilations, "[1, 1]");
  return {};
}

Status read_strides(const Node& node, graph::Window& window) {
  MR_TRY(const auto strides, ints_attribute(node, "strides", {1, 1}));
  const auto in_range = [](int64_t stride) { return stride >= 1 && stride <= MaxStride; };
  if (strides.size() != 2 || !std::ranges::all_of(strides, in_range))
    return bad_attribute(node, "strides", strides,
                         fmt::format("two numbers from 1 to {}", MaxStride));
  window.stride_h = strides[0];
  window.stride_w = strides[1];
  return {};
}

Status read_padding(const Node& node, int64_t height, int64_t width, graph::Window& window) {
  MR_TRY(const auto pads, ints_attribute(node, "pads", {0, 0, 0, 0}));
  const auto fits = [](int64_t pad, int64_t kernel) { return pad >= 0 && pad < kernel; };
  if (pads.size() != 4 || !fits(pads[0], window.kernel_h) || !fits(pads[1], window.kernel_w) ||
      !fits(pads[2], window.kernel_h) || !fits(pads[3], window.kernel_w))
    return bad_attribute(node, "pads", pads,
                         "[top, left, bottom, right], each at least 0 and less than the kernel");

  MR_TRY(const std::string auto_pad, string_attribute(node, "auto_pad", "NOTSET"));
  if (auto_pad == "NOTSET") {
    window.pad_top = pads[0];
    window.pad_left = pads[1];
    window.pad_bottom = pads[2];
    window.pad_right = pads[3];
    return {};
  }
  if (std::ranges::any_of(pads, [](int64_t pad) { return pad != 0; }))
    return bad_attribute(node, "pads", pads, "none beside auto_pad");
  if (auto_pad == "VALID")
    return {};
  if (auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER")
    return error(messages::BadAttribute, node.where, "auto_pad", printable(auto_pad),
                 "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  const bool is_upper = auto_pad == "SAME_UPPER";
  const Padding rows = same_padding(height, window.kernel_h, window.stride_h, is_upper);
  const Padding columns = same_padding(width, window.kernel_w, window.stride_w, is_upper);
  window.pad_top = rows.before;
  window.pad_bottom = rows.behind;
  window.pad_left = columns.before;
  window.pad_right = columns.behind;
  return {};
}

}  // namespace

Result<graph::Window> read_window(const Node& node, int64_t kernel_h, int64_t kernel_w,
                                  int64_t height, int64_t width) {
  graph::Window window{.kernel_h = kernel_h, .kernel_w = kernel_w};
  MR_TRY_STATUS(check_dilations(node));
  MR_TRY_STATUS(read_strides(node, window));
  MR_TRY_STATUS(read_padding(node, height, width, window));
  if (window.out_height(height) < 1 || window.out_width(width) < 1)
    return error(messages::KernelTooLarge, node.where, kernel_h, kernel_w,
                 height + window.pad_top + window.pad_bottom,
                 width + window.pad_left + window.pad_right);
  return window;
}

}  // namespace millrace::frontends::onnx
