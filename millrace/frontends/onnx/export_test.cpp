// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/export.h"

#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <random>

#include "millrace/frontends/onnx/import.h"
#include "millrace/frontends/onnx/messages.h"
#include "millrace/graph/text.h"
#include "millrace/passes/lower.h"
#include "millrace/reference/evaluate.h"

namespace millrace::frontends::onnx {
namespace {

using graph::Graph;
using ::testing::HasSubstr;

Graph parsed(const std::string& text) {
  auto graph = graph::parse(text);
  if (!graph)
    throw std::runtime_error(graph.error().to_string());
  return *std::move(graph);
}

std::string exported(const Graph& graph) {
  const auto bytes = export_onnx(graph);
  return bytes ? *bytes : throw std::runtime_error(bytes.error().to_string());
}

Graph reimported(const Graph& graph) {
  auto again = import_onnx_bytes(exported(graph), "again.onnx");
  if (!again)
    throw std::runtime_error(again.error().to_string());
  return *std::move(again);
}

/// The outputs of a graph, lowered, for a given image.
IntTensor results(const Graph& graph, const IntTensor& image) {
  const auto exact = passes::lower(graph);
  if (!exact)
    throw std::runtime_error(exact.error().to_string());
  return reference::evaluate(*exact, {image}).at(0);
}

IntTensor random_image(const graph::TensorType& type, unsigned seed) {
  std::mt19937_64 random(seed);
  const auto values = static_cast<uint64_t>(type.fixed().max_raw() - type.fixed().min_raw()) + 1;
  IntTensor image{type.shape, {}};
  for (int64_t i = 0; i < num_elements(type.shape); ++i)
    image.data.push_back(static_cast<int64_t>(type.fixed().min_raw()) +
                         static_cast<int64_t>(random() % values));
  return image;
}

// What the trainer writes, on a smaller map.
const std::string Network = R"(graph @letters {
  %image = input : tensor<6x5x1 x ufixed<8,0>>
  %conv1.w = constant {value = [0.1, -0.25, 3, 0.7, 0.5, 0.25, -0.75, 1]} : tensor<2x2x1x2 x real>
  %conv1.wq = requantize %conv1.w {rounding = RND_CONV, overflow = SAT} : tensor<2x2x1x2 x fixed<9,5>>
  %conv1.b = constant {value = [0.0625, -2]} : tensor<2 x real>
  %conv1.bq = requantize %conv1.b {rounding = RND_CONV, overflow = SAT_SYM} : tensor<2 x fixed<9,5>>
  %conv1 = conv2d %image, %conv1.wq, %conv1.bq {kernel = [2, 2], stride = [1, 1], padding = [1, 0, 0, 1]} : tensor<6x5x2 x fixed<20,8>>
  %relu1 = relu %conv1 : tensor<6x5x2 x ufixed<19,7>>
  %act1 = requantize %relu1 {rounding = TRN, overflow = SAT} : tensor<6x5x2 x ufixed<9,4>>
  %pool1 = max_pool %act1 {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<3x2x2 x ufixed<9,4>>
  %flat = flatten %pool1 : tensor<12 x ufixed<9,4>>
  %act2 = requantize %flat {rounding = RND_INF, overflow = SAT} : tensor<12 x ufixed<8,4>>
  %fc.w = constant {value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]} : tensor<12x1 x real>
  %fc.wq = requantize %fc.w {rounding = RND_CONV, overflow = SAT} : tensor<12x1 x fixed<9,5>>
  %fc.bias = constant {value = [0]} : tensor<1 x ufixed<1,-7>>
  %fc = dense %act2, %fc.wq, %fc.bias : tensor<1 x fixed<21,13>>
  %logit = requantize %fc {rounding = RND_ZERO, overflow = SAT} : tensor<1 x fixed<9,5>>
  %score = unary %logit {function = sigmoid} : tensor<1 x real>
  %probability = requantize %score {rounding = RND_CONV, overflow = SAT} : tensor<1 x ufixed<8,0>>
  output %probability
}
)";

