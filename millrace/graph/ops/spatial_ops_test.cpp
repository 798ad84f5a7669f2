// SPDX-License-Identifier: Apache-2.0
// Result types of the operations on maps that compute with windows or move elements; tests/errors
// has one text for each constraint that is broken.
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

// The result type of an operation on inputs and constants of these types, or the error's code.
class Inference {
public:
  Inference& input(Shape shape, std::optional<FixedType> element) {
    operands_.push_back(*builder_.add("x", Input{{std::move(shape), element}}));
    return *this;
  }
  Inference& constant(Shape shape, std::vector<int64_t> raw, const FixedType& type) {
    operands_.push_back(*builder_.constant("c", IntTensor{std::move(shape), std::move(raw)}, type));
    return *this;
  }
  // Weights that are known only by their type.
  Inference& requantized(Shape shape, const FixedType& type) {
    const auto size = static_cast<size_t>(num_elements(shape));
    const ValueId zeros =
        *builder_.constant("zeros", FloatTensor{std::move(shape), std::vector<double>(size)});
    operands_.push_back(*builder_.add("x", Requantize{{type}}, {zeros}));
    return *this;
  }
  std::string of(OpKind kind) {
    const auto value = builder_.add("y", std::move(kind), operands_);
    return value ? builder_.type(*value).to_string() : value.error().code;
  }

private:
  Builder builder_{"net"};
  std::vector<ValueId> operands_;
};

// The type of an operation on one map.
std::string on_map(OpKind kind, std::optional<FixedType> element = fixed(9, 4)) {
  return Inference().input({5, 8, 3}, element).of(std::move(kind));
}

TEST(Window, DilationSpreadsTheKernel) {
  const Window window{.kernel_h = 3, .kernel_w = 2, .dilation_h = 2, .dilation_w = 4};
  EXPECT_EQ(window.extent_h(), 5);
  EXPECT_EQ(window.extent_w(), 5);
  EXPECT_TRUE(window.is_dilated());
  EXPECT_EQ(window.out_height(9), 5);
  EXPECT_EQ(window.out_width(4), 0);
}

TEST(Window, PaddingsAreLessThanTheExtent) {
  Window window{.kernel_h = 3, .pad_top = 4, .pad_bottom = 4, .dilation_h = 2};
  EXPECT_TRUE(window.is_valid());
  window.pad_bottom = 5;
  EXPECT_FALSE(window.is_valid());
  EXPECT_FALSE((Window{.dilation_w = 0}).is_valid());
  EXPECT_FALSE((Window{.kernel_w = 1 << 27, .dilation_w = 1 << 27}).is_valid());
  EXPECT_TRUE((Window{.kernel_w = 2, .dilation_w = (1 << 28) - 1}).is_valid());
  EXPECT_FALSE((Window{.kernel_w = 2, .dilation_w = 1 << 28}).is_valid());
}

TEST(Window, ReachesTheMapUnlessItStepsOverIt) {
  // The plain definition: some tap of each position lies inside.
  const auto reaches = [](const Window& w, int64_t height) {
    for (int64_t r = 0; r < w.out_height(height); ++r) {
      bool inside = false;
      for (int64_t i = 0; i < w.kernel_h; ++i) {
        const int64_t row = r * w.stride_h + i * w.dilation_h - w.pad_top;
        inside = inside || (row >= 0 && row < height);
      }
      if (!inside)
        return false;
    }
    return true;
  };
  int stepped_over = 0;
  for (int64_t kernel = 1; kernel <= 4; ++kernel)
    for (int64_t dilation = 1; dilation <= 5; ++dilation)
      for (int64_t stride = 1; stride <= 3; ++stride)
        for (int64_t height = 1; height <= 6; ++height)
          for (int64_t top = 0; top < (kernel - 1) * dilation + 1; ++top)
            for (int64_t bottom = 0; bottom < (kernel - 1) * dilation + 1; ++bottom) {
              const Window window{.kernel_h = kernel,
                                  .stride_h = stride,
                                  .pad_top = top,
                                  .pad_bottom = bottom,
                                  .dilation_h = dilation};
              ASSERT_TRUE(window.is_valid());
              ASSERT_EQ(window.reaches_map(height, 1), reaches(window, height))
                  << kernel << dilation << stride << height << top << bottom;
              stepped_over += !reaches(window, height);
            }
  EXPECT_GT(stepped_over, 100);
}

