// SPDX-License-Identifier: Apache-2.0
#include "millrace/support/files.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

#include "millrace/support/check.h"
#include "millrace/support/messages.h"

namespace millrace {

namespace fs = std::filesystem;
namespace messages = support::messages;

namespace {

constexpr std::string_view GzipMagic{"\x1f\x8b", 2};

std::string last_error() {
  return std::generic_category().message(errno);
}

/// A hidden name beside `path` that no other call and no other process of this machine uses.
fs::path temporary_name(const fs::path& folder, const fs::path& name) {
  static std::atomic<unsigned> counter{0};
  return folder / fmt::format(".{}.{}-{}.partial", name.string(), ::getpid(), counter.fetch_add(1));
}

/// One inflate stream; frees zlib's memory whichever way the caller leaves.
class Inflater {
public:
  Inflater() {
    constexpr int GzipOnly = 16;
    check(inflateInit2(&stream_, MAX_WBITS + GzipOnly) == Z_OK, "zlib does not start");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  z_stream& stream() { return stream_; }

private:
  z_stream stream_{};
};

/// True when all that is left is padding, as tape and block writers add it.
bool is_zero_padding(std::string_view rest) {
  return std::all_of(rest.begin(), rest.end(), [](char byte) { return byte == '\0'; });
}

/// Inflates all members of a gzip file.
Result<std::string> inflate_gzip(std::string_view packed, uint64_t max_bytes,
                                 const std::string& where) {
  Inflater inflater;
  z_stream& stream = inflater.stream();
  std::string unpacked;
  std::vector<char> block(size_t{1} << 18);
  while (true) {
    // zlib counts in 32 bits: feed a large file piece by piece.
    const size_t piece = std::min(packed.size(), size_t{1} << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(piece);
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    packed.remove_prefix(piece - stream.avail_in);
    const size_t produced = block.size() - stream.avail_out;
    if (unpacked.size() + produced > max_bytes)
      return error(messages::FileTooLarge, where, max_bytes);
    unpacked.append(block.data(), produced);

    if (status == Z_STREAM_END) {
      if (is_zero_padding(packed))
        return unpacked;
      if (!packed.starts_with(GzipMagic))
        return error(messages::GzipCorrupt, where, "something else follows the compressed data");
      check(inflateReset(&stream) == Z_OK, "zlib does not restart");
    } else if (status == Z_BUF_ERROR || (status == Z_OK && packed.empty() && produced == 0)) {
      return error(messages::GzipTruncated, where);
    } else if (status != Z_OK) {
      return error(messages::GzipCorrupt, where, stream.msg ? stream.msg : "unknown format");
    }
  }
}

/// Where each kind of data lies in the source tree.
struct DataKind {
  std::string_view name;
  std::string_view source_folder;
};
constexpr std::array DataKinds{
    DataKind{"rtl", "rtl"},
    DataKind{"parts", "data/parts"},
    DataKind{"delays", "data/delays"},
    DataKind{"report", "millrace/report"},
    DataKind{"published", "data/published"},
    DataKind{"cosim", "millrace/cosim"},
};

}  // namespace

Result<std::string> read_file(const fs::path& path, uint64_t max_bytes) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (status.type() == fs::file_type::not_found)
    return error(messages::FileMissing, path.string());
  if (status.type() == fs::file_type::none)
    return error(messages::FileUnreadable, path.string(), code.message());
  if (!fs::is_regular_file(status))
    return error(messages::FileNotRegular, path.string());
  std::ifstream file(path, std::ios::binary);
  const uint64_t size = fs::file_size(path, code);
  if (!file || code)
    return error(messages::FileUnreadable, path.string(), code ? code.message() : last_error());
  if (size > max_bytes)
    return error(messages::FileTooLarge, path.string(), max_bytes);

