// SPDX-License-Identifier: Apache-2.0
#include "millrace/report/report.h"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "millrace/report/example_build.h"
#include "millrace/support/files.h"
#include "millrace/support/temporary_directory.h"

namespace millrace::report {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ReportTest : public testing::Test {
protected:
  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-report").value();
  const fs::path directory_ = temporary_.path();
};

TEST_F(ReportTest, PageIsSelfContained) {
  const Build build = example_build();
  const auto published = find_published(build.network);
  ASSERT_TRUE(published.has_value());
  const auto page = render_page(build, *published);
  ASSERT_TRUE(page.has_value()) << page.error().to_string();
  for (const char* link : {"http:", "https:", "src=", "@import", "url("})
    EXPECT_THAT(*page, Not(HasSubstr(link)));
  for (const char* content : {"fixed&lt;9,5&gt;", "bit-exact", "AUC 0.9712", "24,930", "<style>"})
    EXPECT_THAT(*page, HasSubstr(content));
}

TEST_F(ReportTest, PageSaysWhatDiffers) {
  Build build = example_build();
  build.simulation->mismatches = 3;
  const auto page = render_page(build, std::nullopt);
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(*page, HasSubstr("3 differ"));
  EXPECT_THAT(*page, Not(HasSubstr("bit-exact")));
}

TEST_F(ReportTest, ADirectoryWithoutABuildIsRefused) {
  const Status status = write_report(directory_);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, "report.not_a_build");
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(ReportTest, WritesPageAndSummaryFromWhatIsThere) {
  ASSERT_TRUE(write_file(directory_ / ModelFile, R"(graph @tiny {
  %x = input : tensor<2 x ufixed<8,0>>
  %y = relu %x : tensor<2 x ufixed<8,0>>
  output %y
}
)"));
  Build build = example_build();
  ASSERT_TRUE(write_record(directory_, build.plan));
  ASSERT_TRUE(write_record(directory_, *build.synthesis));
  const Status status = write_report(directory_);
  ASSERT_TRUE(status.has_value()) << status.error().to_string();
  EXPECT_TRUE(fs::exists(directory_ / PageFile));
  const auto summary = read_file(directory_ / SummaryFile);
  ASSERT_TRUE(summary.has_value());
  const nlohmann::json json = nlohmann::json::parse(*summary);
  EXPECT_EQ(json["network"]["network"], "tiny");
  EXPECT_EQ(json["synth"]["lut"], 15211);
  EXPECT_FALSE(json.contains("train"));
}

}  // namespace
}  // namespace millrace::report