TEST(SpatialConv2D, GroupsAndDilationShapeTheResult) {
  const Window window{.kernel_h = 2, .kernel_w = 3, .dilation_h = 3, .dilation_w = 2};
  const auto type = [&](int64_t groups, int64_t channels, int64_t filters) {
    return Inference()
        .input({5, 8, 6}, std::nullopt)
        .requantized({2, 3, channels, filters}, fixed(2, 2))
        .requantized({filters}, fixed(2, 2))
        .of(Conv2D{window, groups});
  };
  EXPECT_EQ(type(1, 6, 4), "tensor<2x4x4 x real>");
  EXPECT_EQ(type(2, 3, 4), "tensor<2x4x4 x real>");
  EXPECT_EQ(type(6, 1, 12), "tensor<2x4x12 x real>");
  EXPECT_EQ(type(6, 1, 8), messages::Conv2DC6.code);
  EXPECT_EQ(type(4, 1, 4), messages::Conv2DC6.code);
  EXPECT_EQ(type(-1, 6, 4), messages::Conv2DC6.code);
  EXPECT_EQ(type(2, 6, 4), messages::Conv2DC2.code);
}

TEST(SpatialConv2D, AGroupsSumsAddItsChannelsOnly) {
  const auto type = [](int64_t groups, int64_t channels) {
    const auto num_weights = static_cast<size_t>(channels * 4);
    return Inference()
        .input({1, 1, 4}, ufixed(4, 4))
        .constant({1, 1, channels, 4}, std::vector<int64_t>(num_weights, 1), fixed(2, 2))
        .constant({4}, {0, 0, 0, 0}, fixed(1, 1))
        .of(Conv2D{{}, groups});
  };
  EXPECT_EQ(type(1, 4), "tensor<1x1x4 x ufixed<6,6>>");  // up to 60
  EXPECT_EQ(type(2, 2), "tensor<1x1x4 x ufixed<5,5>>");
  EXPECT_EQ(type(4, 1), "tensor<1x1x4 x ufixed<4,4>>");
}

ConvTranspose2D transposed(int64_t kernel, int64_t stride, int64_t before = 0, int64_t behind = 0) {
  return {.kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = before,
          .pad_left = before,
          .pad_bottom = behind,
          .pad_right = behind};
}

TEST(ConvTranspose2D, ShapeFollowsKernelStrideAndPadding) {
  const auto type = [](const ConvTranspose2D& conv) {
    return Inference()
        .input({5, 8, 3}, std::nullopt)
        .requantized({conv.kernel_h, conv.kernel_w, 3, 4}, fixed(2, 2))
        .input({4}, std::nullopt)
        .of(conv);
  };
  EXPECT_EQ(type(transposed(1, 1)), "tensor<5x8x4 x real>");
  EXPECT_EQ(type(transposed(3, 1)), "tensor<7x10x4 x real>");
  EXPECT_EQ(type(transposed(2, 2)), "tensor<10x16x4 x real>");
  EXPECT_EQ(type(transposed(3, 2, 1, 1)), "tensor<9x15x4 x real>");
  EXPECT_EQ(type(transposed(3, 2, 1, 0)), "tensor<10x16x4 x real>");
  EXPECT_EQ(type(transposed(2, 3, 0, -1)), "tensor<15x24x4 x real>");
  EXPECT_EQ(type(transposed(2, 3, 0, -2)), "tensor<16x25x4 x real>");
  EXPECT_EQ(type(transposed(2, 3, 0, -3)), messages::ConvTranspose2DC3.code);
  EXPECT_EQ(type(transposed(2, 3, -1, 0)), messages::ConvTranspose2DC3.code);
  EXPECT_EQ(type(transposed(2, 3, 2, 0)), messages::ConvTranspose2DC3.code);
  EXPECT_EQ(type(transposed(2, 3, 0, 2)), messages::ConvTranspose2DC3.code);
}

