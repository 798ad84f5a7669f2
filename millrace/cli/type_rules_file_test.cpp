// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/type_rules_file.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "millrace/cli/messages.h"
#include "millrace/fixed/messages.h"
#include "millrace/fixed/quantizer_text.h"

namespace millrace::cli {
namespace {

using quantize::Role;

quantize::TypeRules read(const std::string& text) {
  const auto rules = parse_type_rules(text, "config.yml");
  EXPECT_TRUE(rules) << rules.error().to_string();
  return rules.value_or(quantize::TypeRules{});
}

std::string problem(const std::string& text) {
  const auto rules = parse_type_rules(text, "config.yml");
  return rules ? "nothing" : rules.error().where + " " + rules.error().code;
}

std::string text_of(const quantize::Precision::Entry& entry) {
  return entry ? to_string(*entry) : "auto";
}

TEST(TypeRulesFile, PrecisionsOfModelClassesAndLayers) {
  const auto rules = read(R"(
Model: {Precision: 'ap_fixed<16, 6>', ReuseFactor: 1, Strategy: Latency}
LayerType:
  QDense:
    Precision: {weight: 'ap_fixed<8,2>', bias: auto, accum: 'ap_fixed<20,8>'}
LayerName:
  fc1:
    Precision: {default: 'fixed<9,3>', result: 'ap_ufixed<7,1,AP_RND,AP_SAT>'}
    Trace: true
    exp_table_t: ap_fixed<18,8>
)");
  EXPECT_EQ(text_of(*rules.model.by_default), "fixed<16,6,TRN,WRAP>");
  EXPECT_EQ(rules.model.place, "config.yml:2");
  const auto& dense = rules.layer_type.at("QDense");
  EXPECT_EQ(text_of(dense.by_role.at(Role::Weights)), "fixed<8,2,TRN,WRAP>");
  EXPECT_EQ(text_of(dense.by_role.at(Role::Bias)), "auto");
  EXPECT_FALSE(dense.by_default);
  EXPECT_EQ(text_of(dense.by_role.at(Role::Accumulator)), "fixed<20,8,TRN,WRAP>");
  EXPECT_EQ(dense.by_role.size(), 3U);
  const auto& fc1 = rules.layer_name.at("fc1");
  EXPECT_EQ(text_of(*fc1.by_default), "fixed<9,3,TRN,WRAP>");
  EXPECT_EQ(text_of(fc1.by_role.at(Role::Result)), "ufixed<7,1,RND,SAT>");
  EXPECT_EQ(fc1.place, "config.yml:8");
}

TEST(TypeRulesFile, TablesStandBesideThePrecision) {
  const auto rules = read(R"(
LayerType:
  Softmax: {TableSize: 512, inv_table_t: 'fixed<12,4,RND,SAT>', implementation: latency}
LayerName:
  act: {table_size: 64, table_t: 'fixed<9,3>', Precision: {table: 'fixed<5,3>'}}
)");
  const quantize::TableRules& softmax = rules.layer_type.at("Softmax").tables;
  EXPECT_EQ(softmax.size, 512);
  EXPECT_EQ(softmax.implementation, "latency");
  EXPECT_EQ(to_string(softmax.inv_table.value()), "fixed<12,4,RND,SAT>");
  EXPECT_FALSE(softmax.exp_table);
  const quantize::TableRules& act = rules.layer_name.at("act").tables;
  EXPECT_EQ(act.size, 64);
  EXPECT_EQ(to_string(act.table.value()), "fixed<9,3,TRN,WRAP>");
  EXPECT_EQ(problem("LayerName:\n  act: {table_size: many}"), "config.yml:2 cli.bad_type_rules");
}

TEST(TypeRulesFile, RefusesWhatIsNotThatForm) {
  EXPECT_EQ(problem("[]"), "config.yml:1 cli.bad_type_rules");
  EXPECT_EQ(problem("Model: {Precision: {result: [1]}}"), "config.yml:1 cli.bad_type_rules");
  EXPECT_EQ(problem("Model:\n  Precision: ap_fixed<16>"), "config.yml:2 fixed.quantizer_syntax");
  EXPECT_EQ(problem("Model: {Precision: 'fixed<8,2>', Precission: 1}"),
            "config.yml:1 cli.unknown_override");
  EXPECT_EQ(problem("Model: {Precision: 'fixed<8,2>', result_t: 'fixed<4,2>'}"),
            "config.yml:1 cli.unknown_override");
  EXPECT_EQ(problem("Modell: {}"), "config.yml:1 cli.unknown_override");
  EXPECT_EQ(problem("LayerName:\n  fc1:\n    Precision: {weights: 'fixed<8,2>'}"),
            "config.yml:3 cli.unknown_override");
  EXPECT_EQ(problem("LayerType:\n  Quux: {Precision: 'fixed<8,2>'}"),
            "config.yml:2 cli.bad_type_rules");
  EXPECT_EQ(problem("LayerName:\n  a: {}\n  a: {}"), "config.yml:3 cli.bad_type_rules");
  EXPECT_EQ(problem("HLSConfig: 3\nBackend: Vivado"), "config.yml:1 cli.bad_type_rules");
  EXPECT_EQ(problem("a: [1"), "config.yml:1 cli.bad_type_rules");
}

TEST(TypeRulesFile, ConfigurationsThatOthersWrote) {
  const std::filesystem::path models =
      std::filesystem::path(MILLRACE_SOURCE_DIR) / "../shared/models";
  if (!std::filesystem::exists(models))
    GTEST_SKIP() << "no models at " << models;
  for (const char* name :
       {"vectors/conv2d_1layer", "vectors/leaky_relu", "vectors/sigmoid", "vectors/softmax"}) {
    const auto rules = read_type_rules(models / name / "config.yml");
    ASSERT_TRUE(rules) << rules.error().to_string();
    EXPECT_EQ(text_of(*rules->model.by_default), "fixed<16,6,TRN,WRAP>") << name;
  }
  const auto rules = read_type_rules(models / "keras/qkeras_mnist_cnn_config.yml");
  ASSERT_TRUE(rules) << rules.error().to_string();
  EXPECT_EQ(rules->layer_name.size(), 9U);
  EXPECT_EQ(text_of(rules->layer_name.at("q_conv2d").by_role.at(Role::Weights)),
            "fixed<6,1,TRN,WRAP>");
}

}  // namespace
}  // namespace millrace::cli
