// SPDX-License-Identifier: Apache-2.0
#include "millrace_program.h"

#include <algorithm>
#include <cstdlib>
#include <gmock/gmock.h>

#include "millrace/support/files.h"
#include "millrace/support/subprocess.h"

namespace millrace::e2e {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

Outcome ProgramTest::run_program(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& prefix) const {
  // The shell keeps the two streams apart; "$@" passes every word on as it is.
  const fs::path output = folder_ / ".stdout", errors = folder_ / ".stderr";
  std::vector<std::string> words = {"-c", "\"$@\" >.stdout 2>.stderr", "sh"};
  words.insert(words.end(), prefix.begin(), prefix.end());
  words.emplace_back(MILLRACE_PROGRAM);
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto result = run_process("/bin/sh", words, {.working_directory = folder_});
  if (!result) {
    ADD_FAILURE() << result.error().to_string();
    return {};
  }
  Outcome run{.exit_code = result->exit_code,
              .output = read_file(output).value_or(""),
              .errors = read_file(errors).value_or("")};
  fs::remove(output);
  fs::remove(errors);
  return run;
}

std::vector<std::string> ProgramTest::files() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void ProgramTest::write(const std::string& name, const std::string& content) const {
  const Status status = write_file(folder_ / name, content);
  ASSERT_TRUE(status.has_value()) << status.error().to_string();
}

std::string ProgramTest::read(const fs::path& name) const {
  const auto content = read_file(folder_ / name);
  EXPECT_TRUE(content.has_value()) << content.error().to_string();
  return content.value_or("");
}

std::string ProgramTest::source(const std::string& path) {
  return (fs::path(MILLRACE_SOURCE_DIR) / path).string();
}

std::string ProgramTest::shared(const std::string& path) {
  const fs::path found = fs::path(MILLRACE_SOURCE_DIR) / ".." / "shared" / path;
  return fs::exists(found) ? found.string() : "";
}

void ProgramTest::expect_refused(const std::vector<std::string>& arguments, const std::string& code,
                                 const std::vector<std::string>& prefix) const {
  SCOPED_TRACE(testing::PrintToString(arguments));
  const std::vector<std::string> before = files();

  const Outcome plain = run_program(arguments, prefix);
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_EQ(plain.output, "");
  EXPECT_EQ(count_of(plain.errors, "error: "), 1u) << plain.errors;
  EXPECT_THAT(plain.errors, HasSubstr("[" + code + "]"));
  EXPECT_THAT(plain.errors, HasSubstr("help: "));
  EXPECT_EQ(files(), before);

  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const Outcome machine = run_program(with_json, prefix);
  EXPECT_EQ(machine.exit_code, 1);
  const auto json = nlohmann::json::parse(machine.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << machine.output;
  const auto fields = json.value("error", nlohmann::json::object());
  EXPECT_EQ(fields.value("code", ""), code);
  for (const char* key : {"message", "where", "help"})
    EXPECT_TRUE(fields.contains(key)) << key;
  EXPECT_NE(fields.value("message", ""), "");
  EXPECT_EQ(files(), before);
}

}  // namespace millrace::e2e
