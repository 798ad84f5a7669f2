// SPDX-License-Identifier: Apache-2.0
#include "millrace/emulator/plan.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "millrace/emulator/accumulated.h"
#include "millrace/emulator/kernels.h"
#include "millrace/emulator/moves.h"
#include "millrace/emulator/pointwise_steps.h"
#include "millrace/reference/evaluate.h"
#include "millrace/support/check.h"

namespace millrace::emulator {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

constexpr size_t index(ValueId value) {
  return static_cast<size_t>(value);
}

Storage storage_of(const FixedType& type) {
  const auto fits = [&]<class T>(T) {
    return std::numeric_limits<T>::min() <= type.min_raw() &&
           type.max_raw() <= std::numeric_limits<T>::max();
  };
  check(fits(int64_t{}), "a value has more than 64 bits");
  return fits(int32_t{}) ? Storage::Int32 : Storage::Int64;
}

/// The lowest bits of `value` * 2^shift.
template <class Y>
Y shifted(int64_t value, int shift) {
  using U = std::make_unsigned_t<Y>;
  check(shift >= 0, "a sum has fewer fraction bits than its terms");
  return shift < std::numeric_limits<U>::digits ? static_cast<Y>(static_cast<U>(value) << shift)
                                                : Y{0};
}

/// The weights of sums: sum f adds weights[k][f] * x[position + offsets[k]] over all k.
struct Matrix {
  std::vector<size_t> positions;
  std::vector<size_t> offsets;
  std::vector<int64_t> weights;
  std::vector<int64_t> bias;
  int weight_shift = 0;  ///< what brings products and bias to the result's fraction bits
  int bias_shift = 0;
};

template <class Y>
Sums<Y> make_sums(const Matrix& matrix) {
  Sums<Y> sums{.positions = matrix.positions, .bias = {}, .first_tap = {0}, .taps = {}};
  const size_t num_sums = matrix.bias.size();
  for (size_t f = 0; f < num_sums; ++f) {
    sums.bias.push_back(shifted<Y>(matrix.bias[f], matrix.bias_shift));
    for (size_t k = 0; k < matrix.offsets.size(); ++k) {
      const Y weight = shifted<Y>(matrix.weights[k * num_sums + f], matrix.weight_shift);
      if (weight != 0)
        sums.taps.push_back({matrix.offsets[k], weight});
    }
    sums.first_tap.push_back(sums.taps.size());
  }
  return sums;
}

/// Element numbers of the pixels (row * row_step, column * column_step) of a map.
std::vector<size_t> pixels(const Shape& map, int64_t rows, int64_t columns, int64_t row_step,
                           int64_t column_step) {
  std::vector<size_t> elements;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      elements.push_back(
          static_cast<size_t>((row * row_step * map[1] + column * column_step) * map[2]));
  return elements;
}

/// Element numbers of a window's taps, counted from the window's first pixel.
std::vector<size_t> taps(const Shape& map, const Window& window) {
  return pixels(map, window.kernel_h, window.kernel_w, window.dilation_h, window.dilation_w);
}

/// 0, 1, ..., count - 1.
std::vector<size_t> consecutive(size_t count) {
  std::vector<size_t> numbers(count);
  for (size_t i = 0; i < count; ++i)
    numbers[i] = i;
  return numbers;
}

/// Writes the plan operation by operation.
class Planner {
public:
  explicit Planner(const Graph& graph) : graph_(graph) {
    check(graph.is_exact(), "only an exact graph can be emulated");
    find_known_values();
    count_readers();
  }

  Plan run() && {
    buffers_.resize(graph_.ops().size());
    for (const ValueId input : graph_.inputs()) {
      buffers_[index(input)] = take_buffer(graph_.type(input));
      plan_.inputs.push_back({graph_.type(input), buffers_[index(input)]});
    }
    for (size_t value = 0; value < num_readers_.size(); ++value)
      if (num_readers_[value] > 0 && !graph_.ops()[value].as<Input>())
        plan_value(static_cast<ValueId>(value));
    for (const ValueId output : graph_.outputs())
      plan_.outputs.push_back({graph_.type(output), buffer(output)});
    return std::move(plan_);
  }

private:
  /// Evaluates everything that does not depend on an input.
  void find_known_values() {
    std::vector<IntTensor> zeros;
    for (const ValueId input : graph_.inputs()) {
      const Shape& shape = graph_.type(input).shape;
      zeros.push_back({shape, std::vector<int64_t>(static_cast<size_t>(num_elements(shape)))});
    }
    known_ = reference::evaluate_all(graph_, zeros);
    for (const Op& op : graph_.ops())
      is_known_.push_back(!op.as<Input>() &&
                          std::all_of(op.operands.begin(), op.operands.end(),
                                      [&](ValueId operand) { return is_known_[index(operand)]; }));
  }

