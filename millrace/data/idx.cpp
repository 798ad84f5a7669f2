// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/idx.h"

#include <string_view>

#include "millrace/data/messages.h"
#include "millrace/support/files.h"

namespace millrace::data {
namespace {

constexpr uint32_t ImagesMagic = 0x00000803;
constexpr uint32_t LabelsMagic = 0x00000801;
constexpr uint32_t MaxExtent = 4096;

uint32_t word(std::string_view bytes, size_t index) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<uint8_t>(bytes[4 * index + i]);
  return value;
}

Status check_header(std::string_view bytes, uint32_t magic, size_t words, std::string_view kind,
                    const std::string& where) {
  // The magic first: a file of another kind is better called that than truncated.
  if (bytes.size() >= 4 && word(bytes, 0) != magic)
    return error(messages::WrongMagic, where, kind, word(bytes, 0), magic);
  if (bytes.size() < 4 * words)
    return error(messages::NoHeader, where, bytes.size(), 4 * words);
  return {};
}

Status check_size(uint64_t announced, uint64_t found, const std::string& where) {
  if (announced != found)
    return error(messages::WrongSize, where, announced, found);
  return {};
}

}  // namespace

Result<IdxImages> read_idx_images(const std::filesystem::path& path) {
  const std::string where = path.string();
  MR_TRY(const std::string bytes, read_gzip_file(path));
  MR_TRY_STATUS(check_header(bytes, ImagesMagic, 4, "images", where));
  const uint32_t count = word(bytes, 1), height = word(bytes, 2), width = word(bytes, 3);
  if (height < 1 || height > MaxExtent || width < 1 || width > MaxExtent)
    return error(messages::BadImageSize, where, height, width);
  // At most 2^32 * 2^12 * 2^12: no overflow.
  MR_TRY_STATUS(check_size(uint64_t{count} * height * width, bytes.size() - 16, where));
  return IdxImages{count, height, width, {bytes.begin() + 16, bytes.end()}};
}

Result<std::vector<uint8_t>> read_idx_labels(const std::filesystem::path& path) {
  const std::string where = path.string();
  MR_TRY(const std::string bytes, read_gzip_file(path));
  MR_TRY_STATUS(check_header(bytes, LabelsMagic, 2, "labels", where));
  MR_TRY_STATUS(check_size(word(bytes, 1), bytes.size() - 8, where));
  return std::vector<uint8_t>(bytes.begin() + 8, bytes.end());
}

}  // namespace millrace::data
