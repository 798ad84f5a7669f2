// SPDX-License-Identifier: Apache-2.0
#include "millrace/frontends/keras/hdf5_file.h"

#include <algorithm>
#include <cmath>
#include <hdf5.h>
#include <memory>
#include <utility>

#include "millrace/frontends/keras/messages.h"
#include "millrace/support/names.h"

namespace millrace::frontends::keras {
namespace {

/// Closes what it holds.
class Handle {
public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0)
      close_(id_);
  }
  explicit operator bool() const { return id_ >= 0; }
  hid_t get() const { return id_; }

private:
  hid_t id_;
  Close close_;
};

/// Once a process: the library shall not print, nor load code to read a file.
void configure_library() {
  static const bool is_done = [] {
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  (void)is_done;
}

/// Goes to an object by hard links alone.
Handle walk(hid_t file, const std::string& path) {
  Handle here(H5Gopen2(file, "/", H5P_DEFAULT), &H5Oclose);
  for (size_t begin = 0; here && begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty())
      continue;
    H5L_info_t link;
    if (name == "." || H5Iget_type(here.get()) != H5I_GROUP ||
        H5Lexists(here.get(), name.c_str(), H5P_DEFAULT) <= 0 ||
        H5Lget_info(here.get(), name.c_str(), &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
      return {H5I_INVALID_HID, &H5Oclose};
    Handle next(H5Oopen(here.get(), name.c_str(), H5P_DEFAULT), &H5Oclose);
    std::destroy_at(&here);
    std::construct_at(&here, std::move(next));
  }
  return here;
}

bool is_a(const Handle& object, H5I_type_t type) {
  return object && H5Iget_type(object.get()) == type;
}

/// How many bytes may come of each that is stored, by deflate at its best.
constexpr uint64_t MaxInflation = 1032;

/// True where an array's numbers lie in this file, and are not many more than what lies there.
bool is_stored_here(hid_t array, uint64_t bytes) {
  const Handle layout(H5Dget_create_plist(array), &H5Pclose);
  if (!layout || H5Pget_external_count(layout.get()) != 0)
    return false;
  const uint64_t stored = H5Dget_storage_size(array);
  switch (H5Pget_layout(layout.get())) {
    case H5D_COMPACT:
    case H5D_CONTIGUOUS:
      return stored == bytes;
    case H5D_CHUNKED:
      return bytes / MaxInflation <= stored;
    default:
      return false;
  }
}

/// True for the number types that doubles can take in.
bool is_number(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  return (kind == H5T_INTEGER || kind == H5T_FLOAT) && H5Tget_size(type) <= sizeof(double);
}

/// The texts of an attribute of any rank; none where it is not text.
Result<std::optional<std::vector<std::string>>> read_texts(hid_t attribute,
                                                           const std::string& where) {
  const Handle type(H5Aget_type(attribute), &H5Tclose);
  const Handle space(H5Aget_space(attribute), &H5Sclose);
  if (!type || !space || H5Tget_class(type.get()) != H5T_STRING)
    return std::nullopt;
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  const uint64_t size = H5Tget_size(type.get());
  if (count < 0 || size == 0 ||
      static_cast<uint64_t>(count) > Hdf5File::MaxAttributeBytes / std::max<uint64_t>(size, 8))
    return error(messages::TooLarge, where, "the attribute",
                 fmt::format("{} bytes", Hdf5File::MaxAttributeBytes));
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> pointers(static_cast<size_t>(count), nullptr);
    if (count > 0 && H5Aread(attribute, type.get(), static_cast<void*>(pointers.data())) < 0)
      return error(messages::Damaged, where);
    for (const char* pointer : pointers)
      texts.emplace_back(pointer ? pointer : "");
    if (count > 0)
      H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, static_cast<void*>(pointers.data()));
    return texts;
  }
  // The attribute lies in the file as a whole, so that it is no larger than the file.
  if (H5Aget_storage_size(attribute) != size * static_cast<uint64_t>(count))
    return error(messages::Damaged, where);
  std::string bytes(size * static_cast<size_t>(count), '\0');
  if (count > 0 && H5Aread(attribute, type.get(), bytes.data()) < 0)
    return error(messages::Damaged, where);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const std::string_view padded = std::string_view(bytes).substr(i * size, size);
    texts.emplace_back(padded.substr(0, std::min(padded.find('\0'), padded.size())));
  }
  return texts;
}

}  // namespace

bool is_hdf5(std::string_view bytes) {
  return bytes.starts_with("\x89HDF\r\n\x1a\n");
}

Result<Hdf5File> Hdf5File::open(const std::filesystem::path& path) {
  configure_library();
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0)
    return error(messages::NotHdf5, path.string());
  return Hdf5File(id, path.string());
}

Result<Hdf5File> Hdf5File::open_bytes(std::string_view bytes, std::string file) {
  configure_library();
  if (!is_hdf5(bytes))
    return error(messages::NotHdf5, file);
  constexpr size_t Increment = 64 * 1024;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose);
  // The image is copied, whatever the pointer's type says.
  auto* const image = const_cast<char*>(bytes.data());
  const bool is_ready = access && H5Pset_fapl_core(access.get(), Increment, 0) >= 0 &&
                        H5Pset_file_image(access.get(), image, bytes.size()) >= 0;
  const hid_t id =
      is_ready ? H5Fopen("image", H5F_ACC_RDONLY, access.get()) : hid_t{H5I_INVALID_HID};
  if (id < 0)
    return error(messages::NotHdf5, file);
  return Hdf5File(id, std::move(file));
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : id_(std::exchange(other.id_, -1)), file_(std::move(other.file_)) {}

