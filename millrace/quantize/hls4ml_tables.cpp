// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/hls4ml_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "millrace/quantize/messages.h"

namespace millrace::quantize {
namespace {

using graph::Builder;
using graph::Op;
using graph::UnaryFunction;
using graph::ValueId;

constexpr int64_t DefaultTableSize = 1024;
constexpr int64_t MaxTableSize = int64_t{1} << graph::Table::MaxInputWidth;
/// table_t: ap_fixed<18,8>.
constexpr Quantizer DefaultTable = {{true, 18, 10}, Rounding::Floor, Overflow::Wrap};
/// exp_table_t, inv_table_t and inv_inp_t: ap_fixed<18,8,AP_RND,AP_SAT>.
constexpr Quantizer DefaultSoftmaxTable = {{true, 18, 10}, Rounding::HalfUp, Overflow::Saturate};

/// A function and the numbers that its table is for: -range / 2 to range / 2.
struct TabledFunction {
  UnaryFunction function;
  int range;
  float (*value)(float);
};

// In the precision of each step there: a literal makes a step one of doubles.
constexpr TabledFunction TabledFunctions[] = {
    {UnaryFunction::Sigmoid, 16,
     [](float x) { return static_cast<float>(1.0 / static_cast<double>(1 + std::exp(-x))); }},
    {UnaryFunction::Tanh, 8, [](float x) { return std::tanh(x); }},
    {UnaryFunction::Softplus, 16,
     [](float x) { return static_cast<float>(std::log(std::exp(x) + 1.)); }},
    {UnaryFunction::Softsign, 16,
     [](float x) { return static_cast<float>(x / (std::abs(x) + 1.)); }},
};

/// A number as ap_fixed takes it: infinity has only zeros among the bits that matter.
int64_t entry(float value, const Quantizer& to) {
  constexpr int LargestExponent = 1000;
  const double finite =
      std::isinf(value) ? std::copysign(std::ldexp(1.0, LargestExponent), value) : value;
  return static_cast<int64_t>(requantize(finite, to));
}

/// The table of a function for every raw integer of `from`.
graph::Table make_table(const FixedType& from, const Quantizer& to,
                        const std::function<float(float)>& function) {
  graph::Table table{to.type, {}};
  for (Int128 raw = from.min_raw(); raw <= from.max_raw(); ++raw)
    table.value.push_back(entry(function(static_cast<float>(from.to_double(raw))), to));
  return table;
}

Result<int64_t> table_size(const Op& op, const TableRules& rules) {
  const int64_t size = rules.size.value_or(DefaultTableSize);
  if (size < 2 || size > MaxTableSize || !std::has_single_bit(static_cast<uint64_t>(size)))
    return error(messages::Hls4mlTableSize, op.where, size, op.name);
  return size;
}

int log2_of(int64_t power) {
  return static_cast<int>(std::bit_width(static_cast<uint64_t>(power))) - 1;
}

/// Appends the operations of one softmax.
class SoftmaxBuilder {
public:
  SoftmaxBuilder(Builder& builder, const Op& softmax, ValueId x, const TableRules& rules,
                 const Quantizer& accumulator, int64_t size)
      : builder_(builder),
        softmax_(softmax),
        x_(x),
        from_(builder.type(x).fixed()),
        rules_(rules),
        accumulator_(accumulator),
        // hls4ml makes its tables smaller where a type has fewer codes.
        size_(std::min(size, int64_t{1} << std::min({from_.width, inv_table().type.width,
                                                     graph::Table::MaxInputWidth}))) {}

  Result<ValueId> stable() {
    const Quantizer distance =
        rules_.inp_norm.value_or(Quantizer{{.is_signed = false,
                                            .width = from_.width - (from_.is_signed ? 1 : 0),
                                            .frac_bits = from_.frac_bits},
                                           Rounding::Floor,
                                           Overflow::Wrap});
    MR_TRY(const ValueId largest, add("max", graph::Reduce{graph::ReduceFunction::Max}, {x_}));
    // The distance times -1, because the operand that is repeated comes second.
    MR_TRY(const ValueId below, add("below", graph::Sub{}, {x_, largest}));
    MR_TRY(const ValueId difference, add("difference", graph::Negate{}, {below}));
    MR_TRY(const ValueId d, add("distance", graph::Requantize{distance}, {difference}));
    const int64_t codes = int64_t{1} << std::min(distance.type.width, log2_of(size_));
    return quotients(d, distance.type, codes, [](float x) { return std::exp(-x); });
  }

  Result<ValueId> latency() {
    return quotients(x_, from_, size_, [](float x) { return std::exp(x); });
  }

  /// 1 where the index is that of the first of the largest numbers.
  Result<ValueId> argmax() {
    const auto channels = builder_.type(x_).shape.back();
    graph::Constant indices{builder_.type(x_), std::vector<int64_t>{}};
    const auto type = narrowest_type(0, channels - 1, 0);
    indices.type.element = type;
    std::vector<int64_t> raw(static_cast<size_t>(num_elements(indices.type.shape)));
    for (size_t i = 0; i < raw.size(); ++i)
      raw[i] = static_cast<int64_t>(i) % channels;
    indices.value = std::move(raw);
    MR_TRY(const ValueId index, add("index", graph::TopK{1}, {x_}));
    MR_TRY(const ValueId all, add("indices", std::move(indices), {}));
    MR_TRY(const ValueId distance, add("distance", graph::Sub{}, {all, index}));
    const FixedType from = builder_.type(distance).fixed();
    const FixedType bit{.is_signed = false, .width = 1, .frac_bits = 0};
    return add("", make_table(from, {bit}, [](float x) { return x == 0 ? 1.0F : 0.0F; }),
               {distance});
  }

private:
  Quantizer inv_table() const { return rules_.inv_table.value_or(DefaultSoftmaxTable); }

