// SPDX-License-Identifier: Apache-2.0
#include "millrace/cli/wishes.h"

#include <charconv>
#include <cmath>

#include "millrace/cli/messages.h"
#include "millrace/dataflow/fuse_adders.h"

namespace millrace::cli {
namespace {

/// All of the text as a number; none if anything is left over.
std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  return status == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<int64_t> parse_cycles(const std::string& option, const std::string& text, double clock_ns) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' '));
  double cycles = 0;
  if (unit == "cycles" || unit == "cycle")
    cycles = number == std::floor(number) ? number : 0;
  else if (unit == "ns")
    cycles = number / clock_ns;
  else if (unit == "us")
    cycles = number * 1e3 / clock_ns;
  else if (unit == "ms")
    cycles = number * 1e6 / clock_ns;
  constexpr double MostCycles = 1e15;
  if (status != std::errc{} || !(cycles > 0 && cycles < MostCycles))
    return error(messages::BadTime, option, text);
  // The division's last bit decides about no cycle: 3.3 ns are one cycle of 3.3 ns.
  const double nearest = std::round(cycles);
  const bool is_whole = std::abs(cycles - nearest) <= 1e-12 * nearest;
  return static_cast<int64_t>(is_whole ? nearest : std::floor(cycles));
}

Result<dataflow::Wish> parse_wish(const CompileOptions& options, double clock_ns) {
  dataflow::Wish wish;
  if (!options.latency.empty()) {
    MR_TRY(wish.latency_cycles, parse_cycles("--latency", options.latency, clock_ns));
  }
  if (!options.interval.empty()) {
    MR_TRY(wish.interval_cycles, parse_cycles("--interval", options.interval, clock_ns));
  }
  if (options.max_lut && *options.max_lut < 1)
    return error(messages::BadArea, "--max-lut", *options.max_lut);
  wish.max_lut = options.max_lut;
  return wish;
}

Result<std::vector<dataflow::BeatShape>> parse_lanes(const std::string& text,
                                                     const graph::Graph& model, bool has_wish) {
  using Shapes = std::vector<dataflow::BeatShape>;
  if (text.empty())
    return has_wish ? dataflow::beat_shapes(model)
                    : Shapes{dataflow::widest_beat(model, /*whole_maps=*/false)};
  if (text == "all")
    return Shapes{dataflow::widest_beat(model, /*whole_maps=*/true)};
  const size_t cross = text.find('x');
  const auto rows =
      cross == std::string::npos ? std::optional<int64_t>(1) : parse_integer(text.substr(0, cross));
  const auto lanes = parse_integer(cross == std::string::npos ? text : text.substr(cross + 1));
  if (!rows || !lanes)
    return error(messages::BadLanes, "--lanes", text);
  return Shapes{{.lanes = *lanes, .rows = *rows}};
}

bool uses_three_input_adders(const std::string& adders, const std::string& family) {
  return adders == "three-input" || (adders == "auto" && dataflow::has_three_input_adders(family));
}

dataflow::BlockUse parse_block_use(const std::string& text) {
  using dataflow::BlockUse;
  return text == "prefer" ? BlockUse::Prefer : text == "auto" ? BlockUse::Auto : BlockUse::Never;
}

}  // namespace millrace::cli
