// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/files.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "millrace/support/check.h"
#include "millrace/support/messages.h"
#include "millrace/support/temporary_directory.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
namespace messages = support::messages;
using testing::ElementsAre;
using testing::IsEmpty;

/// A fresh folder for each test, removed behind it.
class Files : public testing::Test {
protected:
  fs::path file(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  std::string content(const fs::path& path) const {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// The names in the folder, hidden ones included.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }
  TemporaryDirectory temporary_ = TemporaryDirectory::create("millrace-files").value();
  const fs::path folder_ = temporary_.path();
};

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Longer than the reader's block, and hard to compress.
std::string long_text() {
  std::string text;
  uint32_t state = 1;
  for (int i = 0; i < 700'000; ++i) {
    state = state * 1664525U + 1013904223U;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "no error" : result.error().code;
}

TEST_F(Files, ReadGivesAllBytes) {
  const std::string bytes("a\0b\nc\r\xff", 7);
  EXPECT_EQ(read_file(file("bytes", bytes)), bytes);
  EXPECT_EQ(read_file(file("empty", "")), "");
}

TEST_F(Files, MissingFilesAreNamed) {
  const auto result = read_file(folder_ / "absent");
  EXPECT_EQ(code_of(result), messages::FileMissing.code);
  EXPECT_EQ(result.error().where, (folder_ / "absent").string());
  EXPECT_EQ(code_of(read_gzip_file(folder_ / "absent.gz")), messages::FileMissing.code);
  EXPECT_EQ(code_of(read_file(file("a", "") / "below")), messages::FileMissing.code);
}

TEST_F(Files, FoldersAndDevicesAreNotFiles) {
  EXPECT_EQ(code_of(read_file(folder_)), messages::FileNotRegular.code);
  EXPECT_EQ(code_of(read_file("/dev/zero")), messages::FileNotRegular.code);
}

TEST_F(Files, UnreadableFilesAreRefused) {
  const fs::path locked = file("locked", "secret");
  fs::permissions(locked, fs::perms::none);
  if (::access(locked.c_str(), R_OK) == 0)
    GTEST_SKIP() << "this user may read everything";
  EXPECT_EQ(code_of(read_file(locked)), messages::FileUnreadable.code);
}

TEST_F(Files, PathsThatTheSystemRefusesAreUnreadable) {
  EXPECT_EQ(code_of(read_file(folder_ / std::string(5000, 'x'))), messages::FileUnreadable.code);
}

TEST_F(Files, FilesLargerThanAllowedAreRefused) {
  EXPECT_EQ(code_of(read_file(file("five", "12345"), 4)), messages::FileTooLarge.code);
  EXPECT_EQ(read_file(file("four", "1234"), 4), "1234");
  EXPECT_EQ(code_of(read_gzip_file(file("plain", "12345"), 4)), messages::FileTooLarge.code);
  EXPECT_EQ(code_of(read_gzip_file(file("bomb.gz", gzip(std::string(9'000'000, 'z'))), 1'000'000)),
            messages::FileTooLarge.code);
}

TEST_F(Files, GzipIsToldApartByItsMagic) {
  EXPECT_EQ(read_gzip_file(file("text", "plain text")), "plain text");
  EXPECT_EQ(read_gzip_file(file("packed", gzip("packed text"))), "packed text");
  EXPECT_EQ(read_gzip_file(file("empty", gzip(""))), "");
  EXPECT_EQ(read_gzip_file(file("long", gzip(long_text()))), long_text());
}

TEST_F(Files, GzipMembersAreJoinedAndPaddingIgnored) {
  EXPECT_EQ(read_gzip_file(file("two", gzip("one, ") + gzip("two"))), "one, two");
  EXPECT_EQ(read_gzip_file(file("padded", gzip("text") + std::string(512, '\0'))), "text");
}

TEST_F(Files, TruncatedGzipIsRefusedAtEveryLength) {
  const std::string packed = gzip("a text that is long enough to be cut");
  for (size_t length = 2; length < packed.size(); ++length)
    EXPECT_EQ(code_of(read_gzip_file(file("cut", packed.substr(0, length)))),
              messages::GzipTruncated.code)
        << length;
  const std::string long_packed = gzip(long_text());
  for (const size_t missing : {1, 8, 300'000})
    EXPECT_EQ(
        code_of(read_gzip_file(file("cut", long_packed.substr(0, long_packed.size() - missing)))),
        messages::GzipTruncated.code);
}

TEST_F(Files, DamagedGzipIsRefused) {
  std::string packed = gzip("a text that is checked");
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 5] = static_cast<char>(wrong_sum[packed.size() - 5] ^ 1);
  EXPECT_EQ(code_of(read_gzip_file(file("sum", wrong_sum))), messages::GzipCorrupt.code);
  EXPECT_EQ(code_of(read_gzip_file(file("tail", packed + "tail"))), messages::GzipCorrupt.code);
  packed[2] = 99;  // no such compression method
  EXPECT_EQ(code_of(read_gzip_file(file("method", packed))), messages::GzipCorrupt.code);
}

TEST_F(Files, WritingReplacesTheFileAndLeavesNothingElse) {
  EXPECT_TRUE(write_file(folder_ / "out", "first"));
  EXPECT_TRUE(write_file(folder_ / "out", "second"));
  EXPECT_EQ(content(folder_ / "out"), "second");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(Files, WritingInTheCurrentFolderNeedsNoSlash) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  EXPECT_TRUE(write_file("here", "x"));
  fs::current_path(before);
  EXPECT_THAT(names(), ElementsAre("here"));
}

TEST_F(Files, FailedWritesLeaveNothing) {
  EXPECT_EQ(code_of(write_file(folder_ / "absent" / "out", "x")), messages::FileNotWritable.code);
  fs::create_directory(folder_ / "taken");
  EXPECT_EQ(code_of(write_file(folder_ / "taken", "x")), messages::FileNotWritable.code);
  EXPECT_THAT(names(), ElementsAre("taken"));
}

TEST_F(Files, StagedDirectoriesAppearOnlyWhenCommitted) {
  {
    auto staged = StagedDirectory::create(folder_ / "out", "plan.json");
    ASSERT_TRUE(staged);
    ASSERT_TRUE(write_file(staged->path() / "plan.json", "{}"));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    ASSERT_TRUE(staged->commit());
    EXPECT_EQ(content(folder_ / "out" / "plan.json"), "{}");
  }
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(Files, StagedDirectoriesWithoutCommitLeaveNothing) {
  {
    auto staged = StagedDirectory::create(folder_ / "out", "plan.json");
    ASSERT_TRUE(staged);
    ASSERT_TRUE(write_file(staged->path() / "half", "x"));
    const StagedDirectory moved = std::move(*staged);
    EXPECT_TRUE(fs::exists(moved.path() / "half"));
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Files, StagedDirectoriesReplaceAnEarlierOutputAsAWhole) {
  for (const char* name : {"first", "second"}) {
    auto staged = StagedDirectory::create(folder_ / "out", "plan.json");
    ASSERT_TRUE(staged);
    ASSERT_TRUE(write_file(staged->path() / name, name));
    ASSERT_TRUE(staged->commit());
  }
  EXPECT_FALSE(fs::exists(folder_ / "out" / "first"));
  EXPECT_EQ(content(folder_ / "out" / "second"), "second");
  EXPECT_TRUE(fs::exists(folder_ / "out" / "plan.json"));  // the marker comes by itself
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(Files, AnEarlierOutputStaysWhenTheNextOneFails) {
  fs::create_directory(folder_ / "out");
  file("out/plan.json", "old");
  {
    ASSERT_TRUE(StagedDirectory::create(folder_ / "out", "plan.json"));
  }
  EXPECT_EQ(content(folder_ / "out" / "plan.json"), "old");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(Files, StagedDirectoriesNeverReplaceAUsersFiles) {
  fs::create_directory(folder_ / "thesis");
  file("thesis/chapter1", "ten years of work");
  EXPECT_EQ(code_of(StagedDirectory::create(folder_ / "thesis", "plan.json")),
            messages::DirectoryNotOurs.code);
  EXPECT_EQ(code_of(StagedDirectory::create(file("note", "x"), "plan.json")),
            messages::DirectoryNotOurs.code);
  EXPECT_THAT(names(), ElementsAre("note", "thesis"));
  EXPECT_EQ(content(folder_ / "thesis" / "chapter1"), "ten years of work");
}

TEST_F(Files, StagedDirectoriesTakeEmptyFoldersAndMissingParents) {
  fs::create_directory(folder_ / "empty");
  for (const char* name : {"empty", "new/deep/out/"}) {
    auto staged = StagedDirectory::create(folder_ / name, "plan.json");
    ASSERT_TRUE(staged) << name;
    EXPECT_FALSE(fs::exists(folder_ / "new"));
    ASSERT_TRUE(staged->commit()) << name;
    EXPECT_TRUE(fs::exists(folder_ / name / "plan.json"));
  }
  EXPECT_THAT(names(), ElementsAre("empty", "new"));
}

TEST_F(Files, StagedDirectoriesFollowSymbolicLinks) {
  fs::create_directory(folder_ / "real");
  fs::create_directory_symlink(folder_ / "real", folder_ / "link");
  auto staged = StagedDirectory::create(folder_ / "link", "plan.json");
  ASSERT_TRUE(staged);
  ASSERT_TRUE(staged->commit());
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(fs::exists(folder_ / "real" / "plan.json"));
}

TEST_F(Files, StagedDirectoriesNeedAPlaceToBe) {
  EXPECT_EQ(code_of(StagedDirectory::create("/proc/out", "plan.json")),
            messages::DirectoryNotWritable.code);
}

TEST_F(Files, CommittingTwiceIsAnInternalError) {
  auto staged = StagedDirectory::create(folder_ / "out", "plan.json");
  ASSERT_TRUE(staged->commit());
  EXPECT_THROW((void)staged->commit(), InternalError);
}

TEST_F(Files, DataComesFromTheVariableFirstAndElseFromTheSourceTree) {
  fs::create_directory(folder_ / "report");
  ::setenv("MILLRACE_DATA_DIR", folder_.c_str(), 1);
  EXPECT_EQ(find_data_dir("report"), folder_ / "report");
  ::unsetenv("MILLRACE_DATA_DIR");
  const auto report = find_data_dir("report");
  ASSERT_TRUE(report);
  EXPECT_TRUE(fs::equivalent(*report, fs::path(MILLRACE_SOURCE_DIR) / "millrace" / "report"));
  EXPECT_THROW((void)find_data_dir("no such kind"), InternalError);
}

TEST_F(Files, DataThatIsNowhereIsMissing) {
  const fs::path present = folder_ / "present";
  fs::create_directory(present);
  EXPECT_EQ(first_data_dir("rtl", {folder_ / "absent", present}), present);
  const auto missing = first_data_dir("rtl", {folder_ / "absent", file("note", "")});
  EXPECT_EQ(code_of(missing), messages::DataMissing.code);
  EXPECT_EQ(missing.error().where, (folder_ / "absent").string());
}

}  // namespace
}  // namespace millrace
