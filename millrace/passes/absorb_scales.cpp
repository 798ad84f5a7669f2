// SPDX-License-Identifier: Apache-2.0
// The end of a carried scale: the quantiser behind it.
#include <algorithm>

#include "millrace/passes/carried.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/passes/real_function.h"
#include "millrace/passes/rounded_sum.h"
#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

using graph::ValueId;

struct CodeRange {
  Int128 least, most;
};

class Absorber {
public:
  Absorber(graph::Builder& builder, const Carried& x, const graph::Op& requantize)
      : builder_(builder), x_(x), op_(requantize), to_(*requantize.as<graph::Requantize>()) {}

  Result<std::optional<ValueId>> absorb() {
    if (x_.function)
      return table();
    const bool saturates =
        to_.to.overflow == Overflow::Saturate || to_.to.overflow == Overflow::SaturateSymmetric;
    if (!saturates)
      return std::nullopt;
    size_t period = std::max(to_.types.size(), to_.steps.size());
    for (const CarriedTerm& term : x_.terms)
      period = std::max(period, term.factor.size());
    period = std::max({period, x_.offset.size(), size_t{1}});
    if (period > 1 && period != channels())
      return std::nullopt;  // types or steps of single elements
    // Ties that go both ways are kept by the exact scale, where it is a binary fraction.
    for (const bool is_exact : {false, true}) {
      size_t channel = 0;
      while (channel < period && add_channel(channel, is_exact))
        ++channel;
      if (channel == period)
        return sum(is_exact ? to_.to.rounding : shifted_rounding(to_.to.rounding));
      ranges_.clear();
      multipliers_.clear();
      offsets_.clear();
    }
    return std::nullopt;
  }

private:
  size_t channels() const {
    return static_cast<size_t>(builder_.type(x_.terms.front().code).shape.back());
  }
  const FixedType& code_type(const CarriedTerm& term) const {
    return builder_.type(term.code).fixed();
  }
  static const Rational& at(const std::vector<Rational>& numbers, size_t channel) {
    return numbers[numbers.size() == 1 ? 0 : channel];
  }

  // The results that are possible, as raw integers of `to.type`.
  CodeRange range(const Quantizer& to, const Rational& unit) const {
    CodeRange range{to.type.min_raw(), to.type.max_raw()};
    if (to.overflow == Overflow::SaturateSymmetric && to.type.is_signed)
      range.least = -range.most;
    const auto code = [&](const Rational& bound) {
      const Integer raw = rounded(bound / unit, to.rounding);
      return static_cast<Int128>(std::clamp(raw, Integer(range.least), Integer(range.most)));
    };
    const CodeRange all = range;
    if (x_.least)
      range.least = std::max(all.least, code(*x_.least));
    if (x_.most)
      range.most = std::min(all.most, code(*x_.most));
    return range;
  }

  static bool is_short(const std::vector<Rational>& numbers) {
    const auto constant = exact_vector(numbers);
    return constant && constant->type.fixed().width <= MaxExactWeightBits;
  }

  bool add_channel(size_t channel, bool is_exact) {
    const Quantizer to = to_.at(channel);
    const Rational lsb = rational(1, to.type.frac_bits);
    const Rational unit = rational(to_.step(channel)) * lsb;
    ranges_.push_back(range(to, unit));
    std::vector<Rational> multipliers;
    Rational offset = 0;
    if (ranges_.back().least == ranges_.back().most) {
      multipliers.resize(x_.terms.size(), Rational(0));
      offset = Rational(Integer(ranges_.back().least));
    } else {
      RoundedSum rounded{{},
                         at(x_.offset, channel) / unit,
                         to.rounding,
                         ranges_.back().least,
                         ranges_.back().most};
      for (const CarriedTerm& term : x_.terms) {
        const FixedType& type = code_type(term);
        rounded.summands.push_back({type.min_raw(), type.max_raw(),
                                    at(term.factor, channel) * rational(1, type.frac_bits) / unit});
      }
      if (is_exact) {
        for (const Summand& summand : rounded.summands)
          multipliers.push_back(summand.slope);
        offset = rounded.offset;
        if (!is_short(multipliers) || !is_short({offset}))
          return false;
      } else {
        const auto shifted = shifted_sum(rounded);
        if (!shifted)
          return false;
        for (const Int128 multiplier : shifted->multipliers)
          multipliers.push_back(rational(multiplier, shifted->frac_bits));
        offset = rational(shifted->offset, shifted->frac_bits);
      }
    }
    // In the numbers of codes and results, not in their raw integers.
    multipliers_.resize(x_.terms.size());
    for (size_t i = 0; i < x_.terms.size(); ++i)
      multipliers_[i].push_back(multipliers[i] * lsb /
                                rational(1, code_type(x_.terms[i]).frac_bits));
    offsets_.push_back(offset * lsb);
    return true;
  }

  Result<ValueId> constant(const std::string& name, std::vector<Rational> numbers) {
    if (numbers.size() == 1)
      numbers.resize(channels(), Rational(numbers.front()));
    auto narrow = exact_vector(numbers);
    check(narrow.has_value(), "a short multiplier is long");
    return builder_.add(name, *std::move(narrow), {}, op_.where);
  }

  Result<ValueId> scaled(size_t index, const std::vector<Rational>& offset) {
    const std::string name = op_.name + (index == 0 ? ".scaled" : ".scaled_other");
    MR_TRY(const ValueId scale, constant(name + ".multiplier", multipliers_[index]));
    MR_TRY(const ValueId shift, constant(name + ".offset", offset));
    return builder_.add(name, graph::Affine{}, {x_.terms[index].code, scale, shift}, op_.where);
  }

