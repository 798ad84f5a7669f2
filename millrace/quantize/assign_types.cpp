// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/assign_types.h"

#include <algorithm>
#include <map>

#include "millrace/fixed/quantizer_text.h"
#include "millrace/passes/passes.h"

namespace millrace::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::Overloaded;
using graph::ValueId;

// What an operation does to the types of numbers.
enum class Kind {
  Source,     // an input or a constant
  Computes,   // its results have more bits than its operands, or are no fixed-point numbers
  Chooses,    // its results are numbers of its operands, or 0: quantising before and behind agree
  Quantizes,  // a requantize
  Coded,      // its results have their type by what it is: table, top_k
};

Kind kind_of(const Op& op) {
  return std::visit(Overloaded{
                        [](const graph::Input&) { return Kind::Source; },
                        [](const graph::Constant&) { return Kind::Source; },
                        [](const graph::Requantize&) { return Kind::Quantizes; },
                        [](const graph::Table&) { return Kind::Coded; },
                        [](const graph::TopK&) { return Kind::Coded; },
                        [](const graph::Relu&) { return Kind::Chooses; },
                        [](const graph::MaxPool&) { return Kind::Chooses; },
                        [](const graph::Flatten&) { return Kind::Chooses; },
                        [](const graph::Concat&) { return Kind::Chooses; },
                        [](const graph::Pad&) { return Kind::Chooses; },
                        [](const graph::Reshape&) { return Kind::Chooses; },
                        [](const graph::Slice&) { return Kind::Chooses; },
                        [](const graph::Transpose&) { return Kind::Chooses; },
                        [](const graph::Upsample&) { return Kind::Chooses; },
                        [](const graph::Maximum&) { return Kind::Chooses; },
                        [](const graph::Minimum&) { return Kind::Chooses; },
                        [](const graph::Abs&) { return Kind::Chooses; },
                        [](const graph::Negate&) { return Kind::Chooses; },
                        [](const graph::Sign&) { return Kind::Chooses; },
                        [](const graph::Binarize&) { return Kind::Chooses; },
                        [](const graph::Reduce& reduce) {
                          return reduce.function == graph::ReduceFunction::Max ? Kind::Chooses
                                                                               : Kind::Computes;
                        },
                        [](const auto&) { return Kind::Computes; },
                    },
                    op.kind);
}

// True for weights, false for what is added.
bool is_factor(const Op& layer, size_t operand) {
  if (layer.as<graph::Mul>() || layer.as<graph::Prelu>())
    return true;
  const bool is_linear = layer.as<graph::Conv2D>() || layer.as<graph::ConvTranspose2D>() ||
                         layer.as<graph::Dense>() || layer.as<graph::Affine>();
  return is_linear && operand == 1;
}

class TypeAssigner {
public:
  explicit TypeAssigner(const Graph& graph)
      : graph_(graph), users_(graph.users()), gets_quantized_(graph.ops().size()) {
    // Users stand behind what they use.
    for (ValueId value = last(); value >= 0; --value)
      gets_quantized_[static_cast<size_t>(value)] = gets_quantized(value);
  }

  std::vector<Site> sites() const {
    std::vector<Site> sites;
    for (ValueId layer = 0; layer <= last(); ++layer)
      append_sites(layer, sites);
    return sites;
  }

  Result<Graph> run(const TypeChooser& choose) {
    for (ValueId layer = 0; layer <= last(); ++layer)
      if (!graph_.op(layer).as<graph::Constant>())
        MR_TRY_STATUS(add_layer(layer, choose));
    for (const ValueId output : graph_.outputs()) {
      MR_TRY(const ValueId value, copied(output));
      builder_.output(value);
    }
    return std::move(builder_).finish();
  }

private:
  ValueId last() const { return static_cast<ValueId>(graph_.ops().size()) - 1; }

  // True where all that becomes of a value are numbers of a quantiser.
  bool gets_quantized(ValueId value) const {
    const auto& users = users_[static_cast<size_t>(value)];
    return !graph_.is_output(value) && !users.empty() &&
           std::all_of(users.begin(), users.end(), [&](ValueId user) {
             const Kind kind = kind_of(graph_.op(user));
             return kind == Kind::Quantizes ||
                    (kind == Kind::Chooses && gets_quantized_[static_cast<size_t>(user)]);
           });
  }

