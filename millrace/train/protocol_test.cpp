// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace millrace::train {
namespace {

TrainRequest full_request() {
  return {.network = "letters",
          .data = "some \"quoted\" folder",
          .signal = "Γ",
          .background = "⊥",
          .glyph_seed = std::numeric_limits<uint64_t>::max(),
          .train_glyphs = 3,
          .test_glyphs = 4,
          .quantizer = "float",
          .seed = 5,
          .epochs = 6,
          .sparsity = 0.1,
          .output = "x/y.onnx"};
}

TrainResult full_result() {
  TrainResult result;
  result.network = "letters";
  result.data = "glyphs";
  result.quantizer = "fixed<9,5>";
  result.output = "y.onnx";
  result.auc = 0.1;  // not a dyadic number: all 17 digits must survive
  result.float_auc = 1.0 / 3;
  result.parameters = 1005;
  result.seed = 42;
  result.sparsity = 0.3;
  result.weights = {{"conv1.w", 36, 12, 24}, {"dense2.w", 8, 0, 15}};
  result.seconds = 1.5;
  result.roc = {{std::numeric_limits<double>::infinity(), 0, 0}, {0.25, 0.5, 1}};
  return result;
}

TEST(Protocol, ARequestRoundTrips) {
  const auto parsed = parse_request(format_request(full_request()));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, full_request());
}

TEST(Protocol, AbsentMembersKeepTheirDefaults) {
  const auto parsed = parse_request(R"({"output": "a.onnx"})");
  ASSERT_TRUE(parsed.has_value());
  TrainRequest expected;
  expected.output = "a.onnx";
  EXPECT_EQ(*parsed, expected);
}

TEST(Protocol, ARealNumberMayBeWrittenAsAnInteger) {
  EXPECT_EQ(parse_request(R"({"sparsity": 2})").value().sparsity, 2.0);
}

TEST(Protocol, ARequestThatIsNotUnderstoodIsRefused) {
  for (const std::string text :
       {"", "[]", "3", "{", R"({"epoch": 1})", R"({"epochs": "1"})", R"({"epochs": 1.5})",
        R"({"epochs": 99999999999})", R"({"seed": -1})", R"({"sparsity": "1"})", R"({"data": 1})",
        R"({"output": null})"})
    EXPECT_EQ(parse_request(text).error().code, "train.bad_request") << text;
}

TEST(Protocol, EveryEventRoundTripsOnOneLine) {
  const ProgressEvent progress{"float", 3, 40, 0.9};
  const Diagnostic diagnostic{"data.no_such_class", "no \n class", "here", "do this"};
  for (const Event& event : {Event(progress), Event(full_result()), Event(diagnostic)})
    EXPECT_EQ(format_event(event).find('\n'), std::string::npos);

  EXPECT_EQ(std::get<ProgressEvent>(*parse_event(format_event(progress))), progress);
  EXPECT_EQ(std::get<TrainResult>(*parse_event(format_event(full_result()))), full_result());
  const auto parsed = std::get<Diagnostic>(*parse_event(format_event(diagnostic)));
  EXPECT_EQ(parsed.to_json(), diagnostic.to_json());
  EXPECT_EQ(std::get<InternalErrorEvent>(*parse_event(format_event(InternalErrorEvent{"x"}))).what,
            "x");
}

TEST(Protocol, OtherOutputIsNoEvent) {
  for (const std::string line :
       {"", "Warning: something", "{", "[1]", R"({"a": 1})", R"({"event": "progress"})",
        R"({"event": 3})", R"({"event": "result", "auc": 1})", R"({"event": "unheard"})"})
    EXPECT_FALSE(parse_event(line).has_value()) << line;
}

TEST(TrainResult, ItsJsonHasTheStableKeys) {
  const std::string json = to_json(full_result());
  for (const std::string key : {"auc", "accuracy", "float_auc", "parameters", "seed", "seconds",
                                "roc", "sparsity", "weights", "signed_digits"})
    EXPECT_THAT(json, ::testing::HasSubstr("\"" + key + "\":"));
}

}  // namespace
}  // namespace millrace::train
