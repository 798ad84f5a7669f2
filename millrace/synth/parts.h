// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/support/diagnostics.h"
#include "millrace/synth/area.h"

namespace millrace::synth {

/// A device: its full name and what it holds. From data/parts/parts.json.
struct Part {
  std::string name;    ///< "xcku115-flvb2104-2-i"
  std::string device;  ///< "xcku115"
  std::string family;  ///< of the delay model and of Yosys: "xcu"
  Area holds;          ///< carry is 0: not listed
};

/// Finds a part by its full name or its device name; upper and lower case are the same.
/// Errors   unknown part, with the nearest known names; an unreadable table.
Result<Part> find_part(const std::string& name);

/// All parts in the table, in its order.
Result<std::vector<Part>> load_parts();

/// Reads the text of a parts table; `where` names it in diagnostics.
Result<std::vector<Part>> parse_parts(std::string_view json, const std::string& where);

/// Used over held, for each resource: 0.5 is half of the part.
struct Utilisation {
  double lut = 0, ff = 0, dsp = 0, bram18 = 0;

  /// The resource that runs out first.
  double highest() const;
};

Utilisation utilisation(const Area& used, const Part& part);

}  // namespace millrace::synth
