// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/table.h"

#include <gtest/gtest.h>

#include "millrace/report/numbers.h"
#include "millrace/support/check.h"

namespace millrace::report {
namespace {

TEST(Table, AlignsTextLeftAndNumbersRight) {
  const Table table{.columns = {{"name"}, {"cycles", true}},
                    .rows = {{"conv1", "48"}, {"a longer one", "24,930"}}};
  EXPECT_EQ(table.to_text(),
            "name          cycles\n"
            "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500"
            "\u2500\u2500\u2500\u2500\u2500\u2500\n"
            "conv1             48\n"
            "a longer one  24,930\n");
}

TEST(Table, CountsCharactersAndNotBytes) {
  const Table table{.columns = {{"t", true}, {"x", true}}, .rows = {{"7.9 \u00b5s", "1"}}};
  EXPECT_NE(table.to_text().find("7.9 \u00b5s  1\n"), std::string::npos);
}

TEST(Table, RefusesARowOfAnotherLength) {
  const Table table{.columns = {{"a"}, {"b"}}, .rows = {{"1"}}};
  EXPECT_THROW(table.to_text(), InternalError);
}

TEST(Numbers, HaveThousandsSeparators) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(1326720), "1,326,720");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
}

TEST(Numbers, DurationsChooseTheirUnit) {
  EXPECT_EQ(duration(240), "240 ns");
  EXPECT_EQ(duration(7900), "7.9 \u00b5s");
  EXPECT_EQ(duration(999.6), "1 \u00b5s");
  EXPECT_EQ(duration(1.25e6), "1.25 ms");
  EXPECT_EQ(duration(3e9), "3 s");
}

TEST(Numbers, SmallSharesAreNotNothing) {
  EXPECT_EQ(percent(0), "0.0 %");
  EXPECT_EQ(percent(0.0001), "< 0.1 %");
  EXPECT_EQ(percent(0.0229), "2.3 %");
}

}  // namespace
}  // namespace millrace::report
