// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>

namespace millrace::adders {

/// Random numbers that are the same on every platform, which the standard's distributions are not.
class Random {
public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  /// A number in [0, bound).
  uint32_t below(size_t bound) {
    return static_cast<uint32_t>(((engine_() >> 32) * static_cast<uint64_t>(bound)) >> 32);
  }
  /// True with the probability num / den.
  bool chance(uint32_t num, uint32_t den) { return below(den) < num; }
  /// A number in [0, 1).
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

private:
  std::mt19937_64 engine_;
};

}  // namespace millrace::adders