  /// The value whose memory `value` is: flattening and reshaping move nothing.
  ValueId stored_value(ValueId value) const {
    while (!is_known_[index(value)] &&
           (graph_.op(value).as<Flatten>() || graph_.op(value).as<Reshape>()))
      value = graph_.op(value).operands[0];
    return value;
  }
  const Buffer& buffer(ValueId value) const { return buffers_[index(stored_value(value))]; }

  /// The stored values that the step of an operation reads: weights are part of the step.
  std::vector<ValueId> read_values(const Op& op) const {
    std::vector<ValueId> values;
    const bool has_weights =
        op.as<Conv2D>() || op.as<ConvTranspose2D>() || op.as<Dense>() || op.as<Affine>();
    for (size_t i = 0; i < (has_weights ? 1 : op.operands.size()); ++i)
      values.push_back(stored_value(op.operands[i]));
    return values;
  }

  /// Counts for each stored value the steps that read it, the end of the plan included.
  void count_readers() {
    num_readers_.assign(graph_.ops().size(), 0);
    for (const ValueId output : graph_.outputs())
      ++num_readers_[index(stored_value(output))];
    for (size_t value = num_readers_.size(); value-- > 0;)
      if (num_readers_[value] > 0 && !is_known_[value])
        for (const ValueId read : read_values(graph_.ops()[value]))
          ++num_readers_[index(read)];
  }

  Buffer take_buffer(const FixedType& type, int64_t num_elements) {
    if (free_slots_.empty()) {
      free_slots_.push_back(plan_.slot_bytes.size());
      plan_.slot_bytes.push_back(0);
    }
    const Buffer taken{free_slots_.back(), storage_of(type), static_cast<size_t>(num_elements)};
    free_slots_.pop_back();
    const size_t bytes = with_storage(taken.storage, [](auto zero) { return sizeof zero; });
    size_t& slot_bytes = plan_.slot_bytes[taken.slot];
    slot_bytes = std::max(slot_bytes, bytes * taken.num_elements * BlockSize);
    return taken;
  }
  Buffer take_buffer(const TensorType& type) {
    return take_buffer(type.fixed(), num_elements(type.shape));
  }
  void free_buffer(const Buffer& taken) { free_slots_.push_back(taken.slot); }

  void plan_value(ValueId value) {
    if (is_known_[index(value)]) {
      plan_known_value(value);
      return;
    }
    const Op& op = graph_.op(value);
    const Buffer x = buffer(op.operands[0]);
    std::visit([&](const auto& kind) { buffers_[index(value)] = plan_op(kind, op, x); }, op.kind);
    for (const ValueId read : read_values(op))
      if (--num_readers_[index(read)] == 0)
        free_buffer(buffers_[index(read)]);
  }

  void plan_known_value(ValueId value) {
    const Buffer y = buffers_[index(value)] = take_buffer(graph_.type(value));
    with_storage(y.storage, [&]<class Y>(Y) {
      plan_.steps.emplace_back([y, raw = known_[index(value)].data](Workspace& workspace) {
        Y* element = workspace.at<Y>(y);
        for (const int64_t number : raw)
          element = std::fill_n(element, BlockSize, static_cast<Y>(number));
      });
    });
  }

  const FixedType& type_of_x(const Op& op) const { return graph_.type(op.operands[0]).fixed(); }
  const Shape& shape_of_x(const Op& op) const { return graph_.type(op.operands[0]).shape; }

