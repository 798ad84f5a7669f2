// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "millrace/dataflow/datapath.h"
#include "millrace/verilog/syntax.h"

namespace millrace::verilog {

/// The module of a pipelined datapath: ports clk_i (where it has registers), in_data_i (the inputs,
/// input 0 lowest) and out_data_o (the outputs, output 0 lowest).
Module emit_datapath(const dataflow::Datapath& datapath, const std::string& module_name,
                     const std::string& comment);

/// True when the module has a clock port.
bool has_registers(const dataflow::Datapath& datapath);

}  // namespace millrace::verilog
