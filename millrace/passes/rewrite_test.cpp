// SPDX-License-Identifier: Apache-2.0
#include "millrace/passes/rewrite.h"

#include <gtest/gtest.h>

#include "millrace/graph/text.h"
#include "millrace/support/check.h"

namespace millrace::passes {
namespace {

constexpr std::string_view Text =
    "graph @g {\n"
    "  %x = input : tensor<2 x fixed<4,4>>\n"
    "  %s = constant {value = [1, 2]} : tensor<2 x ufixed<2,2>>\n"
    "  %a = affine %x, %s, %s : tensor<2 x fixed<6,6>>\n"
    "  %r = relu %a : tensor<2 x ufixed<5,5>>\n"
    "  output %r\n"
    "}\n";

graph::Graph graph_of(std::string_view text) {
  return *graph::parse(text);
}

TEST(Rewrite, WithoutChangesCopiesTheGraph) {
  const graph::Graph graph = graph_of(Text);
  EXPECT_EQ(*Rewrite(graph).finish(), graph);
}

TEST(Rewrite, ReplacedOperationsMayUseAddedConstants) {
  const graph::Graph graph = graph_of(Text);
  Rewrite rewrite(graph);
  const FixedType type = {.is_signed = false, .width = 1, .frac_bits = 0};
  const graph::ValueId ones =
      rewrite.add("s", graph::Constant{{{2}, type}, std::vector<int64_t>{1, 1}});
  rewrite.replace(2, "b", graph::Affine{}, {0, ones, ones});
  EXPECT_EQ(graph::print(*std::move(rewrite).finish()),
            "graph @g {\n"
            "  %x = input : tensor<2 x fixed<4,4>>\n"
            "  %s = constant {value = [1, 1]} : tensor<2 x ufixed<1,1>>\n"
            "  %b = affine %x, %s, %s : tensor<2 x fixed<5,5>>\n"
            "  %r = relu %b : tensor<2 x ufixed<4,4>>\n"
            "  output %r\n"
            "}\n");
}

TEST(Rewrite, ForwardedValuesDisappearWithWhatOnlyTheyUse) {
  const graph::Graph graph = graph_of(Text);
  Rewrite rewrite(graph);
  rewrite.forward(3, 2);
  rewrite.forward(2, 0);
  EXPECT_EQ(graph::print(*std::move(rewrite).finish()),
            "graph @g {\n"
            "  %x = input : tensor<2 x fixed<4,4>>\n"
            "  output %x\n"
            "}\n");
}

TEST(Rewrite, OutputsAreSetOnTheirOwn) {
  const graph::Graph graph = graph_of(Text);
  Rewrite rewrite(graph);
  rewrite.set_output(0, 2);
  const graph::Graph after = *std::move(rewrite).finish();
  EXPECT_EQ(after.op(after.outputs()[0]).name, "a");
  EXPECT_EQ(after.ops().size(), 3U);
}

TEST(Rewrite, CirclesAreOurFault) {
  const graph::Graph graph = graph_of(Text);
  Rewrite rewrite(graph);
  rewrite.forward(3, 2);
  EXPECT_THROW(rewrite.forward(2, 3), InternalError);
}

}  // namespace
}  // namespace millrace::passes