  Result<ValueId> add(const std::string& suffix, graph::OpKind kind,
                      std::vector<ValueId> operands) {
    return builder_.add(suffix.empty() ? softmax_.name : softmax_.name + "." + suffix,
                        std::move(kind), std::move(operands), softmax_.where);
  }

  tl::unexpected<Diagnostic> refusal(const std::string& what) const {
    return error(messages::Hls4mlSoftmax, softmax_.where, softmax_.name, what);
  }

  /// The highest bits of a value: which of `codes` entries it is.
  Result<ValueId> code_of(const std::string& suffix, ValueId value, const FixedType& type,
                          int64_t codes) {
    const int width = log2_of(codes);
    const Quantizer highest_bits{
        {.is_signed = type.is_signed, .width = width, .frac_bits = width - type.int_bits()},
        Rounding::Floor,
        Overflow::Wrap};
    return add(suffix, graph::Requantize{highest_bits}, {value});
  }

  Result<ValueId> quotients(ValueId value, const FixedType& type, int64_t codes,
                            const std::function<float(float)>& exponential) {
    const Quantizer exp_table = rules_.exp_table.value_or(DefaultSoftmaxTable);
    const Quantizer sum = rules_.inv_inp.value_or(DefaultSoftmaxTable);
    if (sum.type.width < log2_of(size_))
      return refusal("inv_inp_t has fewer bits than the index of its table");

    MR_TRY(const ValueId code, code_of("code", value, type, codes));
    graph::Table table = make_table(builder_.type(code).fixed(), exp_table, exponential);
    bool has_negative = false;
    for (int64_t& raw : table.value) {
      raw = static_cast<int64_t>(requantize(Int128{raw}, exp_table.type.frac_bits, accumulator_));
      has_negative = has_negative || raw < 0;
    }
    table.element = accumulator_.type;
    // Wrapping around once at the end is the same; so is clamping once, where nothing is negative.
    const bool clamps = accumulator_.overflow == Overflow::Saturate ||
                        accumulator_.overflow == Overflow::SaturateSymmetric;
    if (accumulator_.overflow != Overflow::Wrap && (!clamps || has_negative))
      return refusal("the order of its sums matters, by the overflow mode of its accum type");
    MR_TRY(const ValueId e, add("exp", std::move(table), {code}));
    MR_TRY(const ValueId exact, add("sum", graph::Reduce{graph::ReduceFunction::Sum}, {e}));
    MR_TRY(const ValueId total, add("accumulator", graph::Requantize{accumulator_}, {exact}));
    MR_TRY(const ValueId s, add("total", graph::Requantize{sum}, {total}));
    MR_TRY(const ValueId index, code_of("index", s, sum.type, size_));
    const FixedType& index_type = builder_.type(index).fixed();
    MR_TRY(const ValueId r,
           add("reciprocal", make_table(index_type, inv_table(), [](float x) { return 1 / x; }),
               {index}));
    return add("", graph::Mul{}, {e, r});
  }

  Builder& builder_;
  const Op& softmax_;
  ValueId x_;
  FixedType from_;
  const TableRules& rules_;
  Quantizer accumulator_;
  int64_t size_;  // of the table of reciprocals, and at most of the other
};

}  // namespace

Result<ValueId> add_hls4ml_table(Builder& builder, const Op& function, ValueId x,
                                 const TableRules& rules) {
  const auto& unary = *function.as<graph::Unary>();
  const auto* const found =
      std::find_if(std::begin(TabledFunctions), std::end(TabledFunctions),
                   [&](const TabledFunction& known) { return known.function == unary.function; });
  if (found == std::end(TabledFunctions) || unary.alpha || unary.beta)
    return error(messages::Hls4mlFunction, function.where, function.name,
                 to_string(unary.function));
  MR_TRY(const int64_t size, table_size(function, rules));
  const Quantizer index{{.is_signed = true,
                         .width = log2_of(size),
                         .frac_bits = log2_of(size) - log2_of(found->range)},
                        Rounding::TowardsZero,
                        Overflow::Saturate};
  MR_TRY(const ValueId code,
         builder.add(function.name + ".index", graph::Requantize{index}, {x}, function.where));
  return builder.add(function.name,
                     make_table(index.type, rules.table.value_or(DefaultTable), found->value),
                     {code}, function.where);
}

Result<ValueId> add_hls4ml_softmax(Builder& builder, const Op& softmax, ValueId x,
                                   const TableRules& rules, const Quantizer& accumulator) {
  MR_TRY(const int64_t size, table_size(softmax, rules));
  SoftmaxBuilder parts(builder, softmax, x, rules, accumulator, size);
  const std::string& implementation = rules.implementation;
  if (implementation.empty() || implementation == "stable")
    return parts.stable();
  if (implementation == "latency")
    return parts.latency();
  if (implementation == "argmax")
    return parts.argmax();
  return error(
      messages::Hls4mlSoftmax, softmax.where, softmax.name,
      "its implementation is '" + implementation + "'; known are stable, latency and argmax");
}

}  // namespace millrace::quantize
