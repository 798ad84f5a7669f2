// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::variant<CommandLine, EarlyExit> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "millrace");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

template <class Options>
Options options_of(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  const auto* line = std::get_if<CommandLine>(&parsed);
  return line ? std::get<Options>(line->command) : throw std::runtime_error("not understood");
}

TEST(CommandLine, CompileHasDefaults) {
  const auto options = options_of<CompileOptions>({"compile", "letters.onnx"});
  EXPECT_EQ(options.model, "letters.onnx");
  EXPECT_EQ(options.part, "xcku115-flvb2104-2-i");
  EXPECT_EQ(options.clock, "5ns");
  EXPECT_EQ(options.output, "out");
  EXPECT_FALSE(options.logits);
  EXPECT_EQ(options.effort, 1);
  EXPECT_EQ(options.adders, "auto");
  EXPECT_EQ(options.lanes, "");
  EXPECT_EQ(options.latency, "");
  EXPECT_FALSE(options.max_lut.has_value());
}

TEST(CommandLine, ModelsMayHaveTheirWeightsElsewhere) {
  const std::vector<const char*> rest = {"m.json", "--weights", "w.h5"};
  const auto with = [&](const char* command) {
    std::vector<const char*> words = {command};
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  };
  EXPECT_EQ(options_of<InspectOptions>(with("inspect")).types.weights, "w.h5");
  EXPECT_EQ(options_of<CompileOptions>(with("compile")).types.weights, "w.h5");
  EXPECT_EQ(options_of<EmulateOptions>(with("emulate")).types.weights, "w.h5");
}

TEST(CommandLine, CompileTakesGoals) {
  const auto options =
      options_of<CompileOptions>({"compile", "m.onnx", "--latency", "300ns", "--interval",
                                  "5cycles", "--max-lut", "9000", "--overrides", "layers.yaml"});
  EXPECT_EQ(options.latency, "300ns");
  EXPECT_EQ(options.interval, "5cycles");
  EXPECT_EQ(options.max_lut, 9000);
  EXPECT_EQ(options.overrides, "layers.yaml");
}

TEST(CommandLine, CompileTakesAnEffort) {
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx", "--effort", "3"}).effort, 3);
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx"}).dsp, "never");
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx", "--dsp", "prefer"}).dsp, "prefer");
}

TEST(CommandLine, LanesOfZeroAreTheCompilersToRefuse) {
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx", "--lanes", "0"}).lanes, "0");
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx", "--lanes", "-3"}).lanes, "-3");
}

TEST(CommandLine, ArrivalsMayBeSeveral) {
  const auto options =
      options_of<SimulateOptions>({"simulate", "out", "--arrival", "alone,random-gaps"});
  EXPECT_THAT(options.arrivals, ElementsAre("alone", "random-gaps"));
  EXPECT_THAT(options_of<SimulateOptions>({"simulate", "out"}).arrivals,
              ElementsAre("back-to-back"));
}

TEST(CommandLine, TrainAndReproduceBeginWithGlyphs) {
  EXPECT_EQ(options_of<TrainOptions>({"train", "letters"}).images.data, "glyphs");
  EXPECT_EQ(options_of<ReproduceOptions>({"reproduce", "letters"}).train.images.data, "glyphs");
  EXPECT_EQ(options_of<EmulateOptions>({"emulate", "out"}).images.data, "");
}

TEST(CommandLine, SparsityIsOffUnlessItIsAskedFor) {
  EXPECT_EQ(options_of<TrainOptions>({"train", "letters"}).sparsity, 0);
  EXPECT_EQ(options_of<TrainOptions>({"train", "letters", "--sparsity", "2"}).sparsity, 2);
  EXPECT_EQ(
      options_of<ReproduceOptions>({"reproduce", "letters", "--sparsity", "0.5"}).train.sparsity,
      0.5);
}

TEST(CommandLine, AddersHasDefaults) {
  const auto options = options_of<AddersOptions>({"adders", "w.npy"});
  EXPECT_EQ(options.matrix, "w.npy");
  EXPECT_EQ(options.input_range, "-128,127");
  EXPECT_EQ(options.input_ranges, "");
  EXPECT_FALSE(options.max_depth.has_value());
  EXPECT_FALSE(options.extra_depth.has_value());
  EXPECT_EQ(options.seed, 1u);
  EXPECT_EQ(options.clock, "");
  EXPECT_EQ(options.part, "xcku115-flvb2104-2-i");
  EXPECT_EQ(options.verilog, "");
}

