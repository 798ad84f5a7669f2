// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/adders_module.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <variant>

#include "millrace/report/numbers.h"
#include "millrace/verilog/emit_datapath.h"

namespace millrace::cli {
namespace {

/// Where the parts of a port lie, one line for each run of parts of equal type.
std::string describe_port(std::string_view port, std::string_view part,
                          const std::vector<FixedType>& types) {
  std::string text;
  int64_t bit = 0;
  for (size_t first = 0; first < types.size();) {
    const FixedType& type = types[first];
    size_t next = first;
    while (next < types.size() && types[next] == type)
      ++next;
    const int64_t end = bit + static_cast<int64_t>(next - first) * type.width;
    const std::string which = next - first == 1
                                  ? fmt::format("{} {}", part, first)
                                  : fmt::format("{}s {} to {}", part, first, next - 1);
    text += fmt::format("  {:<10}  [{}:{}] {}, {} {} bits\n", first == 0 ? port : "", end - 1, bit,
                        which, type.is_signed ? "signed" : "unsigned", type.width);
    bit = end;
    first = next;
  }
  return text;
}

/// A text that came from the command line as it may stand in a comment.
std::string in_comment(std::string text) {
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f')
      letter = '?';
  return text;
}

}  // namespace

int64_t count_three_input_adders(const dataflow::Datapath& datapath) {
  return std::count_if(datapath.nodes().begin(), datapath.nodes().end(), [](const auto& node) {
    return std::holds_alternative<dataflow::Add3Node>(node.kind);
  });
}

std::vector<FixedType> input_types(const dataflow::Datapath& datapath) {
  std::vector<FixedType> types;
  for (const dataflow::Node& node : datapath.nodes())
    if (std::holds_alternative<dataflow::InputNode>(node.kind))
      types.push_back(node.type());
  return types;
}

std::vector<FixedType> output_types(const dataflow::Datapath& datapath) {
  std::vector<FixedType> types;
  for (const dataflow::Datapath::Output& output : datapath.outputs)
    types.push_back(output.type);
  return types;
}

std::string to_verilog(const AddersModule& module, const dataflow::Datapath& datapath) {
  const int cycles = datapath.latency_cycles();
  const std::string comment = fmt::format(
      "outputs = matrix * inputs: {} outputs, {} inputs, {} adders.\n{}\n{}{}\n{}\n\n"
      "Generated; do not edit. Made by millrace " MILLRACE_VERSION " with\n  {}",
      module.rows, module.columns, report::with_thousands(module.adders),
      count_three_input_adders(datapath) == 0
          ? ""
          : "Needs mr_add3.sv and mr_assert.svh of Millrace's hardware library (rtl/).\n",
      describe_port("in_data_i", "input", input_types(datapath)),
      describe_port("out_data_o", "output", output_types(datapath)),
      cycles == 0 ? "Combinational."
                  : fmt::format("Latency {} cycles. Throughput 1 product/cycle. No reset.", cycles),
      in_comment(module.command));
  return print(verilog::emit_datapath(datapath, module.name, comment));
}

}  // namespace millrace::cli
