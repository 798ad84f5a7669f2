// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/hls4ml.h"

#include <algorithm>
#include <map>

#include "millrace/passes/passes.h"
#include "millrace/quantize/hls4ml_tables.h"
#include "millrace/quantize/hls4ml_types.h"
#include "millrace/quantize/messages.h"
#include "millrace/quantize/op_kinds.h"
#include "millrace/quantize/typed_copy.h"

namespace millrace::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::Overloaded;
using graph::ValueId;

// A type of the rules, or none where they say "auto".
using MaybeType = std::optional<ChosenType>;

constexpr const char* Inferred = "hls4ml's auto";

ChosenType inferred(const FixedType& type) {
  return {{type, Rounding::Floor, Overflow::Wrap}, Inferred};
}

bool is_product_layer(const Op& op) {
  return op.as<graph::Dense>() || op.as<graph::Conv2D>() || op.as<graph::ConvTranspose2D>();
}

// What hls4ml does in place.
bool is_in_place(const Op& op) {
  return op.as<graph::Flatten>() || op.as<graph::Reshape>();
}

bool is_function(const Op& op) {
  return op.as<graph::Unary>() || op.as<graph::Softmax>();
}

bool is_zero(const graph::Constant& constant) {
  const auto are_zero = [](const auto& list) {
    return std::ranges::all_of(list, [](auto number) { return number == 0; });
  };
  return constant.value.is_raw() ? are_zero(constant.raw()) : are_zero(constant.real());
}

class Hls4mlAssigner {
public:
  Hls4mlAssigner(const Graph& graph, const TypeRules& rules, bool is_keras)
      : graph_(graph),
        rules_(rules),
        is_keras_(is_keras),
        without_linear_(rules),
        users_(graph.users()),
        quantized_(find_quantized(graph)) {
    std::erase_if(without_linear_.layer_name,
                  [](const auto& rule) { return rule.first.ends_with("_linear"); });
    for (const Op& op : graph.ops())
      copy_rule_to_part(op);
    for (size_t i = 0; i < graph.ops().size(); ++i)
      index_by_name_[graph.ops()[i].name] = i;
    const auto is_typed = [](const Op& op) {
      return op.as<graph::Requantize>() || (op.as<graph::Constant>() && op.type.is_fixed());
    };
    has_quantizers_ = std::ranges::any_of(graph.ops(), is_typed);
  }

  Result<Graph> run() {
    for (ValueId layer = 0; layer < static_cast<ValueId>(graph_.ops().size()); ++layer)
      if (!graph_.op(layer).as<graph::Constant>())
        MR_TRY_STATUS(add_layer(layer));
    for (const ValueId output : graph_.outputs()) {
      MR_TRY(const ValueId value, copy_.copied(output));
      builder_.output(value);
    }
    return std::move(builder_).finish();
  }

private:
  // The rule for a layer counts for its first operation, too: of a separable layer, of which hls4ml
  // makes two with that rule each, and of a global pooling, whose map is flattened.
  void copy_rule_to_part(const Op& op) {
    for (const std::string_view part : {".depthwise", ".map"}) {
      if (!op.name.ends_with(part))
        continue;
      Op whole = op;
      whole.name.resize(op.name.size() - part.size());
      for (const auto& [name, precision] : rules_.layer_name)
        if (names_layer(name, whole))
          without_linear_.layer_name.try_emplace(op.name, precision);
    }
  }

  // What the rules say; of a layer of Keras those of its linear activation say nothing.
  Result<FoundRule> found_rule(const Op& op, Role role) const {
    return find_rule(is_keras_ && !op.name.ends_with("_linear") ? without_linear_ : rules_, op,
                     role);
  }

  Result<MaybeType> rule_for(const Op& op, Role role) const {
    MR_TRY(const FoundRule found, found_rule(op, role));
    if (!*found.entry)
      return MaybeType();
    return ChosenType{**found.entry, found.precision->place};
  }

  // The model's default: what hls4ml takes where it infers nothing.
  Result<ChosenType> default_type(const Op& op, Role role) const {
    const auto& entry = rules_.model.by_default;
    if (!entry || !*entry)
      return error(messages::NoRule, op.where, to_string(role), op.name);
    return ChosenType{**entry, rules_.model.place};
  }

