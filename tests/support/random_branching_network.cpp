// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "tests/support/draw_spatial.h"
#include "tests/support/random_graph.h"

#include "millrace/support/check.h"

namespace millrace::testing {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

class BranchingMaker {
public:
  BranchingMaker(std::mt19937_64& random, const RandomBranchingOptions& options)
      : draw_(random), options_(options), operations_(options.operations) {}

  Graph make() {
    make_inputs();
    for (int i = draw_.small(1, options_.max_operations); i > 0; --i)
      make_value();
    const int num_outputs = draw_.small(1, options_.max_outputs);
    for (int i = 0; i < num_outputs; ++i)
      builder_.output(head(i == 0 ? values_.back() : any_value()));
    auto graph = std::move(builder_).finish();
    check(graph.has_value(), graph ? "" : graph.error().to_string());
    return *std::move(graph);
  }

private:
  const Shape& shape(ValueId value) const { return builder_.type(value).shape; }
  const FixedType& type(ValueId value) const { return builder_.type(value).fixed(); }
  bool is_map(ValueId value) const { return shape(value).size() == 3; }

  /// Any value made so far, the newest more often.
  ValueId any_value() {
    const int64_t last = std::ssize(values_) - 1;
    return values_[static_cast<size_t>(std::max(draw_.between(0, last), draw_.between(0, last)))];
  }

  /// The operation's value, if its results fit 64 bits.
  std::optional<ValueId> add(const char* name, const OpKind& kind, std::vector<ValueId> operands) {
    const auto value = builder_.add(name, kind, std::move(operands));
    return value ? std::optional(*value) : std::nullopt;
  }

  ValueId constant(const Shape& extents, const FixedType& format, int zero_percent) {
    IntTensor raw{extents, draw_.raws(format, num_elements(extents), zero_percent)};
    return builder_.constant("c", std::move(raw), format).value();
  }
  ValueId weights(const Shape& extents) {
    const int width = draw_.width(options_.max_weight_bits);
    return constant(extents, {draw_.chance(80), width, draw_.small(-1, width + 2)}, 30);
  }

  Shape input_shape() {
    const int64_t most = options_.max_channels;
    const int64_t channels = std::max(draw_.between(1, most), draw_.between(1, most));
    if (options_.with_maps && draw_.chance(70))
      return {draw_.between(1, options_.max_height), draw_.between(1, options_.max_width),
              channels};
    return {channels};
  }

  void make_inputs() {
    Shape extents = input_shape();
    const int num_inputs = draw_.small(1, options_.max_inputs);
    for (int i = 0; i < num_inputs; ++i) {
      if (i > 0 && options_.with_unlike_inputs && draw_.chance(40))
        extents = input_shape();
      const int width = draw_.width(options_.max_value_bits);
      const FixedType element{draw_.chance(50), width, draw_.small(-2, width + 2)};
      values_.push_back(builder_.add("x", Input{{extents, element}}).value());
    }
  }

  /// Makes one more value from those made so far, no wider than the options say.
  void make_value() {
    const std::optional<ValueId> made = operation(any_value());
    if (!made)
      return;
    const bool is_wide = type(*made).width > options_.max_value_bits;
    values_.push_back(is_wide || draw_.chance(15) ? requantized(*made) : *made);
  }

  std::optional<ValueId> operation(ValueId x) {
    if (operations_.joins && draw_.chance(40))
      return join(x);
    if (const auto makers = spatial_makers(x); !makers.empty() && draw_.chance(50))
      return (this->*draw_.one_of(makers))(x);
    if (operations_.layers && draw_.chance(30))
      return layer(x);
    return pointwise(x);
  }

  static OpKind binary(int64_t function) {
    static const OpKind Kinds[] = {Add{}, Sub{}, Mul{}, Maximum{}, Minimum{}};
    return Kinds[function];
  }

  /// A second operand for x: a value of its shape, or one that is repeated.
  ValueId partner(ValueId x) {
    const Shape& extents = shape(x);
    const int64_t kind = draw_.between(0, 9);
    if (kind == 0)
      return near_constant(x, {1});
    if (kind == 1)
      return near_constant(x, {extents.back()});
    if (kind == 2)
      return near_constant(x, extents);
    if (kind == 3 && operations_.reductions)
      return builder_.add("r", Reduce{ReduceFunction::Max}, {x}).value();
    std::vector<ValueId> alike;
    for (const ValueId value : values_)
      if (shape(value) == extents)
        alike.push_back(value);
    return draw_.one_of(alike);
  }

