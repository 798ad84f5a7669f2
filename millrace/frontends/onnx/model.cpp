// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/model.h"

#include <algorithm>
#include <limits>
#include <onnx/onnx_pb.h>
#include <queue>

#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/own_functions.h"
#include "millrace/frontends/onnx/quantizer.h"
#include "millrace/frontends/onnx/tensor_decoder.h"
#include "millrace/support/check.h"

namespace millrace::frontends::onnx {
namespace {

using ::onnx::AttributeProto;

constexpr int MinOpset = 1;
constexpr int MaxOpset = 22;

Result<::onnx::ModelProto> parse(std::string_view bytes, const std::string& file) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    return error(messages::TooLarge, file, "the file", "2 GiB");
  ::onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    // A model starts with its IR version: field 1, a varint.
    constexpr char FirstKey = 0x08;
    if (!bytes.empty() && bytes.front() == FirstKey)
      return error(messages::Truncated, file, "a field ends beyond the file");
    return error(messages::NotOnnx, file);
  }
  if (!proto.has_ir_version())
    return error(messages::NotOnnx, file);
  if (!proto.has_graph())
    return error(messages::Truncated, file, "it holds no graph");
  return proto;
}

Status read_opsets(const ::onnx::ModelProto& proto, const std::string& file, Model& model) {
  for (const auto& import : proto.opset_import()) {
    const bool is_onnx = import.domain().empty() || import.domain() == "ai.onnx";
    if (is_onnx && (import.version() < MinOpset || import.version() > MaxOpset))
      return error(messages::Opset, file, import.version());
    if (is_onnx)
      model.opset = import.version();
    else if (is_quant_domain(import.domain()))
      model.quant_opset = import.version();
  }
  if (model.opset == 0)
    return error(messages::Truncated, file, "it does not say which operator set it uses");
  return {};
}

using Folder = std::optional<std::filesystem::path>;

Result<AttributeValue> decode_attribute(const AttributeProto& attribute, const std::string& where,
                                        const Folder& folder) {
  switch (attribute.type()) {
    case AttributeProto::INT:
      return attribute.i();
    case AttributeProto::FLOAT:
      return static_cast<double>(attribute.f());
    case AttributeProto::STRING:
      return attribute.s();
    case AttributeProto::INTS:
      return std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end());
    case AttributeProto::FLOATS:
      return std::vector<double>(attribute.floats().begin(), attribute.floats().end());
    case AttributeProto::TENSOR: {
      MR_TRY(ModelTensor tensor, decode_tensor(attribute.t(), where, folder));
      return tensor;
    }
    default:
      return AttributeValue{};
  }
}

Result<Node> decode_node(const ::onnx::NodeProto& proto, const std::string& file,
                         const Folder& folder) {
  Node node;
  node.op = proto.op_type();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  node.name = proto.name();
  if (node.name.empty())
    node.name = node.outputs.empty() ? node.op : node.outputs.front();
  node.where = fmt::format("{}: node '{}' ({})", file, printable(node.name), printable(node.op));
  for (const auto& attribute : proto.attribute()) {
    MR_TRY(AttributeValue value, decode_attribute(attribute, node.where, folder));
    node.attributes.emplace(attribute.name(), std::move(value));
  }
  return node;
}

Port decode_port(const ::onnx::ValueInfoProto& proto) {
  const auto& type = proto.type().tensor_type();
  Port port;
  port.name = proto.name();
  switch (type.elem_type()) {
    case ::onnx::TensorProto::FLOAT:
    case ::onnx::TensorProto::DOUBLE:
    case ::onnx::TensorProto::FLOAT16:
    case ::onnx::TensorProto::BFLOAT16:
      port.is_float = true;
      break;
    default:
      port.integer = integer_type(type.elem_type());
  }
  port.has_shape = type.has_shape();
  for (const auto& extent : type.shape().dim()) {
    const bool is_known = extent.has_dim_value() && extent.dim_value() > 0;
    port.extents.push_back(is_known ? std::optional(extent.dim_value()) : std::nullopt);
  }
  return port;
}

Status decode_initializers(const ::onnx::GraphProto& graph, const std::string& file,
                           const Folder& folder, Model& model) {
  for (const auto& tensor : graph.initializer()) {
    const std::string where = fmt::format("{}: tensor '{}'", file, printable(tensor.name()));
    if (model.initializers.contains(tensor.name()))
      return error(messages::DuplicateTensor, file, printable(tensor.name()));
    MR_TRY(ModelTensor value, decode_tensor(tensor, where, folder));
    model.initializers.emplace(tensor.name(), std::move(value));
  }
  if (graph.sparse_initializer_size() > 0)
    return error(messages::TensorKind, file, "SPARSE");
  return {};
}

