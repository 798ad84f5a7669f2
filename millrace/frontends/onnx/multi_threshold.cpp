// SPDX-License-Identifier: Apache-2.0
// FINN's and QONNX's MultiThreshold: how many thresholds a number reaches.
#include <algorithm>
#include <cmath>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {

/// Each comparison x >= t is binarize(x - t), 1 or -1, so that T of them add up to twice their
/// number less T: out_scale * number + out_bias is an affine of the sum.
///
/// Source   QONNX, MultiThreshold: channels are axis 1 of NC and NCHW, the last of NHWC and of
///          tensors of other ranks.
Status Importer::multi_threshold(const Node& node) {
  constexpr int64_t MaxThresholds = 255;  // of an 8-bit quantiser
  MR_TRY(const Activation* operand, computed(node, 0, "input"));
  const Activation x = *operand;
  MR_TRY(const ConstantValue* thresholds, constant(node, 1, "thresholds"));
  MR_TRY(const double out_scale, float_attribute(node, "out_scale", 1));
  MR_TRY(const double out_bias, float_attribute(node, "out_bias", 0));
  MR_TRY(const std::string data_layout, string_attribute(node, "data_layout", "NCHW"));
  // It tells other tools a type that follows from the rest.
  MR_TRY_STATUS(string_attribute(node, "out_dtype", ""));
  if (data_layout != "NCHW" && data_layout != "NHWC")
    return error(messages::BadAttribute, node.where, "data_layout", printable(data_layout),
                 "NCHW or NHWC");
  if (!std::isfinite(out_scale) || !std::isfinite(out_bias))
    return error(messages::NotFinite, node.where, "no finite scale or bias");
  const size_t rank = x.shape.size();
  const bool is_first = rank == 2 || (rank == 4 && data_layout == "NCHW");
  if (rank == 0 || (data_layout == "NHWC" && rank != 4 && rank != 2))
    return error(messages::Rank, node.where, "input", to_string(x.shape), "NxC or NxHxWxC");
  const size_t axis = is_first ? 1 : rank - 1;
  const Shape& shape = thresholds->shape();
  if (shape.size() != 2 || (shape[0] != 1 && shape[0] != x.shape[axis]))
    return error(messages::LayerShapes, node.where, "thresholds", to_string(shape), "input",
                 to_string(x.shape));
  const int64_t count = shape[1];
  if (count < 1 || count > MaxThresholds)
    return error(messages::Thresholds, node.where, count, MaxThresholds);
  const FloatTensor numbers = settled(*thresholds);

  Shape of_channels(rank - axis, 1);
  of_channels[0] = shape[0];
  std::optional<Activation> sum;
  for (int64_t t = 0; t < count; ++t) {
    FloatTensor column{of_channels, {}};
    for (int64_t c = 0; c < shape[0]; ++c)
      column.data.push_back(numbers.data[static_cast<size_t>(c * count + t)]);
    const bool are_zero = std::ranges::all_of(column.data, [](double n) { return n == 0; });
    const std::string place = count == 1 ? "" : fmt::format(".{}", t);
    const ConstantValue threshold{
        node.name + place + ".threshold", fmt::format("{} threshold {}", node.outputs.front(), t),
        node.where, std::make_shared<const FloatTensor>(std::move(column))};
    Activation reached = x;
    if (!are_zero) {
      MR_TRY(reached, binary(node, place + ".distance", graph::BinaryFunction::Sub, x, threshold));
    }
    MR_TRY(reached.id, emit(node, place + ".reached", graph::Binarize{}, {reached.id}));
    if (sum) {
      MR_TRY(sum, binary(node, place + ".sum", graph::BinaryFunction::Add, *sum, reached));
    } else {
      sum = std::move(reached);
    }
  }
  const double scale = out_scale / 2;
  const double offset = scale * static_cast<double>(count) + out_bias;
  if (scale != 1 || offset != 0) {
    MR_TRY(sum, affine(node, *sum, {{}, {scale}}, {{}, {offset}}));
  }
  define(node.outputs.front(), *std::move(sum));
  return {};
}

}  // namespace millrace::frontends::onnx