  /// A constant whose binary point lies near that of x.
  ValueId near_constant(ValueId x, const Shape& extents) {
    const FixedType format{draw_.chance(70), draw_.width(options_.max_weight_bits),
                           type(x).frac_bits + draw_.small(-3, 3)};
    return constant(extents, format, 10);
  }

  std::optional<ValueId> join(ValueId x) {
    const ValueId other = partner(x);
    if (shape(other) == shape(x) && draw_.chance(30))
      return add("j", binary(draw_.between(0, 4)), {other, x});
    return add("j", binary(draw_.between(0, 4)), {x, other});
  }

  std::optional<ValueId> pointwise(ValueId x) {
    switch (draw_.between(operations_.functions ? 0 : 7, 10)) {
      case 0:
        return add("a", Abs{}, {x});
      case 1:
        return add("n", Negate{}, {x});
      case 2:
        return add("s", Sign{}, {x});
      case 3:
        return add("b", Binarize{}, {x});
      case 4:
        return add("s", Square{}, {x});
      case 5:
      case 6:
        return prelu(x);
      case 7:
        return add("r", Relu{}, {x});
      case 8:
        return table(x);
      default:
        return requantized(x);
    }
  }

  std::optional<ValueId> prelu(ValueId x) {
    const bool is_computed = shape(x).size() == 1 && draw_.chance(30);
    return add(
        "p", Prelu{},
        {x, is_computed ? any_value_like(x) : weights({draw_.chance(50) ? 1 : shape(x).back()})});
  }
  ValueId any_value_like(ValueId x) {
    const ValueId other = any_value();
    return shape(other) == shape(x) ? other : x;
  }

  std::optional<ValueId> table(ValueId x) {
    if (type(x).width > 8)
      return requantized(x);
    const int width = draw_.width(options_.max_value_bits);
    const FixedType to{draw_.chance(50), width, draw_.small(-2, width + 2)};
    return add("t", Table{to, draw_.raws(to, int64_t{1} << type(x).width, 10)}, {x});
  }

  std::optional<ValueId> layer(ValueId x) {
    const int64_t channels = shape(x).back();
    if (is_map(x) && draw_.chance(20))
      return add("pool", MaxPool{{2, 2, 1, 1, grown(shape(x)[0]), grown(shape(x)[1]), 1, 1}}, {x});
    if (draw_.chance(30)) {
      const ValueId scale = weights({channels});
      return add("affine", Affine{}, {x, scale, bias(x, channels)});
    }
    const int64_t filters = draw_.chance(70) ? channels : draw_.between(1, options_.max_channels);
    if (is_map(x))
      return convolution(x, Conv2D{same_window()}, filters);
    const ValueId w = weights({channels, filters});
    return add("dense", Dense{}, {x, w, bias(x, filters)});
  }
  /// One more pixel where there is room for it, or none.
  int64_t grown(int64_t extent) { return draw_.between(0, extent < options_.max_extent ? 1 : 0); }

  ValueId bias(ValueId x, int64_t filters) {
    return constant({filters}, {true, 4, type(x).frac_bits}, 20);
  }
  std::optional<ValueId> convolution(ValueId x, const Conv2D& conv, int64_t filters) {
    const Window& window = conv.window;
    const ValueId w =
        weights({window.kernel_h, window.kernel_w, shape(x)[2] / conv.groups, filters});
    return add("conv", conv, {x, w, bias(x, filters)});
  }

  /// A window that leaves a map its extents.
  Window same_window() {
    const int64_t kernel = draw_.chance(50) ? 1 : 3;
    const int64_t pad = kernel / 2;
    return {kernel, kernel, 1, 1, pad, pad, pad, pad};
  }
  Window any_window(ValueId x) { return draw_window(draw_, shape(x), options_.max_extent); }

  using Maker = std::optional<ValueId> (BranchingMaker::*)(ValueId);

