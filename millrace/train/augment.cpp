// SPDX-License-Identifier: Apache-2.0
#include "millrace/train/augment.h"

#include <cmath>

#include "millrace/support/check.h"

namespace millrace::train {

double uniform(std::mt19937_64& random, double lo, double hi) {
  return lo + (hi - lo) * (static_cast<double>(random() >> 11) * 0x1p-53);
}

void augment(std::span<const uint8_t> in, std::span<uint8_t> out, int64_t height, int64_t width,
             const Augmentation& limits, std::mt19937_64& random) {
  check(std::ssize(in) == height * width && in.size() == out.size(), "an image's size");
  const double angle = uniform(random, -limits.rotation_radians, limits.rotation_radians);
  const double scale_x = 1 + uniform(random, -limits.scale, limits.scale);
  const double scale_y = 1 + uniform(random, -limits.scale, limits.scale);
  const double shear = uniform(random, -limits.shear, limits.shear);
  const double shift_x = uniform(random, -limits.shift_pixels, limits.shift_pixels);
  const double shift_y = uniform(random, -limits.shift_pixels, limits.shift_pixels);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  // From a pixel of the result to the place in the original that it shows.
  const double xx = cosine * scale_x, xy = (shear * cosine - sine) * scale_y;
  const double yx = sine * scale_x, yy = (shear * sine + cosine) * scale_y;
  const double middle_x = static_cast<double>(width - 1) / 2;
  const double middle_y = static_cast<double>(height - 1) / 2;

  const auto pixel = [&](int64_t y, int64_t x) {
    return y < 0 || y >= height || x < 0 || x >= width ? 0.0 : double{1} * in[y * width + x];
  };
  for (int64_t row = 0; row < height; ++row)
    for (int64_t column = 0; column < width; ++column) {
      const double dx = static_cast<double>(column) - middle_x;
      const double dy = static_cast<double>(row) - middle_y;
      const double x = xx * dx + xy * dy + middle_x + shift_x;
      const double y = yx * dx + yy * dy + middle_y + shift_y;
      const auto left = static_cast<int64_t>(std::floor(x));
      const auto top = static_cast<int64_t>(std::floor(y));
      const double u = x - std::floor(x), v = y - std::floor(y);
      const double grey = (1 - v) * ((1 - u) * pixel(top, left) + u * pixel(top, left + 1)) +
                          v * ((1 - u) * pixel(top + 1, left) + u * pixel(top + 1, left + 1));
      out[row * width + column] = static_cast<uint8_t>(std::lround(grey));
    }
}

}  // namespace millrace::train
