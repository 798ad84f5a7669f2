// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::data {

/// Grey-scale images with a binary label: signal (1) or background (0).
struct ImageSet {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  ///< count x height x width, row-major, upright, ink bright
  std::vector<uint8_t> labels;  ///< count; 1 for the signal class, 0 for the background class

  int64_t count() const { return static_cast<int64_t>(labels.size()); }
  const uint8_t* image(int64_t index) const { return pixels.data() + index * height * width; }
};

/// A training and a test set of the same two classes.
struct DataSet {
  std::string name;                ///< for tables and reports: "emnist-letters", "glyphs", ...
  std::string signal, background;  ///< class names
  ImageSet train;
  ImageSet test;
};

}  // namespace millrace::data
