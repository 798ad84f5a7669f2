// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/rewrite.h"

#include <utility>

#include "millrace/support/check.h"

namespace millrace::passes {

using graph::ValueId;

Rewrite::Rewrite(const graph::Graph& before) : before_(before), outputs_(before.outputs()) {
  definitions_.reserve(before.ops().size());
  for (const graph::Op& op : before.ops())
    definitions_.push_back({op.name, op.where, op.kind, op.operands});
}

void Rewrite::replace(ValueId value, std::string name, graph::OpKind kind,
                      std::vector<ValueId> operands) {
  Definition& definition = definitions_.at(static_cast<size_t>(value));
  definition.name = std::move(name);
  definition.kind = std::move(kind);
  definition.operands = std::move(operands);
}

ValueId Rewrite::add(std::string name, graph::OpKind kind, std::vector<ValueId> operands) {
  definitions_.push_back({std::move(name), {}, std::move(kind), std::move(operands)});
  return static_cast<ValueId>(definitions_.size() - 1);
}

void Rewrite::forward(ValueId value, ValueId instead) {
  check(resolve(instead) != value, "a value is forwarded to itself");
  definitions_.at(static_cast<size_t>(value)).forwarded_to = instead;
}

void Rewrite::set_output(size_t index, ValueId instead) {
  outputs_.at(index) = instead;
}

ValueId Rewrite::resolve(ValueId value) const {
  while (definitions_.at(static_cast<size_t>(value)).forwarded_to >= 0)
    value = definitions_[static_cast<size_t>(value)].forwarded_to;
  return value;
}

// Operands stand before their users, except added ones: the recursion is as deep as the chain of
// additions for one replaced operation is long.
Result<ValueId> Rewrite::emit(graph::Builder& builder, ValueId value) {
  const auto index = static_cast<size_t>(value);
  if (emitted_[index] >= 0)
    return emitted_[index];
  Definition& definition = definitions_[index];
  std::vector<ValueId> operands;
  for (ValueId operand : definition.operands) {
    MR_TRY(operands.emplace_back(), emit(builder, resolve(operand)));
  }
  MR_TRY(emitted_[index], builder.add(std::move(definition.name), std::move(definition.kind),
                                      std::move(operands), std::move(definition.where)));
  return emitted_[index];
}

Result<graph::Graph> Rewrite::finish() && {
  std::vector<bool> needed(definitions_.size());
  std::vector<ValueId> pending;
  const auto need = [&](ValueId value) {
    if (!needed[static_cast<size_t>(value)])
      pending.push_back(value);
    needed[static_cast<size_t>(value)] = true;
  };
  for (ValueId output : outputs_)
    need(resolve(output));
  while (!pending.empty()) {
    const auto next = static_cast<size_t>(pending.back());
    pending.pop_back();
    for (ValueId operand : definitions_[next].operands)
      need(resolve(operand));
  }
  for (ValueId input : before_.inputs())
    needed[static_cast<size_t>(input)] = true;

  graph::Builder builder(before_.name());
  emitted_.assign(definitions_.size(), -1);
  for (size_t i = 0; i < before_.ops().size(); ++i)
    if (needed[i])
      MR_TRY_STATUS(emit(builder, static_cast<ValueId>(i)));
  for (ValueId output : outputs_) {
    MR_TRY(const ValueId value, emit(builder, resolve(output)));
    builder.output(value);
  }
  return std::move(builder).finish();
}

}  // namespace millrace::passes
