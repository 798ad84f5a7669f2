// SPDX-License-Identifier: Apache-2.0
// The matrices that bench/adders measures, what is published of them, and what must be reached.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millrace/adders/matrix.h"

namespace millrace::bench {

/// Random matrices of one kind: entries uniform in [lo, hi].
struct MatrixSet {
  std::string name;  ///< inputs x outputs, as the peers count: "72x16" has 16 rows
  std::string entries;
  int inputs = 0, outputs = 0;
  int lo = 0, hi = 0;
  bool half_zero = false;  ///< half of the entries, at random, are 0
  int draws = 1;
};

/// What somebody published of a case.
struct Published {
  std::string by;
  double adders = 0;
  std::optional<double> bits = {}, seconds = {};
};

/// What must hold at once, in the mean over the draws.
struct Target {
  std::optional<double> adders = {}, bits = {}, seconds = {}, megabytes = {};
};

/// One set of matrices under one limit on the depth.
struct Case {
  std::string name;  ///< "16x16+2" allows two adders more than the minimum depth
  MatrixSet set;
  std::optional<int> extra_depth = {};
  std::vector<int> efforts;  ///< those that are worth their time
  std::vector<Published> published = {};
  std::vector<Target> targets;
};

/// The cases of the table, in its order.
std::vector<Case> all_cases();

/// Draw number `index` of a set; the same on every machine.
adders::Matrix draw(const MatrixSet& set, int index);

/// The checksum of matrices, by which figures are known to be of the same ones.
uint32_t checksum(const std::vector<adders::Matrix>& matrices);

/// All inputs are signed 8 bits wide.
inline constexpr adders::Range InputRange{-128, 127};

}  // namespace millrace::bench
