// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "millrace/support/diagnostics.h"

namespace millrace::graph {

/// What a token of the text form is.
enum class TokenKind {
  Word,         ///< conv2d, RND_CONV, 28x28x1, -12, 1e-05: a run of [A-Za-z0-9_.+-]
  ValueName,    ///< %name
  GraphName,    ///< @name
  Punctuation,  ///< any other single character
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  ///< without the sigil of value and graph names
  int line = 1;
  int column = 1;

  bool is(char punctuation) const {
    return kind == TokenKind::Punctuation && text.front() == punctuation;
  }
  bool is(std::string_view word) const { return kind == TokenKind::Word && text == word; }
};

/// Cuts the text form into tokens, one at a time; skips white space and // comments. A copy goes
/// on from the same place on its own.
class Lexer {
public:
  /// `text` and `file` outlive the lexer and its tokens.
  Lexer(std::string_view text, std::string_view file);

  /// The token that comes next.
  const Token& peek() const { return token_; }
  /// Takes the token that comes next.
  Token take();
  /// "FILE:LINE:COLUMN" of a token.
  std::string place(const Token& token) const;

  /// Takes the punctuation given, or says what stands there instead.
  Status expect(char punctuation);
  /// Takes a token of that kind, or says that `what` was expected.
  Result<Token> expect(TokenKind kind, std::string_view what);
  /// "expected WHAT, found ..." at the token that comes next.
  tl::unexpected<Diagnostic> unexpected(std::string_view what) const;

private:
  Token scan();
  void skip_blanks();
  size_t end_of_word(size_t from) const;

  std::string_view text_;
  std::string_view file_;
  size_t position_ = 0;
  int line_ = 1;
  size_t line_start_ = 0;
  Token token_;
};

}  // namespace millrace::graph