TEST(OnnxExport, ImportedNetworksComeBackAsTheyWere) {
  EXPECT_EQ(graph::print(reimported(parsed(Network))), Network);
}

TEST(OnnxExport, TheSameGraphGivesTheSameBytes) {
  EXPECT_EQ(exported(parsed(Network)), exported(parsed(Network)));
}

TEST(OnnxExport, ModelsPassOnnxsOwnChecker) {
  ::onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(exported(parsed(Network))));
  EXPECT_NO_THROW(::onnx::checker::check_model(model));
  EXPECT_EQ(model.ir_version(), 8);
}

TEST(OnnxExport, GroupsAndDilationsAreAttributesWhereTheyAreNotOne) {
  const auto attributes = [](const std::string& more, const std::string& shape) {
    ::onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(
        exported(parsed("graph @g {\n%x = input : tensor<4x4x2 x real>\n"
                        "%w = constant {value = [1, 2, 3, 4]} : tensor<2x1x1x2 x real>\n"
                        "%b = constant {value = [1, 2]} : tensor<2 x real>\n"
                        "%y = conv2d %x, %w, %b {kernel = [2, 1], stride = [1, 1], "
                        "padding = [0, 0, 0, 0], " +
                        more + "} : tensor<" + shape + " x real>\noutput %y\n}"))));
    EXPECT_NO_THROW(::onnx::checker::check_model(model));
    std::string text;
    for (const auto& node : model.graph().node())
      for (const auto& attribute : node.attribute())
        if (attribute.name() == "group")
          text += "group " + std::to_string(attribute.i()) + ";";
        else if (attribute.name() == "dilations")
          text += fmt::format("dilations {};", fmt::join(attribute.ints(), " "));
    return text;
  };
  EXPECT_EQ(attributes("groups = 2", "3x4x2"), "group 2;");
  EXPECT_EQ(attributes("dilation = [3, 1], groups = 2", "1x4x2"), "dilations 3 1;group 2;");
}

TEST(OnnxExport, RealNetworksComeBackAsTheyWere) {
  const std::string text = R"(graph @float {
  %x = input : tensor<2x3x2 x real>
  %w = constant {value = [0.1, -0.25, 3.5, 1e-05]} : tensor<1x1x2x2 x real>
  %b = constant {value = [1, 2]} : tensor<2 x real>
  %conv = conv2d %x, %w, %b {kernel = [1, 1], stride = [2, 1], padding = [0, 0, 0, 0]} : tensor<1x3x2 x real>
  %s = constant {value = [0.75, 1.5]} : tensor<2 x real>
  %o = constant {value = [-2, 0.125]} : tensor<2 x real>
  %norm = affine %conv, %s, %o : tensor<1x3x2 x real>
  %relu = relu %norm : tensor<1x3x2 x real>
  %flat = flatten %relu : tensor<6 x real>
  %s2 = constant {value = [1, 2, 3, 4, 5, 6]} : tensor<6 x real>
  %o2 = constant {value = [7, 8, 9, 10, 11, 12]} : tensor<6 x real>
  %norm2 = affine %flat, %s2, %o2 : tensor<6 x real>
  %w2 = constant {value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]} : tensor<6x2 x real>
  %fc.bias = constant {value = [0, 0]} : tensor<2 x real>
  %fc = dense %norm2, %w2, %fc.bias : tensor<2 x real>
  output %fc
}
)";
  EXPECT_EQ(graph::print(reimported(parsed(text))), text);
}

TEST(OnnxExport, FixedConstantsComeBackWithAQuantiserAndTheSameResults) {
  const Graph graph = parsed(R"(graph @fixed {
  %x = input : tensor<2x2x2 x fixed<4,2>>
  %w = constant {value = [3, -4, 0, 1]} : tensor<1x1x2x2 x fixed<3,1>>
  %b = constant {value = [5, -6]} : tensor<2 x fixed<5,2>>
  %conv = conv2d %x, %w, %b {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<2x2x2 x fixed<7,3>>
  output %conv
})");
  const Graph again = reimported(graph);
  EXPECT_THAT(graph::print(again), HasSubstr("%w.real = constant {value = [0.75, -1, 0, 0.25]}"));
  EXPECT_THAT(graph::print(again), HasSubstr("%w = requantize %w.real"));
  for (unsigned seed = 0; seed < 20; ++seed) {
    const IntTensor image = random_image(graph.ops()[0].type, seed);
    EXPECT_EQ(results(again, image), results(graph, image));
  }
}