  Result<ChosenType> type_or_default(const Op& op, Role role) const {
    MR_TRY(const MaybeType chosen, rule_for(op, role));
    if (chosen)
      return *chosen;
    return default_type(op, role);
  }

  bool is_named(const Op& op, Role role) const {
    const auto found = found_rule(op, role);
    return found && found->is_named && *found->entry;
  }

  // What the rules say of a layer's tables: those for its name before those for its class.
  TableRules tables_of(const Op& op) const {
    TableRules tables;
    const auto update = [](auto& value, const auto& by) {
      if (by)
        value = by;
    };
    const auto take = [&](const TableRules& more) {
      update(tables.table, more.table);
      update(tables.exp_table, more.exp_table);
      update(tables.inv_table, more.inv_table);
      update(tables.inv_inp, more.inv_inp);
      update(tables.inp_norm, more.inp_norm);
      update(tables.size, more.size);
      if (!more.implementation.empty())
        tables.implementation = more.implementation;
    };
    for (const auto& [name, precision] : rules_.layer_type)
      if (is_class_of(name, op))
        take(precision.tables);
    for (const auto& [name, precision] : rules_.layer_name)
      if (names_layer(name, op))
        take(precision.tables);
    return tables;
  }

  const FixedType& type(ValueId value) const { return builder_.type(value).fixed(); }

  // An operand in the new graph; a constant of real numbers with its type behind it.
  Result<ValueId> operand_of(const Op& op, size_t i) {
    const Op& operand = graph_.op(op.operands[i]);
    const auto* const constant = operand.as<graph::Constant>();
    if (!constant || operand.type.is_fixed())
      return copy_.copied(op.operands[i]);
    const Role role = is_factor(op, i) ? Role::Weights : Role::Bias;
    // Where a model has quantisers, weights that are exact are those that it quantised.
    if (has_quantizers_ && passes::is_quantized(*constant) && !is_named(op, role))
      return copy_.copied_constant(op.operands[i], passes::exact_constant(*constant).value());
    MR_TRY(const ChosenType chosen, type_or_default(op, role));
    return copy_.typed_constant(op.operands[i], chosen);
  }

  // The type that hls4ml sees of an operand of a layer.
  FixedType declared_type(const Op& op, size_t i, ValueId operand) const {
    const auto* const constant = graph_.op(op.operands[i]).as<graph::Constant>();
    if (constant && i == 2 && is_zero(*constant))
      return {.is_signed = false, .width = 1, .frac_bits = 0};  // a layer without a bias
    return type(operand);
  }

  Status add_layer(ValueId layer) {
    const Op& op = graph_.op(layer);
    if (op.as<graph::Requantize>())
      return add_quantizer(layer);
    std::vector<ValueId> operands;
    for (size_t i = 0; i < op.operands.size(); ++i) {
      MR_TRY(operands.emplace_back(), operand_of(op, i));
    }
    MR_TRY(ValueId value, add_operation(op, operands));
    MR_TRY(const MaybeType result, result_type(layer, operands));
    if (result) {
      MR_TRY(value, builder_.add(op.name + ".result", graph::Requantize{result->quantizer}, {value},
                                 result->origin));
    }
    if (result && result->origin != Inferred && has_linear_activation(layer)) {
      MR_TRY(const ChosenType linear, linear_type(op));
      MR_TRY(value, builder_.add(op.name + ".linear", graph::Requantize{linear.quantizer}, {value},
                                 linear.origin));
    }
    copy_.set(layer, value);
    return {};
  }

  // True for a layer of Keras whose activation is none.
  bool has_linear_activation(ValueId layer) const {
    const Op& op = graph_.op(layer);
    const auto& users = users_[static_cast<size_t>(layer)];
    return is_keras_ && is_product_layer(op) && !comes_before_its_layer(op) &&
           std::ranges::none_of(users, [&](ValueId user) {
             return graph_.op(user).name.starts_with(op.name + ".");
           });
  }

