// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <random>

#include "millrace/graph/accumulator.h"
#include "millrace/graph/text.h"
#include "millrace/passes/passes.h"
#include "millrace/reference/evaluate.h"

namespace millrace::passes {
namespace {

// Sums from 2.5 - 0.75 * 8 - ... to 2.5 + 1.25 * 8, in steps of 1/16.
std::string layer(const std::string& accumulator, const std::string& type) {
  return R"(
graph @g {
  %x = input : tensor<3 x fixed<6,4>>
  %w = constant {value = [3, -2, 5]} : tensor<3x1 x fixed<4,2>>
  %b = constant {value = [10]} : tensor<1 x ufixed<4,2>>
  %y = dense %x, %w, %b {accumulate = )" +
         type + ", " + accumulator + "} : tensor<1 x " + type + R"(>
  %q = requantize %y {rounding = RND, overflow = SAT} : tensor<1 x fixed<6,6>>
  output %q
}
)";
}

// What becomes of the layer: "exact", "wraps" or "stays"; its numbers stay the same.
std::string relaxed(const std::string& accumulator, const std::string& type) {
  const Graph before = graph::parse(layer(accumulator, type), "test").value();
  const Graph after = relax_accumulators(before).value();
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    std::vector<int64_t> x;
    for (int n = 0; n < 3; ++n)
      x.push_back(static_cast<int64_t>(random() % 64) - 32);
    EXPECT_EQ(reference::evaluate(before, {{{3}, x}}).at(0).data,
              reference::evaluate(after, {{{3}, x}}).at(0).data);
  }
  bool has_accumulator = false;
  int requantizes = 0;
  for (const graph::Op& op : after.ops()) {
    has_accumulator = has_accumulator || graph::accumulator_of(op);
    requantizes += op.as<graph::Requantize>() != nullptr;
  }
  return has_accumulator ? "stays" : requantizes == 2 ? "wraps" : "exact";
}

TEST(RelaxAccumulators, WideOnesAreExact) {
  EXPECT_EQ(relaxed("rounding = TRN, overflow = WRAP", "fixed<12,6>"), "exact");
  EXPECT_EQ(relaxed("rounding = TRN, overflow = SAT", "fixed<10,6>"), "exact");
  EXPECT_EQ(relaxed("rounding = RND, overflow = SAT_SYM", "fixed<12,7>"), "exact");
}

TEST(RelaxAccumulators, OnesThatOnlyWrapDoSoAtTheEnd) {
  EXPECT_EQ(relaxed("rounding = TRN, overflow = WRAP", "fixed<8,4>"), "wraps");
  EXPECT_EQ(relaxed("rounding = RND, overflow = WRAP", "ufixed<8,4>"), "wraps");
}

TEST(RelaxAccumulators, OnesThatLoseBitsStay) {
  EXPECT_EQ(relaxed("rounding = TRN, overflow = WRAP", "fixed<9,6>"), "stays");
  EXPECT_EQ(relaxed("rounding = TRN, overflow = SAT", "fixed<8,4>"), "stays");
  EXPECT_EQ(relaxed("rounding = TRN, overflow = WRAP_SM", "fixed<8,4>"), "stays");
}

// The sum of 1.5 x and -5 lies in the accumulator's range, the product alone does not.
TEST(RelaxAccumulators, AProductThatSaturatesOnItsOwnCounts) {
  const auto graph = graph::parse(R"(
graph @g {
  %x = input : tensor<1 x ufixed<3,3>>
  %w = constant {value = [1]} : tensor<1x1 x ufixed<1,1>>
  %b = constant {value = [-4]} : tensor<1 x fixed<3,3>>
  %y = dense %x, %w, %b {accumulate = fixed<3,3>, rounding = TRN, overflow = SAT} : tensor<1 x fixed<3,3>>
  output %y
}
)",
                                  "test");
  const Graph after = relax_accumulators(graph.value()).value();
  EXPECT_EQ(reference::evaluate(after, {{{1}, {7}}}).at(0).data, std::vector<int64_t>{-1});
}

std::string pool(const std::string& type, const std::string& accumulate) {
  return R"(
graph @g {
  %x = input : tensor<1x3x1 x fixed<6,4>>
  %y = avg_pool %x {kernel = [1, 3], stride = [1, 1], padding = [0, 0, 0, 0], include_padding = 0, )" +
         accumulate + "overflow = WRAP} : tensor<1x1x1 x " + type + R"(>
  output %y
}
)";
}

TEST(RelaxAccumulators, MeansOfExactSumsRoundTowardsZero) {
  const auto after = [](const std::string& type) {
    const auto graph = graph::parse(pool(type, "accumulate = 1, rounding = RND, "), "test");
    return graph::print(relax_accumulators(graph.value()).value());
  };
  EXPECT_EQ(after("fixed<8,6>"),
            graph::print(graph::parse(pool("fixed<8,6>", "rounding = TRN_ZERO, "), "t").value()));
  for (const char* type : {"fixed<7,5>", "fixed<8,7>"})
    EXPECT_EQ(
        after(type),
        graph::print(graph::parse(pool(type, "accumulate = 1, rounding = RND, "), "t").value()));
}

}  // namespace
}  // namespace millrace::passes
