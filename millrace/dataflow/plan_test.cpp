// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "millrace/dataflow/circuit_json.h"
#include "millrace/dataflow/schedule.h"
#include "millrace/graph/text.h"
#include "millrace/support/files.h"

namespace millrace::dataflow {
namespace {

graph::Graph letters() {
  const auto text = read_file(std::string(MILLRACE_SOURCE_DIR) + "/tests/text/letters.mr");
  EXPECT_TRUE(text.has_value());
  auto graph = graph::parse(*text, "letters.mr");
  EXPECT_TRUE(graph.has_value());
  return *std::move(graph);
}

graph::Graph parsed(const std::string& body) {
  auto graph = graph::parse("graph @net {\n" + body + "}\n", "net.mr");
  EXPECT_TRUE(graph.has_value()) << graph.error().to_string();
  return *std::move(graph);
}

std::string refusal(const graph::Graph& graph, const PlanOptions& options = {}) {
  const auto circuit = plan(graph, options);
  return circuit ? "accepted" : circuit.error().code;
}

TEST(Plan, LetterNetworkLatencyAndIntervalAtEveryNumberOfLanes) {
  const graph::Graph graph = letters();
  for (int64_t lanes = 1; lanes <= 28; ++lanes) {
    // The depth of a graph is limited alike at every effort.
    const auto circuit = plan(graph, {.lanes = lanes, .effort = lanes == 28 ? 1 : 0});
    ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
    const Schedule times = schedule(*circuit);
    const int64_t beats = 28 * ((28 + lanes - 1) / lanes);
    EXPECT_EQ(times.interval_cycles, beats);
    EXPECT_LE(times.latency_cycles, beats + 40);
    EXPECT_EQ(circuit->outputs.front().type.num_elements(), 1);
  }
}

int64_t adders_of_conv1(int64_t lanes) {
  const auto circuit = plan(letters(), {.lanes = lanes, .effort = 0});
  EXPECT_TRUE(circuit.has_value());
  const auto json = to_json(*circuit, schedule(*circuit));
  EXPECT_EQ(json["stages"][1]["name"], "conv1");
  return json["stages"][1]["sizes"]["adders"].get<int64_t>();
}

TEST(Plan, LanesWhoseWindowsOverlapShareAdders) {
  EXPECT_LT(adders_of_conv1(28), 26 * adders_of_conv1(1));  // 26 windows a beat
}

TEST(Plan, LanesWithoutOverlapAreLikeEachOther) {
  const graph::Graph graph = parsed(
      "  %x = input : tensor<4x6x1 x fixed<4,4>>\n"
      "  %w = constant {value = [5, 3, -7, 1]} : tensor<2x2x1x1 x fixed<4,4>>\n"
      "  %b = constant {value = [3]} : tensor<1 x fixed<4,4>>\n"
      "  %y = conv2d %x, %w, %b {kernel = [2, 2], stride = [2, 2], padding = [0, 0, 0, 0]} "
      ": tensor<2x3x1 x fixed<8,8>>\n"
      "  output %y\n");
  const auto adders = [&](int64_t lanes) {
    const auto circuit = plan(graph, {.lanes = lanes});
    EXPECT_TRUE(circuit.has_value()) << circuit.error().to_string();
    const auto& map = std::get<MapStage>(circuit->stages.back().kind);
    return std::make_pair(
        circuit->stages.back().output.lanes,
        std::count_if(map.datapath.nodes().begin(), map.datapath.nodes().end(),
                      [](const Node& n) { return std::holds_alternative<AddNode>(n.kind); }));
  };
  const auto [one_lane, adders_of_one] = adders(1);
  const auto [three_lanes, adders_of_three] = adders(6);
  EXPECT_EQ(one_lane, 1);
  EXPECT_EQ(three_lanes, 3);  // beats of whole rows keep to whole rows
  EXPECT_EQ(adders_of_three, 3 * adders_of_one);
}

TEST(Plan, LayersWhoseWeightsAreNoConstantsAreRefused) {
  const auto circuit = plan(parsed("  %x = input : tensor<2 x fixed<2,2>>\n"
                                   "  %w = constant {value = [1, 1]} : tensor<2x1 x fixed<2,2>>\n"
                                   "  %b = constant {value = [0]} : tensor<1 x fixed<2,2>>\n"
                                   "  %y = dense %x, %w, %b : tensor<1 x fixed<3,3>>\n"
                                   "  %z = dense %x, %w, %y : tensor<1 x fixed<4,4>>\n"
                                   "  output %z\n"),
                            {});
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, "dataflow.unsupported_operation");
  EXPECT_THAT(
      circuit.error().to_string(),
      ::testing::HasSubstr("no stage computes 'z', a dense whose weights are not constants"));
}

TEST(Plan, AccumulatorsThatLoseBitsAreRefused) {
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<2 x fixed<4,2>>\n"
                           "  %w = constant {value = [1, 1]} : tensor<2x1 x fixed<4,2>>\n"
                           "  %b = constant {value = [0]} : tensor<1 x fixed<2,2>>\n"
                           "  %y = dense %x, %w, %b {accumulate = fixed<4,2>, rounding = TRN, "
                           "overflow = WRAP} : tensor<1 x fixed<4,2>>\n"
                           "  output %y\n")),
            "dataflow.accumulator");
}

