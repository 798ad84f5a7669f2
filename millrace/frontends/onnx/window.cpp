// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/window.h"

#include <algorithm>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

constexpr int64_t MaxExtent = 65535;

Status read_padding(const Node& node, const Map& map, graph::Window& window) {
  MR_TRY(const auto pads, read_extents(node, "pads", map.is_1d, 2, 0, 0, MaxExtent));
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
  window.pad_same(map.height, map.width, auto_pad == "SAME_LOWER");
  return {};
}

}  // namespace

Result<std::vector<int64_t>> read_extents(const Node& node, std::string_view name, bool is_1d,
                                          size_t per_axis, int64_t fallback, int64_t low,
                                          int64_t high) {
  const size_t count = (is_1d ? 1 : 2) * per_axis;
  MR_TRY(auto numbers, ints_attribute(node, name, std::vector<int64_t>(count, fallback)));
  const auto in_range = [&](int64_t number) { return number >= low && number <= high; };
  if (numbers.size() != count || !std::ranges::all_of(numbers, in_range))
    return bad_attribute(
        node, name, numbers,
        fmt::format("{} from {} to {}",
                    count == 1 ? "one number" : fmt::format("{} numbers", count), low, high));
  if (is_1d) {  // a map of one row
    numbers.insert(numbers.begin(), fallback);
    if (per_axis == 2)
      numbers.insert(numbers.begin() + 2, fallback);
  }
  return numbers;
}

Result<std::array<int64_t, 2>> read_kernel(const Node& node, bool is_1d) {
  if (!node.attributes.contains("kernel_shape"))
    return error(messages::MissingAttribute, node.where, "kernel_shape");
  MR_TRY(const auto kernel, read_extents(node, "kernel_shape", is_1d, 1, 1, 1, MaxExtent));
  return std::array<int64_t, 2>{kernel[0], kernel[1]};
}

Result<PaddedWindow> read_window(const Node& node, std::array<int64_t, 2> kernel, const Map& map,
                                 bool wide_padding) {
  PaddedWindow result;
  graph::Window& window = result.window;
  window.kernel_h = kernel[0];
  window.kernel_w = kernel[1];
  MR_TRY(const auto strides, read_extents(node, "strides", map.is_1d, 1, 1, 1, MaxExtent));
  window.stride_h = strides[0];
  window.stride_w = strides[1];
  MR_TRY(const auto dilations, read_extents(node, "dilations", map.is_1d, 1, 1, 1, MaxExtent));
  window.dilation_h = dilations[0];
  window.dilation_w = dilations[1];
  MR_TRY_STATUS(read_padding(node, map, window));
  if (window.out_height(map.height) < 1 || window.out_width(map.width) < 1)
    return error(messages::KernelTooLarge, node.where, window.extent_h(), window.extent_w(),
                 map.height + window.pad_top + window.pad_bottom,
                 map.width + window.pad_left + window.pad_right);
  if (window.is_valid())
    return result;
  if (!wide_padding)
    return bad_attribute(node, "pads",
                         {window.pad_top, window.pad_left, window.pad_bottom, window.pad_right},
                         "[top, left, bottom, right], each at least 0 and less than the kernel");
  result.pad = graph::Pad{window.pad_top, window.pad_left, window.pad_bottom, window.pad_right};
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 0;
  return result;
}

}  // namespace millrace::frontends::onnx
