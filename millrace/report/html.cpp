// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/html.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "millrace/support/check.h"

namespace millrace::report {
namespace {

// Elements that HTML writes without an end tag.
constexpr std::array<std::string_view, 4> VoidElements = {"meta", "br", "link", "hr"};
// Elements whose children stand on lines of their own, to keep the page readable as text.
constexpr std::array<std::string_view, 16> BlockElements = {
    "html",  "head", "body", "main", "header", "section", "table",  "thead",
    "tbody", "tr",   "div",  "svg",  "g",      "dl",      "figure", "footer"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& tags, std::string_view tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

void append_escaped(std::string& out, std::string_view content) {
  for (char c : content) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

void append(std::string& out, const Node& node) {
  if (node.tag.empty()) {
    append_escaped(out, node.content);
    return;
  }
  out += '<' + node.tag;
  for (const auto& [name, value] : node.attributes) {
    out += ' ' + name + "=\"";
    append_escaped(out, value);
    out += '"';
  }
  out += '>';
  if (contains(VoidElements, node.tag))
    return;
  if (node.is_verbatim) {
    out += node.content;
  } else {
    const bool lines = contains(BlockElements, node.tag);
    for (const Node& child : node.children) {
      if (lines)
        out += '\n';
      append(out, child);
    }
    if (lines && !node.children.empty())
      out += '\n';
  }
  out += "</" + node.tag + '>';
}

}  // namespace

Node& Node::add(Node child) {
  children.push_back(std::move(child));
  return children.back();
}

Node element(std::string tag, Attributes attributes, std::vector<Node> children) {
  return {
      .tag = std::move(tag), .attributes = std::move(attributes), .children = std::move(children)};
}

Node element(std::string tag, Attributes attributes, std::string content) {
  return element(std::move(tag), std::move(attributes),
                 std::vector<Node>{text(std::move(content))});
}

Node text(std::string content) {
  return {.content = std::move(content)};
}

Node verbatim(std::string tag, Attributes attributes, std::string content) {
  check(content.find("</") == std::string::npos, "a verbatim element would end early");
  return {.tag = std::move(tag),
          .attributes = std::move(attributes),
          .content = std::move(content),
          .is_verbatim = true};
}

std::string to_html(const Node& node) {
  std::string out;
  append(out, node);
  return out;
}

}  // namespace millrace::report
