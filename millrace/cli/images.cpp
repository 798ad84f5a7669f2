// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/images.h"

#include <array>

#include "millrace/cli/messages.h"
#include "millrace/data/load.h"
#include "millrace/report/build_directory.h"

namespace millrace::cli {

namespace fs = std::filesystem;

Result<report::DataRecord> image_source(const ImageOptions& options, const fs::path& model) {
  report::DataRecord source{options.data, options.signal, options.background, options.data_seed};
  if (source.is_known())
    return source;
  if (std::error_code ignored; fs::is_directory(model, ignored)) {
    MR_TRY(const auto training, report::read_record<report::TrainingRecord>(model));
    if (training && training->images.is_known())
      return training->images;
  }
  return error(messages::NoImages, "--data");
}

Result<data::DataSet> load_images(const report::DataRecord& source) {
  return data::load_images(source.data, source.signal, source.background, {.seed = source.seed});
}

Result<std::vector<int64_t>> quantise_images(const data::ImageSet& images, int64_t count,
                                             const graph::Input& input) {
  const Shape image = {images.height, images.width, 1};
  const Shape vector = {images.height * images.width};
  const Shape sequence = {1, images.height, images.width};  // of rows
  const Shape& shape = input.type.shape;
  if (shape != image && shape != vector && shape != sequence)
    return error(messages::ImageSize, "--data", images.height, images.width, to_string(shape));
  constexpr int PixelFracBits = 8;
  std::array<int64_t, 256> codes;
  for (size_t pixel = 0; pixel < codes.size(); ++pixel) {
    codes[pixel] = static_cast<int64_t>(
        requantize_steps(Int128{pixel}, PixelFracBits, input.unit(), {.type = input.type.fixed()}));
  }
  std::vector<int64_t> raw(static_cast<size_t>(count * images.height * images.width));
  for (size_t i = 0; i < raw.size(); ++i)
    raw[i] = codes[images.pixels[i]];
  return raw;
}

}  // namespace millrace::cli
