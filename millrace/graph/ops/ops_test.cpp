// SPDX-License-Identifier: Apache-2.0
// Result types of operations that keep their constraints; tests/errors has one text for each
// constraint that is broken.
#include <gtest/gtest.h>

#include "millrace/graph/graph.h"
#include "millrace/graph/messages.h"

namespace millrace::graph {
namespace {

constexpr FixedType fixed(int width, int int_bits) {
  return {.is_signed = true, .width = width, .frac_bits = width - int_bits};
}
constexpr FixedType ufixed(int width, int int_bits) {
  return {.is_signed = false, .width = width, .frac_bits = width - int_bits};
}

// The result type of an operation on inputs and constants of these types.
class Inference {
public:
  Inference& input(Shape shape, std::optional<FixedType> element) {
    const bool is_input = shape.size() == 1 || shape.size() == 3;
    const TensorType type{std::move(shape), element};
    if (is_input)
      operands_.push_back(*builder_.add("x", Input{type}));
    else if (element)
      operands_.push_back(*builder_.add("x", Requantize{{*element}}, {zeros(type.shape)}));
    else
      operands_.push_back(zeros(type.shape));
    return *this;
  }
  Inference& constant(Shape shape, std::vector<int64_t> raw, const FixedType& type) {
    operands_.push_back(*builder_.constant("c", IntTensor{std::move(shape), std::move(raw)}, type));
    return *this;
  }
  std::string of(OpKind kind) {
    const auto value = builder_.add("y", std::move(kind), operands_);
    return value ? builder_.type(*value).to_string() : value.error().code;
  }

private:
  ValueId zeros(const Shape& shape) {
    const auto size = static_cast<size_t>(num_elements(shape));
    return *builder_.constant("zeros", FloatTensor{shape, std::vector<double>(size)});
  }