  /// What the options allow of operations on windows, and of those that move elements.
  std::vector<Maker> spatial_makers(ValueId x) const {
    using Self = BranchingMaker;
    std::vector<Maker> makers;
    const auto allow = [&](bool is_allowed, Maker maker) {
      if (is_allowed)
        makers.push_back(maker);
    };
    allow(operations_.slices, &Self::slice);
    allow(operations_.reshapes, &Self::reshape);
    allow(operations_.concatenations, &Self::concat);
    if (!is_map(x))
      return makers;
    allow(operations_.windows, &Self::window_layer);
    allow(operations_.groups, &Self::grouped_convolution);
    allow(operations_.transposed_convolutions, &Self::transposed_convolution);
    allow(operations_.means, &Self::mean);
    allow(operations_.upsampling, &Self::upsample);
    allow(operations_.padding, &Self::pad);
    allow(operations_.transpositions, &Self::transpose);
    return makers;
  }

  std::optional<ValueId> window_layer(ValueId x) {
    const Window window = any_window(x);
    if (draw_.chance(40))
      return add("pool", MaxPool{window}, {x});
    return convolution(x, Conv2D{window}, draw_.between(1, options_.max_channels));
  }

  std::optional<ValueId> grouped_convolution(ValueId x) {
    const int64_t channels = shape(x)[2];
    const int64_t groups = draw_groups(draw_, channels);
    const Window window = operations_.windows ? any_window(x) : same_window();
    const int64_t filters = groups * draw_.between(1, options_.max_channels / groups);
    return convolution(x, Conv2D{window, groups}, filters);
  }

  std::optional<ValueId> transposed_convolution(ValueId x) {
    const ConvTranspose2D conv = draw_conv_transpose(draw_, shape(x), options_.max_extent);
    const int64_t filters = draw_.between(1, options_.max_channels);
    const ValueId w = weights({conv.kernel_h, conv.kernel_w, shape(x)[2], filters});
    return add("convt", conv, {x, w, bias(x, filters)});
  }

  std::optional<ValueId> mean(ValueId x) {
    const Window window = any_window(x);
    const bool include_padding = draw_.chance(50);
    return add("mean", AvgPool{window, include_padding, any_quantizer(x)}, {x});
  }

  std::optional<ValueId> upsample(ValueId x) {
    const auto factor = [&](int64_t extent) {
      return draw_.between(1, std::min<int64_t>(3, options_.max_extent / extent));
    };
    return add("up", Upsample{factor(shape(x)[0]), factor(shape(x)[1])}, {x});
  }

  std::optional<ValueId> pad(ValueId x) {
    Pad pad;
    pad.top = grown(shape(x)[0]);
    pad.bottom = grown(shape(x)[0] + pad.top);
    pad.left = grown(shape(x)[1]);
    pad.right = grown(shape(x)[1] + pad.left);
    return add("pad", pad, {x});
  }

  std::optional<ValueId> slice(ValueId x) { return add("part", draw_slice(draw_, shape(x)), {x}); }

  bool is_small_map(const Shape& extents) const {
    return extents[0] <= options_.max_extent && extents[1] <= options_.max_extent &&
           extents[2] <= options_.max_channels;
  }

  std::optional<ValueId> transpose(ValueId x) {
    Transpose transpose;
    Shape extents;
    do {
      transpose = draw_transpose(draw_);
      extents.clear();
      for (const int64_t axis : transpose.permutation)
        extents.push_back(shape(x)[static_cast<size_t>(axis)]);
    } while (!is_small_map(extents));
    return add("turned", transpose, {x});
  }

  /// To a small map or, more rarely, to a vector.
  std::optional<ValueId> reshape(ValueId x) {
    const int64_t elements = num_elements(shape(x));
    if (elements <= options_.max_vector && draw_.chance(30))
      return is_map(x) && draw_.chance(50) ? add("flat", Flatten{}, {x})
                                           : add("shaped", Reshape{{elements}}, {x});
    std::vector<Shape> shapes;
    for (int64_t height = 1; height <= options_.max_extent; ++height)
      for (int64_t channels = 1; channels <= options_.max_channels; ++channels)
        if (elements % (height * channels) == 0)
          shapes.push_back({height, elements / (height * channels), channels});
    std::erase_if(shapes, [&](const Shape& extents) { return !is_small_map(extents); });
    if (shapes.empty())
      return std::nullopt;
    return add("shaped", Reshape{draw_.one_of(shapes)}, {x});
  }

