// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/graph.h"

#include <algorithm>
#include <utility>

#include "millrace/graph/infer.h"
#include "millrace/graph/messages.h"
#include "millrace/support/check.h"

namespace millrace::graph {
namespace {

constexpr size_t MaxNameLength = 200;

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_name_char(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '.';
}

std::string valid_name(std::string_view wanted) {
  std::string name(wanted.substr(0, MaxNameLength / 2));
  std::replace_if(name.begin(), name.end(), [](char c) { return !is_name_char(c); }, '_');
  if (name.empty() || !is_letter(name.front()))
    name.insert(name.begin(), '_');
  return name;
}

// Marks the operations that an output or an input needs.
std::vector<bool> needed_ops(const Graph& graph) {
  std::vector<bool> needed(graph.ops().size());
  for (ValueId output : graph.outputs())
    needed[static_cast<size_t>(output)] = true;
  for (size_t i = needed.size(); i-- > 0;) {
    const Op& op = graph.ops()[i];
    if (op.as<Input>())
      needed[i] = true;
    if (needed[i])
      for (ValueId operand : op.operands)
        needed[static_cast<size_t>(operand)] = true;
  }
  return needed;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= MaxNameLength && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_char);
}

std::vector<ValueId> Graph::inputs() const {
  std::vector<ValueId> values;
  for (size_t i = 0; i < ops_.size(); ++i)
    if (ops_[i].as<Input>())
      values.push_back(static_cast<ValueId>(i));
  return values;
}

std::vector<std::vector<ValueId>> Graph::users() const {
  std::vector<std::vector<ValueId>> users(ops_.size());
  for (size_t i = 0; i < ops_.size(); ++i)
    for (ValueId operand : ops_[i].operands) {
      auto& list = users.at(static_cast<size_t>(operand));
      if (list.empty() || list.back() != static_cast<ValueId>(i))
        list.push_back(static_cast<ValueId>(i));
    }
  return users;
}

bool Graph::is_exact() const {
  return std::all_of(ops_.begin(), ops_.end(), [](const Op& op) { return op.type.is_fixed(); });
}

bool operator==(const Graph& a, const Graph& b) {
  const auto equal_ops = [](const Op& x, const Op& y) {
    return x.name == y.name && x.kind == y.kind && x.operands == y.operands && x.type == y.type;
  };
  return a.name_ == b.name_ && a.outputs_ == b.outputs_ &&
         std::equal(a.ops_.begin(), a.ops_.end(), b.ops_.begin(), b.ops_.end(), equal_ops);
}

Builder::Builder(std::string name) {
  graph_.name_ = is_valid_name(name) ? std::move(name) : valid_name(name);
}

std::string Builder::unique_name(std::string_view wanted) {
  std::string name = is_valid_name(wanted) ? std::string(wanted) : valid_name(wanted);
  if (name.size() > MaxNameLength / 2 && names_.contains(name))
    name.resize(MaxNameLength / 2);
  std::string candidate = name;
  while (!names_.insert(candidate).second)
    candidate = name + "_" + std::to_string(++suffixes_[name]);
  return candidate;
}

Result<ValueId> Builder::add(std::string name, OpKind kind, std::vector<ValueId> operands,
                             std::string where) {
  for (ValueId operand : operands)
    check(operand >= 0 && static_cast<size_t>(operand) < graph_.ops_.size(),
          "an operand is not a value of this builder");
  MR_TRY(TensorType type, infer_type(graph_, kind, operands, where.empty() ? "%" + name : where));
  graph_.ops_.push_back(
      {unique_name(name), std::move(where), std::move(kind), std::move(operands), std::move(type)});
  return static_cast<ValueId>(graph_.ops_.size() - 1);
}

Result<ValueId> Builder::constant(std::string name, IntTensor raw, const FixedType& type) {
  return add(std::move(name), Constant{{std::move(raw.shape), type}, std::move(raw.data)});
}

Result<ValueId> Builder::constant(std::string name, FloatTensor value) {
  return add(std::move(name),
             Constant{{std::move(value.shape), std::nullopt}, std::move(value.data)});
}

void Builder::output(ValueId value) {
  check(value >= 0 && static_cast<size_t>(value) < graph_.ops_.size(),
        "an output is not a value of this builder");
  graph_.outputs_.push_back(value);
}

Result<Graph> Builder::finish() && {
  if (graph_.inputs().empty())
    return error(messages::NoInput, {}, graph_.name_);
  if (graph_.outputs_.empty())
    return error(messages::NoOutput, {}, graph_.name_);

  const std::vector<bool> needed = needed_ops(graph_);
  std::vector<ValueId> renumbered(needed.size(), -1);
  const auto renumber = [&](ValueId& value) { value = renumbered[static_cast<size_t>(value)]; };
  Graph result;
  result.name_ = std::move(graph_.name_);
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i])
      continue;
    renumbered[i] = static_cast<ValueId>(result.ops_.size());
    result.ops_.push_back(std::move(graph_.ops_[i]));
    std::for_each(result.ops_.back().operands.begin(), result.ops_.back().operands.end(), renumber);
  }
  result.outputs_ = std::move(graph_.outputs_);
  std::for_each(result.outputs_.begin(), result.outputs_.end(), renumber);
  return result;
}

}  // namespace millrace::graph
