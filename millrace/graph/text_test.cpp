// SPDX-License-Identifier: Apache-2.0
#include "millrace/graph/text.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "millrace/graph/messages.h"
#include "millrace/support/files.h"

namespace millrace::graph {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::filesystem::path> texts_in(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(MILLRACE_SOURCE_DIR "/tests/") + folder))
    if (entry.path().extension() == ".mr")
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  return info.param.stem().string();
}

// The file from its first line that is not a comment.
std::string without_leading_comments(std::string_view text) {
  while (text.starts_with("//"))
    text.remove_prefix(text.find('\n') + 1);
  return std::string(text);
}

class TextFile : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(TextFile, RoundTrips) {
  const std::string text = *read_file(GetParam());
  const auto graph = parse(text, GetParam().filename());
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_EQ(print(*graph), without_leading_comments(text));
  const auto again = parse(print(*graph));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(*again, *graph);
  EXPECT_TRUE(verify(*graph));
}

INSTANTIATE_TEST_SUITE_P(Texts, TextFile, testing::ValuesIn(texts_in("text")), test_name);

class ErrorFile : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(ErrorFile, IsRefusedWithTheDiagnosticThatItNames) {
  const std::string text = *read_file(GetParam());
  const auto graph = parse(text, "file.mr");
  ASSERT_FALSE(graph);
  const Diagnostic& found = graph.error();
  EXPECT_THAT(found.where, StartsWith("file.mr:"));
  const std::string expected =
      "// error: " + found.code + " at " + found.where.substr(sizeof("file.mr:") - 1);
  EXPECT_EQ(text.substr(text.find("// error:")).substr(0, expected.size() + 1), expected + "\n");
  EXPECT_FALSE(found.message.empty());
  EXPECT_FALSE(found.help.empty());
}

INSTANTIATE_TEST_SUITE_P(Errors, ErrorFile, testing::ValuesIn(texts_in("errors")), test_name);

// What a text can provoke: everything in messages.h but messages::BadReference.
constexpr std::string_view CodesOfTexts[] = {"graph.tensor_c1",
                                             "graph.tensor_c2",
                                             "graph.input_c1",
                                             "graph.input_c2",
                                             "graph.input_c3",
                                             "graph.constant_c1",
                                             "graph.constant_c2",
                                             "graph.constant_c3",
                                             "graph.requantize_c1",
                                             "graph.conv2d_c1",
                                             "graph.conv2d_c2",
                                             "graph.conv2d_c3",
                                             "graph.conv2d_c4",
                                             "graph.conv2d_c5",
                                             "graph.conv2d_c6",
                                             "graph.conv2d_c7",
                                             "graph.dense_c1",
                                             "graph.dense_c2",
                                             "graph.dense_c3",
                                             "graph.dense_c4",
                                             "graph.affine_c1",
                                             "graph.affine_c2",
                                             "graph.relu_c1",
                                             "graph.max_pool_c1",
                                             "graph.max_pool_c2",
                                             "graph.max_pool_c3",
                                             "graph.max_pool_c4",
                                             "graph.avg_pool_c1",
                                             "graph.avg_pool_c2",
                                             "graph.avg_pool_c3",
                                             "graph.avg_pool_c4",
                                             "graph.avg_pool_c5",
                                             "graph.avg_pool_c6",
                                             "graph.concat_c1",
                                             "graph.concat_c2",
                                             "graph.conv_transpose2d_c1",
                                             "graph.conv_transpose2d_c2",
                                             "graph.conv_transpose2d_c3",
                                             "graph.conv_transpose2d_c4",
                                             "graph.conv_transpose2d_c5",
                                             "graph.pad_c1",
                                             "graph.pad_c2",
                                             "graph.reshape_c1",
                                             "graph.reshape_c2",
                                             "graph.slice_c1",
                                             "graph.slice_c2",
                                             "graph.transpose_c1",
                                             "graph.transpose_c2",
                                             "graph.upsample_c1",
                                             "graph.upsample_c2",
                                             "graph.flatten_c1",
                                             "graph.requantize_c2",
                                             "graph.requantize_c3",
                                             "graph.requantize_c4",
                                             "graph.binary_c1",
                                             "graph.binary_c2",
                                             "graph.prelu_c1",
                                             "graph.prelu_c2",
                                             "graph.exact_c1",
                                             "graph.exact_c2",
                                             "graph.unary_c1",
                                             "graph.unary_c2",
                                             "graph.reduce_c1",
                                             "graph.reduce_c2",
                                             "graph.top_k_c1",
                                             "graph.top_k_c2",
                                             "graph.softmax_c1",
                                             "graph.table_c1",
                                             "graph.table_c2",
                                             "graph.table_c3",
                                             "graph.no_input",
                                             "graph.no_output",
                                             "graph.bad_name",
                                             "graph.type_differs",
                                             "graph.syntax",
                                             "graph.unknown_operation",
                                             "graph.unknown_value",
                                             "graph.duplicate_value",
                                             "graph.unknown_attribute",
                                             "graph.duplicate_attribute",
                                             "graph.missing_attribute",
                                             "graph.bad_number",
                                             "graph.bad_mode",
                                             "graph.bad_function",
                                             "graph.not_fixed"};

TEST(ErrorFiles, CoverEveryDiagnostic) {
  std::string all;
  for (const auto& path : texts_in("errors"))
    all += *read_file(path);
  for (const std::string_view code : CodesOfTexts)
    EXPECT_THAT(all, HasSubstr("// error: " + std::string(code) + " at ")) << code;
}