TEST(OnnxExport, SharedWeightsAreWrittenOnceForEachLayout) {
  const std::string text = R"(graph @shared {
  %x = input : tensor<1x2x2 x real>
  %flat = flatten %x : tensor<4 x real>
  %w = constant {value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]} : tensor<4x4 x real>
  %fc1.bias = constant {value = [0, 0, 0, 0]} : tensor<4 x real>
  %fc1 = dense %flat, %w, %fc1.bias : tensor<4 x real>
  %fc2.bias = constant {value = [0, 0, 0, 0]} : tensor<4 x real>
  %fc2 = dense %fc1, %w, %fc2.bias : tensor<4 x real>
  %fc3.bias = constant {value = [0, 0, 0, 0]} : tensor<4 x real>
  %fc3 = dense %fc2, %w, %fc3.bias : tensor<4 x real>
  output %fc3
}
)";
  std::string expected = text;
  // The first layer reads rows in CHW order, the others as they are.
  expected.insert(expected.find("  %fc2.bias"),
                  "  %w_1 = constant {value = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "
                  "16]} : tensor<4x4 x real>\n");
  for (const std::string layer : {"%fc1", "%fc2"})
    expected.replace(expected.find("dense " + layer + ", %w,"), 14, "dense " + layer + ", %w_1");
  EXPECT_EQ(graph::print(reimported(parsed(text))), expected);
}

// Only where the importer would take two operations for one.
TEST(OnnxExport, AnIdentityStandsBeforeASumWithAConstantOnly) {
  const auto identities = [](const std::string& addend) {
    ::onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(
        exported(parsed("graph @g {\n%x = input : tensor<2 x real>\n"
                        "%w = constant {value = [1, 2, 3, 4]} : tensor<2x2 x real>\n"
                        "%f.bias = constant {value = [0, 0]} : tensor<2 x real>\n"
                        "%f = dense %x, %w, %f.bias : tensor<2 x real>\n"
                        "%c = constant {value = [1, 2]} : tensor<2 x real>\n%y = add %f, " +
                        addend + " : tensor<2 x real>\noutput %y\n}"))));
    return std::ranges::count(model.graph().node(), "Identity",
                              [](const auto& node) { return node.op_type(); });
  };
  EXPECT_EQ(identities("%c"), 1);
  EXPECT_EQ(identities("%x"), 0);
}

// Numbers beyond float32 are written as float64: nothing is rounded on the way.
TEST(OnnxExport, WideWeightsAreWrittenWithoutLoss) {
  const Graph graph = parsed(R"(graph @wide {
  %x = input : tensor<1 x fixed<2,2>>
  %w = constant {value = [1099511627777]} : tensor<1x1 x fixed<42,42>>
  %fc.bias = constant {value = [0]} : tensor<1 x ufixed<1,1>>
  %fc = dense %x, %w, %fc.bias : tensor<1 x fixed<43,43>>
  output %fc
})");
  const IntTensor image{{1}, {-2}};
  EXPECT_EQ(results(reimported(graph), image).data, std::vector<int64_t>{-2199023255554});
}

TEST(OnnxExport, UnsignedSymmetricSaturationIsPlainSaturation) {
  const Graph graph = parsed(R"(graph @g {
  %x = input : tensor<1 x fixed<6,4>>
  %q = requantize %x {rounding = RND_CONV, overflow = SAT_SYM} : tensor<1 x ufixed<2,2>>
  output %q
})");
  for (int64_t raw = -32; raw < 32; ++raw)
    EXPECT_EQ(results(reimported(graph), {{1}, {raw}}), results(graph, {{1}, {raw}}));
}

