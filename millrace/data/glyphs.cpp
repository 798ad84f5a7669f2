// SPDX-License-Identifier: Apache-2.0
// Compiled without contraction into fused multiply-adds (CMakeLists.txt): every machine draws the
// same bytes.
#include "millrace/data/glyphs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "millrace/support/check.h"

namespace millrace::data {
namespace {

constexpr int Size = 28;
constexpr int SegmentsPerStroke = 12;

/// Random numbers whose every bit is the same with every standard library.
class Random {
public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  /// Uniform in [lo, hi).
  double uniform(double lo, double hi) {
    return lo + (hi - lo) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }
  /// Bell-shaped with mean 0 and standard deviation 1: the sum of twelve uniform numbers.
  double bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform(0, 1);
    return sum;
  }

private:
  std::mt19937_64 engine_;
};

struct Point {
  double x = 0, y = 0;
};

/// A pen stroke: a quadratic Bezier curve, drawn from `begin` to `end` of its parameter.
struct Stroke {
  Point from, control, to;
  double begin = 0, end = 1;
  double radius = 1;  ///< half the pen's width, in pixels
};

/// Maps the unit square, centred at the origin, y down, to pixels.
struct Affine {
  double xx, xy, yx, yy;
  Point offset;

  Point operator()(Point p) const {
    return {xx * p.x + xy * p.y + offset.x, yx * p.x + yy * p.y + offset.y};
  }
};

Affine random_affine(Random& random) {
  // A rotation by the half-angle's tangent t: no sine, no cosine.
  const double t = random.uniform(-0.2, 0.2);
  const double cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
  const double scale_x = random.uniform(6.0, 10.5), scale_y = random.uniform(6.5, 10.5);
  const double slant = random.uniform(-0.35, 0.25);
  const double middle = (Size - 1) / 2.0;
  return {cosine * scale_x,
          scale_y * (slant * cosine - sine),
          sine * scale_x,
          scale_y * (slant * sine + cosine),
          {middle + random.uniform(-2.5, 2.5), middle + random.uniform(-2.5, 2.5)}};
}

Stroke random_stroke(Point from, Point to, Random& random) {
  const auto jitter = [&random](Point p, double amount) {
    return Point{p.x + amount * random.bell(), p.y + amount * random.bell()};
  };
  Stroke stroke{jitter(from, 0.14), {}, jitter(to, 0.14)};
  stroke.control =
      jitter({(stroke.from.x + stroke.to.x) / 2, (stroke.from.y + stroke.to.y) / 2}, 0.18);
  // Strokes start late or stop early; now and then little is left of one.
  const double missing = random.uniform(0, random.chance(0.4) ? 1.0 : 0.35);
  if (random.chance(0.5))
    stroke.begin = missing;
  else
    stroke.end = 1 - missing;
  return stroke;
}

Point at(const Stroke& stroke, double t) {
  const double u = 1 - t;
  return {u * u * stroke.from.x + 2 * u * t * stroke.control.x + t * t * stroke.to.x,
          u * u * stroke.from.y + 2 * u * t * stroke.control.y + t * t * stroke.to.y};
}

double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
  t = std::clamp(t, 0.0, 1.0);
  const double ex = p.x - a.x - t * dx, ey = p.y - a.y - t * dy;
  return std::sqrt(ex * ex + ey * ey);
}

using Image = std::array<double, Size * Size>;  // ink, 0 to 1

void draw(const Stroke& stroke, const Affine& affine, Image& image) {
  Point last = affine(at(stroke, stroke.begin));
  for (int i = 1; i <= SegmentsPerStroke; ++i) {
    const double t = stroke.begin + (stroke.end - stroke.begin) * i / SegmentsPerStroke;
    const Point next = affine(at(stroke, t));
    for (int y = 0; y < Size; ++y)
      for (int x = 0; x < Size; ++x) {
        const Point pixel{static_cast<double>(x), static_cast<double>(y)};
        // An edge one pixel wide anti-aliases the stroke.
        const double ink = stroke.radius + 0.5 - distance(pixel, last, next);
        double& value = image[y * Size + x];
        value = std::max(value, std::clamp(ink, 0.0, 1.0));
      }
    last = next;
  }
}

