// SPDX-License-Identifier: Apache-2.0
// Every diagnostic of this folder.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::synth::messages {

inline constexpr Message UnknownPart{
    "synth.unknown_part", "there is no part '{}' in the table; the nearest are {}",
    "give one of these, or its device name alone; further parts go into data/parts/parts.json"};
inline constexpr Message DamagedParts{"synth.damaged_parts", "the table of parts is damaged: {}",
                                      "install Millrace again, or repair the entry"};
inline constexpr Message YosysFailed{
    "synth.yosys_failed", "Yosys does not accept the circuit: {}",
    "read the log for the rest; a warning about generated SystemVerilog counts as an error, and "
    "is worth a bug report"};
inline constexpr Message NotAReport{"synth.not_a_report",
                                    "this is not a report of Yosys's stat -json: {}",
                                    "use a Yosys from 0.23 on, and give the name of its top "
                                    "module"};
inline constexpr Message UnknownCell{
    "synth.unknown_cell", "the mapped circuit has cells whose cost is not known: {}",
    "a count without them would be wrong; their costs belong into millrace/synth/area.cpp"};

}  // namespace millrace::synth::messages
