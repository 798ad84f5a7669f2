// SPDX-License-Identifier: Apache-2.0
// Walks through the graph with each value as an expression of codes (carried.h). An operation that
// commutes with the expression works on the codes; a quantiser takes the expression in; everything
// else reads the value itself, which is then computed from its codes once.
#include <algorithm>
#include <map>

#include "millrace/graph/accumulator.h"
#include "millrace/passes/carried.h"
#include "millrace/passes/exact_constants.h"
#include "millrace/passes/messages.h"
#include "millrace/passes/passes.h"
#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

using graph::Op;
using graph::OpKind;
using graph::ValueId;

class Carrier {
public:
  explicit Carrier(const Graph& graph)
      : graph_(graph), users_(graph.users()), builder_(graph.name()) {}

  Result<Graph> run() {
    for (size_t i = 0; i < graph_.ops().size(); ++i) {
      const Op& op = graph_.ops()[i];
      value_ = static_cast<ValueId>(i);
      if (op.as<graph::Constant>())
        continue;  // comes when it is first used
      MR_TRY(auto carried, std::visit([&](const auto& kind) { return carry(op, kind); }, op.kind));
      if (carried)
        carried_[value_] = *std::move(carried);
      else if (!values_.contains(value_))
        MR_TRY_STATUS(copy(op));
    }
    for (const ValueId output : graph_.outputs()) {
      MR_TRY(const ValueId value, real(output));
      builder_.output(value);
    }
    return std::move(builder_).finish();
  }

private:
  using Carry = Result<std::optional<Carried>>;

  // The operation as it is, on the values that it reads.
  Status copy(const Op& op) {
    std::vector<ValueId> operands;
    for (size_t i = 0; i < op.operands.size(); ++i) {
      MR_TRY(operands.emplace_back(), operand(op, i));
    }
    MR_TRY(values_[value_], builder_.add(op.name, op.kind, std::move(operands), op.where));
    return {};
  }

  const Carried* find(ValueId value) const {
    const auto found = carried_.find(value);
    return found == carried_.end() ? nullptr : &found->second;
  }
  const graph::Constant* constant(ValueId value) const {
    return graph_.op(value).as<graph::Constant>();
  }
  // Numbers for all elements or each channel of a value of `shape`.
  static bool fits_channels(const graph::Constant& constant, const Shape& shape) {
    const int64_t count = num_elements(constant.type.shape);
    return count == 1 || constant.type.shape == Shape{shape.back()};
  }

  // What a value is carried as: a computed fixed-point value is its own code.
  Result<std::optional<Carried>> carried(ValueId value) {
    if (const Carried* found = find(value))
      return *found;
    if (constant(value))
      return std::nullopt;
    MR_TRY(const ValueId code, real(value));
    if (!builder_.type(code).is_fixed())
      return std::nullopt;
    return Carried{{{code}}};
  }

  // The value itself in the new graph.
  Result<ValueId> real(ValueId value) {
    if (const auto found = values_.find(value); found != values_.end())
      return found->second;
    const Carried* x = find(value);
    check(x != nullptr, "a value is neither there nor carried");
    MR_TRY(values_[value], computed(graph_.op(value), *x));
    return values_[value];
  }

  // An operand: the value itself, or the exact constant.
  Result<ValueId> operand(const Op& op, size_t index) {
    const ValueId value = op.operands[index];
    if (!constant(value) || values_.contains(value))
      return real(value);
    MR_TRY(auto exact, exact_operand(graph_, op, index));
    const bool is_for_all = exact.type.is_fixed();
    const Op& definition = graph_.op(value);
    MR_TRY(const ValueId id, builder_.add(definition.name, std::move(exact), {}, definition.where));
    if (is_for_all)
      values_[value] = id;
    return id;
  }

  Result<ValueId> numbers(const Op& op, std::string_view suffix,
                          const std::vector<Rational>& list) {
    auto narrow = exact_vector(list);
    const std::string name = op.name + std::string(suffix);
    if (!narrow)
      return error(messages::UnquantizedConstant, place_of(op), name, op.mnemonic(), op.name);
    return builder_.add(name, *std::move(narrow), {}, op.where);
  }