  /// Surrounds a map with `fill` where the window asks for padding; gives its new shape.
  Shape pad(const Window& window, const Op& op, int64_t fill, Buffer& x) {
    Shape shape = shape_of_x(op);
    if (!window.is_padded())
      return shape;
    const auto size = [](int64_t extent) { return static_cast<size_t>(extent); };
    const Border border{.height = size(shape[0]),
                        .width = size(shape[1]),
                        .channels = size(shape[2]),
                        .top = size(window.pad_top),
                        .left = size(window.pad_left),
                        .bottom = size(window.pad_bottom),
                        .right = size(window.pad_right)};
    shape[0] += window.pad_top + window.pad_bottom;
    shape[1] += window.pad_left + window.pad_right;
    const Buffer y = take_buffer(type_of_x(op), num_elements(shape));
    with_storage(x.storage, [&]<class T>(T) {
      plan_.steps.emplace_back([border, fill, x, y](Workspace& workspace) {
        add_border(border, static_cast<T>(fill), workspace.at<T>(x), workspace.at<T>(y));
      });
    });
    x = y;
    return shape;
  }

  Buffer plan_sums(const Op& op, Matrix matrix, const Buffer& x,
                   const std::optional<Quantizer>& accumulate = std::nullopt) {
    for (const size_t operand : {1, 2})
      check(is_known_[index(op.operands[operand])], "weights that depend on the input");
    const auto frac_bits = [&](size_t operand) {
      return graph_.type(op.operands[operand]).fixed().frac_bits;
    };
    matrix.bias = known_[index(op.operands[2])].data;
    if (accumulate) {
      for (int64_t& bias : matrix.bias)
        bias = static_cast<int64_t>(requantize(Int128{bias}, frac_bits(2), *accumulate));
      const FixedType product{
          .is_signed = true,
          .width = type_of_x(op).width + graph_.type(op.operands[1]).fixed().width,
          .frac_bits = frac_bits(0) + frac_bits(1)};
      return plan_step(op, [&](const Buffer& y) {
        return accumulated_sums_step(make_sums<int64_t>(matrix),
                                     make_accumulator(product, *accumulate), x, y);
      });
    }
    matrix.weight_shift = op.type.fixed().frac_bits - frac_bits(0) - frac_bits(1);
    matrix.bias_shift = op.type.fixed().frac_bits - frac_bits(2);
    return plan_matrix(op, matrix, x);
  }

  Buffer plan_matrix(const Op& op, const Matrix& matrix, const Buffer& x) {
    const Buffer y = take_buffer(op.type);
    with_storage(x.storage, [&]<class X>(X) {
      with_storage(y.storage, [&]<class Y>(Y) {
        plan_.steps.emplace_back([sums = make_sums<Y>(matrix), x, y](Workspace& workspace) {
          compute_sums(sums, workspace.at<X>(x), workspace.at<Y>(y));
        });
      });
    });
    return y;
  }

  /// The weights from every channel to every filter: 0 between groups.
  std::vector<int64_t> ungrouped_weights(const Conv2D& conv, const Op& op) const {
    const std::vector<int64_t>& grouped = known_[index(op.operands[1])].data;
    if (conv.groups == 1)
      return grouped;
    const Shape& shape = graph_.type(op.operands[1]).shape;
    const auto channels = static_cast<size_t>(shape[2]);  // of one group
    const auto filters = static_cast<size_t>(shape[3]);
    const auto groups = static_cast<size_t>(conv.groups);
    std::vector<int64_t> weights(grouped.size() * groups);
    for (size_t i = 0; i < grouped.size(); ++i) {
      const size_t filter = i % filters;
      const size_t tap = i / filters / channels;
      const size_t channel = filter / (filters / groups) * channels + i / filters % channels;
      weights[(tap * channels * groups + channel) * filters + filter] = grouped[i];
    }
    return weights;
  }

  Buffer plan_op(const Conv2D& conv, const Op& op, const Buffer& x) {
    const Window& window = conv.window;
    Buffer padded = x;
    const Shape map = pad(window, op, 0, padded);
    Matrix matrix;
    matrix.positions =
        pixels(map, op.type.shape[0], op.type.shape[1], window.stride_h, window.stride_w);
    matrix.weights = ungrouped_weights(conv, op);
    for (const size_t pixel : taps(map, window))
      for (int64_t channel = 0; channel < map[2]; ++channel)
        matrix.offsets.push_back(pixel + static_cast<size_t>(channel));
    const Buffer y = plan_sums(op, std::move(matrix), padded, conv.accumulate);
    if (padded.slot != x.slot)
      free_buffer(padded);
    return y;
  }