  /// x and one or two more values, or constants, as many as there is room for.
  std::optional<ValueId> concat(ValueId x) {
    const int64_t most = is_map(x) ? options_.max_channels : options_.max_vector;
    int64_t room = most - shape(x).back();
    std::vector<ValueId> operands = {x};
    for (int more = draw_.small(1, 2); more > 0 && room > 0; --more) {
      const std::vector<ValueId> fitting = values_beside(x, room);
      Shape extents = shape(x);
      extents.back() = draw_.between(1, std::min<int64_t>(room, 2));
      operands.push_back(fitting.empty() || draw_.chance(20) ? near_constant(x, extents)
                                                             : draw_.one_of(fitting));
      room -= shape(operands.back()).back();
    }
    if (operands.size() == 1)
      return std::nullopt;
    std::swap(operands.front(), operands[index_below(operands.size())]);
    return add("beside", Concat{}, std::move(operands));
  }
  size_t index_below(size_t count) {
    return static_cast<size_t>(draw_.between(0, static_cast<int64_t>(count) - 1));
  }
  /// The values of at most so many channels that may stand beside those of x.
  std::vector<ValueId> values_beside(ValueId x, int64_t max_channels) const {
    std::vector<ValueId> fitting;
    for (const ValueId value : values_) {
      Shape extents = shape(value);
      const int64_t channels = std::exchange(extents.back(), shape(x).back());
      if (extents == shape(x) && channels <= max_channels)
        fitting.push_back(value);
    }
    return fitting;
  }

  FixedType type_near(const FixedType& from) {
    FixedType to{draw_.chance(from.is_signed ? 75 : 35), draw_.width(options_.max_value_bits), 0};
    to.frac_bits = std::clamp(to.width - from.int_bits() + draw_.small(-1, 3), -40, 40);
    return to;
  }

  Quantizer any_quantizer(ValueId x) {
    const FixedType to = type_near(type(x));
    const Rounding rounding = draw_.one_of(AllRoundings);
    return {to, rounding, draw_.one_of(AllOverflows)};
  }

  /// The value in at most as many bits as the options say: one type, or one for each channel or
  /// element, all of whose bits lie among those of a type of that many bits.
  ValueId requantized(ValueId x) {
    Requantize kind{any_quantizer(x)};
    const FixedType whole = kind.to.type;
    const int64_t channels = shape(x).back();
    const int64_t elements = num_elements(shape(x));
    if (operations_.channel_types && draw_.chance(40)) {
      const int64_t count = draw_.chance(70) ? channels : elements;
      for (int64_t i = 0; i < count; ++i) {
        const int dropped = draw_.small(0, whole.width - 1);
        const int width = draw_.small(1, whole.width - dropped);
        const bool is_signed = whole.is_signed && (width == 1 || draw_.chance(70));
        kind.types.push_back({is_signed, is_signed || !whole.is_signed ? width : width - 1,
                              whole.frac_bits - dropped});
      }
      kind.to.type = common_type(kind.types).value();
    }
    return builder_.add("q", kind, {x}).value();
  }

  ValueId head(ValueId x) {
    if (!operations_.reductions || draw_.chance(60))
      return x;
    if (is_map(x) && draw_.chance(50))
      x = builder_.add("flat", Flatten{}, {x}).value();
    switch (draw_.between(0, 2)) {
      case 0:
        return builder_.add("best", TopK{draw_.between(1, shape(x).back())}, {x}).value();
      case 1:
        return builder_.add("max", Reduce{ReduceFunction::Max}, {x}).value();
      default:
        return builder_.add("sum", Reduce{ReduceFunction::Sum}, {x}).value();
    }
  }

  Draw draw_;
  const RandomBranchingOptions& options_;
  const RandomBranchingOperations& operations_;
  Builder builder_{"branching"};
  std::vector<ValueId> values_;
};

}  // namespace

Graph random_branching_network(std::mt19937_64& random, const RandomBranchingOptions& options) {
  return BranchingMaker(random, options).make();
}

}  // namespace millrace::testing
