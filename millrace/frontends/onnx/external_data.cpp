// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/onnx/external_data.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <onnx/onnx_pb.h>

#include "millrace/frontends/onnx/messages.h"
#include "millrace/frontends/onnx/model.h"

namespace millrace::frontends::onnx {
namespace {

namespace fs = std::filesystem;

/// Where a tensor's numbers are.
struct Location {
  std::string file;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

Result<Location> read_location(const ::onnx::TensorProto& tensor, const std::string& where) {
  Location location;
  for (const auto& entry : tensor.external_data()) {
    const std::string& text = entry.value();
    if (entry.key() == "location") {
      location.file = text;
      continue;
    }
    if (entry.key() != "offset" && entry.key() != "length")
      continue;  // a checksum, which nothing writes
    uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size())
      return error(messages::ExternalSize, where, entry.key(), printable(text), "no such place");
    if (entry.key() == "offset")
      location.offset = number;
    else
      location.length = number;
  }
  return location;
}

/// The file that a location names, if it lies below the folder.
std::optional<fs::path> resolve(const fs::path& folder, const std::string& name) {
  const fs::path relative(name);
  if (name.empty() || name.find('\0') != std::string::npos || relative.has_root_path() ||
      std::ranges::find(relative, fs::path("..")) != relative.end())
    return std::nullopt;
  std::error_code failure;
  const fs::path base = fs::canonical(folder.empty() ? fs::path(".") : folder, failure);
  if (failure)
    return std::nullopt;
  const fs::path file = fs::canonical(base / relative, failure);
  if (failure || !fs::is_regular_file(file, failure))
    return std::nullopt;
  // Below the folder: the folder's components are the file's first ones.
  const auto [end, rest] = std::ranges::mismatch(base, file);
  return end == base.end() ? std::optional(file) : std::nullopt;
}

}  // namespace

Result<std::string> read_external_data(const ::onnx::TensorProto& tensor, uint64_t num_bytes,
                                       const std::optional<fs::path>& folder,
                                       const std::string& where) {
  if (!folder)
    return error(messages::ExternalData, where);
  MR_TRY(const Location location, read_location(tensor, where));
  const auto path = resolve(*folder, location.file);
  if (!path)
    return error(messages::ExternalPath, where, printable(location.file));
  std::error_code failure;
  const uint64_t size = fs::file_size(*path, failure);
  if (failure || location.offset > size || num_bytes > size - location.offset)
    return error(messages::ExternalSize, where, "offset", location.offset,
                 fmt::format("{} bytes of a file of {}", num_bytes, failure ? 0 : size));
  if (location.length && *location.length != num_bytes)
    return error(messages::ExternalSize, where, "length", *location.length,
                 fmt::format("a tensor of {} bytes", num_bytes));
  std::string bytes(num_bytes, '\0');
  std::ifstream stream(*path, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(location.offset));
  stream.read(bytes.data(), static_cast<std::streamsize>(num_bytes));
  if (!stream)
    return error(messages::ExternalPath, where, printable(location.file));
  return bytes;
}

}  // namespace millrace::frontends::onnx
