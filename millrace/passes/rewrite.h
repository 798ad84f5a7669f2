// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "millrace/graph/graph.h"

namespace millrace::passes {

/// Makes a changed copy of a graph: each operation is kept, replaced or forwarded to another
/// value. What nothing needs any more is dropped, and its name is free again.
class Rewrite {
public:
  /// `before` outlives the rewrite.
  explicit Rewrite(const graph::Graph& before);

  const graph::Graph& before() const { return before_; }

  /// Defines a value anew. `operands` are values of before() or made by add(); they must not
  /// depend on `value`.
  void replace(graph::ValueId value, std::string name, graph::OpKind kind,
               std::vector<graph::ValueId> operands);
  /// Adds an operation, for operands of replace() and of others that are added later.
  graph::ValueId add(std::string name, graph::OpKind kind,
                     std::vector<graph::ValueId> operands = {});
  /// Whoever uses `value` shall use `instead`.
  void forward(graph::ValueId value, graph::ValueId instead);
  /// The graph's output number `index` shall be `instead`; other uses of the old one stay.
  void set_output(size_t index, graph::ValueId instead);

  /// The new graph, its types inferred again.
  /// Errors   the numbered constraints of the operations.
  Result<graph::Graph> finish() &&;

private:
  struct Definition {
    std::string name;
    std::string where;
    graph::OpKind kind;
    std::vector<graph::ValueId> operands;
    graph::ValueId forwarded_to = -1;
  };

  graph::ValueId resolve(graph::ValueId value) const;
  Result<graph::ValueId> emit(graph::Builder& builder, graph::ValueId value);

  const graph::Graph& before_;
  std::vector<graph::ValueId> outputs_;
  std::vector<Definition> definitions_;  // by value; added ones behind those of before_
  std::vector<graph::ValueId> emitted_;  // the new value of each, or -1
};

}  // namespace millrace::passes
