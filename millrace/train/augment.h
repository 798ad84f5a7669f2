// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace millrace::train {

/// The largest random change of an image on its way into an epoch.
struct Augmentation {
  double rotation_radians = 0.22;
  double scale = 0.15;  ///< relative, for each axis of its own
  double shear = 0.15;
  double shift_pixels = 2.2;
};

/// Writes a randomly turned, scaled, sheared and shifted copy of an image, bilinearly interpolated
/// and rounded to whole grey levels again; outside of the image is black.
/// Shapes   `in` and `out` have height * width elements and do not overlap.
void augment(std::span<const uint8_t> in, std::span<uint8_t> out, int64_t height, int64_t width,
             const Augmentation& limits, std::mt19937_64& random);

/// Uniform in [lo, hi), the same with every standard library.
double uniform(std::mt19937_64& random, double lo, double hi);

/// A uniform number in [0, bound), for shuffles; bound is small against 2^64.
inline uint64_t below(std::mt19937_64& random, uint64_t bound) {
  return random() % bound;
}

}  // namespace millrace::train
