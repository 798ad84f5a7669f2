// SPDX-License-Identifier: Apache-2.0
// `millrace run`, `convert`, and types for float models on every command that reads one.
#include <bit>
#include <gmock/gmock.h>

#include "millrace_program.h"

namespace millrace::e2e {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* FloatModel = R"(graph @net {
  %x = input : tensor<1x2x2 x real>
  %w = constant {value = [0.5, -0.3, 1.25, 0.7]} : tensor<1x1x2x2 x real>
  %b = constant {value = [0.1, 0.0]} : tensor<2 x real>
  %conv = conv2d %x, %w, %b {kernel = [1, 1], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<1x2x2 x real>
  %act = relu %conv : tensor<1x2x2 x real>
  output %act
}
)";

/// A .npy file of doubles.
std::string npy(const std::string& shape, const std::vector<double>& entries) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY\x01" + std::string("\0v\0", 3) + header;
  for (const double entry : entries)
    for (int byte = 0; byte < 8; ++byte)
      bytes += static_cast<char>(std::bit_cast<uint64_t>(entry) >> (8 * byte));
  return bytes;
}

/// The last `count` numbers of a file as Number.
template <class Number>
std::vector<Number> entries_of(const std::string& bytes, size_t count) {
  std::vector<Number> entries(count);
  std::memcpy(entries.data(), bytes.data() + bytes.size() - 8 * count, 8 * count);
  return entries;
}

class Run : public ProgramTest {
protected:
  void SetUp() override {
    write("net.mr", FloatModel);
    write("x.npy", npy("(2, 1, 2, 2)", {1, 2, -1, 0.5, 0, 0, 3, 1}));
  }

  json answer(const std::vector<std::string>& words) const {
    const Outcome run = run_program(words);
    EXPECT_EQ(run.exit_code, 0) << run.errors;
    return json::parse(run.output, nullptr, false);
  }
};

TEST_F(Run, FloatIsWhatTheFrameworkComputes) {
  const json found = answer({"run", "net.mr", "--float", "--input", "x.npy", "--json"});
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found["samples"], 2);
  const std::vector<double> expected = {
      0.5 + 2.5 + 0.1, -0.3 + 1.4, -0.5 + 0.625 + 0.1, 0.3 + 0.35, 0.1, 0, 1.5 + 1.25 + 0.1, 0};
  const std::vector<double> values = found["outputs"][0]["values"];
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 1e-12) << i;
}

// fixed<8,4> truncates: -0.3 becomes -0.3125, 0.7 0.6875, 0.1 0.0625; products are exact, and the
// sum is truncated.
TEST_F(Run, TypesMakeAFloatModelExact) {
  const json found =
      answer({"run", "net.mr", "--quantize", "fixed<8,4>", "--input", "x.npy", "--json"});
  ASSERT_TRUE(found.is_object());
  EXPECT_THAT(found["outputs"][0]["values"].get<std::vector<double>>(),
              ElementsAre(0.5 + 2.5 + 0.0625, -0.3125 + 1.375, -0.5 + 0.625 + 0.0625, 0.625, 0.0625,
                          0, 1.5 + 1.25 + 0.0625, 0));
}

