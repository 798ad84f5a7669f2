// SPDX-License-Identifier: Apache-2.0
// Conv and ConvTranspose.
#include <algorithm>
#include <array>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/layers.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/window.h"

namespace millrace::frontends::onnx {
namespace {

/// The kernel of weights AxBxKHxKW, or AxBxK.
std::vector<int64_t> kernel_of(const Shape& weights) {
  return {weights.begin() + 2, weights.end()};
}

/// Weights AxBxK as AxBx1xK.
FloatTensor with_rows(const FloatTensor& in) {
  FloatTensor out = in;
  if (out.shape.size() == 3)
    out.shape.insert(out.shape.begin() + 2, 1);
  return out;
}

/// Zeros between the taps of a KHxKWxCxF kernel.
FloatTensor dilated(const FloatTensor& in, int64_t dilation_h, int64_t dilation_w) {
  if (dilation_h == 1 && dilation_w == 1)
    return in;
  const int64_t tap = in.shape[2] * in.shape[3];
  FloatTensor out{{(in.shape[0] - 1) * dilation_h + 1, (in.shape[1] - 1) * dilation_w + 1,
                   in.shape[2], in.shape[3]},
                  {}};
  out.data.assign(static_cast<size_t>(num_elements(out.shape)), 0);
  for (int64_t i = 0; i < in.shape[0]; ++i)
    for (int64_t j = 0; j < in.shape[1]; ++j)
      std::copy_n(in.data.begin() + (i * in.shape[1] + j) * tap, tap,
                  out.data.begin() + (i * dilation_h * out.shape[1] + j * dilation_w) * tap);
  return out;
}

/// Checks weights against the map: their rank, and the optional attribute kernel_shape.
Status check_weights(const Node& node, const Map& map, const Shape& weights,
                     std::string_view layout) {
  if (!has_elements(weights, map.is_1d ? 3 : 4))
    return error(messages::Rank, node.where, "weight", to_string(weights),
                 fmt::format("{}{}", layout, map.is_1d ? "xK" : "xKHxKW"));
  const std::vector<int64_t> kernel = kernel_of(weights);
  MR_TRY(const auto given, ints_attribute(node, "kernel_shape", kernel));
  if (given != kernel)
    return bad_attribute(node, "kernel_shape", given, "the extents of the weights");
  return {};
}

/// One axis of a transposed convolution.
struct TransposedAxis {
  int64_t in = 1, kernel = 1, stride = 1, output_padding = 0;
  int64_t before = 0, behind = 0;

