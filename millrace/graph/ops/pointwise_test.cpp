// SPDX-License-Identifier: Apache-2.0
// Result types of the operations that work element by element or along the channels.
#include <gtest/gtest.h>

#include "millrace/graph/graph.h"
#include "millrace/graph/ops/broadcast.h"

namespace millrace::graph {
namespace {

constexpr FixedType fixed(int width, int int_bits) {
  return {.is_signed = true, .width = width, .frac_bits = width - int_bits};
}
constexpr FixedType ufixed(int width, int int_bits) {
  return {.is_signed = false, .width = width, .frac_bits = width - int_bits};
}

// The element type of an operation on vectors of three of these types, or of the constants.
class Inference {
public:
  Inference& input(std::optional<FixedType> element) {
    operands_.push_back(*builder_.add("x", Input{{{3}, element}}));
    return *this;
  }
  Inference& constant(std::vector<int64_t> raw, const FixedType& type) {
    const Shape shape = {std::ssize(raw)};
    operands_.push_back(*builder_.constant("c", IntTensor{shape, std::move(raw)}, type));
    return *this;
  }
  std::string of(OpKind kind) {
    const auto value = builder_.add("y", std::move(kind), operands_);
    if (!value)
      return value.error().code;
    const TensorType& type = builder_.type(*value);
    return type.is_fixed() ? type.fixed().to_string() : "real";
  }

private:
  Builder builder_{"net"};
  std::vector<ValueId> operands_;
};

TEST(Broadcast, FindsTheElementThatMeetsAnother) {
  const auto indices = [](const Shape& x, const Shape& b) {
    std::string text;
    const auto found = broadcast(x, b);
    for (int64_t i = 0; found && i < num_elements(x); ++i)
      text += std::to_string(found->index(static_cast<size_t>(i)));
    return text;
  };
  EXPECT_EQ(indices({2, 1, 3}, {2, 1, 3}), "012345");
  EXPECT_EQ(indices({2, 1, 3}, {3}), "012012");
  EXPECT_EQ(indices({2, 1, 3}, {1}), "000000");
  EXPECT_EQ(indices({2, 1, 3}, {2, 1, 1}), "000111");
  EXPECT_EQ(indices({3}, {1}), "000");
  EXPECT_EQ(indices({2, 1, 3}, {2}), "");
  EXPECT_EQ(indices({2, 1, 3}, {1, 1, 3}), "");
  EXPECT_EQ(indices({3}, {2, 1, 3}), "");
}

TEST(Binary, SumsHoldBothEnds) {
  EXPECT_EQ(Inference().input(ufixed(4, 4)).input(ufixed(4, 4)).of(Add{}), "ufixed<5,5>");
  EXPECT_EQ(Inference().input(fixed(4, 4)).input(fixed(4, 2)).of(Add{}), "fixed<7,5>");
  EXPECT_EQ(Inference().input(ufixed(4, 4)).input(ufixed(4, 4)).of(Sub{}), "fixed<5,5>");
}

TEST(Binary, ConstantsCountByTheirValues) {
  EXPECT_EQ(Inference().input(ufixed(4, 4)).constant({0, 0, 1}, fixed(8, 8)).of(Add{}),
            "ufixed<5,5>");
  EXPECT_EQ(Inference().input(ufixed(4, 4)).constant({0}, fixed(8, 8)).of(Add{}), "ufixed<4,4>");
  EXPECT_EQ(Inference().input(ufixed(4, 4)).constant({-2, 1, 0}, fixed(8, 8)).of(Mul{}),
            "fixed<6,6>");
  EXPECT_EQ(Inference().input(fixed(8, 8)).constant({7}, fixed(8, 8)).of(Minimum{}), "fixed<8,8>");
  EXPECT_EQ(Inference().input(ufixed(8, 8)).constant({7}, fixed(8, 8)).of(Minimum{}),
            "ufixed<3,3>");
  EXPECT_EQ(Inference().input(fixed(8, 8)).constant({7}, fixed(8, 8)).of(Maximum{}), "ufixed<7,7>");
}

TEST(Binary, ProductsAddTheFractionBitsUp) {
  EXPECT_EQ(Inference().input(ufixed(4, 2)).input(fixed(4, 2)).of(Mul{}), "fixed<8,4>");
  EXPECT_EQ(Inference().input(fixed(4, 2)).input(fixed(4, 2)).of(Mul{}), "fixed<8,4>");
}

TEST(Binary, OneRealOperandMakesTheResultReal) {
  EXPECT_EQ(Inference().input(ufixed(4, 2)).input(std::nullopt).of(Mul{}), "real");
  EXPECT_EQ(Inference().input(std::nullopt).input(ufixed(4, 2)).of(Maximum{}), "real");
}

TEST(Binary, ResultsBeyond64BitsAreRefused) {
  EXPECT_EQ(Inference().input(fixed(64, 64)).input(fixed(63, 63)).of(Add{}), "graph.binary_c2");
  EXPECT_EQ(Inference().input(fixed(8, 8)).input(fixed(8, -100)).of(Maximum{}), "graph.binary_c2");
  EXPECT_EQ(Inference().input(fixed(33, 8)).input(fixed(32, 8)).of(Mul{}), "graph.binary_c2");
  EXPECT_EQ(Inference().input(fixed(32, 8)).input(fixed(32, 8)).of(Mul{}), "fixed<64,16>");
}

TEST(Prelu, HoldsBothBranches) {
  // -16..15 and -0.25 * -16 = 4 at most.
  EXPECT_EQ(Inference().input(fixed(5, 5)).constant({-1}, fixed(2, 0)).of(Prelu{}), "ufixed<6,4>");
  EXPECT_EQ(Inference().input(fixed(5, 5)).constant({1}, ufixed(2, 0)).of(Prelu{}), "fixed<7,5>");
  EXPECT_EQ(Inference().input(fixed(5, 5)).constant({2, 3, 4}, ufixed(3, 3)).of(Prelu{}),
            "fixed<7,7>");
  EXPECT_EQ(Inference().input(ufixed(5, 5)).constant({1}, ufixed(2, 2)).of(Prelu{}), "ufixed<5,5>");
  EXPECT_EQ(Inference().input(fixed(5, 5)).constant({2}, ufixed(2, 8)).of(Prelu{}), "fixed<12,12>");
  EXPECT_EQ(Inference().input(fixed(5, 5)).input(std::nullopt).of(Prelu{}), "real");
}

TEST(Exact, ResultTypesAreTheNarrowest) {
  const auto element = [](const OpKind& kind, const FixedType& x) {
    return Inference().input(x).of(kind);
  };
  EXPECT_EQ(element(Abs{}, fixed(4, 2)), "ufixed<4,2>");
  EXPECT_EQ(element(Abs{}, ufixed(4, 2)), "ufixed<4,2>");
  EXPECT_EQ(element(Negate{}, fixed(4, 2)), "fixed<5,3>");
  EXPECT_EQ(element(Negate{}, ufixed(4, 2)), "fixed<5,3>");
  EXPECT_EQ(element(Sign{}, fixed(4, 2)), "fixed<2,2>");
  EXPECT_EQ(element(Sign{}, ufixed(4, 2)), "ufixed<1,1>");
  EXPECT_EQ(element(Sign{}, fixed(1, 2)), "fixed<1,1>");
  EXPECT_EQ(element(Binarize{}, fixed(4, 2)), "fixed<2,2>");
  EXPECT_EQ(element(Binarize{}, ufixed(4, 2)), "ufixed<1,1>");
  EXPECT_EQ(element(Square{}, fixed(4, 2)), "ufixed<7,3>");
  EXPECT_EQ(element(Abs{}, fixed(64, 2)), "graph.exact_c2");
  EXPECT_EQ(element(Square{}, fixed(33, 2)), "graph.exact_c2");
  EXPECT_EQ(Inference().input(std::nullopt).of(Abs{}), "real");
}

TEST(Reduce, SumsGrowAndMaximaDoNot) {
  EXPECT_EQ(Inference().input(ufixed(4, 2)).of(Reduce{ReduceFunction::Sum}), "ufixed<6,4>");
  EXPECT_EQ(Inference().input(fixed(4, 2)).of(Reduce{ReduceFunction::Sum}), "fixed<6,4>");
  EXPECT_EQ(Inference().input(fixed(4, 2)).of(Reduce{ReduceFunction::Max}), "fixed<4,2>");
  EXPECT_EQ(Inference().input(fixed(63, 2)).of(Reduce{ReduceFunction::Sum}), "graph.reduce_c2");
}

TEST(TopK, GivesChannels) {
  EXPECT_EQ(Inference().input(fixed(4, 2)).of(TopK{2}), "ufixed<2,2>");
  EXPECT_EQ(Inference().constant({5}, fixed(4, 4)).of(TopK{}), "ufixed<1,1>");
}

TEST(Softmax, IsReal) {
  EXPECT_EQ(Inference().input(fixed(4, 2)).of(Softmax{}), "real");
}

TEST(Unary, EveryFunctionHasAName) {
  for (int i = 0; i < NumUnaryFunctions; ++i) {
    const auto function = static_cast<UnaryFunction>(i);
    EXPECT_EQ(parse_unary_function(to_string(function)), function);
  }
  EXPECT_FALSE(parse_unary_function("pow"));
}

TEST(Unary, ParametersAreOnlyForFunctionsThatHaveThem) {
  const auto code = [](UnaryFunction function, std::optional<double> alpha,
                       std::optional<double> beta) {
    return Inference().input(std::nullopt).of(Unary{function, alpha, beta});
  };
  EXPECT_EQ(code(UnaryFunction::HardSigmoid, 0.25, -0.0), "real");
  EXPECT_EQ(code(UnaryFunction::Elu, 0x1p30, std::nullopt), "real");
  EXPECT_EQ(code(UnaryFunction::Elu, 0x1.1p30, std::nullopt), "graph.unary_c2");
  EXPECT_EQ(code(UnaryFunction::Elu, 1e-300, std::nullopt), "graph.unary_c2");
  EXPECT_EQ(code(UnaryFunction::Elu, 1, 1), "graph.unary_c2");
  EXPECT_EQ(code(UnaryFunction::Tanh, 1, std::nullopt), "graph.unary_c2");
  EXPECT_EQ(code(UnaryFunction::HardTanh, 2, std::nullopt), "graph.unary_c2");
}

TEST(Requantize, HasTheTypeThatItsTypesHaveInCommon) {
  const auto type = [](const FixedType& to, std::vector<FixedType> types) {
    return Inference().input(fixed(9, 4)).of(Requantize{{to}, std::move(types)});
  };
  EXPECT_EQ(type(fixed(6, 4), {ufixed(5, 3), fixed(3, 4), fixed(2, 2)}), "fixed<6,4>");
  EXPECT_EQ(type(fixed(7, 4), {ufixed(5, 3), fixed(3, 4), fixed(2, 2)}), "graph.requantize_c3");
  EXPECT_EQ(type(fixed(6, 4), {ufixed(5, 3), fixed(3, 4)}), "graph.requantize_c2");
  EXPECT_EQ(type(fixed(64, 4), {fixed(2, 100), fixed(3, 4), fixed(2, 2)}), "graph.requantize_c3");
  EXPECT_FALSE(common_type({}));
}

}  // namespace
}  // namespace millrace::graph