TEST_F(Run, WritesNumbersOrTheCircuitsIntegers) {
  answer({"run", "net.mr", "--quantize", "fixed<8,4>", "--input", "x.npy", "--output", "y.npy",
          "--json"});
  answer({"run", "net.mr", "--quantize", "fixed<8,4>", "--input", "x.npy", "--output", "raw.npy",
          "--raw", "--json"});
  EXPECT_THAT(read("y.npy"), HasSubstr("'<f8'"));
  EXPECT_THAT(read("y.npy"), HasSubstr("(2, 1, 2, 2, )"));
  const auto numbers = entries_of<double>(read("y.npy"), 8);
  const auto integers = entries_of<int64_t>(read("raw.npy"), 8);
  for (size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(numbers[i], static_cast<double>(integers[i]) / 16) << i;
}

TEST_F(Run, ChannelsMayBeFirst) {
  write("first.npy", npy("(2, 1, 2)", {1, -1, 2, 0.5}));
  const std::vector<std::string> words = {"run",      "net.mr", "--float",
                                          "--output", "y.npy",  "--json"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    return run_program(more);
  };
  // The model's map is 1 x 2 x 2, and so is this array: only the user knows the order.
  write("square.npy", npy("(2, 2, 1)", {1, -1, 2, 0.5}));
  EXPECT_EQ(with({"--input", "first.npy"}).exit_code, 0);
  EXPECT_THAT(read("y.npy"), HasSubstr("(2, 1, 2, )"));
  EXPECT_NEAR(entries_of<double>(read("y.npy"), 4)[0], 3.1, 1e-12);
  EXPECT_NEAR(entries_of<double>(read("y.npy"), 4)[2], 1.1, 1e-12);
  EXPECT_EQ(with({"--input", "square.npy"}).exit_code, 1);
}

TEST_F(Run, CalibrationPicksTypes) {
  const json found =
      answer({"inspect", "net.mr", "--calibrate", "x.npy", "--width", "8", "--json"});
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found["is_exact"], true);
  ASSERT_EQ(found["quantizers"].size(), 4U);
  EXPECT_EQ(found["quantizers"][0]["value"], "x");
  EXPECT_EQ(found["quantizers"][0]["type"], "fixed<8,3,RND_CONV,SAT>");
  EXPECT_EQ(found["quantizers"][0]["origin"], "calibrated to [-1, 3]");
  const json budget =
      answer({"inspect", "net.mr", "--calibrate", "x.npy", "--error-budget", "0.02", "--json"});
  EXPECT_EQ(budget["is_exact"], true);
}

TEST_F(Run, RulesOfAFileGiveTypes) {
  write("config.yml",
        "HLSConfig:\n  Model: {Precision: 'ap_fixed<12,4>'}\n  LayerName:\n    act: {Precision: "
        "'ap_ufixed<6,3,AP_RND,AP_SAT>'}\nBackend: Vivado\n");
  const json found = answer({"inspect", "net.mr", "--quantize", "config.yml", "--json"});
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found["is_exact"], true);
  EXPECT_EQ(found["quantizers"].back()["value"], "act");
  EXPECT_EQ(found["quantizers"].back()["type"], "ufixed<6,3,RND,SAT>");
  EXPECT_EQ(found["quantizers"].back()["origin"], "config.yml:4");
}