TEST(Plan, EffortsOutsideTheRangeAreRefused) {
  EXPECT_EQ(refusal(letters(), {.effort = -1}), "adders.effort_out_of_range");
  EXPECT_EQ(refusal(letters(), {.effort = 10}), "adders.effort_out_of_range");
}

TEST(Plan, ProgressNamesTheLayersAndRises) {
  std::vector<std::string> steps;
  double last = 0;
  const auto circuit = plan(letters(), {.progress = [&](std::string_view step, double fraction) {
                              if (steps.empty() || steps.back() != step)
                                steps.emplace_back(step);
                              EXPECT_GE(fraction, last);
                              EXPECT_LE(fraction, 1);
                              last = fraction;
                              return true;
                            }});
  ASSERT_TRUE(circuit.has_value());
  EXPECT_EQ(steps,
            (std::vector<std::string>{"adders of conv1", "adders of conv2", "adders of dense2"}));
  EXPECT_GT(last, 0.75);  // the last of four
}

TEST(Plan, ASearchCanBeStopped) {
  const PlanOptions options{.progress = [](std::string_view, double) { return false; }};
  EXPECT_EQ(refusal(letters(), options), "adders.stopped");
}

TEST(Plan, ARefusedMatrixNamesItsLayer) {
  const auto circuit =
      plan(parsed("  %x = input : tensor<1 x ufixed<2,2>>\n"
                  "  %w = constant {value = [1]} : tensor<1x1 x fixed<2,2>>\n"
                  "  %b = constant {value = [1]} : tensor<1 x fixed<2,-48>>\n"
                  "  %y = dense %x, %w, %b : tensor<1 x ufixed<52,2>>\n  output %y\n"),
           {});
  ASSERT_FALSE(circuit.has_value());
  EXPECT_EQ(circuit.error().code, "adders.entry_too_wide");
  EXPECT_EQ(circuit.error().where, "net.mr:5:3");
}

TEST(Plan, AnAnswerLeavesBeforeTheFrameEndsWhereTheLastRowsNeverMatter) {
  const auto circuit = plan(letters(), {.lanes = 1});
  ASSERT_TRUE(circuit.has_value());
  EXPECT_LT(schedule(*circuit).latency_cycles, 784);
}

TEST(Plan, AFasterClockTakesMoreCycles) {
  const auto slow = plan(letters(), {.lanes = 28, .clock_ns = 10});
  const auto fast = plan(letters(), {.lanes = 28, .clock_ns = 2.5});
  ASSERT_TRUE(slow.has_value() && fast.has_value());
  EXPECT_LT(schedule(*slow).latency_cycles, schedule(*fast).latency_cycles);
}