TEST(ConvTranspose2D, OnlyTapsAStrideApartAddUp) {
  // Along the only row, x in [0, 15]: taps 1 and 4 meet, 2 is alone.
  const auto type = [](int64_t stride, int64_t left, int64_t right, std::vector<int64_t> weights) {
    const auto kernel = std::ssize(weights);
    return Inference()
        .input({1, 6, 1}, ufixed(4, 4))
        .constant({1, kernel, 1, 1}, std::move(weights), fixed(10, 10))
        .constant({1}, {0}, fixed(1, 1))
        .of(ConvTranspose2D{
            .kernel_w = kernel, .stride_w = stride, .pad_left = left, .pad_right = right});
  };
  EXPECT_EQ(type(1, 0, 0, {1, 2, 4}), "tensor<1x8x1 x ufixed<7,7>>");   // 7 * 15 = 105
  EXPECT_EQ(type(2, 0, 0, {1, 2, 4}), "tensor<1x13x1 x ufixed<7,7>>");  // 5 * 15 = 75
  EXPECT_EQ(type(2, 0, 0, {1, 9, 4}), "tensor<1x13x1 x ufixed<8,8>>");  // 9 * 15 = 135
  EXPECT_EQ(type(3, 0, 0, {1, 2, 4}), "tensor<1x18x1 x ufixed<6,6>>");  // 4 * 15 = 60
  EXPECT_EQ(type(3, 0, 0, {1, -2, 4}), "tensor<1x18x1 x fixed<7,7>>");
  EXPECT_EQ(type(5, 0, 0, {1, 2}), "tensor<1x27x1 x ufixed<5,5>>");
}

TEST(ConvTranspose2D, TapsThatPaddingCutsOffDoNotCount) {
  // One pixel is left, under the middle tap of a single input: but as for conv2d the map's edges
  // do not count, only which taps lie a stride apart.
  EXPECT_EQ(Inference()
                .input({1, 1, 1}, ufixed(4, 4))
                .constant({1, 3, 1, 1}, {100, 2, 100}, fixed(10, 10))
                .constant({1}, {0}, fixed(1, 1))
                .of(ConvTranspose2D{.kernel_w = 3, .stride_w = 3, .pad_left = 1, .pad_right = 1}),
            "tensor<1x1x1 x ufixed<5,5>>");
}

TEST(ConvTranspose2D, WeightsThatAreNotConstantTakeTheirTypesRange) {
  // Kernel 3, stride 2: at most 2 x 2 taps of 3 channels meet; 12 * 3 * 15 = 540.
  const auto type = [](const ConvTranspose2D& conv) {
    return Inference()
        .input({4, 4, 3}, ufixed(4, 4))
        .requantized({3, 3, 3, 2}, ufixed(2, 2))
        .requantized({2}, ufixed(1, 1))
        .of(conv);
  };
  EXPECT_EQ(type(transposed(3, 2)), "tensor<9x9x2 x ufixed<10,10>>");
  EXPECT_EQ(type(transposed(3, 1)), "tensor<6x6x2 x ufixed<11,11>>");  // 27 * 45 + 1 = 1216
  EXPECT_EQ(type(transposed(3, 4)), "tensor<15x15x2 x ufixed<8,8>>");  // 3 * 45 + 1 = 136
}

