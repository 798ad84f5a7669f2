// SPDX-License-Identifier: Apache-2.0
// From a model to a report, with the real tools.
#include <filesystem>
#include <gmock/gmock.h>

#include "millrace_program.h"

namespace millrace::e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Small enough to simulate and to map in seconds.
constexpr const char* TinyModel = R"(graph @tiny {
  %image = input : tensor<6x6x1 x ufixed<4,0>>
  %w = constant {value = [1, -1, 2, 0, 3, -2, 1, 1]} : tensor<2x2x1x2 x fixed<3,1>>
  %b = constant {value = [1, -1]} : tensor<2 x fixed<3,1>>
  %conv = conv2d %image, %w, %b {kernel = [2, 2], stride = [1, 1], padding = [0, 0, 0, 0]} : tensor<5x5x2 x fixed<8,2>>
  %relu = relu %conv : tensor<5x5x2 x ufixed<7,1>>
  %pool = max_pool %relu {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} : tensor<2x2x2 x ufixed<7,1>>
  %flat = flatten %pool : tensor<8 x ufixed<7,1>>
  %v = constant {value = [1, -1, 1, 0, -1, 1, 1, -1]} : tensor<8x1 x fixed<2,2>>
  %c = constant {value = [0]} : tensor<1 x fixed<2,2>>
  %logit = dense %flat, %v, %c : tensor<1 x fixed<10,4>>
  output %logit
}
)";

class WholePath : public ProgramTest {
protected:
  json run_json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Outcome run = run_program(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.errors << run.output;
    return json::parse(run.output, nullptr, false);
  }
};

TEST_F(WholePath, ATinyModelIsCompiledSimulatedMappedAndReported) {
  write("tiny.mr", TinyModel);
  const json inspect = run_json({"inspect", "tiny.mr"});
  EXPECT_EQ(inspect["parameters"], 19);
  EXPECT_EQ(inspect["multiplications"], 208);

  const json plan = run_json({"compile", "tiny.mr", "--lanes", "3", "-o", "out"});
  EXPECT_EQ(plan["lanes"], 3);
  EXPECT_EQ(plan["interval_cycles"], 12);
  EXPECT_EQ(plan["clock_ns"], 5.0);
  EXPECT_TRUE(plan.contains("seconds"));

  const json simulation = run_json({"simulate", "out", "--data", "random", "--frames", "20",
                                    "--arrival", "back-to-back,random-gaps,alone"});
  EXPECT_EQ(simulation["mismatches"], 0);
  EXPECT_EQ(simulation["frames"], 60);
  EXPECT_EQ(simulation["latency_cycles"], plan["latency_cycles"]);
  EXPECT_EQ(simulation["scheduled_latency_cycles"], plan["latency_cycles"]);
  EXPECT_EQ(simulation["interval_cycles"], 12);
  EXPECT_EQ(simulation["simulator"], "verilator");
  EXPECT_EQ(run_json({"simulate", "out", "--data", "random", "--frames", "3", "--simulator",
                      "icarus"})["mismatches"],
            0);

  const json area = run_json({"synth", "out"});
  EXPECT_GT(area["lut"], 0);
  EXPECT_GT(area["ff"], 0);
  EXPECT_EQ(area["part"], "xcku115-flvb2104-2-i");
  EXPECT_GT(area["utilisation"]["lut"], 0.0);
  EXPECT_EQ(area["estimated"], plan["estimated"]);

  const json report = run_json({"report", "out"});
  EXPECT_EQ(report["synth"]["lut"], area["lut"]);
  EXPECT_THAT(read("out/report.html"), HasSubstr("bit-exact"));
  EXPECT_FALSE(fs::exists(folder() / "out/train.json"));
  EXPECT_THAT(files(), testing::ElementsAre("out", "tiny.mr"));
}

TEST_F(WholePath, AGoalChoosesTheLanes) {
  write("tiny.mr", TinyModel);
  const json slow = run_json({"compile", "tiny.mr", "--latency", "10us", "-o", "out"});
  EXPECT_EQ(slow["rows"], 1);
  EXPECT_LE(slow["latency_cycles"], 2000);
  const json fast = run_json({"compile", "tiny.mr", "--interval", "15ns", "-o", "out"});
  EXPECT_LE(fast["interval_cycles"], 3);
  EXPECT_GT(fast["estimated"]["lut"], slow["estimated"]["lut"]);
  const json simulation = run_json({"simulate", "out", "--data", "random", "--frames", "20"});
  EXPECT_EQ(simulation["mismatches"], 0);
  EXPECT_EQ(simulation["interval_cycles"], fast["interval_cycles"]);
  const json small =
      run_json({"compile", "tiny.mr", "--max-lut",
                std::to_string(slow["estimated"]["lut"].get<int64_t>()), "-o", "out"});
  EXPECT_LE(small["latency_cycles"], slow["latency_cycles"]);
}

TEST_F(WholePath, OptionsOfLayersReachTheirStages) {
  write("tiny.mr", TinyModel);
  write("layers.yaml", "layers:\n  logit: {phases: 1}\n");
  const json plan =
      run_json({"compile", "tiny.mr", "--lanes", "1", "--overrides", "layers.yaml", "-o", "out"});
  EXPECT_EQ(plan["stages"].back()["sizes"]["phases"], 1);
  EXPECT_EQ(run_json({"simulate", "out", "--data", "random", "--frames", "20"})["mismatches"], 0);
}

