// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/report/example_build.h"

namespace millrace::report {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Compare, SetsTheLetterNetworkBesideThePublishedFigures) {
  const Build build = example_build();
  const auto published = find_published(build.network);
  ASSERT_TRUE(published.has_value()) << published.error().to_string();
  ASSERT_TRUE(published->has_value());
  const Table table = compare(build, *published);
  EXPECT_THAT(table.rows, Contains(ElementsAre("latency, cycles", "24,930", "1,580", "48",
                                               "32.9 \u00d7 less")));
  EXPECT_THAT(table.rows, Contains(ElementsAre("interval, cycles", "\u2013", "1,576", "28",
                                               "56.3 \u00d7 less")));
  EXPECT_THAT(table.rows, Contains(ElementsAre("DSP \u00b2", "96", "422", "0", "none used")));
}

TEST(Compare, AnotherNetworkStandsAlone) {
  Build build = example_build();
  build.network.parameters = 1006;
  const auto published = find_published(build.network);
  ASSERT_TRUE(published.has_value());
  EXPECT_FALSE(published->has_value());
  const Table table = compare(build, *published);
  EXPECT_EQ(table.columns.size(), 2u);
  EXPECT_THAT(table.rows, Contains(ElementsAre("latency, cycles", "48")));
  EXPECT_THAT(comparison_note(build, *published), IsEmpty());
}

TEST(Compare, LeavesOutWhatNobodyMeasured) {
  Build build = example_build();
  build.synthesis.reset();
  build.emulation.reset();
  build.simulation.reset();
  EXPECT_EQ(compare(build, std::nullopt).rows.size(), 3u);
}

}  // namespace
}  // namespace millrace::report
