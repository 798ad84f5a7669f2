// SPDX-License-Identifier: Apache-2.0
// The layers of HGQ's proxy models, which compute to the bit what the circuit shall compute.
// Source   HGQ 0.2.6, proxy/fixed_point_quantizer.py, proxy/unary_lut.py
#include "millrace/frontends/keras/hgq.h"

#include <algorithm>
#include <cmath>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"

namespace millrace::frontends::keras {
namespace {

/// The extents of a parameter without the batch.
Result<Shape> parameter_shape(LayerCall& call, const Shape& x, const Shape& given) {
  Shape shape = given;
  while (shape.size() > x.size()) {
    if (shape.front() != 1)
      return error(messages::Shapes, call.where(), to_string(given), to_string(x));
    shape.erase(shape.begin());
  }
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t extent = x[x.size() - shape.size() + i];
    if (shape[i] != 1 && shape[i] != extent)
      return error(messages::Shapes, call.where(), to_string(given), to_string(x));
  }
  return shape;
}

/// The type that one element is quantised to; none where it has no bits, and is 0.
Result<std::optional<FixedType>> element_type(LayerCall& call, double keep_negative, double bits,
                                              double integers) {
  if (bits == 0)
    return std::nullopt;
  const bool is_signed = keep_negative == 1;
  const int max_width = FixedType::MaxWidth - (is_signed ? 0 : 1);
  constexpr int MaxIntegers = FixedType::MaxFracBits / 2;
  if ((keep_negative != 0 && !is_signed) || bits < 0 || bits > max_width ||
      std::abs(integers) > MaxIntegers)
    return error(messages::QuantizerType, call.where(), bits, integers);
  return FixedType{.is_signed = is_signed,
                   .width = static_cast<int>(bits),
                   .frac_bits = static_cast<int>(bits - integers)};
}

}  // namespace

Result<Value> quantize_fixed(LayerCall& call, const std::string& suffix, const Value& x,
                             const FixedParameters& parameters) {
  const auto& [given, keep_negative, bits, integers, rounding, overflow] = parameters;
  MR_TRY(const Shape shape, parameter_shape(call, x.shape, given));
  // Types of all elements, of the channels, or of one.
  constexpr int64_t MaxTypes = int64_t{1} << 20;
  const bool is_one = bits.size() == 1;
  const bool is_by_channel = !shape.empty() && static_cast<int64_t>(bits.size()) == shape.back();
  const Shape extents = is_one ? Shape{1} : is_by_channel ? Shape{shape.back()} : x.shape;
  if (num_elements(extents) > MaxTypes)
    return error(messages::TooLarge, call.where(), "the quantiser",
                 fmt::format("{} types", MaxTypes));
  const Repetition repetition(is_one || is_by_channel ? extents : shape, extents);
  std::vector<FixedType> types;
  std::vector<int64_t> mask;
  bool has_zeros = false;
  for (int64_t i = 0; i < num_elements(extents); ++i) {
    const size_t index = repetition(i);
    MR_TRY(const auto type, element_type(call, keep_negative[index], bits[index], integers[index]));
    if (type && !type->is_signed && overflow == Overflow::WrapSignMagnitude)
      return error(messages::BadOption, call.where(), "overflow", "WRAP_SM",
                   "another one for unsigned numbers");
    types.push_back(type.value_or(FixedType{.is_signed = false, .width = 1}));
    mask.push_back(type ? 1 : 0);
    has_zeros = has_zeros || !type;
  }
  if (has_zeros) {  // elements without bits do not widen the common type
    const auto found = std::ranges::find(mask, 1);
    const FixedType other = types[found == mask.end() ? 0 : size_t(found - mask.begin())];
    for (size_t i = 0; i < types.size(); ++i)
      if (mask[i] == 0)
        types[i] = other;
  }
  const std::string prefix = suffix.empty() ? "" : suffix + ".";
  graph::Requantize op{{types.front(), rounding, overflow}};
  if (std::ranges::any_of(types, [&](const FixedType& type) { return type != types.front(); })) {
    const auto common = graph::common_type(types);
    if (!common)
      return error(messages::QuantizerType, call.where(), "more than 64", "some");
    op.to.type = *common;
    op.types = std::move(types);
  }
  if (!has_zeros)
    return call.map(suffix, std::move(op), x);
  // The quantiser comes first: it may be what gives an input its type.
  MR_TRY(const Value quantized, call.map(prefix + "quantized", std::move(op), x));
  const graph::TensorType mask_type{graph_shape(extents),
                                    FixedType{.is_signed = false, .width = 1}};
  MR_TRY(const Value factor,
         call.add(prefix + "mask", graph::Constant{mask_type, std::move(mask)}, {}, {}));
  return call.add(suffix, graph::Mul{}, {quantized.id, factor.id}, x.shape);
}

