// SPDX-License-Identifier: Apache-2.0
// Layers that join several values.
#include <algorithm>
#include <bit>

#include "millrace/frontends/keras/layers.h"
#include "millrace/frontends/keras/messages.h"
#include "millrace/graph/ops/broadcast.h"

namespace millrace::frontends::keras {
namespace {

/// The second operand of an operation on two values as the graph wants it, if it can be repeated
/// to fit x: extents of 1 before the channels become none.
Result<std::optional<Value>> fitted(LayerCall& call, const std::string& name, const Value& x,
                                    const Value& b) {
  const Shape shape = graph_shape(x.shape), other = graph_shape(b.shape);
  if (b.shape.size() != x.shape.size())
    return std::nullopt;
  if (graph::broadcast(shape, other))
    return b;
  const bool is_by_channel =
      other.back() == shape.back() &&
      std::all_of(other.begin(), other.end() - 1, [](int64_t extent) { return extent == 1; });
  if (!is_by_channel && num_elements(other) != 1)
    return std::nullopt;
  MR_TRY(const Value vector, call.add(name + ".vector", graph::Flatten{}, {b.id}, {other.back()}));
  return vector;
}

/// a op b, where either may have extents of 1.
template <class Op>
Result<Value> combine(LayerCall& call, const std::string& name, const Value& a, const Value& b) {
  MR_TRY(const auto second, fitted(call, name, a, b));
  if (second)
    return call.add(name, Op{}, {a.id, second->id}, a.shape);
  MR_TRY(const auto first, fitted(call, name, b, a));
  if (!first)
    return error(messages::Shapes, call.where(), to_string(a.shape), to_string(b.shape));
  if constexpr (std::is_same_v<Op, graph::Sub>) {
    MR_TRY(const Value negative, call.add(name + ".negative", Op{}, {b.id, first->id}, b.shape));
    return call.map(name, graph::Negate{}, negative);
  } else {
    return call.add(name, Op{}, {b.id, first->id}, b.shape);
  }
}

template <class Op>
Result<Value> fold(LayerCall& call, const std::string& last_name = "") {
  Value sum = call.inputs.front();
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    const bool is_last = i + 1 == call.inputs.size();
    MR_TRY(sum,
           combine<Op>(call, is_last ? last_name : fmt::format("part{}", i), sum, call.inputs[i]));
  }
  return sum;
}

template <class Op>
Result<Value> merge(LayerCall& call) {
  return fold<Op>(call);
}

Result<Value> average(LayerCall& call) {
  const size_t count = call.inputs.size();
  if (!std::has_single_bit(count))
    return error(messages::NumInputs, call.where(), count,
                 "a power of two: other means are not exact in binary");
  MR_TRY(const Value sum, fold<graph::Add>(call, "sum"));
  return call.with_number<graph::Mul>("", sum, 1.0 / static_cast<double>(count));
}

Result<Value> concatenate(LayerCall& call) {
  const Value& x = call.x();
  MR_TRY(const int64_t axis, call.config.integer("axis", -1));
  if (axis != -1 && axis != static_cast<int64_t>(x.shape.size()))
    return call.config.bad("axis", "the last");
  std::vector<graph::ValueId> ids;
  Shape shape = x.shape;
  shape.back() = 0;
  for (const Value& input : call.inputs) {
    if (input.shape.size() != shape.size() ||
        !std::equal(shape.begin(), shape.end() - 1, input.shape.begin()))
      return error(messages::Shapes, call.where(), to_string(x.shape), to_string(input.shape));
    ids.push_back(input.id);
    shape.back() += input.channels();
  }
  return call.add("", graph::Concat{}, std::move(ids), std::move(shape));
}

}  // namespace

std::span<const LayerRule> merge_layers() {
  constexpr size_t Many = 10'000;
  static constexpr LayerRule Rules[] = {
      {"Add", &merge<graph::Add>, 2, Many},         {"Subtract", &merge<graph::Sub>, 2, 2},
      {"Multiply", &merge<graph::Mul>, 2, Many},    {"Maximum", &merge<graph::Maximum>, 2, Many},
      {"Minimum", &merge<graph::Minimum>, 2, Many}, {"Average", &average, 2, Many},
      {"Concatenate", &concatenate, 2, Many},
  };
  return Rules;
}

}  // namespace millrace::frontends::keras