  Result<ValueId> computed(const Op& op, const Carried& x) {
    MR_TRY(ValueId value, scaled(op, x.terms.front(), x.offset));
    if (x.terms.size() == 2) {
      MR_TRY(const ValueId other, scaled(op, x.terms[1], {0}));
      MR_TRY(value, builder_.add(op.name, graph::Add{}, {value, other}, op.where));
    }
    if (!x.slope.empty()) {
      MR_TRY(const ValueId slope, numbers(op, ".slope", x.slope));
      MR_TRY(value, builder_.add(op.name, graph::Prelu{}, {value, slope}, op.where));
    }
    if (x.least) {
      MR_TRY(const ValueId least, numbers(op, ".least", {*x.least}));
      MR_TRY(value, builder_.add(op.name, graph::Maximum{}, {value, least}, op.where));
    }
    if (x.most) {
      MR_TRY(const ValueId most, numbers(op, ".most", {*x.most}));
      MR_TRY(value, builder_.add(op.name, graph::Minimum{}, {value, most}, op.where));
    }
    if (x.function)
      return builder_.add(op.name, *x.function, {value}, op.where);
    return value;
  }

  Result<ValueId> scaled(const Op& op, const CarriedTerm& term, std::vector<Rational> offset) {
    const bool has_offset = std::ranges::any_of(offset, [](const Rational& o) { return o != 0; });
    std::vector<Rational> scale = term.factor;
    std::vector<ValueId> operands = {term.code};
    OpKind kind = graph::Mul{};
    if (has_offset) {
      kind = graph::Affine{};
      for (auto* list : {&scale, &offset})
        if (list->size() == 1)
          list->resize(static_cast<size_t>(op.type.shape.back()), Rational(list->front()));
    }
    MR_TRY(operands.emplace_back(), numbers(op, ".scale", scale));
    if (has_offset) {
      MR_TRY(operands.emplace_back(), numbers(op, ".offset", offset));
    }
    auto value = builder_.add(op.name, std::move(kind), std::move(operands), op.where);
    if (!value)
      return error(messages::AffineTooWide, place_of(op), op.name, builder_.op(term.code).name);
    return value;
  }

  // The same operation on each code of a value.
  Carry on_codes(const Op& op, Carried x) {
    for (CarriedTerm& term : x.terms) {
      std::vector<ValueId> operands = {term.code};
      for (size_t i = 1; i < op.operands.size(); ++i) {
        MR_TRY(operands.emplace_back(), operand(op, i));
      }
      MR_TRY(term.code, builder_.add(op.name, op.kind, std::move(operands), op.where));
    }
    return x;
  }

  // Without a rule of its own.
  template <class Kind>
  Carry carry(const Op&, const Kind&) {
    return std::nullopt;
  }

  Carry carry(const Op& op, const graph::Requantize& kind) {
    const ValueId operand = op.operands[0];
    if (!find(operand) && kind.steps.empty())
      return std::nullopt;
    MR_TRY(const auto x, carried(operand));
    if (!x)
      return std::nullopt;
    MR_TRY(const auto absorbed, absorb(builder_, *x, op));
    if (absorbed)
      values_[value_] = *absorbed;
    else if (!kind.steps.empty())
      return error(messages::StepRemains, place_of(op), op.name, kind.steps.front());
    return std::nullopt;
  }

  // Scales and offsets: carried from where one is wide.
  Carry carry(const Op& op, const graph::Affine&) {
    const auto *scale = constant(op.operands[1]), *offset = constant(op.operands[2]);
    if (!scale || !offset || (!find(op.operands[0]) && !is_wide(*scale) && !is_wide(*offset)))
      return std::nullopt;
    MR_TRY(auto x, carried(op.operands[0]));
    if (!x || !x->is_linear())
      return std::nullopt;
    x->scale(rationals(*scale));
    x->shift(rationals(*offset));
    return x;
  }

