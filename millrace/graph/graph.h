// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "millrace/graph/op.h"

namespace millrace::graph {

/// A network in SSA form: a list of operations, each of which defines one value and uses values
/// defined before it. Made by a Builder (or parse()), then never changed.
class Graph {
public:
  const std::string& name() const { return name_; }
  const std::vector<Op>& ops() const { return ops_; }
  const Op& op(ValueId value) const { return ops_.at(static_cast<size_t>(value)); }
  const TensorType& type(ValueId value) const { return op(value).type; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  bool is_output(ValueId value) const {
    return std::find(outputs_.begin(), outputs_.end(), value) != outputs_.end();
  }

  /// The values that `input` operations define, in order.
  std::vector<ValueId> inputs() const;
  /// For each value the operations that use it, in order (an output is not a use).
  std::vector<std::vector<ValueId>> users() const;
  /// True when every value is fixed-point: the graph can be evaluated bit for bit.
  bool is_exact() const;

  /// Equal names, operations and types; where the user wrote an operation does not matter.
  friend bool operator==(const Graph& a, const Graph& b);

private:
  friend class Builder;
  friend struct GraphTestAccess;  // lets tests make graphs that verify() must refuse
  std::string name_;
  std::vector<Op> ops_;
  std::vector<ValueId> outputs_;
};

/// Makes a graph operation by operation; infers and checks each type as it goes.
class Builder {
public:
  explicit Builder(std::string name);

  /// Appends an operation. An invalid name is made valid, a taken one unique by a suffix.
  /// Errors   the numbered constraints of the operation (graph/messages.h).
  Result<ValueId> add(std::string name, OpKind kind, std::vector<ValueId> operands = {},
                      std::string where = {});
  /// Appends a constant; the value's length must fit the shape.
  Result<ValueId> constant(std::string name, IntTensor raw, const FixedType& type);
  Result<ValueId> constant(std::string name, FloatTensor value);

  const Op& op(ValueId value) const { return graph_.op(value); }
  const TensorType& type(ValueId value) const { return graph_.type(value); }

  /// Declares `value` an output of the graph.
  void output(ValueId value);
  /// The finished graph, without operations that no output needs (inputs stay).
  /// Errors   no output, or no input.
  Result<Graph> finish() &&;

private:
  std::string unique_name(std::string_view wanted);

  Graph graph_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> suffixes_;  // the last one tried for each taken name
};

/// True for [A-Za-z_][A-Za-z0-9_.]* of at most 200 characters.
bool is_valid_name(std::string_view name);

/// Checks the whole graph again: names, order of definitions, every constraint, every type.
Status verify(const Graph& graph);

}  // namespace millrace::graph