  Builder builder_{"net"};
  std::vector<ValueId> operands_;
};

Conv2D conv(int64_t kernel, int64_t stride = 1, int64_t pad = 0) {
  return {{kernel, kernel, stride, stride, pad, pad, pad, pad}};
}

TEST(Conv2D, ShapeFollowsKernelStrideAndPadding) {
  const auto shape = [](int64_t kernel, int64_t stride, int64_t pad) {
    return Inference()
        .input({9, 7, 2}, std::nullopt)
        .input({kernel, kernel, 2, 5}, std::nullopt)
        .input({5}, std::nullopt)
        .of(conv(kernel, stride, pad));
  };
  EXPECT_EQ(shape(3, 1, 0), "tensor<7x5x5 x real>");
  EXPECT_EQ(shape(3, 1, 1), "tensor<9x7x5 x real>");
  EXPECT_EQ(shape(3, 2, 1), "tensor<5x4x5 x real>");
  EXPECT_EQ(shape(4, 3, 0), "tensor<2x2x5 x real>");
  EXPECT_EQ(shape(7, 1, 0), "tensor<3x1x5 x real>");
}

TEST(Conv2D, ResultIsTheNarrowestForConstantWeights) {
  // x in [0, 255]; sums in [-255, 510] + 1.
  EXPECT_EQ(Inference()
                .input({4, 4, 1}, ufixed(8, 8))
                .constant({1, 3, 1, 1}, {1, -1, 1}, fixed(9, 9))
                .constant({1}, {1}, fixed(2, 2))
                .of(Conv2D{{1, 3}}),
            "tensor<4x2x1 x fixed<10,10>>");
  // One more in the bias passes 511.
  EXPECT_EQ(Inference()
                .input({4, 4, 1}, ufixed(8, 8))
                .constant({1, 3, 1, 1}, {1, -1, 1}, fixed(9, 9))
                .constant({1}, {2}, fixed(3, 3))
                .of(Conv2D{{1, 3}}),
            "tensor<4x2x1 x fixed<11,11>>");
}

TEST(Conv2D, ResultIsUnsignedWhenNoSumIsNegative) {
  EXPECT_EQ(Inference()
                .input({4, 4, 1}, ufixed(8, 8))
                .constant({1, 1, 1, 2}, {1, 0}, fixed(9, 9))
                .constant({2}, {0, 7}, fixed(5, 5))
                .of(Conv2D{{1, 1}}),
            "tensor<4x4x2 x ufixed<8,8>>");
}

TEST(Conv2D, WeightsThatAreNotConstantTakeTheirTypesRange) {
  // 9 taps of [-2, 1.75] * [0, 3.75] and a bias of [-2, 1.75]: [-69.5, 60.8125] in sixteenths.
  EXPECT_EQ(Inference()
                .input({4, 4, 1}, ufixed(4, 2))
                .input({3, 3, 1, 2}, fixed(4, 2))
                .input({2}, fixed(4, 2))
                .of(conv(3)),
            "tensor<2x2x2 x fixed<12,8>>");
}

TEST(Conv2D, AnyRealOperandMakesTheResultReal) {
  EXPECT_EQ(Inference()
                .input({4, 4, 1}, ufixed(4, 2))
                .input({3, 3, 1, 2}, fixed(4, 2))
                .input({2}, std::nullopt)
                .of(conv(3)),
            "tensor<2x2x2 x real>");
}

TEST(Conv2D, FractionBitsAreTheLargestOfProductsAndBias) {
  EXPECT_EQ(Inference()
                .input({1, 1, 1}, fixed(4, 2))
                .constant({1, 1, 1, 1}, {1}, fixed(4, 1))
                .constant({1}, {0}, fixed(9, 1))
                .of(conv(1)),
            "tensor<1x1x1 x fixed<7,-1>>");
}

TEST(Dense, SumsBeyondSixtyFourBitsAreRefused) {
  const auto type = [](int width, bool is_signed, std::vector<int64_t> weights) {
    return Inference()
        .input({2}, FixedType{is_signed, width, 0})
        .constant({2, 1}, std::move(weights), fixed(64, 64))
        .constant({1}, {0}, fixed(1, 1))
        .of(Dense{});
  };
  EXPECT_EQ(type(63, true, {1, -1}), "tensor<1 x fixed<64,64>>");
  EXPECT_EQ(type(63, false, {0, 1}), "tensor<1 x ufixed<63,63>>");
  EXPECT_EQ(type(63, false, {-1, 1}), "tensor<1 x fixed<64,64>>");
  EXPECT_EQ(type(63, false, {1, 1}), messages::DenseC3.code);  // 64 bits, unsigned
  EXPECT_EQ(type(64, true, {INT64_MIN, INT64_MIN}), messages::DenseC3.code);
}

TEST(Dense, ManyWidestProductsDoNotOverflowTheCheckItself) {
  Inference inference;
  const auto count = int64_t{1} << 12;
  EXPECT_EQ(inference.input({count}, fixed(64, 64))
                .constant({count, 1}, std::vector<int64_t>(count, INT64_MIN), fixed(64, 64))
                .constant({1}, {0}, fixed(1, 1))
                .of(Dense{}),
            messages::DenseC3.code);
  EXPECT_EQ(Inference()
                .input({1 << 20}, fixed(64, 64))
                .input({1 << 20, 1}, fixed(64, 64))
                .constant({1}, {0}, fixed(1, 1))
                .of(Dense{}),
            messages::DenseC3.code);
}

TEST(Dense, AWideBiasIsRefusedAfterAlignment) {
  const auto type = [](int int_bits) {
    return Inference()
        .input({1}, fixed(4, 4))
        .constant({1, 1}, {1}, fixed(2, 2))
        .constant({1}, {INT64_MIN}, fixed(64, int_bits))
        .of(Dense{});
  };
  EXPECT_EQ(type(63), messages::DenseC3.code);
  EXPECT_EQ(type(64), messages::DenseC3.code);
  EXPECT_EQ(type(1000), messages::DenseC3.code);
}

TEST(Dense, EachBiasCountsWhereWeightsAreNotConstant) {
  EXPECT_EQ(Inference()
                .input({1}, ufixed(4, 4))
                .input({1, 3}, ufixed(1, 1))
                .constant({3}, {0, -100, 100}, fixed(8, 8))
                .of(Dense{}),
            "tensor<3 x fixed<8,8>>");
}

TEST(Dense, AZeroBiasWithManyFractionBitsOnlyAddsZeros) {
  EXPECT_EQ(Inference()
                .input({1}, fixed(4, 4))
                .constant({1, 1}, {1}, fixed(2, 2))
                .constant({1}, {0}, fixed(1, -999))
                .of(Dense{}),
            messages::DenseC3.code);
  EXPECT_EQ(Inference()
                .input({1}, fixed(4, 4))
                .constant({1, 1}, {0}, fixed(2, 2))
                .constant({1}, {1}, FixedType{true, 2, 1000})
                .of(Dense{}),
            "tensor<1 x ufixed<1,-999>>");
}

TEST(Affine, ChannelsHaveTheirOwnRanges) {
  EXPECT_EQ(Inference()
                .input({5, 5, 2}, fixed(4, 4))
                .constant({2}, {2, -2}, fixed(4, 3))
                .constant({2}, {-1, 0}, fixed(4, 4))
                .of(Affine{}),
            "tensor<5x5x2 x fixed<6,5>>");
}

TEST(Relu, DropsTheSignBit) {
  EXPECT_EQ(Inference().input({3}, fixed(9, 4)).of(Relu{}), "tensor<3 x ufixed<8,3>>");
  EXPECT_EQ(Inference().input({3}, ufixed(9, 4)).of(Relu{}), "tensor<3 x ufixed<9,4>>");
  EXPECT_EQ(Inference().input({3}, fixed(1, 1)).of(Relu{}), "tensor<3 x ufixed<1,1>>");
  EXPECT_EQ(Inference().input({3}, std::nullopt).of(Relu{}), "tensor<3 x real>");
}

TEST(MaxPool, KeepsTheElementType) {
  EXPECT_EQ(Inference().input({5, 8, 3}, fixed(9, 4)).of(MaxPool{{2, 2, 2, 2}}),
            "tensor<2x4x3 x fixed<9,4>>");
  EXPECT_EQ(Inference().input({5, 8, 3}, std::nullopt).of(MaxPool{{3, 3, 2, 2, 1, 1, 1, 1}}),
            "tensor<3x4x3 x real>");
}

TEST(Flatten, MultipliesTheExtents) {
  EXPECT_EQ(Inference().input({5, 8, 3}, fixed(9, 4)).of(Flatten{}), "tensor<120 x fixed<9,4>>");
  EXPECT_EQ(Inference().input({5}, fixed(9, 4)).of(Flatten{}), "tensor<5 x fixed<9,4>>");
}

TEST(Unary, IsReal) {
  EXPECT_EQ(Inference().input({5}, fixed(9, 4)).of(Unary{}), "tensor<5 x real>");
}

TEST(Table, TakesUpToSixteenBits) {
  const auto type = [](int width) {
    return Inference()
        .input({5}, fixed(width, 4))
        .of(Table{fixed(3, 1), std::vector<int64_t>(size_t{1} << width)});
  };
  EXPECT_EQ(type(1), "tensor<5 x fixed<3,1>>");
  EXPECT_EQ(type(16), "tensor<5 x fixed<3,1>>");
  EXPECT_EQ(type(17), messages::TableC1.code);
}

TEST(TensorType, InvalidTypesAreRefusedWhereverTheyComeFrom) {
  const auto requantized = [](FixedType type) {
    return Inference().input({5}, fixed(9, 4)).of(Requantize{{type}});
  };
  EXPECT_EQ(requantized(fixed(64, 64)), "tensor<5 x fixed<64,64>>");
  EXPECT_EQ(requantized(ufixed(63, 64)), "tensor<5 x ufixed<63,64>>");
  for (const FixedType type : {ufixed(64, 64), fixed(0, 0), fixed(65, 65), fixed(-1, 0),
                               fixed(8, 1033), fixed(8, -1017)}) {
    EXPECT_EQ(requantized(type), messages::TensorC1.code) << type.to_string();
    EXPECT_EQ(Inference().input({5}, fixed(2, 2)).of(Table{type, {0, 0, 0, 0}}),
              messages::TensorC1.code);
    EXPECT_EQ(Inference().of(Constant{{{1}, type}, std::vector<int64_t>{0}}),
              messages::TensorC1.code);
    EXPECT_EQ(Inference().of(Input{{{1}, type}}), messages::TensorC1.code);
  }
  EXPECT_EQ(Inference().of(Constant{{{}, std::nullopt}, std::vector<double>{0}}),
            messages::TensorC2.code);
}

}  // namespace
}  // namespace millrace::graph