// Each product is cut to the accumulator's four fraction bits before it is added: -0.3125 * -0.5
// and 0.6875 * 0.5 become 2/16 and 5/16, together one less than their sum cut once.
TEST_F(Run, AccumulatorsMayBeThoseOfHls4ml) {
  write("x.npy", npy("(1, 1, 2, 2)", {-0.5, 0.5, 0.5, 0.5}));
  const auto values = [&](const std::string& accumulators) {
    const json found = answer({"run", "net.mr", "--quantize", "fixed<8,4>", "--accumulators",
                               accumulators, "--input", "x.npy", "--raw", "--json"});
    return found["outputs"][0]["values"].get<std::vector<int64_t>>();
  };
  EXPECT_THAT(values("exact"), ElementsAre(7, 8, 15, 3));
  EXPECT_THAT(values("hls4ml"), ElementsAre(7, 7, 15, 2));

  const std::vector<std::string> compile = {"compile", "net.mr", "--accumulators",
                                            "hls4ml",  "-o",     "out"};
  expect_refused(compile, "dataflow.accumulator");
  write("wide.yml", "Model: {Precision: {default: 'fixed<8,4>', accum: 'fixed<16,8>'}}\n");
  const json wide = answer({"compile", "net.mr", "--accumulators", "hls4ml", "--quantize",
                            "wide.yml", "-o", "out", "--json"});
  EXPECT_TRUE(wide.contains("latency_cycles"));

  const Outcome unknown = run_program({"inspect", "net.mr", "--accumulators", "vitis"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("exact,hls4ml"));
}

// 0.2 is 0 in steps of 1/2, though it is 0.25 in the steps of the other element, and that would be
// 0.5.
TEST_F(Run, InputsAreRoundedOnceToTheTypesOfTheirElements) {
  write("types.mr",
        "graph @types {\n  %x = input : tensor<2 x real>\n"
        "  %y = requantize %x {rounding = RND, overflow = WRAP, types = [ufixed<3,2>, "
        "ufixed<5,2>]} : "
        "tensor<2 x ufixed<5,2>>\n  output %y\n}\n");
  write("two.npy", npy("(2, 2)", {0.2, 0.2, 4.3125, 0.3125}));
  const json exact = answer({"run", "types.mr", "--input", "two.npy", "--json"});
  EXPECT_EQ(exact["outputs"][0]["values"], json({0.0, 0.25, 0.5, 0.375}));
}

// A file that quantises its input does so in its author's framework, too.
TEST_F(Run, FixedInputsAreRoundedInDoubleToo) {
  write("fixed.mr", "graph @fixed {\n  %x = input : tensor<2 x ufixed<3,2>>\n  output %x\n}\n");
  write("one.npy", npy("(1, 2)", {0.7, 9}));
  for (const std::vector<std::string>& mode : {std::vector<std::string>{"--float"}, {}}) {
    std::vector<std::string> words = {"run", "fixed.mr", "--input", "one.npy", "--json"};
    words.insert(words.end(), mode.begin(), mode.end());
    EXPECT_EQ(answer(words)["outputs"][0]["values"], json({0.5, 3.5}));
  }
}

TEST_F(Run, ConvertedModelsAreTheSame) {
  answer(
      {"convert", "net.mr", "--quantize", "fixed<8,4,RND_CONV,SAT>", "-o", "net.onnx", "--json"});
  const json before = answer({"run", "net.mr", "--quantize", "fixed<8,4,RND_CONV,SAT>", "--input",
                              "x.npy", "--raw", "--json"});
  const json after =
      answer({"run", "net.onnx", "--input", "x.npy", "--raw", "--json", "--layout", "hwc"});
  EXPECT_EQ(before["outputs"][0]["values"], after["outputs"][0]["values"]);

  answer({"convert", "net.onnx", "-o", "text.mr", "--json"});
  const json text = answer({"run", "text.mr", "--input", "x.npy", "--raw", "--json"});
  EXPECT_EQ(before["outputs"][0]["values"], text["outputs"][0]["values"]);
  expect_refused({"convert", "net.onnx", "-o", "net.tflite"}, "cli.convert_output");
}

TEST_F(Run, Refuses) {
  write("wide.npy", npy("(3, 5)", std::vector<double>(15)));
  write("nan.npy", npy("(1, 2, 2)", {1, 2, 3, std::numeric_limits<double>::quiet_NaN()}));
  expect_refused({"run", "net.mr", "--input", "x.npy"}, "passes.unquantized_weights");
  expect_refused({"run", "net.mr", "--input", "wide.npy", "--float"}, "cli.sample_shape");
  expect_refused({"run", "net.mr", "--input", "nan.npy", "--float"}, "cli.sample_not_finite");
  expect_refused({"run", "net.mr", "--input", "net.mr", "--float"}, "cli.sample_file");
  expect_refused({"run", "net.mr", "--input", "x.npy", "--input", "x.npy", "--float"},
                 "cli.files_for_inputs");
  expect_refused(
      {"run", "net.mr", "--input", "x.npy", "--float", "--output", "a.npy", "--output", "b.npy"},
      "cli.files_for_outputs");
  expect_refused({"inspect", "net.mr", "--calibrate", "x.npy", "--width", "99"}, "cli.bad_width");
  expect_refused({"inspect", "net.mr", "--calibrate", "x.npy", "--error-budget", "-1"},
                 "cli.bad_error_budget");
  expect_refused({"inspect", "net.mr", "--weights", "w.h5"}, "cli.no_use_for_weights");
  expect_refused({"inspect", "net.mr", "--quantize", "float"}, "fixed.quantizer_syntax");
  write("tensor.pb", "no tensor");
  expect_refused({"run", "net.mr", "--input", "tensor.pb", "--float"},
                 "frontends.onnx.not_a_tensor");
}

TEST_F(Run, SamplesOfTwoInputsAreAsMany) {
  write("two.mr",
        "graph @two {\n  %a = input : tensor<1 x real>\n  %b = input : tensor<1 x real>\n"
        "  %y = add %a, %b : tensor<1 x real>\n  output %y\n}\n");
  write("one.npy", npy("(1, 1)", {1}));
  write("both.npy", npy("(2, 1)", {2, 3}));
  expect_refused({"run", "two.mr", "--input", "one.npy", "--input", "both.npy", "--float"},
                 "cli.sample_counts");
  const json found =
      answer({"run", "two.mr", "--input", "both.npy", "--input", "both.npy", "--float", "--json"});
  EXPECT_THAT(found["outputs"][0]["values"].get<std::vector<double>>(), ElementsAre(4, 6));
}

}  // namespace
}  // namespace millrace::e2e
