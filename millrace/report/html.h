// SPDX-License-Identifier: Apache-2.0
// HTML and SVG as a tree of elements: text and attributes are escaped where they are printed.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace millrace::report {

using Attributes = std::vector<std::pair<std::string, std::string>>;

/// An element, or a piece of text (an element without a tag).
struct Node {
  std::string tag = {};
  Attributes attributes = {};
  std::vector<Node> children = {};
  std::string content = {};  ///< of a text node
  bool is_verbatim = false;  ///< the content is printed as it is: style sheets and scripts

  /// Appends a child and returns it.
  Node& add(Node child);
};

/// An element: element("td", {{"class", "number"}}, {text("48")}).
Node element(std::string tag, Attributes attributes = {}, std::vector<Node> children = {});
/// An element that holds one text.
Node element(std::string tag, Attributes attributes, std::string content);
/// A piece of text.
Node text(std::string content);
/// A style sheet or script, which no escaping may touch.
/// Errors   InternalError when the content would end its own element.
Node verbatim(std::string tag, Attributes attributes, std::string content);

/// The tree as HTML5 text (which is also well-formed inside `svg`).
std::string to_html(const Node& node);

}  // namespace millrace::report