  int64_t unpadded() const { return (in - 1) * stride + kernel + output_padding; }
  /// Pads so that the result has this extent; the odd pixel goes behind where `is_upper`.
  void pad_to(int64_t extent, bool is_upper) {
    const int64_t total = unpadded() - extent;
    const int64_t half = (total >= 0 ? total : total - 1) / 2;  // rounded down
    before = is_upper ? half : total - half;
    behind = total - before;
  }
};

}  // namespace

Status Importer::conv(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  MR_TRY(const ConstantValue* operand, scaled_constant(node, 1, "weight"));
  const Shape& oihw = operand->shape();
  MR_TRY_STATUS(check_weights(node, map, oihw, "FxC"));
  MR_TRY(const int64_t groups, int_attribute(node, "group", 1));
  const int64_t filters = oihw[0];
  if (groups < 1 || filters % groups != 0 || map.channels % groups != 0)
    return bad_attribute(node, "group", groups, "a divisor of the channels and of the filters");
  if (oihw[1] != map.channels / groups)
    return error(messages::LayerShapes, node.where, "weight", to_string(oihw), "input has channels",
                 map.channels);
  const int inner = map.is_1d ? 1 : 2;
  MR_TRY(const PaddedWindow padded,
         read_window(node, {map.is_1d ? 1 : oihw[2], oihw.back()}, map, true));
  const graph::Window& window = padded.window;

  MR_TRY(const Bias bias, find_bias(node, 2, has_input(node, 2) ? 0 : inner, filters));
  if (has_input(node, 2) && bias.value->shape() != Shape{filters})
    return error(messages::BiasShape, node.where, to_string(bias.value->shape()), filters);
  const Weights weights = separate_scale(*operand, 0);
  MR_TRY(const graph::ValueId w, materialise(weights.constant, "hwio", [](const FloatTensor& in) {
           return transpose(with_rows(in), std::array<int64_t, 4>{2, 3, 1, 0});
         }));
  graph::ValueId x = map.id;
  int64_t height = map.height, width = map.width;
  if (padded.pad) {
    MR_TRY(x, emit(node, ".pad", *padded.pad, {x}));
    height += padded.pad->top + padded.pad->bottom;
    width += padded.pad->left + padded.pad->right;
  }
  MR_TRY(const graph::ValueId y,
         layer(node, graph::Conv2D{window, groups}, x, w, bias, filters, weights.output_scale));
  define(bias.output, map.with(y, filters, window.out_height(height), window.out_width(width)));
  return {};
}

Status Importer::conv_transpose(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  MR_TRY(const ConstantValue* operand, scaled_constant(node, 1, "weight"));
  const Shape& iohw = operand->shape();
  MR_TRY_STATUS(check_weights(node, map, iohw, "CxF"));
  MR_TRY(const int64_t groups, int_attribute(node, "group", 1));
  if (groups != 1)
    return bad_attribute(node, "group", groups, "1");
  if (iohw[0] != map.channels)
    return error(messages::LayerShapes, node.where, "weight", to_string(iohw), "input has channels",
                 map.channels);
  const int64_t filters = iohw[1];
  constexpr int64_t MaxExtent = 65535;
  MR_TRY(const auto strides, read_extents(node, "strides", map.is_1d, 1, 1, 1, MaxExtent));
  MR_TRY(const auto dilations, read_extents(node, "dilations", map.is_1d, 1, 1, 1, MaxExtent));
  MR_TRY(const auto output_padding,
         read_extents(node, "output_padding", map.is_1d, 1, 0, 0, MaxExtent));
  MR_TRY(const auto pads, read_extents(node, "pads", map.is_1d, 2, 0, 0, MaxExtent));
  MR_TRY(const std::string auto_pad, string_attribute(node, "auto_pad", "NOTSET"));
  const std::array<int64_t, 2> kernel = {map.is_1d ? 1 : iohw[2], iohw.back()};
  const auto dilated_size =
      bounded_elements({kernel[0], dilations[0], kernel[1], dilations[1], iohw[0], filters});
  if (dilated_size.value_or(MaxElements) > MaxFolded)
    return error(messages::TooLarge, node.where, "the dilated kernel",
                 fmt::format("{} elements", MaxFolded));
  std::array<TransposedAxis, 2> axes;
  for (size_t i = 0; i < 2; ++i)
    axes[i] = {i == 0 ? map.height : map.width,
               (kernel[i] - 1) * dilations[i] + 1,
               strides[i],
               output_padding[i],
               pads[i],
               pads[i + 2]};
  const bool is_same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (node.attributes.contains("output_shape")) {
    MR_TRY(auto extents, ints_attribute(node, "output_shape", {}));
    if (extents.size() == (map.is_1d ? 3U : 4U))  // some name batch and channels too
      extents.erase(extents.begin(), extents.begin() + 2);
    if (map.is_1d)
      extents.insert(extents.begin(), 1);
    const auto in_range = [](int64_t extent) { return extent >= 1 && extent <= MaxElements; };
    if (extents.size() != 2 || !std::ranges::all_of(extents, in_range))
      return bad_attribute(node, "output_shape", extents, "the height and width of the result");
    for (size_t i = 0; i < 2; ++i)
      axes[i].pad_to(extents[i], auto_pad == "SAME_UPPER");
  } else if (is_same) {
    for (TransposedAxis& axis : axes)
      axis.pad_to(axis.in * axis.stride, auto_pad == "SAME_UPPER");
  } else if (auto_pad != "NOTSET" && auto_pad != "VALID") {
    return error(messages::BadAttribute, node.where, "auto_pad", printable(auto_pad),
                 "NOTSET, VALID, SAME_UPPER or SAME_LOWER");
  }
  const graph::ConvTranspose2D conv{.kernel_h = axes[0].kernel,
                                    .kernel_w = axes[1].kernel,
                                    .stride_h = axes[0].stride,
                                    .stride_w = axes[1].stride,
                                    .pad_top = axes[0].before,
                                    .pad_left = axes[1].before,
                                    .pad_bottom = axes[0].behind - axes[0].output_padding,
                                    .pad_right = axes[1].behind - axes[1].output_padding};

  MR_TRY(const Bias bias,
         find_bias(node, 2, has_input(node, 2) ? 0 : (map.is_1d ? 1 : 2), filters));
  if (has_input(node, 2) && bias.value->shape() != Shape{filters})
    return error(messages::BiasShape, node.where, to_string(bias.value->shape()), filters);
  const Weights weights = separate_scale(*operand, 1);
  MR_TRY(const graph::ValueId w,
         materialise(weights.constant, fmt::format("transposed*{}x{}", dilations[0], dilations[1]),
                     [&](const FloatTensor& in) {
                       return dilated(transpose(with_rows(in), std::array<int64_t, 4>{2, 3, 0, 1}),
                                      dilations[0], dilations[1]);
                     }));
  MR_TRY(const graph::ValueId y, layer(node, conv, map.id, w, bias, filters, weights.output_scale));
  const Shape& shape = builder_.type(y).shape;
  define(bias.output, map.with(y, filters, shape[0], shape[1]));
  return {};
}

}  // namespace millrace::frontends::onnx
