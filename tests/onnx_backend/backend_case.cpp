// SPDX-License-Identifier: Apache-2.0
#include "tests/onnx_backend/backend_case.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "millrace/frontends/onnx/constant_value.h"
#include "millrace/frontends/onnx/tensor_decoder.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"
#include "millrace/reference/evaluate_real.h"
#include "millrace/support/files.h"

namespace millrace::onnx_backend {
namespace {

namespace fs = std::filesystem;
using frontends::ImportedModel;
using frontends::PortLayout;
using graph::Graph;
using graph::ValueId;
using Numbers = std::vector<double>;

/// The tensor's numbers as the graph orders them.
Numbers arranged(const FloatTensor& tensor, const PortLayout& port) {
  const std::vector<int64_t> order(port.axes.begin(), port.axes.end());
  return frontends::onnx::transpose(tensor, order).data;
}

double largest_magnitude(const Numbers& numbers) {
  double largest = 0;
  for (double number : numbers)
    largest = std::max(largest, std::abs(number));
  return largest;
}

/// An empty text, or what differs by more than the tolerance.
std::string difference(const Numbers& computed, const Numbers& expected, double tolerance) {
  if (computed.size() != expected.size())
    return fmt::format("{} elements, expected {}", computed.size(), expected.size());
  for (size_t i = 0; i < computed.size(); ++i)
    if (!(std::abs(computed[i] - expected[i]) <= tolerance))
      return fmt::format("element {} is {}, expected {}", i, computed[i], expected[i]);
  return {};
}

/// Quantisers for everything that has none.
struct Precision {
  FixedType operand, result;
};

Precision precision_of(const Graph& graph, double largest) {
  const bool has_tables = std::ranges::any_of(graph.ops(), [](const graph::Op& op) {
    return op.as<graph::Unary>() || op.as<graph::Softmax>();
  });
  const int int_bits = 2 + std::max(0, static_cast<int>(std::ceil(std::log2(largest + 1))));
  const int width = std::max(int_bits + 4, has_tables ? 14 : 24);
  return {{true, width, width - int_bits}, {true, 40, has_tables ? 14 : 20}};
}

/// The same graph with every real input and constant quantised, and its outputs.
Result<Graph> quantised(const Graph& graph, const Precision& precision) {
  graph::Builder builder(graph.name());
  std::vector<ValueId> ids;
  for (const graph::Op& op : graph.ops()) {
    std::vector<ValueId> operands;
    for (ValueId operand : op.operands)
      operands.push_back(ids[static_cast<size_t>(operand)]);
    MR_TRY(ValueId id, builder.add(op.name, op.kind, std::move(operands), op.where));
    const bool is_source = op.as<graph::Input>() || op.as<graph::Constant>();
    if (is_source && !op.type.is_fixed()) {
      MR_TRY(id, builder.add(op.name + ".q", graph::Requantize{{precision.operand}, {}}, {id}));
    }
    ids.push_back(id);
  }
  for (ValueId output : graph.outputs()) {
    MR_TRY(const ValueId id, builder.add("result", graph::Requantize{{precision.result}, {}},
                                         {ids[static_cast<size_t>(output)]}));
    builder.output(id);
  }
  return std::move(builder).finish();
}

/// Lowers the quantised graph and compares it with itself in double. False where it is refused.
bool check_exact(const Graph& graph, const std::vector<Numbers>& inputs,
                 const std::vector<Numbers>& expected, Outcome& outcome) {
  double largest = 0;
  for (const Numbers& numbers : inputs)
    largest = std::max(largest, largest_magnitude(numbers));
  for (const graph::Op& op : graph.ops())
    if (const auto* constant = op.as<graph::Constant>(); constant && !op.type.is_fixed())
      largest = std::max(largest, largest_magnitude(constant->real()));
  const Precision precision = precision_of(graph, largest);
  const auto real = quantised(graph, precision);
  if (!real)
    return false;
  const auto exact = passes::lower(*real);
  if (!exact)
    return false;
  std::vector<IntTensor> raw;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& type = exact->type(exact->inputs()[i]);
    raw.push_back({type.shape, {}});
    for (double number : inputs[i])
      raw.back().data.push_back(static_cast<int64_t>(requantize(number, Quantizer{type.fixed()})));
  }
  const auto results = reference::evaluate(*exact, raw);
  const auto in_double = reference::evaluate_real(*real, inputs);
  for (size_t i = 0; i < results.size(); ++i) {
    const FixedType type = exact->type(exact->outputs()[i]).fixed();
    Numbers numbers;
    for (int64_t number : results[i].data)
      numbers.push_back(type.to_double(number));
    const double step = std::ldexp(1.0, -precision.result.frac_bits);
    std::string text = difference(numbers, in_double[i], step);
    if (text.empty()) {
      // How far rounded operands move the result depends on the function: this is only to see
      // that it is the same function.
      constexpr double Coarse = 0.02;
      text = difference(numbers, expected[i], Coarse * (1 + largest_magnitude(expected[i])));
    }
    if (!text.empty())
      outcome.faults.push_back("exact graph: " + text);
  }
  return true;
}

struct Variant {
  ::onnx::ModelProto model;
  std::vector<size_t> inputs;  ///< which of the test's are inputs of the model
  bool has_addend = false;     ///< of zeros, for a model that would be a constant
};

void set_shape(::onnx::ValueInfoProto& port, const ::onnx::TensorProto& tensor) {
  auto& shape = *port.mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.clear_dim();
  for (int64_t extent : tensor.dims())
    shape.add_dim()->set_dim_value(extent);
}

Variant variant(const BackendCase& test, size_t num_inputs) {
  Variant result{test.model, {}, num_inputs == 0};
  auto& graph = *result.model.mutable_graph();
  for (size_t i = 0; i < test.inputs.size(); ++i) {
    const std::string name = graph.input(static_cast<int>(i)).name();
    if (i < num_inputs) {
      result.inputs.push_back(i);
      continue;
    }
    auto& tensor = *graph.add_initializer();
    tensor = test.inputs[i];
    tensor.set_name(name);
  }
  if (result.has_addend) {
    // Integers become real numbers in the sum; the importer computes both exactly.
    auto& port = *graph.add_input();
    port.set_name("addend");
    port.mutable_type()->mutable_tensor_type()->set_elem_type(::onnx::TensorProto::FLOAT);
    set_shape(port, test.outputs[0]);
    auto& sum = *graph.add_node();
    sum.set_op_type("Add");
    sum.set_name("sum");
    sum.add_input("addend");
    sum.add_input(graph.output(0).name());
    sum.add_output("sum_of_both");
    graph.mutable_output()->DeleteSubrange(1, graph.output_size() - 1);
    graph.mutable_output(0)->set_name("sum_of_both");
  }
  return result;
}

void run_variant(const BackendCase& test, size_t num_inputs, Outcome& outcome) {
  const Variant tried = variant(test, num_inputs);
  const auto imported =
      frontends::import_onnx_model_bytes(tried.model.SerializeAsString(), test.name);
  if (!imported) {
    if (outcome.refusal.empty() || num_inputs > 0)
      outcome.refusal = imported.error().code;
    return;
  }
  std::vector<Numbers> inputs, expected;
  for (const PortLayout& port : imported->inputs) {
    if (port.name == "addend") {
      inputs.emplace_back(static_cast<size_t>(num_elements(port.shape)), 0.0);
      continue;
    }
    const size_t index = tried.inputs[inputs.size()];
    const auto tensor = frontends::onnx::decode_tensor(test.inputs[index], test.name);
    if (!tensor) {
      outcome.refusal = tensor.error().code;
      return;
    }
    if (tensor->numbers.shape != port.shape) {
      outcome.refusal = "data.shape";  // the model declares another one
      return;
    }
    inputs.push_back(arranged(tensor->numbers, port));
  }
  for (size_t i = 0; i < imported->outputs.size(); ++i) {
    const auto tensor = frontends::onnx::decode_tensor(test.outputs[i], test.name);
    if (!tensor) {
      outcome.refusal = tensor.error().code;
      return;
    }
    if (tensor->numbers.shape != imported->outputs[i].shape) {
      outcome.faults.push_back("another shape: " + to_string(imported->outputs[i].shape));
      return;
    }
    expected.push_back(arranged(tensor->numbers, imported->outputs[i]));
  }
  outcome.is_read = true;
  const auto computed = reference::evaluate_real(imported->graph, inputs);
  for (size_t i = 0; i < computed.size(); ++i) {
    const std::string text =
        difference(computed[i], expected[i], 1e-5 * largest_magnitude(expected[i]));
    if (!text.empty())
      outcome.faults.push_back(fmt::format("{} inputs: {}", num_inputs, text));
  }
  const bool is_exact =
      outcome.faults.empty() && check_exact(imported->graph, inputs, expected, outcome);
  if (tried.has_addend) {
    outcome.is_exact = is_exact;
  } else {
    outcome.is_exact = is_exact || (outcome.is_computed && outcome.is_exact);
    outcome.is_computed = true;
  }
}

}  // namespace

