// SPDX-License-Identifier: Apache-2.0
// Which files of a directory make up a data set, and what their names say about it.
#pragma once

#include <filesystem>
#include <string>

#include "millrace/support/diagnostics.h"

namespace millrace::data {

/// What the labels of a data set are called, apart from their numbers.
enum class ClassNames {
  Numbers,  ///< 0, 1, 2, ...
  Letters,  ///< A to Z are 1 to 26
};

/// The four files of a data set.
struct ImageFiles {
  std::string name;         ///< "emnist-letters", "mnist", or the prefix
  bool transposed = false;  ///< rows and columns have changed places
  ClassNames class_names = ClassNames::Numbers;
  std::string default_signal, default_background;  ///< empty: the user must name them
  std::filesystem::path train_images, train_labels;
  std::filesystem::path test_images, test_labels;
};

/// Finds the data set that `source`, a directory or DIRECTORY/PREFIX, stands for.
/// Errors   no such path; no data set there, or several; one of the four files is missing.
Result<ImageFiles> find_image_files(const std::filesystem::path& source);

}  // namespace millrace::data
