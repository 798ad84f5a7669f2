// SPDX-License-Identifier: Apache-2.0
// Images a second through the letter network: emulator and reference.
#include "millrace/emulator/emulator.h"

#include <benchmark/benchmark.h>
#include <random>

#include "millrace/reference/evaluate.h"

namespace millrace {
namespace {

using graph::Builder;
using graph::ValueId;
using graph::Window;

constexpr FixedType WeightType{true, 9, 4};
constexpr FixedType ValueType{false, 9, 4};

/// The letter network with random 9-bit weights, up to its logit.
class LetterNetwork {
public:
  graph::Graph make() {
    value_ = builder_.add("image", graph::Input{{{28, 28, 1}, FixedType{false, 8, 8}}}).value();
    for (int layer = 0; layer < 2; ++layer) {
      const int64_t channels = builder_.type(value_).shape[2];
      add(graph::Conv2D{Window{.kernel_h = 3, .kernel_w = 3}}, {3, 3, channels, 4});
      activate();
      value_ =
          builder_
              .add("pool",
                   graph::MaxPool{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}},
                   {value_})
              .value();
    }
    value_ = builder_.add("flat", graph::Flatten{}, {value_}).value();
    add(graph::Dense{}, {100, 8});
    activate();
    add(graph::Dense{}, {8, 1});
    builder_.output(value_);
    return std::move(builder_).finish().value();
  }

private:
  IntTensor random_weights(const Shape& shape) {
    std::uniform_int_distribution<int64_t> any(-60, 60);
    IntTensor raw{shape, {}};
    for (int64_t i = 0; i < num_elements(shape); ++i)
      raw.data.push_back(any(random_));
    return raw;
  }
  void add(const graph::OpKind& kind, const Shape& weight_shape) {
    const ValueId w = builder_.constant("w", random_weights(weight_shape), WeightType).value();
    const ValueId b =
        builder_.constant("b", random_weights({weight_shape.back()}), WeightType).value();
    value_ = builder_.add("sum", kind, {value_, w, b}).value();
  }
  void activate() {
    value_ = builder_.add("relu", graph::Relu{}, {value_}).value();
    const graph::Requantize to{{ValueType, Rounding::HalfEven, Overflow::Saturate}};
    value_ = builder_.add("q", to, {value_}).value();
  }

  std::mt19937_64 random_{1};
  Builder builder_{"letters"};
  ValueId value_ = 0;
};

std::vector<int64_t> random_images(int64_t count) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<int64_t> grey(0, 255);
  std::vector<int64_t> images(static_cast<size_t>(count * 28 * 28));
  for (int64_t& pixel : images)
    pixel = grey(random);
  return images;
}

void emulate_letters(benchmark::State& state) {
  const emulator::Emulator emulator(LetterNetwork().make());
  const std::vector<int64_t> images = random_images(state.range(0));
  for (auto _ : state)
    benchmark::DoNotOptimize(emulator.run(images));
  state.counters["images"] = benchmark::Counter(
      static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}
BENCHMARK(emulate_letters)->Arg(1)->Arg(1000)->Arg(20000)->MeasureProcessCPUTime()->UseRealTime();

void evaluate_letters(benchmark::State& state) {
  const graph::Graph graph = LetterNetwork().make();
  const IntTensor image{{28, 28, 1}, random_images(1)};
  for (auto _ : state)
    benchmark::DoNotOptimize(reference::evaluate(graph, {image}));
  state.counters["images"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(evaluate_letters);

}  // namespace
}  // namespace millrace