/// A random network as the importer would make it, from a seed.
class RandomNetwork {
public:
  explicit RandomNetwork(unsigned seed) : random_(seed) {}

  Graph build() {
    const graph::TensorType type{{4 + below(4), 4 + below(4), 1 + below(3)}, element(false)};
    graph::ValueId x = builder_.add("image", graph::Input{type}).value();
    for (int64_t i = 0, layers = 1 + below(3); i < layers; ++i)
      x = activation(convolution(x));
    x = builder_.add("flat", graph::Flatten{}, {x}).value();
    for (int64_t i = 0, layers = 1 + below(2); i < layers; ++i)
      x = activation(dense(x));
    builder_.output(x);
    return std::move(builder_).finish().value();
  }

private:
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }
  FixedType element(bool is_signed) {
    return {.is_signed = is_signed,
            .width = 2 + static_cast<int>(below(7)),
            .frac_bits = static_cast<int>(below(9)) - 2};
  }
  Quantizer quantizer(bool is_signed) {
    constexpr std::array Roundings = {Rounding::HalfEven, Rounding::Floor, Rounding::TowardsZero,
                                      Rounding::HalfAwayFromZero, Rounding::HalfTowardsZero};
    const bool is_narrow = is_signed && below(2) == 0;
    return {element(is_signed), Roundings[static_cast<size_t>(below(Roundings.size()))],
            is_narrow ? Overflow::SaturateSymmetric : Overflow::Saturate};
  }
  graph::ValueId parameter(const Shape& shape) {
    FloatTensor value{shape, {}};
    for (int64_t i = 0; i < num_elements(shape); ++i)
      value.data.push_back(static_cast<float>(static_cast<double>(below(2000)) / 300 - 3.3));
    const auto id = builder_.constant("w", std::move(value)).value();
    return builder_.add("wq", graph::Requantize{quantizer(true)}, {id}).value();
  }
  graph::ValueId convolution(graph::ValueId x) {
    const Shape shape = builder_.type(x).shape;
    graph::Window window{.kernel_h = 1 + below(3), .kernel_w = 1 + below(3)};
    window.stride_h = 1 + below(2);
    window.stride_w = 1 + below(2);
    window.pad_top = below(window.kernel_h);
    window.pad_bottom = window.kernel_h - 1 - window.pad_top;
    window.pad_left = below(window.kernel_w);
    window.pad_right = window.kernel_w - 1 - window.pad_left;
    const int64_t filters = 1 + below(3);
    const auto w = parameter({window.kernel_h, window.kernel_w, shape[2], filters});
    const auto b = parameter({filters});
    const auto y = builder_.add("conv", graph::Conv2D{window}, {x, w, b}).value();
    window.stride_h = window.stride_w = 1;
    return below(2) ? y : builder_.add("pool", graph::MaxPool{window}, {y}).value();
  }
  graph::ValueId dense(graph::ValueId x) {
    const int64_t outputs = 1 + below(4);
    const auto w = parameter({builder_.type(x).shape[0], outputs});
    const auto b = parameter({outputs});
    return builder_.add("fc", graph::Dense{}, {x, w, b}).value();
  }
  graph::ValueId activation(graph::ValueId x) {
    const bool is_relu = below(2) == 0;
    if (is_relu)
      x = builder_.add("relu", graph::Relu{}, {x}).value();
    return builder_.add("act", graph::Requantize{quantizer(!is_relu)}, {x}).value();
  }

  std::mt19937_64 random_;
  graph::Builder builder_{"random"};
};

TEST(OnnxExport, RandomNetworksComeBackAsTheyWere) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Graph graph = RandomNetwork(seed).build();
    const Graph again = reimported(graph);
    ASSERT_EQ(graph::print(again), graph::print(graph)) << seed;
    const IntTensor image = random_image(graph.ops()[0].type, seed);
    ASSERT_EQ(results(again, image), results(graph, image)) << seed;
  }
}