  Carry carry(const Op& op, const graph::Mul&) {
    const auto* factor = constant(op.operands[1]);
    if (!factor)
      return product(op);
    if (!fits_channels(*factor, op.type.shape) || (!find(op.operands[0]) && !is_wide(*factor)))
      return std::nullopt;
    MR_TRY(auto x, carried(op.operands[0]));
    if (!x || !x->is_linear())
      return std::nullopt;
    x->scale(rationals(*factor));
    return x;
  }

  // Of two computed values.
  Carry product(const Op& op) {
    if (!find(op.operands[0]) && !find(op.operands[1]))
      return std::nullopt;
    MR_TRY(auto a, carried(op.operands[0]));
    MR_TRY(const auto b, carried(op.operands[1]));
    if (!a || !b || !a->is_scaled_code() || !b->is_scaled_code())
      return std::nullopt;
    a->scale(b->terms.front().factor);
    CarriedTerm& term = a->terms.front();
    MR_TRY(term.code, builder_.add(op.name, op.kind, {term.code, b->terms.front().code}, op.where));
    return a;
  }

  Carry carry(const Op& op, const graph::Add&) { return sum(op, 1); }
  Carry carry(const Op& op, const graph::Sub&) { return sum(op, -1); }

  Carry sum(const Op& op, int sign) {
    if (const auto* addend = constant(op.operands[1])) {
      if (!fits_channels(*addend, op.type.shape) || (!find(op.operands[0]) && !is_wide(*addend)))
        return std::nullopt;
      MR_TRY(auto x, carried(op.operands[0]));
      if (!x || !x->is_linear())
        return std::nullopt;
      std::vector<Rational> offsets = rationals(*addend);
      for (Rational& offset : offsets)
        offset *= sign;
      x->shift(offsets);
      return x;
    }
    if (!find(op.operands[0]) && !find(op.operands[1]))
      return std::nullopt;
    MR_TRY(auto a, carried(op.operands[0]));
    MR_TRY(auto b, carried(op.operands[1]));
    const auto is_summand = [](const std::optional<Carried>& x) {
      return x && x->is_single() && x->is_linear() && x->terms.front().is_uniform();
    };
    if (!is_summand(a) || !is_summand(b) ||
        graph_.type(op.operands[0]).shape != graph_.type(op.operands[1]).shape)
      return std::nullopt;
    b->scale({Rational(sign)});
    CarriedTerm &first = a->terms.front(), &second = b->terms.front();
    a->shift(b->offset);
    if (first.factor.front() * sign == second.factor.front()) {
      MR_TRY(first.code, builder_.add(op.name, op.kind, {first.code, second.code}, op.where));
    } else {
      a->terms.push_back(second);
    }
    return a;
  }

  // Rectifiers and clips: of a code where they commute, else until the quantiser.
  Carry carry(const Op& op, const graph::Relu&) {
    const Carried* found = find(op.operands[0]);
    if (!found || found->function)
      return std::nullopt;
    if (found->is_scaled_code())
      return on_codes(op, *found);
    Carried x = *found;
    x.raise_to(0);
    return x;
  }
  Carry carry(const Op& op, const graph::Prelu&) {
    const Carried* found = find(op.operands[0]);
    const auto* slope = constant(op.operands[1]);
    if (!found || !found->is_linear() || !slope)
      return std::nullopt;
    if (found->is_scaled_code() && !is_wide(*slope))
      return on_codes(op, *found);
    Carried x = *found;
    x.slope = rationals(*slope);
    return x;
  }
  Carry carry(const Op& op, const graph::Maximum&) { return clip(op, &Carried::raise_to); }
  Carry carry(const Op& op, const graph::Minimum&) { return clip(op, &Carried::lower_to); }

  Carry clip(const Op& op, void (Carried::*apply)(const Rational&)) {
    const Carried* found = find(op.operands[0]);
    const auto* bound = constant(op.operands[1]);
    if (!found || found->function || !bound)
      return std::nullopt;
    const std::vector<Rational> bounds = rationals(*bound);
    if (std::ranges::any_of(bounds, [&](const Rational& b) { return b != bounds.front(); }))
      return std::nullopt;
    Carried x = *found;
    (x.*apply)(bounds.front());
    return x;
  }