  std::string content(size, '\0');
  file.read(content.data(), static_cast<std::streamsize>(size));
  if (static_cast<uint64_t>(file.gcount()) != size)
    return error(messages::FileUnreadable, path.string(), "it became shorter while it was read");
  return content;
}

Result<std::string> read_gzip_file(const fs::path& path, uint64_t max_bytes) {
  MR_TRY(std::string content, read_file(path));
  if (content.starts_with(GzipMagic))
    return inflate_gzip(content, max_bytes, path.string());
  if (content.size() > max_bytes)
    return error(messages::FileTooLarge, path.string(), max_bytes);
  return content;
}

Status write_file(const fs::path& path, std::string_view content) {
  const fs::path temporary = temporary_name(path.parent_path(), path.filename());
  std::error_code ignored;
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  if (!file)
    return error(messages::FileNotWritable, path.string(), last_error());
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) {
    const std::string reason = last_error();
    fs::remove(temporary, ignored);
    return error(messages::FileNotWritable, path.string(), reason);
  }
  std::error_code code;
  fs::rename(temporary, path, code);
  if (code) {
    fs::remove(temporary, ignored);
    return error(messages::FileNotWritable, path.string(), code.message());
  }
  return {};
}

Result<StagedDirectory> StagedDirectory::create(const fs::path& wanted, std::string_view marker) {
  std::error_code code;
  // Symbolic links are followed and "out/" is "out": the rename needs the real last name.
  fs::path destination = fs::weakly_canonical(fs::absolute(wanted), code);
  if (code)
    return error(messages::DirectoryNotWritable, wanted.string(), code.message());
  if (!destination.has_filename())
    destination = destination.parent_path();

  if (fs::exists(destination, code)) {
    const bool is_folder = fs::is_directory(destination, code);
    const bool is_ours =
        is_folder && (fs::is_empty(destination, code) || fs::exists(destination / marker, code));
    if (!is_ours)
      return error(messages::DirectoryNotOurs, wanted.string(), marker);
  }

  // Missing parents are made by commit() only: until then nothing of ours is seen.
  fs::path ancestor = destination.parent_path();
  while (!fs::exists(ancestor, code) && ancestor.has_relative_path())
    ancestor = ancestor.parent_path();
  fs::path temporary = temporary_name(ancestor, destination.filename());
  if (!fs::create_directory(temporary, code))
    return error(messages::DirectoryNotWritable, wanted.string(), code.message());
  return StagedDirectory(std::move(temporary), std::move(destination), std::string(marker));
}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : temporary_(std::move(other.temporary_)),
      destination_(std::move(other.destination_)),
      marker_(std::move(other.marker_)) {
  other.temporary_.clear();
}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  if (!temporary_.empty())
    fs::remove_all(temporary_, ignored);
}

Status StagedDirectory::commit() {
  check(!temporary_.empty(), "a staged directory is committed twice");
  const std::string where = destination_.string();
  if (!fs::exists(temporary_ / marker_))
    MR_TRY_STATUS(write_file(temporary_ / marker_, ""));

  std::error_code code;
  fs::create_directories(destination_.parent_path(), code);
  std::optional<fs::path> earlier;
  if (!code && fs::exists(destination_)) {
    earlier = temporary_name(destination_.parent_path(), destination_.filename());
    fs::rename(destination_, *earlier, code);
  }
  if (code)
    return error(messages::DirectoryNotWritable, where, code.message());
  fs::rename(temporary_, destination_, code);
  std::error_code ignored;
  if (code) {
    if (earlier)
      fs::rename(*earlier, destination_, ignored);
    return error(messages::DirectoryNotWritable, where, code.message());
  }
  temporary_.clear();
  if (earlier)
    fs::remove_all(*earlier, ignored);
  return {};
}

Result<fs::path> find_data_dir(std::string_view kind) {
  const auto* row = std::find_if(DataKinds.begin(), DataKinds.end(),
                                 [&](const DataKind& known) { return known.name == kind; });
  check(row != DataKinds.end(), "unknown kind of data folder");

  std::error_code code;
  std::vector<fs::path> candidates;
  if (const char* root = std::getenv("MILLRACE_DATA_DIR"); root && *root)
    candidates.push_back(fs::path(root) / kind);
  if (const fs::path executable = fs::read_symlink("/proc/self/exe", code); !code)
    candidates.push_back(executable.parent_path().parent_path() / "share" / "millrace" / kind);
  candidates.push_back(fs::path(MILLRACE_SOURCE_DIR) / row->source_folder);
  return first_data_dir(kind, candidates);
}

Result<fs::path> first_data_dir(std::string_view kind, const std::vector<fs::path>& candidates) {
  check(!candidates.empty(), "data is looked for nowhere");
  std::error_code ignored;
  for (const fs::path& candidate : candidates)
    if (fs::is_directory(candidate, ignored))
      return candidate;
  return error(messages::DataMissing, candidates.front().string(), kind);
}

}  // namespace millrace
