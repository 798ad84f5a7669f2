// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/graph/messages.h"
#include "millrace/support/check.h"

namespace millrace::graph {

struct GraphTestAccess {
  static std::vector<Op>& ops(Graph& graph) { return graph.ops_; }
  static std::vector<ValueId>& outputs(Graph& graph) { return graph.outputs_; }
  static std::string& name(Graph& graph) { return graph.name_; }
};

namespace {

using testing::ElementsAre;

constexpr FixedType Byte = {.is_signed = false, .width = 8, .frac_bits = 0};

Graph two_relus() {
  Builder builder("net");
  const ValueId x = *builder.add("x", Input{{{4}, Byte}});
  const ValueId a = *builder.add("a", Relu{}, {x});
  const ValueId b = *builder.add("b", Relu{}, {a});
  builder.output(b);
  return *std::move(builder).finish();
}

TEST(Builder, InvalidNamesAreMadeValid) {
  Builder builder("1st net");
  const ValueId x = *builder.add("/conv1/Conv:0", Input{{{4}, Byte}});
  EXPECT_EQ(builder.op(x).name, "_conv1_Conv_0");
  const ValueId y = *builder.add("", Relu{}, {x});
  EXPECT_EQ(builder.op(y).name, "_");
  builder.output(y);
  EXPECT_EQ(std::move(builder).finish()->name(), "_1st_net");
}

TEST(Builder, TakenNamesGetASuffix) {
  Builder builder("net");
  ValueId x = *builder.add("x", Input{{{4}, Byte}});
  x = *builder.add("x", Relu{}, {x});
  EXPECT_EQ(builder.op(x).name, "x_1");
  x = *builder.add("x_1", Relu{}, {x});
  EXPECT_EQ(builder.op(x).name, "x_1_1");
  x = *builder.add("x", Relu{}, {x});
  EXPECT_EQ(builder.op(x).name, "x_2");
}

TEST(Builder, LongNamesStayValidWhenTheyAreTaken) {
  Builder builder("net");
  const std::string name(300, 'n');
  ValueId x = *builder.add(name, Input{{{4}, Byte}});
  for (int i = 0; i < 20; ++i) {
    x = *builder.add(name, Relu{}, {x});
    EXPECT_TRUE(is_valid_name(builder.op(x).name));
  }
  const std::string longest(200, 'm');
  x = *builder.add(longest, Relu{}, {x});
  EXPECT_EQ(builder.op(x).name, longest);
  x = *builder.add(longest, Relu{}, {x});
  EXPECT_TRUE(is_valid_name(builder.op(x).name));
}

TEST(Builder, FinishDropsWhatNoOutputNeedsAndKeepsInputs) {
  Builder builder("net");
  const ValueId unused = *builder.add("unused", Input{{{4}, Byte}});
  const ValueId x = *builder.add("x", Input{{{4}, Byte}});
  ASSERT_TRUE(builder.add("dead", Relu{}, {unused}));
  const ValueId y = *builder.add("y", Relu{}, {x});
  builder.output(y);
  const Graph graph = *std::move(builder).finish();
  ASSERT_EQ(graph.ops().size(), 3U);
  EXPECT_EQ(graph.op(2).name, "y");
  EXPECT_THAT(graph.op(2).operands, ElementsAre(1));
  EXPECT_THAT(graph.outputs(), ElementsAre(2));
  EXPECT_THAT(graph.inputs(), ElementsAre(0, 1));
}

TEST(Builder, AGraphNeedsInputsAndOutputs) {
  Builder no_output("net");
  ASSERT_TRUE(no_output.add("x", Input{{{4}, Byte}}));
  EXPECT_EQ(std::move(no_output).finish().error().code, messages::NoOutput.code);
  Builder no_input("net");
  no_input.output(*no_input.constant("c", IntTensor{{1}, {0}}, Byte));
  EXPECT_EQ(std::move(no_input).finish().error().code, messages::NoInput.code);
}

TEST(Builder, DiagnosticsSayWhereTheUserWroteTheOperation) {
  Builder builder("net");
  EXPECT_EQ(builder.add("q", Relu{}).error().where, "%q");
  EXPECT_EQ(builder.add("q", Relu{}, {}, "net.onnx: node 'q'").error().where, "net.onnx: node 'q'");
}

TEST(Builder, OperandsOfAnotherBuilderAreOurFault) {
  Builder builder("net");
  EXPECT_THROW((void)builder.add("y", Relu{}, {0}), InternalError);
  EXPECT_THROW(builder.output(0), InternalError);
}

TEST(Graph, UsersAreListedOnceEach) {
  Builder builder("net");
  const ValueId x = *builder.add("x", Input{{{4}, Byte}});
  const ValueId y = *builder.add("y", Affine{}, {x, x, x});
  const ValueId z = *builder.add("z", Relu{}, {x});
  builder.output(y);
  builder.output(z);
  const Graph graph = *std::move(builder).finish();
  EXPECT_THAT(graph.users(), ElementsAre(ElementsAre(1, 2), ElementsAre(), ElementsAre()));
}

TEST(Graph, IsExactWhenEveryValueIsFixed) {
  EXPECT_TRUE(two_relus().is_exact());
  Builder builder("net");
  builder.output(*builder.add("x", Input{{{4}, std::nullopt}}));
  EXPECT_FALSE(std::move(builder).finish()->is_exact());
}

TEST(Graph, EqualityIgnoresWhereOnly) {
  Graph moved = two_relus();
  GraphTestAccess::ops(moved)[1].where = "elsewhere";
  EXPECT_EQ(moved, two_relus());
  Graph renamed = two_relus();
  GraphTestAccess::ops(renamed)[1].name = "c";
  EXPECT_FALSE(renamed == two_relus());
  Graph rewired = two_relus();
  GraphTestAccess::ops(rewired)[2].operands = {0};
  EXPECT_FALSE(rewired == two_relus());
  Graph another_output = two_relus();
  GraphTestAccess::outputs(another_output) = {1};
  EXPECT_FALSE(another_output == two_relus());
}

std::string code_of(const Graph& graph) {
  const Status status = verify(graph);
  return status ? "" : status.error().code;
}

TEST(Verify, AcceptsWhatTheBuilderMakes) {
  EXPECT_EQ(code_of(two_relus()), "");
}

TEST(Verify, RefusesBadNames) {
  Graph taken = two_relus();
  GraphTestAccess::ops(taken)[2].name = "a";
  EXPECT_EQ(code_of(taken), messages::BadName.code);
  Graph invalid = two_relus();
  GraphTestAccess::ops(invalid)[2].name = "a b";
  EXPECT_EQ(code_of(invalid), messages::BadName.code);
  Graph nameless = two_relus();
  GraphTestAccess::name(nameless) = "";
  EXPECT_EQ(code_of(nameless), messages::BadName.code);
}

TEST(Verify, RefusesUsesBeforeDefinitions) {
  for (ValueId operand : {-1, 1, 2, 3}) {
    Graph graph = two_relus();
    GraphTestAccess::ops(graph)[1].operands = {operand};
    EXPECT_EQ(code_of(graph), messages::BadReference.code) << operand;
  }
  for (ValueId output : {-1, 3}) {
    Graph graph = two_relus();
    GraphTestAccess::outputs(graph) = {output};
    EXPECT_EQ(code_of(graph), messages::BadReference.code) << output;
  }
}

TEST(Verify, RefusesTypesThatDoNotFollow) {
  Graph graph = two_relus();
  GraphTestAccess::ops(graph)[2].type.element->width = 7;
  EXPECT_EQ(code_of(graph), messages::TypeDiffers.code);
}

TEST(Verify, RefusesBrokenConstraints) {
  Graph graph = two_relus();
  GraphTestAccess::ops(graph)[2].operands = {0, 1};
  EXPECT_EQ(code_of(graph), messages::ReluC1.code);
}

TEST(Verify, RefusesGraphsWithoutInputsOrOutputs) {
  Graph graph = two_relus();
  GraphTestAccess::outputs(graph).clear();
  EXPECT_EQ(code_of(graph), messages::NoOutput.code);
  GraphTestAccess::ops(graph).clear();
  EXPECT_EQ(code_of(graph), messages::NoInput.code);
}

}  // namespace
}  // namespace millrace::graph
