// SPDX-License-Identifier: Apache-2.0
#include "tests/support/draw_spatial.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace millrace::testing {

using graph::ConvTranspose2D;
using graph::Slice;
using graph::Transpose;
using graph::Window;

Window draw_window(Draw& draw, const Shape& map, int64_t max_extent) {
  const auto fits = [&](int64_t extent) { return 1 <= extent && extent <= max_extent; };
  Window window;
  do {
    window = {.kernel_h = draw.between(1, 3),
              .kernel_w = draw.between(1, 3),
              .stride_h = draw.between(1, 2),
              .stride_w = draw.between(1, 2),
              .dilation_h = draw.chance(60) ? 1 : draw.between(1, 3),
              .dilation_w = draw.chance(60) ? 1 : draw.between(1, 3)};
    const auto padding = [&](int64_t extent) {
      return draw.chance(50) ? 0 : draw.between(0, extent - 1);
    };
    window.pad_top = padding(window.extent_h());
    window.pad_left = padding(window.extent_w());
    window.pad_bottom = padding(window.extent_h());
    window.pad_right = padding(window.extent_w());
  } while (!fits(window.out_height(map[0])) || !fits(window.out_width(map[1])) ||
           !window.reaches_map(map[0], map[1]));
  return window;
}

ConvTranspose2D draw_conv_transpose(Draw& draw, const Shape& map, int64_t max_extent) {
  const auto fits = [&](int64_t extent) { return 1 <= extent && extent <= max_extent; };
  ConvTranspose2D conv;
  do {
    conv.kernel_h = draw.between(1, 3);
    conv.kernel_w = draw.between(1, 3);
    conv.stride_h = draw.between(1, 2);
    conv.stride_w = draw.between(1, 2);
    conv.pad_top = draw.between(0, conv.kernel_h - 1);
    conv.pad_left = draw.between(0, conv.kernel_w - 1);
    conv.pad_bottom = draw.between(1 - conv.stride_h, conv.kernel_h - 1);
    conv.pad_right = draw.between(1 - conv.stride_w, conv.kernel_w - 1);
  } while (!fits((map[0] - 1) * conv.stride_h + conv.kernel_h - conv.pad_top - conv.pad_bottom) ||
           !fits((map[1] - 1) * conv.stride_w + conv.kernel_w - conv.pad_left - conv.pad_right));
  return conv;
}

Slice draw_slice(Draw& draw, const Shape& shape) {
  Slice slice;
  for (const int64_t extent : shape) {
    slice.begin.push_back(draw.between(0, (extent - 1) / 2));
    const int64_t rest = extent - slice.begin.back();
    slice.size.push_back(draw.between(std::min(rest, extent / 2 + 1), rest));
  }
  return slice;
}

Transpose draw_transpose(Draw& draw) {
  Transpose transpose;
  auto& permutation = transpose.permutation;
  std::swap(permutation[0], permutation[static_cast<size_t>(draw.between(0, 2))]);
  std::swap(permutation[1], permutation[static_cast<size_t>(draw.between(1, 2))]);
  return transpose;
}

int64_t draw_groups(Draw& draw, int64_t channels) {
  std::vector<int64_t> divisors;
  for (int64_t groups = 1; groups <= channels; ++groups)
    if (channels % groups == 0)
      divisors.push_back(groups);
  return draw.one_of(divisors);
}

}  // namespace millrace::testing