  // A function of one number: known once its quantiser is.
  Carry carry(const Op& op, const graph::Unary& function) {
    const Carried* found = find(op.operands[0]);
    if (!found || !found->is_single() || !found->slope.empty() ||
        !found->terms.front().is_uniform() || found->offset.size() > 1)
      return std::nullopt;
    Carried x = *found;
    x.function = function;
    return x;
  }

  // x >= 0: code >= a bound, code <= a bound where the factor is negative.
  Carry carry(const Op& op, const graph::Binarize&) {
    const Carried* found = find(op.operands[0]);
    if (!found || !found->is_single() || !found->is_linear())
      return std::nullopt;
    const CarriedTerm& term = found->terms.front();
    const size_t period = std::max(term.factor.size(), found->offset.size());
    std::vector<Rational> sign, shift;
    for (size_t i = 0; i < period; ++i) {
      const Rational& factor = term.factor[term.is_uniform() ? 0 : i];
      const Rational& offset = found->offset[found->offset.size() == 1 ? 0 : i];
      const Rational lsb = rational(1, builder_.type(term.code).fixed().frac_bits);
      sign.emplace_back(factor == 0 ? 0 : factor > 0 ? 1 : -1);
      if (factor == 0)
        shift.emplace_back(offset >= 0 ? 0 : -1);
      else if (factor > 0)
        shift.push_back(-Rational(ceil(-offset / factor / lsb)) * lsb);
      else
        shift.push_back(Rational(floor(-offset / factor / lsb)) * lsb);
    }
    const auto channels = static_cast<size_t>(op.type.shape.back());
    if (period != 1 && period != channels)
      return std::nullopt;
    for (auto* list : {&sign, &shift})
      if (list->size() == 1)
        list->resize(channels, Rational(list->front()));
    MR_TRY(const ValueId a, numbers(op, ".sign", sign));
    MR_TRY(const ValueId b, numbers(op, ".bound", shift));
    MR_TRY(const ValueId compared,
           builder_.add(op.name + ".compared", graph::Affine{}, {term.code, a, b}, op.where));
    MR_TRY(values_[value_], builder_.add(op.name, op.kind, {compared}, op.where));
    return std::nullopt;
  }

  // Operations that compare: with a positive factor the codes' order is that of the values.
  Carry carry(const Op& op, const graph::MaxPool&) {
    const Carried* found = find(op.operands[0]);
    const auto rises = [](const Rational& slope) { return slope >= 0; };
    if (!found || !found->is_single() || !found->terms.front().is_positive() ||
        !std::ranges::all_of(found->slope, rises))
      return std::nullopt;
    return on_codes(op, *found);
  }
  Carry carry(const Op& op, const graph::TopK&) {
    const Carried* found = find(op.operands[0]);
    if (!found || !found->is_single() || !found->is_linear() || found->offset.size() > 1 ||
        !found->terms.front().is_uniform() || !found->terms.front().is_positive())
      return std::nullopt;
    MR_TRY(values_[value_], builder_.add(op.name, op.kind, {found->terms.front().code}, op.where));
    return std::nullopt;
  }

  // Operations that move elements.
  Carry carry(const Op& op, const graph::Flatten&) {
    const Carried* found = find(op.operands[0]);
    if (!found || found->function)
      return std::nullopt;
    Carried x = *found;
    const auto repeat = [&](std::vector<Rational>& list) {
      const size_t channels = list.size();
      const auto size = static_cast<size_t>(op.type.shape.back());
      for (size_t i = channels; channels > 1 && i < size; ++i)
        list.push_back(Rational(list[i - channels]));
    };
    repeat(x.offset);
    repeat(x.slope);
    for (CarriedTerm& term : x.terms)
      repeat(term.factor);
    return on_codes(op, std::move(x));
  }
  Carry carry(const Op& op, const graph::Upsample&) { return moved(op, true, true); }
  Carry carry(const Op& op, const graph::Pad&) { return moved(op, true, false); }
  Carry carry(const Op& op, const graph::Reshape&) { return moved(op, false, true); }
  Carry carry(const Op& op, const graph::Transpose&) { return moved(op, false, true); }
  Carry carry(const Op& op, const graph::Slice&) { return moved(op, false, true); }

