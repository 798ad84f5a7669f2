// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/text_attributes.h"

#include <algorithm>
#include <charconv>

#include "millrace/graph/messages.h"

namespace millrace::graph {
namespace {

// Takes a word, or an element type.
Status skip_item(Lexer& lexer, std::string_view what) {
  MR_TRY_STATUS(lexer.expect(TokenKind::Word, what));
  if (!lexer.peek().is('<'))
    return {};
  lexer.take();
  MR_TRY_STATUS(lexer.expect(TokenKind::Word, "a width"));
  MR_TRY_STATUS(lexer.expect(','));
  MR_TRY_STATUS(lexer.expect(TokenKind::Word, "a number of integer bits"));
  return lexer.expect('>');
}

// Takes a value, whatever it is: an item, or a list of items.
Status skip_value(Lexer& lexer) {
  if (!lexer.peek().is('['))
    return skip_item(lexer, "a value");
  lexer.take();
  while (!lexer.peek().is(']')) {
    MR_TRY_STATUS(skip_item(lexer, "a number"));
    if (!lexer.peek().is(','))
      break;
    lexer.take();
  }
  return lexer.expect(']');
}

template <class Number>
Result<Number> number_from(const Lexer& lexer, const Token& word, std::string_view what) {
  Number number{};
  const char* const end = word.text.data() + word.text.size();
  const auto [stop, failure] = std::from_chars(word.text.data(), end, number);
  if (failure != std::errc{} || stop != end)
    return error(messages::BadNumber, lexer.place(word), word.text.substr(0, 40), what);
  return number;
}

}  // namespace

Result<int64_t> parse_number(const Lexer& lexer, const Token& word, int64_t) {
  return number_from<int64_t>(lexer, word, "a 64-bit integer");
}

Result<double> parse_number(const Lexer& lexer, const Token& word, double) {
  return number_from<double>(lexer, word, "a real number in the range of a double");
}

Result<FixedType> parse_element_type(Lexer& lexer) {
  MR_TRY(const Token base, lexer.expect(TokenKind::Word, "an element type"));
  MR_TRY_STATUS(lexer.expect('<'));
  MR_TRY(const Token width, lexer.expect(TokenKind::Word, "a width"));
  MR_TRY_STATUS(lexer.expect(','));
  MR_TRY(const Token int_bits, lexer.expect(TokenKind::Word, "a number of integer bits"));
  MR_TRY_STATUS(lexer.expect('>'));
  return parse_fixed_type(fmt::format("{}<{},{}>", base.text.substr(0, 40),
                                      width.text.substr(0, 40), int_bits.text.substr(0, 40)),
                          lexer.place(base));
}

Result<std::vector<Attribute>> scan_attributes(Lexer& lexer) {
  std::vector<Attribute> attributes;
  if (!lexer.peek().is('{'))
    return attributes;
  lexer.take();
  do {
    MR_TRY(const Token name, lexer.expect(TokenKind::Word, "an attribute's name"));
    const auto has_name = [&](const Attribute& other) { return other.name.text == name.text; };
    if (std::any_of(attributes.begin(), attributes.end(), has_name))
      return error(messages::DuplicateAttribute, lexer.place(name), name.text);
    MR_TRY_STATUS(lexer.expect('='));
    attributes.push_back({name, lexer});
    MR_TRY_STATUS(skip_value(lexer));
  } while (lexer.peek().is(',') && (lexer.take(), true));
  MR_TRY_STATUS(lexer.expect('}'));
  return attributes;
}

AttributeReader::AttributeReader(std::string_view mnemonic, std::string_view place,
                                 std::vector<Attribute> attributes)
    : mnemonic_(mnemonic), place_(place), attributes_(std::move(attributes)) {}

bool AttributeReader::has(std::string_view name) const {
  return std::any_of(attributes_.begin(), attributes_.end(),
                     [&](const Attribute& attribute) { return attribute.name.text == name; });
}

Attribute* AttributeReader::find(std::string_view name) {
  if (!status_)
    return nullptr;
  const auto found =
      std::find_if(attributes_.begin(), attributes_.end(),
                   [&](const Attribute& attribute) { return attribute.name.text == name; });
  if (found == attributes_.end()) {
    status_ = error(messages::MissingAttribute, std::string(place_), mnemonic_, name);
    return nullptr;
  }
  found->is_read = true;
  return &*found;
}

template <class Element>
void AttributeReader::read_list(std::string_view name, std::vector<Element>& list) {
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  Lexer& lexer = attribute->value;
  list.clear();
  if (status_ = lexer.expect('['); !status_)
    return;
  // scan_attributes() has checked the brackets and commas.
  while (!lexer.peek().is(']')) {
    const Token word = lexer.take();
    const auto number = parse_number(lexer, word, Element{});
    if (!number) {
      status_ = tl::unexpected(number.error());
      return;
    }
    list.push_back(*number);
    if (lexer.peek().is(','))
      lexer.take();
  }
}

void AttributeReader::read_number(Attribute& attribute, int64_t& number) {
  const Lexer& lexer = attribute.value;
  if (lexer.peek().kind != TokenKind::Word) {
    status_ = error(messages::BadNumber, lexer.place(attribute.name), attribute.name.text,
                    "a single integer");
    return;
  }
  if (const auto read = parse_number(lexer, lexer.peek(), int64_t{}))
    number = *read;
  else
    status_ = tl::unexpected(read.error());
}

void AttributeReader::operator()(std::string_view name, bool& flag) {
  int64_t number = 0;
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  read_number(*attribute, number);
  if (status_ && number != 0 && number != 1)
    status_ = error(messages::BadNumber, attribute->value.place(attribute->name), name, "0 or 1");
  flag = number == 1;
}

void AttributeReader::read_numbers(std::string_view name, const std::vector<int64_t*>& numbers) {
  std::vector<int64_t> list;
  Attribute* const attribute = find(name);
  if (numbers.size() == 1) {
    if (attribute)
      read_number(*attribute, *numbers.front());
    return;
  }
  read_list(name, list);
  if (!status_)
    return;
  if (list.size() != numbers.size()) {
    status_ = error(messages::BadNumber, attribute->value.place(attribute->name), name,
                    fmt::format("a list of {} integers", numbers.size()));
    return;
  }
  for (size_t i = 0; i < list.size(); ++i)
    *numbers[i] = list[i];
}

template <class Mode, class Parse>
void AttributeReader::read_mode(std::string_view name, std::string_view what, Parse parse,
                                Mode& mode) {
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  const Token word = attribute->value.take();
  if (const auto parsed = parse(word.text); parsed && to_string(*parsed) == word.text)
    mode = *parsed;
  else
    status_ = error(messages::BadMode, attribute->value.place(word), what, word.text.substr(0, 40));
}

void AttributeReader::operator()(std::string_view name, Rounding& mode) {
  read_mode(name, "rounding", parse_rounding, mode);
}

void AttributeReader::operator()(std::string_view name, Overflow& mode) {
  read_mode(name, "overflow", parse_overflow, mode);
}

template <class Function, class Parse>
void AttributeReader::read_function(std::string_view name, Parse parse, Function& function) {
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  const Token word = attribute->value.take();
  if (const auto parsed = parse(word.text))
    function = *parsed;
  else
    status_ = error(messages::BadFunction, attribute->value.place(word), mnemonic_,
                    word.text.substr(0, 40));
}

void AttributeReader::operator()(std::string_view name, UnaryFunction& function) {
  read_function(name, parse_unary_function, function);
}

void AttributeReader::operator()(std::string_view name, ReduceFunction& function) {
  read_function(name, parse_reduce_function, function);
}

void AttributeReader::operator()(std::string_view name, std::vector<int64_t>& list) {
  read_list(name, list);
}

void AttributeReader::operator()(std::string_view name, std::optional<double>& number) {
  number.reset();
  if (!has(name))
    return;
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  const Token word = attribute->value.take();
  if (const auto read = parse_number(attribute->value, word, double{}))
    number = *read;
  else
    status_ = tl::unexpected(read.error());
}

void AttributeReader::operator()(std::string_view name, std::vector<double>& list) {
  list.clear();
  if (has(name))
    read_list(name, list);
}

void AttributeReader::operator()(std::string_view name, std::vector<FixedType>& types) {
  types.clear();
  if (!has(name))
    return;
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  Lexer& lexer = attribute->value;
  if (status_ = lexer.expect('['); !status_)
    return;
  while (!lexer.peek().is(']')) {
    const auto type = parse_element_type(lexer);
    if (!type) {
      status_ = tl::unexpected(type.error());
      return;
    }
    types.push_back(*type);
    if (lexer.peek().is(','))
      lexer.take();
  }
}

void AttributeReader::operator()(std::string_view name, std::optional<Quantizer>& quantizer) {
  quantizer.reset();
  if (!has(name))
    return;
  Attribute* const attribute = find(name);
  if (!attribute)
    return;
  const auto type = parse_element_type(attribute->value);
  if (!type) {
    status_ = tl::unexpected(type.error());
    return;
  }
  quantizer = Quantizer{*type};
  (*this)("rounding", quantizer->rounding);
  (*this)("overflow", quantizer->overflow);
}

void AttributeReader::operator()(std::string_view name, ConstantElements& value) {
  const auto read = [&]<class Number>(std::vector<Number> list) {
    read_list(name, list);
    value = std::move(list);
  };
  if (value.is_raw())
    read(std::vector<int64_t>());
  else
    read(std::vector<double>());
}

Status AttributeReader::finish() const {
  if (!status_)
    return status_;
  for (const Attribute& attribute : attributes_)
    if (!attribute.is_read)
      return error(messages::UnknownAttribute, attribute.value.place(attribute.name), mnemonic_,
                   attribute.name.text.substr(0, 40));
  return {};
}

}  // namespace millrace::graph
