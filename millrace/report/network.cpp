// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/network.h"

#include <fmt/format.h>

#include "millrace/fixed/quantizer_text.h"

namespace millrace::report {
namespace {

using graph::Graph;
using graph::Op;

// A constant, or one that a quantiser still stands behind, as frontends import them.
bool is_weight(const Graph& graph, const Op& op) {
  return op.as<graph::Constant>() ||
         (op.as<graph::Requantize>() && is_weight(graph, graph.op(op.operands.at(0))));
}

// Elements of the weights and biases that an operation reads.
int64_t count_parameters(const Graph& graph, const Op& op) {
  int64_t parameters = 0;
  for (graph::ValueId operand : op.operands) {
    if (is_weight(graph, graph.op(operand)))
      parameters += num_elements(graph.type(operand).shape);
  }
  return parameters;
}

int64_t count_multiplications(const Graph& graph, const Op& op) {
  if (op.as<graph::Conv2D>()) {
    const Shape& weights = graph.type(op.operands.at(1)).shape;
    return num_elements(weights) * op.type.shape.at(0) * op.type.shape.at(1);
  }
  if (op.as<graph::ConvTranspose2D>()) {
    const Shape& x = graph.type(op.operands.at(0)).shape;
    return num_elements(graph.type(op.operands.at(1)).shape) * x.at(0) * x.at(1);
  }
  if (op.as<graph::Dense>())
    return num_elements(graph.type(op.operands.at(1)).shape);
  if (op.as<graph::Affine>())
    return num_elements(op.type.shape);
  return 0;
}

}  // namespace

NetworkRecord describe(const Graph& graph) {
  NetworkRecord network{.network = graph.name()};
  for (const Op& op : graph.ops()) {
    if (is_weight(graph, op))
      continue;
    const LayerRecord& layer = network.layers.emplace_back(
        LayerRecord{.name = op.name,
                    .kind = std::string(op.mnemonic()),
                    .shape = to_string(op.type.shape),
                    .type = op.type.is_fixed() ? op.type.fixed().to_string() : "real",
                    .parameters = count_parameters(graph, op),
                    .multiplications = count_multiplications(graph, op)});
    network.parameters += layer.parameters;
    network.multiplications += layer.multiplications;
  }
  return network;
}

std::vector<QuantizerRecord> describe_quantizers(const Graph& imported) {
  std::vector<QuantizerRecord> records;
  for (const Op& op : imported.ops()) {
    if (op.as<graph::Input>() && op.type.is_fixed())
      records.push_back({op.name, op.type.fixed().to_string(), op.where});
    const auto* const quantizer = op.as<graph::Requantize>();
    if (!quantizer)
      continue;
    std::string type = to_string(quantizer->to);
    if (!quantizer->types.empty())
      type += fmt::format(", {} types", quantizer->types.size());
    if (quantizer->steps.size() == 1)
      type += fmt::format(", step {}", quantizer->steps.front());
    else if (!quantizer->steps.empty())
      type += fmt::format(", {} steps", quantizer->steps.size());
    records.push_back({imported.op(op.operands.at(0)).name, std::move(type), op.where});
  }
  return records;
}

}  // namespace millrace::report