// A quantiser that counts steps, and the factor behind it, are one Quant.
TEST(OnnxExport, StepsAreWrittenAsScales) {
  const Graph graph = parsed(
      "graph @g {\n"
      "  %x = input : tensor<2x2x2 x fixed<8,4>>\n"
      "  %q = requantize %x {rounding = RND_CONV, overflow = SAT, steps = [0.3]} : tensor<2x2x2 x "
      "fixed<4,4>>\n"
      "  %s = constant {value = [0.3]} : tensor<1 x real>\n"
      "  %y = mul %q, %s : tensor<2x2x2 x real>\n"
      "  %z = requantize %y {rounding = RND_CONV, overflow = SAT} : tensor<2x2x2 x fixed<6,3>>\n"
      "  output %z\n}\n");
  const Graph again = reimported(graph);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const IntTensor image = random_image(graph.ops()[0].type, seed);
    EXPECT_EQ(results(again, image), results(graph, image));
  }
}

// What cannot be written.

std::string refusal(const std::string& ops) {
  const auto bytes = export_onnx(parsed("graph @g {\n" + ops + "\n}\n"));
  return bytes ? "written" : bytes.error().code + " at " + bytes.error().where;
}

std::string refused_quantizer(const std::string& modes, const std::string& type) {
  return refusal("%x = input : tensor<1 x real>\n%q = requantize %x {" + modes + "} : tensor<1 x " +
                 type + ">\noutput %q");
}

TEST(OnnxExportErrors, QuantisersThatOnnxDoesNotHave) {
  const std::string expected = std::string(messages::ExportQuantizer.code) + " at %q";
  EXPECT_EQ(refused_quantizer("rounding = TRN, overflow = WRAP_SM", "fixed<4,4>"), expected);
  EXPECT_EQ(refused_quantizer("rounding = TRN, overflow = SAT", "fixed<4,4>"), "written");
}

TEST(OnnxExportErrors, InputsInSteps) {
  EXPECT_EQ(refusal("%x = input {step = 0.3} : tensor<1 x fixed<4,4>>\noutput %x"),
            std::string(messages::ExportOperation.code) + " at %x");
}

TEST(OnnxExportErrors, OperationsOnConstants) {
  EXPECT_EQ(
      refusal("%x = input : tensor<1 x real>\n%c = constant {value = [1]} : tensor<1 x real>\n"
              "%r = relu %c : tensor<1 x real>\noutput %r"),
      std::string(messages::ExportOperation.code) + " at %r");
}

TEST(OnnxExportErrors, ComputedWeights) {
  EXPECT_EQ(refusal("%x = input : tensor<2 x real>\n"
                    "%s = constant {value = [1, 2]} : tensor<2 x real>\n"
                    "%y = affine %x, %s, %x : tensor<2 x real>\noutput %y"),
            std::string(messages::ExportOperation.code) + " at %x");
}

TEST(OnnxExportErrors, Accumulators) {
  EXPECT_EQ(refusal("%x = input : tensor<1 x real>\n"
                    "%w = constant {value = [1]} : tensor<1x1 x real>\n"
                    "%b = constant {value = [0]} : tensor<1 x real>\n"
                    "%y = dense %x, %w, %b {accumulate = fixed<4,2>, rounding = TRN, overflow = "
                    "WRAP} : tensor<1 x real>\noutput %y"),
            std::string(messages::ExportOperation.code) + " at %y");
}

TEST(OnnxExportErrors, ConstantOutputs) {
  EXPECT_EQ(
      refusal("%x = input : tensor<1 x real>\n%c = constant {value = [1]} : tensor<1 x real>\n"
              "output %c"),
      std::string(messages::ConstantOutput.code) + " at %c");
}

TEST(OnnxExportErrors, NumbersBeyondDouble) {
  EXPECT_EQ(refusal("%x = input : tensor<1 x real>\n"
                    "%w = constant {value = [9007199254740993]} : tensor<1x1 x fixed<60,60>>\n"
                    "%b = constant {value = [0]} : tensor<1 x real>\n"
                    "%y = dense %x, %w, %b : tensor<1 x real>\noutput %y"),
            std::string(messages::ExportNumber.code) + " at %w");
}

}  // namespace
}  // namespace millrace::frontends::onnx
