// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "millrace/graph/op.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {
namespace {

using graph::Overloaded;

std::string join(const std::vector<Expr>& parts) {
  std::string text;
  for (const Expr& part : parts)
    text += (text.empty() ? "" : ", ") + print(part);
  return text;
}

bool is_simple(const Expr& e) {
  return !std::holds_alternative<Binary>(e->kind) && !std::holds_alternative<Conditional>(e->kind);
}

/// An operand, in parentheses unless it stands by itself.
std::string operand(const Expr& e) {
  return is_simple(e) ? print(e) : "(" + print(e) + ")";
}

std::string literal(const Literal& l) {
  const Int128 modulus = Int128{1} << l.width;
  const Int128 pattern = ((l.value % modulus) + modulus) % modulus;
  if (l.width == 1)
    return pattern == 0 ? "1'b0" : "1'b1";
  if (!l.is_signed)
    return fmt::format("{}'d{}", l.width, to_string(pattern));
  const Int128 half = modulus / 2;
  if (pattern == half)  // the lowest number: its negation does not fit
    return fmt::format("{}'sh{:x}", l.width, static_cast<uint64_t>(pattern));
  return pattern < half ? fmt::format("{}'sd{}", l.width, to_string(pattern))
                        : fmt::format("-{}'sd{}", l.width, to_string(modulus - pattern));
}

std::string range(int64_t width) {
  return width == 0 ? std::string() : fmt::format("[{}:0] ", width - 1);
}

class Printer {
public:
  void line(const std::string& text) {
    text_ += text.empty() ? "\n" : std::string(indent_, ' ') + text + "\n";
  }

  void comment(const std::string& text) {
    size_t start = 0;
    while (start <= text.size()) {
      const size_t end = std::min(text.find('\n', start), text.size());
      const std::string part = text.substr(start, end - start);
      line(part.empty() ? "//" : "// " + part);
      start = end + 1;
    }
  }

  void items(const std::vector<Item>& list) {
    for (const Item& item : list)
      std::visit([this](const auto& kind) { print_item(kind); }, item.kind);
  }

  void module(const Module& m) {
    line("// SPDX-License-Identifier: Apache-2.0");
    comment(m.comment);
    line("");
    line("`default_nettype none");
    line("");
    line(fmt::format("module {} (", m.name));
    indent_ += 2;
    size_t column = 0;
    for (const Port& port : m.ports)
      column = std::max(column, range(port.width).size());
    for (const Port& port : m.ports)
      line(fmt::format("{} {:<{}}{}{}",
                       port.direction == Direction::Input ? "input  wire " : "output logic",
                       range(port.width), column, port.name, &port == &m.ports.back() ? "" : ","));
    indent_ -= 2;
    line(");");
    line("");
    indent_ += 2;
    items(m.items);
    indent_ -= 2;
    line("");
    line(fmt::format("endmodule : {}", m.name));
    line("");
    line("`default_nettype wire");
  }

  std::string take() { return std::move(text_); }

private:
  void print_item(const Comment& c) {
    if (!c.text.empty())
      comment(c.text);
    else if (!text_.ends_with("\n\n"))
      line("");
  }

  void print_item(const Signal& s) {
    line(fmt::format("logic {}{}{};", s.is_signed ? "signed " : "", range(s.width), s.name));
  }

  void print_item(const Wire& w) {
    line(fmt::format("wire {}{}{} = {};", w.is_signed ? "signed " : "", range(w.width), w.name,
                     print(w.value)));
  }

  void print_item(const Assign& a) {
    line(fmt::format("assign {} = {};", print(a.target), print(a.value)));
  }

  void print_item(const Registers& r) {
    line("always_ff @(posedge clk_i) begin");
    for (const auto& [target, value] : r.updates)
      line(fmt::format("  {} <= {};", print(target), print(value)));
    line("end");
  }