TEST_F(WholePath, DspBlocksMultiplyWherePreferred) {
  write("tiny.mr", TinyModel);
  const json without = run_json({"compile", "tiny.mr", "--lanes", "1", "-o", "out"});
  EXPECT_EQ(without["estimated"]["dsp"], 0);
  const json with =
      run_json({"compile", "tiny.mr", "--lanes", "1", "--dsp", "prefer", "-o", "out"});
  EXPECT_GT(with["estimated"]["dsp"], 0);
  EXPECT_LT(with["estimated"]["lut"], without["estimated"]["lut"]);
  EXPECT_GT(with["stages"].back()["sizes"]["dsp_blocks"], 0);
  const json simulation = run_json({"simulate", "out", "--data", "random", "--frames", "20"});
  EXPECT_EQ(simulation["mismatches"], 0);
  EXPECT_EQ(simulation["latency_cycles"], with["latency_cycles"]);
  EXPECT_EQ(simulation["interval_cycles"], with["interval_cycles"]);
}

// The comparison has to be able to fail: here the model, and then the schedule, are not the
// circuit's.
TEST_F(WholePath, ACircuitThatIsNotTheModelsIsFoundOut) {
  write("tiny.mr", TinyModel);
  ASSERT_EQ(run_program({"compile", "tiny.mr", "--lanes", "6", "-o", "out"}).exit_code, 0);
  const std::vector<std::string> simulate = {"simulate", "out",      "--data",
                                             "random",   "--frames", "5"};
  const std::string model = read("out/model.mr"), plan = read("out/plan.json");
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };

  write("out/model.mr", replaced(model, "[1, -1, 1, 0,", "[-1, 1, 1, 0,"));
  expect_refused(simulate, "cli.outputs_differ");
  write("out/model.mr", model);

  const int64_t latency = json::parse(plan)["latency_cycles"];
  const auto latency_is = [](int64_t cycles) {
    return "\"latency_cycles\": " + std::to_string(cycles) + ",\n  \"interval_cycles\"";
  };
  write("out/plan.json", replaced(plan, latency_is(latency), latency_is(latency + 1)));
  expect_refused(simulate, "cli.schedule_differs");
  EXPECT_FALSE(fs::exists(folder() / "out/cosim.json"));
}

TEST_F(WholePath, EmulateGivesTheSameFiguresForModelAndBuild) {
  const std::string model = source("tests/text/letters.mr");
  const json of_model = run_json({"emulate", model, "--data", "glyphs"});
  EXPECT_EQ(of_model["images"], 800);
  run_json({"compile", model, "-o", "out"});
  const json of_build = run_json({"emulate", "out", "--data", "glyphs"});
  EXPECT_EQ(of_model["auc"], of_build["auc"]);
  EXPECT_EQ(of_model["accuracy"], of_build["accuracy"]);
  EXPECT_TRUE(fs::exists(folder() / "out/emulate.json"));
}

TEST_F(WholePath, TheSameModelGivesTheSameFiles) {
  for (const char* out : {"a", "b"})
    ASSERT_EQ(run_program({"compile", source("tests/text/letters.mr"), "-o", out}).exit_code, 0);
  size_t compared = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder() / "a")) {
    if (!entry.is_regular_file())
      continue;
    const fs::path name = fs::relative(entry.path(), folder() / "a");
    EXPECT_EQ(read("a" / name), read("b" / name)) << name;
    ++compared;
  }
  EXPECT_GT(compared, 10u);
}

TEST_F(WholePath, LogitsLeaveOffTheSigmoid) {
  const std::string model = source("tests/text/letters.mr");
  ASSERT_EQ(run_program({"compile", model, "--logits", "-o", "out"}).exit_code, 0);
  EXPECT_THAT(read("out/model.mr"), Not(HasSubstr("= table")));
  EXPECT_EQ(json::parse(read("out/plan.json"))["logits"], true);
}

TEST_F(WholePath, CompilingAgainReplacesTheBuildWhole) {
  const std::string model = source("tests/text/letters.mr");
  ASSERT_EQ(run_program({"compile", model, "-o", "out"}).exit_code, 0);
  write("out/synth.json", "{}");
  ASSERT_EQ(run_program({"compile", model, "--lanes", "4", "-o", "out"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(folder() / "out/synth.json"));
  EXPECT_EQ(json::parse(read("out/plan.json"))["lanes"], 4);
  EXPECT_THAT(files(), testing::ElementsAre("out"));
}

TEST_F(WholePath, CtrlCStopsCleanly) {
  ASSERT_EQ(run_program({"compile", source("tests/text/letters.mr"), "-o", "out"}).exit_code, 0);
  const Outcome run =
      run_program({"synth", "out", "--json"},
                  {"timeout", "--foreground", "--preserve-status", "-s", "INT", "2"});
  EXPECT_EQ(run.exit_code, 130) << run.errors;
  EXPECT_EQ(json::parse(run.output)["error"]["code"], "cli.interrupted");
  EXPECT_FALSE(fs::exists(folder() / "out/synth.json"));
  EXPECT_THAT(files(), testing::ElementsAre("out"));
}

}  // namespace
}  // namespace millrace::e2e
