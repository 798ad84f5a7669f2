// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/ops/conv_transpose2d.h"

#include <algorithm>

#include "millrace/graph/messages.h"
#include "millrace/graph/ops/linear_range.h"
#include "millrace/graph/window.h"
#include "millrace/support/check.h"

namespace millrace::graph {

namespace {

bool is_in_range(int64_t kernel, int64_t stride, int64_t before, int64_t behind) {
  return kernel >= 1 && kernel <= Window::Limit && stride >= 1 && stride <= Window::Limit &&
         before >= 0 && before < kernel && behind > -stride && behind < kernel;
}

// Pixels a stride apart see the same taps, which lie a stride apart, too. Gives the first tap of
// each such set along one axis, where `out` pixels are left.
std::vector<int64_t> first_taps(int64_t out, int64_t stride, int64_t before, int64_t kernel) {
  std::vector<int64_t> firsts;
  for (int64_t tap = 0; tap < std::min(stride, kernel); ++tap)
    if (const int64_t first_pixel = (tap + stride - before % stride) % stride; first_pixel < out)
      firsts.push_back(tap);
  return firsts;
}

// Rows of w, seen as a matrix of products x filters, that meet in one pixel.
std::vector<int64_t> meeting_rows(const Shape& w, int64_t first_u, int64_t stride_h,
                                  int64_t first_v, int64_t stride_w) {
  std::vector<int64_t> rows;
  for (int64_t u = first_u; u < w[0]; u += stride_h)
    for (int64_t v = first_v; v < w[1]; v += stride_w)
      for (int64_t k = 0; k < w[2]; ++k)
        rows.push_back((u * w[1] + v) * w[2] + k);
  return rows;
}

}  // namespace

Result<TensorType> ConvTranspose2D::infer(Operands operands, const std::string& where) const {
  if (operands.size() != 3 || operands[0].type->shape.size() != 3 ||
      operands[1].type->shape.size() != 4 ||
      operands[2].type->shape.size() != 1)  // conv_transpose2d_c1
    return error(messages::ConvTranspose2DC1, where, to_string(operands));
  const Shape& x = operands[0].type->shape;
  const Shape& w = operands[1].type->shape;
  const Shape& b = operands[2].type->shape;
  if (w[0] != kernel_h || w[1] != kernel_w || w[2] != x[2] || w[3] != b[0])  // conv_transpose2d_c2
    return error(messages::ConvTranspose2DC2, where, millrace::to_string(w), millrace::to_string(b),
                 millrace::to_string(x), kernel_h, kernel_w);
  if (!is_in_range(kernel_h, stride_h, pad_top, pad_bottom) ||
      !is_in_range(kernel_w, stride_w, pad_left, pad_right))  // conv_transpose2d_c3
    return error(messages::ConvTranspose2DC3, where, kernel_h, kernel_w);
  const int64_t height = (x[0] - 1) * stride_h + kernel_h - pad_top - pad_bottom;
  const int64_t width = (x[1] - 1) * stride_w + kernel_w - pad_left - pad_right;
  if (height < 1 || width < 1)  // conv_transpose2d_c4
    return error(messages::ConvTranspose2DC4, where, millrace::to_string(x));
  const auto rows_of_taps = first_taps(height, stride_h, pad_top, kernel_h);
  const auto columns_of_taps = first_taps(width, stride_w, pad_left, kernel_w);
  check(!rows_of_taps.empty() && !columns_of_taps.empty(), "the first pixel has no tap");
  if (!operands[1].constant) {  // all products are alike: most meet at the first taps
    const int64_t num_rows = (kernel_h - 1 - rows_of_taps.front()) / stride_h + 1;
    const int64_t num_columns = (kernel_w - 1 - columns_of_taps.front()) / stride_w + 1;
    return linear_result_type({height, width, w[3]}, operands, num_rows * num_columns * w[2], w[3],
                              messages::ConvTranspose2DC5, where);  // conv_transpose2d_c5
  }
  std::vector<std::vector<int64_t>> rows;
  for (const int64_t u : rows_of_taps)
    for (const int64_t v : columns_of_taps)
      rows.push_back(meeting_rows(w, u, stride_h, v, stride_w));
  return linear_result_type({height, width, w[3]}, operands, rows, w[3],
                            messages::ConvTranspose2DC5, where);  // conv_transpose2d_c5
}

}  // namespace millrace::graph
