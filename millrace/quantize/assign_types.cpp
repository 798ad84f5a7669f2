// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/assign_types.h"

#include <algorithm>
#include <map>

#include "millrace/passes/passes.h"
#include "millrace/quantize/op_kinds.h"
#include "millrace/quantize/typed_copy.h"
#include "millrace/support/check.h"

namespace millrace::quantize {
namespace {

using graph::Graph;
using graph::Op;
using graph::ValueId;

class TypeAssigner {
public:
  explicit TypeAssigner(const Graph& graph)
      : graph_(graph), users_(graph.users()), gets_quantized_(find_quantized(graph)) {}

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
      MR_TRY(const ValueId value, copy_.copied(output));
      builder_.output(value);
    }
    return std::move(builder_).finish();
  }

private:
  ValueId last() const { return static_cast<ValueId>(graph_.ops().size()) - 1; }

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
        MR_TRY(typed[site.value], copy_.typed_constant(site.value, *chosen));
      }
    }
    std::vector<ValueId> operands;
    for (const ValueId operand : op.operands) {
      const auto found = typed.find(operand);
      if (found != typed.end()) {
        operands.push_back(found->second);
      } else {
        MR_TRY(operands.emplace_back(), copy_.copied(operand));
      }
    }
    if (result && op.as<graph::Requantize>()) {
      MR_TRY_STATUS(retype(op, *result));
      result.reset();
    }
    MR_TRY(ValueId value, builder_.add(op.name, std::move(op.kind), std::move(operands), op.where));
    if (result) {
      MR_TRY(value, builder_.add(op.name + ".result", graph::Requantize{result->quantizer}, {value},
                                 result->origin));
    }
    copy_.set(layer, value);
    return {};
  }

  const Graph& graph_;
  std::vector<std::vector<ValueId>> users_;
  std::vector<char> gets_quantized_;  // by value
  graph::Builder builder_{graph_.name()};
  TypedCopy copy_{graph_, builder_};
};

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::Weights:
      return "weight";
    case Role::Bias:
      return "bias";
    case Role::Accumulator:
      return "accum";
    case Role::Result:
      return "result";
  }
  check(false, "a role without a name");
  return "";
}

std::vector<Site> find_sites(const Graph& graph) {
  return TypeAssigner(graph).sites();
}

Result<Graph> assign_types(const Graph& graph, const TypeChooser& choose) {
  return TypeAssigner(graph).run(choose);
}

}  // namespace millrace::quantize