Result<Rounding> read_rounding(Config& config, std::string_view key) {
  MR_TRY(const std::string name, config.text(key, "TRN"));
  if (const auto rounding = parse_rounding(name))
    return *rounding;
  return config.bad(key, "TRN, TRN_ZERO, RND, RND_ZERO, RND_MIN_INF, RND_INF or RND_CONV");
}

Result<Overflow> read_overflow(Config& config, std::string_view key) {
  MR_TRY(const std::string name, config.text(key, "WRAP"));
  if (const auto overflow = parse_overflow(name))
    return *overflow;
  return config.bad(key, "WRAP, SAT, SAT_ZERO, SAT_SYM or WRAP_SM");
}

namespace {

Result<Value> fixed_point_quantizer(LayerCall& call) {
  Config& config = call.config;
  const Json* shape = config.get("shape");
  const size_t rank = shape && shape->is_array() ? shape->size() : 1;
  FixedParameters parameters;
  MR_TRY(parameters.shape, config.integers("shape", rank));
  config.ignore({"overrides", "fusible"});  // for hls4ml: they repeat the types
  MR_TRY(parameters.rounding, read_rounding(config, "RND"));
  MR_TRY(parameters.overflow, read_overflow(config, "SAT"));
  MR_TRY_STATUS(parameter_shape(call, call.x().shape, parameters.shape));
  MR_TRY(LayerWeights weights, call.read_weights({{"keep_negative", parameters.shape},
                                                  {"bits", parameters.shape},
                                                  {"integers", parameters.shape}}));
  parameters.keep_negative = std::move(weights.find("keep_negative")->second.data);
  parameters.bits = std::move(weights.find("bits")->second.data);
  parameters.integers = std::move(weights.find("integers")->second.data);
  return quantize_fixed(call, "", call.x(), parameters);
}

/// A type as HGQ writes it: [has a sign, integer bits without it, fraction bits].
Result<FixedType> read_kif(LayerCall& call, std::string_view key) {
  MR_TRY(const auto kif, call.config.integers(key, 3));
  constexpr int64_t MaxBits = 64;
  const int64_t width = kif[0] + kif[1] + kif[2];
  if (kif[0] < 0 || kif[0] > 1 || std::abs(kif[1]) > MaxBits || std::abs(kif[2]) > MaxBits ||
      width < 1 || width >= MaxBits)
    return error(messages::QuantizerType, call.where(), width, kif[1]);
  return FixedType{.is_signed = kif[0] == 1,
                   .width = static_cast<int>(width),
                   .frac_bits = static_cast<int>(kif[2])};
}

/// table[round(x * 2^f) mod 2^width]: entries are in the order of the unsigned codes.
Result<Value> unary_lut(LayerCall& call) {
  MR_TRY(const FixedType in, read_kif(call, "kif_in"));
  MR_TRY(const FixedType out, read_kif(call, "kif_out"));
  if (in.width > graph::Table::MaxInputWidth)
    return call.config.bad("kif_in", fmt::format("at most {} bits", graph::Table::MaxInputWidth));
  const int64_t size = int64_t{1} << in.width;
  MR_TRY(const LayerWeights weights, call.read_weights({{"table", {size}}}));
  const auto& entries = weights.find("table")->second.data;
  graph::Table table{.element = out, .value = {}};
  for (int64_t i = 0; i < size; ++i) {
    const int64_t raw = static_cast<int64_t>(in.min_raw()) + i;
    const double entry = entries[static_cast<size_t>(raw & (size - 1))];
    const Int128 code = requantize(entry, Quantizer{out});
    if (out.to_double(code) != entry)
      return error(messages::TableEntry, call.where(), raw & (size - 1), entry, out.to_string());
    table.value.push_back(static_cast<int64_t>(code));
  }
  MR_TRY(const Value code,
         call.map("code", graph::Requantize{{in, Rounding::HalfEven, Overflow::Wrap}}, call.x()));
  return call.map("", std::move(table), code);
}

}  // namespace

std::span<const LayerRule> hgq_layers() {
  static constexpr LayerRule Rules[] = {{"FixedPointQuantizer", &fixed_point_quantizer},
                                        {"UnaryLUT", &unary_lut}};
  return Rules;
}

}  // namespace millrace::frontends::keras
