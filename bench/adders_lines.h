// SPDX-License-Identifier: Apache-2.0
// What was measured of one case, by whom, as a line of the table and as JSON.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/adders_cases.h"

namespace millrace::bench {

/// Means over the draws of a case; the memory is the highest.
struct Line {
  std::string name;                       ///< of the case
  std::string by;                         ///< "effort 3", "da4ml 0.6.0"
  uint32_t checksum = 0;                  ///< of the matrices; 0 for what is only published
  double adders = 0;                      ///< two-operand nodes, and rows that must be negated
  std::optional<double> bits = {};        ///< adders::Cost::bits
  std::optional<double> da4ml_bits = {};  ///< the same without the low bits of a subtrahend
  std::optional<double> depth = {};
  std::optional<double> seconds = {};  ///< of CPU time, one thread
  std::optional<double> proof_seconds = {};
  std::optional<double> megabytes = {};
};

/// The published figures of a case.
std::vector<Line> published_lines(const Case& task);

/// The lines in a file that bench/peers/adders.py wrote.
/// Errors   throws std::runtime_error with the reason.
std::vector<Line> read_lines(const std::filesystem::path& path);

/// Whether the line meets all that the target asks.
bool meets(const Line& line, const Target& target);

/// The lines, grouped by case, aligned, with a mark of what is met.
std::string to_text(const std::vector<Case>& cases, const std::vector<Line>& lines);

std::string to_json(const std::vector<Case>& cases, const std::vector<Line>& lines);

}  // namespace millrace::bench