std::optional<BackendCase> read_case(const fs::path& folder) {
  BackendCase test;
  test.name = folder.filename().string().substr(std::string("test_").size());
  const auto model = read_file(folder / "model.onnx");
  if (!model || !test.model.ParseFromString(*model) || test.model.graph().node_size() != 1)
    return std::nullopt;
  const auto& graph = test.model.graph();
  const fs::path data = folder / "test_data_set_0";
  const auto read = [&](std::string_view kind, int count,
                        std::vector<::onnx::TensorProto>& tensors) {
    for (int i = 0; i < count; ++i) {
      const auto bytes = read_file(data / fmt::format("{}_{}.pb", kind, i));
      if (!bytes || !tensors.emplace_back().ParseFromString(*bytes))
        return false;
    }
    return true;
  };
  const auto is_tensor = [](const auto& port) { return port.type().has_tensor_type(); };
  if (!std::ranges::all_of(graph.input(), is_tensor) ||
      !std::ranges::all_of(graph.output(), is_tensor) ||
      !read("input", graph.input_size(), test.inputs) ||
      !read("output", graph.output_size(), test.outputs))
    return std::nullopt;
  return test;
}

Outcome run_case(const BackendCase& test) {
  Outcome outcome;
  const size_t count = test.inputs.size();
  run_variant(test, 0, outcome);
  run_variant(test, count, outcome);
  if (count > 1)
    run_variant(test, 1, outcome);
  if (outcome.is_read)
    outcome.refusal.clear();
  return outcome;
}

}  // namespace millrace::onnx_backend
