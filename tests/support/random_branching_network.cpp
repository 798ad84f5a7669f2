// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "tests/support/draw.h"
#include "tests/support/random_graph.h"

#include "millrace/support/check.h"

namespace millrace::testing {

using namespace graph;  // NOLINT(google-build-using-namespace): the operations by their names

namespace {

class BranchingMaker {
public:
  BranchingMaker(std::mt19937_64& random, const RandomBranchingOptions& options)
      : draw_(random), options_(options) {}

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

  void make_inputs() {
    const int64_t channels = draw_.between(1, options_.max_channels);
    Shape extents = {channels};
    if (options_.with_maps && draw_.chance(70))
      extents = {draw_.between(1, options_.max_height), draw_.between(1, options_.max_width),
                 channels};
    for (int i = draw_.small(1, options_.max_inputs); i > 0; --i) {
      const int width = draw_.width(options_.max_value_bits);
      const FixedType element{draw_.chance(50), width, draw_.small(-2, width + 2)};
      values_.push_back(builder_.add("x", Input{{extents, element}}).value());
    }
  }

  /// Makes one more value from those made so far, no wider than the options say.
  void make_value() {
    const ValueId x = any_value();
    const std::optional<ValueId> made = draw_.chance(50)                           ? join(x)
                                        : options_.with_layers && draw_.chance(30) ? layer(x)
                                                                                   : pointwise(x);
    if (!made)
      return;
    const bool is_wide = type(*made).width > options_.max_value_bits;
    values_.push_back(is_wide || draw_.chance(15) ? requantized(*made) : *made);
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
    if (kind == 3)
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
    switch (draw_.between(0, 10)) {
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
        return add("r", Relu{}, {x});
      case 6:
        return table(x);
      case 7:
      case 8:
        return prelu(x);
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
      return add("pool", MaxPool{{2, 2, 1, 1, draw_.between(0, 1), draw_.between(0, 1), 1, 1}},
                 {x});
    if (draw_.chance(30))
      return add("affine", Affine{},
                 {x, weights({channels}), constant({channels}, {true, 4, type(x).frac_bits}, 20)});
    const int64_t filters = draw_.chance(70) ? channels : draw_.between(1, options_.max_channels);
    const ValueId b = constant({filters}, {true, 4, type(x).frac_bits}, 20);
    if (!is_map(x))
      return add("dense", Dense{}, {x, weights({channels, filters}), b});
    const int64_t kernel = draw_.chance(50) ? 1 : 3;  // the map keeps its extents
    const int64_t pad = kernel / 2;
    return add("conv", Conv2D{{kernel, kernel, 1, 1, pad, pad, pad, pad}},
               {x, weights({kernel, kernel, channels, filters}), b});
  }

  FixedType type_near(const FixedType& from) {
    FixedType to{draw_.chance(from.is_signed ? 75 : 35), draw_.width(options_.max_value_bits), 0};
    to.frac_bits = std::clamp(to.width - from.int_bits() + draw_.small(-1, 3), -40, 40);
    return to;
  }

  /// The value in at most as many bits as the options say: one type, or one for each channel or
  /// element, all of whose bits lie among those of a type of that many bits.
  ValueId requantized(ValueId x) {
    const FixedType whole = type_near(type(x));
    const Rounding rounding = draw_.one_of(AllRoundings);
    const Overflow overflow = draw_.one_of(AllOverflows);
    Requantize kind{{whole, rounding, overflow}};
    const int64_t channels = shape(x).back();
    const int64_t elements = num_elements(shape(x));
    if (draw_.chance(40)) {
      const int64_t count = draw_.chance(70) ? channels : elements;
      for (int64_t i = 0; i < count; ++i) {
        const int dropped = draw_.small(0, whole.width - 1);
        const int width = draw_.small(1, whole.width - dropped);
        const bool is_signed = whole.is_signed && draw_.chance(70);
        kind.types.push_back({is_signed,
                              is_signed || !whole.is_signed ? width : std::max(width - 1, 1),
                              whole.frac_bits - dropped});
      }
      kind.to.type = common_type(kind.types).value();
    }
    return builder_.add("q", kind, {x}).value();
  }

  ValueId head(ValueId x) {
    if (draw_.chance(60))
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
  Builder builder_{"branching"};
  std::vector<ValueId> values_;
};

}  // namespace

Graph random_branching_network(std::mt19937_64& random, const RandomBranchingOptions& options) {
  return BranchingMaker(random, options).make();
}

}  // namespace millrace::testing