  Buffer plan_op(const Dense& dense, const Op& op, const Buffer& x) {
    return plan_sums(op,
                     {.positions = {0},
                      .offsets = consecutive(x.num_elements),
                      .weights = known_[index(op.operands[1])].data,
                      .bias = {}},
                     x, dense.accumulate);
  }

  Buffer plan_op(const Affine&, const Op& op, const Buffer& x) {
    // A diagonal matrix at each pixel.
    const std::vector<int64_t>& scale = known_[index(op.operands[1])].data;
    const size_t channels = scale.size();
    Matrix matrix{.positions = consecutive(x.num_elements / channels),
                  .offsets = consecutive(channels),
                  .weights = std::vector<int64_t>(channels * channels),
                  .bias = {}};
    for (size_t& position : matrix.positions)
      position *= channels;
    for (size_t channel = 0; channel < channels; ++channel)
      matrix.weights[channel * channels + channel] = scale[channel];
    return plan_sums(op, std::move(matrix), x);
  }

  Buffer plan_op(const MaxPool& pool, const Op& op, const Buffer& x) {
    const Window& window = pool.window;
    Buffer padded = x;
    // A border of the smallest number wins nowhere: each window covers a pixel of the map.
    const Shape map = pad(window, op, static_cast<int64_t>(type_of_x(op).min_raw()), padded);
    const Windows windows{
        pixels(map, op.type.shape[0], op.type.shape[1], window.stride_h, window.stride_w),
        taps(map, window), static_cast<size_t>(map[2])};
    const Buffer y = take_buffer(op.type);
    with_storage(y.storage, [&]<class T>(T) {
      plan_.steps.emplace_back([windows, padded, y](Workspace& workspace) {
        compute_maxima(windows, workspace.at<T>(padded), workspace.at<T>(y));
      });
    });
    if (padded.slot != x.slot)
      free_buffer(padded);
    return y;
  }

  Buffer plan_op(const AvgPool& pool, const Op& op, const Buffer& x) {
    const Window& window = pool.window;
    check(pool.to.has_value(), "a mean without a quantiser has no step");
    Buffer padded = x;
    const Shape map = pad(window, op, 0, padded);
    const Windows windows{
        pixels(map, op.type.shape[0], op.type.shape[1], window.stride_h, window.stride_w),
        taps(map, window), static_cast<size_t>(map[2])};
    const std::vector<int64_t> counts = tap_counts(pool, shape_of_x(op), op.type.shape);
    const Division division =
        make_division(type_of_x(op), *pool.to, windows.offsets.size(), counts);
    const Buffer y = take_buffer(op.type);
    if (pool.accumulate) {
      plan_.steps.push_back(
          accumulated_means_step(windows, counts, type_of_x(op), *pool.to, padded, y));
    } else {
      with_storage(x.storage, [&]<class X>(X) {
        with_storage(y.storage, [&]<class Y>(Y) {
          plan_.steps.emplace_back([windows, division, padded, y](Workspace& workspace) {
            compute_means(windows, division, workspace.at<X>(padded), workspace.at<Y>(y));
          });
        });
      });
    }
    if (padded.slot != x.slot)
      free_buffer(padded);
    return y;
  }

  /// Moves elements into a new buffer of the operand's storage.
  Buffer plan_gather(const FixedType& type, std::vector<size_t> sources, const Buffer& x) {
    const Buffer y = take_buffer(type, std::ssize(sources));
    with_storage(x.storage, [&]<class T>(T) {
      plan_.steps.emplace_back([sources = std::move(sources), x, y](Workspace& workspace) {
        gather(std::span<const size_t>(sources), workspace.at<T>(x), workspace.at<T>(y));
      });
    });
    return y;
  }

  template <class Move>
    requires(std::same_as<Move, Pad> || std::same_as<Move, Slice> ||
             std::same_as<Move, Transpose> || std::same_as<Move, Upsample>)
  Buffer plan_op(const Move& move, const Op& op, const Buffer& x) {
    return plan_gather(type_of_x(op), sources(move, shape_of_x(op), op.type.shape), x);
  }

