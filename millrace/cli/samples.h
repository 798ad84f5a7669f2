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

/// A tensor of this shape as it lies in a file with that layout, behind a batch of 1.
frontends::PortLayout port_of(const Shape& shape, Layout layout);

/// Samples of one input of a model, in Millrace's own order.
struct Samples {
  int64_t count = 0;
  bool is_batch = true;          ///< the file has an extent for the samples
  std::optional<Layout> layout;  ///< of the file; none: as an ONNX model has its input
  std::vector<double> values;    ///< count x num_elements(input)

  std::vector<double> sample(int64_t index) const;
};

/// Arranges an array for an input that lies like this port: one sample as the port has it, or N of
/// them in its batch.
/// Errors   cli.sample_shape, cli.sample_not_finite
Result<Samples> arrange_samples(FloatTensor array, const frontends::PortLayout& port,
                                const std::string& where);

/// The shape of an array of sequences (steps x channels) as that of maps of one row, 1 x steps x
/// channels, which they are in the graph; of any other array its own.
Shape as_maps(const Shape& array, const Shape& input);

/// The only layout in which an array holds samples of this shape; ChannelsLast where none does.
/// Errors   cli.sample_layout where both do.
Result<Layout> find_layout(const Shape& array, const Shape& input, const std::string& where);

/// Reads samples of a model's input number `index` from a NumPy array (.npy) or an ONNX tensor
/// (.pb). Without a layout those of an ONNX model are as the model has them, others as
/// find_layout() says. Errors   cli.sample_file, those of the readers, of find_layout() and of
/// arrange_samples().
Result<Samples> read_samples(const std::filesystem::path& file,
                             const frontends::ImportedModel& model, size_t index,
                             std::optional<Layout> layout);

/// Outputs that lie like this port, with the extent for samples that the inputs had.
/// Shapes   values: count x num_elements(output)
template <class Number>
Tensor<Number> arrange_outputs(const std::vector<Number>& values, const frontends::PortLayout& port,
                               const Samples& like);

}  // namespace millrace::cli
