// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::data {

/// Grey-scale images with a label: signal (1) or background (0), or the rank of one of many
/// classes.
struct ImageSet {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  ///< count x height x width, row-major, upright, ink bright
  std::vector<uint8_t> labels;  ///< count; 1 for the signal class, 0 for the background class; or
                                ///< the index of the class in DataSet::classes

  int64_t count() const { return static_cast<int64_t>(labels.size()); }
  const uint8_t* image(int64_t index) const { return pixels.data() + index * height * width; }
};

/// A training and a test set of the same classes.
struct DataSet {
  std::string name;                ///< for tables and reports: "emnist-letters", "glyphs", ...
  std::string signal, background;  ///< names of two classes; empty where there are others
  ImageSet train;
  ImageSet test;
  std::vector<std::string> classes = {};  ///< names by label, where there may be more than two
};

}  // namespace millrace::data
