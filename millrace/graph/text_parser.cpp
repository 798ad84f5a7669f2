// SPDX-License-Identifier: Apache-2.0
// Recursive descent without recursion: the text form nests to a fixed depth.
#include <unordered_map>
#include <utility>

#include "millrace/graph/messages.h"
#include "millrace/graph/text.h"
#include "millrace/graph/text_attributes.h"
#include "millrace/graph/text_lexer.h"

namespace millrace::graph {
namespace {

// A default operation of that mnemonic.
std::optional<OpKind> make_kind(std::string_view mnemonic) {
  std::optional<OpKind> made;
  const auto try_kind = [&]<class Kind>(std::in_place_type_t<Kind>) {
    if (Kind::Mnemonic == mnemonic)
      made = Kind{};
  };
  [&]<size_t... I>(std::index_sequence<I...>) {
    (try_kind(std::in_place_type<std::variant_alternative_t<I, OpKind>>), ...);
  }(std::make_index_sequence<std::variant_size_v<OpKind>>{});
  return made;
}

// Tells operations that cannot infer all of their result type what stands behind the colon.
bool accept_stated_type(OpKind& kind, const TensorType& type) {
  return std::visit(Overloaded{[&](Input& input) {
                                 input.type = type;
                                 return true;
                               },
                               [&](Constant& constant) {
                                 constant.type = type;
                                 if (!type.is_fixed())
                                   constant.value = std::vector<double>();
                                 return true;
                               },
                               [&](Requantize& requantize) {
                                 requantize.to.type = type.element.value_or(FixedType{});
                                 return type.is_fixed();
                               },
                               [&](AvgPool& pool) {
                                 if (type.is_fixed())
                                   pool.to = Quantizer{type.fixed()};
                                 return true;
                               },
                               [&](Table& table) {
                                 table.element = type.element.value_or(FixedType{});
                                 return type.is_fixed();
                               },
                               [](const auto&) { return true; }},
                    kind);
}

class Parser {
public:
  Parser(std::string_view text, std::string_view file) : lexer_(text, file) {}

  Result<Graph> parse_graph() {
    if (!lexer_.peek().is("graph"))
      return lexer_.unexpected("'graph'");
    const std::string graph_place = lexer_.place(lexer_.take());
    MR_TRY(const Token name, lexer_.expect(TokenKind::GraphName, "the graph's name, @name"));
    if (!is_valid_name(name.text))
      return error(messages::BadName, lexer_.place(name), name.text.substr(0, 40));
    MR_TRY_STATUS(lexer_.expect('{'));
    Builder builder{std::string(name.text)};
    while (!lexer_.peek().is('}')) {
      MR_TRY_STATUS(parse_statement(builder));
    }
    lexer_.take();
    if (lexer_.peek().kind != TokenKind::End)
      return lexer_.unexpected("the end of the text");
    auto graph = std::move(builder).finish();
    if (!graph)
      graph.error().where = graph_place;
    return graph;
  }

private:
  Status parse_statement(Builder& builder) {
    if (lexer_.peek().is("output"))
      return parse_output(builder);
    if (lexer_.peek().kind == TokenKind::ValueName)
      return parse_op(builder);
    return lexer_.unexpected("a value, 'output' or '}'");
  }

  Status parse_output(Builder& builder) {
    lexer_.take();
    MR_TRY(const ValueId value, parse_use());
    builder.output(value);
    return {};
  }

  Status parse_op(Builder& builder) {
    const Token name = lexer_.take();
    const std::string place = lexer_.place(name);
    if (!is_valid_name(name.text))
      return error(messages::BadName, place, name.text.substr(0, 40));
    if (values_.contains(name.text))
      return error(messages::DuplicateValue, place, name.text);
    MR_TRY_STATUS(lexer_.expect('='));

    MR_TRY(const Token mnemonic, lexer_.expect(TokenKind::Word, "an operation"));
    auto kind = make_kind(mnemonic.text);
    if (!kind)
      return error(messages::UnknownOperation, lexer_.place(mnemonic), mnemonic.text.substr(0, 40));
    MR_TRY(std::vector<ValueId> operands, parse_operands());
    MR_TRY(std::vector<Attribute> attributes, scan_attributes(lexer_));
    MR_TRY_STATUS(lexer_.expect(':'));
    const std::string type_place = lexer_.place(lexer_.peek());
    MR_TRY(const TensorType type, parse_type());
    if (!accept_stated_type(*kind, type))
      return error(messages::NotFixed, type_place, mnemonic.text, type.to_string());
    AttributeReader reader(mnemonic.text, place, std::move(attributes));
    std::visit([&]<class Kind>(Kind& op) { Kind::visit_attributes(op, reader); }, *kind);
    MR_TRY_STATUS(reader.finish());

    MR_TRY(const ValueId value,
           builder.add(std::string(name.text), std::move(*kind), std::move(operands), place));
    if (builder.type(value) != type)
      return error(messages::TypeDiffers, type_place, type.to_string(),
                   builder.type(value).to_string());
    values_.emplace(name.text, value);
    return {};
  }

  Result<std::vector<ValueId>> parse_operands() {
    std::vector<ValueId> operands;
    if (lexer_.peek().kind != TokenKind::ValueName)
      return operands;
    do {
      MR_TRY(const ValueId operand, parse_use());
      operands.push_back(operand);
    } while (lexer_.peek().is(',') && (lexer_.take(), true));
    return operands;
  }

  Result<ValueId> parse_use() {
    MR_TRY(const Token name, lexer_.expect(TokenKind::ValueName, "a value, %name"));
    const auto found = values_.find(name.text);
    if (found == values_.end())
      return error(messages::UnknownValue, lexer_.place(name), name.text.substr(0, 40));
    return found->second;
  }

  // tensor<28x28x1 x ufixed<8,0>>
  Result<TensorType> parse_type() {
    if (!lexer_.peek().is("tensor"))
      return lexer_.unexpected("a type, tensor<...>");
    const std::string place = lexer_.place(lexer_.take());
    TensorType type;
    MR_TRY_STATUS(lexer_.expect('<'));
    MR_TRY(type.shape, parse_shape());
    if (!lexer_.peek().is("x"))
      return lexer_.unexpected("'x' and the element type");
    lexer_.take();
    if (lexer_.peek().is("real")) {
      lexer_.take();
    } else {
      MR_TRY(type.element, parse_element_type(lexer_));
    }
    MR_TRY_STATUS(lexer_.expect('>'));
    MR_TRY_STATUS(type.verify(place));
    return type;
  }

  // 28x28x1, one word
  Result<Shape> parse_shape() {
    MR_TRY(const Token word, lexer_.expect(TokenKind::Word, "a shape"));
    Shape shape;
    std::string_view rest = word.text;
    while (shape.size() < TensorType::MaxRank) {
      const size_t end = rest.find('x');
      Token extent = word;
      extent.text = rest.substr(0, end);
      MR_TRY(shape.emplace_back(), parse_number(lexer_, extent, int64_t{}));
      if (end == std::string_view::npos)
        return shape;
      rest.remove_prefix(end + 1);
    }
    return error(messages::TensorC2, lexer_.place(word), word.text.substr(0, 40));
  }

  Lexer lexer_;
  std::unordered_map<std::string_view, ValueId> values_;
};

}  // namespace

Result<Graph> parse(std::string_view text, const std::string& file) {
  return Parser(text, file).parse_graph();
}

}  // namespace millrace::graph
