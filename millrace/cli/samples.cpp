// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/samples.h"

#include <cmath>

#include "millrace/cli/messages.h"
#include "millrace/data/npy.h"
#include "millrace/frontends/onnx/tensor_file.h"

namespace millrace::cli {
namespace {

Shape channels_first(const Shape& map) {
  return {map[2], map[0], map[1]};
}

// Copies maps of H x W x C from one order to the other; to_first says which.
template <class Number>
std::vector<Number> reordered(const std::vector<Number>& from, const Shape& map, bool to_first) {
  const auto pixels = static_cast<size_t>(map[0] * map[1]), channels = static_cast<size_t>(map[2]);
  std::vector<Number> to(from.size());
  for (size_t start = 0; start < from.size(); start += pixels * channels)
    for (size_t pixel = 0; pixel < pixels; ++pixel)
      for (size_t channel = 0; channel < channels; ++channel) {
        const size_t last = start + pixel * channels + channel;
        const size_t first = start + channel * pixels + pixel;
        to[to_first ? first : last] = from[to_first ? last : first];
      }
  return to;
}

// Copies tensors of a port from the model's order to the graph's, or back.
template <class Number>
std::vector<Number> permuted(const std::vector<Number>& from, const frontends::PortLayout& port,
                             bool to_graph) {
  std::vector<size_t> steps(port.shape.size(), 1);
  for (size_t axis = port.shape.size(); axis-- > 1;)
    steps[axis - 1] = steps[axis] * static_cast<size_t>(port.shape[axis]);
  const auto size = static_cast<size_t>(num_elements(port.shape));
  std::vector<size_t> place(size);  // in the model's order, of each element in the graph's
  for (size_t i = 0; i < size; ++i) {
    size_t rest = i;
    for (size_t position = port.axes.size(); position-- > 0;) {
      const size_t axis = port.axes[position];
      const auto extent = static_cast<size_t>(port.shape[axis]);
      place[i] += rest % extent * steps[axis];
      rest /= extent;
    }
  }
  std::vector<Number> to(from.size());
  for (size_t start = 0; start < from.size(); start += size)
    for (size_t i = 0; i < size; ++i)
      to[start + (to_graph ? i : place[i])] = from[start + (to_graph ? place[i] : i)];
  return to;
}

// Whether an array is one sample of this shape or several; no value where it is neither.
std::optional<bool> is_batch_of(const Shape& array, const Shape& sample) {
  if (array == sample)
    return false;
  if (!array.empty() && Shape(array.begin() + 1, array.end()) == sample)
    return true;
  return std::nullopt;
}

}  // namespace

std::optional<Layout> parse_layout(const std::string& text) {
  if (text == "hwc")
    return Layout::ChannelsLast;
  if (text == "chw")
    return Layout::ChannelsFirst;
  return std::nullopt;
}

std::vector<double> Samples::sample(int64_t index) const {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / count;
  return {values.begin() + index * size, values.begin() + (index + 1) * size};
}

Result<Samples> arrange_samples(FloatTensor array, const Shape& input, std::optional<Layout> layout,
                                const std::string& where) {
  const bool is_map = input.size() == 3;
  const auto last = is_batch_of(array.shape, input);
  const auto first = is_map ? is_batch_of(array.shape, channels_first(input)) : std::nullopt;
  if (!layout && last && first && input[2] > 1)
    return error(messages::SampleLayout, where, to_string(array.shape));
  Samples samples;
  samples.layout = layout.value_or(last ? Layout::ChannelsLast : Layout::ChannelsFirst);
  const auto fits = samples.layout == Layout::ChannelsLast || !is_map ? last : first;
  if (!fits || array.data.empty())
    return error(messages::SampleShape, where, to_string(array.shape), to_string(input));
  for (size_t i = 0; i < array.data.size(); ++i)
    if (!std::isfinite(array.data[i]))
      return error(messages::SampleNotFinite, where, i, array.data[i]);
  samples.is_batch = *fits;
  samples.count = *fits ? array.shape[0] : 1;
  samples.values = is_map && samples.layout == Layout::ChannelsFirst
                       ? reordered(array.data, input, false)
                       : std::move(array.data);
  return samples;
}

Result<Samples> arrange_samples(FloatTensor array, const frontends::PortLayout& input,
                                const std::string& where) {
  // The batch of an ONNX model is its first extent, where that is 1.
  const bool has_batch = !input.shape.empty() && input.shape[0] == 1;
  const Shape sample(input.shape.begin() + (has_batch ? 1 : 0), input.shape.end());
  MR_TRY(Samples samples, arrange_samples(std::move(array), sample, Layout::ChannelsLast, where));
  samples.values = permuted(samples.values, input, true);
  return samples;
}

Result<Samples> read_samples(const std::filesystem::path& file,
                             const frontends::ImportedModel& model, size_t index,
                             std::optional<Layout> layout) {
  const bool is_tensor = file.extension() == ".pb";
  if (!is_tensor && file.extension() != ".npy")
    return error(messages::SampleFile, file.string());
  MR_TRY(FloatTensor array,
         is_tensor ? frontends::read_onnx_tensor(file) : data::read_real_npy(file));
  if (!layout && !model.inputs.empty())
    return arrange_samples(std::move(array), model.inputs.at(index), file.string());
  const Shape& shape = model.graph.type(model.graph.inputs().at(index)).shape;
  return arrange_samples(std::move(array), shape, layout, file.string());
}

template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values, const Shape& output,
                               const Samples& like) {
  const bool turns = output.size() == 3 && like.layout == Layout::ChannelsFirst;
  Tensor<Number> array{turns ? channels_first(output) : output,
                       turns ? reordered(values, output, true) : values};
  if (like.is_batch)
    array.shape.insert(array.shape.begin(), like.count);
  return array;
}

template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values,
                               const frontends::PortLayout& output, const Samples& like) {
  Tensor<Number> array{output.shape, permuted(values, output, false)};
  const bool has_batch = !output.shape.empty() && output.shape[0] == 1;
  if (has_batch)
    array.shape.erase(array.shape.begin());
  if (like.is_batch)
    array.shape.insert(array.shape.begin(), like.count);
  return array;
}

template FloatTensor arrange_outputs(const std::vector<double>&, const frontends::PortLayout&,
                                     const Samples&);
template IntTensor arrange_outputs(const std::vector<int64_t>&, const frontends::PortLayout&,
                                   const Samples&);
template FloatTensor arrange_outputs(const std::vector<double>&, const Shape&, const Samples&);
template IntTensor arrange_outputs(const std::vector<int64_t>&, const Shape&, const Samples&);

}  // namespace millrace::cli
