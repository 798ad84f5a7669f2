// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/overrides.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/graph/text.h"

namespace millrace::cli {
namespace {

using testing::HasSubstr;

graph::Graph model() {
  auto graph = graph::parse(
      "graph @g {\n  %x = input : tensor<4 x ufixed<8,0>>\n"
      "  %dense1 = relu %x : tensor<4 x ufixed<8,0>>\n"
      "  %dense2 = relu %dense1 : tensor<4 x ufixed<8,0>>\n  output %dense2\n}\n",
      "g.mr");
  EXPECT_TRUE(graph.has_value());
  return *std::move(graph);
}

Diagnostic refusal(const std::string& text) {
  const auto options = parse_overrides(text, "o.yaml", model());
  return options ? Diagnostic{.code = "accepted", .message = {}, .where = {}, .help = {}}
                 : options.error();
}

TEST(Overrides, EachLayerHasWhatIsSaidAboutIt) {
  const auto options = parse_overrides(
      "layers:\n  dense1: {effort: 4, adders: two-input}\n  dense2:\n    phases: 2\n"
      "    lanes: 8\n    adders: three-input\n    dsp: prefer\n",
      "o.yaml", model());
  ASSERT_TRUE(options.has_value()) << options.error().to_string();
  ASSERT_EQ(options->size(), 2u);
  EXPECT_EQ(options->at("dense1").effort, 4);
  EXPECT_EQ(options->at("dense1").three_input_adders, false);
  EXPECT_FALSE(options->at("dense1").phases.has_value());
  EXPECT_EQ(options->at("dense2").phases, 2);
  EXPECT_EQ(options->at("dense2").lanes, 8);
  EXPECT_EQ(options->at("dense2").three_input_adders, true);
  EXPECT_FALSE(options->at("dense1").dsp.has_value());
  EXPECT_EQ(options->at("dense2").dsp, dataflow::BlockUse::Prefer);
}

TEST(Overrides, UnknownNamesHaveALineAndTheNearestName) {
  Diagnostic found = refusal("layers:\n  dense1: {effort: 4}\n  densel2: {effort: 4}\n");
  EXPECT_EQ(found.code, "cli.unknown_override");
  EXPECT_EQ(found.where, "o.yaml:3");
  EXPECT_THAT(found.message, HasSubstr("no layer 'densel2'; the nearest name is 'dense2'"));
  found = refusal("layers:\n  dense1:\n    efort: 4\n");
  EXPECT_EQ(found.where, "o.yaml:3");
  EXPECT_THAT(found.message, HasSubstr("no key 'efort'; the nearest name is 'effort'"));
  EXPECT_THAT(refusal("layer: {}\n").message, HasSubstr("'layers'"));
  EXPECT_THAT(refusal("layers: {dense1: {adders: 3}}\n").message, HasSubstr("two-input"));
  EXPECT_THAT(refusal("layers: {dense1: {dsp: always}}\n").message,
              HasSubstr("no use of DSP blocks 'always'"));
}

TEST(Overrides, OtherFormsAreRefusedWithTheirLine) {
  for (const char* text :
       {"", "5\n", "- a\n", "layers: 3\n", "layers: {dense1: 4}\n",
        "layers: {dense1: {effort: much}}\n", "layers: {dense1: {effort: 1.5}}\n",
        "layers: {dense1: {phases: [1]}}\n", "layers: {dense1: {effort: 99999999999}}\n",
        "layers:\n  dense1: {effort: 4\n", "layers: {dense1: {lanes: 1}, dense1: {lanes: 2}}\n",
        "layers: {[a]: {lanes: 1}}\n", "\t:"}) {
    const Diagnostic found = refusal(text);
    EXPECT_EQ(found.code, "cli.bad_overrides") << text;
    EXPECT_THAT(found.where, HasSubstr("o.yaml:")) << text;
  }
}

}  // namespace
}  // namespace millrace::cli