TEST(Plan, PoolingHalvesTheLanesBehindIt) {
  const auto circuit = plan(letters(), {.lanes = 28});
  ASSERT_TRUE(circuit.has_value());
  for (const Stage& stage : circuit->stages) {
    if (stage.name == "pool1") {
      EXPECT_EQ(stage.output.lanes, 12);
    } else if (stage.name == "conv2" && std::holds_alternative<WindowStage>(stage.kind)) {
      EXPECT_EQ(stage.output.lanes, 10);
    }
  }
}

TEST(Plan, ScheduleAndStreamsAreWrittenAsJson) {
  const auto circuit = plan(letters(), {.lanes = 4});
  ASSERT_TRUE(circuit.has_value());
  const auto json = to_json(*circuit, schedule(*circuit));
  EXPECT_EQ(json["lanes"], 4);
  EXPECT_EQ(json["interval_cycles"], 196);
  EXPECT_EQ(json["stages"].size(), circuit->stages.size());
  ASSERT_EQ(json["inputs"].size(), 1);
  ASSERT_EQ(json["outputs"].size(), 1);
  const auto input = stream_from_json(json["inputs"][0]);
  const auto output = stream_from_json(json["outputs"][0]);
  ASSERT_TRUE(input.has_value() && output.has_value());
  EXPECT_EQ(*input, circuit->inputs.front().type);
  EXPECT_EQ(*output, circuit->outputs.front().type);
  EXPECT_EQ(json["inputs"][0]["name"], circuit->inputs.front().name);
}

TEST(Plan, EachStageNamesTheStreamsThatItReads) {
  const auto circuit = plan(letters(), {.lanes = 4});
  ASSERT_TRUE(circuit.has_value());
  const auto json = to_json(*circuit, schedule(*circuit));
  std::string before = circuit->inputs.front().name;
  for (const auto& stage : json["stages"]) {
    EXPECT_EQ(stage["inputs"], nlohmann::ordered_json::array({before}));
    before = stage["name"].get<std::string>() + "." + stage["kind"].get<std::string>();
  }
}

TEST(Plan, UtilisationIsTheShareOfTheIntervalInWhichAStageGivesBeats) {
  const auto circuit = plan(letters(), {.lanes = 4});
  ASSERT_TRUE(circuit.has_value());
  const auto json = to_json(*circuit, schedule(*circuit));
  for (const auto& stage : json["stages"]) {
    const double utilisation = stage["utilisation"];
    EXPECT_GT(utilisation, 0) << stage["name"];
    EXPECT_LE(utilisation, 1) << stage["name"];
    if (stage["kind"] == "map") {
      EXPECT_DOUBLE_EQ(utilisation, stage["beats_out"].get<double>() / 196);
    }
  }
}

TEST(Plan, ADamagedStreamIsRefused) {
  nlohmann::ordered_json json = {{"height", 1}, {"width", 0}, {"channels", 1},
                                 {"lanes", 1},  {"rows", 1},  {"type", "fixed<8,8>"}};
  EXPECT_EQ(stream_from_json(json).error().code, "dataflow.plan_invalid");
  json["width"] = 4;
  json["type"] = 7;
  EXPECT_EQ(stream_from_json(json).error().code, "dataflow.plan_invalid");
  json["type"] = "fixed<8,8>";
  EXPECT_TRUE(stream_from_json(json).has_value());
}

TEST(Plan, LanesOutsideTheRowAreRefused) {
  EXPECT_EQ(refusal(letters(), {.lanes = 0}), "dataflow.lanes_out_of_range");
  EXPECT_EQ(refusal(letters(), {.lanes = 29}), "dataflow.lanes_out_of_range");
  EXPECT_EQ(refusal(letters(), {.lanes = -1}), "dataflow.lanes_out_of_range");
}