Hdf5File::~Hdf5File() {
  if (id_ >= 0)
    H5Fclose(id_);
}

bool Hdf5File::has_group(const std::string& path) const {
  return is_a(walk(id_, path), H5I_GROUP);
}

bool Hdf5File::has_array(const std::string& path) const {
  return is_a(walk(id_, path), H5I_DATASET);
}

std::vector<std::string> Hdf5File::names_in(const std::string& path) const {
  const Handle group = walk(id_, path);
  if (!is_a(group, H5I_GROUP))
    return {};
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names);
  std::ranges::sort(names);
  return names;
}

Result<std::optional<std::string>> Hdf5File::text(const std::string& path,
                                                  const std::string& name) const {
  const std::string where = fmt::format("{}: {}/@{}", file_, printable(path), name);
  const Handle group = walk(id_, path);
  if (!is_a(group, H5I_GROUP) || H5Aexists(group.get(), name.c_str()) <= 0)
    return std::nullopt;
  const Handle attribute(H5Aopen(group.get(), name.c_str(), H5P_DEFAULT), &H5Aclose);
  if (!attribute)
    return error(messages::Damaged, where);
  MR_TRY(const auto texts, read_texts(attribute.get(), where));
  if (!texts || texts->size() != 1)
    return error(messages::Attribute, where);
  return texts->front();
}

Result<std::optional<std::vector<std::string>>> Hdf5File::texts(const std::string& path,
                                                                const std::string& name) const {
  const std::string where = fmt::format("{}: {}/@{}", file_, printable(path), name);
  const Handle group = walk(id_, path);
  if (!is_a(group, H5I_GROUP))
    return std::nullopt;
  std::vector<std::string> all;
  bool is_there = false;
  const auto read = [&](const std::string& piece) -> Result<bool> {
    if (H5Aexists(group.get(), piece.c_str()) <= 0)
      return false;
    const Handle attribute(H5Aopen(group.get(), piece.c_str(), H5P_DEFAULT), &H5Aclose);
    if (!attribute)
      return error(messages::Damaged, where);
    MR_TRY(auto texts, read_texts(attribute.get(), where));
    if (!texts) {
      // Empty lists are written as lists of numbers.
      const Handle space(H5Aget_space(attribute.get()), &H5Sclose);
      if (!space || H5Sget_simple_extent_npoints(space.get()) != 0)
        return error(messages::Attribute, where);
      texts.emplace();
    }
    std::ranges::move(*texts, std::back_inserter(all));
    is_there = true;
    return true;
  };
  MR_TRY(const bool is_whole, read(name));
  for (size_t i = 0; !is_whole; ++i) {
    MR_TRY(const bool is_piece, read(name + std::to_string(i)));
    if (!is_piece)
      break;
  }
  return is_there ? std::optional(std::move(all)) : std::nullopt;
}

Result<FloatTensor> Hdf5File::array(const std::string& path) const {
  const std::string where = fmt::format("{}: {}", file_, printable(path));
  const Handle array = walk(id_, path);
  if (!is_a(array, H5I_DATASET))
    return error(messages::MissingArray, where);
  const Handle type(H5Dget_type(array.get()), &H5Tclose);
  const Handle space(H5Dget_space(array.get()), &H5Sclose);
  if (!type || !space)
    return error(messages::Damaged, where);
  if (!is_number(type.get()))
    return error(messages::ArrayKind, where);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 0 || rank > H5S_MAX_RANK || H5Sget_simple_extent_type(space.get()) == H5S_NULL)
    return error(messages::Damaged, where);
  std::vector<hsize_t> extents(static_cast<size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr) < 0)
    return error(messages::Damaged, where);
  FloatTensor tensor;
  uint64_t count = 1;
  for (const hsize_t extent : extents) {
    if (extent > 0 && count > static_cast<uint64_t>(MaxElements) / extent)
      return error(messages::TooLarge, where, "the array", fmt::format("{} numbers", MaxElements));
    count *= extent;
    tensor.shape.push_back(static_cast<int64_t>(extent));
  }
  if (!is_stored_here(array.get(), count * H5Tget_size(type.get())))
    return error(messages::NotStored, where);
  tensor.data.resize(count);
  if (count > 0 && H5Dread(array.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           tensor.data.data()) < 0)
    return error(messages::Damaged, where);
  const bool is_integer = H5Tget_class(type.get()) == H5T_INTEGER;
  constexpr double MaxInteger = 0x1p53;
  for (const double number : tensor.data) {
    if (!std::isfinite(number))
      return error(messages::NotFinite, where, std::isnan(number) ? "NaN" : "infinite");
    if (is_integer && std::abs(number) > MaxInteger)
      return error(messages::NotFinite, where, "an integer beyond 2^53");
  }
  return tensor;
}

}  // namespace millrace::frontends::keras
