// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/archive.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <zip.h>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// No stream of deflate holds more bytes for each of its own.
constexpr uint64_t MaxDeflateRatio = 1032;
constexpr uint64_t DeflateOverhead = 64;

bool leads_outside(std::string_view name) {
  const bool has_drive = name.size() > 1 && name[1] == ':';
  if (name.empty() || name.front() == '/' || has_drive || name.find('\\') != std::string_view::npos)
    return true;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..")
      return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

bool is_archive(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

Result<Archive> Archive::open(std::string_view bytes, std::string file) {
  zip_error_t problem;
  zip_error_init(&problem);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
  zip_t* handle = source ? zip_open_from_source(source, ZIP_RDONLY, &problem) : nullptr;
  if (!handle) {
    const std::string reason = zip_error_strerror(&problem);
    zip_error_fini(&problem);
    if (source)
      zip_source_free(source);
    return error(messages::Archive, file, reason);
  }
  zip_error_fini(&problem);
  Archive archive(handle, std::move(file));
  const zip_int64_t count = zip_get_num_entries(handle, 0);
  if (count > MaxMembers)
    return error(messages::TooLarge, archive.file_, "the archive",
                 fmt::format("{} members", MaxMembers));
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const name = zip_get_name(handle, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    if (!name || leads_outside(name))
      return error(messages::ArchivePath, archive.file_, printable(name ? name : ""));
  }
  return archive;
}

Archive::Archive(Archive&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), file_(std::move(other.file_)) {}

Archive::~Archive() {
  if (handle_)
    zip_discard(static_cast<zip_t*>(handle_));
}

Result<std::optional<std::string>> Archive::read(const std::string& name,
                                                 uint64_t max_bytes) const {
  auto* const zip = static_cast<zip_t*>(handle_);
  const std::string where = file_ + ": " + name;
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat(zip, name.c_str(), ZIP_FL_ENC_RAW, &stat) != 0)
    return std::nullopt;
  constexpr zip_uint64_t Needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & Needed) != Needed)
    return error(messages::Archive, where, "its size is not known");
  if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE)
    return error(messages::Archive, where, "it is encrypted");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    return error(messages::Archive, where, "it is compressed by something else than deflate");
  if (stat.size > max_bytes)
    return error(messages::TooLarge, where, "the member", fmt::format("{} bytes", max_bytes));
  if (stat.size / MaxDeflateRatio > stat.comp_size + DeflateOverhead)
    return error(messages::Archive, where,
                 fmt::format("{} bytes cannot hold {}", stat.comp_size, stat.size));

  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> member(
      zip_fopen_index(zip, stat.index, 0), &zip_fclose);
  if (!member)
    return error(messages::Archive, where, zip_strerror(zip));
  std::string bytes(stat.size, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const zip_int64_t got = zip_fread(member.get(), bytes.data() + filled, bytes.size() - filled);
    if (got <= 0)
      return error(messages::Archive, where, "it is damaged");
    filled += static_cast<size_t>(got);
  }
  // The checksum is compared where the end is reached.
  if (char beyond = 0; zip_fread(member.get(), &beyond, 1) != 0)
    return error(messages::Archive, where, "it is damaged");
  return bytes;
}

}  // namespace millrace::frontends::keras
