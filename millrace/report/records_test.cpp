// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/records.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "millrace/report/example_build.h"

namespace millrace::report {
namespace {

template <class Record>
void expect_round_trip(const Record& record) {
  const std::string json = to_json(record);
  const Result<Record> back = parse_json<Record>(json, "test");
  ASSERT_TRUE(back.has_value()) << back.error().to_string();
  EXPECT_EQ(to_json(*back), json);
}

TEST(Records, RoundTripThroughJson) {
  const Build build = example_build();
  expect_round_trip(build.network);
  expect_round_trip(build.plan);
  expect_round_trip(*build.training);
  expect_round_trip(*build.emulation);
  expect_round_trip(*build.simulation);
  expect_round_trip(*build.synthesis);
}

// The keys that users' scripts rely on.
TEST(Records, KeepTheirPublicKeys) {
  const Build build = example_build();
  const auto expect_keys = [](const std::string& text, std::vector<std::string> keys) {
    const nlohmann::json json = nlohmann::json::parse(text);
    for (const std::string& key : keys)
      EXPECT_TRUE(json.contains(key)) << key;
  };
  expect_keys(to_json(*build.training), {"auc", "accuracy", "float_auc", "parameters", "seed",
                                         "seconds", "sparsity", "weights"});
  expect_keys(to_json(*build.emulation), {"images", "accuracy", "auc", "images_per_second"});
  expect_keys(to_json(*build.simulation),
              {"frames", "mismatches", "latency_cycles", "scheduled_latency_cycles",
               "interval_cycles", "scheduled_interval_cycles", "simulator"});
  expect_keys(to_json(*build.synthesis),
              {"lut", "ff", "dsp", "bram18", "carry", "part", "utilisation", "estimated"});
  expect_keys(to_json(build.network), {"layers", "parameters", "multiplications"});
  const nlohmann::json layer = nlohmann::json::parse(to_json(build.network))["layers"][0];
  for (const char* key : {"name", "kind", "shape", "type"})
    EXPECT_TRUE(layer.contains(key)) << key;
}

TEST(Records, PassOverKeysTheyDoNotHave) {
  const auto plan = parse_json<PlanRecord>(R"({"lanes": 4, "later": {"x": 1}})", "test");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->lanes, 4);
  EXPECT_EQ(plan->latency_cycles, 0);
}

TEST(Records, RefuseWhatIsNotOne) {
  for (const char* text : {"", "{", "[]", "17", R"({"lanes": "four"})", R"({"stages": [3]})"}) {
    const auto plan = parse_json<PlanRecord>(text, "out/plan.json");
    ASSERT_FALSE(plan.has_value()) << text;
    EXPECT_EQ(plan.error().code, "report.bad_record");
    EXPECT_EQ(plan.error().where, "out/plan.json");
  }
}

}  // namespace
}  // namespace millrace::report
