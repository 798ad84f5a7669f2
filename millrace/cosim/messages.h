// SPDX-License-Identifier: Apache-2.0
// Every diagnostic of this folder.
#pragma once

#include "millrace/support/diagnostics.h"

namespace millrace::cosim::messages {

inline constexpr Message BuildFailed{
    "cosim.build_failed", "{} does not accept the circuit: {}",
    "read the log for the rest; a warning about generated SystemVerilog counts as an error, and "
    "is worth a bug report"};
inline constexpr Message RunFailed{
    "cosim.run_failed", "the simulation in {} stopped early: {}",
    "read the log; a failed assertion names the module and the contract that was broken"};
inline constexpr Message MissingOutput{
    "cosim.missing_output", "the circuit's output {} gave {} beats; {} frames need {}",
    "check that the streams' shapes and lanes are those that the circuit was made for"};
inline constexpr Message SurplusOutput{
    "cosim.surplus_output",
    "the circuit's output {} gave more than the {} beats that {} frames need; the first in cycle "
    "{}",
    "check that the streams' shapes and lanes are those that the circuit was made for"};
inline constexpr Message EarlyOutput{
    "cosim.early_output",
    "output {} gave a beat of frame {} in cycle {}, before the frame's first beat went in",
    "the circuit gives more output beats a frame than its output stream says"};
inline constexpr Message UndefinedOutput{
    "cosim.undefined_output", "element {} of output {} has undefined bits in frame {}",
    "a register without a reset reaches the output before it was written"};
inline constexpr Message DamagedRecord{"cosim.damaged_record",
                                       "the simulation's record ends early or cannot be read: {}",
                                       "check the free space on the disk and run again"};

}  // namespace millrace::cosim::messages
