// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/plan.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
    const auto circuit = plan(graph, {.lanes = lanes});
    ASSERT_TRUE(circuit.has_value()) << circuit.error().to_string();
    const Schedule times = schedule(*circuit);
    const int64_t beats = 28 * ((28 + lanes - 1) / lanes);
    EXPECT_EQ(times.interval_cycles, beats);
    EXPECT_LE(times.latency_cycles, beats + 40);
    EXPECT_EQ(circuit->output.num_elements(), 1);
  }
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

TEST(Plan, PoolingFoldsTheLanesBehindIt) {
  const auto circuit = plan(letters(), {.lanes = 28});
  ASSERT_TRUE(circuit.has_value());
  for (const Stage& stage : circuit->stages) {
    if (stage.name == "pool1" || stage.name == "conv2") {
      EXPECT_EQ(stage.output.lanes, 7) << stage.name;
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
  const auto stream = stream_from_json(json["input"]);
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(*stream, circuit->input);
}

TEST(Plan, ADamagedStreamIsRefused) {
  nlohmann::ordered_json json = {
      {"height", 1}, {"width", 0}, {"channels", 1}, {"lanes", 1}, {"type", "fixed<8,8>"}};
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

TEST(Plan, BranchesAreRefused) {
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<4 x fixed<4,4>>\n"
                           "  %y = relu %x : tensor<4 x ufixed<3,3>>\n"
                           "  %z = flatten %y : tensor<4 x ufixed<3,3>>\n"
                           "  output %y\n  output %z\n")),
            "dataflow.one_input_one_output");
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<2 x fixed<2,2>>\n"
                           "  %w = constant {value = [1, 1]} : tensor<2x1 x fixed<2,2>>\n"
                           "  %b = constant {value = [0]} : tensor<1 x fixed<2,2>>\n"
                           "  %y = dense %x, %w, %b : tensor<1 x fixed<3,3>>\n"
                           "  %z = dense %x, %w, %y : tensor<1 x fixed<4,4>>\n"
                           "  output %z\n")),
            "dataflow.branch");
}

TEST(Plan, MorePaddingThanTheKernelIsRefused) {
  EXPECT_EQ(refusal(parsed("  %x = input : tensor<4x4x1 x fixed<2,2>>\n"
                           "  %y = max_pool %x {kernel = [2, 2], stride = [1, 1], padding = [0, 1, "
                           "0, 1]} : tensor<3x5x1 x fixed<2,2>>\n"
                           "  output %y\n")),
            "dataflow.too_much_padding");
}

}  // namespace
}  // namespace millrace::dataflow
