// SPDX-License-Identifier: Apache-2.0
// Classifiers of MNIST that others trained: the exact network scores what they scored.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

#include "millrace/data/idx.h"
#include "millrace/emulator/emulator.h"
#include "millrace/frontends/keras/import.h"
#include "millrace/passes/lower.h"

namespace millrace::frontends::keras {
namespace {

namespace fs = std::filesystem;

const fs::path Shared = fs::path(MILLRACE_SOURCE_DIR) / "../shared";

/// The same network with a quantiser behind its input, and without the softmax at its end.
Result<graph::Graph> classifier(const graph::Graph& graph, const FixedType& input) {
  graph::Builder builder(graph.name());
  std::vector<graph::ValueId> values;
  for (const graph::Op& op : graph.ops()) {
    std::vector<graph::ValueId> operands;
    for (const graph::ValueId operand : op.operands)
      operands.push_back(values[static_cast<size_t>(operand)]);
    if (op.as<graph::Softmax>()) {
      values.push_back(operands.front());
      continue;
    }
    MR_TRY(graph::ValueId value, builder.add(op.name, op.kind, operands, op.where));
    if (op.as<graph::Input>() && !op.type.is_fixed()) {
      MR_TRY(value, builder.add("quantised", graph::Requantize{{input}}, {value}));
    }
    values.push_back(value);
  }
  for (const graph::ValueId output : graph.outputs())
    builder.output(values[static_cast<size_t>(output)]);
  return std::move(builder).finish();
}

/// The part of the 10,000 test images of MNIST that the exact network classifies rightly.
double accuracy(const fs::path& model) {
  const auto imported = import_keras(model);
  if (!imported)
    throw std::runtime_error(imported.error().to_string());
  const auto typed =
      classifier(*imported, FixedType{.is_signed = false, .width = 8, .frac_bits = 8});
  const auto exact = typed ? passes::lower(*typed) : typed;
  if (!exact)
    throw std::runtime_error(exact.error().to_string());
  const fs::path folder = Shared / "data/mnist";
  const auto images = data::read_idx_images(folder / "t10k-images-idx3-ubyte.gz").value();
  const auto labels = data::read_idx_labels(folder / "t10k-labels-idx1-ubyte.gz").value();
  const int64_t count = images.count;
  const FixedType type = exact->type(exact->inputs().front()).fixed();
  std::vector<int64_t> raw;
  for (int64_t i = 0; i < count * images.height * images.width; ++i) {
    constexpr double White = 255;
    const double pixel = images.pixels[static_cast<size_t>(i)] / White;
    raw.push_back(static_cast<int64_t>(requantize(pixel, Quantizer{type})));
  }
  const auto outputs = emulator::Emulator(*exact).run(raw);
  constexpr size_t Classes = 10;
  int64_t correct = 0;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const auto begin = outputs.begin() + static_cast<std::ptrdiff_t>(i * Classes);
    correct += std::max_element(begin, begin + Classes) - begin == labels[i] ? 1 : 0;
  }
  return static_cast<double>(correct) / static_cast<double>(count);
}

class KerasMnist : public ::testing::Test {
protected:
  void SetUp() override {
    if (!fs::exists(Shared / "models") || !fs::exists(Shared / "data/mnist"))
      GTEST_SKIP() << "no models or images at " << Shared;
  }
};

TEST_F(KerasMnist, TheQkerasNetworkScoresWhatItsAuthorsReport) {
  EXPECT_GE(accuracy(Shared / "models/keras/qkeras_mnist_cnn.json"), 0.988);
}

// HGQ trades accuracy for bits: a network of 3,750 parameters.
TEST_F(KerasMnist, TheHgqNetworkClassifies) {
  EXPECT_GE(accuracy(Shared / "models/keras/hgq_mnist_homogeneous.h5"), 0.957);
}

}  // namespace
}  // namespace millrace::frontends::keras
