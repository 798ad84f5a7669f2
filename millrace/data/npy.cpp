// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/npy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "millrace/data/messages.h"
#include "millrace/data/npy_header.h"
#include "millrace/support/files.h"

namespace millrace::data {
namespace {

constexpr std::string_view Magic{"\x93NUMPY", 6};
constexpr uint64_t MaxFileBytes = uint64_t{1} << 30;
constexpr int64_t MaxEntries = int64_t{1} << 26;

/// How the entries lie in the file.
struct EntryType {
  enum class Kind { Truth, Signed, Unsigned, Real };
  Kind kind = Kind::Signed;
  int bytes = 1;
  bool is_big_endian = false;
};

/// The number that `bytes` hold, highest byte first or last.
uint64_t word(std::string_view bytes, bool is_big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value = value << 8 | static_cast<uint8_t>(bytes[is_big_endian ? i : bytes.size() - 1 - i]);
  return value;
}

/// Splits a file into its header's text and its data.
struct Parts {
  std::string_view header, data;
};

Result<Parts> split(std::string_view bytes, const std::string& where) {
  if (!bytes.starts_with(Magic))
    return error(messages::NotNpy, where);
  bytes.remove_prefix(Magic.size());
  if (bytes.size() < 2)
    return error(messages::NpyHeader, where, "the file ends within it");
  const int major = static_cast<uint8_t>(bytes[0]), minor = static_cast<uint8_t>(bytes[1]);
  if (major < 1 || major > 3 || minor != 0)
    return error(messages::NpyVersion, where, major, minor);
  bytes.remove_prefix(2);
  const size_t length_bytes = major == 1 ? 2 : 4;
  if (bytes.size() < length_bytes)
    return error(messages::NpyHeader, where, "the file ends within it");
  const uint64_t length = word(bytes.substr(0, length_bytes), false);
  bytes.remove_prefix(length_bytes);
  if (length > bytes.size())
    return error(messages::NpyHeader, where, "the file ends within it");
  return Parts{bytes.substr(0, length), bytes.substr(length)};
}

std::optional<EntryType> entry_type(std::string_view type) {
  if (type.size() != 3 || type[2] < '1' || type[2] > '8')
    return std::nullopt;
  const int bytes = type[2] - '0';
  const bool has_order = type[0] == '<' || type[0] == '>';
  if (!std::has_single_bit(static_cast<unsigned>(bytes)) ||
      !(has_order || (type[0] == '|' && bytes == 1)))
    return std::nullopt;
  const auto of = [&](EntryType::Kind kind) {
    return EntryType{.kind = kind, .bytes = bytes, .is_big_endian = type[0] == '>'};
  };
  if (type[1] == 'i')
    return of(EntryType::Kind::Signed);
  if (type[1] == 'u')
    return of(EntryType::Kind::Unsigned);
  if (type[1] == 'b' && bytes == 1)
    return of(EntryType::Kind::Truth);
  if (type[1] == 'f' && bytes >= 2)
    return of(EntryType::Kind::Real);
  return std::nullopt;
}

/// An IEEE 754 number of 16 bits.
double half(uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const int fraction = static_cast<int>(bits & 1023);
  const double magnitude = exponent == 31  ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return (bits >> 15 & 1) != 0 ? -magnitude : magnitude;
}

double real(uint64_t bits, int bytes) {
  if (bytes == 2)
    return half(bits);
  if (bytes == 4)
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

int64_t sign_extended(uint64_t bits, int bytes) {
  const int unused = 64 - 8 * bytes;
  return static_cast<int64_t>(bits << unused) >> unused;
}

/// The bits of one entry as an integer.
Result<int64_t> integer(uint64_t bits, const EntryType& type, int row, int column,
                        const std::string& where) {
  switch (type.kind) {
    case EntryType::Kind::Truth:
      return bits != 0 ? 1 : 0;
    case EntryType::Kind::Signed:
      return sign_extended(bits, type.bytes);
    case EntryType::Kind::Unsigned:
      if (bits > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return error(messages::NpyTooWide, where, row, column, bits);
      return static_cast<int64_t>(bits);
    case EntryType::Kind::Real:
      break;
  }
  constexpr double Limit = 0x1p63;
  const double value = real(bits, type.bytes);
  if (!std::isfinite(value) || value != std::trunc(value))
    return error(messages::NpyNotInteger, where, row, column, value);
  if (value < -Limit || value >= Limit)
    return error(messages::NpyTooWide, where, row, column, value);
  return static_cast<int64_t>(value);
}

Status check_shape(const std::vector<int64_t>& shape, const std::string& where) {
  if (shape.size() != 2) {
    std::string text;
    for (const int64_t extent : shape)
      text += (text.empty() ? "" : " x ") + std::to_string(extent);
    return error(messages::NpyDimensions, where, text.empty() ? "of one number" : text);
  }
  const int64_t largest = std::max<int64_t>({1, shape[0], shape[1]});
  if (largest > MaxEntries || shape[0] > MaxEntries / std::max<int64_t>(1, shape[1]))
    return error(messages::NpyTooLarge, where, shape[0], shape[1]);
  return {};
}

/// A type's name for a diagnostic; the file may hold anything.
std::string shown(const std::string& type) {
  const bool is_plain = type.size() <= 20 && std::all_of(type.begin(), type.end(), [](char letter) {
                          return letter > ' ' && letter <= '~';
                        });
  return is_plain ? "'" + type + "'" : "of an unreadable name";
}

Result<EntryType> check_type(const std::string& name, const std::string& where) {
  if (name.size() >= 2 && name[1] == 'O')
    return error(messages::NpyObjects, where);
  const std::optional<EntryType> type = entry_type(name);
  if (!type)
    return error(messages::NpyType, where, shown(name));
  return *type;
}

/// A file whose header is understood.
struct Entries {
  NpyHeader header;
  EntryType type;
  std::string_view data;

  /// The bits of entry `index` of those in the file's own order.
  uint64_t bits(size_t index) const {
    const auto size = static_cast<size_t>(type.bytes);
    return word(data.substr(index * size, size), type.is_big_endian);
  }
  /// Compares the file's size with the number of entries, before anything of that size is
  /// allocated.
  Status check_size(size_t count, const std::string& where) const {
    const size_t expected = count * static_cast<size_t>(type.bytes);
    if (data.size() != expected)
      return error(messages::WrongSize, where, expected, data.size());
    return {};
  }
};

Result<Entries> open_entries(std::string_view bytes, const std::string& where) {
  MR_TRY(const Parts parts, split(bytes, where));
  MR_TRY(NpyHeader header, parse_npy_header(parts.header, where));
  MR_TRY(const EntryType type, check_type(header.type, where));
  return Entries{std::move(header), type, parts.data};
}

double number(uint64_t bits, const EntryType& type) {
  switch (type.kind) {
    case EntryType::Kind::Truth:
      return bits != 0 ? 1 : 0;
    case EntryType::Kind::Signed:
      return static_cast<double>(sign_extended(bits, type.bytes));
    case EntryType::Kind::Unsigned:
      return static_cast<double>(bits);
    case EntryType::Kind::Real:
      break;
  }
  return real(bits, type.bytes);
}

/// Where the row-major entry `index` stands in an array whose first extent varies fastest.
size_t fortran_place(size_t index, const Shape& shape) {
  size_t place = 0, step = static_cast<size_t>(num_elements(shape));
  for (size_t axis = shape.size(); axis-- > 0;) {
    const auto extent = static_cast<size_t>(shape[axis]);
    step /= extent;
    place += index % extent * step;
    index /= extent;
  }
  return place;
}

template <class Number>
std::string bytes_of(const Tensor<Number>& tensor, std::string_view type) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (";
  for (const int64_t extent : tensor.shape)
    header += std::to_string(extent) + ", ";
  header += "), }";
  // Magic, version and length are 10 bytes; the whole is a multiple of 64 and ends a line.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes{Magic};
  bytes +=
      {'\1', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(tensor.data.data()),
               tensor.data.size() * sizeof(Number));
  return bytes;
}

}  // namespace

Result<IntegerTable> parse_npy(std::string_view bytes, const std::string& where) {
  MR_TRY(const Entries entries, open_entries(bytes, where));
  const NpyHeader& header = entries.header;
  MR_TRY_STATUS(check_shape(header.shape, where));
  IntegerTable table{.rows = static_cast<int>(header.shape[0]),
                     .columns = static_cast<int>(header.shape[1]),
                     .entries = {}};
  const size_t rows = static_cast<size_t>(table.rows), columns = static_cast<size_t>(table.columns);
  MR_TRY_STATUS(entries.check_size(rows * columns, where));
  table.entries.reserve(rows * columns);
  for (size_t row = 0; row < rows; ++row)
    for (size_t column = 0; column < columns; ++column) {
      const size_t index = header.fortran_order ? column * rows + row : row * columns + column;
      MR_TRY(const int64_t entry, integer(entries.bits(index), entries.type, static_cast<int>(row),
                                          static_cast<int>(column), where));
      table.entries.push_back(entry);
    }
  return table;
}

Result<IntegerTable> read_npy(const std::filesystem::path& path) {
  MR_TRY(const std::string bytes, read_file(path, MaxFileBytes));
  return parse_npy(bytes, path.string());
}

Result<FloatTensor> parse_real_npy(std::string_view bytes, const std::string& where) {
  MR_TRY(const Entries entries, open_entries(bytes, where));
  const Shape& shape = entries.header.shape;
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && count > MaxRealEntries / extent))
      return error(messages::NpyTooManyEntries, where, to_string(shape), MaxRealEntries);
    count *= extent;
  }
  MR_TRY_STATUS(entries.check_size(static_cast<size_t>(count), where));
  FloatTensor tensor{shape, {}};
  tensor.data.reserve(static_cast<size_t>(count));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const size_t index = entries.header.fortran_order ? fortran_place(i, shape) : i;
    tensor.data.push_back(number(entries.bits(index), entries.type));
  }
  return tensor;
}

Result<FloatTensor> read_real_npy(const std::filesystem::path& path) {
  MR_TRY(const std::string bytes, read_file(path, MaxFileBytes));
  return parse_real_npy(bytes, path.string());
}

std::string npy_bytes(const FloatTensor& tensor) {
  return bytes_of(tensor, "<f8");
}

std::string npy_bytes(const IntTensor& tensor) {
  return bytes_of(tensor, "<i8");
}

}  // namespace millrace::data
