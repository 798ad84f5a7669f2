// SPDX-License-Identifier: Apache-2.0
// A syntax tree of the SystemVerilog that Millrace emits; print() lays it out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "millrace/fixed/fixed_type.h"

namespace millrace::verilog {

struct ExprNode;
/// An immutable expression.
using Expr = std::shared_ptr<const ExprNode>;

/// A name.
struct Name {
  std::string text;
};
/// An unsized decimal number.
struct Number {
  int64_t value = 0;
};
/// A sized number: the low `width` bits of `value`; printed signed where asked.
struct Literal {
  int width = 1;
  Int128 value = 0;
  bool is_signed = false;
};
/// base[offset +: width], or base[offset] for width 0.
struct Select {
  Expr base;
  Expr offset;
  int64_t width = 0;
};
/// {a, b, ...}: the first part is the highest.
struct Concat {
  std::vector<Expr> parts;
};
/// {count{part}}.
struct Repeat {
  int64_t count = 1;
  Expr part;
};
/// width'(operand): sign-extends signed operands, truncates wider ones.
struct Cast {
  int width = 1;
  Expr operand;
};
/// A call such as $signed(operand).
struct Call {
  std::string function;
  std::vector<Expr> arguments;
};
struct Unary {
  std::string op;
  Expr operand;
};
struct Binary {
  std::string op;
  Expr left, right;
};
struct Conditional {
  Expr condition, then, otherwise;
};

struct ExprNode {
  std::variant<Name, Number, Literal, Select, Concat, Repeat, Cast, Call, Unary, Binary,
               Conditional>
      kind;
};

/// Makes an expression of any kind: expr(Name{"x"}).
template <class Kind>
Expr expr(Kind kind) {
  return std::make_shared<const ExprNode>(ExprNode{std::move(kind)});
}
Expr name(std::string text);
Expr number(int64_t value);
/// base[offset +: width].
Expr select(Expr base, int64_t offset, int64_t width);
/// base[index].
Expr bit(Expr base, int64_t index);
Expr binary(std::string op, Expr left, Expr right);

/// A line or more of `//` text; an empty text is an empty line, unless one stands there already.
struct Comment {
  std::string text;
};
/// logic [width-1:0] name; width 0 is a single bit without a range.
struct Signal {
  std::string name;
  int64_t width = 0;
  bool is_signed = false;
};
/// wire [width-1:0] name = value; width 0 is a single bit without a range.
struct Wire {
  std::string name;
  int64_t width = 0;
  bool is_signed = false;
  Expr value;
};
/// assign target = value.
struct Assign {
  Expr target, value;
};
/// always_ff @(posedge clk_i): target <= value for each pair, in order.
struct Registers {
  std::vector<std::pair<Expr, Expr>> updates;
};
/// always_comb case (selector): target = value of the matching code, or the default.
struct Lookup {
  Expr selector;
  Expr target;
  std::vector<std::pair<Expr, Expr>> rows;
  Expr otherwise;
};
/// module #(parameters) instance (ports); a port without an expression is connected by name.
struct Instance {
  std::string module;
  std::string name;
  std::vector<std::pair<std::string, Expr>> parameters;
  std::vector<std::pair<std::string, Expr>> ports;
};
struct Item {
  std::variant<Comment, Signal, Wire, Assign, Registers, Lookup, Instance> kind;
};

enum class Direction { Input, Output };

/// A port; width 0 is a single bit without a range.
struct Port {
  Direction direction = Direction::Input;
  std::string name;
  int64_t width = 0;
};

/// A module, and the comment that heads its file.
struct Module {
  std::string comment;
  std::string name;
  std::vector<Port> ports;
  std::vector<Item> items;
};

/// The text of a file that holds one module.
std::string print(const Module& module);
/// The text of an expression.
std::string print(const Expr& expression);

}  // namespace millrace::verilog