TEST(CommandLine, ThreeInputAddersAreAChoiceAndNeedRegisters) {
  EXPECT_EQ(options_of<CompileOptions>({"compile", "m.onnx", "--adders", "two-input"}).adders,
            "two-input");
  EXPECT_EQ(
      options_of<AddersOptions>({"adders", "w.npy", "--adders", "three-input", "--clock", "3ns"})
          .adders,
      "three-input");
  EXPECT_EQ(options_of<AddersOptions>({"adders", "w.npy"}).adders, "two-input");
}

TEST(CommandLine, AddersTakesRangesAndDepths) {
  const auto limited = options_of<AddersOptions>(
      {"adders", "w.npy", "--input-range", "-7,8", "--max-depth", "5", "--effort", "3"});
  EXPECT_EQ(limited.input_range, "-7,8");
  EXPECT_EQ(limited.max_depth, 5);
  EXPECT_EQ(limited.effort, 3);
  const auto minimal =
      options_of<AddersOptions>({"adders", "w.npy", "--input-ranges", "r.npy", "--extra-depth", "0",
                                 "--clock", "3ns", "--verilog", "out.sv"});
  EXPECT_EQ(minimal.input_ranges, "r.npy");
  EXPECT_EQ(minimal.extra_depth, 0);
  EXPECT_EQ(minimal.clock, "3ns");
  EXPECT_EQ(minimal.verilog, "out.sv");
}

TEST(CommandLine, DepthsBelowTheMinimumAreTheSearchsToRefuse) {
  EXPECT_EQ(options_of<AddersOptions>({"adders", "w.npy", "--max-depth", "-1"}).max_depth, -1);
  EXPECT_EQ(options_of<AddersOptions>({"adders", "w.npy", "--extra-depth", "-1"}).extra_depth, -1);
}

TEST(CommandLine, JsonIsAnOptionOfEveryCommand) {
  for (const char* command : {"train", "inspect", "compile", "emulate", "simulate", "synth",
                              "report", "reproduce", "adders"}) {
    const auto parsed = parse({command, "letters", "--json"});
    ASSERT_TRUE(std::holds_alternative<CommandLine>(parsed)) << command;
    EXPECT_TRUE(std::get<CommandLine>(parsed).json);
  }
}

TEST(CommandLine, WrongUsageExitsWithTwoAndSaysWhy) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"frobnicate"},
      {"compile"},
      {"compile", "m.onnx", "--effort", "much"},
      {"compile", "m.onnx", "--dsp", "always"},
      {"compile", "m.onnx", "--adders", "four-input"},
      {"compile", "m.onnx", "--max-lut", "few"},
      {"compile", "m.onnx", "--no-such-option"},
      {"simulate", "out", "--arrival", "sideways"},
      {"simulate", "out", "--simulator", "modelsim"},
      {"simulate", "out", "--frames", "-1"},
      {"train", "letters", "--seed", "-1"},
      {"train", "letters", "--sparsity", "much"},
      {"inspect", "a.onnx", "b.onnx"},
      {"adders"},
      {"adders", "w.npy", "--effort", "much"},
      {"adders", "w.npy", "--adders", "three-input"},
      {"adders", "w.npy", "--seed", "-1"},
      {"adders", "w.npy", "--max-depth", "5", "--extra-depth", "1"},
      {"adders", "w.npy", "--input-range", "0,1", "--input-ranges", "r.npy"}};
  for (const auto& words : wrong) {
    const auto parsed = parse(words);
    const auto* early = std::get_if<EarlyExit>(&parsed);
    ASSERT_NE(early, nullptr) << (words.empty() ? "" : words.back());
    EXPECT_EQ(early->exit_code, 2);
    EXPECT_FALSE(early->errors.empty());
    EXPECT_TRUE(early->output.empty());
  }
}

TEST(CommandLine, HelpOfEveryCommandHasAnExample) {
  for (const char* command : {"train", "inspect", "compile", "emulate", "simulate", "synth",
                              "report", "reproduce", "adders"}) {
    const auto parsed = parse({command, "--help"});
    const auto* early = std::get_if<EarlyExit>(&parsed);
    ASSERT_NE(early, nullptr);
    EXPECT_EQ(early->exit_code, 0);
    EXPECT_THAT(early->output, HasSubstr(std::string("Example:\n  millrace ") + command));
  }
}

}  // namespace
}  // namespace millrace::cli
