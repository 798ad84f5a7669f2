// SPDX-License-Identifier: Apache-2.0
// QONNX's Conv, MaxPool and BatchNormalization on tensors with the channels last: those of ONNX
// between two transpositions, which are mere bookkeeping.
#include <numeric>

#include "millrace/frontends/onnx/importer.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/rules.h"

namespace millrace::frontends::onnx {
namespace {

/// 0, rank - 1, 1, 2, ...: from channels last to channels first.
std::vector<int64_t> to_channels_first(size_t rank) {
  std::vector<int64_t> order(rank);
  std::iota(order.begin() + 1, order.end(), int64_t{0});
  order[1] = static_cast<int64_t>(rank) - 1;
  return order;
}

/// 0, 2, 3, ..., 1: back.
std::vector<int64_t> to_channels_last(size_t rank) {
  std::vector<int64_t> order(rank);
  std::iota(order.begin() + 1, order.end(), int64_t{2});
  order.back() = 1;
  return order;
}

}  // namespace

/// Source   qonnx.custom_op.channels_last.base_wrapped_op: weights have the channels last, too.
Status Importer::channels_last(const Node& node) {
  MR_TRY(const Activation* x, computed(node, 0, "input"));
  const size_t rank = x->shape.size();
  constexpr size_t MaxRank = 4;
  if (rank < 2 || rank > MaxRank)
    return error(messages::Rank, node.where, "input", to_string(x->shape), "1xLxC or 1xHxWxC");
  Node& inner = wrapped_.emplace_back(node);
  inner.domain.clear();
  // Names that no tensor of the model has, for as long as they are needed.
  const auto unused = [&](std::string_view suffix) {
    std::string name = node.outputs[0] + std::string(suffix);
    while (values_.contains(name) || users_.contains(name))
      name += '_';
    return name;
  };
  inner.inputs[0] = unused(" channels first");
  inner.outputs = {unused(" result channels first")};
  define(inner.inputs[0], transposed(*x, to_channels_first(rank)));
  if (node.op == "Conv") {
    MR_TRY(const ConstantValue* weights, scaled_constant(node, 1, "weights"));
    if (weights->shape().size() != rank)
      return error(messages::Rank, node.where, "weights", to_string(weights->shape()),
                   fmt::format("{} extents", rank));
    inner.inputs[1] = unused(" weights channels first");
    define(inner.inputs[1], arranged(*weights, inner.inputs[1], [rank](const FloatTensor& in) {
             return millrace::frontends::onnx::transpose(in, to_channels_first(rank));
           }));
  }
  MR_TRY_STATUS((this->*find_rule(inner)->on_activations)(inner));
  const auto y = std::get<Activation>(values_.at(inner.outputs[0]));
  std::vector<std::string> names = {inner.inputs[0], inner.outputs[0]};
  if (node.op == "Conv")
    names.push_back(inner.inputs[1]);
  for (const std::string& name : names) {
    values_.erase(name);
    settled_.erase(name);
  }
  define(node.outputs[0], transposed(y, to_channels_last(rank)));
  return {};
}

}  // namespace millrace::frontends::onnx