  Buffer plan_op(const ConvTranspose2D& conv, const Op& op, const Buffer& x) {
    const Shape map = stretched_shape(conv, shape_of_x(op), op.type.shape);
    const Buffer stretched = plan_gather(type_of_x(op), sources(conv, shape_of_x(op), map), x);
    Matrix matrix;
    matrix.positions = pixels(map, op.type.shape[0], op.type.shape[1], 1, 1);
    matrix.weights = known_[index(op.operands[1])].data;
    std::vector<size_t> kernel = pixels(map, conv.kernel_h, conv.kernel_w, 1, 1);
    std::reverse(kernel.begin(), kernel.end());
    for (const size_t pixel : kernel)
      for (int64_t channel = 0; channel < map[2]; ++channel)
        matrix.offsets.push_back(pixel + static_cast<size_t>(channel));
    const Buffer y = plan_sums(op, std::move(matrix), stretched);
    free_buffer(stretched);
    return y;
  }

  Buffer plan_op(const Concat&, const Op& op, const Buffer&) {
    const Buffer y = take_buffer(op.type);
    const auto step = static_cast<size_t>(op.type.shape.back());
    size_t first = 0;
    for (const ValueId operand : op.operands) {
      const Buffer x = buffer(operand);
      const auto channels = static_cast<size_t>(graph_.type(operand).shape.back());
      const int shift = op.type.fixed().frac_bits - graph_.type(operand).fixed().frac_bits;
      with_storage(x.storage, [&]<class X>(X) {
        with_storage(y.storage, [&]<class Y>(Y) {
          plan_.steps.emplace_back([=](Workspace& workspace) {
            interleave(x.num_elements / channels, channels, step, shift, workspace.at<X>(x),
                       workspace.at<Y>(y) + first * BlockSize);
          });
        });
      });
      first += channels;
    }
    return y;
  }

  /// Adds a step over all elements, whose function takes the operand's and the result's memory.
  template <class MakeStep>
  Buffer plan_elementwise(const Op& op, const Buffer& x, MakeStep make_step) {
    const Buffer y = take_buffer(op.type);
    with_storage(x.storage, [&]<class X>(X) {
      with_storage(y.storage, [&]<class Y>(Y) {
        plan_.steps.emplace_back([x, y, step = make_step(X{}, Y{})](Workspace& workspace) {
          step(workspace.at<X>(x), workspace.at<Y>(y), y.num_elements);
        });
      });
    });
    return y;
  }

  Buffer plan_op(const Relu&, const Op& op, const Buffer& x) {
    const Buffer y = take_buffer(op.type);
    check(x.storage == y.storage, "the positive part of a range is stored otherwise");
    with_storage(x.storage, [&]<class T>(T) {
      plan_.steps.emplace_back([x, y](Workspace& workspace) {
        compute_relu(workspace.at<T>(x), workspace.at<T>(y), y.num_elements);
      });
    });
    return y;
  }

  Buffer plan_op(const Table& table, const Op& op, const Buffer& x) {
    const auto first = static_cast<int64_t>(type_of_x(op).min_raw());
    return plan_elementwise(op, x, [&]<class X, class Y>(X, Y) {
      return [first, values = std::vector<Y>(table.value.begin(), table.value.end())](
                 const X* from, Y* to, size_t num_elements) {
        look_up(std::span<const Y>(values), first, from, to, num_elements);
      };
    });
  }

  Buffer plan_op(const Requantize& requantize, const Op& op, const Buffer& x) {
    check(requantize.steps.empty(), "lowering leaves no steps");
    if (!requantize.types.empty())
      return plan_step(
          op, [&](const Buffer& y) { return requantize_step(requantize, type_of_x(op), x, y); });
    const FixedType& from = type_of_x(op);
    const auto narrow = make_conversion<int32_t>(from, requantize.to);
    const auto wide = make_conversion<int64_t>(from, requantize.to);
    if (narrow) {
      const Buffer y = take_buffer(op.type);
      plan_.steps.emplace_back([conversion = *narrow, x, y](Workspace& workspace) {
        convert(conversion, workspace.at<int32_t>(x), workspace.at<int32_t>(y), y.num_elements);
      });
      return y;
    }
    return plan_elementwise(op, x, [&]<class X, class Y>(X, Y) {
      return [wide, frac_bits = from.frac_bits, to = requantize.to](const X* source, Y* target,
                                                                    size_t num_elements) {
        if (wide)
          convert(*wide, source, target, num_elements);
        else
          convert_slowly(frac_bits, to, source, target, num_elements);
      };
    });
  }

