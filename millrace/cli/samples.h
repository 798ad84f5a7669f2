// SPDX-License-Identifier: Apache-2.0
// Numbers on their way into a model and out of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "millrace/frontends/onnx/import.h"
#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::cli {

/// The order of a map's elements in a file. In Millrace itself channels are last.
enum class Layout { ChannelsLast, ChannelsFirst };

/// "hwc", "chw"; no value for "auto" and other texts.
std::optional<Layout> parse_layout(const std::string& text);

/// Samples of one input of a model, in Millrace's own order.
struct Samples {
  int64_t count = 0;
  bool is_batch = true;  ///< the file has an extent for the samples
  Layout layout = Layout::ChannelsLast;
  std::vector<double> values;  ///< count x num_elements(input)

  std::vector<double> sample(int64_t index) const;
};

/// Arranges an array for an input of this shape: one sample, or N of them; maps as H x W x C or
/// C x H x W, where no layout is given as the only one of the two that fits.
/// Errors   cli.sample_shape, cli.sample_layout, cli.sample_not_finite
Result<Samples> arrange_samples(FloatTensor array, const Shape& input, std::optional<Layout> layout,
                                const std::string& where);

/// The same for an input of an ONNX model: one sample as the model has it, or N in its batch.
Result<Samples> arrange_samples(FloatTensor array, const frontends::PortLayout& input,
                                const std::string& where);

/// Reads samples of a model's input number `index` from a NumPy array (.npy) or an ONNX tensor
/// (.pb). Without a layout those of an ONNX model are as the model has them.
/// Errors   cli.sample_file, those of the readers and of arrange_samples().
Result<Samples> read_samples(const std::filesystem::path& file,
                             const frontends::ImportedModel& model, size_t index,
                             std::optional<Layout> layout);

/// Outputs, in the layout and with the extent for samples that the inputs had.
/// Shapes   values: count x num_elements(output)
template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values, const Shape& output,
                               const Samples& like);
/// Outputs as an ONNX model has them.
template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values,
                               const frontends::PortLayout& output, const Samples& like);

}  // namespace millrace::cli