  void print_item(const Lookup& l) {
    line("always_comb begin");
    line(fmt::format("  case ({})", print(l.selector)));
    for (const auto& [code, value] : l.rows)
      line(fmt::format("    {}: {} = {};", print(code), print(l.target), print(value)));
    line(fmt::format("    default: {} = {};", print(l.target), print(l.otherwise)));
    line("  endcase");
    line("end");
  }

  void print_item(const Instance& i) {
    const std::string parameters = connections(i.parameters);
    const std::string ports = connections(i.ports);
    const std::string head = parameters.empty()
                                 ? fmt::format("{} {} (", i.module, i.name)
                                 : fmt::format("{} #({}) {} (", i.module, parameters, i.name);
    const size_t room = MaxWidth - indent_;
    if (head.size() + ports.size() + 2 <= room) {
      line(head + ports + ");");
      return;
    }
    if (head.size() <= room) {
      line(head);
    } else {
      line(fmt::format("{} #(", i.module));
      wrapped(parameters);
      line(fmt::format(") {} (", i.name));
    }
    wrapped(ports);
    line(");");
  }

  /// .port(value) for each; .port alone where the value is the signal of that name.
  static std::string connections(const std::vector<std::pair<std::string, Expr>>& list) {
    std::string text;
    for (const auto& [port, value] : list) {
      const auto* same = value ? std::get_if<Name>(&value->kind) : nullptr;
      const bool by_name = !value || (same != nullptr && same->text == port);
      text += text.empty() ? "" : ", ";
      text += by_name ? "." + port : fmt::format(".{}({})", port, print(value));
    }
    return text;
  }

  /// A comma-separated list over as many lines as it needs.
  void wrapped(const std::string& list) {
    const size_t width = MaxWidth - indent_ - 3;
    size_t start = 0;
    while (start < list.size()) {
      size_t end = list.size();
      if (end - start > width) {
        const size_t comma = list.rfind(", .", start + width);
        end =
            comma == std::string::npos || comma <= start ? list.find(", .", start + width) : comma;
        end = end == std::string::npos ? list.size() : end + 1;
      }
      line("  " + list.substr(start, end - start));
      start = end + (end < list.size() ? 1 : 0);
    }
  }

  static constexpr size_t MaxWidth = 100;
  std::string text_;
  size_t indent_ = 0;
};

}  // namespace

Expr name(std::string text) {
  return expr(Name{std::move(text)});
}
Expr number(int64_t value) {
  return expr(Number{value});
}
Expr select(Expr base, int64_t offset, int64_t width) {
  return expr(Select{std::move(base), number(offset), width});
}
Expr bit(Expr base, int64_t index) {
  return expr(Select{std::move(base), number(index), 0});
}
Expr binary(std::string op, Expr left, Expr right) {
  return expr(Binary{std::move(op), std::move(left), std::move(right)});
}

std::string print(const Expr& expression) {
  return std::visit(
      Overloaded{
          [](const Name& e) { return e.text; },
          [](const Number& e) { return fmt::format("{}", e.value); },
          [](const Literal& e) { return literal(e); },
          [](const Select& e) {
            return e.width == 0
                       ? fmt::format("{}[{}]", print(e.base), print(e.offset))
                       : fmt::format("{}[{} +: {}]", print(e.base), print(e.offset), e.width);
          },
          [](const Concat& e) { return "{" + join(e.parts) + "}"; },
          [](const Repeat& e) { return fmt::format("{{{}{{{}}}}}", e.count, print(e.part)); },
          [](const Cast& e) { return fmt::format("{}'({})", e.width, print(e.operand)); },
          [](const Call& e) { return fmt::format("{}({})", e.function, join(e.arguments)); },
          [](const Unary& e) { return e.op + operand(e.operand); },
          [](const Binary& e) {
            return fmt::format("{} {} {}", operand(e.left), e.op, operand(e.right));
          },
          [](const Conditional& e) {
            return fmt::format("{} ? {} : {}", operand(e.condition), operand(e.then),
                               operand(e.otherwise));
          }},
      expression->kind);
}

std::string print(const Module& module) {
  Printer printer;
  printer.module(module);
  return printer.take();
}

}  // namespace millrace::verilog
