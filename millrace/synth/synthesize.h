// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/support/progress.h"

namespace millrace::synth {

/// What a part of the family holds, or a circuit uses.
struct Area {
  int64_t lut = 0;     ///< LUT6 equivalents, LUTs used as memory and shift registers included
  int64_t ff = 0;
  int64_t dsp = 0;
  int64_t bram18 = 0;
  int64_t carry = 0;   ///< carry primitives as mapped (CARRY4 or CARRY8)

  friend bool operator==(const Area&, const Area&) = default;
};

/// A device: its full name and what it holds. From data/parts.json.
struct Part {
  std::string name;    ///< "xcku115-flvb2104-2-i"
  std::string device;  ///< "xcku115"
  std::string family;  ///< of the delay model and of Yosys: "xcu"
  Area holds;          ///< carry is 0: not listed
};

/// Finds a part by its full name or its device name.
/// Errors   unknown part, with the nearest known names.
Result<Part> find_part(const std::string& name);

/// What to synthesise.
struct SynthesisRequest {
  std::vector<std::filesystem::path> sources;
  std::vector<std::filesystem::path> include_dirs;
  std::string top;
  Part part;
  std::filesystem::path netlist;  ///< where to leave the mapped netlist as Verilog; empty: nowhere
};

/// Maps a circuit with Yosys, flattened, and counts its primitives. Applies the work-around for
/// Yosys's wrong shift-register enables (issue 6058), so that the netlist is right as well.
/// Errors   Yosys is missing or refuses the sources; a Yosys warning; a cell that the count does
///          not know.
Result<Area> synthesize(const SynthesisRequest& request, const ProgressFunction& progress = {});

/// Counts the primitives in the text of Yosys's `stat -json`.
/// Errors   a cell that it does not know; text that is not such a report.
Result<Area> parse_area(const std::string& stat_json, const std::string& top);

}  // namespace millrace::synth