  Result<std::optional<ValueId>> sum(Rounding rounding) {
    MR_TRY(ValueId value, scaled(0, offsets_));
    if (x_.terms.size() == 2) {
      MR_TRY(const ValueId other, scaled(1, {0}));
      MR_TRY(value, builder_.add(op_.name + ".sum", graph::Add{}, {value, other}, op_.where));
    }
    graph::Requantize requantize = to_;
    requantize.steps.clear();
    requantize.to.rounding = rounding;
    if (!x_.is_clamped())
      return builder_.add(op_.name, requantize, {value}, op_.where);
    return clamped(value, requantize);
  }

  // The clamp stands in the type's range where it can.
  Result<std::optional<ValueId>> clamped(ValueId value, graph::Requantize requantize) {
    const auto is_same = [&](const CodeRange& range) {
      return range.least == ranges_.front().least && range.most == ranges_.front().most;
    };
    const bool has_types = !requantize.types.empty();
    if (!has_types && std::ranges::all_of(ranges_, is_same)) {
      const CodeRange range = ranges_.front();
      const auto type = narrowest_type(std::min<Int128>(range.least, 0), range.most,
                                       requantize.to.type.frac_bits);
      if (type && type->min_raw() == range.least && type->max_raw() == range.most) {
        requantize.to = {*type, requantize.to.rounding, Overflow::Saturate};
        return builder_.add(op_.name, requantize, {value}, op_.where);
      }
    }
    std::vector<Rational> least, most;
    for (size_t channel = 0; channel < ranges_.size(); ++channel) {
      const int frac_bits = to_.at(channel).type.frac_bits;
      least.push_back(rational(ranges_[channel].least, frac_bits));
      most.push_back(rational(ranges_[channel].most, frac_bits));
    }
    MR_TRY(value, builder_.add(op_.name + ".rounded", requantize, {value}, op_.where));
    MR_TRY(const ValueId lo, constant(op_.name + ".least", least));
    MR_TRY(const ValueId hi, constant(op_.name + ".most", most));
    MR_TRY(value, builder_.add(op_.name + ".raised", graph::Maximum{}, {value, lo}, op_.where));
    return builder_.add(op_.name, graph::Minimum{}, {value, hi}, op_.where);
  }

  // The function of every code.
  Result<std::optional<ValueId>> table() {
    const CarriedTerm& term = x_.terms.front();
    if (x_.terms.size() != 1 || !term.is_uniform() || x_.offset.size() != 1)
      return std::nullopt;
    if (!to_.types.empty() || to_.steps.size() > 1)
      return error(messages::TableTypes, place_of(op_), op_.name);
    const FixedType& from = code_type(term);
    if (from.width > graph::Table::MaxInputWidth)
      return error(messages::TableTooWide, place_of(op_), op_.name, from.to_string(),
                   graph::Table::MaxInputWidth);
    graph::Table result{to_.to.type, {}};
    for (Int128 raw = from.min_raw(); raw <= from.max_raw(); ++raw) {
      Rational x = term.factor.front() * rational(raw, from.frac_bits) + x_.offset.front();
      if (x_.least)
        x = std::max(x, *x_.least);
      if (x_.most)
        x = std::min(x, *x_.most);
      const auto exact = dyadic({x});
      if (!exact || exact->frac_bits > MaxTableFracBits || to_.to.type.frac_bits > MaxTableFracBits)
        return error(messages::TableFraction, place_of(op_), op_.name, from.to_string(),
                     to_.to.type.to_string(), MaxTableFracBits);
      result.value.push_back(quantized_function(*x_.function, exact->raw.front(), exact->frac_bits,
                                                to_.to, to_.step(0)));
    }
    return builder_.add(op_.name, std::move(result), {term.code}, op_.where);
  }

  graph::Builder& builder_;
  const Carried& x_;
  const graph::Op& op_;
  const graph::Requantize& to_;
  std::vector<CodeRange> ranges_;                   // of each channel
  std::vector<std::vector<Rational>> multipliers_;  // by term, then channel
  std::vector<Rational> offsets_;                   // by channel
};

}  // namespace

Result<std::optional<ValueId>> absorb(graph::Builder& builder, const Carried& x,
                                      const graph::Op& requantize) {
  if (x.slope.empty())
    return Absorber(builder, x, requantize).absorb();
  // The larger of v and slope * v, the smaller for slopes above 1; rounding keeps the order.
  const auto is_steep = [](const Rational& slope) { return slope > 1; };
  const bool is_min = std::ranges::all_of(x.slope, is_steep);
  if (x.function || (!is_min && std::ranges::any_of(x.slope, is_steep)))
    return std::nullopt;
  Carried plain = x;
  plain.slope.clear();
  Carried leaking{x.terms, x.offset};
  leaking.scale(x.slope);
  leaking.least = x.least;
  leaking.most = x.most;
  MR_TRY(const auto a, Absorber(builder, plain, requantize).absorb());
  MR_TRY(const auto b, Absorber(builder, leaking, requantize).absorb());
  if (!a || !b)
    return std::nullopt;
  graph::OpKind kind = graph::Maximum{};
  if (is_min)
    kind = graph::Minimum{};
  return builder.add(requantize.name, std::move(kind), {*a, *b}, requantize.where);
}

}  // namespace millrace::passes