/// Mixes each pixel with the mean of the 3 x 3 pixels around it.
Image blur(const Image& image, double amount) {
  Image blurred{};
  for (int y = 0; y < Size; ++y)
    for (int x = 0; x < Size; ++x) {
      double sum = 0;
      for (int j = std::max(y - 1, 0); j <= std::min(y + 1, Size - 1); ++j)
        for (int i = std::max(x - 1, 0); i <= std::min(x + 1, Size - 1); ++i)
          sum += image[j * Size + i];
      blurred[y * Size + x] = (1 - amount) * image[y * Size + x] + amount * (sum / 9);
    }
  return blurred;
}

/// Wipes a disc out, as a damp sleeve does.
void wipe(Image& image, Random& random) {
  const Point middle{random.uniform(3, Size - 3), random.uniform(3, Size - 3)};
  const double radius = random.uniform(3, 9);
  for (int y = 0; y < Size; ++y)
    for (int x = 0; x < Size; ++x) {
      const Point pixel{static_cast<double>(x), static_cast<double>(y)};
      image[y * Size + x] *= std::clamp(distance(pixel, middle, middle) - radius, 0.0, 1.0);
    }
}

Image draw_glyph(bool gamma, Random& random) {
  const Affine affine = random_affine(random);
  // Where the stem stands on the bar, and the bar's length, overlap between the two letters: what
  // tells them apart is the end at which they meet.
  std::array<Stroke, 2> strokes;
  if (gamma) {
    const double stem = random.uniform(-0.6, -0.2);
    strokes[0] = random_stroke({stem, -0.8}, {stem, 0.85}, random);
    strokes[1] = random_stroke({stem - random.uniform(0, 0.3), -0.8}, {0.7, -0.8}, random);
  } else {
    const double stem = random.uniform(-0.3, 0.3);
    strokes[0] = random_stroke({stem, -0.85}, {stem, 0.75}, random);
    strokes[1] = random_stroke({-0.75, 0.75}, {0.75, 0.75}, random);
  }
  const double radius = random.uniform(0.5, 1.4);
  Image image{};
  for (Stroke& stroke : strokes) {
    stroke.radius = radius * random.uniform(0.8, 1.2);
    draw(stroke, affine, image);
  }
  for (int i = 0; i < 2; ++i)
    if (random.chance(0.55))
      wipe(image, random);
  image = blur(image, random.uniform(0, 0.9));
  const double ink = random.uniform(0.4, 1.0), noise = random.uniform(0.01, 0.2);
  for (double& value : image)
    value = ink * value + noise * random.bell();
  return image;
}

ImageSet draw_set(int64_t count, Random& random) {
  check(count >= 0, "a glyph set has no negative size");
  ImageSet set{Size, Size, {}, {}};
  set.pixels.reserve(count * Size * Size);
  for (int64_t i = 0; i < count; ++i) {
    // Half each, in random order within every pair: any even number of images is balanced.
    const bool gamma = i % 2 == 0 ? random.chance(0.5) : set.labels.back() == 0;
    for (double value : draw_glyph(gamma, random))
      set.pixels.push_back(static_cast<uint8_t>(std::clamp(value * 256.0, 0.0, 255.0)));
    set.labels.push_back(gamma);
  }
  return set;
}

}  // namespace

DataSet make_glyphs(const GlyphOptions& options) {
  // Training and test images come from engines of their own: the number of one set's images does
  // not change the other.
  Random train(2 * options.seed), test(2 * options.seed + 1);
  DataSet set{"glyphs", "gamma", "perp", {}, {}};
  set.train = draw_set(options.train_count, train);
  set.test = draw_set(options.test_count, test);
  return set;
}

}  // namespace millrace::data