TEST(Plan, RowsOutsideTheMapOrOfPartOfTheirLanesAreRefused) {
  EXPECT_EQ(refusal(letters(), {.lanes = 28, .rows = 0}), "dataflow.rows_out_of_range");
  EXPECT_EQ(refusal(letters(), {.lanes = 28, .rows = 29}), "dataflow.rows_out_of_range");
  EXPECT_EQ(refusal(letters(), {.lanes = 14, .rows = 2}), "dataflow.rows_out_of_range");
}

TEST(Plan, BeatsOfSeveralRowsShortenTheInterval) {
  for (const int64_t rows : {2, 3, 4, 28}) {
    const auto circuit = plan(letters(), {.lanes = 28, .rows = rows, .effort = 0});
    ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
    EXPECT_EQ(circuit->inputs.front().type.rows, rows);
    EXPECT_EQ(schedule(*circuit).interval_cycles, (28 + rows - 1) / rows);
  }
}

TEST(Plan, ClocksOutsideReasonAreRefused) {
  EXPECT_EQ(refusal(letters(), {.clock_ns = 0}), "dataflow.clock_out_of_range");
  EXPECT_EQ(refusal(letters(), {.clock_ns = 0.9}), "dataflow.clock_too_fast");
}

TEST(Plan, AnUnknownFamilyHasNoDelayModel) {
  EXPECT_EQ(refusal(letters(), {.delay_family = "nosuch"}), "dataflow.delay_model_missing");
  EXPECT_EQ(refusal(letters(), {.delay_family = "../xcu"}), "dataflow.delay_model_missing");
}

TEST(Plan, ADamagedDelayModelIsRefused) {
  const auto root = std::filesystem::path(::testing::TempDir()) / "millrace_delays";
  std::filesystem::create_directories(root / "delays");
  ASSERT_TRUE(write_file(root / "delays" / "bad.json", R"({"register_ps": -1})").has_value());
  ::setenv("MILLRACE_DATA_DIR", root.c_str(), 1);
  const auto model = load_delay_model("bad");
  ::unsetenv("MILLRACE_DATA_DIR");
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().code, "dataflow.delay_model_invalid");
}

TEST(Plan, RealNumbersAreRefused) {
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<4 x real>\n"
                           "  %y = relu %x : tensor<4 x real>\n  output %y\n")),
            "dataflow.not_exact");
}

TEST(Plan, BranchesAreJoinedAgain) {
  const auto circuit = plan(parsed("  %x = input : tensor<4 x fixed<4,4>>\n"
                                   "  %a = relu %x : tensor<4 x ufixed<3,3>>\n"
                                   "  %b = negate %x : tensor<4 x fixed<5,5>>\n"
                                   "  %c = add %a, %b : tensor<4 x fixed<6,6>>\n"
                                   "  output %c\n  output %b\n"),
                            {});
  ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
  ASSERT_EQ(circuit->outputs.size(), 2);
  EXPECT_EQ(circuit->outputs[0].name, "c");
  EXPECT_EQ(circuit->outputs[1].name, "b");
  const auto join = std::find_if(circuit->stages.begin(), circuit->stages.end(),
                                 [](const Stage& stage) { return stage.inputs.size() == 2; });
  ASSERT_NE(join, circuit->stages.end());
  EXPECT_EQ(join->buffers.size(), 2);
}

TEST(Plan, MorePaddingThanTheKernelIsRefusedOnLargeMaps) {
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<80x80x1 x fixed<2,2>>\n"
                           "  %y = max_pool %x {kernel = [2, 2], stride = [1, 1], padding = [0, 1, "
                           "0, 1]} : tensor<79x81x1 x fixed<2,2>>\n"
                           "  output %y\n")),
            "dataflow.too_much_padding");
}

}  // namespace
}  // namespace millrace::dataflow
