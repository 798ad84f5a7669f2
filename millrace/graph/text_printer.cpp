// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <iterator>

#include "millrace/graph/text.h"

namespace millrace::graph {
namespace {

// Prints the attributes that an operation's visit_attributes() names: " {a = [1, 2], b = SAT}".
class AttributePrinter {
public:
  explicit AttributePrinter(std::string& out) : out_(out) {}
  ~AttributePrinter() {
    if (!is_first_)
      out_ += '}';
  }
  AttributePrinter(const AttributePrinter&) = delete;
  AttributePrinter& operator=(const AttributePrinter&) = delete;

  template <class... Numbers>
    requires(std::same_as<Numbers, int64_t> && ...)
  void operator()(std::string_view name, const Numbers&... numbers) {
    begin(name);
    const int64_t list[] = {numbers...};
    if constexpr (sizeof...(numbers) == 1)
      fmt::format_to(std::back_inserter(out_), "{}", list[0]);
    else
      print_list(list);
  }
  void operator()(std::string_view name, const bool& flag) {
    begin(name);
    out_ += flag ? '1' : '0';
  }
  /// Prints numbers that are not all `usual`.
  template <class... Numbers>
  void optional(std::string_view name, int64_t usual, const Numbers&... numbers) {
    if (((numbers != usual) || ...))
      (*this)(name, numbers...);
  }
  /// Prints a flag that is set.
  void optional(std::string_view name, const bool& flag) {
    if (flag)
      (*this)(name, flag);
  }
  template <class Mode>
    requires std::is_enum_v<Mode>
  void operator()(std::string_view name, const Mode& mode) {
    begin(name);
    out_ += to_string(mode);
  }
  void operator()(std::string_view name, const std::vector<int64_t>& list) {
    begin(name);
    print_list(list);
  }
  void operator()(std::string_view name, const std::optional<double>& number) {
    if (!number)
      return;
    begin(name);
    fmt::format_to(std::back_inserter(out_), "{}", *number);
  }
  void operator()(std::string_view name, const std::vector<double>& list) {
    if (list.empty())
      return;
    begin(name);
    print_list(list);
  }
  void operator()(std::string_view name, const std::vector<FixedType>& types) {
    if (types.empty())
      return;
    begin(name);
    std::string_view separator = "[";
    for (const FixedType& type : types) {
      fmt::format_to(std::back_inserter(out_), "{}{}", separator, type.to_string());
      separator = ", ";
    }
    out_ += ']';
  }
  void operator()(std::string_view name, const std::optional<Quantizer>& quantizer) {
    if (!quantizer)
      return;
    begin(name);
    out_ += quantizer->type.to_string();
    (*this)("rounding", quantizer->rounding);
    (*this)("overflow", quantizer->overflow);
  }
  void operator()(std::string_view name, const ConstantElements& value) {
    begin(name);
    if (value.is_raw())
      print_list(value.raw());
    else
      print_list(value.real());
  }

private:
  void begin(std::string_view name) {
    fmt::format_to(std::back_inserter(out_), "{}{} = ", is_first_ ? " {" : ", ", name);
    is_first_ = false;
  }
  template <class List>
  void print_list(const List& list) {
    fmt::format_to(std::back_inserter(out_), "[{}]", fmt::join(list, ", "));
  }

  std::string& out_;
  bool is_first_ = true;
};

void print_op(const Graph& graph, const Op& op, std::string& out) {
  fmt::format_to(std::back_inserter(out), "  %{} = {}", op.name, op.mnemonic());
  std::string_view separator = " ";
  for (ValueId operand : op.operands) {
    fmt::format_to(std::back_inserter(out), "{}%{}", separator, graph.op(operand).name);
    separator = ", ";
  }
  std::visit(
      [&out]<class Kind>(const Kind& kind) {
        AttributePrinter printer(out);
        Kind::visit_attributes(kind, printer);
      },
      op.kind);
  fmt::format_to(std::back_inserter(out), " : {}\n", op.type.to_string());
}

}  // namespace

std::string print(const Graph& graph) {
  std::string out = fmt::format("graph @{} {{\n", graph.name());
  for (const Op& op : graph.ops())
    print_op(graph, op, out);
  for (ValueId output : graph.outputs())
    fmt::format_to(std::back_inserter(out), "  output %{}\n", graph.op(output).name);
  out += "}\n";
  return out;
}

}  // namespace millrace::graph
