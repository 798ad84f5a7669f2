// SPDX-License-Identifier: Apache-2.0
// Reads attributes through the same visit_attributes() that prints them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "millrace/fixed/requantize.h"
#include "millrace/graph/ops/constant.h"
#include "millrace/graph/ops/reduce.h"
#include "millrace/graph/ops/unary.h"
#include "millrace/graph/text_lexer.h"

namespace millrace::graph {

/// One "name = value" whose value is read later, when it is known what it shall be.
struct Attribute {
  Token name;
  Lexer value;  ///< stands at the value's first token
  bool is_read = false;
};

/// Takes "{a = [1, 2], b = SAT}" where the lexer stands, if there is one.
Result<std::vector<Attribute>> scan_attributes(Lexer& lexer);

/// Gives each attribute that an operation names its value. Goes on after the first error, to no
/// effect; finish() gives it back.
class AttributeReader {
public:
  AttributeReader(std::string_view mnemonic, std::string_view place,
                  std::vector<Attribute> attributes);

  template <class... Numbers>
    requires(std::same_as<Numbers, int64_t> && ...)
  void operator()(std::string_view name, Numbers&... numbers) {
    read_numbers(name, {&numbers...});
  }
  void operator()(std::string_view name, bool& flag);
  /// Reads numbers that are all `usual` where the attribute is left out.
  template <class... Numbers>
  void optional(std::string_view name, int64_t usual, Numbers&... numbers) {
    if (has(name))
      (*this)(name, numbers...);
    else
      ((numbers = usual), ...);
  }
  /// A flag that is false where the attribute is left out.
  void optional(std::string_view name, bool& flag) {
    flag = false;
    if (has(name))
      (*this)(name, flag);
  }
  void operator()(std::string_view name, Rounding& mode);
  void operator()(std::string_view name, Overflow& mode);
  void operator()(std::string_view name, UnaryFunction& function);
  void operator()(std::string_view name, ReduceFunction& function);
  void operator()(std::string_view name, std::vector<int64_t>& list);
  /// Attributes that may be absent.
  void operator()(std::string_view name, std::optional<double>& number);
  void operator()(std::string_view name, std::vector<FixedType>& types);
  void operator()(std::string_view name, std::vector<double>& list);
  /// A type, and behind it the attributes "rounding" and "overflow".
  void operator()(std::string_view name, std::optional<Quantizer>& quantizer);
  /// Reads what `value` holds, integers or real numbers.
  void operator()(std::string_view name, ConstantElements& value);

  /// The first error; also attributes that the operation does not have.
  Status finish() const;

private:
  bool has(std::string_view name) const;
  /// A single number is a word, several are a list.
  void read_numbers(std::string_view name, const std::vector<int64_t*>& numbers);
  void read_number(Attribute& attribute, int64_t& number);
  template <class Element>
  void read_list(std::string_view name, std::vector<Element>& list);
  template <class Mode, class Parse>
  void read_mode(std::string_view name, std::string_view what, Parse parse, Mode& mode);
  template <class Function, class Parse>
  void read_function(std::string_view name, Parse parse, Function& function);
  Attribute* find(std::string_view name);

  std::string_view mnemonic_;
  std::string_view place_;
  std::vector<Attribute> attributes_;
  Status status_;
};

/// Takes an element type: fixed<8,4>.
Result<FixedType> parse_element_type(Lexer& lexer);

/// Reads a whole word as a number.
/// Errors   not a number, or one outside of int64_t or double.
Result<int64_t> parse_number(const Lexer& lexer, const Token& word, int64_t kind);
Result<double> parse_number(const Lexer& lexer, const Token& word, double kind);

}  // namespace millrace::graph