  Carry moved(const Op& op, bool keeps_channels, bool adds_none) {
    const Carried* found = find(op.operands[0]);
    if (!found || found->function || (!adds_none && (found->has_offset() || found->is_clamped())))
      return std::nullopt;
    const auto is_uniform = [](const CarriedTerm& term) { return term.is_uniform(); };
    if (!keeps_channels && (found->offset.size() > 1 || found->slope.size() > 1 ||
                            !std::ranges::all_of(found->terms, is_uniform)))
      return std::nullopt;
    return on_codes(op, *found);
  }

  Carry carry(const Op& op, const graph::Concat&) {
    const auto is_carried = [&](ValueId operand) { return find(operand) != nullptr; };
    if (std::ranges::none_of(op.operands, is_carried))
      return std::nullopt;
    Carried all{{{-1, {}}}, {}};
    std::vector<ValueId> codes;
    for (const ValueId operand : op.operands) {
      MR_TRY(auto x, carried(operand));
      if (!x || !x->is_single() || !x->slope.empty())
        return std::nullopt;
      if (codes.empty()) {
        all.least = x->least;
        all.most = x->most;
      }
      if (x->least != all.least || x->most != all.most)
        return std::nullopt;
      const auto channels = static_cast<size_t>(graph_.type(operand).shape.back());
      const auto append = [&](std::vector<Rational>& to, const std::vector<Rational>& list) {
        for (size_t i = 0; i < channels; ++i)
          to.push_back(Rational(list[list.size() == 1 ? 0 : i]));
      };
      append(all.terms.front().factor, x->terms.front().factor);
      append(all.offset, x->offset);
      codes.push_back(x->terms.front().code);
    }
    for (auto* list : {&all.terms.front().factor, &all.offset})
      if (std::ranges::all_of(*list, [&](const Rational& r) { return r == list->front(); }))
        list->resize(1);
    MR_TRY(all.terms.front().code, builder_.add(op.name, op.kind, std::move(codes), op.where));
    return all;
  }

  // Layers: the scale goes behind them, and the bias with it.
  Carry carry(const Op& op, const graph::Conv2D&) { return layer(op); }
  Carry carry(const Op& op, const graph::ConvTranspose2D&) { return layer(op); }
  Carry carry(const Op& op, const graph::Dense&) { return layer(op); }

  Carry layer(const Op& op) {
    if (graph::accumulator_of(op))  // its sums are those of its own numbers
      return std::nullopt;
    const Carried* x = find(op.operands[0]);
    const auto *weights = constant(op.operands[1]), *bias = constant(op.operands[2]);
    if (!x || !x->is_scaled_code() || !weights || !bias)
      return std::nullopt;
    MR_TRY(const ValueId w, operand(op, 1));
    MR_TRY(const ValueId none,
           builder_.add(op.name + ".no_bias",
                        *narrowest_constant(bias->type.shape,
                                            {std::vector<Int128>(op.type.shape.back(), 0), 0})));
    MR_TRY(const ValueId sums,
           builder_.add(op.name, op.kind, {x->terms.front().code, w, none}, op.where));
    return Carried{{{sums, x->terms.front().factor}}, rationals(*bias)};
  }

