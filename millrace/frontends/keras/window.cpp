// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
Result<graph::Window> place_window(LayerCall& call, const WindowOptions& options, const Value& x) {
  const Shape map = graph_shape(x.shape);
  const bool is_pool = !call.config.has("kernel_size");
  const auto check = [&](std::string_view key, const std::vector<int64_t>& numbers) -> Status {
    const auto in_range = [](int64_t n) { return n >= 1 && n <= graph::Window::Limit; };
    if (!std::ranges::all_of(numbers, in_range))
      return call.config.bad(key, "at least 1");
    return {};
  };
  MR_TRY_STATUS(check(is_pool ? "pool_size" : "kernel_size", options.kernel));
  MR_TRY_STATUS(check("strides", options.stride));
  MR_TRY_STATUS(check("dilation_rate", options.dilation));
  graph::Window window{.kernel_w = options.kernel.back(),
                       .stride_w = options.stride.back(),
                       .dilation_w = options.dilation.back()};
  if (options.dimensions == 2) {
    window.kernel_h = options.kernel.front();
    window.stride_h = options.stride.front();
    window.dilation_h = options.dilation.front();
  }
  const bool fits = window.kernel_h <= graph::Window::Limit / window.dilation_h &&
                    window.kernel_w <= graph::Window::Limit / window.dilation_w;
  if (fits && options.padding == "same") {
    window.pad_same(map[0], map[1]);
  } else if (fits && options.padding == "causal" && options.dimensions == 1 && !is_pool) {
    window.pad_left = window.extent_w() - 1;
  } else if (options.padding != "valid" && options.padding != "same") {
    return call.config.bad("padding", "'valid' or 'same', of sequences also 'causal'");
  }
  if (!fits || window.out_height(map[0]) < 1 || window.out_width(map[1]) < 1)
    return error(messages::Window, call.where(), window.kernel_h, window.kernel_w, map[0], map[1]);
  return window;
}

Shape window_shape(const graph::Window& window, const Value& x, int64_t channels) {
  const Shape map = graph_shape(x.shape);
  const int64_t width = window.out_width(map[1]);
  if (x.shape.size() == 2)
    return {width, channels};
  return {window.out_height(map[0]), width, channels};
}

}  // namespace millrace::frontends::keras
