// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/shape.h"

namespace millrace::frontends::keras {

/// True for bytes that begin as HDF5 files do.
bool is_hdf5(std::string_view bytes);

/// Reads groups, attributes and arrays of numbers of an HDF5 file.
///
/// Names are paths from the root, without a leading slash. Links to other files and to elsewhere
/// in this one, numbers stored in other files and plug-in filters are never followed: what hides
/// behind them is not there.
class Hdf5File {
public:
  static Result<Hdf5File> open(const std::filesystem::path& path);
  /// The same from bytes; `file` names them in diagnostics.
  /// Errors   not HDF5; cut short or damaged.
  static Result<Hdf5File> open_bytes(std::string_view bytes, std::string file);
  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&&) = delete;
  ~Hdf5File();

  const std::string& file() const { return file_; }

  bool has_group(const std::string& path) const;
  bool has_array(const std::string& path) const;
  /// The names in a group, in the order of the alphabet; none where there is no such group.
  std::vector<std::string> names_in(const std::string& path) const;

  /// A text attribute of a group; no value where there is none.
  /// Errors   it is something else; longer than MaxAttributeBytes.
  Result<std::optional<std::string>> text(const std::string& path, const std::string& name) const;
  /// A list of texts, which may be in pieces: NAME0, NAME1, ...
  Result<std::optional<std::vector<std::string>>> texts(const std::string& path,
                                                        const std::string& name) const;
  /// The numbers of an array, as doubles, exactly.
  /// Errors   no such array; text or other types; more elements than MaxElements, or than what is
  ///          stored can hold; numbers that are not finite, or integers beyond 2^53.
  Result<FloatTensor> array(const std::string& path) const;

  static constexpr int64_t MaxElements = int64_t{1} << 28;
  static constexpr uint64_t MaxAttributeBytes = uint64_t{1} << 28;

private:
  Hdf5File(int64_t id, std::string file) : id_(id), file_(std::move(file)) {}
  int64_t id_;  // hid_t; negative once moved from
  std::string file_;
};

}  // namespace millrace::frontends::keras