  // Of the layer NAME_linear: an Activation.
  Result<ChosenType> linear_type(const Op& op) const {
    const Op linear{op.name + "_linear", op.where, graph::Relu{}, {}, {}};
    return type_or_default(linear, Role::Result);
  }

  // A quantiser of the model, in place of which a rule for it by its name may stand.
  Status add_quantizer(ValueId layer) {
    Op op = graph_.op(layer);
    MR_TRY(const ValueId x, copy_.copied(op.operands[0]));
    if (is_named(op, Role::Result)) {
      MR_TRY(const MaybeType chosen, rule_for(op, Role::Result));
      MR_TRY_STATUS(retype(op, *chosen));
    }
    MR_TRY(const ValueId value, builder_.add(op.name, std::move(op.kind), {x}, op.where));
    copy_.set(layer, value);
    return {};
  }

  // The operation with hls4ml's arithmetic.
  Result<ValueId> add_operation(const Op& op, const std::vector<ValueId>& operands) {
    if (op.as<graph::Unary>())
      return add_hls4ml_table(builder_, op, operands[0], tables_of(op));
    if (op.as<graph::Softmax>()) {
      MR_TRY(const ChosenType accumulator, type_or_default(op, Role::Accumulator));
      return add_hls4ml_softmax(builder_, op, operands[0], tables_of(op), accumulator.quantizer);
    }
    graph::OpKind kind = op.kind;
    if (auto* const dense = std::get_if<graph::Dense>(&kind)) {
      MR_TRY(dense->accumulate, sum_accumulator(op));
    } else if (auto* const conv = std::get_if<graph::Conv2D>(&kind)) {
      MR_TRY(conv->accumulate, sum_accumulator(op));
    } else if (auto* const pool = std::get_if<graph::AvgPool>(&kind)) {
      MR_TRY(pool->to, mean_accumulator(op, *pool, operands[0]));
      pool->accumulate = true;
    }
    MR_TRY(const ValueId value, builder_.add(op.name, std::move(kind), operands, op.where));
    return op.as<graph::MaxPool>() ? accumulated_maximum(op, value) : Result<ValueId>(value);
  }

  // hls4ml's maximum is returned in accum_t, too.
  Result<ValueId> accumulated_maximum(const Op& op, ValueId maximum) {
    MR_TRY(const MaybeType chosen, rule_for(op, Role::Accumulator));
    if (!chosen)
      return maximum;
    return builder_.add(op.name + ".accumulator", graph::Requantize{chosen->quantizer}, {maximum},
                        chosen->origin);
  }

  // None where it is wide enough by hls4ml's own rule.
  Result<std::optional<Quantizer>> sum_accumulator(const Op& op) const {
    MR_TRY(const MaybeType chosen, rule_for(op, Role::Accumulator));
    return chosen ? std::optional(chosen->quantizer) : std::nullopt;
  }

  // hls4ml has layers of their own for global poolings, for which it infers nothing.
  bool is_global(const Op& op, const graph::Window& window) const {
    const Shape& map = graph_.type(op.operands[0]).shape;
    return window.kernel_h == map[0] && window.kernel_w == map[1];
  }

  Result<Quantizer> mean_accumulator(const Op& op, const graph::AvgPool& pool, ValueId x) const {
    MR_TRY(const MaybeType chosen, rule_for(op, Role::Accumulator));
    if (chosen)
      return chosen->quantizer;
    if (is_global(op, pool.window)) {
      MR_TRY(const ChosenType type, default_type(op, Role::Accumulator));
      return type.quantizer;
    }
    return inferred(hls4ml_mean_accumulator(type(x), pool.window.kernel_h * pool.window.kernel_w))
        .quantizer;
  }

  // True for an operation that is a part of the layer whose operation comes after it: relu6 is
  // NAME.relu and NAME.
  bool is_part(const Op& op) const {
    return !is_product_layer(op) && !op.as<graph::AvgPool>() && comes_before_its_layer(op);
  }

  // True for NAME.part before NAME.
  bool comes_before_its_layer(const Op& op) const {
    const size_t dot = op.name.rfind('.');
    if (dot == std::string::npos)
      return false;
    const auto found = index_by_name_.find(op.name.substr(0, dot));
    return found != index_by_name_.end() && found->second > index_by_name_.at(op.name);
  }

