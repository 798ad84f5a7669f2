// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>

#include "millrace/quantize/assign_types.h"

namespace millrace::quantize {

/// The values of a graph in one that is being built from it. Constants come when they are first
/// used, with or without a quantiser behind them; other operations are added and told here.
class TypedCopy {
public:
  /// Both outlive the copy.
  TypedCopy(const graph::Graph& graph, graph::Builder& builder)
      : graph_(graph), builder_(builder) {}

  /// What `value` has become.
  Result<graph::ValueId> copied(graph::ValueId value);
  /// A constant that becomes another of the same numbers.
  Result<graph::ValueId> copied_constant(graph::ValueId constant, graph::Constant as);
  /// A constant with a quantiser behind it.
  Result<graph::ValueId> typed_constant(graph::ValueId constant, const ChosenType& chosen);
  /// Says what `value` has become.
  void set(graph::ValueId value, graph::ValueId copy) { copies_[value] = copy; }

private:
  const graph::Graph& graph_;
  graph::Builder& builder_;
  std::map<graph::ValueId, graph::ValueId> copies_;
  std::map<std::pair<graph::ValueId, std::string>, graph::ValueId> typed_constants_;
};

/// Gives a quantiser of the model another type.
/// Errors   quantize.steps: its results count steps, which are no numbers of another type.
Status retype(graph::Op& requantize, const ChosenType& chosen);

}  // namespace millrace::quantize
