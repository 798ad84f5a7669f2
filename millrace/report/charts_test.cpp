// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/report/example_build.h"

namespace millrace::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ScheduleChart, ShowsEveryStageAndTheResult) {
  const Build build = example_build();
  const std::string svg = to_html(schedule_chart(build.plan));
  for (const StageRecord& stage : build.plan.stages)
    EXPECT_THAT(svg, HasSubstr(">" + stage.name));
  EXPECT_THAT(svg, HasSubstr("result after 48 cycles"));
}

TEST(Charts, HoldNoNumbersThatAreNone) {
  Build build = example_build();
  build.emulation->roc.clear();
  build.plan.stages.clear();
  for (const std::string& svg :
       {to_html(roc_chart(*build.emulation)), to_html(schedule_chart(build.plan)),
        to_html(share_chart({{"DSP", {{"Millrace", 0, "0", "", true}}}}, " %", "Area")),
        to_html(latency_chart({{"Millrace", 5, "5 ns", "", true}}))}) {
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(LatencyChart, LongerLatenciesHaveLongerBars) {
  const Node svg = latency_chart({{"a", 240, "", "", true}, {"b", 7900, "", "", false}});
  std::vector<double> widths;
  for (const Node& child : svg.children) {
    if (child.tag != "rect")
      continue;
    for (const auto& [name, value] : child.attributes) {
      if (name == "width")
        widths.push_back(std::stod(value));
    }
  }
  ASSERT_EQ(widths.size(), 2u);
  EXPECT_LT(widths[0], widths[1]);
}

}  // namespace
}  // namespace millrace::report