  // The type of a layer's result, where hls4ml gives it one of its own.
  Result<MaybeType> result_type(ValueId layer, const std::vector<ValueId>& operands) const {
    const Op& op = graph_.op(layer);
    const Kind kind = kind_of(op);
    const bool only_by_name =
        op.as<graph::Slice>() || op.as<graph::Transpose>() || is_part(op) ||
        ((kind == Kind::Chooses || is_function(op)) && quantized_[static_cast<size_t>(layer)]);
    if (kind == Kind::Coded || is_in_place(op) || (op.as<graph::Input>() && op.type.is_fixed()) ||
        (only_by_name && !is_named(op, Role::Result)))
      return MaybeType();
    MR_TRY(const MaybeType chosen, rule_for(op, Role::Result));
    if (chosen)
      return chosen;
    return std::visit(
        Overloaded{
            [&](const graph::Dense&) { return sum_type(op, operands); },
            [&](const graph::Conv2D&) { return sum_type(op, operands); },
            [&](const graph::ConvTranspose2D&) { return Result<MaybeType>(MaybeType()); },
            [&](const graph::Affine&) -> Result<MaybeType> {
              return inferred(hls4ml_affine_type(declared_type(op, 0, operands[0]),
                                                 declared_type(op, 1, operands[1]),
                                                 declared_type(op, 2, operands[2])));
            },
            [&](const graph::AvgPool& pool) { return pooled_type(op, pool.window, operands[0]); },
            [&](const graph::MaxPool& pool) { return pooled_type(op, pool.window, operands[0]); },
            [&](const graph::Pad&) { return Result<MaybeType>(MaybeType()); },
            [&](const graph::Upsample&) { return Result<MaybeType>(MaybeType()); },
            [&](const graph::Concat&) { return concat_type(operands); },
            [&]<graph::BinaryFunction F>(const graph::Binary<F>&) -> Result<MaybeType> {
              return inferred(hls4ml_binary_type(F, declared_type(op, 0, operands[0]),
                                                 declared_type(op, 1, operands[1])));
            },
            [&](const auto&) { return defaulted(op); },
        },
        op.kind);
  }

  Result<MaybeType> defaulted(const Op& op) const {
    MR_TRY(const ChosenType chosen, default_type(op, Role::Result));
    return MaybeType(chosen);
  }

  Result<MaybeType> sum_type(const Op& op, const std::vector<ValueId>& operands) const {
    const Shape& w = graph_.type(op.operands[1]).shape;
    return MaybeType(inferred(
        hls4ml_sum_type(declared_type(op, 0, operands[0]), declared_type(op, 1, operands[1]),
                        declared_type(op, 2, operands[2]), num_elements(w) / w.back())));
  }

  Result<MaybeType> pooled_type(const Op& op, const graph::Window& window, ValueId x) const {
    if (is_global(op, window))
      return defaulted(op);
    return MaybeType(inferred(type(x)));
  }

  Result<MaybeType> concat_type(const std::vector<ValueId>& operands) const {
    FixedType common = type(operands[0]);
    for (const ValueId operand : operands)
      if (type(operand) != common)
        common = hls4ml_concat_type(common, type(operand));
    return MaybeType(inferred(common));
  }

  const Graph& graph_;
  const TypeRules& rules_;
  bool is_keras_;
  TypeRules without_linear_;
  std::vector<std::vector<ValueId>> users_;
  std::vector<char> quantized_;  // by value
  std::map<std::string, size_t> index_by_name_;
  bool has_quantizers_ = false;
  graph::Builder builder_{graph_.name()};
  TypedCopy copy_{graph_, builder_};
};

}  // namespace

Result<Graph> quantize_as_hls4ml(const Graph& graph, const TypeRules& rules, bool is_keras) {
  MR_TRY_STATUS(check_layer_names(graph, rules));
  MR_TRY(const Graph folded, fold_real_affine(graph, [&](const Op& layer) {
           const auto result = find_rule(rules, layer, Role::Result);
           return result && !*result->entry;
         }));
  return Hls4mlAssigner(folded, rules, is_keras).run();
}

}  // namespace millrace::quantize
