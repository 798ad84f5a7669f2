// SPDX-License-Identifier: Apache-2.0
#include "bench/adders_cases.h"

#include <random>
#include <zlib.h>

namespace millrace::bench {
namespace {

/// The published figures are means over draws of their authors; bits are counted as da4ml does.
std::vector<Case> limited_cases() {
  const MatrixSet large{.name = "16x16",
                        .entries = "129..255",
                        .inputs = 16,
                        .outputs = 16,
                        .lo = 129,
                        .hi = 255,
                        .draws = 20};
  MatrixSet small = large;
  small.name = "8x8";
  small.inputs = small.outputs = 8;
  const std::vector<int> efforts = {0, 1, 2, 3};
  const auto limited = [&](const MatrixSet& set, std::optional<int> extra, double da4ml,
                           double alkaid, double hcmvm, double target) {
    return Case{.name = set.name + (extra ? "+" + std::to_string(*extra) : ""),
                .set = set,
                .extra_depth = extra,
                .efforts = efforts,
                .published = {{"da4ml", da4ml}, {"alkaid", alkaid}, {"Hcmvm", hcmvm}},
                .targets = {{.adders = target}}};
  };
  // alkaid counts depth in units of its own, so that its figure at +2 is of another limit.
  return {
      limited(large, {}, 340.2, 342.9, 338.3, 336), limited(large, 2, 364.1, 417.6, 353.3, 350),
      limited(large, 0, 445.9, 451.7, 423.2, 423),  limited(small, {}, 96.8, 97.3, 96.3, 95),
      limited(small, 2, 101.8, 117.3, 99.5, 99),    limited(small, 0, 124.8, 125.9, 117.2, 117)};
}

std::vector<Case> dense_cases() {
  const MatrixSet wide{.name = "72x16",
                       .entries = "dense 8-bit",
                       .inputs = 72,
                       .outputs = 16,
                       .lo = -128,
                       .hi = 127,
                       .draws = 3};
  MatrixSet square = wide;
  square.name = "64x64";
  square.inputs = square.outputs = 64;
  square.draws = 1;
  return {{.name = wide.name,
           .set = wide,
           .efforts = {0, 1, 2, 3},
           .published = {{"da4ml", 1505, 17536, 1.98}, {"alkaid", 1526, 17694, 0.92}},
           .targets = {{.adders = 1475}, {.adders = 1505, .seconds = 0.1}}},
          {.name = square.name,
           .set = square,
           .efforts = {0, 1, 2, 3},
           .published = {{"da4ml", 4847, std::nullopt, 15.1}, {"alkaid", 4911, std::nullopt, 13.5}},
           .targets = {{.adders = 4847, .seconds = 1}}}};
}

std::vector<Case> narrow_cases() {
  const MatrixSet sparse{.name = "72x8",
                         .entries = "6-bit, half zero",
                         .inputs = 72,
                         .outputs = 8,
                         .lo = -32,
                         .hi = 31,
                         .half_zero = true,
                         .draws = 10};
  const MatrixSet kernel{.name = "9x8",
                         .entries = "dense 4-bit",
                         .inputs = 9,
                         .outputs = 8,
                         .lo = -8,
                         .hi = 7,
                         .draws = 20};
  return {{.name = sparse.name,
           .set = sparse,
           .efforts = {0, 1, 2, 3},
           .published = {{"da4ml", 371, 3931}, {"alkaid", 374, 3968}},
           .targets = {{.adders = 364, .bits = 3850}}},
          {.name = kernel.name,
           .set = kernel,
           .efforts = {0, 1, 2, 3},
           .published = {{"da4ml", 61.1, 611}, {"alkaid", 61.9, 615}},
           .targets = {{.adders = 60, .bits = 600}}}};
}

/// What must be affordable at the default effort, whichever way the matrix lies.
std::vector<Case> huge_cases() {
  const MatrixSet wide{.name = "4096x64",
                       .entries = "dense 8-bit",
                       .inputs = 4096,
                       .outputs = 64,
                       .lo = -128,
                       .hi = 127,
                       .draws = 1};
  MatrixSet tall = wide;
  tall.name = "64x4096";
  std::swap(tall.inputs, tall.outputs);
  const auto affordable = [](const MatrixSet& set) {
    return Case{.name = set.name,
                .set = set,
                .efforts = {1},
                .targets = {{.seconds = 60, .megabytes = 1000}}};
  };
  return {affordable(wide), affordable(tall)};
}

/// A number in [lo, hi]. The standard fixes the generator's numbers, not its distributions'.
int64_t uniform(std::mt19937_64& random, int lo, int hi) {
  const auto count = static_cast<uint64_t>(hi - lo + 1);
  return lo + static_cast<int64_t>(((random() >> 32) * count) >> 32);
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& group : {limited_cases(), dense_cases(), narrow_cases(), huge_cases()})
    cases.insert(cases.end(), group.begin(), group.end());
  return cases;
}

adders::Matrix draw(const MatrixSet& set, int index) {
  std::mt19937_64 random(static_cast<uint64_t>(index));
  adders::Matrix matrix{.rows = set.outputs, .columns = set.inputs, .entries = {}};
  const int num_entries = set.outputs * set.inputs;
  int zeros = set.half_zero ? num_entries / 2 : 0;
  for (int left = num_entries; left > 0; --left) {
    const int64_t entry = uniform(random, set.lo, set.hi);
    const bool is_zero = zeros > 0 && uniform(random, 1, left) <= zeros;
    zeros -= is_zero ? 1 : 0;
    matrix.entries.push_back(is_zero ? 0 : entry);
  }
  return matrix;
}

uint32_t checksum(const std::vector<adders::Matrix>& matrices) {
  uLong sum = crc32(0, nullptr, 0);
  for (const adders::Matrix& matrix : matrices)
    for (const int64_t entry : matrix.entries) {
      const auto bits = static_cast<uint32_t>(entry);
      for (int shift = 0; shift < 32; shift += 8) {
        const auto byte = static_cast<Bytef>(bits >> shift);
        sum = crc32(sum, &byte, 1);
      }
    }
  return static_cast<uint32_t>(sum);
}

}  // namespace millrace::bench