TEST(TextFiles, CoverEveryOperation) {
  std::string all;
  for (const auto& path : texts_in("text"))
    all += *read_file(path);
  for (const std::string_view mnemonic :
       {"input",  "constant", "requantize", "conv2d",   "dense",     "affine",
        "relu",   "max_pool", "flatten",    "table",    "avg_pool",  "concat",
        "pad",    "reshape",  "slice",      "upsample", "transpose", "conv_transpose2d",
        "add",    "sub",      "mul",        "maximum",  "minimum",   "prelu",
        "abs",    "negate",   "sign",       "binarize", "square",    "unary",
        "reduce", "top_k",    "softmax"})
    EXPECT_THAT(all, HasSubstr(" = " + std::string(mnemonic) + " ")) << mnemonic;
}

TEST(Print, RealNumbersReadBackAsTheSameDouble) {
  std::mt19937_64 random(3);
  std::vector<double> values = {0.1, -0.0, 1e23, 5e-324, std::numeric_limits<double>::max()};
  while (values.size() < 2000) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value))
      values.push_back(value);
  }
  Builder builder("reals");
  ASSERT_TRUE(builder.add("x", Input{{{1}, std::nullopt}}));
  const auto size = static_cast<int64_t>(values.size());
  builder.output(*builder.constant("c", FloatTensor{{size}, values}));
  const auto graph = parse(print(*std::move(builder).finish()));
  ASSERT_TRUE(graph);
  const std::vector<double>& read = graph->ops().back().as<Constant>()->real();
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(std::bit_cast<uint64_t>(read[i]), std::bit_cast<uint64_t>(values[i]));
}

TEST(Parse, SpacesCommentsAndTheOrderOfAttributesAreFree) {
  const auto graph = parse(
      "graph@g{// the smallest\r\n\t%x=input:tensor<2 x fixed< 4 , 2 >>\n"
      "%y=requantize%x{overflow=SAT,rounding=RND}:tensor<2 x ap_ufixed<3,1>>output%y}//end");
  ASSERT_TRUE(graph) << graph.error().to_string();
  EXPECT_EQ(print(*graph),
            "graph @g {\n"
            "  %x = input : tensor<2 x fixed<4,2>>\n"
            "  %y = requantize %x {rounding = RND, overflow = SAT} : tensor<2 x ufixed<3,1>>\n"
            "  output %y\n"
            "}\n");
  EXPECT_EQ(graph->op(1).where, "<text>:3:1");
}

TEST(Parse, DropsWhatNoOutputNeeds) {
  const auto graph = parse(
      "graph @g {\n  %x = input : tensor<2 x real>\n  %y = relu %x : tensor<2 x real>\n"
      "  output %x\n}\n");
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->ops().size(), 1U);
}

TEST(Parse, EveryShorterTextIsRefused) {
  const std::string text = *read_file(MILLRACE_SOURCE_DIR "/tests/text/imported.mr");
  const size_t end = text.rfind('}');
  for (size_t size = 0; size <= end; ++size)
    EXPECT_FALSE(parse(std::string_view(text).substr(0, size))) << size;
}

std::string mutated(std::string text, const std::string& other, std::mt19937_64& random) {
  static constexpr std::string_view Snippets[] = {"9223372036854775807",
                                                  "-9223372036854775808",
                                                  "1e308",
                                                  "nan",
                                                  "[",
                                                  "]",
                                                  "{",
                                                  "}",
                                                  "%",
                                                  "@",
                                                  "fixed<64,-900>",
                                                  "ufixed<63,63>",
                                                  "tensor<",
                                                  ">>",
                                                  "=",
                                                  ",",
                                                  "real",
                                                  "0",
                                                  "x",
                                                  "268435456",
                                                  "constant",
                                                  "table",
                                                  "conv2d",
                                                  "\0\xff",
                                                  "//",
                                                  ""};
  const auto below = [&random](size_t bound) { return random() % std::max<size_t>(bound, 1); };
  for (size_t i = 0, count = 1 + below(4); i < count; ++i) {
    const size_t at = below(text.size());
    const size_t length = below(std::min<size_t>(text.size() - at, 1 + below(40)));
    switch (below(6)) {
      case 0:
        text.replace(at, length, Snippets[below(std::size(Snippets))]);
        break;
      case 1:
        text.replace(at, length, other.substr(below(other.size()), 1 + below(60)));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), 1 + below(60)));
        break;
      case 3:
        if (!text.empty())
          text[at] = static_cast<char>(below(256));
        break;
      default:
        if (const size_t digit = text.find_first_of("0123456789", at); digit < text.size())
          text[digit] = static_cast<char>('0' + below(10));
    }
  }
  return text;
}

TEST(Parse, MutatedTextsGiveAGraphThatRoundTripsOrADiagnosticWithAPlace) {
  std::vector<std::string> seeds;
  for (const auto& path : texts_in("text"))
    seeds.push_back(*read_file(path));
  const size_t num_valid = seeds.size();
  for (const auto& path : texts_in("errors"))
    seeds.push_back(*read_file(path));
  std::mt19937_64 random(11);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string& seed = seeds[random() % (round % 2 ? seeds.size() : num_valid)];
    const std::string text = mutated(seed, seeds[random() % seeds.size()], random);
    const auto graph = parse(text);
    if (!graph) {
      ASSERT_THAT(graph.error().where, StartsWith("<text>:")) << text;
      continue;
    }
    ++accepted;
    ASSERT_TRUE(verify(*graph)) << text;
    const auto again = parse(print(*graph));
    ASSERT_TRUE(again) << text;
    ASSERT_EQ(print(*again), print(*graph)) << text;
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace millrace::graph
