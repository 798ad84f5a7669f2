// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/text_lexer.h"

#include "millrace/graph/messages.h"

namespace millrace::graph {
namespace {

constexpr size_t MaxQuotedLength = 40;

bool is_word_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '+' || c == '-';
}

std::string describe(const Token& token) {
  if (token.kind == TokenKind::End)
    return "the end of the text";
  if (token.kind == TokenKind::Punctuation &&
      (token.text.front() < ' ' || token.text.front() > '~'))
    return fmt::format("byte 0x{:02x}", static_cast<unsigned char>(token.text.front()));
  const std::string_view sigil = token.kind == TokenKind::ValueName   ? "%"
                                 : token.kind == TokenKind::GraphName ? "@"
                                                                      : "";
  return fmt::format("'{}{}'", sigil, token.text.substr(0, MaxQuotedLength));
}

}  // namespace

Lexer::Lexer(std::string_view text, std::string_view file) : text_(text), file_(file) {
  token_ = scan();
}

Token Lexer::take() {
  const Token taken = token_;
  token_ = scan();
  return taken;
}

std::string Lexer::place(const Token& token) const {
  return fmt::format("{}:{}:{}", file_, token.line, token.column);
}

Status Lexer::expect(char punctuation) {
  if (!token_.is(punctuation))
    return unexpected(fmt::format("'{}'", punctuation));
  take();
  return {};
}

Result<Token> Lexer::expect(TokenKind kind, std::string_view what) {
  if (token_.kind != kind)
    return unexpected(what);
  return take();
}

tl::unexpected<Diagnostic> Lexer::unexpected(std::string_view what) const {
  return error(messages::Syntax, place(token_), what, describe(token_));
}

void Lexer::skip_blanks() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '/' && text_.substr(position_, 2) == "//") {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (c == '\n') {
      ++position_;
      ++line_;
      line_start_ = position_;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++position_;
    } else {
      return;
    }
  }
}

size_t Lexer::end_of_word(size_t from) const {
  while (from < text_.size() && is_word_char(text_[from]))
    ++from;
  return from;
}

Token Lexer::scan() {
  skip_blanks();
  Token token{TokenKind::End, {}, line_, static_cast<int>(position_ - line_start_ + 1)};
  if (position_ == text_.size())
    return token;
  const char first = text_[position_];
  const bool has_sigil = first == '%' || first == '@';
  const size_t begin = position_ + (has_sigil ? 1 : 0);
  const size_t end = end_of_word(begin);
  if (end == begin) {
    token.kind = TokenKind::Punctuation;
    token.text = text_.substr(position_++, 1);
    return token;
  }
  token.kind = first == '%'   ? TokenKind::ValueName
               : first == '@' ? TokenKind::GraphName
                              : TokenKind::Word;
  token.text = text_.substr(begin, end - begin);
  position_ = end;
  return token;
}

}  // namespace millrace::graph
