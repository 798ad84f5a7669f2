// SPDX-License-Identifier: Apache-2.0
#include "millrace/quantize/op_kinds.h"

#include <algorithm>

namespace millrace::quantize {

using graph::Graph;
using graph::Op;
using graph::Overloaded;
using graph::ValueId;

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

bool is_factor(const Op& layer, size_t operand) {
  if (layer.as<graph::Mul>() || layer.as<graph::Prelu>())
    return true;
  const bool is_linear = layer.as<graph::Conv2D>() || layer.as<graph::ConvTranspose2D>() ||
                         layer.as<graph::Dense>() || layer.as<graph::Affine>();
  return is_linear && operand == 1;
}

std::vector<char> find_quantized(const Graph& graph) {
  const auto users = graph.users();
  std::vector<char> quantized(graph.ops().size());
  // Users stand behind what they use.
  for (ValueId value = static_cast<ValueId>(graph.ops().size()) - 1; value >= 0; --value) {
    const auto& readers = users[static_cast<size_t>(value)];
    quantized[static_cast<size_t>(value)] =
        !graph.is_output(value) && !readers.empty() &&
        std::all_of(readers.begin(), readers.end(), [&](ValueId reader) {
          const Kind kind = kind_of(graph.op(reader));
          return kind == Kind::Quantizes ||
                 (kind == Kind::Chooses && quantized[static_cast<size_t>(reader)]);
        });
  }
  return quantized;
}

}  // namespace millrace::quantize