  /// Adds a step that computes the value of `op` into new memory: make_step(memory).
  template <class MakeStep>
  Buffer plan_step(const Op& op, MakeStep make_step) {
    const Buffer y = take_buffer(op.type);
    plan_.steps.push_back(make_step(y));
    return y;
  }

  ShiftedOperand shifted_operand(const Op& op, size_t operand, int shift) const {
    const ValueId value = op.operands[operand];
    const FixedType& type = graph_.type(value).fixed();
    ShiftedOperand shifted{buffer(value), {type.min_raw(), type.max_raw()}, shift};
    if (is_known_[index(value)]) {
      const auto& raw = known_[index(value)].data;
      const auto [lo, hi] = std::minmax_element(raw.begin(), raw.end());
      shifted.range = {*lo, *hi};
    }
    return shifted;
  }
  Broadcast repeat_of(const Op& op) const {
    const auto repeat = broadcast(shape_of_x(op), graph_.type(op.operands[1]).shape);
    check(repeat.has_value(), "an operand does not fit the other");
    return *repeat;
  }

  template <BinaryFunction F>
  Buffer plan_op(const Binary<F>&, const Op& op, const Buffer&) {
    const auto operand = [&](size_t i) {
      const int gained = op.type.fixed().frac_bits - graph_.type(op.operands[i]).fixed().frac_bits;
      return shifted_operand(op, i, F == BinaryFunction::Mul ? 0 : gained);
    };
    return plan_step(op, [&](const Buffer& y) {
      return binary_step(F, operand(0), operand(1), repeat_of(op), y);
    });
  }

  Buffer plan_op(const Prelu&, const Op& op, const Buffer&) {
    const int x_shift = op.type.fixed().frac_bits - type_of_x(op).frac_bits;
    const int product_shift = x_shift - graph_.type(op.operands[1]).fixed().frac_bits;
    return plan_step(op, [&](const Buffer& y) {
      return prelu_step(shifted_operand(op, 0, x_shift), shifted_operand(op, 1, product_shift),
                        repeat_of(op), y);
    });
  }

  template <ExactFunction F>
  Buffer plan_op(const Exact<F>&, const Op& op, const Buffer& x) {
    return plan_step(op, [&](const Buffer& y) { return exact_step(F, x, y); });
  }

  Buffer plan_op(const TopK& top_k, const Op& op, const Buffer& x) {
    const auto channels = static_cast<size_t>(shape_of_x(op).back());
    return plan_step(op, [&](const Buffer& y) {
      return top_k_step(channels, static_cast<size_t>(top_k.k), x, y);
    });
  }

  Buffer plan_op(const Reduce& reduce, const Op& op, const Buffer& x) {
    const auto channels = static_cast<size_t>(shape_of_x(op).back());
    std::vector<size_t> positions = consecutive(x.num_elements / channels);
    for (size_t& position : positions)
      position *= channels;
    if (reduce.function == ReduceFunction::Sum)
      return plan_matrix(op,
                         {.positions = std::move(positions),
                          .offsets = consecutive(channels),
                          .weights = std::vector<int64_t>(channels, 1),
                          .bias = {0}},
                         x);
    const Windows windows{std::move(positions), consecutive(channels), 1};
    const Buffer y = take_buffer(op.type);
    with_storage(y.storage, [&]<class T>(T) {
      plan_.steps.emplace_back([windows, x, y](Workspace& workspace) {
        compute_maxima(windows, workspace.at<T>(x), workspace.at<T>(y));
      });
    });
    return y;
  }

  /// Constants are known, flattened maps are not stored, and other operations not exact.
  template <class Other>
  Buffer plan_op(const Other&, const Op&, const Buffer&) {
    check(false, "this operation has no step");
    return {};
  }

  const Graph& graph_;
  Plan plan_;
  std::vector<IntTensor> known_;  // what each operation gives, where it is known
  std::vector<bool> is_known_;    // does not depend on an input
  std::vector<int> num_readers_;  // still to come; 0 for values without memory
  std::vector<Buffer> buffers_;
  std::vector<size_t> free_slots_;
};

}  // namespace

Plan make_plan(const Graph& graph) {
  return Planner(graph).run();
}

}  // namespace millrace::emulator
