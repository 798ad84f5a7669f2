// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/diagnostics.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "millrace/support/check.h"
#include "millrace/support/progress.h"
#include "millrace/support/shape.h"

namespace millrace {
namespace {

constexpr Message TooWide{"test.too_wide", "{} is {} bits wide", "choose a narrower type"};

Result<int> half(int number) {
  if (number % 2 != 0)
    return error(TooWide, "here", number, 3);
  return number / 2;
}

Status quarter(int number, int& result) {
  MR_TRY(const int once, half(number));
  MR_TRY(result, half(once));
  MR_TRY_STATUS(Status{});
  return {};
}

TEST(Diagnostics, FillTheRowsTextWithTheArguments) {
  const auto result = half(5);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "test.too_wide");
  EXPECT_EQ(result.error().message, "5 is 3 bits wide");
  EXPECT_EQ(result.error().where, "here");
  EXPECT_EQ(result.error().help, "choose a narrower type");
}

TEST(Diagnostics, TextForTheTerminal) {
  EXPECT_EQ(half(5).error().to_string(),
            "error: here: 5 is 3 bits wide [test.too_wide]\n  help: choose a narrower type");
  EXPECT_EQ((Diagnostic{"a.b", "wrong", "", ""}.to_string()), "error: wrong [a.b]");
}

TEST(Diagnostics, JsonHoldsAllFields) {
  const auto json = nlohmann::json::parse(half(5).error().to_json());
  EXPECT_EQ(json, (nlohmann::json{{"error",
                                   {{"code", "test.too_wide"},
                                    {"message", "5 is 3 bits wide"},
                                    {"where", "here"},
                                    {"help", "choose a narrower type"}}}}));
}

TEST(Diagnostics, JsonReplacesBytesThatAreNotUtf8) {
  const Diagnostic diagnostic{"a.b", "bad \xff byte", "", ""};
  EXPECT_TRUE(nlohmann::json::accept(diagnostic.to_json()));
}

TEST(Diagnostics, TryReturnsTheFirstErrorAndElseGoesOn) {
  int result = 0;
  EXPECT_TRUE(quarter(12, result));
  EXPECT_EQ(result, 3);
  const auto status = quarter(6, result);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "3 is 3 bits wide");
}

TEST(Check, NamesThePlaceOfABrokenPromise) {
  EXPECT_NO_THROW(check(true, "fine"));
  try {
    check(false, "the sky fell");
    FAIL() << "no exception";
  } catch (const InternalError& problem) {
    EXPECT_NE(std::string(problem.what()).find("diagnostics_test.cpp:"), std::string::npos);
    EXPECT_NE(std::string(problem.what()).find("the sky fell"), std::string::npos);
  }
}

TEST(Shapes, CountAndPrintTheirElements) {
  EXPECT_EQ(num_elements({28, 28, 3}), 2352);
  EXPECT_EQ(num_elements({}), 1);
  EXPECT_EQ(num_elements({5, 0, 7}), 0);
  EXPECT_EQ(to_string(Shape{28, 28, 1}), "28x28x1");
  EXPECT_EQ(to_string(Shape{}), "scalar");
}

TEST(Shapes, RefuseNegativeAndHugeExtents) {
  EXPECT_THROW(num_elements({2, -1}), InternalError);
  EXPECT_THROW(num_elements({int64_t{1} << 40, int64_t{1} << 40}), InternalError);
}

TEST(Progress, NobodyListeningMeansGoOn) {
  EXPECT_TRUE(report_progress({}, "step", 0.5));
  EXPECT_FALSE(report_progress([](std::string_view, double) { return false; }, "step", 0.5));
}

}  // namespace
}  // namespace millrace
