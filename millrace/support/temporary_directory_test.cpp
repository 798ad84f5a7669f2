// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/temporary_directory.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>

#include "millrace/support/files.h"
#include "millrace/support/messages.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
namespace messages = support::messages;

/// Makes a directory, puts a file into it and leaves it; where it was.
fs::path left_behind(const std::function<Diagnostic(const fs::path&)>& problem) {
  TemporaryDirectory directory = TemporaryDirectory::create("millrace-test").value();
  EXPECT_TRUE(write_file(directory.path() / "log", "text"));
  if (problem)
    directory.keep_for(problem(directory.path()));
  return directory.path();
}

Diagnostic missing(const fs::path& path) {
  return error(messages::FileMissing, path.string()).value();
}

TEST(TemporaryDirectory, GoesWithAllThatIsInIt) {
  EXPECT_FALSE(fs::exists(left_behind({})));
}

TEST(TemporaryDirectory, StaysForAProblemThatPointsIntoIt) {
  const fs::path kept = left_behind([](const fs::path& path) { return missing(path / "log"); });
  EXPECT_TRUE(fs::exists(kept / "log"));
  fs::remove_all(kept);
  EXPECT_FALSE(fs::exists(left_behind([](const fs::path&) { return missing("/elsewhere"); })));
}

TEST(TemporaryDirectory, IsTheOneThatItWasMovedTo) {
  TemporaryDirectory first = TemporaryDirectory::create("millrace-test").value();
  const fs::path path = first.path();
  {
    const TemporaryDirectory second = std::move(first);
    EXPECT_EQ(second.path(), path);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryDirectory, IsRefusedWhereNoneCanBeMade) {
  const char* before = std::getenv("TMPDIR");
  const std::string saved = before ? before : "";
  ::setenv("TMPDIR", "/nowhere", 1);
  const auto refused = TemporaryDirectory::create("millrace-test");
  before ? ::setenv("TMPDIR", saved.c_str(), 1) : ::unsetenv("TMPDIR");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, messages::NoTemporaryDirectory.code);
}

}  // namespace
}  // namespace millrace