TEST(AvgPool, IsRealWithoutAQuantiser) {
  const Window window{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  EXPECT_EQ(on_map(AvgPool{window}), "tensor<2x4x3 x real>");
  EXPECT_EQ(on_map(AvgPool{window}, std::nullopt), "tensor<2x4x3 x real>");
  EXPECT_EQ(on_map(AvgPool{window, true, Quantizer{ufixed(5, 1)}}), "tensor<2x4x3 x ufixed<5,1>>");
  EXPECT_EQ(on_map(AvgPool{window, true, Quantizer{ufixed(5, 1)}}, std::nullopt),
            messages::AvgPoolC5.code);
}

TEST(AvgPool, AccumulatesInTheQuantisersType) {
  const Window window{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  EXPECT_EQ(on_map(AvgPool{window, true, Quantizer{ufixed(5, 1)}, true}),
            "tensor<2x4x3 x ufixed<5,1>>");
  EXPECT_EQ(on_map(AvgPool{window, true, {}, true}), messages::AvgPoolC6.code);
  EXPECT_EQ(on_map(AvgPool{window, true, Quantizer{ufixed(50, 1)}, true}),
            messages::AvgPoolC6.code);
}

TEST(AvgPool, KernelsHaveALimit) {
  EXPECT_EQ(on_map(AvgPool{{.kernel_h = 1 << 15, .kernel_w = 1 << 14}}), messages::AvgPoolC2.code);
  EXPECT_EQ(on_map(AvgPool{{.kernel_h = 1 << 14, .kernel_w = 1 << 14}}), messages::AvgPoolC3.code);
}

TEST(Concat, HoldsEveryOperandExactly) {
  const auto type = [](FixedType a, FixedType b) {
    return Inference().input({5, 8, 3}, a).input({5, 8, 1}, b).of(Concat{});
  };
  EXPECT_EQ(type(fixed(9, 4), fixed(9, 4)), "tensor<5x8x4 x fixed<9,4>>");
  EXPECT_EQ(type(ufixed(9, 4), ufixed(3, 1)), "tensor<5x8x4 x ufixed<9,4>>");
  EXPECT_EQ(type(ufixed(8, 8), fixed(8, 4)), "tensor<5x8x4 x fixed<13,9>>");
  EXPECT_EQ(type(ufixed(4, 8), ufixed(4, -2)), "tensor<5x8x4 x ufixed<14,8>>");
  EXPECT_EQ(type(ufixed(1, 32), ufixed(1, -30)), "tensor<5x8x4 x ufixed<63,32>>");
  EXPECT_EQ(type(ufixed(1, 32), ufixed(1, -31)), messages::ConcatC2.code);
  EXPECT_EQ(type(ufixed(1, 32), fixed(1, -30)), "tensor<5x8x4 x fixed<64,33>>");
  EXPECT_EQ(type(fixed(1, 1000), fixed(1, -1000)), messages::ConcatC2.code);
}

TEST(Concat, TakesMapsOrVectorsThatFit) {
  const auto type = [](std::vector<Shape> shapes) {
    Inference inference;
    for (Shape& shape : shapes)
      inference.input(std::move(shape), std::nullopt);
    return inference.of(Concat{});
  };
  EXPECT_EQ(type({{4}, {2}, {1}}), "tensor<7 x real>");
  EXPECT_EQ(type({{2, 3, 4}, {2, 3, 1}}), "tensor<2x3x5 x real>");
  EXPECT_EQ(type({{2, 3, 4}, {2, 2, 4}}), messages::ConcatC1.code);
  EXPECT_EQ(type({{2, 3, 4}, {1, 3, 4}}), messages::ConcatC1.code);
  EXPECT_EQ(type({{2, 3, 4}, {4}}), messages::ConcatC1.code);
  EXPECT_EQ(type({{4}}), messages::ConcatC1.code);
  EXPECT_EQ(type({}), messages::ConcatC1.code);
  EXPECT_EQ(Inference().input({3}, fixed(2, 2)).input({1}, std::nullopt).of(Concat{}),
            "tensor<4 x real>");
}

TEST(Moves, KeepTheElementType) {
  EXPECT_EQ(on_map(Upsample{2, 3}), "tensor<10x24x3 x fixed<9,4>>");
  EXPECT_EQ(on_map(Pad{1, 2, 3, 4}), "tensor<9x14x3 x fixed<9,4>>");
  EXPECT_EQ(on_map(Slice{{1, 2, 0}, {4, 1, 2}}), "tensor<4x1x2 x fixed<9,4>>");
  EXPECT_EQ(on_map(Reshape{{12, 10}}), "tensor<12x10 x fixed<9,4>>");
  EXPECT_EQ(on_map(Reshape{{120}}, std::nullopt), "tensor<120 x real>");
  EXPECT_EQ(on_map(Transpose{{2, 0, 1}}), "tensor<3x5x8 x fixed<9,4>>");
  EXPECT_EQ(Inference().input({9}, ufixed(3, 3)).of(Slice{{2}, {7}}), "tensor<7 x ufixed<3,3>>");
}

TEST(Moves, NumbersOutOfRangeAreRefused) {
  EXPECT_EQ(on_map(Upsample{0, 1}), messages::UpsampleC2.code);
  EXPECT_EQ(on_map(Upsample{1, int64_t{1} << 40}), messages::UpsampleC2.code);
  EXPECT_EQ(on_map(Upsample{1 << 28, 1 << 28}), messages::TensorC2.code);
  EXPECT_EQ(on_map(Pad{0, -1, 0, 0}), messages::PadC2.code);
  EXPECT_EQ(on_map(Pad{INT64_MAX, 0, INT64_MAX, 0}), messages::PadC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0, 0}, {6, 1, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 8, 0}, {1, 1, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0, -1}, {1, 1, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0, 1}, {1, 1, INT64_MAX}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0, 0}, {1, 0, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0}, {1, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Slice{{0, 0, 0}, {1, 1}}), messages::SliceC2.code);
  EXPECT_EQ(on_map(Reshape{{}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Reshape{{60}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Reshape{{120, 2}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Reshape{{0, 120}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Reshape{{-1, -120}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Reshape{{2, 2, 5, 6}}), messages::ReshapeC2.code);
  EXPECT_EQ(on_map(Transpose{{0, 1, 1}}), messages::TransposeC2.code);
  EXPECT_EQ(on_map(Transpose{{0, 1, 3}}), messages::TransposeC2.code);
}

}  // namespace
}  // namespace millrace::graph
