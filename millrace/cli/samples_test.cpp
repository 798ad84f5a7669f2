// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/samples.h"

#include <cmath>
#include <gmock/gmock.h>
#include <numeric>

#include "millrace/cli/messages.h"

namespace millrace::cli {
namespace {

using ::testing::ElementsAre;

FloatTensor counting(Shape shape) {
  FloatTensor tensor{shape, std::vector<double>(static_cast<size_t>(num_elements(shape)))};
  std::iota(tensor.data.begin(), tensor.data.end(), 0);
  return tensor;
}

/// The samples of an array whose layout is found by its shape.
Result<Samples> arranged(const FloatTensor& array, const Shape& input) {
  MR_TRY(const Layout layout, find_layout(array.shape, input, "x.npy"));
  MR_TRY(Samples samples, arrange_samples(array, port_of(input, layout), "x.npy"));
  samples.layout = layout;
  return samples;
}

std::string problem(const FloatTensor& array, const Shape& input) {
  const auto samples = arranged(array, input);
  return samples ? "nothing" : samples.error().code;
}

TEST(Samples, MapsAreFoundWithChannelsLastOrFirst) {
  const Shape input = {1, 2, 3};
  const auto last = arranged(counting({2, 1, 2, 3}), input);
  ASSERT_TRUE(last) << last.error().to_string();
  EXPECT_EQ(last->count, 2);
  EXPECT_EQ(last->layout, Layout::ChannelsLast);
  EXPECT_THAT(last->sample(1), ElementsAre(6, 7, 8, 9, 10, 11));
  const auto first = arranged(counting({2, 3, 1, 2}), input);
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(first->layout, Layout::ChannelsFirst);
  EXPECT_THAT(first->sample(0), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(first->sample(1), ElementsAre(6, 8, 10, 7, 9, 11));
}

TEST(Samples, OneSampleNeedsNoExtentOfItsOwn) {
  const auto map = arranged(counting({3, 1, 2}), {1, 2, 3});
  ASSERT_TRUE(map) << map.error().to_string();
  EXPECT_EQ(map->count, 1);
  EXPECT_FALSE(map->is_batch);
  const auto vector = arrange_samples(counting({4}), port_of({4}, Layout::ChannelsFirst), "x.npy");
  ASSERT_TRUE(vector) << vector.error().to_string();
  EXPECT_THAT(vector->values, ElementsAre(0, 1, 2, 3));
}

TEST(Samples, OutputsAreArrangedLikeInputs) {
  const auto first = arranged(counting({1, 3, 1, 2}), {1, 2, 3});
  ASSERT_TRUE(first) << first.error().to_string();
  const auto again = arrange_outputs(first->values, port_of({1, 2, 3}, *first->layout), *first);
  EXPECT_EQ(again, counting({1, 3, 1, 2}));
  const auto vector =
      arrange_outputs(std::vector<int64_t>{7, 8}, port_of({2}, *first->layout), *first);
  EXPECT_EQ(vector, (IntTensor{{1, 2}, {7, 8}}));
}

TEST(Samples, AMapOfOneChannelIsTheSameInBothLayouts) {
  for (const Shape& shape :
       {Shape{2, 3, 1}, Shape{1, 2, 3}, Shape{5, 1, 2, 3}, Shape{5, 2, 3, 1}}) {
    const auto samples = arranged(counting(shape), {2, 3, 1});
    ASSERT_TRUE(samples) << samples.error().to_string();
    EXPECT_EQ(samples->values, counting(shape).data);
    EXPECT_EQ(arrange_outputs(samples->values, port_of({2, 3, 1}, *samples->layout), *samples),
              counting(shape));
  }
}

// ONNX's 1xCxHxW is HxWxC in the graph, whatever the extents.
TEST(Samples, OfAnOnnxModelAreAsTheModelHasThem) {
  const frontends::PortLayout port{"x", {1, 3, 3, 3}, {2, 3, 1}};
  const auto batch = arrange_samples(counting({2, 3, 3, 3}), port, "x.npy");
  ASSERT_TRUE(batch) << batch.error().to_string();
  EXPECT_EQ(batch->count, 2);
  EXPECT_EQ(batch->values[0], 0);
  EXPECT_EQ(batch->values[1], 9);
  EXPECT_EQ(batch->values[3], 1);
  EXPECT_EQ(batch->values[27], 27);
  EXPECT_EQ(arrange_outputs(batch->values, port, *batch), counting({2, 3, 3, 3}));
  const auto one = arrange_samples(counting({3, 3, 3}), port, "x.npy");
  ASSERT_TRUE(one) << one.error().to_string();
  EXPECT_EQ(arrange_outputs(one->values, port, *one), counting({3, 3, 3}));
  EXPECT_FALSE(arrange_samples(counting({2, 3, 3, 2}), port, "x.npy"));
}

TEST(Samples, SequencesAreMapsOfOneRow) {
  for (const Shape& shape : {Shape{3, 4, 2}, Shape{3, 1, 4, 2}})
    EXPECT_EQ(as_maps(shape, {1, 4, 2}), (Shape{3, 1, 4, 2}));
  EXPECT_EQ(as_maps({4, 2}, {1, 4, 2}), (Shape{1, 4, 2}));
  EXPECT_EQ(as_maps({1, 4, 2}, {1, 4, 2}), (Shape{1, 1, 4, 2}));
  EXPECT_EQ(as_maps({3, 4, 2}, {3, 4, 2}), (Shape{3, 4, 2}));
  EXPECT_EQ(as_maps({3, 8}, {8}), (Shape{3, 8}));
}

TEST(Samples, AreRefused) {
  EXPECT_EQ(problem(counting({2, 5}), {4}), messages::SampleShape.code);
  EXPECT_EQ(problem(counting({0, 4}), {4}), messages::SampleShape.code);
  EXPECT_EQ(problem(counting({5, 3, 3, 3}), {3, 3, 3}), messages::SampleLayout.code);
  EXPECT_EQ(problem({{2}, {1, NAN}}, {2}), messages::SampleNotFinite.code);
  EXPECT_FALSE(
      arrange_samples(counting({1, 2, 3}), port_of({1, 2, 3}, Layout::ChannelsFirst), "x"));
  EXPECT_TRUE(
      arrange_samples(counting({5, 3, 3, 3}), port_of({3, 3, 3}, Layout::ChannelsFirst), "x"));
  EXPECT_EQ(read_samples("x.txt", {}, 0, {}).error().code, messages::SampleFile.code);
}

}  // namespace
}  // namespace millrace::cli
