// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/html.h"

#include <gtest/gtest.h>

#include "millrace/support/check.h"

namespace millrace::report {
namespace {

TEST(Html, EscapesTextAndAttributes) {
  const Node node = element("b", {{"title", "\"a\" & b"}}, "fixed<9,5> & more");
  EXPECT_EQ(to_html(node), "<b title=\"&quot;a&quot; &amp; b\">fixed&lt;9,5&gt; &amp; more</b>");
}

TEST(Html, VoidElementsHaveNoEndTag) {
  EXPECT_EQ(to_html(element("meta", {{"charset", "utf-8"}})), "<meta charset=\"utf-8\">");
  EXPECT_EQ(to_html(element("p")), "<p></p>");
}

TEST(Html, ChildrenStandInOrder) {
  Node line = element("p");
  line.add(text("a"));
  line.add(element("b", {}, "c"));
  EXPECT_EQ(to_html(line), "<p>a<b>c</b></p>");
}

TEST(Html, VerbatimContentIsNotEscapedAndCannotEndItsElement) {
  EXPECT_EQ(to_html(verbatim("script", {}, "a < b && c")), "<script>a < b && c</script>");
  EXPECT_THROW(verbatim("script", {}, "'</script>'"), InternalError);
}

}  // namespace
}  // namespace millrace::report
