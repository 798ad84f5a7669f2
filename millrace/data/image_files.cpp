// SPDX-License-Identifier: Apache-2.0
#include "millrace/data/image_files.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string_view>
#include <system_error>

#include "millrace/data/messages.h"

namespace millrace::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view TrainImages = "train-images-idx3-ubyte";
constexpr std::string_view MnistPrefix;  // MNIST's file names have none

/// What stands before "train-images-idx3-ubyte" in each such file of the directory.
std::set<std::string> find_prefixes(const fs::path& directory) {
  std::set<std::string> prefixes;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failed)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".gz"))
      name.resize(name.size() - 3);
    if (name.ends_with(TrainImages))
      prefixes.insert(name.substr(0, name.size() - TrainImages.size()));
  }
  return prefixes;
}

/// The prefix as the user would type it: without the dash at its end.
std::string display_name(std::string_view prefix) {
  if (prefix == MnistPrefix)
    return "mnist";
  return std::string(prefix.substr(0, prefix.find_last_not_of('-') + 1));
}

/// The file of that name with .gz or without, whichever there is.
Result<fs::path> find_file(const fs::path& directory, const std::string& name) {
  std::error_code failed;
  const fs::path zipped = directory / (name + ".gz");
  if (fs::exists(zipped, failed))
    return zipped;
  if (fs::exists(directory / name, failed))
    return directory / name;
  return error(messages::FileMissing, zipped.string());
}

Result<ImageFiles> describe(const fs::path& directory, const std::string& prefix) {
  ImageFiles files;
  files.name = display_name(prefix);
  if (prefix.starts_with("emnist-")) {
    files.transposed = true;
    if (files.name == "emnist-letters")
      files.class_names = ClassNames::Letters;
  } else if (prefix != MnistPrefix) {
    files.default_signal = "1";
    files.default_background = "2";
  }
  const std::string test = prefix == MnistPrefix ? "t10k" : prefix + "test";
  MR_TRY(files.train_images, find_file(directory, prefix + "train-images-idx3-ubyte"));
  MR_TRY(files.train_labels, find_file(directory, prefix + "train-labels-idx1-ubyte"));
  MR_TRY(files.test_images, find_file(directory, test + "-images-idx3-ubyte"));
  MR_TRY(files.test_labels, find_file(directory, test + "-labels-idx1-ubyte"));
  return files;
}

}  // namespace

Result<ImageFiles> find_image_files(const fs::path& source) {
  std::error_code failed;
  if (fs::is_directory(source, failed)) {
    const std::set<std::string> prefixes = find_prefixes(source);
    if (prefixes.empty())
      return error(messages::NoDataSet, source.string());
    if (prefixes.size() > 1) {
      std::vector<std::string> names;
      std::ranges::transform(prefixes, std::back_inserter(names), display_name);
      return error(messages::SeveralDataSets, source.string(), fmt::join(names, ", "));
    }
    return describe(source, *prefixes.begin());
  }
  const fs::path directory = source.has_parent_path() ? source.parent_path() : fs::path(".");
  const std::string wanted = source.filename().string();
  for (const std::string& prefix : find_prefixes(directory))
    if (display_name(prefix) == wanted)
      return describe(directory, prefix);
  return error(messages::NoSuchPath, source.string());
}

}  // namespace millrace::data
