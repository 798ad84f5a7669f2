// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/samples.h"

#include <cmath>
#include <numeric>

#include "millrace/cli/messages.h"
#include "millrace/data/npy.h"
#include "millrace/frontends/onnx/tensor_file.h"

namespace millrace::cli {
namespace {

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

// A port's shape without its batch, which is its first extent where that is 1.
Shape sample_shape(const frontends::PortLayout& port) {
  const bool has_batch = !port.shape.empty() && port.shape[0] == 1;
  return {port.shape.begin() + (has_batch ? 1 : 0), port.shape.end()};
}

}  // namespace

std::optional<Layout> parse_layout(const std::string& text) {
  if (text == "hwc")
    return Layout::ChannelsLast;
  if (text == "chw")
    return Layout::ChannelsFirst;
  return std::nullopt;
}

frontends::PortLayout port_of(const Shape& shape, Layout layout) {
  if (shape.size() == 3 && layout == Layout::ChannelsFirst)
    return {{}, {1, shape[2], shape[0], shape[1]}, {2, 3, 1}};
  frontends::PortLayout port{{}, shape, std::vector<size_t>(shape.size())};
  port.shape.insert(port.shape.begin(), 1);
  std::iota(port.axes.begin(), port.axes.end(), size_t{1});
  return port;
}

std::vector<double> Samples::sample(int64_t index) const {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / count;
  return {values.begin() + index * size, values.begin() + (index + 1) * size};
}

Result<Samples> arrange_samples(FloatTensor array, const frontends::PortLayout& port,
                                const std::string& where) {
  const Shape sample = sample_shape(port);
  const auto is_batch = is_batch_of(array.shape, sample);
  if (!is_batch || array.data.empty())
    return error(messages::SampleShape, where, to_string(array.shape), to_string(sample));
  for (size_t i = 0; i < array.data.size(); ++i)
    if (!std::isfinite(array.data[i]))
      return error(messages::SampleNotFinite, where, i, array.data[i]);
  return Samples{.count = *is_batch ? array.shape[0] : 1,
                 .is_batch = *is_batch,
                 .layout = {},
                 .values = permuted(array.data, port, true)};
}

Shape as_maps(const Shape& array, const Shape& input) {
  const Shape steps(input.begin() + 1, input.end());
  if (input.size() != 3 || input[0] != 1 || !is_batch_of(array, steps))
    return array;
  Shape maps = array;
  maps.insert(maps.end() - 2, 1);
  return maps;
}

Result<Layout> find_layout(const Shape& array, const Shape& input, const std::string& where) {
  const auto fits = [&](Layout layout) {
    return is_batch_of(array, sample_shape(port_of(input, layout))).has_value();
  };
  if (input.size() != 3 || !fits(Layout::ChannelsFirst))
    return Layout::ChannelsLast;
  if (!fits(Layout::ChannelsLast))
    return Layout::ChannelsFirst;
  if (input[2] > 1)
    return error(messages::SampleLayout, where, to_string(array));
  return Layout::ChannelsLast;
}

Result<Samples> read_samples(const std::filesystem::path& file,
                             const frontends::ImportedModel& model, size_t index,
                             std::optional<Layout> layout) {
  const std::string where = file.string();
  const bool is_tensor = file.extension() == ".pb";
  if (!is_tensor && file.extension() != ".npy")
    return error(messages::SampleFile, where);
  MR_TRY(FloatTensor array,
         is_tensor ? frontends::read_onnx_tensor(file) : data::read_real_npy(file));
  if (!layout && !model.inputs.empty())
    return arrange_samples(std::move(array), model.inputs.at(index), where);
  const Shape& shape = model.graph.type(model.graph.inputs().at(index)).shape;
  array.shape = as_maps(array.shape, shape);
  if (!layout) {
    MR_TRY(layout, find_layout(array.shape, shape, where));
  }
  MR_TRY(Samples samples, arrange_samples(std::move(array), port_of(shape, *layout), where));
  samples.layout = layout;
  return samples;
}

template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values, const frontends::PortLayout& port,
                               const Samples& like) {
  Tensor<Number> array{sample_shape(port), permuted(values, port, false)};
  if (like.is_batch)
    array.shape.insert(array.shape.begin(), like.count);
  return array;
}

template FloatTensor arrange_outputs(const std::vector<double>&, const frontends::PortLayout&,
                                     const Samples&);
template IntTensor arrange_outputs(const std::vector<int64_t>&, const frontends::PortLayout&,
                                   const Samples&);

}  // namespace millrace::cli