  void append_sites(ValueId layer, std::vector<Site>& sites) const {
    const Op& op = graph_.op(layer);
    const Kind kind = kind_of(op);
    if (op.as<graph::Constant>() || kind == Kind::Coded)
      return;
    for (size_t i = 0; i < op.operands.size() && kind != Kind::Quantizes; ++i) {
      const Op& operand = graph_.op(op.operands[i]);
      if (operand.as<graph::Constant>() && !operand.type.is_fixed())
        sites.push_back({layer, is_factor(op, i) ? Role::Weights : Role::Bias, op.operands[i],
                         !passes::is_quantized(*operand.as<graph::Constant>())});
    }
    // The numbers behind a quantiser with steps count them: they are no other type's.
    if (const auto* requantize = op.as<graph::Requantize>();
        requantize && !requantize->steps.empty())
      return;
    const bool grows = kind == Kind::Computes || kind == Kind::Source;
    const bool needs_type =
        op.type.is_fixed()
            ? op.type.fixed().width > graph::Table::MaxInputWidth && feeds_function(layer)
            : grows && !gets_quantized_[static_cast<size_t>(layer)];
    sites.push_back({layer, Role::Result, layer, needs_type});
  }

  // True where a function, which becomes a table, reads the value.
  bool feeds_function(ValueId value) const {
    const auto& users = users_[static_cast<size_t>(value)];
    return std::any_of(users.begin(), users.end(), [&](ValueId user) {
      return graph_.op(user).as<graph::Unary>() || graph_.op(user).as<graph::Softmax>();
    });
  }

  Status add_layer(ValueId layer, const TypeChooser& choose) {
    std::vector<Site> sites;
    append_sites(layer, sites);
    Op op = graph_.op(layer);
    std::map<ValueId, ValueId> typed;
    std::optional<ChosenType> result;
    for (const Site& site : sites) {
      MR_TRY(auto chosen, choose(site));
      if (site.role == Role::Result) {
        result = std::move(chosen);
      } else if (chosen) {
        MR_TRY(typed[site.value], typed_constant(site.value, *chosen));
      }
    }
    std::vector<ValueId> operands;
    for (const ValueId operand : op.operands) {
      const auto found = typed.find(operand);
      if (found != typed.end()) {
        operands.push_back(found->second);
      } else {
        MR_TRY(operands.emplace_back(), copied(operand));
      }
    }
    if (result && op.as<graph::Requantize>()) {
      op.kind = graph::Requantize{result->quantizer};
      op.where = result->origin;
      result.reset();
    }
    MR_TRY(ValueId value, builder_.add(op.name, std::move(op.kind), std::move(operands), op.where));
    if (result) {
      MR_TRY(value, builder_.add(op.name + ".result", graph::Requantize{result->quantizer}, {value},
                                 result->origin));
    }
    copies_[layer] = value;
    return {};
  }

  // A value of graph_ in the new graph; constants come when they are first used.
  Result<ValueId> copied(ValueId value) {
    const auto found = copies_.find(value);
    if (found != copies_.end())
      return found->second;
    const Op& op = graph_.op(value);
    MR_TRY(copies_[value], builder_.add(op.name, op.kind, {}, op.where));
    return copies_[value];
  }

  Result<ValueId> typed_constant(ValueId constant, const ChosenType& chosen) {
    const auto key = std::pair{constant, to_string(chosen.quantizer)};
    const auto found = typed_constants_.find(key);
    if (found != typed_constants_.end())
      return found->second;
    const Op& op = graph_.op(constant);
    MR_TRY(const ValueId real, copied(constant));
    MR_TRY(typed_constants_[key],
           builder_.add(op.name + ".typed", graph::Requantize{chosen.quantizer}, {real},
                        chosen.origin));
    return typed_constants_[key];
  }

  const Graph& graph_;
  std::vector<std::vector<ValueId>> users_;
  std::vector<char> gets_quantized_;  // by value
  graph::Builder builder_{graph_.name()};
  std::map<ValueId, ValueId> copies_;
  std::map<std::pair<ValueId, std::string>, ValueId> typed_constants_;
};

}  // namespace

std::string_view to_string(Role role) {
  return role == Role::Weights ? "weight" : role == Role::Bias ? "bias" : "result";
}

std::vector<Site> find_sites(const Graph& graph) {
  return TypeAssigner(graph).sites();
}

Result<Graph> assign_types(const Graph& graph, const TypeChooser& choose) {
  return TypeAssigner(graph).run(choose);
}

}  // namespace millrace::quantize
