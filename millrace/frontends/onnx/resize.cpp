// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample, where they repeat pixels.
#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "millrace/frontends/onnx/attributes.h"
#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"

namespace millrace::frontends::onnx {
namespace {

/// How Resize finds the pixel of the smaller map.
struct Sampling {
  std::string coordinates = "asymmetric";
  std::string nearest = "floor";
};

/// The pixel that position `x` of a map of `out` pixels takes of one of `in`; none for modes that
/// are not known. Source   ONNX, Resize-13.
std::optional<int64_t> source_pixel(const Sampling& sampling, int64_t x, int64_t in, int64_t out) {
  const auto position = static_cast<double>(x), length = static_cast<double>(out);
  const auto original = static_cast<double>(in);
  const double scale = length / original;
  double place = 0;
  if (sampling.coordinates == "asymmetric")
    place = position / scale;
  else if (sampling.coordinates == "half_pixel")
    place = (position + 0.5) / scale - 0.5;
  else if (sampling.coordinates == "pytorch_half_pixel")
    place = out > 1 ? (position + 0.5) / scale - 0.5 : 0;
  else if (sampling.coordinates == "align_corners")
    place = out > 1 ? position * (original - 1) / (length - 1) : 0;
  else if (sampling.coordinates == "tf_half_pixel_for_nn")
    place = (position + 0.5) / scale;
  else
    return std::nullopt;
  double pixel = 0;
  if (sampling.nearest == "round_prefer_floor")
    pixel = std::ceil(place - 0.5);
  else if (sampling.nearest == "round_prefer_ceil")
    pixel = std::floor(place + 0.5);
  else if (sampling.nearest == "floor")
    pixel = std::floor(place);
  else if (sampling.nearest == "ceil")
    pixel = std::ceil(place);
  else
    return std::nullopt;
  return std::clamp<int64_t>(static_cast<int64_t>(pixel), 0, in - 1);
}

/// True where every pixel is repeated `factor` times.
bool repeats(const Sampling& sampling, int64_t in, int64_t factor) {
  if (sampling.coordinates == "asymmetric" && sampling.nearest == "floor")
    return true;
  constexpr int64_t MaxLength = int64_t{1} << 20;  // beyond that the search takes too long
  if (in > MaxLength / factor)
    return false;
  for (int64_t x = 0; x < in * factor; ++x)
    if (source_pixel(sampling, x, in, in * factor) != x / factor)
      return false;
  return true;
}

}  // namespace

Status Importer::resize(const Node& node) {
  MR_TRY(const Map map, map_operand(node, 0));
  const bool is_old = node.op == "Upsample" || model_.opset < 11;
  MR_TRY(const std::string mode, string_attribute(node, "mode", "nearest"));
  if (mode != "nearest")
    return error(messages::BadAttribute, node.where, "mode", printable(mode), "nearest");
  Sampling sampling;
  if (!is_old) {
    MR_TRY(sampling.coordinates,
           string_attribute(node, "coordinate_transformation_mode", "half_pixel"));
    MR_TRY(sampling.nearest, string_attribute(node, "nearest_mode", "round_prefer_floor"));
  }
  MR_TRY(const std::string policy, string_attribute(node, "keep_aspect_ratio_policy", "stretch"));
  if (policy != "stretch")
    return error(messages::BadAttribute, node.where, "keep_aspect_ratio_policy", printable(policy),
                 "stretch");
  const Shape shape = std::get<Activation>(operand(node, 0)).shape;
  const size_t rank = shape.size();
  std::vector<int64_t> all(rank);
  std::iota(all.begin(), all.end(), 0);
  MR_TRY(const auto numbers, ints_attribute(node, "axes", all));
  MR_TRY(const auto axes, axes_of(node, "axes", numbers, rank));

  std::vector<double> factors(rank, 1);
  const size_t scales_input = is_old ? 1 : 2;
  std::vector<double> given;
  if (const auto found = node.attributes.find("scales"); found != node.attributes.end()) {
    if (const auto* list = std::get_if<std::vector<double>>(&found->second))
      given = *list;
  } else if (has_input(node, scales_input)) {
    MR_TRY(const ConstantValue* scales, real_constant(node, scales_input, "scales"));
    given = scales->value->data;
  }
  if (given.empty() && !is_old && has_input(node, 3)) {
    MR_TRY(const auto sizes, integers(node, 3, "sizes"));
    for (size_t i = 0; i < sizes.size() && i < axes.size(); ++i)
      given.push_back(static_cast<double>(sizes[i]) / static_cast<double>(shape[axes[i]]));
  }
  if (given.size() != axes.size())
    return error(messages::ResizeFactor, node.where, "not given for every axis");
  for (size_t i = 0; i < axes.size(); ++i)
    factors[axes[i]] = given[i];
  const std::array<double, 2> factor = {map.is_1d ? 1.0 : factors[2], factors.back()};
  const auto is_factor = [](double f) {
    return f >= 1 && f == std::floor(f) && f <= static_cast<double>(graph::Window::Limit);
  };
  if (factors[0] != 1 || factors[1] != 1 || !is_factor(factor[0]) || !is_factor(factor[1]))
    return error(messages::ResizeFactor, node.where, fmt::format("{}", fmt::join(factors, "x")));
  const auto rows = static_cast<int64_t>(factor[0]), columns = static_cast<int64_t>(factor[1]);
  if (!bounded_elements({map.height, rows, map.width, columns, map.channels}))
    return error(messages::TooLarge, node.where, "the result",
                 fmt::format("{} elements", MaxElements));
  if (!repeats(sampling, map.height, rows) || !repeats(sampling, map.width, columns))
    return error(messages::ResizeMode, node.where, printable(sampling.coordinates),
                 printable(sampling.nearest));
  MR_TRY(const graph::ValueId id, emit(node, "", graph::Upsample{rows, columns}, {map.id}));
  define(node.outputs.front(), map.with(id, map.channels, map.height * rows, map.width * columns));
  return {};
}

}  // namespace millrace::frontends::onnx
