// SPDX-License-Identifier: Apache-2.0
// Pools over windows and over whole maps.
#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

bool has_part(const LayerCall& call, std::string_view part) {
  return call.class_name().find(part) != std::string::npos;
}

Status check_rank(const LayerCall& call, int dimensions) {
  if (call.x().shape.size() != static_cast<size_t>(dimensions) + 1)
    return error(messages::Rank, call.where(), to_string(call.x().shape),
                 dimensions == 1 ? "steps x channels" : "rows x columns x channels");
  return {};
}

/// The largest or the mean number of each window. Padding counts for neither.
graph::OpKind pool_of(const LayerCall& call, const graph::Window& window) {
  if (has_part(call, "Max"))
    return graph::MaxPool{window};
  return graph::AvgPool{window};
}

/// QKeras' pools: the mean times its count, which is the sum, times a quantised reciprocal of the
/// count. The sum is a convolution by channel with ones.
Result<Value> quantized_average(LayerCall& call, const graph::Window& window, Shape shape,
                                const QuantizerSpec& quantizer) {
  const Value& x = call.x();
  const int64_t count = window.kernel_h * window.kernel_w, channels = x.channels();
  constexpr int64_t MaxOnes = int64_t{1} << 20;
  if (count > MaxOnes / channels)
    return error(messages::TooLarge, call.where(), "the pool", fmt::format("{} numbers", MaxOnes));
  MR_TRY(const graph::ValueId ones,
         call.constant("ones", {{window.kernel_h, window.kernel_w, 1, channels},
                                std::vector<double>(static_cast<size_t>(count * channels), 1)}));
  MR_TRY(const Value sum, add_product(call, "sum", graph::Conv2D{window, channels}, x,
                                      Kernel{ones, {}}, {}, {}, channels, std::move(shape)));
  FloatTensor reciprocal{{1}, {static_cast<float>(1.0 / static_cast<double>(count))}};
  MR_TRY(reciprocal, quantized_values(quantizer, std::move(reciprocal), false));
  return call.with_number<graph::Mul>("mean", sum, reciprocal.data[0]);
}

/// Appends the pool; of QKeras' classes with its quantised reciprocal.
Result<Value> add_pool(LayerCall& call, std::string_view suffix, const graph::Window& window,
                       Shape shape) {
  if (call.is_quantized()) {
    MR_TRY(const auto quantizer, call.quantizer("average_quantizer"));
    if (quantizer)
      return quantized_average(call, window, std::move(shape), *quantizer);
  }
  return call.add(suffix, pool_of(call, window), {call.x().id}, std::move(shape));
}

Result<Value> pool(LayerCall& call) {
  Config& config = call.config;
  WindowOptions options;
  options.dimensions = has_part(call, "1D") ? 1 : 2;
  MR_TRY_STATUS(check_rank(call, options.dimensions));
  MR_TRY_STATUS(check_data_format(call));
  const auto count = static_cast<size_t>(options.dimensions);
  MR_TRY(options.kernel, config.integers("pool_size", count, std::vector<int64_t>(count, 2)));
  MR_TRY(options.stride, config.integers("strides", count, options.kernel));
  options.dilation.assign(count, 1);
  MR_TRY(options.padding, config.text("padding", "valid"));
  const Value& x = call.x();
  MR_TRY(const graph::Window window, place_window(call, options, x));
  if (call.is_quantized() && window.is_padded())
    return config.bad("padding", "'valid' where the mean is quantised");
  MR_TRY(const Value y, add_pool(call, "", window, window_shape(window, x, x.channels())));
  return call.is_quantized() ? activate(call, y) : Result<Value>(y);
}

Result<Value> global_pool(LayerCall& call) {
  Config& config = call.config;
  const int dimensions = has_part(call, "1D") ? 1 : 2;
  MR_TRY_STATUS(check_rank(call, dimensions));
  MR_TRY_STATUS(check_data_format(call));
  MR_TRY(const bool keeps, config.boolean("keepdims", false));
  const Value& x = call.x();
  const Shape map = graph_shape(x.shape);
  const graph::Window window{
      .kernel_h = map[0], .kernel_w = map[1], .stride_h = map[0], .stride_w = map[1]};
  Shape shape(static_cast<size_t>(dimensions) + 1, 1);
  shape.back() = x.channels();
  MR_TRY(Value y, add_pool(call, keeps ? "" : "map", window, std::move(shape)));
  if (!keeps) {
    MR_TRY(y, call.add("", graph::Flatten{}, {y.id}, {x.channels()}));
  }
  return call.is_quantized() ? activate(call, y) : Result<Value>(y);
}

}  // namespace

std::span<const LayerRule> pooling_layers() {
  static constexpr LayerRule Rules[] = {
      {"MaxPooling1D", &pool},
      {"MaxPooling2D", &pool},
      {"AveragePooling1D", &pool},
      {"AveragePooling2D", &pool},
      {"QAveragePooling2D", &pool},
      {"GlobalMaxPooling1D", &global_pool},
      {"GlobalMaxPooling2D", &global_pool},
      {"GlobalAveragePooling1D", &global_pool},
      {"GlobalAveragePooling2D", &global_pool},
      {"QGlobalAveragePooling2D", &global_pool},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