Status decode_ports(const ::onnx::GraphProto& graph, const std::string& file, Model& model) {
  for (const auto& input : graph.input()) {
    // Before IR 4 every initialiser is listed among the inputs.
    if (!model.initializers.contains(input.name()))
      model.inputs.push_back(decode_port(input));
  }
  if (model.inputs.empty())
    return error(messages::NoInput, file);
  for (const auto& output : graph.output())
    model.outputs.push_back(decode_port(output));
  if (model.outputs.empty())
    return error(messages::NoOutput, file);
  return {};
}

/// Which node defines each tensor; -1 for initialisers and the model's inputs.
using Producers = std::map<std::string, int, std::less<>>;

Result<Producers> find_producers(const Model& model, const std::string& file) {
  Producers producers;
  for (const auto& [name, tensor] : model.initializers)
    producers.emplace(name, -1);
  for (const Port& input : model.inputs) {
    if (!producers.emplace(input.name, -1).second)
      return error(messages::DuplicateTensor, file, printable(input.name));
  }
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string& output : model.nodes[i].outputs) {
      if (!output.empty() && !producers.emplace(output, static_cast<int>(i)).second)
        return error(messages::DuplicateTensor, model.nodes[i].where, printable(output));
    }
  }
  for (const Node& node : model.nodes) {
    for (const std::string& input : node.inputs) {
      if (!input.empty() && !producers.contains(input))
        return error(messages::MissingTensor, node.where, printable(input));
    }
  }
  for (const Port& output : model.outputs) {
    if (!producers.contains(output.name))
      return error(messages::MissingTensor, file, printable(output.name));
  }
  return producers;
}

/// A node that depends on itself, given how many operands of each node were never defined.
const Node& find_cycle(const Model& model, const Producers& producers,
                       const std::vector<int>& num_missing) {
  const auto stuck = std::ranges::find_if(num_missing, [](int missing) { return missing > 0; });
  auto index = static_cast<size_t>(stuck - num_missing.begin());
  std::vector<bool> seen(num_missing.size());
  while (!seen[index]) {
    seen[index] = true;
    const auto is_stuck = [&](const std::string& input) {
      const int producer = input.empty() ? -1 : producers.find(input)->second;
      return producer >= 0 && num_missing[static_cast<size_t>(producer)] > 0;
    };
    const auto& inputs = model.nodes[index].inputs;
    const auto operand = std::ranges::find_if(inputs, is_stuck);
    check(operand != inputs.end(), "a node waits for nothing");
    index = static_cast<size_t>(producers.find(*operand)->second);
  }
  return model.nodes[index];
}

/// Puts each node behind those that it uses; keeps the file's order where that allows it.
Status sort_nodes(Model& model, const std::string& file) {
  MR_TRY(const Producers producers, find_producers(model, file));
  const size_t count = model.nodes.size();
  std::vector<std::vector<int>> users(count);
  std::vector<int> num_missing(count, 0);
  for (size_t i = 0; i < count; ++i) {
    for (const std::string& input : model.nodes[i].inputs) {
      const int producer = input.empty() ? -1 : producers.find(input)->second;
      if (producer >= 0) {
        users[static_cast<size_t>(producer)].push_back(static_cast<int>(i));
        ++num_missing[i];
      }
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < count; ++i) {
    if (num_missing[i] == 0)
      ready.push(static_cast<int>(i));
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (int user : users[static_cast<size_t>(order.back())]) {
      if (--num_missing[static_cast<size_t>(user)] == 0)
        ready.push(user);
    }
  }
  if (order.size() < count)
    return error(messages::Cycle, find_cycle(model, producers, num_missing).where);
  std::vector<Node> sorted;
  sorted.reserve(count);
  for (int index : order)
    sorted.push_back(std::move(model.nodes[static_cast<size_t>(index)]));
  model.nodes = std::move(sorted);
  return {};
}

}  // namespace

std::optional<int64_t> bounded_elements(const Shape& shape) {
  if (shape.size() > MaxAxes)
    return std::nullopt;
  int64_t product = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && product > MaxElements / extent))
      return std::nullopt;
    product *= extent;
  }
  return product;
}

Result<Model> read_model(std::string_view bytes, const std::string& file, const Folder& folder) {
  MR_TRY(const ::onnx::ModelProto proto, parse(bytes, file));
  Model model;
  MR_TRY_STATUS(read_opsets(proto, file, model));
  MR_TRY_STATUS(verify_functions(proto, file));
  model.name = proto.graph().name();
  MR_TRY_STATUS(decode_initializers(proto.graph(), file, folder, model));
  MR_TRY_STATUS(decode_ports(proto.graph(), file, model));
  for (const auto& node_proto : proto.graph().node()) {
    MR_TRY(Node node, decode_node(node_proto, file, folder));
    model.nodes.push_back(std::move(node));
  }
  MR_TRY_STATUS(sort_nodes(model, file));
  return model;
}

}  // namespace millrace::frontends::onnx