  // The mean of codes is a sum with the number of taps in the factor, where only quantisers read
  // it and every window has as many taps.
  Carry carry(const Op& op, const graph::AvgPool& pool) {
    if (pool.to || graph::accumulator_of(op) ||
        (pool.window.is_padded() && !pool.include_padding) || !ends_in_quantizers(value_))
      return std::nullopt;
    const Shape& map = graph_.type(op.operands[0]).shape;
    if (!find(op.operands[0]) && !has_steps(value_))
      return std::nullopt;
    MR_TRY(auto x, carried(op.operands[0]));
    if (!x || !x->is_linear() || !x->is_single() || (pool.window.is_padded() && x->has_offset()))
      return std::nullopt;
    if (auto mean = mean_of_codes(*x, pool, op))
      return *std::move(mean);
    const int64_t taps = pool.window.kernel_h * pool.window.kernel_w;
    if (taps * map[2] > MaxOnes)
      return std::nullopt;
    const Shape shape = {pool.window.kernel_h, pool.window.kernel_w, 1, map[2]};
    const std::vector<Int128> ones(static_cast<size_t>(num_elements(shape)), 1);
    const std::vector<Int128> zeros(static_cast<size_t>(map[2]), 0);
    MR_TRY(const ValueId w, builder_.add(op.name + ".ones", *narrowest_constant(shape, {ones, 0})));
    MR_TRY(const ValueId b,
           builder_.add(op.name + ".no_bias", *narrowest_constant({map[2]}, {zeros, 0})));
    CarriedTerm& term = x->terms.front();
    MR_TRY(term.code,
           builder_.add(op.name, graph::Conv2D{pool.window, map[2]}, {term.code, w, b}, op.where));
    for (Rational& factor : term.factor)
      factor /= taps;
    return x;
  }

  // Where the quantiser behind a mean has the scale of the codes, the mean of codes is what it
  // makes: a division, which rounds ties as no multiplier does.
  std::optional<Carry> mean_of_codes(const Carried& x, graph::AvgPool pool, const Op& op) {
    ValueId reader = value_;
    while (users_[static_cast<size_t>(reader)].size() == 1 &&
           !graph_.op(reader).as<graph::Requantize>())
      reader = users_[static_cast<size_t>(reader)].front();
    const auto* to = graph_.op(reader).as<graph::Requantize>();
    if (!to || !to->types.empty() || to->steps.size() != 1 || !x.is_scaled_code() ||
        x.terms.front().factor.front() != rational(to->steps.front()))
      return std::nullopt;
    pool.to = to->to;
    Carried mean = x;
    const auto add = [&]() -> Carry {
      MR_TRY(mean.terms.front().code,
             builder_.add(op.name, pool, {x.terms.front().code}, op.where));
      return mean;
    };
    return add();
  }

  // Whether all that reads a value are quantisers, behind operations that absorb() looks through.
  bool ends_in_quantizers(ValueId value) const {
    const auto& users = users_[static_cast<size_t>(value)];
    return !graph_.is_output(value) && !users.empty() &&
           std::ranges::all_of(users, [&](ValueId user) {
             const Op& op = graph_.op(user);
             return op.as<graph::Requantize>() ||
                    ((op.as<graph::Flatten>() || op.as<graph::Relu>() || op.as<graph::Affine>() ||
                      ((op.as<graph::Mul>() || op.as<graph::Add>()) && constant(op.operands[1]))) &&
                     ends_in_quantizers(user));
           });
  }
  // Whether a quantiser with steps follows.
  bool has_steps(ValueId value) const {
    const auto& users = users_[static_cast<size_t>(value)];
    return std::ranges::any_of(users, [&](ValueId user) {
      const auto* requantize = graph_.op(user).as<graph::Requantize>();
      return requantize ? !requantize->steps.empty() : has_steps(user);
    });
  }

  static constexpr int64_t MaxOnes = int64_t{1} << 24;

  const Graph& graph_;
  std::vector<std::vector<ValueId>> users_;
  graph::Builder builder_;
  ValueId value_ = -1;                  // of the operation in hand
  std::map<ValueId, ValueId> values_;   // what is in the new graph
  std::map<ValueId, Carried> carried_;  // what is not, or not yet
};

}  // namespace

Result<Graph> carry_scales(const Graph& graph) {
  return Carrier(graph).run();
}

}  // namespace millrace::passes
